"""Numbers as X12 writes them, and nothing kinder."""

from datetime import date, time
from decimal import Decimal

import pytest

from edi.findings import FindingCode
from edi.numbers import read_date, read_decimal, read_integer, read_time, same_number

CHARACTER, LONG = FindingCode.ELEMENT_CHARACTER, FindingCode.ELEMENT_LONG

DECIMALS = [
    ("0", "0"),
    ("10", "10"),
    ("60.", "60"),
    (".5", "0.5"),
    ("-3", "-3"),
    ("-.25", "-0.25"),
    ("-0", "0"),
    ("0010", "10"),
    ("1.500000", "1.5"),
    ("999999999999.999999", "999999999999.999999"),
    ("000000000000000000000000000007", "7"),
]
NOT_DECIMALS = [
    ("+1", CHARACTER),
    ("1e3", CHARACTER),
    ("1E3", CHARACTER),
    ("\uff11\uff10", CHARACTER),
    ("1,000", CHARACTER),
    ("1_0", CHARACTER),
    (" 1", CHARACTER),
    ("1\n", CHARACTER),
    (".", CHARACTER),
    ("-", CHARACTER),
    ("", CHARACTER),
    ("--1", CHARACTER),
    ("1-", CHARACTER),
    ("1.2.3", CHARACTER),
    ("Infinity", CHARACTER),
    ("NaN", CHARACTER),
    ("\u0661", CHARACTER),
    ("\xb2", CHARACTER),
    ("9" * 30, LONG),
    ("1" + "0" * 12, LONG),
    ("0.0000001", LONG),
    ("0" * 41, LONG),
    ("9" * 5000, LONG),
]


@pytest.mark.parametrize(("text", "value"), DECIMALS)
def test_a_decimal(text: str, value: str) -> None:
    assert read_decimal(text) == Decimal(value)
    assert not str(read_decimal("-0")).startswith("-")


@pytest.mark.parametrize(("text", "code"), NOT_DECIMALS)
def test_no_decimal(text: str, code: FindingCode) -> None:
    assert read_decimal(text) is code


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("007", 7),
        ("-7", -7),
        ("+7", CHARACTER),
        ("7.", CHARACTER),
        ("7.0", CHARACTER),
        ("", CHARACTER),
        ("1_0", CHARACTER),
        ("\uff17", CHARACTER),
        ("7\n", CHARACTER),
        ("9" * 41, LONG),
        ("9" * 5000, LONG),
    ],
)
def test_integers(text: str, value: object) -> None:
    assert read_integer(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20260301", date(2026, 3, 1)),
        ("20240229", date(2024, 2, 29)),
        ("20260229", None),
        ("20261301", None),
        ("260301", None),
        ("00000000", None),
        ("2026-3-1", None),
        ("\uff12" * 8, None),
        ("20260301\n", None),
    ],
)
def test_dates(text: str, value: date | None) -> None:
    assert read_date(text) == (value or FindingCode.DATE_INVALID)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("260301", date(2026, 3, 1)),
        ("490101", date(2049, 1, 1)),
        ("500101", date(1950, 1, 1)),
        ("991231", date(1999, 12, 31)),
        ("000229", date(2000, 2, 29)),
        ("20260301", date(2026, 3, 1)),
        ("260230", None),
        ("26031", None),
        ("2603011", None),
        ("26-3-1", None),
    ],
)
def test_dates_without_a_century(text: str, value: date | None) -> None:
    assert read_date(text, short=True) == (value or FindingCode.DATE_INVALID)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0000", time(0)),
        ("2359", time(23, 59)),
        ("235959", time(23, 59, 59)),
        ("1200005", time(12, 0, 0, 500_000)),
        ("12000050", time(12, 0, 0, 500_000)),
        ("12000005", time(12, 0, 0, 50_000)),
        ("2400", None),
        ("1260", None),
        ("120", None),
        ("12000", None),
        ("12:00", None),
        ("", None),
    ],
)
def test_times(text: str, value: time | None) -> None:
    assert read_time(text) == (FindingCode.TIME_INVALID if value is None else value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1", "0001", True),
        ("000000007", "7", True),
        ("0", "000", True),
        ("1", "2", False),
        ("A1", "A1", True),
        ("A1", "A01", False),
        ("\uff11", "1", False),
        ("", "", True),
        ("", "0", False),
        ("9" * 5000, "9" * 5000, True),
    ],
)
def test_control_numbers_agree_as_integers(one: str, other: str, same: bool) -> None:
    assert same_number(one, other) is same
