"""Interchanges: where each ISA to IEA of a file starts and ends, on bytes, and what lies between them.

X12 says nothing about what surrounds an interchange. Files come with byte order marks, blank lines, network
headers, several interchanges each with its own delimiters, and interchanges that break off; all of that is
sorted out here, in time linear in the file.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import lru_cache

from edi import envelope_checks, limits
from edi.delimiters import ISA_WIDTHS, Delimiters, Header, find
from edi.findings import Finding, FindingCode

# Where an ISA may start in a text: not inside a word, and followed by what can separate elements.
_ISA = re.compile(rb"(?<![A-Za-z0-9])ISA(?=[^A-Za-z0-9 \t\r\n\x00])")
# An ISA with every width right is one wherever it stands, even glued to a segment that was cut short.
_ISA_EXACT = re.compile(
    rb"ISA([^A-Za-z0-9 \r\n\x00])"
    + rb"\1".join(b"[^\r\n]{%d}" % width for width in ISA_WIDTHS[:15])
    + rb"\1[^A-Za-z0-9 ][^A-Za-z0-9 ]"
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WHITE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Span:
    """One interchange: bytes `start` to `end` of the file, opened by `header`."""

    start: int
    end: int
    header: Header


class Cuts:
    """What `cut` found, in file order: interchanges, findings about the rest, and the rest's spans."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._delimiters: set[Delimiters] = set()
        self.spans: list[Span] = []
        self.findings: list[Finding] = []
        self.outside: list[tuple[int, int]] = []

    def admits(self, delimiters: Delimiters) -> bool:
        """Whether these delimiters are among the first `limits.delimiters_per_file_max` of the file."""
        if len(self._delimiters) < limits.delimiters_per_file_max:
            self._delimiters.add(delimiters)
        return delimiters in self._delimiters

    def note(self, finding: Finding) -> None:
        """Keep a finding, up to `limits.findings_outside_max`; then say once that there are more."""
        if len(self.findings) < limits.findings_outside_max:
            self.findings.append(finding)
        elif len(self.findings) == limits.findings_outside_max:
            self.findings.append(envelope_checks.limit("more stands outside than is listed", finding.offset))

    def pass_over(self, start: int, end: int) -> None:
        """Account for the bytes between interchanges: white space in silence, the rest with a finding."""
        text = self._data[start:end].replace(_BYTE_ORDER_MARK, b"   ")
        length = len(text.strip(_WHITE))
        if not length:
            return
        first = start + len(text) - len(text.lstrip(_WHITE))
        self.outside.append((first, first + length))
        excerpt = self._data[first : first + min(length, limits.excerpt_chars_max)].decode("latin-1")
        message = f"{length} bytes stand outside ISA to IEA: {excerpt!r}"
        self.note(Finding(code=FindingCode.TEXT_OUTSIDE, message=message, value=excerpt, offset=first))


def cut(data: bytes) -> Cuts:
    """Cut a file into interchanges."""
    cuts = Cuts(data)
    exact = [match.start() for match in _ISA_EXACT.finditer(data)]
    position = 0
    while (found := _next_header(cuts, data, position, exact)) is not None:
        start, header = found
        cuts.pass_over(position, start)
        position = start
        if len(cuts.spans) == limits.interchanges_per_file_max:
            message = f"the file has more than {limits.interchanges_per_file_max} interchanges"
            cuts.findings.append(envelope_checks.limit(message, start))
            break
        if header.usable and not cuts.admits(header.delimiters):
            message = f"the file has more than {limits.delimiters_per_file_max} choices of delimiters"
            more = (*header.findings, envelope_checks.limit(message, start))
            header = replace(header, usable=False, findings=more)
        position = _end(data, start, header, _first_from(exact, start + 1, len(data)))
        cuts.spans.append(Span(start, position, header))
    cuts.pass_over(position, len(data))
    return cuts


def _first_from(starts: list[int], position: int, otherwise: int) -> int:
    index = bisect_left(starts, position)
    return starts[index] if index < len(starts) else otherwise


def _next_header(cuts: Cuts, data: bytes, position: int, exact: list[int]) -> tuple[int, Header] | None:
    """The first ISA from `position` on that shows its 16 separators; broken ones are noted on the way."""
    certain = _first_from(exact, position, len(data))
    for match in _ISA.finditer(data, position, certain):
        start = match.start()
        header = find(data, start)
        if isinstance(header, Header):
            return start, header
        if start == position or data[start - 1 : start] in (b"\r", b"\n", b"\xbf"):
            cuts.note(header)
    header_at = find(data, certain) if certain < len(data) else None
    return (certain, header_at) if isinstance(header_at, Header) else None


def _end(data: bytes, start: int, header: Header, bound: int) -> int:
    """One past the last byte: after IEA's terminator, else where the next ISA starts, else `bound`."""
    if not header.usable:
        later = _ISA.search(data, start + 3, bound)
        return later.start() if later else bound
    closing = _closing(header.delimiters).search(data, header.end - 1, bound)
    if closing is None:
        return bound
    if closing.lastgroup == "ISA":
        return closing.start("ISA")
    terminator = header.delimiters.terminator.encode("latin-1")
    last = data.find(terminator, closing.end(), bound)
    return bound if last < 0 else last + 1


def is_closed(data: bytes, span: Span) -> bool:
    """Whether an interchange ends with an IEA and its terminator. Only for a header that is usable."""
    closing = _closing(span.header.delimiters).search(data, span.header.end - 1, span.end)
    if closing is None or closing.lastgroup != "IEA":
        return False
    return data.find(span.header.delimiters.terminator.encode("latin-1"), closing.end(), span.end) >= 0


@lru_cache(maxsize=limits.delimiters_per_file_max)
def _closing(delimiters: Delimiters) -> re.Pattern[bytes]:
    """IEA, or the ISA of a next interchange, as the first thing after a terminator; IEA may be wrapped."""
    terminator = re.escape(delimiters.terminator.encode("latin-1"))
    separator = re.escape(delimiters.element.encode("latin-1"))
    newlines = delimiters.newlines.encode("latin-1")
    wrap = b"[%s]*" % newlines if newlines else b""
    blanks = b"[%s ]*" % (newlines + delimiters.blanks.encode("latin-1"))
    iea = b"(?P<IEA>I" + wrap + b"E" + wrap + b"A)(?=" + wrap + b"(?:%s|%s))" % (separator, terminator)
    isa = rb"(?P<ISA>ISA)(?=[^A-Za-z0-9 \t\r\n\x00])"
    return re.compile(terminator + blanks + b"(?:" + iea + b"|" + isa + b")")
