"""850: everything a purchase order says reaches the document; what cannot be read yields none."""

from datetime import date
from decimal import Decimal

import pytest

from edi.documents import Component, Pack, Party, ProductId, PurchaseOrder, ScheduledQuantity, StoreQuantity
from edi.findings import Finding, FindingCode
from edi.limits import findings_per_set_max
from edi.read_850 import read
from tests.unit.edi.build import HOSTILE, ORDER, STAR, one_set

BEG = "BEG*00*SA*PO-0001**20260301"
F = FindingCode


def order(*segments: str) -> PurchaseOrder:
    document, findings = read(one_set("850", *segments))
    assert document is not None, findings
    return document


def findings(*segments: str) -> tuple[Finding, ...]:
    return read(one_set("850", *segments))[1]


def ids(text: str) -> tuple[ProductId, ...]:
    return tuple(ProductId(*pair.split(":")) for pair in text.split())


@pytest.mark.parametrize("delimiters", [STAR, *HOSTILE])
def test_a_plain_order_whatever_its_delimiters(delimiters: object) -> None:
    document, found = read(one_set("850", *ORDER, delimiters=delimiters))  # type: ignore[arg-type]
    assert found == ()
    assert document is not None
    assert (document.purpose, document.order_type, document.po_number) == ("00", "SA", "PO-0001")
    assert document.references == (("DP", "42"),)
    assert document.dates == (("002", date(2026, 4, 1)),)
    assert document.parties == (Party(entity="ST", name="A STORE", qualifier="92", id="0042"),)
    first, second = document.lines
    assert (first.number, first.quantity, first.unit, first.price) == (
        "1",
        Decimal(10),
        "EA",
        Decimal("5.25"),
    )
    assert first.ids == ids("UP:012345678905 VN:W-1")
    assert (first.description, first.position) == ("BLUE WIDGET", 6)
    assert (second.quantity, second.position) == (Decimal(4), 8)


def test_all_elements_of_beg() -> None:
    found = order("BEG*05*RL*  4500 *R-7*20260302*C-1*AC*X*Y*Z*1*02", "PO1**1*EA")
    assert (found.purpose, found.order_type, found.release) == ("05", "RL", "R-7")
    assert found.po_number == "  4500"  # only padding at the end is taken away
    assert (found.ordered_on, found.acknowledgment_wanted) == (date(2026, 3, 2), "AC")


def test_po_numbers_keep_zeros_and_case() -> None:
    assert order("BEG*00*SA*0004500a**20260301", "PO1*1").po_number == "0004500a"


def test_all_elements_of_po1() -> None:
    pairs = [f"Q{n}*ID{n}" for n in range(10)]
    (line,) = order(BEG, "PO1*0001*2.5*CA*.5*PE*" + "*".join(pairs)).lines
    assert (line.number, line.quantity, line.unit, line.price) == (
        "0001",
        Decimal("2.5"),
        "CA",
        Decimal("0.5"),
    )
    assert line.ids == tuple(ProductId(f"Q{n}", f"ID{n}") for n in range(10))


def test_a_line_without_number_or_quantity_says_so() -> None:
    (line,) = order(BEG, "PO1******UP*012345678905").lines
    assert (line.number, line.quantity, line.unit, line.price) == ("", None, "", None)
    assert order(BEG, "PO1").lines[0].ids == ()
    assert order(BEG, "PO1*1*0*EA").lines[0].quantity == Decimal(0)


def test_half_pairs_are_passed_over() -> None:
    assert order(BEG, "PO1*1*1*EA***UP**VN*A-1*SK").lines[0].ids == ids("VN:A-1")


def test_lin_adds_ids_once() -> None:
    (line,) = order(BEG, "PO1*1*1*EA***UP*012345678905", "LIN**UP*012345678905*IN*7").lines
    assert line.ids == ids("UP:012345678905 IN:7")


