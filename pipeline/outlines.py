"""Outlines: an X12 file as the rows of a page, each with its depth and with what is wrong at its place.

Of a large file only the beginning: a page must be read by a person, and be there soon.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from edi.envelope import FunctionalGroup, TransactionSet
from edi.findings import Finding
from edi.outline import GroupOutline, InterchangeOutline, Row, SetOutline, outline
from pipeline.readers import read_set
from pipeline.report import Json
from pipeline.show import findings_json, row_json

ROWS_MAX = 1500  # of a page
BYTES_MAX = 2_000_000  # a larger file is not read for a page

#: What was said of a set when it was read: by the place of its interchange in the file, and its own there.
Known = Mapping[tuple[int, int], Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One row of the page: a segment, or what begins with it."""

    kind: str  # "interchange", "group", "set", "loop" or "segment"
    depth: int
    title: str = ""
    segment: Json = field(default_factory=dict)  # as `show.row_json` has it
    findings: Sequence[Mapping[str, object]] = ()
    place: tuple[int, int] = (0, 0)  # of a set: of its interchange, and its own; from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The rows, findings about bytes in no interchange, and whether there is more of the file."""

    rows: Sequence[Shown] = ()
    findings: Sequence[Mapping[str, object]] = ()
    is_cut: bool = False


def page_of(data: bytes, known: Known | None = None) -> Page:
    """The beginning of a file. `known` sets carry what was said of them then; others are looked at now."""
    if len(data) > BYTES_MAX:
        return Page(is_cut=True)
    reader = _Reader(known or {})
    file = outline(data, reader.look, lambda _: None)
    every = (row for one in file.interchanges for row in reader.interchange(one))
    rows = list(islice(every, ROWS_MAX + 1))
    return Page(rows=rows[:ROWS_MAX], findings=findings_json(file.findings), is_cut=len(rows) > ROWS_MAX)


class _Reader:
    """Goes through one file; which set comes next is known by counting."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._place = (0, 0)

    def look(self, group: FunctionalGroup, one: TransactionSet) -> Iterable[Finding]:
        """What is wrong with the next set, unless that is known."""
        self._place = (self._place[0], self._place[1] + 1)
        return () if self._place in self._known else read_set(group, one)[1]

    def interchange(self, shown: InterchangeOutline) -> Iterator[Shown]:
        """An interchange from ISA to IEA."""
        one = shown.interchange
        self._place = (self._place[0] + 1, 0)
        title = f"Interchange {one.control_number} from {one.sender} to {one.receiver}"
        yield _segment(shown.header, 0, "interchange", title)
        for answer in shown.answers:
            yield _segment(answer, 1)
        for group in shown.groups:
            yield from self._group(group)
        if shown.trailer:
            yield _segment(shown.trailer, 0)

    def _group(self, shown: GroupOutline) -> Iterator[Shown]:
        group = shown.group
        title = f"Group {group.control_number}, {group.functional_id}, version {group.version}"
        yield _segment(shown.header, 1, "group", title)
        for one in shown.sets:
            yield from self._set(one)
        if shown.trailer:
            yield _segment(shown.trailer, 1)

    def _set(self, shown: SetOutline) -> Iterator[Shown]:
        one, place = shown.set, self._place
        at_place: dict[int, list[Mapping[str, object]]] = {}
        for finding in self._known.get(place, ()):
            position = finding.get("position")
            at_place.setdefault(max(position, 1) if isinstance(position, int) else 1, []).append(finding)
        title = f"{one.type} {shown.name}".rstrip() + f", control number {one.control_number}"
        yield Shown(kind="set", depth=2, title=title, place=place)
        for position, row in enumerate(shown.rows, start=1):
            for depth, loop in enumerate(row.begun, row.depth - len(row.begun)):
                yield Shown(kind="loop", depth=depth + 3, title=f"{loop.id}: {loop.name}")
            made = _segment(row, row.depth + 3, marks=(one.delimiters.component, one.delimiters.repetition))
            said = at_place.pop(position, [])
            yield Shown(
                kind=made.kind, depth=made.depth, segment=made.segment, findings=[*made.findings, *said]
            )
        rest = [*findings_json(shown.rest), *(finding for left in at_place.values() for finding in left)]
        if rest:
            yield Shown(kind="rest", depth=3, title="Of the whole set", findings=rest)


def _segment(
    row: Row, depth: int, kind: str = "segment", title: str = "", marks: tuple[str, str] = ("", "")
) -> Shown:
    return Shown(
        kind=kind,
        depth=depth,
        title=title,
        segment=row_json(row, *marks),
        findings=findings_json(row.findings),
    )
