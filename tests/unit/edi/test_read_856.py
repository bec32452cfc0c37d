"""856: the tree is what HL02 says, whatever BSN05 claims and whatever levels stand between."""

from datetime import date, time
from decimal import Decimal

import pytest

from edi.documents import Pack, ProductId, ShipNotice
from edi.findings import FindingCode
from edi.read_856 import read
from tests.unit.edi.build import HOSTILE, STAR, one_set

BSN = "BSN*00*SHIP-1*20260303*1200*0001"
S, O, I = "HL*1**S", "HL*2*1*O", "HL*3*2*I"  # noqa: E741 - the codes of the levels
PRF = "PRF*PO-0001"
ITEM = ("LIN*1*UP*012345678905", "SN1**8*EA")
GOOD = (BSN, S, O, PRF, I, *ITEM, "CTT*3")
F = FindingCode


def notice(*segments: str) -> ShipNotice:
    document, findings = read(one_set("856", *segments))
    assert document is not None, findings
    return document


def shipped(*segments: str) -> list[tuple[str, str, str]]:
    """Order, line number and quantity of each item, in order."""
    return [
        (one.po_number, item.number, str(item.quantity))
        for one in notice(*segments).orders
        for item in one.items
    ]


@pytest.mark.parametrize("delimiters", [STAR, *HOSTILE])
def test_a_plain_notice_whatever_its_delimiters(delimiters: object) -> None:
    document, found = read(one_set("856", *GOOD, delimiters=delimiters))  # type: ignore[arg-type]
    assert found == ()
    assert document is not None
    assert (document.purpose, document.shipment_id, document.structure) == ("00", "SHIP-1", "0001")
    assert (document.shipped_on, document.shipped_at) == (date(2026, 3, 3), time(12))
    ((order,),) = [document.orders]
    (item,) = order.items
    assert (order.po_number, order.release) == ("PO-0001", "")
    assert (item.number, item.quantity, item.unit, item.position) == ("1", Decimal(8), "EA", 8)
    assert item.ids == (ProductId("UP", "012345678905"),)


def test_all_elements_of_an_item() -> None:
    pairs = "*".join(f"Q{n}*ID{n}" for n in range(15))
    sn1 = "SN1*7*2.5*CA*10*12*CA**IA"
    ((order,),) = [notice(BSN, S, O, "PRF*PO-1*R-2**20260301", I, f"LIN**{pairs}", sn1, "PO4*6").orders]
    (item,) = order.items
    assert (order.po_number, order.release) == ("PO-1", "R-2")
    assert (item.number, item.quantity, item.unit, item.line_status) == ("7", Decimal("2.5"), "CA", "IA")
    assert item.ids == tuple(ProductId(f"Q{n}", f"ID{n}") for n in range(15))
    assert item.pack == Pack(units=6)


def test_lin01_goes_before_sn101() -> None:
    assert shipped(BSN, S, O, PRF, I, "LIN*4*UP*1", "SN1*9*8*EA") == [("PO-0001", "4", "8")]


