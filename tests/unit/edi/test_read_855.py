"""855: every ACK of a line is kept in order; a subline's say nothing about the line."""

from datetime import date
from decimal import Decimal

import pytest

from edi.documents import LineAcknowledgment, Pack, Party, ProductId, PurchaseOrderAcknowledgment
from edi.findings import FindingCode
from edi.read_855 import read
from tests.unit.edi.build import HOSTILE, STAR, one_set

BAK = "BAK*00*AC*PO-0001*20260301****S-77*20260302"
LINE = "PO1*1*10*EA*5.25**UP*012345678905"
F = FindingCode


def answer(*segments: str) -> PurchaseOrderAcknowledgment:
    document, findings = read(one_set("855", *segments))
    assert document is not None, findings
    return document


def split(*acks: str) -> list[tuple[str, Decimal | None]]:
    """What the ACKs of one line say, in order."""
    (line,) = answer(BAK, LINE, *acks).lines
    return [(one.status, one.quantity) for one in line.acknowledgments]


@pytest.mark.parametrize("delimiters", [STAR, *HOSTILE])
def test_all_elements_of_bak_whatever_the_delimiters(delimiters: object) -> None:
    bak = "BAK*00*RD*PO-0001*20260301*R-7*REQ*C-1*S-77*20260302*AB"
    document, found = read(one_set("855", bak, "N1*SE*MILL*92*7", delimiters=delimiters))  # type: ignore[arg-type]
    assert found == ()
    assert document == PurchaseOrderAcknowledgment(
        purpose="00",
        type="RD",
        po_number="PO-0001",
        ordered_on=date(2026, 3, 1),
        release="R-7",
        seller_order_number="S-77",
        acknowledged_on=date(2026, 3, 2),
        parties=(Party(entity="SE", name="MILL", qualifier="92", id="7"),),
    )


@pytest.mark.parametrize(
    ("acks", "said"),
    [
        ((), []),
        (("ACK*IA",), [("IA", None)]),
        (("ACK*IR*0",), [("IR", 0)]),
        (("ACK*IA*88*EA", "ACK*IB*1*EA", "ACK*IR*1*EA"), [("IA", 88), ("IB", 1), ("IR", 1)]),
        (("ACK*IA*0*EA", "DTM*067*20260401", "ACK*IR*4*EA"), [("IA", 0), ("IR", 4)]),
        (("ACK*IA*5*EA", "ACK*IA*5*EA"), [("IA", 5), ("IA", 5)]),
        (("ACK*ZZ*1.50*EA",), [("ZZ", Decimal("1.50"))]),
    ],
)
def test_all_acks_of_a_line_in_their_order(acks: tuple[str, ...], said: list[object]) -> None:
    assert split(*acks) == said


def test_all_elements_of_ack() -> None:
    pairs = "*".join(f"Q{n}*ID{n}" for n in range(10))
    (line,) = answer(BAK, LINE, f"ACK*IQ*8*EA*068*20260401*REQ*{pairs}*A*B*C").lines
    assert line.acknowledgments == (
        LineAcknowledgment(
            status="IQ",
            quantity=Decimal(8),
            unit="EA",
            date_qualifier="068",
            on=date(2026, 4, 1),
            ids=tuple(ProductId(f"Q{n}", f"ID{n}") for n in range(10)),
            position=4,
        ),
    )


def test_a_line_and_its_pack() -> None:
    (line,) = answer(BAK, "PO1**10*CA*5.25**UP*012345678905", "LIN**VN*A-1", "PO4*6*************2").lines
    assert (line.number, line.quantity, line.unit, line.price) == ("", Decimal(10), "CA", Decimal("5.25"))
    assert line.ids == (ProductId("UP", "012345678905"), ProductId("VN", "A-1"))
    assert (line.pack, line.position) == (Pack(units=6, inner=2), 3)


@pytest.mark.parametrize("between", [(), ("N9*L1*A", "MSG*TEXT"), ("N1*ST*STORE",), ("PID*F****PART",)])
def test_acks_under_a_subline_are_not_the_lines(between: tuple[str, ...]) -> None:
    first, second = answer(
        BAK, LINE, "ACK*IA*10*EA", "SLN*1**I*2*EA", *between, "ACK*IR*2*EA", "PO1*2*1*EA", "ACK*IB*1*EA"
    ).lines
    assert [one.status for one in first.acknowledgments] == ["IA"]
    assert [one.status for one in first.component_acknowledgments] == ["IR"]
    assert [one.status for one in second.acknowledgments] == ["IB"]
    assert second.component_acknowledgments == ()


def test_the_parties_of_a_line_are_not_the_orders() -> None:
    found = answer(BAK, "N1*SE*MILL", LINE, "N1*ST*STORE", "CTT*1", "N1*BY*LATE")
    assert [one.entity for one in found.parties] == ["SE"]


UNREADABLE = [
    ((), F.SEGMENT_MISSING, "BAK", 2, ""),
    (("BAK**AC*1*20260301",), F.ELEMENT_MISSING, "BAK", 2, "1"),
    (("BAK*00**1*20260301",), F.ELEMENT_MISSING, "BAK", 2, "2"),
    (("BAK*00*AC**20260301",), F.ELEMENT_MISSING, "BAK", 2, "3"),
    (("BAK*00*AC*1*20261301",), F.DATE_INVALID, "BAK", 2, "4"),
    ((BAK, BAK), F.SEGMENT_OVER_MAX, "BAK", 3, ""),
    ((BAK, "ACK*IR*10*EA"), F.SEGMENT_UNEXPECTED, "ACK", 3, ""),
    ((BAK, LINE, "CTT*1", "ACK*IR*10*EA"), F.SEGMENT_UNEXPECTED, "ACK", 5, ""),
    ((BAK, LINE, "ACK**10*EA"), F.ELEMENT_MISSING, "ACK", 4, "1"),
    ((BAK, LINE, "ACK*IR*ALL*EA"), F.ELEMENT_CHARACTER, "ACK", 4, "2"),
    ((BAK, LINE, "ACK*IR*1*EA*068*SOON"), F.DATE_INVALID, "ACK", 4, "5"),
    ((BAK, "PO1*1*10,000*EA"), F.ELEMENT_CHARACTER, "PO1", 3, "2"),
    ((BAK, LINE, "CTT*3"), F.COUNT_WRONG, "CTT", 4, "1"),
]


@pytest.mark.parametrize(("segments", "code", "tag", "position", "element"), UNREADABLE)
def test_what_cannot_be_read_yields_no_document(
    segments: tuple[str, ...], code: FindingCode, tag: str, position: int, element: str
) -> None:
    document, found = read(one_set("855", *segments))
    assert document is None
    (finding,) = found
    assert (finding.code, finding.segment, finding.position, finding.element) == (
        code,
        tag,
        position,
        element,
    )


def test_a_wrong_hash_total_is_a_warning() -> None:
    document, (finding,) = read(one_set("855", BAK, LINE, "ACK*IA*10*EA", "CTT*1*9"))
    assert document is not None
    assert (finding.code, finding.is_error, finding.value) == (F.HASH_TOTAL, False, "9")
