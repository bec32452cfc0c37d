"""Envelope checks: what must agree between ISA and IEA, GS and GE, ST and SE, as findings.

Each function takes the elements as sent (index 0 is the tag) and answers findings; none needs another's. For
groups they come one at a time, as it may be enough to know whether there is any.
Control numbers of ISA/IEA and GS/GE are compared as integers, ST/SE character by character (spec section 3).
"""

import re
from collections.abc import Iterator, Sequence

from edi import codes, limits, releases
from edi.findings import Finding, FindingCode
from edi.numbers import same_number
from edi.segments import Oversized

_NINE_DIGITS = re.compile(r"[0-9]{9}", re.ASCII)
_VERSION = re.compile(r"[0-9]{5}", re.ASCII)
_GROUP_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9]{0,3}")


def element(elements: Sequence[str], number: int) -> str:
    """The element at its X12 number (1 is the first after the tag); "" when the segment ends before it."""
    return elements[number] if number < len(elements) else ""


def check_isa(elements: Sequence[str], offset: int) -> list[Finding]:
    """ISA12 (I11) is five digits; ISA13 (I12) nine. `elements` are ISA01 to ISA16, without the tag."""
    version, control_number = elements[11], elements[12]
    found = []
    if not _VERSION.fullmatch(version):
        message = f"ISA12 is {version!r}, not a version of five digits"
        found.append(_envelope(FindingCode.ISA_VERSION, message, "ISA", "12", version, offset))
    if not _NINE_DIGITS.fullmatch(control_number):
        message = f"ISA13 is {control_number!r}, not nine digits"
        found.append(_envelope(FindingCode.ISA_CONTROL_NUMBER, message, "ISA", "13", control_number, offset))
    return found


def check_iea(iea: Sequence[str] | None, control_number: str, groups: int, offset: int) -> list[Finding]:
    """IEA is there, counts the groups (I16) and repeats ISA13 (I12); `offset` is where it was missed."""
    if iea is None:
        message = f"interchange {control_number} breaks off without its IEA"
        return [_envelope(FindingCode.IEA_MISSING, message, "IEA", "", "", offset)]
    found = []
    count, repeated = element(iea, 1), element(iea, 2)
    if not same_number(count, str(groups)):
        message = (
            f"IEA01 says {count or 'nothing'}, the interchange has {_counted(groups, 'functional group')}"
        )
        found.append(_envelope(FindingCode.IEA_COUNT, message, "IEA", "1", count, offset))
    if not same_number(repeated, control_number):
        message = f"IEA02 is {repeated!r}, ISA13 is {control_number!r}"
        found.append(_envelope(FindingCode.IEA_CONTROL_NUMBER, message, "IEA", "2", repeated, offset))
    return found


def check_gs(gs: Sequence[str], offset: int, *, repeated: bool) -> Iterator[Finding]:
    """GS01 is known, GS08's release has a map or a near one, GS06 (28) has its form and is new."""
    functional_id, number, version = element(gs, 1), element(gs, 6), element(gs, 8)
    if functional_id not in codes.SETS_OF_GROUP:
        message = f"functional groups of kind {functional_id!r} (GS01) are not supported"
        yield _envelope(FindingCode.GROUP_UNSUPPORTED, message, "GS", "1", functional_id, offset)
    yield from _check_release(version, offset)
    if not _GROUP_NUMBER.fullmatch(number):
        message = f"GS06 is {number!r}, not one to nine digits"
        yield _envelope(FindingCode.GS_CONTROL_NUMBER, message, "GS", "6", number, offset)
    if repeated:
        message = f"GS06 {number} was used before in this interchange for such a group"
        yield _envelope(FindingCode.GROUP_NOT_UNIQUE, message, "GS", "6", number, offset)


def _check_release(version: str, offset: int) -> list[Finding]:
    """The release is one of our maps', or is read by the nearest of them, or cannot be read."""
    release = version[:6]
    read_by = releases.map_release(release)
    if not read_by:
        message = f"version {version!r} (GS08) is not supported"
        return [_envelope(FindingCode.VERSION_UNSUPPORTED, message, "GS", "8", version, offset)]
    if read_by == release:
        return []
    message = f"version {version!r} (GS08) has no map of its own here and is read by that of {read_by}"
    return [_envelope(FindingCode.RELEASE_NEIGHBOUR, message, "GS", "8", version, offset)]


def check_ge(ge: Sequence[str] | None, number: str, sets: int, offset: int) -> Iterator[Finding]:
    """GE is there, counts the sets (97) and repeats GS06 (28)."""
    if ge is None:
        message = f"functional group {number} has no GE"
        yield _envelope(FindingCode.GE_MISSING, message, "GE", "", "", offset)
        return
    count, repeated = element(ge, 1), element(ge, 2)
    if not same_number(count, str(sets)):
        message = f"GE01 says {count or 'nothing'}, the group has {_counted(sets, 'transaction set')}"
        yield _envelope(FindingCode.GE_COUNT, message, "GE", "1", count, offset)
    if not same_number(repeated, number):
        message = f"GE02 is {repeated!r}, GS06 is {number!r}"
        yield _envelope(FindingCode.GE_CONTROL_NUMBER, message, "GE", "2", repeated, offset)


