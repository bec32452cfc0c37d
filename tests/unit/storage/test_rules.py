"""The rule file itself: complete, documented, and unable to break an order whatever it is told."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    CancelLines,
    CancelOrder,
    Command,
    LineAnswer,
    LineCancellation,
    LineReference,
    PartShipped,
    PlaceOrder,
    RecordShipment,
    ShippedLine,
    Verdict,
)
from storage.evolve import evolve
from storage.orders import LineState, OrderKey, OrderState, OrderStatus, status_of
from storage.outcomes import Outcome
from storage.rules import TABLE, Decision, Refusal, decide
from tests.unit.storage.build import AT, BUYER, SELLER, locator, place, source

DOCUMENTATION = (Path(__file__).parents[3] / "docs" / "refusals.md").read_text(encoding="utf-8")
COMMANDS = (PlaceOrder, CancelOrder, CancelLines, AcknowledgeOrder, RecordShipment)
UNITS_MAX = 12  # small, so that quantities often meet


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


def _units(low: int = 0) -> st.SearchStrategy[Decimal]:
    return st.integers(low, UNITS_MAX + 2).map(Decimal)


@st.composite
def lines(draw: st.DrawFn, number: int) -> LineState:
    """A line with any counters that may be."""
    ordered = draw(st.integers(1, UNITS_MAX))
    fulfilled = draw(st.integers(0, ordered))
    cancelled = draw(st.integers(0, ordered - fulfilled))
    declined = draw(st.integers(0, cancelled))
    return LineState(
        id=number,
        line=str(number),
        assigned=True,
        ids=(),
        unit="EA",
        ordered=Decimal(ordered),
        fulfilled=Decimal(fulfilled),
        cancelled=Decimal(cancelled),
        declined=Decimal(declined),
        pack_unit="CA",
        pack_size=Decimal(3),
    )


@st.composite
def orders(draw: st.DrawFn) -> OrderState:
    key = OrderKey(buyer=BUYER, seller=SELLER, po_number="4500012")
    both = draw(lines(1)), draw(lines(2))
    return OrderState(
        id=1, key=key, lines=both[: draw(st.integers(1, 2))], whole_cancelled=draw(st.booleans())
    )


REFERENCES = st.sampled_from([LineReference(number=number) for number in ("1", "2", "001", "3")])
UNIT_NAMES = st.sampled_from(["", "EA", "CA", "BX"])
QUANTITIES = st.one_of(_units(), st.sampled_from([Decimal(text) for text in ("-1", "0.5", "1E+30", "NaN")]))
ANSWERS = st.builds(
    LineAnswer, answer=st.sampled_from(Answer), quantity=st.one_of(st.none(), QUANTITIES), unit=UNIT_NAMES
)
RESOLUTIONS = st.sampled_from(["", "cancel", "cancel-rest", "ignore", "cancel,ignore"])
ACKNOWLEDGMENTS = st.builds(
    AcknowledgeOrder,
    order=st.just(locator()),
    by=st.just(SELLER),
    at=st.just(AT),
    source=st.just(source("855")),
    resolution=RESOLUTIONS,
    verdict=st.sampled_from(Verdict),
    lines=st.lists(
        st.builds(AcknowledgedLine, line=REFERENCES, answers=st.lists(ANSWERS, max_size=3).map(tuple)),
        max_size=3,
    ).map(tuple),
)
PARTIES = st.sampled_from([BUYER, SELLER, "stranger"])
CANCELLATIONS = st.builds(
    CancelOrder,
    order=st.just(locator()),
    by=PARTIES,
    at=st.just(AT),
    source=st.just(source("860")),
    part_shipped=st.sampled_from(PartShipped),
)
CUTS = st.builds(
    CancelLines,
    order=st.just(locator()),
    by=PARTIES,
    at=st.just(AT),
    source=st.just(source("860")),
    lines=st.lists(
        st.builds(
            LineCancellation, line=REFERENCES, quantity=st.one_of(st.none(), QUANTITIES), unit=UNIT_NAMES
        ),
        max_size=3,
    ).map(tuple),
)
SHIPMENTS = st.builds(
    RecordShipment,
    order=st.just(locator()),
    by=PARTIES,
    at=st.just(AT),
    source=st.just(source("856")),
    shipment_id=st.just("S1"),
    lines=st.lists(
        st.builds(ShippedLine, line=REFERENCES, quantity=QUANTITIES, unit=UNIT_NAMES), max_size=3
    ).map(tuple),
)
PLACEMENTS = st.builds(place, st.just("5"), repeat=st.booleans())
ANY: st.SearchStrategy[Command] = st.one_of(ACKNOWLEDGMENTS, CANCELLATIONS, CUTS, SHIPMENTS, PLACEMENTS)


def evolved(order: OrderState, decision: Decision) -> OrderState:
    for fact in decision.facts:
        order = evolve(order, fact)
    return order


def check_line(before: LineState, after: LineState) -> None:
    assert Decimal(0) <= after.declined <= after.cancelled
    assert after.fulfilled + after.cancelled <= after.ordered
    assert after.ordered == before.ordered
    assert after.fulfilled >= before.fulfilled
    assert after.cancelled >= before.cancelled
    assert after.declined >= before.declined


@given(orders(), ANY)
@settings(max_examples=1500, deadline=None)
def test_no_decision_breaks_an_order(order: OrderState, command: Command) -> None:
    decision = decide((order,), command)
    if decision.outcome is not Outcome.APPLIED:
        assert decision.facts == ()
    after = evolved(order, decision)
    assert len(after.lines) == len(order.lines)
    for line_before, line_after in zip(order.lines, after.lines, strict=True):
        check_line(line_before, line_after)
    if decision.outcome is Outcome.HELD:
        assert decision.question is not None
        assert decision.question.choices
    if decision.outcome is Outcome.REFUSED:
        numbers = [refused.refusal.number for refused in decision.refusals]
        assert numbers
        assert numbers == sorted(numbers)


@given(ANY)
@settings(max_examples=200, deadline=None)
def test_without_an_order_only_an_order_changes_anything(command: Command) -> None:
    decision = decide((), command)
    assert bool(decision.facts) == (decision.outcome is Outcome.APPLIED) == isinstance(command, PlaceOrder)


@given(orders(), ACKNOWLEDGMENTS)
@settings(max_examples=1500, deadline=None)
def test_the_same_answer_again_declines_nothing(order: OrderState, answer: AcknowledgeOrder) -> None:
    once = evolved(order, decide((order,), answer))
    assert evolved(once, decide((once,), answer)).lines == once.lines


@given(orders(), ACKNOWLEDGMENTS)
@settings(max_examples=700, deadline=None)
def test_every_choice_offered_leads_on(order: OrderState, answer: AcknowledgeOrder) -> None:
    """A person's answer is never met with the same question."""
    asked = decide((order,), replace(answer, resolution=""))
    if asked.question is None:
        return
    for choice in asked.question.choices:
        answered = decide((order,), replace(answer, resolution=choice.name))
        assert answered.question is None or answered.question.statement != asked.question.statement


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
