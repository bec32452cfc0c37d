"""Envelope checks: what must agree between ISA and IEA, GS and GE, ST and SE, as findings.

Each function takes the elements as sent (index 0 is the tag) and answers findings; none needs another's.
Control numbers of ISA/IEA and GS/GE are compared as integers, ST/SE character by character (spec section 3).
"""

import re
from collections.abc import Sequence

from edi import codes, limits
from edi.findings import Finding, FindingCode
from edi.numbers import same_number

_NINE_DIGITS = re.compile(r"[0-9]{9}", re.ASCII)
_VERSION = re.compile(r"[0-9]{5}", re.ASCII)
_GROUP_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


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


def check_gs(gs: Sequence[str], seen: set[str], offset: int) -> list[Finding]:
    """GS01 is known, GS08's release supported, GS06 (28) has its form and is new in `seen`, then joins it."""
    functional_id, number, version = element(gs, 1), element(gs, 6), element(gs, 8)
    found = []
    if functional_id not in codes.SETS_OF_GROUP:
        message = f"functional groups of kind {functional_id!r} (GS01) are not supported"
        found.append(_envelope(FindingCode.GROUP_UNSUPPORTED, message, "GS", "1", functional_id, offset))
    if version[:6] not in codes.RELEASES:
        message = f"version {version!r} (GS08) is not supported"
        found.append(_envelope(FindingCode.VERSION_UNSUPPORTED, message, "GS", "8", version, offset))
    if not _GROUP_NUMBER.fullmatch(number):
        message = f"GS06 is {number!r}, not one to nine digits"
        found.append(_envelope(FindingCode.GS_CONTROL_NUMBER, message, "GS", "6", number, offset))
    key = number.lstrip("0")
    if key in seen:
        message = f"GS06 {number} was used before in this interchange"
        found.append(_envelope(FindingCode.GROUP_NOT_UNIQUE, message, "GS", "6", number, offset))
    seen.add(key)
    return found


def check_ge(ge: Sequence[str] | None, number: str, sets: int, offset: int) -> list[Finding]:
    """GE is there, counts the sets (97) and repeats GS06 (28)."""
    if ge is None:
        message = f"functional group {number} has no GE"
        return [_envelope(FindingCode.GE_MISSING, message, "GE", "", "", offset)]
    found = []
    count, repeated = element(ge, 1), element(ge, 2)
    if not same_number(count, str(sets)):
        message = f"GE01 says {count or 'nothing'}, the group has {_counted(sets, 'transaction set')}"
        found.append(_envelope(FindingCode.GE_COUNT, message, "GE", "1", count, offset))
    if not same_number(repeated, number):
        message = f"GE02 is {repeated!r}, GS06 is {number!r}"
        found.append(_envelope(FindingCode.GE_CONTROL_NUMBER, message, "GE", "2", repeated, offset))
    return found


def check_st(st: Sequence[str], functional_id: str, seen: set[str], offset: int) -> list[Finding]:
    """ST01 belongs to GS01, ST02 (329) has 4 to 9 characters and is new in `seen`, which it joins."""
    kind, number = element(st, 1), element(st, 2)
    found = []
    wanted = codes.SETS_OF_GROUP.get(functional_id)
    if wanted is not None and kind not in wanted:
        message = f"transaction set {kind!r} does not belong into a {functional_id} group"
        found.append(_set(FindingCode.SET_NOT_IN_GROUP, message, "ST", 1, "1", kind, offset))
    if not 4 <= len(number) <= 9:
        message = f"ST02 is {number!r}, not four to nine characters"
        found.append(_set(FindingCode.ST_CONTROL_NUMBER, message, "ST", 1, "2", number, offset))
    if number in seen:
        message = f"ST02 {number} was used before in this group"
        found.append(_set(FindingCode.SET_NOT_UNIQUE, message, "ST", 1, "2", number, offset))
    seen.add(number)
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


def check_segment_sizes(segments: Sequence[str], offset: int) -> list[Finding]:
    """No segment is longer than `limits.segment_bytes_max`: beyond it a terminator was lost."""
    for position, segment in enumerate(segments, start=1):
        if len(segment) > limits.segment_bytes_max:
            message = f"segment {position} has {len(segment)} bytes, more than {limits.segment_bytes_max}"
            return [_set(FindingCode.LIMIT, message, segment[:3], position, "", "", offset)]
    return []


def stray(segments: Sequence[str], offset: int) -> Finding:
    """Segments that stand where only envelope segments may: between sets, or outside any group."""
    first = segments[0][: limits.excerpt_chars_max]
    plural = f"{len(segments)} segments stand" if len(segments) > 1 else "a segment stands"
    message = f"{plural} outside any transaction set or group: {first!r}"
    return _envelope(FindingCode.GROUP_STRUCTURE, message, segments[0][:3], "", first, offset)


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