TREES = {
    "root HL02 is 0": ((BSN, "HL*1*0*S", O, PRF, I, *ITEM), [("PO-0001", "1", "8")]),
    "ids jump": ((BSN, "HL*6**S", "HL*283*6*O", PRF, "HL*A9*283*I", *ITEM), [("PO-0001", "1", "8")]),
    "a level E between": (
        (BSN, S, "HL*2*1*E", "HL*3*2*O", PRF, "HL*4*3*I", *ITEM),
        [("PO-0001", "1", "8")],
    ),
    "T and P below the order": (
        (
            BSN,
            S,
            O,
            PRF,
            "HL*3*2*T",
            "MAN*GM*1",
            "HL*4*3*P",
            "HL*5*4*I",
            *ITEM,
            "HL*6*3*P",
            "HL*7*6*I",
            *ITEM,
        ),
        [("PO-0001", "1", "8"), ("PO-0001", "1", "8")],
    ),
    "items over cartons": (
        (BSN, S, O, PRF, I, *ITEM, "HL*4*3*P", "MAN*GM*1", "HL*5*3*P", "MAN*GM*2"),
        [("PO-0001", "1", "8")],
    ),
    "PRF on the item": ((BSN, S, "HL*2*1*I", *ITEM, "PRF*PO-7"), [("PO-7", "1", "8")]),
    "the item's PRF goes before its order's": ((BSN, S, O, PRF, I, *ITEM, "PRF*PO-7"), [("PO-7", "1", "8")]),
    "PRF on the shipment": ((BSN, S, PRF, "HL*2*1*I", *ITEM), [("PO-0001", "1", "8")]),
    "two orders and a way back up": (
        (BSN, S, O, PRF, "HL*3*1*O", "PRF*PO-2", "HL*4*2*I", *ITEM, "HL*5*3*I", "SN1*2*5*EA"),
        [("PO-0001", "1", "8"), ("PO-2", "2", "5")],
    ),
    "cartons over orders": (
        (BSN, S, "HL*2*1*P", "HL*3*2*O", PRF, "HL*4*3*I", *ITEM),
        [("PO-0001", "1", "8")],
    ),
    "one order in two levels": (
        (BSN, S, O, PRF, I, *ITEM, "HL*4*1*O", PRF, "HL*5*4*I", "SN1*2*1*EA"),
        [("PO-0001", "1", "8"), ("PO-0001", "2", "1")],
    ),
    "an SN1 on a carton does not count": (
        (BSN, S, O, PRF, "HL*3*2*P", "SN1**99*EA", "HL*4*3*I", *ITEM),
        [("PO-0001", "1", "8")],
    ),
    "BSN05 claims another shape": ((BSN.replace("0001", "0004"), *GOOD[1:]), [("PO-0001", "1", "8")]),
    "HL04 is wrong": ((BSN, "HL*1**S*0", "HL*2*1*O*0", PRF, "HL*3*2*I*1", *ITEM), [("PO-0001", "1", "8")]),
    "nothing was shipped of a line": ((BSN, S, O, PRF, I, "SN1*1*0*EA"), [("PO-0001", "1", "0")]),
    "less than nothing": ((BSN, S, O, PRF, I, "SN1*1*-3*EA"), [("PO-0001", "1", "-3")]),
}


@pytest.mark.parametrize("name", TREES)
def test_trees(name: str) -> None:
    segments, expected = TREES[name]
    assert shipped(*segments) == expected


def test_releases_of_one_order_are_kept_apart() -> None:
    found = notice(BSN, S, O, "PRF*PO-1*1", I, *ITEM, "HL*4*1*O", "PRF*PO-1*2", "HL*5*4*I", *ITEM)
    assert [(one.po_number, one.release, len(one.items)) for one in found.orders] == [
        ("PO-1", "1", 1),
        ("PO-1", "2", 1),
    ]


def test_an_order_level_without_items_is_still_named() -> None:
    found = notice(BSN, S, O, PRF, I, *ITEM, "HL*4*1*O", "PRF*PO-2")
    assert [(one.po_number, len(one.items)) for one in found.orders] == [("PO-0001", 1), ("PO-2", 0)]


def test_parties_are_the_shipments_not_the_stores_of_an_order() -> None:
    found = notice(BSN, S, "N1*SF*MILL", "N1*ST*DEPOT", O, PRF, "N1*BY*STORE", I, *ITEM)
    assert [one.entity for one in found.parties] == ["SF", "ST"]


@pytest.mark.parametrize("purpose", ["01", "03", "07"])
def test_a_withdrawal_needs_no_items(purpose: str) -> None:
    assert notice(BSN.replace("*00*", f"*{purpose}*"), S).orders == ()


