"""Releases: which of our maps reads a version (GS08), the nearest one where there is none of its own."""

import re
from functools import lru_cache

from edi.delimiters import Delimiters

#: First and last release read by a map, and the map's release. Between them the order sets changed by single
#: elements and codes, which the map then names. 004020 to 004062 are closer to 004010 than to 005010.
_READ_BY = (("003040", "004069", "004010"), ("005010", "005059", "005010"))

#: From this release on dates are CCYYMMDD (element 373, DT 8/8); before, YYMMDD.
CENTURY_SINCE = "004010"


@lru_cache(maxsize=256)
def map_release(release: str) -> str:
    """The release of the map that reads `release` (the first six characters of GS08); "" when none does."""
    if not (len(release) == 6 and release.isascii() and release.isdigit()):
        return ""
    return next((name for first, last, name in _READ_BY if first <= release <= last), "")


@lru_cache(maxsize=256)
def has_short_dates(release: str) -> bool:
    """Whether a release writes dates without a century."""
    return bool(map_release(release)) and release < CENTURY_SINCE


def without_what_went(
    segments: tuple[str, ...], delimiters: Delimiters
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """A set of a release before 004010 without what its map knows no more; nothing we read is lost.

    That is NTE, a note, and the century (624) that stood before the format in DTM05. With it each segment's
    place as sent: the first for what stands before ST and after SE, counted from 1.
    """
    kept = [
        (place, _without_century(text, delimiters.element))
        for place, text in enumerate(segments, start=1)
        if not text.startswith(f"NTE{delimiters.element}")
    ]
    places = (0, *(place for place, _ in kept), len(segments) + 1)
    return places, tuple(text for _, text in kept)


def _without_century(text: str, separator: str) -> str:
    elements = text.split(separator)
    if elements[0] != "DTM" or len(elements) < 6 or not re.fullmatch(r"[0-9]{2}", elements[5]):
        return text
    del elements[5]
    return separator.join(elements).rstrip(separator)
