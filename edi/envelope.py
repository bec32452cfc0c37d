"""Envelopes: ISA/GS/ST nesting, control numbers and counts, from bytes to typed interchanges.

An Interchange holds FunctionalGroups, which hold TransactionSets; each keeps the findings about itself.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from edi import envelope_checks, limits
from edi.delimiters import Delimiters
from edi.findings import Finding, FindingCode
from edi.interchanges import Span, cut
from edi.segments import Splitter, tag_of


@dataclass(frozen=True, slots=True)
class Address:
    """An interchange address: qualifier (I05) and id (I06/I07) with the padding blanks removed."""

    qualifier: str
    id: str

    def __str__(self) -> str:
        return f"{self.qualifier}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionSet:
    """ST to SE. `segments` are latin-1 texts without terminator, CR and LF; index 0 is ST."""

    type: str  # ST01, element 143
    control_number: str  # ST02, element 329, as sent
    delimiters: Delimiters
    segments: tuple[str, ...]
    offset: int  # of ST's first byte in the file
    findings: tuple[Finding, ...]  # about its own envelope: AK5 codes
    implementation: str = ""  # ST03, element 1705


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionalGroup:
    """GS to GE."""

    functional_id: str  # GS01, element 479
    sender: str  # GS02
    receiver: str  # GS03
    control_number: str  # GS06, as sent
    version: str  # GS08 as sent, e.g. 004010VICS
    agency: str  # GS07
    declared_count: str  # GE01 as sent; empty when GE is missing
    sets: tuple[TransactionSet, ...]
    findings: tuple[Finding, ...]  # about the group itself: AK9 codes
    offset: int

    @property
    def release(self) -> str:
        """The first six characters of GS08: the release of the dictionary, e.g. 004010."""
        return self.version[:6]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interchange:
    """ISA to IEA (or to where the file broke off)."""

    sender: Address
    receiver: Address
    date: str  # ISA09, YYMMDD as sent
    time: str  # ISA10, HHMM as sent
    version: str  # ISA12
    control_number: str  # ISA13 as sent
    acknowledgment_requested: bool  # ISA14
    usage: str  # ISA15
    delimiters: Delimiters
    groups: tuple[FunctionalGroup, ...]
    findings: tuple[Finding, ...]  # about the interchange itself: TA1 codes
    offset: int  # of ISA's first byte in the file
    end: int  # one past its last byte
    content_hash: str  # SHA-256, hex, of the bytes from offset to end
    ta1: tuple[str, ...] = ()  # TA1 segments under ISA, as sent: answers to interchanges of ours


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything in one file: `findings` are about bytes outside any interchange.

    `outside` are the spans (first byte, one past the last) that lie in no interchange and are no white space;
    each is named in a finding, so that no byte of the file goes unmentioned.
    """

    interchanges: tuple[Interchange, ...]
    findings: tuple[Finding, ...]
    outside: tuple[tuple[int, int], ...] = ()


def read(data: bytes) -> Reading:
    """Read every interchange of a file, each with its own delimiters; nothing a sender can write raises.

    Known white space outside interchanges (blanks, tabs, CR, LF, a UTF-8 byte order mark) is passed over in
    silence; any other byte there is named in a TEXT_OUTSIDE finding. An interchange whose own findings hold
    an error keeps the groups that could be read, for people to look at; they are not to be used.
    """
    if len(data) > limits.file_bytes_max:
        message = f"the file has {len(data)} bytes, more than {limits.file_bytes_max}"
        return Reading((), (envelope_checks.limit(message, 0),), ((0, len(data)),))
    cuts = cut(data)
    if not cuts.spans:
        message = "the file holds no interchange" if data else "the file is empty"
        cuts.findings.append(Finding(code=FindingCode.NO_INTERCHANGE, message=message))
    interchanges = tuple([_interchange(data, span) for span in cuts.spans])
    return Reading(interchanges, tuple(cuts.findings), tuple(cuts.outside))


def content_hash_of_set(transaction_set: TransactionSet) -> str:
    """SHA-256, hex, of what a set says between ST and SE, whatever its delimiters and control numbers.

    Trailing empty elements do not count (spec 2.6). Separators become characters outside latin-1, so that no
    data can pass for one.
    """
    delimiters = transaction_set.delimiters
    last = transaction_set.segments[-1:]
    closed = len(transaction_set.segments) > 1 and tag_of(last[0], delimiters) == "SE"
    body = transaction_set.segments[1 : -1 if closed else None]
    separator = delimiters.element
    text = "\u241e".join([segment.rstrip(separator) for segment in body])
    text = text.replace(separator, "\u241f").replace(delimiters.component, "\u241c")
    if delimiters.repetition:
        text = text.replace(delimiters.repetition, "\u241d")
    return sha256(text.encode("utf-8")).hexdigest()


