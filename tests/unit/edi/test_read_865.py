"""865: what a seller answers or changes, with every ACK of a line in order."""

from datetime import date
from decimal import Decimal

import pytest

from edi.documents import (
    ChangeAcknowledgment,
    ChangedLine,
    ChangeQuantities,
    LineAcknowledgment,
    Party,
    ProductId,
)
from edi.findings import FindingCode
from edi.read_865 import read
from tests.unit.edi.build import HOSTILE, STAR, one_set

BCA = "BCA*11*AC*PO-0001**2*20260301***S-77*20260302*20260303"
LINE = "POC*1*QD*60*20*EA*12.50**VP*W-1"
F = FindingCode


def answer(*segments: str) -> ChangeAcknowledgment:
    document, findings = read(one_set("865", *segments))
    assert document is not None, findings
    return document


@pytest.mark.parametrize("delimiters", [STAR, *HOSTILE])
def test_all_of_an_answer_whatever_the_delimiters(delimiters: object) -> None:
    segments = (
        "BCA*11*RD*PO-0001*R-7*2*20260301*REQ*C-1*S-77*20260302*20260303", "N1*SE*MILL*92*7",
        LINE, "ACK*IQ*60*EA*068*20260401**VP*W-2", "CTT*1*60",
    )  # fmt: skip
    document, found = read(one_set("865", *segments, delimiters=delimiters))  # type: ignore[arg-type]
    assert found == ()
    said = LineAcknowledgment(
        status="IQ",
        quantity=Decimal(60),
        unit="EA",
        date_qualifier="068",
        on=date(2026, 4, 1),
        ids=(ProductId("VP", "W-2"),),
        position=5,
    )
    line = ChangedLine(
        number="1",
        change="QD",
        quantity=Decimal(60),
        left_to_receive=Decimal(20),
        unit="EA",
        price=Decimal("12.50"),
        ids=(ProductId("VP", "W-1"),),
        acknowledgments=(said,),
        position=4,
    )
    assert document == ChangeAcknowledgment(
        purpose="11",
        type="RD",
        po_number="PO-0001",
        release="R-7",
        change_number="2",
        ordered_on=date(2026, 3, 1),
        seller_order_number="S-77",
        acknowledged_on=date(2026, 3, 2),
        changed_on=date(2026, 3, 3),
        parties=(Party(entity="SE", name="MILL", qualifier="92", id="7"),),
        lines=(line,),
    )


@pytest.mark.parametrize(
    ("bca", "said"),
    [
        ("BCA*11*RJ*PO-0001***20260301", ("11", "RJ", date(2026, 3, 1))),
        ("BCA*01**PO-0001***20260301", ("01", "", date(2026, 3, 1))),
        ("BCA*06*AT*PO-0001", ("06", "AT", None)),
    ],
)
def test_a_heading_alone_is_a_whole_answer(bca: str, said: tuple[object, ...]) -> None:
    found = answer(bca, "CTT*0*0")
    assert (found.purpose, found.type, found.ordered_on) == said
    assert found.lines == ()


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        (("POC*054448*DI*504*0*CA*38.75**VN*818459",), ("DI", 504, 0, [])),
        ((LINE, "ACK*IQ*60*EA"), ("QD", 60, 20, [("IQ", 60)])),
        (
            (LINE, "ACK*IA*50*EA", "DTM*067*20260401", "ACK*IR*10*EA"),
            ("QD", 60, 20, [("IA", 50), ("IR", 10)]),
        ),
        (("POC*1*RC", "ACK*IR"), ("RC", None, None, [("IR", None)])),
        (("POC*1*DI", "LDT*AF*3*DA", "ACK*ID*0*EA"), ("DI", None, None, [("ID", 0)])),
        ((LINE, "ACK*IA", "SLN*1**I*2*EA", "ACK*IR*2*EA"), ("QD", 60, 20, [("IA", None)])),
    ],
)
def test_lines_with_all_their_acks(segments: tuple[str, ...], said: tuple[object, ...]) -> None:
    (line,) = answer(BCA, *segments).lines
    acks = [(one.status, one.quantity) for one in line.acknowledgments]
    assert (line.change, line.quantity, line.left_to_receive, acks) == said


def test_a_schedule_after_amounts_is_still_the_lines() -> None:
    """The 865 has its AMT loop between ACK and SCH."""
    (line,) = answer(BCA, LINE, "ACK*IA*60*EA", "AMT*1*100", "SCH*60*EA***002*20260401").lines
    assert [one.quantity for one in line.schedule] == [60]


def test_the_composite_of_later_releases() -> None:
    (line,) = answer(BCA, "POC*1*QC*100*100>>40*EA").lines
    assert line.quantities == ChangeQuantities(original=Decimal(100), decrease=Decimal(40))


def test_the_parties_of_a_line_are_not_the_orders() -> None:
    found = answer(BCA, "N1*SE*MILL", LINE, "N1*ST*STORE", "CTT*1", "N1*BY*LATE")
    assert [one.entity for one in found.parties] == ["SE"]


UNREADABLE = [
    ((), F.SEGMENT_MISSING, "BCA", 2, ""),
    (("BCA**AC*1***20260301",), F.ELEMENT_MISSING, "BCA", 2, "1"),
    (("BCA*11*AC****20260301",), F.ELEMENT_MISSING, "BCA", 2, "3"),
    (("BCA*11*AC*1***20261301",), F.DATE_INVALID, "BCA", 2, "6"),
    (("BCA*11*AC*1***20260301****20261301",), F.DATE_INVALID, "BCA", 2, "10"),
    (("BCA*11*AC*1***20260301*****20261301",), F.DATE_INVALID, "BCA", 2, "11"),
    ((BCA, BCA), F.SEGMENT_OVER_MAX, "BCA", 3, ""),
    ((BCA, "ACK*IR*10*EA"), F.SEGMENT_UNEXPECTED, "ACK", 3, ""),
    ((BCA, LINE, "CTT*1", "ACK*IR*10*EA"), F.SEGMENT_UNEXPECTED, "ACK", 5, ""),
    ((BCA, "POC*1**60**EA"), F.ELEMENT_MISSING, "POC", 3, "2"),
    ((BCA, LINE, "ACK**10*EA"), F.ELEMENT_MISSING, "ACK", 4, "1"),
    ((BCA, LINE, "ACK*IR*ALL*EA"), F.ELEMENT_CHARACTER, "ACK", 4, "2"),
    ((BCA, LINE, "CTT*3"), F.COUNT_WRONG, "CTT", 4, "1"),
]


@pytest.mark.parametrize(("segments", "code", "tag", "position", "element"), UNREADABLE)
def test_what_cannot_be_read_yields_no_document(
    segments: tuple[str, ...], code: FindingCode, tag: str, position: int, element: str
) -> None:
    document, found = read(one_set("865", *segments))
    assert document is None
    (finding,) = found
    assert (finding.code, finding.segment, finding.position, finding.element) == (
        code,
        tag,
        position,
        element,
    )


def test_a_wrong_hash_total_is_a_warning() -> None:
    document, (finding,) = read(one_set("865", BCA, LINE, "CTT*1*9"))
    assert document is not None
    assert (finding.code, finding.is_error, finding.value) == (F.HASH_TOTAL, False, "9")
