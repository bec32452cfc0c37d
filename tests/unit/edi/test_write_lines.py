"""855, 860 and 865 as exact texts, and the rules their lines share."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from edi import write_855, write_860, write_865
from edi.documents import (
    AcknowledgedLine,
    ChangedLine,
    ChangeQuantities,
    Component,
    LineAcknowledgment,
    Party,
    ProductId,
    ScheduledQuantity,
    StoreQuantity,
)
from edi.set_body import UnwritableError
from tests.unit.edi.outgoing import ACKNOWLEDGMENTS, ANSWERS, AT, CHANGES, NUMBERS, acknowledged, route

WHOLE = CHANGES["whole order"]


def body(write: Callable[..., bytes], document: Any, version: str = "004010") -> list[str]:
    """BCH, BCA or BAK to CTT."""
    return write(document, route(version), numbers=NUMBERS, at=AT).decode("latin-1").split("~")[3:-4]


def changed(version: str = "004010", **said: Any) -> list[str]:
    """The segments of one POC loop, and the CTT."""
    line = ChangedLine(**{"number": "1", "change": "CA", **said})
    return body(write_860.write, replace(WHOLE, lines=(line,)), version)[1:]


def test_an_860_in_its_interchange() -> None:
    written = write_860.write(CHANGES["part of two lines"], route("004010VICS", "T"), numbers=NUMBERS, at=AT)
    assert written.decode("latin-1") == (
        "ISA*00*          *00*          *ZZ*HUB            *01*BUYER          "
        "*260302*1405*U*00401*000000007*0*T*>~"
        "GS*PC*HUBGS*BUYERGS*20260302*1405*8*X*004010VICS~ST*860*0009~"
        "BCH*04*SA*4500012*001*2*20260220***SO-77**20260302~"
        "N1*BY*A BUYER*92*0042~N1*SE*A SELLER~"
        "POC*1*QD*60*20*EA*12.5**UP*012345678905*VN*W-1~POC*0002*DI******IN*59123~"
        "CTT*2*60~SE*8*0009~GE*1*8~IEA*1*000000007~"
    )


def test_an_860_in_005010() -> None:
    written = write_860.write(WHOLE, route("005010"), numbers=NUMBERS, at=AT).decode("latin-1")
    assert "*260302*1405*^*00501*000000007*0*P*>~GS*PC*" in written
    assert "*X*005010~ST*860*0009~BCH*01*SA*4500012***20260220*****20260302~CTT*0*0~SE*4*0009~" in written


def test_everything_an_860_can_say() -> None:
    assert body(write_860.write, CHANGES["everything"]) == [
        "BCH*04*DS*0000000000000004500012***20260220",
        "REF*DP*0913",
        "REF*IA*123456",
        "DTM*001*20260401",
        "DTM*010*20260320",
        "N1*BY*A BUYER*92*0042",
        "N1*SE*A SELLER",
        "POC*1*QD*60*20*EA*12.5**UP*012345678905*VN*W-1",
        "POC*0002*DI******IN*59123",
        "POC*3*CA*12*12*CA*0.333**UP*012345678905*VN*W-1",
        "PID*F****A BLUE WIDGET A BLUE WIDGET A BLUE WIDGET A BLUE WIDGET A BLUE WIDGET A BLUE",
        "PID*F****WIDGET A BLUE WIDGET A BLUE WIDGET A BLUE WIDGET A BLUE WIDGET AND NO MORE",
        "PO4*6*************2",
        "SDQ*EA**0001*1*0002*1*0003*1*0004*1*0005*1*0006*1*0007*1*0008*1*0009*1*0010*1",
        "SDQ*EA**0011*1*0012*1",
        "SCH*12*CA***002*20260401",
        "SLN*1**I*0.5*EA****UP*012345678905",
        "SLN*2**O",
        "CTT*3*72",
    ]


def test_an_865() -> None:
    assert body(write_865.write, ANSWERS["part refused"]) == [
        "BCA*11*AC*4500012*001*2*20260220***SO-77*20260302",
        "N1*BY*A BUYER*92*0042",
        "N1*SE*A SELLER",
        "POC*1*DI*0*0*EA***UP*012345678905*VN*W-1",
        "ACK*ID*60*EA",
        "POC*2*RC*100*60*EA",
        "ACK*IR*50*EA",
        "CTT*2*100",
    ]
    assert body(write_865.write, ANSWERS["no to all"]) == [
        "BCA*11*RJ*4500012**2*20260220****20260302*20260302",
        "CTT*0*0",
    ]


def test_an_865_puts_acks_where_the_standard_does() -> None:
    line = replace(CHANGES["everything"].lines[2], acknowledgments=(acknowledged("IA", 12, "CA"),))
    lines = body(write_865.write, replace(ANSWERS["part refused"], parties=(), lines=(line,)))
    tags = [one.partition("*")[0] for one in lines]
    assert tags == ["BCA", "POC", "PID", "PID", "PO4", "SDQ", "SDQ", "ACK", "SCH", "SLN", "SLN", "CTT"]


def test_an_855() -> None:
    assert body(write_855.write, ACKNOWLEDGMENTS["split lines"]) == [
        "BAK*00*AC*4500012*20260220*001***SO-77*20260302",
        "N1*BY*A BUYER*92*0042",
        "N1*SE*A SELLER",
        "PO1*1*90*EA*9.95**UP*012345678905*VN*W-1",
        "PO4*6",
        "ACK*IA*88*EA*067*20260401**UP*012345678905*VN*W-1",
        "ACK*IB*1*EA",
        "ACK*IR*1*EA",
        "PO1******VN*W-1",
        "ACK*ID",
        "CTT*2*90",
    ]


@pytest.mark.parametrize(
    ("write", "document", "first"),
    [
        (write_860.write, CHANGES["whole order"], "BCH*01*SA*4500012***20260302*****20260302"),
        (write_865.write, ANSWERS["yes to all"], "BCA*11*AT*4500012***20260302****20260302"),
        (write_855.write, ACKNOWLEDGMENTS["whole order refused"], "BAK*00*RJ*4500012*20260302*****20260302"),
    ],
)
def test_without_an_order_date_it_is_that_of_writing(
    write: Callable[..., bytes], document: Any, first: str
) -> None:
    assert body(write, replace(document, ordered_on=None))[0] == first


@pytest.mark.parametrize(
    ("write", "document"),
    [
        (write_860.write, CHANGES["whole order"]),
        (write_865.write, ANSWERS["yes to all"]),
        (write_855.write, ACKNOWLEDGMENTS["whole order refused"]),
    ],
)
def test_an_order_number_is_never_cut(write: Callable[..., bytes], document: Any) -> None:
    """Twenty-two characters of it may be another order's whole number."""
    with pytest.raises(UnwritableError, match=r"Purchase Order Number.* is longer than 22"):
        body(write, replace(document, po_number="4500012-" * 3))


