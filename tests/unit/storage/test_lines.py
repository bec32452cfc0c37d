"""Which line is meant and how many of its units, and quantities at the edge of what is counted."""

import time
from decimal import Decimal

import pytest

from storage.commands import LineReference, NewLine
from storage.lines import SCANNED_MAX, LineIndex, measure, name_lines
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


def ref(text: str) -> LineReference:
    """A number, or "-", and ids: 1 UP:0905 VA:S."""
    number, *ids = text.split()
    return LineReference(number=number.strip("-"), ids=tuple(item(one) for one in ids))


def item(text: str) -> ItemId:
    qualifier, _, id = text.partition(":")
    scheme = "" if qualifier == "BO" else "gtin" if qualifier in ("UP", "EN", "UK") else qualifier
    return ItemId(qualifier, id, scheme)


def order(text: str) -> tuple[LineState, ...]:
    """Lines by the place they have: UP:0905 VA:S | UP:0912 VA:S."""
    return tuple(
        line(str(at), *map(item, ids.split()), assigned=text.startswith("1"))
        for at, ids in enumerate(text.lstrip("1 ").split("|"), start=1)
    )


APPAREL = "UP:12345678905 VA:S | UP:12345678912 VA:S"
CONTRADICTED, UNKNOWN, AMBIGUOUS = "LINE_CONTRADICTED", "LINE_UNKNOWN", "LINE_AMBIGUOUS"
IDENTIFIED = [
    (f"1 {APPAREL}", "1 UP:12345678912 VA:S", CONTRADICTED),  # the style is right, the size is not
    (f"1 {APPAREL}", "1 UP:12345678905 VA:S", "1"),
    (f"1 {APPAREL}", "1 VA:S", "1"),
    (f"1 {APPAREL}", "1 VA:T", CONTRADICTED),
    (f"1 {APPAREL}", "1 UP:12345678905 VA:T", "1"),  # a number of the partner's own for the same item
    (f"1 {APPAREL}", "1 VA:S VN:T", "1"),
    (f"1 {APPAREL}", "1 UP:12345678905 VN:T BO:RED", "1"),  # another numbering, and a colour
    (f"1 {APPAREL}", "3 UP:12345678929 VA:S", UNKNOWN),  # another item under a number of its own
    (f"1 {APPAREL}", "3 UP:12345678905 VA:T", "1"),
    (f"1 {APPAREL}", "3 UP:12345678912 VA:S", "2"),  # the sender's own number
    (APPAREL, "- UP:12345678912 VA:S", "2"),
    (APPAREL, "- UP:12345678905 VA:S", "1"),
    (APPAREL, "- VA:S", AMBIGUOUS),
    (APPAREL, "- UP:12345678929 VA:S", CONTRADICTED),
    (APPAREL, "- UK:10012345678902 VA:S", AMBIGUOUS),  # a case of one of them
    ("UP:12345678905 VA:S", "- UP:12345678912 VA:S", CONTRADICTED),
    ("UP:12345678905 VA:S", "- UK:10012345678902 VA:S", "1"),  # another pack of it
    ("UP:12345678905 VA:S", "- UP:12345678905 VA:T", "1"),
    ("1 IN:7 VN:A", "1 IN:7 VN:B", "1"),
    ("1 IN:7 VN:A | IN:8 VN:B", "1 IN:7 VN:B", CONTRADICTED),
    ("IN:7 VN:A", "- IN:7 VN:B", CONTRADICTED),
    ("UP:12345678905 VA:S", "- UP:12345678905", "1"),
    ("UP:12345678905 VA:S-1 IN:0042", "- UP:12345678905 VA:s1 IN:42", "1"),  # written otherwise
    ("UP:12345678905 EN:4006381333931", "- EN:0012345678905", "1"),  # one number in its other form
    ("UP:12345678905 UP:12345678912", "- UP:12345678912 UP:12345678929", "1"),  # one of its items
    ("UP:12345678905 VA:S | IN:7 VA:S", "- UP:12345678929 VA:S", "2"),  # the other one has another size
    ("UP:12345678905 VA:S | IN:7 VA:S", "- UP:12345678905 VA:S", AMBIGUOUS),  # the second may be it too
    ("UP:12345678905 IN:7 | UP:12345678912 IN:8", "- UP:12345678905 IN:8", CONTRADICTED),
]


@pytest.mark.parametrize(("lines", "reference", "meant"), IDENTIFIED)
def test_the_line_that_no_item_contradicts(lines: str, reference: str, meant: str) -> None:
    found = LineIndex(order(lines)).find(ref(reference))
    assert (found.name if isinstance(found, Refusal) else found.line) == meant


@pytest.mark.parametrize("count", [3, SCANNED_MAX, SCANNED_MAX + 1, 500])
def test_lines_of_one_style_are_told_apart_however_many_they_are(count: int) -> None:
    """The last of them has no size in it: whatever is in no other may be it."""
    sizes = " | ".join(f"UP:{12345678905 + at} VA:S" for at in range(count - 1))
    index = LineIndex(order(f"{sizes} | IN:7 VA:S"))
    wanted = ["- UP:12345678906 IN:9 VA:S", "- UP:99345678905 VA:S", "- UP:99345678905 IN:8 VA:S", "- VA:S"]
    found = [index.find(ref(one)) for one in wanted]
    names = [one.name if isinstance(one, Refusal) else one.line for one in found]
    assert names == ["2", str(count), CONTRADICTED, AMBIGUOUS]


def test_lines_that_share_each_of_their_ids_with_many_are_told_by_both() -> None:
    many = SCANNED_MAX + 2
    matrix = LineIndex(
        order(" | ".join(f"IN:{style} VA:0{colour}" for style in range(1, many) for colour in range(1, many)))
    )
    found = matrix.find(ref("- IN:3 VA:04"))
    assert isinstance(found, LineState)
    assert found.ids == (item("IN:3"), item("VA:04"))
    assert matrix.find(ref("- IN:3 VA:99")) is Refusal.LINE_CONTRADICTED
    assert matrix.find(ref("- IN:3 VA:4")) == found  # the zero was lost, and nothing else comes near


def test_lines_that_share_both_ids_with_many_are_not_told_apart() -> None:
    halves = " | ".join(f"IN:{1 + at % 2} VA:{1 + at % 2}" for at in range(4 * SCANNED_MAX))
    assert LineIndex(order(halves)).find(ref("- IN:1 VA:1")) is Refusal.LINE_AMBIGUOUS


def test_a_document_about_a_large_order_of_one_style_costs_what_its_lines_cost() -> None:
    lines = order(" | ".join(f"UP:{12345678905 + at} VA:S" for at in range(4_000)))
    index = LineIndex(lines)
    started = time.process_time()
    assert all(index.find(LineReference(ids=one.ids)) is one for one in lines)
    assert time.process_time() - started < 2  # a tenth of a second; each held against all, it was a minute


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