def test_sdq_of_ten_stores_and_another() -> None:
    stores = "*".join(f"{n:04}*{n}" for n in range(1, 11))
    (line,) = order(BEG, "PO1*1*56*EA", f"SDQ*EA*92*{stores}", "SDQ*CA*92*0011*1").lines
    assert [one.location for one in line.stores] == [f"{n:04}" for n in range(1, 12)]
    assert [one.quantity for one in line.stores] == [*range(1, 11), 1]
    assert line.stores[0] == StoreQuantity(location="0001", quantity=Decimal(1), unit="EA")
    assert line.stores[10].unit == "CA"


def test_sdq23_is_no_store() -> None:
    stores = "*".join(f"{n:04}*1" for n in range(10))
    assert len(order(BEG, "PO1*1*10*EA", f"SDQ*EA*92*{stores}*AISLE").lines[0].stores) == 10


@pytest.mark.parametrize(
    ("sdq", "element"), [("SDQ*EA*92*0001", "4"), ("SDQ*EA*92**5", "3"), ("SDQ*EA*92*0001*1*2", "6")]
)
def test_half_a_store_is_named(sdq: str, element: str) -> None:
    (finding,) = findings(BEG, "PO1*1*10*EA", sdq)
    assert (finding.code, finding.element, finding.position) == (F.ELEMENT_CONDITION, element, 4)


def test_sch_and_its_date() -> None:
    (line,) = order(BEG, "PO1*1*10*EA", "SCH*4*EA***002*20260401", "SCH*6*EA").lines
    assert line.schedule == (
        ScheduledQuantity(quantity=Decimal(4), unit="EA", date_qualifier="002", on=date(2026, 4, 1)),
        ScheduledQuantity(quantity=Decimal(6), unit="EA"),
    )
    assert [one.code for one in findings(BEG, "PO1*1*10*EA", "SCH**EA")] == [F.ELEMENT_MISSING]


def test_sln_with_a_composite_unit_and_its_own_details() -> None:
    (line,) = order(
        BEG,
        "PO1*1*2*PK",
        "PO4*6",
        "PID*F****PREPACK",
        "SLN*1*A*I*3*EA>1>2*1.5**1*UP*012345678905*IZ*XL",
        "PID*F****SHIRT XL",
        "PO4*99",
        "SLN*2**O",
    ).lines
    assert line.components == (
        Component(
            number="1", relationship="I", quantity=Decimal(3), unit="EA", ids=ids("UP:012345678905 IZ:XL")
        ),
        Component(number="2", relationship="O"),
    )
    assert (line.quantity, line.description, line.pack) == (Decimal(2), "PREPACK", Pack(units=6))


def test_po4_and_descriptions() -> None:
    (line,) = order(BEG, "PO1*1*2*CA", "PID*F****ONE", "PID*F*08***TWO", "PO4*12*1*EA***********3").lines
    assert (line.pack, line.description) == (Pack(units=12, inner=3), "ONE TWO")


def test_what_loops_say_is_not_the_headings() -> None:
    found = order(
        BEG,
        "REF*DP*1",
        "N9*L1*A",
        "REF*ZZ*OF N9",
        "DTM*007*20260305",
        "MSG*TEXT",
        "N1*ST*STORE*92*1",
        "REF*ZZ*OF N1",
        "N1*BY*BUYER",
        "PO1*1*1*EA",
        "REF*ZZ*OF LINE",
        "N1*ST*OF LINE",
        "DTM*002*20260401",
    )
    assert found.references == (("DP", "1"),)
    assert found.dates == ()
    assert [one.entity for one in found.parties] == ["ST", "BY"]


def test_spi_parties_are_not_the_orders() -> None:
    assert order(BEG, "N1*ST*STORE", "SPI*SP", "N1*BY*CLERK", "PO1*1").parties == (
        Party(entity="ST", name="STORE"),
    )