PARTIES = [
    (Party(entity="ST", name="A STORE", qualifier="92", id="42"), ["N1*ST*A STORE*92*42"]),
    (Party(entity="ST", name="A STORE"), ["N1*ST*A STORE"]),
    (Party(entity="ST", qualifier="92", id="42"), ["N1*ST**92*42"]),
    (Party(entity="ST", id="42"), ["N1*ST**ZZ*42"]),
    (Party(entity="ST", qualifier="92"), []),
    (Party(entity="ST", qualifier="92", id="7"), ["N1*ST*7"]),
    (Party(entity="ST", name="A STORE", qualifier="92", id="7"), ["N1*ST*A STORE"]),
    (Party(entity="ST", name="*~", id="\x00"), []),
    (Party(entity="ST", name="x" * 70), [f"N1*ST*{'x' * 60}"]),
]


@pytest.mark.parametrize(("party", "expected"), PARTIES)
def test_parties(party: Party, expected: list[str]) -> None:
    assert body(write_860.write, replace(WHOLE, parties=(party,)))[1:-1] == expected


def test_references_without_a_value_are_left_out() -> None:
    references = (("DP", ""), ("DP", "~"), ("IA", "1"))
    assert body(write_860.write, replace(WHOLE, references=references))[1:-1] == ["REF*IA*1"]


IDS = tuple(ProductId("VP", f"A-{number}") for number in range(26))


