"""Elements fitted to the release's guide: what is cut, what is filled up, what is refused."""

from datetime import date, time
from decimal import Decimal

import pytest

from edi.guide import guide_for
from edi.set_body import SetBody, UnwritableError, Value, fits, plain, wrap
from edi.write_envelope import form_of

RELEASES = ("004010", "005010")


def written(tag: str, *values: Value, set_type: str = "860", release: str = "004010") -> str:
    """The segment alone, before the whole set is looked at."""
    body = SetBody(set_type, form_of(release))
    body.add(tag, *values)
    return body._segments[0]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("set_type", ["824", "855", "860", "865"])
def test_all_uses_of_a_segment_in_a_set_have_one_definition(set_type: str, release: str) -> None:
    guide = guide_for(release, set_type)
    assert guide is not None
    definitions: dict[str, set[object]] = {}
    for place in guide.grammar.places:
        definitions.setdefault(place.tag, set()).add(place.segment)
    assert [tag for tag, different in definitions.items() if len(different) > 1] == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("DP", "0913"), "REF*DP*0913"),
        (("DP", "0913", ""), "REF*DP*0913"),
        (("DP", "A*B>C~D"), "REF*DP*A B C D"),
        (("DP", "A\x00\x1f\x7f\x85Z"), "REF*DP*A    Z"),
        (("DP", "padded   "), "REF*DP*padded"),
        (("DP", "  led"), "REF*DP*  led"),
        (("DP", "x" * 31), f"REF*DP*{'x' * 30}"),
        (("DP", " " * 31 + "x"), "REF*DP*x"),
        (("DP", "", "\u0141\xf3d\u017a \u2014 \u201cStra\xdfe\u201d\u2026"), 'REF*DP**Lodz - "Strasse"...'),
        (("DP", "\u0141\xf3d\u017a \u4e2d"), "REF*DP*L\xf3dz ?"),
        (("DP", "", "x" * 81), f"REF*DP**{'x' * 80}"),
    ],
)
def test_texts(values: tuple[Value, ...], expected: str) -> None:
    assert written("REF", *values) == expected


def test_limits_and_delimiters_are_the_releases_own() -> None:
    assert written("REF", "DP", "^" * 60, release="004010") == f"REF*DP*{'^' * 30}"
    assert written("REF", "DP", "a^" * 30, release="005010") == f"REF*DP*{'a ' * 24}a"


@pytest.mark.parametrize(
    ("tag", "values", "message"),
    [
        ("BCH", ("04", "SA", "4" * 23), f'BCH03 (Purchase Order Number): "{"4" * 23}" is longer than 22'),
        ("BCH", ("04", "SA", ""), "BCH03 (Purchase Order Number) is mandatory and has no value"),
        ("BCH", ("04", "SA", "~\x00"), "BCH03 (Purchase Order Number) is mandatory and has no value"),
        ("BCH", ("99", "SA", "1"), 'BCH01 (Transaction Set Purpose Code): "99" is no code of 004010'),
        ("POC", ("1", "AA"), 'POC02 (Change or Response Type Code): "AA" is no code of 004010'),
        ("POC", ("1" * 21, "QD"), f'POC01 (Assigned Identification): "{"1" * 21}" is longer than 20'),
        (
            "POC",
            ("1", "QD", Decimal("12345678.12345678")),
            'POC03 (Quantity Ordered): "12345678.12345678" is',
        ),
        ("POC", ("1", "QD", Decimal("NaN")), "NaN is no number that X12 can write"),
        ("POC", ("1", "QD", Decimal("1E+400000")), "1.000E+400000 has more digits than X12 can write"),
        ("POC", ("1", "QD", 1, "", "lb"), 'POC05 (Unit or Basis for Measurement Code): "lb" is no code of'),
        ("CTT", (1, 2, 3, "EA", 5, "EA", 7, 8), "CTT has 7 elements, not 8"),
        ("N1", ("BY", "NAME", "92", "1"), "N1*BY*NAME*92*1: its last element is shorter than N1 allows"),
    ],
)
def test_what_cannot_be_said_is_refused(tag: str, values: tuple[Value, ...], message: str) -> None:
    with pytest.raises(UnwritableError) as told:
        written(tag, *values)
    assert str(told.value).startswith(message)


def test_the_whole_set_is_looked_at_once_more() -> None:
    """Syntax notes, order and repeats are nobody's element: the guide says what is wrong."""
    body = SetBody("860", form_of("004010"))
    body.add("BCH", "04", "SA", "4500012", "", "", date(2026, 3, 2))
    body.add("N1", "BY", "", "92")
    with pytest.raises(UnwritableError, match=r"860 in 004010: .*N1"):
        body.segments()


def test_dates_the_guide_does_not_know_are_refused() -> None:
    body = SetBody("860", form_of("004010"))
    body.add("BCH", "04", "SA", "4500012", "", "", date(1, 2, 3))
    with pytest.raises(UnwritableError, match="BCH06"):
        body.segments()


def test_a_set_without_a_map_is_refused() -> None:
    with pytest.raises(UnwritableError, match="no map for transaction set 999 in release 004010"):
        SetBody("999", form_of("004010"))


def test_a_short_value_within_a_segment_is_filled_up() -> None:
    """67 is AN 2/80."""
    assert written("SDQ", "EA", "", "7", Decimal(2)) == "SDQ*EA**7 *2"


def test_composites() -> None:
    assert written("POC", "1", "QC", Decimal(100), ("", None, Decimal(40)), "EA", release="005010") == (
        "POC*1*QC*100*>>40*EA"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (7, "7"),
        (Decimal(0), "0"),
        (Decimal("-0.00"), "0"),
        (Decimal("0E-900000"), "0"),
        (Decimal("60.50"), "60.5"),
        (Decimal("60.00"), "60"),
        (Decimal("600"), "600"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-6"), "0.000001"),
        (Decimal("-12.340"), "-12.34"),
        (Decimal("123456789012.123456"), "123456789012.123456"),
        (date(2026, 3, 2), "20260302"),
        (time(14, 5), "1405"),
        (time(14, 5, 9), "140509"),
        (time(14, 5, 0, 250_000), "14050025"),
    ],
)
def test_plain_numbers_and_dates(value: int | Decimal | date | time | None, expected: str) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("value", "most", "expected"),
    [("9999999999", 10, True), ("99999999999", 10, False), ("-1.5", 4, True), ("-1.5", 3, False)],
)
def test_what_fits(value: str, most: int, expected: bool) -> None:
    assert fits(Decimal(value), most) is expected


@pytest.mark.parametrize(
    ("text", "widths", "lines"),
    [
        ("", [3], []),
        ("   ", [3], []),
        ("one", [3], ["one"]),
        ("one two", [3], ["one", "two"]),
        ("one  two ", [7], ["one two"]),
        ("a bc def", [3, 4], ["a", "bc", "def"]),
        ("abcdefgh ij", [3, 4], ["abc", "defg", "h ij"]),
        ("abc def", [4], ["abc", "def"]),
    ],
)
def test_wrapping(text: str, widths: list[int], lines: list[str]) -> None:
    assert wrap(text, widths) == lines
