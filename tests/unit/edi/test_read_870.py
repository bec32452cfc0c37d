"""870: what a status is about (an item or the order), and how many units it counts."""

from datetime import date
from decimal import Decimal

import pytest

from edi.documents import ItemStatus, OrderStatusReport, Party, ProductId, ReportedLine, ReportedOrder
from edi.findings import FindingCode
from edi.read_870 import read
from tests.unit.edi.build import HOSTILE, STAR, one_set

BSR = "BSR*3*PP*R-1*20260302"
ORDER = ("HL*1**O", "PRF*PO-0001")
LINE = "PO1*1*6*EA**IN*0042"
F = FindingCode


def report(*segments: str) -> OrderStatusReport:
    document, findings = read(one_set("870", *segments))
    assert document is not None, findings
    return document


def of_lines(*segments: str) -> list[tuple[str, list[tuple[str, Decimal | None]]]]:
    """What the lines of the only order say: number, and status with its quantity."""
    (order,) = report(BSR, *segments).orders
    return [(line.number, [(one.code, one.quantity) for one in line.statuses]) for line in order.lines]


@pytest.mark.parametrize("delimiters", [STAR, *HOSTILE])
def test_a_whole_report_whatever_the_delimiters(delimiters: object) -> None:
    segments = (
        BSR, "N1*SE*MILL*92*7", "HL*1**O", "PRF*PO-0001*R2", "N1*ST*STORE",
        "PO1*7*6*EA*2.50**IN*0042*UP*614141007349", "ISR*IC*20260301", "QTY*01*4*EA>1", "DTM*011*20260302",
        "CTT*1*6",
    )  # fmt: skip
    document, found = read(one_set("870", *segments, delimiters=delimiters))  # type: ignore[arg-type]
    assert found == ()
    status = ItemStatus(
        code="IC",
        on=date(2026, 3, 1),
        quantity=Decimal(4),
        quantity_qualifier="01",
        unit="EA",
        position=8,
    )
    line = ReportedLine(
        number="7",
        quantity=Decimal(6),
        unit="EA",
        ids=(ProductId("IN", "0042"), ProductId("UP", "614141007349")),
        statuses=(status,),
        position=7,
    )
    assert document == OrderStatusReport(
        report="3",
        items="PP",
        reference="R-1",
        reported_on=date(2026, 3, 2),
        parties=(Party(entity="SE", name="MILL", qualifier="92", id="7"),),
        orders=(ReportedOrder(po_number="PO-0001", release="R2", lines=(line,)),),
    )


def test_a_whole_order_is_deleted() -> None:
    (order,) = report(BSR, *ORDER, "ISR*DE").orders
    assert (order.po_number, order.lines) == ("PO-0001", ())
    assert order.statuses == (ItemStatus(code="DE", position=5),)


WHOSE = [
    # status under the PO1 at order level, as one retailer's suppliers send it
    ((*ORDER, LINE, "ISR*IC", "QTY*01*6*EA"), [("1", [("IC", 6)])]),
    # item levels, each with its PO1
    (
        (*ORDER, "HL*2*1*I", "PO1*1*6*EA", "ISR*IC", "QTY*01*2", "HL*3*1*I", "PO1*2*9*EA", "ISR*SH"),
        [("1", [("IC", 2)]), ("2", [("SH", None)])],
    ),
    # the item level's own status, before its only PO1
    ((*ORDER, "HL*2*1*I", "ISR*IC", "QTY*01*6", LINE), [("1", [("IC", 6)])]),
    ((*ORDER, "HL*2*1*I", "ISR*BO", LINE, "ISR*IC"), [("1", [("BO", None), ("IC", None)])]),
    # several statuses of one item, each with its quantity
    (
        (*ORDER, LINE, "ISR*SH", "QTY*39*4", "ISR*IC", "PID*F****GONE", "QTY*01*2"),
        [("1", [("SH", 4), ("IC", 2)])],
    ),
    # an item nothing is said about
    ((*ORDER, LINE, "PO1*2*1*EA", "ISR*IC"), [("1", []), ("2", [("IC", None)])]),
    # the order is named on the item
    (("HL*1**S", "HL*2*1*I", "PRF*PO-0001", LINE, "ISR*CU"), [("1", [("CU", None)])]),
    # a root whose parent is zero, and numbers that jump
    (("HL*7*0*O", "PRF*PO-0001", "HL*283*7*I", LINE, "ISR*IC"), [("1", [("IC", None)])]),
]


@pytest.mark.parametrize(("segments", "said"), WHOSE)
def test_whose_status_it_is(segments: tuple[str, ...], said: list[object]) -> None:
    assert of_lines(*segments) == said


@pytest.mark.parametrize(
    ("quantities", "counted"),
    [
        ((), (None, "", "")),
        (("QTY*01*6*EA",), (6, "01", "EA")),
        (("QTY*38*10*EA", "QTY*01*6*CA"), (6, "01", "CA")),
        (("QTY*39*5*EA", "QTY*38*10*EA"), (5, "39", "EA")),
        (("QTY*01*0",), (0, "01", "")),
        (("QTY*01*.5*EA>2>3",), (Decimal("0.5"), "01", "EA")),
    ],
)
def test_the_discrete_quantity_counts_and_any_other_says_what_it_is(
    quantities: tuple[str, ...], counted: tuple[object, ...]
) -> None:
    (order,) = report(BSR, *ORDER, LINE, "ISR*IC", *quantities).orders
    (status,) = order.lines[0].statuses
    assert (status.quantity, status.quantity_qualifier, status.unit) == counted