def _interchange(data: bytes, span: Span) -> Interchange:
    header = span.header
    isa = header.elements
    contents = _Contents(data, span, isa[12])
    for finding in (*header.findings, *envelope_checks.check_isa(isa, span.start)):
        contents.note(finding)
    if header.usable:
        contents.read()
    return Interchange(
        sender=Address(isa[4].rstrip(" "), isa[5].rstrip(" ")),
        receiver=Address(isa[6].rstrip(" "), isa[7].rstrip(" ")),
        date=isa[8],
        time=isa[9],
        version=isa[11],
        control_number=isa[12],
        acknowledgment_requested=isa[13] == "1",
        usage=isa[14],
        delimiters=header.delimiters,
        groups=tuple(contents.groups),
        findings=tuple(contents.findings),
        offset=span.start,
        end=span.end,
        content_hash=sha256(memoryview(data)[span.start : span.end]).hexdigest(),
        ta1=tuple(contents.ta1),
    )


@lru_cache(maxsize=64)
def _marks(delimiters: Delimiters) -> re.Pattern[str]:
    """The segments that make up the envelope, wherever they start; a line end may stand even inside a tag."""
    terminator, separator = re.escape(delimiters.terminator), re.escape(delimiters.element)
    wrap = f"[{delimiters.newlines}]*" if delimiters.newlines else ""
    noise = f"[{delimiters.newlines}{delimiters.blanks}]*"
    tags = f"G{wrap}[SE]|S{wrap}[TE]|I{wrap}E{wrap}A|T{wrap}A{wrap}1"
    return re.compile(rf"(?:\A|{terminator}){noise}({tags})(?={wrap}{separator}|{noise}(?:{terminator}|\Z))")


