"""Outline: an X12 file as what it is made of, with the names of the standard, one transaction set at a time.

Everything comes lazily, in the order of the file: read an interchange's groups before the next interchange.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from edi import codes, delimiters, faults
from edi.compiled import Guide, Verdict
from edi.delimiters import Delimiters
from edi.envelope import FunctionalGroup, Interchange, TransactionSet, read
from edi.faults import NOWHERE
from edi.findings import Finding
from edi.grammar import Element, Grammar, Loop, Segment
from edi.guide import control_segments, guide_for
from edi.segments import Splitter, tag_of

FindingsOf = Callable[[FunctionalGroup, TransactionSet], Iterable[Finding]]
Seen = Callable[[Iterable[Finding]], None]

# The shape of a segment's tag; anything else is data and names nothing. XML keeps "xml" to itself.
_tag = re.compile(r"(?!xml)[A-Za-z][A-Za-z0-9]{1,2}", re.IGNORECASE | re.ASCII)
_trailer_bytes_max = 256  # GE and IEA have two numbers each; line ends and blanks may stand around them


class Label:
    """An element's designator (BEG01), name and words for its codes; of a composite, its parts' labels."""

    __slots__ = ("attributes", "id", "lead", "name", "parts", "repeats", "words")

    def __init__(self, id: str, element: Element | None = None) -> None:
        self.id = id
        self.name = element.name if element else ""
        self.words = codes.meanings(element.reference) if element else {}
        self.lead = f"{id} {self.name}: " if self.name else f"{id}: "  # before its value in a line
        self.attributes = {"name": self.name} if self.name else {}  # of an XML element
        self.repeats = bool(element and element.repeat != 1)
        parts = element.components if element else ()
        self.parts = tuple(Label(f"{id}-{part.position}", part) for part in parts)

    def fields(self, value: str, component: str) -> Iterator[tuple["Label", str]]:
        """Each component of a composite that is not empty, with its label."""
        for at, one in enumerate(value.split(component)):
            if one:
                yield self.parts[at] if at < len(self.parts) else Label(f"{self.id}-{at + 1}"), one


class Heading:
    """A segment's tag and name, and the labels of its elements, as far as the map knows them."""

    __slots__ = ("_labels", "_prefix", "elements", "is_simple", "is_tag", "name", "tag")

    def __init__(self, tag: str, segment: Segment | None = None) -> None:
        self.tag, self.name = tag, segment.name if segment else ""
        self.is_tag = segment is not None or _tag.fullmatch(tag) is not None
        self._prefix = tag if self.is_tag else "element"
        elements = segment.elements if segment else ()
        self._labels = tuple(Label(f"{tag}{element.position:02d}", element) for element in elements)
        self.elements = len(self._labels)
        #: Known, and with neither composites nor repeating elements.
        self.is_simple = segment is not None and not any(one.parts or one.repeats for one in self._labels)

    def fields(self, values: list[str], repetition: str) -> Iterator[tuple[Label, str]]:
        """Each element that is not empty, with its label; each repetition of it on its own."""
        labels = self._labels
        count = len(labels)
        for at, value in enumerate(values):
            if not value:
                continue
            label = labels[at] if at < count else Label(f"{self._prefix}{at + 1:02d}")
            if label.repeats and repetition and repetition in value:
                for one in value.split(repetition):
                    yield label, one
            else:
                yield label, value


class Row(NamedTuple):
    """One segment: how many loops end before it, which begin, how deep it then stands, and what is wrong."""

    heading: Heading
    values: list[str]
    ended: int = 0
    begun: tuple[Loop, ...] = ()
    depth: int = 0  # loops around it within its set
    findings: tuple[Finding, ...] = ()


class SetOutline(NamedTuple):
    """One transaction set; `rows` are read once, `rest` are findings about no segment that was sent."""

    set: TransactionSet
    name: str
    rows: Iterator[Row]
    rest: tuple[Finding, ...]


class GroupOutline(NamedTuple):
    """One functional group; `trailer` (GE) is None when it is missing."""

    group: FunctionalGroup
    header: Row
    sets: Iterator[SetOutline]
    trailer: Row | None


class InterchangeOutline(NamedTuple):
    """One interchange; `answers` are its TA1 segments, `trailer` (IEA) is None when it is missing."""

    interchange: Interchange
    header: Row
    answers: tuple[Row, ...]
    groups: Iterator[GroupOutline]
    trailer: Row | None


class FileOutline(NamedTuple):
    """One file; `findings` are about bytes in no interchange."""

    interchanges: Iterator[InterchangeOutline]
    findings: tuple[Finding, ...]


def outline(data: bytes, findings_of: FindingsOf, seen: Seen) -> FileOutline:
    """The outline of a file; nothing in a file makes it raise.

    `findings_of` says what is wrong with a set; `seen` is handed all findings as they are come to.
    """
    reading = read(data)
    seen(reading.findings)
    reader = _Reader(data, findings_of, seen)
    return FileOutline(map(reader.interchange, reading.interchanges), reading.findings)


