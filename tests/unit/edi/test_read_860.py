"""860: every form in which buyers cancel or change, POC03 and POC04 as sent."""

from datetime import date
from decimal import Decimal

import pytest

from edi.documents import (
    ChangedLine,
    ChangeQuantities,
    Component,
    Pack,
    Party,
    ProductId,
    PurchaseOrderChange,
    ScheduledQuantity,
    StoreQuantity,
)
from edi.findings import FindingCode
from edi.read_860 import read
from tests.unit.edi.build import HOSTILE, STAR, one_set

BCH = "BCH*04*SA*PO-0001***20260301"
LINE = "POC*1*QD*60*20*EA*12.50**VP*W-1"
F = FindingCode


def change(*segments: str) -> PurchaseOrderChange:
    document, findings = read(one_set("860", *segments))
    assert document is not None, findings
    return document


def only_line(*segments: str) -> ChangedLine:
    (line,) = change(BCH, *segments).lines
    return line


@pytest.mark.parametrize("delimiters", [STAR, *HOSTILE])
def test_all_of_a_change_whatever_the_delimiters(delimiters: object) -> None:
    segments = (
        "BCH*04*RL*PO-0001*R-7*3*20260301*REQ*C-1*S-77*20260302*20260303", "REF*DP*42", "DTM*002*20260401",
        "N9*L1*A", "REF*DP*OF THE NOTE", "N1*ST*A STORE*92*0042", "REF*XX*OF THE STORE",
        "POC*7*PQ*60*20*CA>1*12.50**VP*W-1*UP*614141007349", "PID*F****BLUE", "PID*F****WIDGET",
        "PO4*6*************2", "SDQ*CA*92*0001*40*0002*20", "SCH*60*CA***002*20260401",
        "SLN*1**I*2*EA****VP*PART", "PID*F****OF THE PART", "CTT*1*60",
    )  # fmt: skip
    document, found = read(one_set("860", *segments, delimiters=delimiters))  # type: ignore[arg-type]
    assert found == ()
    line = ChangedLine(
        number="7",
        change="PQ",
        quantity=Decimal(60),
        left_to_receive=Decimal(20),
        unit="CA",
        price=Decimal("12.50"),
        ids=(ProductId("VP", "W-1"), ProductId("UP", "614141007349")),
        description="BLUE WIDGET",
        pack=Pack(units=6, inner=2),
        stores=(StoreQuantity("0001", Decimal(40), "CA"), StoreQuantity("0002", Decimal(20), "CA")),
        schedule=(
            ScheduledQuantity(quantity=Decimal(60), unit="CA", date_qualifier="002", on=date(2026, 4, 1)),
        ),
        components=(
            Component(
                number="1", relationship="I", quantity=Decimal(2), unit="EA", ids=(ProductId("VP", "PART"),)
            ),
        ),
        position=9,
    )
    assert document == PurchaseOrderChange(
        purpose="04",
        order_type="RL",
        po_number="PO-0001",
        release="R-7",
        change_number="3",
        ordered_on=date(2026, 3, 1),
        seller_order_number="S-77",
        changed_on=date(2026, 3, 3),
        parties=(Party(entity="ST", name="A STORE", qualifier="92", id="0042"),),
        references=(("DP", "42"),),
        dates=(("002", date(2026, 4, 1)),),
        lines=(line,),
    )


def test_a_cancellation_without_a_line_is_whole() -> None:
    """The commonest form of all: the heading says it, and CTT counts nothing."""
    found = change("BCH*01*SA*10000435948-0553***20260324**D***20260325", "CTT*0*0")
    assert (found.purpose, found.po_number, found.lines) == ("01", "10000435948-0553", ())
    assert (found.ordered_on, found.changed_on) == (date(2026, 3, 24), date(2026, 3, 25))


FORMS = [
    # the line is deleted: with what was ordered, with nothing, with ids only
    ("POC*1*DI*10*0*EA*0.36**VP*A-1", ("1", "DI", 10, 0, "EA"), ("A-1",)),
    ("POC*0001*DI******PL*1", ("0001", "DI", None, None, ""), ("1",)),
    ("POC*1*DI******IN*59123*VN*018100775285", ("1", "DI", None, None, ""), ("59123", "018100775285")),
    # the whole order, said at a line
    ("POC**CF", ("", "CF", None, None, ""), ()),
    # a lower quantity: the new total with and without what is left, by what it falls, old and new
    ("POC*1*QD*60**EA*12.50**VP*W-1", ("1", "QD", 60, None, "EA"), ("W-1",)),
    ("POC*1*QD*60*20*EA", ("1", "QD", 60, 20, "EA"), ()),
    ("POC*1*QD*40**EA", ("1", "QD", 40, None, "EA"), ()),
    ("POC*1*QD*100*60*EA", ("1", "QD", 100, 60, "EA"), ()),
    # other codes that may lower it
    ("POC*1*CA*60*60*EA", ("1", "CA", 60, 60, "EA"), ()),
    ("POC*1*RZ*0*0*EA", ("1", "RZ", 0, 0, "EA"), ()),
    ("POC*1*MU*60.0**EA", ("1", "MU", 60, None, "EA"), ()),
    # none that touches the quantity, and a code of no list
    ("POC*1*RS*1000*1000*EA", ("1", "RS", 1000, 1000, "EA"), ()),
    ("POC*1*RD*5**EA", ("1", "RD", 5, None, "EA"), ()),
]


