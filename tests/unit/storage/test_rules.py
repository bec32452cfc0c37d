"""The rule file itself: complete and documented. That it breaks no order is in test_rules_properties."""

import re
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    AnswerRequest,
    CancelLines,
    CancelOrder,
    Change,
    ChangeOrder,
    LapseRequest,
    LineAnswer,
    LineChange,
    LineReference,
    PlaceOrder,
    QuantityReading,
    RecordShipment,
    Verdict,
    WithdrawShipment,
)
from storage.evolve import evolve
from storage.orders import LineState, OrderKey, OrderState, OrderStatus, status_of
from storage.rules import TABLE, Refusal, decide
from tests.unit.storage.build import AT, BUYER, SELLER, locator, place, source

DOCUMENTATION = (Path(__file__).parents[3] / "docs" / "refusals.md").read_text(encoding="utf-8")
DELTA, REJECTED = QuantityReading.DELTA, LineAnswer(answer=Answer.REJECTED)
COMMANDS = (
    PlaceOrder, CancelOrder, CancelLines, ChangeOrder, AnswerRequest, AcknowledgeOrder, RecordShipment,
    WithdrawShipment, LapseRequest,
)  # fmt: skip


def test_the_table_has_a_word_for_every_pair() -> None:
    assert set(TABLE) == {None, *OrderStatus}
    assert all(set(row) == set(COMMANDS) for row in TABLE.values())


def test_refusals_are_numbered_without_a_gap() -> None:
    assert [refusal.number for refusal in Refusal] == list(range(1, len(Refusal) + 1))


def test_every_refusal_is_documented_in_order_and_word_for_word() -> None:
    documented = re.findall(r"^### (\d+)\. (\w+)\n\n(.+)\.\n\n> .+\n\n.+$", DOCUMENTATION, re.MULTILINE)
    assert documented == [
        (str(refusal.number), refusal.name, refusal.sentence[0].upper() + refusal.sentence[1:])
        for refusal in Refusal
    ]


def test_every_status_is_documented() -> None:
    assert re.findall(r"^\| (\w+) \| [A-Z].+\. \|$", DOCUMENTATION, re.MULTILINE) == [
        s.value for s in OrderStatus
    ]


@pytest.mark.parametrize("status", OrderStatus)
def test_a_status_follows_from_the_counters(status: OrderStatus) -> None:
    figures = {
        OrderStatus.OPEN: (0, 0),
        OrderStatus.PARTLY_FULFILLED: (2, 0),
        OrderStatus.FULFILLED: (5, 0),
        OrderStatus.CANCELLED: (0, 5),
        OrderStatus.COMPLETE: (2, 3),
    }
    fulfilled, cancelled = map(Decimal, figures[status])
    line = LineState(
        id=1, line="1", assigned=True, ids=(), unit="EA",
        ordered=Decimal(5), fulfilled=fulfilled, cancelled=cancelled,
    )  # fmt: skip
    assert status_of((line,)) is status


def test_the_cost_of_a_document_grows_with_its_lines() -> None:
    """Were it the square of the lines, this would take minutes."""
    many = 10_000
    order = evolve(
        OrderState(id=1, key=OrderKey(buyer=BUYER, seller=SELLER, po_number="4500012"), lines=()),
        decide((), place(*["10"] * many)).facts[0],
    )
    references = [LineReference(number=f"000{number}") for number in range(1, many + 1)]
    changes = tuple(LineChange(line=ref, change=Change.DECREASE, quantity=Decimal(4)) for ref in references)
    one = LineChange(line=references[0], change=Change.DECREASE, quantity=Decimal(1), reading=DELTA)
    answers = tuple(AcknowledgedLine(line=ref, answers=(REJECTED,)) for ref in references)
    common: dict[str, Any] = {"order": locator(), "at": AT, "source": source("860")}
    begun = monotonic()
    for command in (
        ChangeOrder(**common, by=BUYER, lines=changes),
        ChangeOrder(**common, by=BUYER, lines=changes, restates=True),
        ChangeOrder(**common, by=BUYER, lines=(one,) * many),
        AcknowledgeOrder(**common, by=SELLER, verdict=Verdict.LINES, lines=answers),
    ):
        decide((order,), command)
    assert monotonic() - begun < 15