class _Reader:
    """Makes outlines out of the parts of one file."""

    def __init__(self, data: bytes, findings_of: FindingsOf, seen: Seen) -> None:
        self._data, self._findings_of, self._seen = data, findings_of, seen

    def interchange(self, interchange: Interchange) -> InterchangeOutline:
        marks = interchange.delimiters
        headings = _control_headings("005010" if marks.repetition else "004010")
        header = delimiters.find(self._data, interchange.offset)
        isa = list(header.elements) if isinstance(header, delimiters.Header) else []
        self._seen(interchange.findings)
        return InterchangeOutline(
            interchange,
            Row(headings["ISA"], isa, findings=interchange.findings),
            tuple(Row(headings["TA1"], text.split(marks.element)[1:]) for text in interchange.ta1),
            self._groups(interchange, headings),
            self._trailer(interchange.offset, interchange.end, headings["IEA"], marks),
        )

    def _groups(self, interchange: Interchange, headings: dict[str, Heading]) -> Iterator[GroupOutline]:
        marks, groups = interchange.delimiters, interchange.groups
        ends = [*(group.offset for group in groups[1:]), interchange.end]
        for group, end in zip(groups, ends, strict=False):
            start = self._data.find(marks.terminator.encode("latin-1"), group.offset)
            text = self._data[group.offset : start if start >= 0 else end].decode("latin-1")
            gs = Splitter(marks).split(text)[0].split(marks.element)[1:]
            self._seen(group.findings)
            header = Row(headings["GS"], gs, findings=group.findings)
            trailer = self._trailer(group.offset, end, headings["GE"], marks)
            yield GroupOutline(group, header, self._sets(group), trailer)

    def _sets(self, group: FunctionalGroup) -> Iterator[SetOutline]:
        for one in group.sets:
            findings = tuple(self._findings_of(group, one))
            self._seen(findings)
            yield outline_set(group, one, findings)

    def _trailer(self, start: int, end: int, heading: Heading, marks: Delimiters) -> Row | None:
        """The last segment with the heading's tag near the end of a stretch of the file."""
        text = self._data[max(start, end - _trailer_bytes_max) : end].decode("latin-1")
        for segment in reversed(Splitter(marks).split(text)):
            if tag_of(segment, marks) == heading.tag:
                return Row(heading, segment.split(marks.element)[1:])
        return None


@lru_cache(maxsize=4)
def _control_headings(release: str) -> dict[str, Heading]:
    return {tag: Heading(tag, segment) for tag, segment in control_segments(release).items()}


def outline_set(group: FunctionalGroup, set: TransactionSet, findings: Iterable[Finding]) -> SetOutline:
    """One set by the map of its release, or the nearest one; without a map, without names."""
    segments = set.segments  # cut anew each time they are asked for
    nearest = max((one for one in codes.RELEASES if one <= group.release), default=codes.RELEASES[0])
    guide = guide_for(group.map_release or nearest, set.type, short_dates=group.has_short_dates)
    by_position: dict[int, list[Finding]] = {}
    rest = []
    for finding in findings:
        if finding.position <= len(segments):
            by_position.setdefault(max(finding.position, 1), []).append(finding)
        else:
            rest.append(finding)
    if guide is None:
        return SetOutline(set, "", _bare_rows(segments, set.delimiters, by_position), tuple(rest))
    return SetOutline(
        set, guide.grammar.name, _rows(guide, segments, set.delimiters, by_position), tuple(rest)
    )


def _bare_rows(
    segments: tuple[str, ...], marks: Delimiters, findings: dict[int, list[Finding]]
) -> Iterator[Row]:
    for position, text in enumerate(segments, 1):
        tag, *values = text.split(marks.element)
        yield Row(Heading(tag), values, findings=tuple(findings.get(position, ())))


def _rows(
    guide: Guide, segments: tuple[str, ...], marks: Delimiters, findings: dict[int, list[Finding]]
) -> Iterator[Row]:
    naming = _naming(guide)
    faulty = guide.accepts(segments, marks) is Verdict.FAULTY
    places = faults.places(guide.grammar, segments, marks) if faulty else guide.places(segments, marks)
    separator, headings, steps = marks.element, naming.headings, naming.steps
    at, depth = 0, 0
    for position, (text, place) in enumerate(zip(segments, places, strict=True), 1):
        tag, *values = text.split(separator)
        noted = tuple(findings[position]) if position in findings else ()
        if place == NOWHERE:
            yield Row(Heading(tag), values, 0, (), depth, noted)
            continue
        ended, begun, depth = steps.get((at, place)) or naming.step(at, place)
        at = place
        yield Row(headings[place], values, ended, begun, depth, noted)


@lru_cache(maxsize=64)
def _naming(guide: Guide) -> "_Naming":
    return _Naming(guide.grammar)


class _Naming:
    """A grammar's headings by place, and which loops end and begin between two places; filled as met."""

    def __init__(self, grammar: Grammar) -> None:
        self.headings = [Heading(place.tag, place.segment) for place in grammar.places]
        self.steps: dict[tuple[int, int], tuple[int, tuple[Loop, ...], int]] = {}
        self._grammar = grammar
        self._chains = [tuple(list(grammar.enclosing(place))[::-1][1:]) for place in grammar.places]

    def step(self, start: int, place: int) -> tuple[int, tuple[Loop, ...], int]:
        """(loops that end, loops that begin, depth) between two places; a loop's head begins it anew."""
        left, entered = self._chains[start], self._chains[place]
        kept = entered[:-1] if self._grammar.opens_loop(place) else entered
        common = 0
        while common < min(len(left), len(kept)) and left[common] is kept[common]:
            common += 1
        step = len(left) - common, entered[common:], len(entered)
        self.steps[start, place] = step
        return step