def set_agrees(
    st: Sequence[str], se: Sequence[str] | None, allowed: Sequence[str] | None, segments: int
) -> bool:
    """Whether `check_st`, `check_se` and `check_sizes` find nothing, in the form nearly all sets have."""
    if se is None or len(st) < 3 or len(se) < 3 or segments > limits.segments_per_set_max:
        return False
    number = st[2]
    known = allowed is None or st[1] in allowed
    return known and 4 <= len(number) <= 9 and se[2] == number and se[1] == str(segments)


def check_st(st: Sequence[str], functional_id: str, offset: int, *, repeated: bool) -> list[Finding]:
    """ST01 belongs to GS01, ST02 (329) has 4 to 9 characters and is new."""
    kind, number = element(st, 1), element(st, 2)
    found = []
    wanted = codes.SETS_OF_GROUP.get(functional_id)
    if wanted is not None and kind not in wanted:
        message = f"transaction set {kind!r} does not belong into a {functional_id} group"
        found.append(_set(FindingCode.SET_NOT_IN_GROUP, message, "ST", 1, "1", kind, offset))
    if not 4 <= len(number) <= 9:
        message = f"ST02 is {number!r}, not four to nine characters"
        found.append(_set(FindingCode.ST_CONTROL_NUMBER, message, "ST", 1, "2", number, offset))
    if repeated:
        message = f"ST02 {number} was used before in this group"
        found.append(_set(FindingCode.SET_NOT_UNIQUE, message, "ST", 1, "2", number, offset))
    return found


def check_se(se: Sequence[str] | None, number: str, segments: int, offset: int) -> list[Finding]:
    """SE is there, counts the segments from ST to SE (96) and repeats ST02 (329)."""
    if se is None:
        message = f"transaction set {number} has no SE"
        return [_set(FindingCode.SE_MISSING, message, "SE", segments + 1, "", "", offset)]
    found = []
    count, repeated = element(se, 1), element(se, 2)
    if not same_number(count, str(segments)):
        message = f"SE01 says {count or 'nothing'}, the set has {_counted(segments, 'segment')}"
        found.append(_set(FindingCode.SE_COUNT, message, "SE", segments, "1", count, offset))
    if repeated != number:
        message = f"SE02 is {repeated!r}, ST02 is {number!r}"
        found.append(_set(FindingCode.SE_CONTROL_NUMBER, message, "SE", segments, "2", repeated, offset))
    return found


def check_sizes(segments: int, oversized: Oversized | None, offset: int) -> list[Finding]:
    """A set has no more segments, and no segment more bytes or elements, than `limits` allow."""
    found = []
    if segments > limits.segments_per_set_max:
        message = f"the set has {segments} segments, more than {limits.segments_per_set_max}"
        found.append(_set(FindingCode.LIMIT, message, "ST", 1, "", "", offset))
    if oversized is not None:
        position, start = oversized.position, oversized.start
        message = f"segment {position} has {oversized.size} bytes, more than {limits.segment_bytes_max}"
        if oversized.elements > limits.elements_per_segment_max:
            most = limits.elements_per_segment_max
            message = f"segment {position} has {oversized.elements} elements, more than {most}"
        found.append(_set(FindingCode.LIMIT, message, start, position, "", "", offset))
    return found


def stray(segment: str, number: int, offset: int) -> Finding:
    """Segments, `number` of them, that stand where only envelope segments may; `segment` is the first."""
    first = segment[: limits.excerpt_chars_max]
    plural = f"{number} segments stand" if number > 1 else "a segment stands"
    message = f"{plural} outside any transaction set or group: {first!r}"
    found = _TAG.match(segment)
    tag = found[0] if found else ""
    return _envelope(FindingCode.GROUP_STRUCTURE, message, tag, "", first, offset)


def limit(message: str, offset: int) -> Finding:
    """A bound of `edi.limits` was passed."""
    return _envelope(FindingCode.LIMIT, message, "", "", "", offset)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _envelope(code: FindingCode, message: str, segment: str, number: str, value: str, offset: int) -> Finding:
    return Finding(code=code, message=message, segment=segment, element=number, value=value, offset=offset)


def _set(
    code: FindingCode, message: str, segment: str, position: int, number: str, value: str, offset: int
) -> Finding:
    return Finding(
        code=code,
        message=message,
        segment=segment,
        position=position,
        element=number,
        value=value,
        offset=offset,
    )
