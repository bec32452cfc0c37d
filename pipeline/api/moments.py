"""Moments and days as the API takes them: ISO 8601 and nothing else.

A number is none, for it may be a year or seconds; nor is a day with a time that would be cut off.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

MOMENT_WORDS = "Use a moment with its offset from UTC, such as 2026-11-28T09:30:00Z."
DAY_WORDS = "Use a day such as 2026-11-28."

_MOMENT = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d{1,6})?)?)(?P<offset>Z|[ +-]\d\d:?\d\d)\Z", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


def _read_moment(value: Any) -> Any:
    """The text, and a blank before the offset as the plus that it was: in an address `+` is a blank."""
    found = _MOMENT.match(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(MOMENT_WORDS)
    return found["time"] + found["offset"].replace(" ", "+")


def _in_utc(said: datetime) -> datetime:
    """At the ends of the calendar there is none for every offset."""
    try:
        return said.astimezone(UTC)
    except OverflowError:
        raise ValueError("There is no such time in UTC.") from None


def _read_day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DAY.match(value):
        raise ValueError(DAY_WORDS)
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_read_moment), AfterValidator(_in_utc)]
Day = Annotated[date, BeforeValidator(_read_day)]