FAULTY = [
    ((), F.SEGMENT_MISSING, "BSN", 2, ""),
    (("BSN**S-1*20260303*1200", *GOOD[1:]), F.ELEMENT_MISSING, "BSN", 2, "1"),
    (("BSN*00**20260303*1200", *GOOD[1:]), F.ELEMENT_MISSING, "BSN", 2, "2"),
    (("BSN*00*S-1*20260303*2560", *GOOD[1:]), F.TIME_INVALID, "BSN", 2, "4"),
    ((BSN, *GOOD), F.SEGMENT_OVER_MAX, "BSN", 3, ""),
    ((BSN, "HL*1*7*S", O, PRF, I, *ITEM), F.HIERARCHY, "HL", 3, "2"),
    ((BSN, "HL*1*1*S", O, PRF, I, *ITEM), F.HIERARCHY, "HL", 3, "2"),
    ((BSN, S, "HL*2*3*O", PRF, "HL*3*1*I", PRF, *ITEM), F.HIERARCHY, "HL", 4, "2"),
    ((BSN, S, O, PRF, I, *ITEM, "HL*3*2*I", *ITEM), F.HIERARCHY, "HL", 9, "1"),
    ((BSN, S, O, PRF, "HL**2*I", *ITEM), F.ELEMENT_MISSING, "HL", 6, "1"),
    ((BSN, S, O, PRF, I, *ITEM, "HL*4*2"), F.ELEMENT_MISSING, "HL", 9, "3"),
    ((BSN, S, O, I, *ITEM), F.SEGMENT_MISSING, "PRF", 6, ""),
    ((BSN, S, O, PRF, I, "LIN*1*UP*1"), F.SEGMENT_MISSING, "SN1", 7, ""),
    ((BSN, S, O, PRF, I, "SN1*1**EA"), F.ELEMENT_MISSING, "SN1", 7, "2"),
    ((BSN, S, O, PRF, I, "SN1*1*1e3*EA"), F.ELEMENT_CHARACTER, "SN1", 7, "2"),
    ((BSN, S, O, PRF, I, *ITEM, "SN1**1*EA"), F.SEGMENT_OVER_MAX, "SN1", 9, ""),
    ((BSN, S, O, PRF, PRF, I, *ITEM), F.SEGMENT_OVER_MAX, "PRF", 6, ""),
    ((BSN, S, O, "PRF", I, *ITEM), F.ELEMENT_MISSING, "PRF", 5, "1"),
    ((BSN, "SN1**1*EA", *GOOD[1:]), F.SEGMENT_UNEXPECTED, "SN1", 3, ""),
    ((BSN, S, O, PRF), F.SEGMENT_MISSING, "HL", 6, ""),
    ((BSN, S, O, PRF, "CTT*2"), F.SEGMENT_MISSING, "HL", 6, ""),
    ((BSN.replace("*00*", "*01*"), S, O, PRF, "HL*3*2*P", "SN1**8*EA"), F.SEGMENT_MISSING, "HL", 8, ""),
    ((*GOOD[:-1], "CTT*9"), F.COUNT_WRONG, "CTT", 9, "1"),
]


@pytest.mark.parametrize(("segments", "code", "tag", "position", "element"), FAULTY)
def test_what_cannot_be_read_yields_no_document(
    segments: tuple[str, ...], code: FindingCode, tag: str, position: int, element: str
) -> None:
    document, found = read(one_set("856", *segments))
    assert document is None
    places = [(one.code, one.segment, one.position, one.element) for one in found]
    assert places == [(code, tag, position, element)]


def test_a_broken_parent_is_told_in_the_words_of_the_field() -> None:
    _, (finding,) = read(one_set("856", BSN, "HL*1*7*S", O, PRF, I, *ITEM))
    assert finding.message == "HL 1 names parent 7, which is no earlier HL of the set"
    assert (finding.value, finding.reference) == ("7", "734")


@pytest.mark.parametrize("ctt", ["CTT*3", "CTT*1", "CTT*3*8", "CTT*003*8.0", "CTT"])
def test_ctt_may_count_levels_or_items(ctt: str) -> None:
    assert read(one_set("856", *GOOD[:-1], ctt))[1] == ()


def test_a_wrong_hash_total_is_a_warning() -> None:
    document, (finding,) = read(one_set("856", *GOOD[:-1], "CTT*3*9"))
    assert document is not None
    assert (finding.code, finding.is_error) == (F.HASH_TOTAL, False)


def test_a_deep_tree_needs_no_deep_stack() -> None:
    chain = [f"HL*{n}*{n - 1}*P" for n in range(3, 5000)]
    assert shipped(BSN, S, O, PRF, *chain, "HL*5000*4999*I", *ITEM) == [("PO-0001", "1", "8")]
