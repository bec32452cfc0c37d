"""Write 997: the functional acknowledgment of one group we received, from the findings about its sets."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import MappingProxyType

from edi import limits
from edi.envelope import FunctionalGroup, Interchange, TransactionSet
from edi.findings import Finding, Level
from edi.write_envelope import ControlNumbers, Form, clean, echo, route_back, segment, write_set

#: Codes newer than 004010, by acknowledging segment, with the nearest that 004010 has (spec 1.7 and 1.12).
_OLDER = MappingProxyType(
    {
        "AK3": {"10": "8"},
        "AK4": {"12": "3", "13": "3", "16": "3"},
        "AK5": {"18": "6"},
        "AK9": {"7": "1", "8": "1", "9": "1"},
    }
)
# Element 719 (AK302) is N0 1/10 in 005010.
_position_max_005010 = 9_999_999_999
# Element 447 (AK303) is AN 1/6 in 004010, but 1/4 in 005010 and in health care's 004010 guides.
_loop_chars_max = 4

_SEGMENTS_IN_ERROR = "5"  # AK502, element 718
_ELEMENT_ERRORS = "8"  # AK304, element 720

_PLACE = re.compile(r"0*([1-9][0-9]?)(?:-0*([1-9][0-9]?))?", re.ASCII)
_REFERENCE = re.compile(r"[0-9]{1,4}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)


def set_verdict(findings: Sequence[Finding]) -> str:
    """AK501 (717) of a set with these findings: R for any error, E for warnings that have a code, else A."""
    if any(finding.is_error for finding in findings):
        return "R"
    noted = any(finding.level is Level.WARNING and finding.code.answer for finding in findings)
    return "E" if noted else "A"


def group_verdict(group: FunctionalGroup, set_findings: Sequence[Sequence[Finding]]) -> str:
    """AK901 (715): R for a fault of the group itself or when every set is R, P when some are, E, or A."""
    if any(finding.is_error for finding in group.findings):
        return "R"
    verdicts = {set_verdict(findings) for findings in set_findings}
    if "R" in verdicts:
        return "P" if len(verdicts) > 1 else "R"
    return "E" if "E" in verdicts else "A"


def write(
    interchange: Interchange,
    group: FunctionalGroup,
    set_findings: Sequence[Sequence[Finding]],
    *,
    numbers: ControlNumbers,
    at: datetime,
) -> bytes:
    """The interchange, ISA to IEA, with the 997 that answers `group`, one AK2 for each of its sets.

    `set_findings[i]` are all findings of `group.sets[i]`. ValueError when there are not as many of them as
    sets, and for a group of acknowledgments (GS01 FA), which is never acknowledged.
    """
    if group.functional_id == "FA":
        raise ValueError("a group of functional acknowledgments is never acknowledged")
    route = route_back(interchange, group)
    form = route.form
    functional_id, number = echo(group.functional_id, form, "00"), echo(group.control_number, form, "0")
    body = [segment("AK1", functional_id, number, _only_5010(group.version, form, 12))]
    verdict = group_verdict(group, set_findings)
    group_fails = any(finding.is_error for finding in group.findings)
    for transaction_set, findings in zip(group.sets, set_findings, strict=True):
        body += _set_response(transaction_set, findings, form, group_fails=group_fails)
    body.append(_group_response(group, set_findings, verdict, form))
    return write_set(route, body, functional_id="FA", set_type="997", numbers=numbers, at=at)


def legal(answer: str, code: str, release: str) -> str:
    """A code for an acknowledging segment (AK3, AK4, AK5, AK9) as the release has it in its list."""
    return code if release == "005010" else _OLDER.get(answer, {}).get(code, code)


def _set_response(
    transaction_set: TransactionSet, findings: Sequence[Finding], form: Form, *, group_fails: bool
) -> list[str]:
    """AK2 to AK5 of one set; AK5 is R whatever the set when its group fails."""
    kind = echo(transaction_set.type, form, "000")
    number = echo(transaction_set.control_number, form, "0000")
    ak2 = segment("AK2", kind, number, _only_5010(transaction_set.implementation, form, 35))
    codes = _codes("AK5", findings, form)
    # A passed limit (its own answer is a TA1) is a segment in error, seen from the set.
    if any(finding.code.answer in ("AK3", "AK4", "TA1") for finding in findings):
        codes = _ascending({*codes, _SEGMENTS_IN_ERROR})
    verdict = "R" if group_fails else set_verdict(findings)
    ak5 = segment("AK5", verdict, *codes[: limits.codes_per_ak5_max])
    return [ak2, *_segment_notes(findings, form), ak5]


def _group_response(
    group: FunctionalGroup, set_findings: Sequence[Sequence[Finding]], verdict: str, form: Form
) -> str:
    """AK9: the verdict (715), sets declared (97), received (123) and accepted (2), and the group's codes."""
    received = str(len(group.sets))
    declared = group.declared_count if _COUNT.fullmatch(group.declared_count) else received
    accepted = sum(set_verdict(findings) != "R" for findings in set_findings) if verdict != "R" else 0
    codes = _codes("AK9", group.findings, form)
    return segment("AK9", verdict, declared, received, str(accepted), *codes[: limits.codes_per_ak9_max])