def test_two_orders_and_one_of_them_at_two_levels() -> None:
    found = report(
        BSR, *ORDER, LINE, "ISR*IC", "HL*2**O", "PRF*PO-0002", "ISR*DE",
        "HL*3**O", "PRF*PO-0001", "PO1*2*1*EA", "ISR*BO",
    )  # fmt: skip
    assert [
        (order.po_number, [status.code for status in order.statuses], [line.number for line in order.lines])
        for order in found.orders
    ] == [("PO-0001", [], ["1", "2"]), ("PO-0002", ["DE"], [])]


def test_releases_of_one_number_are_two_orders() -> None:
    found = report(BSR, "HL*1**O", "PRF*PO-0001*1", "ISR*DE", "HL*2**O", "PRF*PO-0001*2", "ISR*IN")
    assert [(order.release, order.statuses[0].code) for order in found.orders] == [("1", "DE"), ("2", "IN")]


@pytest.mark.parametrize("count", ["1", "2", "3"])
def test_ctt_may_count_items_or_levels(count: str) -> None:
    """One item level, two PO1, three levels."""
    segments = (*ORDER, LINE, "HL*2*1*I", "PO1*2*4*EA", "HL*3**O", "PRF*PO-0002")
    document, found = read(one_set("870", BSR, *segments, f"CTT*{count}*10"))
    assert (document is not None, found) == (True, ())


UNREADABLE = [
    ((), F.SEGMENT_MISSING, "BSR", 2, ""),
    ((BSR,), F.SEGMENT_MISSING, "HL", 3, ""),
    (("BSR**PA*1*20260301", *ORDER), F.ELEMENT_MISSING, "BSR", 2, "1"),
    (("BSR*3*PA**20260301", *ORDER), F.ELEMENT_MISSING, "BSR", 2, "3"),
    (("BSR*3*PA*1*20261301", *ORDER), F.DATE_INVALID, "BSR", 2, "4"),
    ((BSR, BSR, *ORDER), F.SEGMENT_OVER_MAX, "BSR", 3, ""),
    ((BSR, "PRF*PO-0001", *ORDER), F.SEGMENT_UNEXPECTED, "PRF", 3, ""),
    ((BSR, "ISR*DE", *ORDER), F.SEGMENT_UNEXPECTED, "ISR", 3, ""),
    ((BSR, "HL*1**O", "ISR*DE"), F.SEGMENT_MISSING, "PRF", 4, ""),
    ((BSR, "HL*1**O", LINE), F.SEGMENT_MISSING, "PRF", 4, ""),
    ((BSR, "HL*1**O", "PRF"), F.ELEMENT_MISSING, "PRF", 4, "1"),
    ((BSR, *ORDER, "PRF*PO-0002"), F.SEGMENT_OVER_MAX, "PRF", 5, ""),
    ((BSR, *ORDER, "HL*2*9*I"), F.HIERARCHY, "HL", 5, "2"),
    ((BSR, *ORDER, "HL*1*1*I"), F.HIERARCHY, "HL", 5, "1"),
    ((BSR, *ORDER, "HL*2*2*I"), F.HIERARCHY, "HL", 5, "2"),
    ((BSR, *ORDER, "HL*2*1"), F.ELEMENT_MISSING, "HL", 5, "3"),
    ((BSR, *ORDER, "ISR"), F.ELEMENT_MISSING, "ISR", 5, "1"),
    ((BSR, *ORDER, "ISR*DE*SOON"), F.DATE_INVALID, "ISR", 5, "2"),
    ((BSR, *ORDER, LINE, "QTY*01*6"), F.SEGMENT_UNEXPECTED, "QTY", 6, ""),
    ((BSR, *ORDER, LINE, "ISR*IC", "QTY*01*SIX"), F.ELEMENT_CHARACTER, "QTY", 7, "2"),
    ((BSR, *ORDER, LINE, "ISR*IC", "QTY*01***SOME"), F.ELEMENT_MISSING, "QTY", 7, "2"),
    ((BSR, *ORDER, LINE, "ISR*IC", "QTY*01*1", "QTY*01*2"), F.SEGMENT_OVER_MAX, "QTY", 8, ""),
    ((BSR, *ORDER, "PO1*1*6,000*EA"), F.ELEMENT_CHARACTER, "PO1", 5, "2"),
    ((BSR, *ORDER, "HL*2*1*I", "ISR*IC"), F.SEGMENT_UNEXPECTED, "ISR", 6, ""),
    ((BSR, *ORDER, "HL*2*1*I", "ISR*IC", LINE, "PO1*2*1*EA"), F.SEGMENT_UNEXPECTED, "ISR", 6, ""),
    ((BSR, *ORDER, "HL*2*1*P", "ISR*IC"), F.SEGMENT_UNEXPECTED, "ISR", 6, ""),
    ((BSR, *ORDER, LINE, "CTT*5"), F.COUNT_WRONG, "CTT", 6, "1"),
]


@pytest.mark.parametrize(("segments", "code", "tag", "position", "element"), UNREADABLE)
def test_what_cannot_be_read_yields_no_document(
    segments: tuple[str, ...], code: FindingCode, tag: str, position: int, element: str
) -> None:
    document, found = read(one_set("870", *segments))
    assert document is None
    (finding,) = found
    assert (finding.code, finding.segment, finding.position, finding.element) == (
        code,
        tag,
        position,
        element,
    )


def test_a_wrong_hash_total_is_a_warning() -> None:
    document, (finding,) = read(one_set("870", BSR, *ORDER, LINE, "CTT*1*7"))
    assert document is not None
    assert (finding.code, finding.is_error, finding.value) == (F.HASH_TOTAL, False, "7")
