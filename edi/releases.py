"""Releases: which of our maps reads a version (GS08), the nearest one where there is none of its own."""

#: First and last release read by a map, and the map's release. Between them the order sets changed by single
#: elements and codes, which the map then names. 004020 to 004062 are closer to 004010 than to 005010.
_READ_BY = (("003040", "004069", "004010"), ("005010", "005059", "005010"))

#: From this release on dates are CCYYMMDD (element 373, DT 8/8); before, YYMMDD.
CENTURY_SINCE = "004010"


def map_release(release: str) -> str:
    """The release of the map that reads `release` (the first six characters of GS08); "" when none does."""
    if not (len(release) == 6 and release.isascii() and release.isdigit()):
        return ""
    return next((name for first, last, name in _READ_BY if first <= release <= last), "")


def has_short_dates(release: str) -> bool:
    """Whether a release writes dates without a century."""
    return bool(map_release(release)) and release < CENTURY_SINCE