def _codes(answer: str, findings: Iterable[Finding], form: Form) -> list[str]:
    """The codes for AK5 (718) or AK9 (716) of those findings that go there, each once, ascending."""
    found = (finding.code for finding in findings if finding.code.answer == answer)
    return _ascending({legal(answer, code.x12, form.release) for code in found})


def _ascending(codes: set[str]) -> list[str]:
    return sorted(codes, key=int)


def _segment_notes(findings: Iterable[Finding], form: Form) -> list[str]:
    """AK3 for each offending segment with a position that can be written, in order, AK4s under their AK3."""
    most = limits.ak3_position_max_004010 if form.release == "004010" else _position_max_005010
    places: dict[tuple[int, str], list[Finding]] = {}
    for finding in findings:
        if finding.code.answer in ("AK3", "AK4") and 0 < finding.position <= most:
            places.setdefault((finding.position, finding.segment), []).append(finding)
    notes: list[str] = []
    for _, found in sorted(places.items(), key=lambda place: place[0][0]):
        own = [one for one in found if one.code.answer == "AK3"]
        notes += dict.fromkeys(_ak3(one, legal("AK3", one.code.x12, form.release), form) for one in own)
        inner = [one for one in found if one.code.answer == "AK4"]
        if inner:
            known = next((one for one in inner if one.loop), inner[0])
            notes.append(_ak3(known, _ELEMENT_ERRORS, form))
            lines = dict.fromkeys(_ak4(one, form) for one in inner if _PLACE.fullmatch(one.element))
            notes += list(lines)[: limits.ak4_per_ak3_max]
    return notes


def _ak3(finding: Finding, code: str, form: Form) -> str:
    """AK3: tag (721), position (719), loop (447), code (720). A tag of less than two characters is filled."""
    tag = f"{clean(finding.segment, form, 3):?<2}"
    loop = clean(finding.loop.removesuffix("_LOOP"), form, limits.bad_value_chars_max)
    return segment("AK3", tag, str(finding.position), loop if len(loop) <= _loop_chars_max else "", code)


def _ak4(finding: Finding, form: Form) -> str:
    """AK4: place (C030), element number (725; a composite's is no number), code (723), bad value (724)."""
    place = _PLACE.fullmatch(finding.element)
    parts = [part for part in place.groups() if part] if place else []
    reference = finding.reference if _REFERENCE.fullmatch(finding.reference) else ""
    code = legal("AK4", finding.code.x12, form.release)
    value = clean(finding.value, form, limits.bad_value_chars_max)
    return segment("AK4", form.delimiters.component.join(parts), reference, code, value)


def _only_5010(value: str, form: Form, chars_max: int) -> str:
    """AK103 (480) and AK203 (1705) came with 005010."""
    return clean(value, form, chars_max) if form.release == "005010" else ""
