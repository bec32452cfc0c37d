"""Numbers: strict ASCII grammars for X12 decimals (R), integers (N0), dates (DT) and times (TM).

Each function answers the value, or the FindingCode that says what is wrong. Python's own parsers are too
kind: Decimal takes "1e9", "+1", "1_000", "Infinity" and every Unicode digit; X12 takes none of them.
"""

import re
from datetime import date, time
from decimal import Decimal
from functools import lru_cache

from edi import limits
from edi.findings import FindingCode

_DECIMAL = re.compile(r"-?(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_DATE = re.compile(r"[0-9]{8}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}(?:[0-9]{2}(?:[0-9]{1,2})?)?", re.ASCII)


def read_decimal(text: str) -> Decimal | FindingCode:
    """Type R: optional minus, digits with at most one point; ".5" and "60." are allowed (spec section 3).

    At most 12 digits before and 6 after the point count; padding zeros do not. "-0" is 0.
    """
    if len(text) > limits.number_chars_max:
        return FindingCode.ELEMENT_LONG
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return FindingCode.ELEMENT_CHARACTER
    whole, fraction = (match[1] or "").lstrip("0"), (match[2] or match[3] or "").rstrip("0")
    if len(whole) > limits.quantity_integer_digits_max or len(fraction) > limits.quantity_decimals_max:
        return FindingCode.ELEMENT_LONG
    return Decimal(text) if whole or fraction else Decimal(0)


def read_integer(text: str) -> int | FindingCode:
    """Type N0: optional minus and digits."""
    return _integer(text) if len(text) <= limits.number_chars_max else FindingCode.ELEMENT_LONG


@lru_cache(maxsize=limits.numbers_kept_max)
def _integer(text: str) -> int | FindingCode:
    return int(text) if _INTEGER.fullmatch(text) else FindingCode.ELEMENT_CHARACTER


def read_date(text: str, *, short: bool = False) -> date | FindingCode:
    """Type DT 8/8: CCYYMMDD, a day of the calendar; with `short` also YYMMDD, of releases before 004010.

    Years 00 to 49 of those are 2000 to 2049, 50 to 99 are 1950 to 1999.
    """
    if short and len(text) == 6:
        text = ("20" if text < "50" else "19") + text
    return _date(text) if len(text) == 8 else FindingCode.DATE_INVALID


@lru_cache(maxsize=limits.numbers_kept_max)
def _date(text: str) -> date | FindingCode:
    if not _DATE.fullmatch(text):
        return FindingCode.DATE_INVALID
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return FindingCode.DATE_INVALID


def read_time(text: str) -> time | FindingCode:
    """Type TM 4/8: HHMM, HHMMSS, or with tenths or hundredths of a second; no time zone."""
    if not _TIME.fullmatch(text):
        return FindingCode.TIME_INVALID
    padded = text.ljust(8, "0")
    try:
        return time(int(padded[:2]), int(padded[2:4]), int(padded[4:6]), int(padded[6:]) * 10_000)
    except ValueError:
        return FindingCode.TIME_INVALID


def same_number(one: str, other: str) -> bool:
    """Whether two control numbers agree: as integers where both are digits, else character by character."""
    if one == other:
        return True
    if one.isascii() and other.isascii() and one.isdigit() and other.isdigit():
        return one.lstrip("0") == other.lstrip("0")
    return False