def pairs(ids: tuple[ProductId, ...]) -> str:
    return "".join(f"*VP*{one.id}" for one in ids)


LINES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["POC*1*CA", "CTT*1*0"]),
    ({"quantity": Decimal(5)}, ["POC*1*CA*5**ZZ", "CTT*1*5"]),
    ({"unit": "EA"}, ["POC*1*CA***EA", "CTT*1*0"]),
    ({"left_to_receive": Decimal("123456789")}, ["POC*1*CA**123456789", "CTT*1*0"]),
    ({"left_to_receive": Decimal("1234567890")}, ["POC*1*CA", "CTT*1*0"]),
    ({"quantity": Decimal("12345678901"), "unit": "EA"}, ["POC*1*CA*12345678901**EA", "CTT*1"]),
    ({"ids": (ProductId("VN", ""), ProductId("UP", "1"))}, ["POC*1*CA******UP*1", "CTT*1*0"]),
    ({"ids": IDS},
     [f"POC*1*CA*****{pairs(IDS[:10])}", f"LIN*{pairs(IDS[10:25])}", f"LIN*{pairs(IDS[25:])}", "CTT*1*0"]),
    ({"stores": (StoreQuantity("0001", Decimal(1), "EA"), StoreQuantity("0002", Decimal(2), "CA"),
                 StoreQuantity("0003", Decimal(3)))},
     ["POC*1*CA", "SDQ*EA**0001*1", "SDQ*CA**0002*2", "SDQ*ZZ**0003*3", "CTT*1*0"]),
    ({"unit": "KG", "stores": (StoreQuantity("1", Decimal(3)),)},
     ["POC*1*CA***KG", "SDQ*KG**1 *3", "CTT*1*0"]),
    ({"schedule": (ScheduledQuantity(quantity=Decimal(1), date_qualifier="002", on=date(2026, 4, 1)),)},
     ["POC*1*CA", "SCH*1*ZZ***002*20260401", "CTT*1*0"]),
    ({"components": (Component(number="1", relationship="I", quantity=Decimal(2)),)},
     ["POC*1*CA", "SLN*1**I*2*ZZ", "CTT*1*0"]),
    ({"components": (Component(number="1", relationship="I", unit="EA"),)},
     ["POC*1*CA", "SLN*1**I", "CTT*1*0"]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "expected"), LINES)
def test_lines(said: dict[str, Any], expected: list[str]) -> None:
    assert changed(**said) == expected


def test_quantities_of_later_releases_are_a_composite() -> None:
    quantities = ChangeQuantities(original=Decimal(100), decrease=Decimal(40), revised=Decimal(60))
    said = {"change": "QC", "quantity": Decimal(100), "quantities": quantities, "unit": "EA"}
    assert changed("005010", **said)[0] == "POC*1*QC*100*100>>40>60*EA"


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (LineAcknowledgment(status="IA"), "ACK*IA"),
        (LineAcknowledgment(status="IA", unit="EA"), "ACK*IA"),
        (LineAcknowledgment(status="IA", quantity=Decimal(1)), "ACK*IA*1*CA"),
        (LineAcknowledgment(status="IA", date_qualifier="067"), "ACK*IA"),
        (LineAcknowledgment(status="IA", on=date(2026, 4, 1)), "ACK*IA****20260401"),
    ],
)
def test_acks(one: LineAcknowledgment, expected: str) -> None:
    line = AcknowledgedLine(number="1", unit="CA", acknowledgments=(one,))
    lines = body(write_855.write, replace(ACKNOWLEDGMENTS["whole order refused"], lines=(line,)))
    assert lines[1:] == ["PO1*1", expected, "CTT*1*0"]


def test_acks_of_sublines_cannot_be_written() -> None:
    line = AcknowledgedLine(number="7", component_acknowledgments=(acknowledged("IA", 1),))
    with pytest.raises(UnwritableError, match='line "7" has ACKs of sublines'):
        body(write_855.write, replace(ACKNOWLEDGMENTS["whole order refused"], lines=(line,)))


def test_a_schedule_without_a_date_cannot_be_written() -> None:
    with pytest.raises(UnwritableError, match="SCH05"):
        changed(schedule=(ScheduledQuantity(quantity=Decimal(1)),))