class _Contents:
    """Reads what lies between ISA and IEA: one pass over the envelope segments, the rest is cut per set.

    `_claimed` is how far the text is accounted for; `_gs` and `_st` hold the open group and set, if any.
    """

    def __init__(self, data: bytes, span: Span, control_number: str) -> None:
        self.groups: list[FunctionalGroup] = []
        self.ta1: list[str] = []
        self.findings: list[Finding] = []
        self._delimiters = span.header.delimiters
        self._splitter = Splitter(self._delimiters)
        self._base = span.header.end
        self._text = data[span.header.end : span.end].decode("latin-1") if span.header.usable else ""
        self._control_number = control_number
        self._claimed = 0
        self._gs: list[str] | None = None
        self._gs_at = 0
        self._gs_findings: list[Finding] = []
        self._group_numbers: set[str] = set()
        self._st_at: int | None = None
        self._sets: list[TransactionSet] = []
        self._sets_count = 0
        self._set_numbers: set[str] = set()
        self._iea: list[str] | None = None

    def note(self, finding: Finding) -> None:
        """Keep a finding about the interchange, up to the limit; then say once that there are more."""
        if len(self.findings) < limits.findings_per_interchange_max:
            self.findings.append(finding.at(interchange=self._control_number))
        elif len(self.findings) == limits.findings_per_interchange_max:
            more = envelope_checks.limit("the interchange has more faults than are listed", finding.offset)
            self.findings.append(more.at(interchange=self._control_number))

    def read(self) -> None:
        """Read the whole interchange."""
        text = self._text
        for match in _marks(self._delimiters).finditer(text):
            tag = match[1] if match[1].isalnum() else match[1].replace("\r", "").replace("\n", "")
            if self._is_full(tag, match.start(1)):
                return
            self._take(tag, match.start(1))
        self._end_group(None, len(text))
        self._pass_over(len(text))
        for finding in envelope_checks.check_iea(
            self._iea, self._control_number, len(self.groups), self._base + len(text)
        ):
            self.note(finding)

    def _is_full(self, tag: str, at: int) -> bool:
        """Whether this segment opens a group or set beyond the limit."""
        sets, sets_max = self._sets_count + (self._st_at is not None), limits.sets_per_interchange_max
        groups, groups_max = len(self.groups) + (self._gs is not None), limits.groups_per_interchange_max
        if not ((tag == "ST" and sets >= sets_max) or (tag == "GS" and groups >= groups_max)):
            return False
        message = f"the interchange has more than {groups_max} groups or {sets_max} transaction sets"
        self.note(envelope_checks.limit(message, self._base + at))
        return True

    def _take(self, tag: str, at: int) -> None:
        """One envelope segment: what it closes and opens. What nothing claims becomes a finding."""
        if tag == "SE":
            if self._st_at is not None:
                self._end_set(self._past(at), closed=True)
        elif tag == "ST":
            self._end_set(at, closed=False)
            if self._gs is not None:
                self._pass_over(at)
                self._st_at = at
        elif tag == "GS":
            self._end_group(None, at)
            self._pass_over(at)
            self._start_group(at)
        elif tag == "GE":
            self._end_set(at, closed=False)
            if self._gs is not None:
                self._pass_over(at)
                self._end_group(self._elements(at), at)
                self._claimed = self._past(at)
        elif tag == "TA1":
            if self._st_at is None and self._gs is None:
                self._pass_over(at)
                self.ta1.append(self._splitter.split(self._text[at : self._past(at)])[0])
                self._claimed = self._past(at)
        elif self._iea is None:
            self._end_group(None, at)
            self._pass_over(at)
            self._iea = self._elements(at)
            self._claimed = self._past(at)

    def _past(self, at: int) -> int:
        """One past the terminator of the segment at `at`, or the text's end."""
        found = self._text.find(self._delimiters.terminator, at)
        return len(self._text) if found < 0 else found + 1

    def _elements(self, at: int) -> list[str]:
        segment = self._splitter.split(self._text[at : self._past(at)])[0]
        return segment.split(self._delimiters.element)

    def _pass_over(self, at: int) -> None:
        """Name the segments between what is claimed and `at`, which belong to nothing."""
        if self._claimed < at:
            strays = self._splitter.split(self._text[self._claimed : at])
            if strays:
                self.note(envelope_checks.stray(strays, self._base + self._claimed))
        self._claimed = at

    def _start_group(self, at: int) -> None:
        self._gs, self._gs_at = self._elements(at), self._base + at
        self._gs_findings = envelope_checks.check_gs(self._gs, self._group_numbers, self._gs_at)
        self._sets, self._set_numbers = [], set()
        self._claimed = self._past(at)

    def _end_group(self, ge: list[str] | None, at: int) -> None:
        self._end_set(at, closed=False)
        gs = self._gs
        if gs is None:
            return
        if ge is None:
            self._pass_over(at)
        number = envelope_checks.element(gs, 6)
        found = self._gs_findings + envelope_checks.check_ge(ge, number, len(self._sets), self._base + at)
        self.groups.append(
            FunctionalGroup(
                functional_id=envelope_checks.element(gs, 1),
                sender=envelope_checks.element(gs, 2),
                receiver=envelope_checks.element(gs, 3),
                control_number=number,
                version=envelope_checks.element(gs, 8),
                agency=envelope_checks.element(gs, 7),
                declared_count=envelope_checks.element(ge, 1) if ge else "",
                sets=tuple(self._sets),
                findings=tuple([f.at(interchange=self._control_number, group=number) for f in found]),
                offset=self._gs_at,
            )
        )
        self._gs = None

    def _end_set(self, end: int, *, closed: bool) -> None:
        """Close the open set, if any: its segments are cut here, in one split."""
        at, gs = self._st_at, self._gs
        if at is None or gs is None:
            return
        segments = self._splitter.split(self._text[at:end])
        offset = self._base + at
        st = segments[0].split(self._delimiters.element)
        se = segments[-1].split(self._delimiters.element) if closed else None
        kind, number, implementation = (*st[1:4], "", "", "")[:3]
        found = envelope_checks.check_st(st, envelope_checks.element(gs, 1), self._set_numbers, offset)
        found += envelope_checks.check_se(se, number, len(segments), offset)
        if end - at > limits.segment_bytes_max:
            found += envelope_checks.check_segment_sizes(segments, offset)
        if found:
            group = envelope_checks.element(gs, 6)
            found = [f.at(interchange=self._control_number, group=group, set=number) for f in found]
        self._sets.append(
            TransactionSet(
                type=kind,
                control_number=number,
                delimiters=self._delimiters,
                segments=segments,
                offset=offset,
                findings=tuple(found),
                implementation=implementation,
            )
        )
        self._sets_count += 1
        self._st_at = None
        self._claimed = end
