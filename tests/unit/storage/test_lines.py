"""Which line is meant and how many of its units, and quantities at the edge of what is counted."""

from decimal import Decimal

import pytest

from storage.commands import LineReference, NewLine
from storage.lines import LineIndex, measure, name_lines
from storage.orders import ZERO, ItemId, LineState
from storage.quantities import amount, are, fits, is_whole, plain
from storage.refusals import Refusal


def upc(item: str) -> ItemId:
    return ItemId("UP", item, "gtin")


def line(name: str, *ids: ItemId, assigned: bool = True) -> LineState:
    return LineState(
        id=int(name.strip("#")), line=name, assigned=assigned, ids=ids, unit="EA",
        ordered=Decimal(100), fulfilled=ZERO, cancelled=ZERO, pack_unit="CA", pack_size=Decimal(12),
    )  # fmt: skip


ONE, TWO = line("1", upc("012345678905"), ItemId("IN", "A", "IN")), line("2", upc("098765432109"))
FILLER = ItemId("UP", "999999999999")
UNNAMED = line("#3", assigned=False)

FOUND = [
    (LineReference(number="1"), ONE),
    (LineReference(number="0001"), ONE),
    (LineReference(ids=(upc("12345678905"),)), ONE),
    (LineReference(ids=(ItemId("UK", "00012345678905", "gtin"),)), ONE),
    (LineReference(number="1", ids=(upc("012345678905"),)), ONE),
    (LineReference(number="1", ids=(FILLER,)), ONE),
    (LineReference(number="1", ids=(ItemId("UK", "10012345678902", "gtin"),)), ONE),  # another pack of it
    (LineReference(number="7", ids=(upc("098765432109"),)), TWO),  # the sender's own numbers
    (LineReference(number="1", ids=(upc("098765432109"),)), Refusal.LINE_CONTRADICTED),
    (LineReference(number="1", ids=(upc("055555000000"),)), Refusal.LINE_CONTRADICTED),
    (LineReference(number="#3"), Refusal.LINE_UNKNOWN),
    (LineReference(number="7"), Refusal.LINE_UNKNOWN),
    (LineReference(ids=(FILLER,)), Refusal.LINE_UNKNOWN),
    (LineReference(ids=(ItemId("IN", "0A", "IN"),)), Refusal.LINE_UNKNOWN),  # zeros count outside GTINs
    (LineReference(), Refusal.LINE_UNKNOWN),
]


@pytest.mark.parametrize(("reference", "meant"), FOUND)
def test_the_line_meant(reference: LineReference, meant: LineState | Refusal) -> None:
    assert LineIndex((ONE, TWO, UNNAMED)).find(reference) == meant


def test_people_use_the_names_the_ledger_shows() -> None:
    assert LineIndex((ONE, UNNAMED), by_name=True).find(LineReference(number="#3")) == UNNAMED


def test_numbers_that_differ_in_zeros_only_are_told_apart() -> None:
    short, padded = line("1"), line("01")
    assert LineIndex((short, padded)).find(LineReference(number="01")) == padded
    assert LineIndex((short, padded)).find(LineReference(number="001")) is Refusal.LINE_UNKNOWN


def test_an_item_on_two_lines_is_ambiguous() -> None:
    both = LineIndex((line("1", FILLER, upc("1")), line("2", upc("1"))))
    assert both.find(LineReference(ids=(upc("1"),))) is Refusal.LINE_AMBIGUOUS


MEASURED = [
    ("5", "", Decimal(5)),
    ("5", "EA", Decimal(5)),
    ("2", "CA", Decimal(24)),
    ("0.5", "CA", Decimal(6)),
    ("0", "CA", ZERO),
    ("2", "BX", Refusal.UNIT_MISMATCH),
    ("0.1", "CA", Refusal.QUANTITY_FRACTION),
    ("-1", "CA", Refusal.QUANTITY_NEGATIVE),
    ("999999999999", "CA", Refusal.QUANTITY_OUT_OF_RANGE),
    ("1.0000000000000000000000000001", "CA", Refusal.QUANTITY_OUT_OF_RANGE),
    ("NaN", "", Refusal.QUANTITY_OUT_OF_RANGE),
]


@pytest.mark.parametrize(("quantity", "unit", "units"), MEASURED)
def test_units_of_a_line(quantity: str, unit: str, units: Decimal | Refusal) -> None:
    assert measure(ONE, Decimal(quantity), unit) == units


NAMES = [
    (("", ""), ("1", "2")),
    (("10", "20"), ("10", "20")),
    (("3", "3", "4"), ("#1", "#2", "4")),
    (("7", ""), ("7", "#2")),
    (("#2", ""), ("#2", "##2")),
    (("#1", "#1", "##1"), ("###1", "#2", "##1")),
]


@pytest.mark.parametrize(("numbers", "names"), NAMES)
def test_every_line_gets_a_name_of_its_own(numbers: tuple[str, ...], names: tuple[str, ...]) -> None:
    new = tuple(NewLine(number=number, quantity=Decimal(1), unit="EA") for number in numbers)
    placed = name_lines(new)
    assert tuple(p.line for p in placed) == names
    assert [p.assigned for p in placed] == [p.line == p.new.number for p in placed]


ADDED = [
    ((("1", True),), ("2",), ("2",)),
    ((("1", True),), ("", ""), ("#2", "#3")),
    ((("1", True),), ("2", "2"), ("#2", "#3")),
    ((("1", False), ("2", False)), ("",), ("3",)),  # an order that uses no numbers
    ((("1", False), ("2", False)), ("2",), ("#3",)),  # the name is taken
    ((("#2", True),), ("",), ("##2",)),
]


@pytest.mark.parametrize(("known", "numbers", "names"), ADDED)
def test_added_lines_get_names_of_their_own(
    known: tuple[tuple[str, bool], ...], numbers: tuple[str, ...], names: tuple[str, ...]
) -> None:
    before = tuple(line(name, assigned=assigned) for name, assigned in known)
    new = tuple(NewLine(number=number, quantity=Decimal(1), unit="EA") for number in numbers)
    assert tuple(placed.line for placed in name_lines(new, before)) == names


@pytest.mark.parametrize(
    "quantity", ["0", "60", "60.0", "0.000001", "1E+3", "999999999999.999999", "0E-30", "5.0000000000", "-1"]
)
def test_quantities_the_counters_hold(quantity: str) -> None:
    assert fits(Decimal(quantity))


@pytest.mark.parametrize(
    "quantity",
    [
        "0.0000001", "1000000000000", "-1000000000000", "1E+12", "NaN", "Infinity",
        "123456789012.0000000000000000001",  # 28 digits would round the last one away
        "999999999999.99999999999999999999", "1E-30",
    ],
)  # fmt: skip
def test_quantities_the_counters_do_not_hold(quantity: str) -> None:
    assert not fits(Decimal(quantity))


def test_quantities_in_words() -> None:
    assert [plain(Decimal(q)) for q in ("60.0", "1E+3", "0.50", "0.00")] == ["60", "1000", "0.5", "0"]
    assert amount(Decimal(1), "EA") == "1 unit"
    assert amount(Decimal("1.0"), "") == "1 unit"
    assert amount(Decimal(40), "EA") == "40 units"
    assert amount(Decimal("2.5"), "LB") == "2.5 LB"
    assert (are(Decimal(1)), are(Decimal(2))) == ("1 is", "2 are")
    assert is_whole(Decimal("60.0"))
    assert not is_whole(Decimal("60.5"))