@pytest.mark.parametrize(("segment", "said", "ids"), FORMS)
def test_every_form_of_a_change_is_kept_as_sent(
    segment: str, said: tuple[object, ...], ids: tuple[str, ...]
) -> None:
    line = only_line(segment)
    assert (line.number, line.change, line.quantity, line.left_to_receive, line.unit) == said
    assert line.quantities is None
    assert tuple(one.id for one in line.ids) == ids


COMPOSITES = [
    ("POC*1*QC*100*100>>40*EA", (100, None, 40, None, None, None)),
    ("POC*1*QC*100*>>40*EA", (None, None, 40, None, None, None)),
    ("POC*1*QC*100*100>20>>120>5>115*EA", (100, 20, None, 120, 5, 115)),
    ("POC*1*CA*100*100>>>60*EA", (100, None, None, 60, None, None)),
    # QC always has the composite, even when one component is all there is of it
    ("POC*1*QC*100*60*EA", (60, None, None, None, None, None)),
]


@pytest.mark.parametrize(("segment", "amounts"), COMPOSITES)
def test_the_composite_by_its_components(segment: str, amounts: tuple[int | None, ...]) -> None:
    line = only_line(segment)
    found = line.quantities
    assert found is not None
    assert (
        found.original, found.increase, found.decrease, found.revised, found.received, found.left
    ) == amounts  # fmt: skip
    assert line.quantity == 100
    assert line.left_to_receive is None


@pytest.mark.parametrize("poc04", ["", ">>", ">>>>>"])
def test_a_composite_of_nothing_is_none(poc04: str) -> None:
    line = only_line(f"POC*1*QC*100*{poc04}*EA")
    assert (line.quantities, line.left_to_receive) == (None, None)


def test_the_component_separator_is_the_interchanges_own() -> None:
    (delimiters,) = [one for one in HOSTILE if one.component == "{"]
    document, found = read(one_set("860", BCH, "POC*1*QC*100*100>>40*EA", delimiters=delimiters))
    assert found == ()
    assert document is not None
    assert document.lines[0].quantities == ChangeQuantities(original=Decimal(100), decrease=Decimal(40))


def test_lines_in_their_order_and_several_on_one_number() -> None:
    found = change(BCH, LINE, "LIN**UP*614141007349", "POC*1*QI*70**EA", "POC*2*DI", "CTT*3*130")
    assert [(line.number, line.change, line.position) for line in found.lines] == [
        ("1", "QD", 3),
        ("1", "QI", 5),
        ("2", "DI", 6),
    ]
    assert found.lines[0].ids == (ProductId("VP", "W-1"), ProductId("UP", "614141007349"))


def test_the_parties_and_quantities_inside_a_line_are_not_the_orders() -> None:
    found = change(
        BCH, "N1*BY*CHAIN", LINE, "N1*ST*STORE", "SCH*5*EA***002*20260401", "REF*DP*9", "CTT*1", "N1*SE*LATE"
    )
    assert [one.entity for one in found.parties] == ["BY"]
    assert (found.lines[0].schedule, found.references) == ((), ())


UNREADABLE = [
    ((), F.SEGMENT_MISSING, "BCH", 2, ""),
    (("BCH**SA*1***20260301",), F.ELEMENT_MISSING, "BCH", 2, "1"),
    (("BCH*01**1***20260301",), F.ELEMENT_MISSING, "BCH", 2, "2"),
    (("BCH*01*SA****20260301",), F.ELEMENT_MISSING, "BCH", 2, "3"),
    (("BCH*01*SA*1***20261301",), F.DATE_INVALID, "BCH", 2, "6"),
    (("BCH*01*SA*1***20260301*****20261301",), F.DATE_INVALID, "BCH", 2, "11"),
    ((BCH, BCH), F.SEGMENT_OVER_MAX, "BCH", 3, ""),
    ((BCH, "POC*1**60**EA"), F.ELEMENT_MISSING, "POC", 3, "2"),
    ((BCH, "POC*1*QD*1,000**EA"), F.ELEMENT_CHARACTER, "POC", 3, "3"),
    ((BCH, "POC*1*QD*60*4E1*EA"), F.ELEMENT_CHARACTER, "POC", 3, "4"),
    ((BCH, "POC*1*QC*100*100>>X*EA"), F.ELEMENT_CHARACTER, "POC", 3, "4-3"),
    ((BCH, "POC*1*QC*100*1>2>3>4>5>6>7*EA"), F.TOO_MANY_ELEMENTS, "POC", 3, "4-7"),
    ((BCH, "POC*1*PC*60**EA*FREE"), F.ELEMENT_CHARACTER, "POC", 3, "6"),
    ((BCH, LINE, "SDQ*EA*92*0001"), F.ELEMENT_CONDITION, "SDQ", 4, "4"),
    ((BCH, LINE, "CTT*2"), F.COUNT_WRONG, "CTT", 4, "1"),
    ((BCH, "CTT*1"), F.COUNT_WRONG, "CTT", 3, "1"),
]


@pytest.mark.parametrize(("segments", "code", "tag", "position", "element"), UNREADABLE)
def test_what_cannot_be_read_yields_no_document(
    segments: tuple[str, ...], code: FindingCode, tag: str, position: int, element: str
) -> None:
    document, found = read(one_set("860", *segments))
    assert document is None
    (finding,) = found
    assert (finding.code, finding.segment, finding.position, finding.element) == (
        code,
        tag,
        position,
        element,
    )


def test_a_wrong_hash_total_is_a_warning() -> None:
    document, (finding,) = read(one_set("860", BCH, LINE, "CTT*1*61"))
    assert document is not None
    assert (finding.code, finding.is_error, finding.value) == (F.HASH_TOTAL, False, "61")
