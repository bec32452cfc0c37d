"""Why units were cancelled, as people and systems read it: what a document gives as a reason, and no more.

A purpose (353) says what is done; a status that rejects, or the type of a change, says why (1.10 and 1.11).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.contents import text_of
from pipeline.reasons import reason_words
from storage import queries
from storage.events import LedgerEvent
from storage.outcomes import Outcome
from storage.states import Kind
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import ITEM, OTHER_ITEM, acknowledgment, cancellation, order

WHOLE = ["BCH*01*SA*PO-1***20260301*****20260302", "CTT*0*0"]
RESTATED = ["BEG*05*SA*PO-1**20260301", f"PO1*1*60*EA*1**{ITEM}", "CTT*1"]
REPLACED = ["BCH*05*SA*PO-1**1*20260301*****20260302", f"POC*1*RZ*60**EA*1**{ITEM}", "CTT*1*60"]


def cut(change: str) -> list[str]:
    """An 860 of one line."""
    return ["BCH*04*SA*PO-1**1*20260301*****20260302", f"POC*1*{change}**EA*1**{ITEM}", "CTT*1"]


def own_change(purpose: str, change: str, *acks: str) -> list[str]:
    """An 865 in which the seller changes a line by itself."""
    heading = f"BCA*{purpose}*AC*PO-1***20260301****20260306"
    return [heading, f"POC*1*{change}**EA*1**{ITEM}", *(f"ACK*{ack}" for ack in acks), "CTT*1"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = house_with(tmp_path, "")
    yield made
    made.database.close()


def last(house: House) -> LedgerEvent:
    """What happened to PO-1 last."""
    with house.database.reading() as tx:
        return queries.events_of(tx, queries.find_orders(tx, "PO-1")[0].id)[-1]


def reasons(house: House) -> tuple[str, str]:
    """The reason for the order and for its first line."""
    event = last(house)
    return reason_words(event.reason), reason_words(event.units[0].reason)


@pytest.mark.parametrize(
    ("kind", "document", "of_order", "of_line"),
    [
        ("850", cancellation("PO-1"), "", ""),
        ("850", RESTATED, "", ""),
        ("860", WHOLE, "", ""),
        ("860", cut("QD*60"), "", "quantity decreased [QD]"),
        ("860", cut("DI*"), "", "item deleted [DI]"),
        ("860", REPLACED, "", "all values replaced [RZ]"),
        ("865", own_change("00", "NC*100", "IR*100*EA"), "", "rejected [IR]"),
        ("865", own_change("04", "DI*100", "R4*100*EA"), "", "rejected: contract item not available [R4]"),
        ("865", own_change("04", "PC*100", "IA*0*EA", "IR*100*EA"), "", "rejected [IR]"),
        ("865", own_change("04", "QD*60", "IQ*60*EA"), "", "quantity decreased [QD]"),
        ("865", own_change("00", "NC*100", "IQ*60*EA"), "", "accepted: quantity changed [IQ]"),
        ("865", own_change("04", "DI*100"), "", "item deleted [DI]"),
        ("865", ["BCA*01*AC*PO-1***20260301****20260306", "CTT*0"], "", ""),
        ("865", own_change("04", "CF*"), "whole order cancelled [CF]", None),
        ("855", acknowledgment("PO-1", verdict="RJ"), "rejected [RJ]", None),
        ("855", acknowledgment("PO-1", "ACK*IR*100*EA"), "", "rejected [IR]"),
    ],
)
def test_the_reason_is_what_says_why(
    house: House, kind: str, document: list[str], of_order: str, of_line: str | None
) -> None:
    house.buyer(order("PO-1", 100))
    say = house.seller if kind in ("855", "865") else None
    report = say(kind, document) if say else house.say(kind, document, sender="acme", receiver="globex")
    assert report.outcome is Outcome.APPLIED
    assert reasons(house) == (of_order, of_order if of_line is None else of_line)
    (mail,) = house.messages(Kind.EMAIL)
    said = text_of(mail)
    given = of_order or of_line or ""
    assert f"Reason:       {given or 'Not given'}\n" in said
    assert said.count(f"{given}\n") == 1 or not given


def test_reasons_that_differ_stand_with_their_lines(house: House) -> None:
    house.buyer(order("PO-1", 100, 10))
    lines = (f"POC*1*QD*60**EA*1**{ITEM}", f"POC*2*DI*10**EA*1**{OTHER_ITEM}")
    document = ["BCH*04*SA*PO-1**1*20260301*****20260302", *lines, "CTT*2"]
    house.say("860", document, sender="acme", receiver="globex")
    (mail,) = house.messages(Kind.EMAIL)
    said = text_of(mail)
    assert "Reason:       Given with each line\n" in said
    assert "quantity decreased [QD]\n" in said
    assert "item deleted [DI]\n" in said
