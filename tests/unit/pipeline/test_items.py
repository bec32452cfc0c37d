"""Product ids, units and packs of a document's line in the ledger's words (section 4)."""

from decimal import Decimal

import pytest

from edi.documents import ChangedLine, OrderLine, Pack, ProductId, StoreQuantity
from pipeline.items import line_reference, new_line
from pipeline.policy import Aliases, Policy
from storage.commands import NewLine
from storage.lines import LineIndex
from storage.orders import ZERO, LineState
from storage.refusals import Refusal

USUAL, NO_PACK = Policy(), Pack()


def placed(ids: str, policy: Policy = USUAL) -> tuple[LineState, ...]:
    """An order with one line of these ids."""
    reference = line_reference("", product_ids(ids), policy)
    return (
        LineState(
            id=1,
            line="#1",
            assigned=False,
            ids=reference.ids,
            unit="EA",
            ordered=Decimal(10),
            fulfilled=ZERO,
            cancelled=ZERO,
        ),
    )


def product_ids(text: str) -> tuple[ProductId, ...]:
    return tuple(ProductId(*pair.split(":")) for pair in text.split())


def find(lines: tuple[LineState, ...], ids: str, policy: Policy = USUAL) -> LineState | Refusal:
    """The line of an order that a document means by these ids."""
    return LineIndex(lines).find(line_reference("", product_ids(ids), policy))


TIES = """
UP:012345678905       UP:012345678905       ties
UP:012345678905       EN:0012345678905      ties: one number with a leading zero
UP:012345678905       UK:00012345678905     ties: the same number, in 14 digits
UP:012345678905       UP:12345678905        ties: the leading zero was lost
UP:012345678905       UK:10012345678902     no: a case of it is another number
UP:012345678905       UA:012345678905       no: UA lacks the check digit, so this is another item
UP:12345678901        UI:12345678901        no: and so does UI
UA:012345678905       UA:012345678905       ties
VN:W-1                VN:W-1                ties
VN:W-1                VP:W-1                no: another qualifier is another numbering
VN:W-1                VN:w-1                no
VN:007                VN:7                  no: a partner's own number is text
IN:W-1                CB:W-1                no
IZ:BLUE               IZ:BLUE               no: a size or colour names no item
UP:999999999999       UP:999999999999       no: a filler
UP:000000000000       UP:000000000000       no: a filler
VN:NONE               VN:NONE               no: a filler
VN:n/a                VN:n/a                no: a filler
VN:0                  VN:0                  no: a filler
VN:11111              VN:11111              ties
VN:W-1 UP:012345678905  IN:5 UP:012345678905  ties by one of them
"""


@pytest.mark.parametrize("row", TIES.strip().splitlines())
def test_which_ids_tie_a_line(row: str) -> None:
    ours, theirs, expected = (part.strip() for part in row.split("  ") if part.strip())
    found = find(placed(ours), theirs)
    assert isinstance(found, LineState) == expected.startswith("ties")


def test_qualifiers_are_the_same_only_where_that_was_agreed() -> None:
    agreed = Policy(qualifier_aliases=Aliases((("VP", "VN"),)))
    assert find(placed("VN:W-1"), "VP:W-1") is Refusal.LINE_UNKNOWN
    assert isinstance(find(placed("VN:W-1"), "VP:W-1", agreed), LineState)


def line(unit: str, pack: Pack = NO_PACK, **more: object) -> OrderLine:
    return OrderLine(number="1", quantity=Decimal(24), unit=unit, pack=pack, **more)  # type: ignore[arg-type]


def of_pack(new: NewLine) -> str:
    return f"{new.quantity} {new.unit}" + (f", {new.pack_unit} of {new.pack_size}" if new.pack_unit else "")


PACKS = [
    (line("EA"), "24 EA"),
    (line("EA", Pack(units=6)), "24 EA, CA of 6"),  # PO4*6 on an EA line does not make it 144
    (line("EA", Pack(units=1, inner=12)), "24 EA, CA of 12"),  # Burlington: PO401 x PO414
    (line("EA", Pack(units=2, inner=12)), "24 EA, CA of 24"),
    (line("CA", Pack(units=6)), "24 CA"),
    (line("PC", Pack(units=6)), "24 PC"),
]


@pytest.mark.parametrize(("given", "expected"), PACKS)
def test_a_pack_ties_cases_to_eaches_and_multiplies_nothing(given: OrderLine, expected: str) -> None:
    assert of_pack(new_line(given, USUAL)) == expected


def test_units_are_the_same_only_where_that_was_agreed() -> None:
    agreed = Policy(unit_aliases=Aliases((("PC", "EA"),)))
    assert of_pack(new_line(line("PC", Pack(units=6)), agreed)) == "24 EA, CA of 6"


def test_the_stores_are_counted_in_the_unit_of_the_line() -> None:
    stores = (StoreQuantity("001", Decimal(2), "CA"), StoreQuantity("002", Decimal(12), "EA"))
    split = new_line(line("EA", Pack(units=6), stores=stores), USUAL).location_quantities
    assert split == (Decimal(12), Decimal(12))
    unknown = new_line(line("EA", stores=stores), USUAL).location_quantities
    assert unknown == (Decimal(2), Decimal(12))  # no pack: they do not add up to 24, and the ledger says so


@pytest.mark.parametrize(("unit", "whole"), [("EA", True), ("CA", True), ("LB", False), ("FT", False)])
def test_which_units_are_counted_in_whole_ones(unit: str, whole: bool) -> None:
    assert new_line(line(unit), USUAL).discrete is whole


def test_a_changed_line_is_read_like_an_ordered_one() -> None:
    changed = ChangedLine(change="AI", number="9", quantity=Decimal(24), unit="EA", pack=Pack(units=6))
    assert of_pack(new_line(changed, USUAL)) == "24 EA, CA of 6"
