"""Delimiters: the four separators an ISA announces, found by counting elements, on bytes."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from edi import limits
from edi.findings import Finding, FindingCode

#: Widths of ISA01 to ISA16 in bytes (X12.5; spec 1.1).
ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)

#: From this release (ISA12) on, ISA11 is the repetition separator; before, it named the standards body.
REPETITION_SINCE = "00402"

_AFTER_ISA = re.compile(rb"[ \t\r\n]*(GS|TA1|IEA)")
# A line end between ISA16 and what must be the terminator, for an envelope segment follows that.
_BROKEN = re.compile(rb"[\r\n]+([^A-Za-z0-9 \t\r\n])(?=[\r\n]*(?:G[\r\n]*S|TA1|IEA))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimiters:
    """One latin-1 character each; `repetition` is "" where the release has none (before 00402)."""

    element: str
    component: str
    terminator: str
    repetition: str = ""

    def __contains__(self, character: str) -> bool:
        return character in (self.element, self.component, self.terminator, self.repetition)

    @property
    def newlines(self) -> str:
        """CR and LF, save one that is itself a delimiter: noise wherever it stands (spec section 3)."""
        return "".join(c for c in "\r\n" if c not in self)

    @property
    def blanks(self) -> str:
        """What may surround a segment without being part of it: space and tab, unless tab is a delimiter."""
        return "".join(c for c in " \t" if c not in self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """An ISA as read: `elements` are ISA01 to ISA16 as sent; `end` is one past its terminator."""

    elements: tuple[str, ...]
    delimiters: Delimiters
    end: int
    findings: tuple[Finding, ...]
    usable: bool  #: whether the delimiters can be trusted to split what follows


def find(data: bytes, offset: int) -> Header | Finding:
    """Read the ISA at `offset` by counting its 16 separators, so that one with lost padding is diagnosed.

    A Finding (ISA_MALFORMED) when there are no 16 separators within `limits.isa_bytes_max`. CR and LF inside
    ISA01 to ISA15 are dropped: files wrapped at 80 columns break the ISA too.
    """
    window = data[offset : offset + limits.isa_bytes_max]
    separator = window[3:4]
    parts = window.split(separator, 16) if separator else [window]
    tail = parts[16].lstrip(b"\r\n") if len(parts) == 17 else b""
    if len(tail) < 2:
        return _malformed(offset, f"ISA shows {len(parts) - 1} of its 16 separators and no terminator")
    head = window[4 : len(window) - len(parts[16]) - 1].translate(None, b"\r\n").decode("latin-1")
    values = head.split(separator.decode("latin-1")) if separator not in b"\r\n" else [""] * 15
    broken = _BROKEN.match(tail, 1)
    at = 1 if broken is None or broken[1] in (separator, tail[:1]) else broken.start(1)
    end = offset + len(window) - len(tail) + at + 1
    repetition = _repetition(values[10], values[11])
    marks = (separator + tail[:1] + tail[at : at + 1]).decode("latin-1") + repetition
    delimiters, doubts = _delimiters(marks)
    findings = [_same_or_data(message, value, offset) for message, value in doubts] + _widths(values, offset)
    if not findings and _component_is_terminator(data, end, delimiters):
        message = f"ISA16 is missing: the next segment ends with {delimiters.component!r} before its line end"
        findings.append(_malformed(offset, message, element="16"))
    usable = not doubts and (not findings or _AFTER_ISA.match(data, end) is not None)
    return Header(
        elements=(*values, delimiters.component),
        delimiters=delimiters,
        end=end,
        findings=tuple(findings),
        usable=usable,
    )


@lru_cache(maxsize=limits.delimiters_per_file_max)
def _delimiters(marks: str) -> tuple[Delimiters, tuple[tuple[str, str], ...]]:
    """Element, component, terminator and perhaps repetition, and what makes them doubtful."""
    delimiters = Delimiters(element=marks[0], component=marks[1], terminator=marks[2], repetition=marks[3:])
    return delimiters, tuple(_ambiguous(delimiters))


def lenient(header: Header) -> Header:
    """The same header with lost or doubled padding as warnings, where it can be read all the same."""
    damaged = [finding.element for finding in header.findings if finding.code is FindingCode.ISA_MALFORMED]
    if not header.usable or not damaged or "16" in damaged:
        return header
    findings = [
        replace(finding, code=FindingCode.ISA_PADDING)
        if finding.code is FindingCode.ISA_MALFORMED
        else finding
        for finding in header.findings
    ]
    return replace(header, findings=tuple(findings))


def _repetition(standards_id: str, version: str) -> str:
    """ISA11 separates repetitions from 00402 on, unless it still holds a standards id ("U") or a blank."""
    if version < REPETITION_SINCE or len(standards_id) != 1 or standards_id in " \t":
        return ""
    return "" if standards_id.isascii() and standards_id.isalnum() else standards_id


def _ambiguous(delimiters: Delimiters) -> list[tuple[str, str]]:
    """They must differ and be neither letters, digits, blanks nor NUL: (what is wrong, which one)."""
    named = {
        "element separator": delimiters.element,
        "component separator": delimiters.component,
        "segment terminator": delimiters.terminator,
        "repetition separator": delimiters.repetition,
    }
    for name, value in named.items():
        if value and (value in " \x00" or (value.isascii() and value.isalnum())):
            return [(f"the {name} is {value!r}, which can be part of data", value)]
    used = [value for value in named.values() if value]
    for value in used:
        if used.count(value) > 1:
            names = " and ".join(name for name, other in named.items() if other == value)
            return [(f"{value!r} is both {names}", value)]
    return []


def _same_or_data(message: str, value: str, offset: int) -> Finding:
    return Finding(code=FindingCode.DELIMITERS, message=message, segment="ISA", value=value, offset=offset)


def _widths(values: list[str], offset: int) -> list[Finding]:
    """One finding per element that has not its fixed width; any of them moves the terminator off byte 106."""
    if tuple(map(len, values)) == ISA_WIDTHS[:15]:
        return []
    return [
        _malformed(
            offset,
            f"ISA{number:02} has {len(value)} characters, not {width}",
            element=str(number),
            value=value,
        )
        for number, (value, width) in enumerate(zip(values, ISA_WIDTHS, strict=False), start=1)
        if len(value) != width
    ]


def _component_is_terminator(data: bytes, end: int, delimiters: Delimiters) -> bool:
    """Whether ISA16 was left out, so that the real terminator was read as the component separator."""
    if delimiters.terminator not in "\r\n":
        return False
    following = data[end : end + limits.isa_bytes_max].lstrip(b"\r\n \t")
    line = following.split(b"\r", 1)[0].split(b"\n", 1)[0]
    return line[:2] in (b"GS", b"TA") and line.endswith(delimiters.component.encode("latin-1"))


def _malformed(offset: int, message: str, *, element: str = "", value: str = "") -> Finding:
    return Finding(
        code=FindingCode.ISA_MALFORMED,
        message=message,
        segment="ISA",
        element=element,
        value=value,
        offset=offset,
    )
