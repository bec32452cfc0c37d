"""Nesting: what lies between ISA and IEA, as groups and sets, in one pass over the envelope segments."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import chain

from edi import codes, envelope_checks, limits
from edi.delimiters import Delimiters
from edi.findings import Finding
from edi.groups import FunctionalGroup, TransactionSet
from edi.interchanges import Span
from edi.segments import Kept, Source


class Ration:
    """How many groups, sets and envelope findings a file may still have; shared by its interchanges."""

    def __init__(self) -> None:
        self.groups = limits.groups_per_file_max
        self.sets = limits.sets_per_file_max
        self.findings = limits.findings_per_file_max

    def take(self, found: Iterable[Finding], **place: str) -> tuple[Finding, ...]:
        """These findings at their place; when the file has used up its own, one that stands for them."""
        if self.findings <= 0:
            return MORE if any(True for _ in found) else ()
        kept = tuple([one.at(**place) for one in found])
        self.findings -= len(kept)
        return kept


#: Stands for the findings of a set or group beyond `limits.findings_per_file_max`.
MORE = (envelope_checks.limit("the file has more faults than are listed", 0),)


@lru_cache(maxsize=limits.delimiters_per_file_max)
def _marks(delimiters: Delimiters) -> re.Pattern[bytes]:
    """The segments that make up the envelope, wherever they start; a line end may stand even inside a tag.

    It begins with the terminator, so that searching is quick; it never tries a byte twice.
    """
    terminator = re.escape(delimiters.terminator.encode("latin-1"))
    separator = re.escape(delimiters.element.encode("latin-1"))
    newlines = delimiters.newlines.encode("latin-1")
    wrap = b"[%s]*+" % newlines if newlines else b""
    noise = b"[%s]*+" % (newlines + delimiters.blanks.encode("latin-1"))
    tags = b"G%b[SE]|S%b[TE]|I%bE%bA|T%bA%b1" % ((wrap,) * 6)
    after = b"%b%b|%b(?:%b|\\Z)" % (wrap, separator, noise, terminator)
    return re.compile(b"%b%b(%b)(?=%b)" % (terminator, noise, tags, after))


@dataclass(slots=True)
class _Group:
    """An open group: its GS and what was found of it so far."""

    gs: list[str]
    at: int
    functional_id: str
    allowed: tuple[str, ...] | None  # the sets (ST01) it may hold, if it is of a known kind
    release: str
    findings: Iterator[Finding]
    sets: list[TransactionSet] = field(default_factory=list)
    set_numbers: set[str] = field(default_factory=set)

    @property
    def control_number(self) -> str:
        return envelope_checks.element(self.gs, 6)


class Contents:
    """Reads one interchange; it is accounted for up to `_claimed`, and the open set starts at `_st_at`."""

    def __init__(self, data: bytes, span: Span, ration: Ration, kept: Kept) -> None:
        self.groups: list[FunctionalGroup] = []
        self.ta1: list[str] = []
        self.findings: list[Finding] = []
        self._data, self._start, self._end = data, span.start, span.end
        self._claimed = span.header.end
        self._delimiters = span.header.delimiters
        self._kept = kept
        self._source: Source  # once it is read
        self._control_number = span.header.elements[12]
        self._ration = ration
        self._group: _Group | None = None
        self._group_numbers: set[tuple[str, ...]] = set()
        self._st_at: int | None = None
        self._iea: list[str] | None = None

    def note(self, finding: Finding) -> None:
        """Keep a finding about the interchange, up to the limits; then say once that there are more."""
        listed = len(self.findings)
        if listed < limits.findings_per_interchange_max and self._ration.findings > 0:
            self._ration.findings -= 1
            self.findings.append(finding.at(interchange=self._control_number))
        elif not self.findings or self.findings[-1].message != _MORE_FAULTS:
            more = envelope_checks.limit(_MORE_FAULTS, finding.offset)
            self.findings.append(more.at(interchange=self._control_number))

    def content_hash(self) -> str:
        """SHA-256, hex, of the interchange's bytes."""
        return sha256(memoryview(self._data)[self._start : self._end]).hexdigest()

    def read(self) -> None:
        """Read the whole interchange."""
        first = self._claimed - 1  # the terminator of ISA
        self._source = Source(self._data, first, self._end, self._delimiters, self._kept)
        for mark in _marks(self._delimiters).finditer(self._data, first, self._end):
            tag, at = mark[1], mark.start(1)
            if not tag.isalnum():
                tag = tag.translate(None, b"\r\n")
            if tag in (b"ST", b"GS") and self._is_full(tag, at):
                return
            self._take(tag, at)
        self._end_group(None, self._end)
        self._pass_over(self._end)
        for finding in envelope_checks.check_iea(
            self._iea, self._control_number, len(self.groups), self._end
        ):
            self.note(finding)

    def _is_full(self, tag: bytes, at: int) -> bool:
        """Whether this segment opens a group or set beyond what the file may have."""
        if tag == b"ST":
            self._ration.sets -= self._group is not None
        else:
            self._ration.groups -= 1
        if self._ration.sets >= 0 and self._ration.groups >= 0:
            return False
        groups, sets = limits.groups_per_file_max, limits.sets_per_file_max
        message = f"the file has more than {groups} groups or {sets} transaction sets"
        self.note(envelope_checks.limit(message, at))
        return True

    def _take(self, tag: bytes, at: int) -> None:
        """One envelope segment: what it closes and opens. What nothing claims becomes a finding."""
        if tag == b"SE":
            if self._st_at is not None:
                self._end_set(self._past(at), at)
        elif tag == b"ST":
            self._end_set(at, None)
            if self._group is not None:
                self._pass_over(at)
                self._st_at = at
        elif tag == b"GS":
            self._end_group(None, at)
            self._pass_over(at)
            self._start_group(at)
        elif tag == b"GE":
            self._end_set(at, None)
            if self._group is not None:
                self._pass_over(at)
                self._end_group(self._elements(at), at)
                self._claimed = self._past(at)
        elif tag == b"TA1":
            if self._st_at is None and self._group is None:
                self._pass_over(at)
                self.ta1.append(self._delimiters.element.join(self._elements(at)))
                self._claimed = self._past(at)
        elif self._iea is None:
            self._end_group(None, at)
            self._pass_over(at)
            self._iea = self._elements(at)
            self._claimed = self._past(at)

    def _past(self, at: int) -> int:
        """One past the terminator of the segment at `at`, or the interchange's end."""
        return self._source.past(at, self._end)

    def _elements(self, at: int) -> list[str]:
        return self._source.segment(at, self._end).split(self._delimiters.element)

    def _pass_over(self, at: int) -> None:
        """Name the segments between what is claimed and `at`, which belong to nothing."""
        if self._claimed < at:
            first = self._source.segment(self._claimed, at)
            if first:
                number = self._source.count(self._claimed, at)
                self.note(envelope_checks.stray(first, number, self._claimed))
        self._claimed = at

    def _start_group(self, at: int) -> None:
        gs = self._elements(at)
        # Orders and changes are numbered apart, and so is each pair of partners (spec 2.6).
        key = (*gs[1:4], envelope_checks.element(gs, 6).lstrip("0"))
        repeated = key in self._group_numbers
        self._group_numbers.add(key)
        functional_id, release = envelope_checks.element(gs, 1), envelope_checks.element(gs, 8)[:6]
        allowed = codes.SETS_OF_GROUP.get(functional_id)
        found = envelope_checks.check_gs(gs, at, repeated=repeated)
        self._group = _Group(gs, at, functional_id, allowed, release, found)
        self._claimed = self._past(at)

    def _end_group(self, ge: list[str] | None, at: int) -> None:
        self._end_set(at, None)
        group = self._group
        if group is None:
            return
        if ge is None:
            self._pass_over(at)
        gs, number = group.gs, group.control_number
        found = chain(group.findings, envelope_checks.check_ge(ge, number, len(group.sets), at))
        self.groups.append(
            FunctionalGroup(
                functional_id=envelope_checks.element(gs, 1),
                sender=envelope_checks.element(gs, 2),
                receiver=envelope_checks.element(gs, 3),
                control_number=number,
                version=envelope_checks.element(gs, 8),
                agency=envelope_checks.element(gs, 7),
                declared_count=envelope_checks.element(ge, 1) if ge else "",
                sets=tuple(group.sets),
                findings=self._ration.take(found, interchange=self._control_number, group=number),
                offset=group.at,
            )
        )
        self._group = None

    def _end_set(self, end: int, se_at: int | None) -> None:
        """Close the open set, if any: count its segments and see whether its envelope agrees."""
        at, group = self._st_at, self._group
        if at is None or group is None:
            return
        st = self._elements(at)
        kind, number, implementation = (*st[1:4], "", "", "")[:3]
        se = None if se_at is None else self._elements(se_at)
        count = self._source.count(at, end)
        findings = self._set_findings(group, st, se, count, at, end)
        group.set_numbers.add(number)
        group.sets.append(
            TransactionSet(
                type=kind,
                control_number=number,
                delimiters=self._delimiters,
                offset=at,
                findings=findings,
                implementation=implementation,
                release=group.release,
                source=self._source,
                end=end if count <= limits.segments_per_set_max else self._past(at),
            )
        )
        self._st_at = None
        self._claimed = end

    def _set_findings(
        self, group: _Group, st: list[str], se: list[str] | None, count: int, at: int, end: int
    ) -> tuple[Finding, ...]:
        """What is wrong with a set's envelope; nearly always nothing, and that is seen quickly."""
        oversized = self._source.oversized(at, end)
        number = envelope_checks.element(st, 2)
        repeated = number in group.set_numbers
        if not repeated and oversized is None and envelope_checks.set_agrees(st, se, group.allowed, count):
            return ()
        if self._ration.findings <= 0:
            return MORE
        found = envelope_checks.check_st(st, group.functional_id, at, repeated=repeated)
        found += envelope_checks.check_se(se, number, count, at)
        found += envelope_checks.check_sizes(count, oversized, at)
        place = {"interchange": self._control_number, "group": group.control_number, "set": number}
        return self._ration.take(found, **place)


_MORE_FAULTS = "the interchange has more faults than are listed"