UNREADABLE = [
    ((), F.SEGMENT_MISSING, "BEG", 2, ""),
    (("BEG**SA*1**20260301",), F.ELEMENT_MISSING, "BEG", 2, "1"),
    (("BEG*00**1**20260301",), F.ELEMENT_MISSING, "BEG", 2, "2"),
    (("BEG*00*SA***20260301",), F.ELEMENT_MISSING, "BEG", 2, "3"),
    (("BEG*00*SA*   **20260301",), F.ELEMENT_MISSING, "BEG", 2, "3"),
    (("BEG*00*SA*1**20260230",), F.DATE_INVALID, "BEG", 2, "5"),
    ((BEG, BEG), F.SEGMENT_OVER_MAX, "BEG", 3, ""),
    ((BEG, "DTM*002*2604"), F.DATE_INVALID, "DTM", 3, "2"),
    ((BEG, "PO1*1*TEN*EA"), F.ELEMENT_CHARACTER, "PO1", 3, "2"),
    ((BEG, "PO1*1*+1*EA"), F.ELEMENT_CHARACTER, "PO1", 3, "2"),
    ((BEG, "PO1*1*1e3*EA"), F.ELEMENT_CHARACTER, "PO1", 3, "2"),
    ((BEG, "PO1*1*" + "9" * 30), F.ELEMENT_LONG, "PO1", 3, "2"),
    ((BEG, "PO1*1*1*EA*$5"), F.ELEMENT_CHARACTER, "PO1", 3, "4"),
    ((BEG, "PO1*1*1*EA", "PO4*1.5"), F.ELEMENT_CHARACTER, "PO4", 4, "1"),
    ((BEG, "PO1*1*1*EA", "SLN*1**I*X"), F.ELEMENT_CHARACTER, "SLN", 4, "4"),
    ((BEG, "PO1*1*1*EA", "SDQ*EA*92*1*X"), F.ELEMENT_CHARACTER, "SDQ", 4, "4"),
    ((BEG, "PO1*1*1*EA", "CTT*2"), F.COUNT_WRONG, "CTT", 4, "1"),
    ((BEG, "CTT*1"), F.COUNT_WRONG, "CTT", 3, "1"),
]


@pytest.mark.parametrize(("segments", "code", "tag", "position", "element"), UNREADABLE)
def test_what_cannot_be_read_yields_no_document(
    segments: tuple[str, ...], code: FindingCode, tag: str, position: int, element: str
) -> None:
    document, found = read(one_set("850", *segments))
    assert document is None
    (finding,) = found
    assert (finding.code, finding.segment, finding.position, finding.element) == (
        code,
        tag,
        position,
        element,
    )
    assert finding.set == "0001"


@pytest.mark.parametrize("ctt", ["CTT*2", "CTT*02*14", "CTT*2*14.0", "CTT", "CTT*2*14*5*LB"])
def test_totals_that_agree_are_silent(ctt: str) -> None:
    assert findings(BEG, "PO1*1*10*EA", "PO1*2*4*EA", ctt) == ()


def test_a_wrong_hash_total_is_a_warning_and_the_order_stands() -> None:
    document, (finding,) = read(one_set("850", BEG, "PO1*1*10*EA", "CTT*1*11"))
    assert document is not None
    assert (finding.code, finding.is_error) == (F.HASH_TOTAL, False)
    assert finding.message == "CTT02 says 11, the quantities add up to 10"


def test_findings_are_bounded_and_an_error_among_many_warnings_is_not_lost() -> None:
    warnings = ["CTT**1"] * (findings_per_set_max + 5)
    document, found = read(one_set("850", BEG, *warnings, "PO1*1*TEN*EA"))
    assert document is None
    assert len(found) == findings_per_set_max
    assert found[-1].code is F.ELEMENT_CHARACTER
    assert len(findings(BEG, *["PO1*1*TEN"] * 500)) == findings_per_set_max


def test_what_follows_ctt_changes_no_line() -> None:
    found = order(BEG, "PO1*1*10*EA", "CTT*1", "AMT*TT*100", "PID*F****LATE")
    assert found.lines[0].description == ""
