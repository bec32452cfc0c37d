"""Guide: the grammar of one transaction set, loaded from our maps with pyx12 and compiled to fast matchers.

A clean set meets nothing but this: one table look-up and one pattern per segment. What is not accepted here
goes to `edi.faults`, which says why.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyx12.map_if
import pyx12.params

from edi import faults
from edi.delimiters import Delimiters
from edi.elements import segment_pattern
from edi.envelope import TransactionSet
from edi.findings import Finding, FindingCode
from edi.grammar import START, UNBOUNDED, Count, Element, Grammar, Loop, Note, Place, Segment, counted

_maps = Path(__file__).parent / "maps"

# One entry per sender's delimiters; a file with more of them compiles its patterns again: slow, still right.
_tables_per_guide_max = 16


class Verdict(Enum):
    """What the compiled guide says of a set."""

    CLEAN = "clean"
    TRAILING = "trailing"  # good, but for empty elements at the end of segments
    FAULTY = "faulty"


_Match = Callable[[str], "re.Match[str] | None"]
_Step = tuple[_Match, "_Row", Count | None]


class _Row(dict[str, "_Step | None"]):
    """The steps from one place, by a segment's first three characters; filled as they are first taken."""

    __slots__ = ("_tables", "place")

    def __init__(self, tables: "_Tables", place: int) -> None:
        self._tables, self.place = tables, place

    def __missing__(self, start: str) -> "_Step | None":
        step = self._tables.step(self.place, start.removesuffix(self._tables.separator))
        if step is not None:  # what is unknown is not kept: it comes from outside and has no bound
            self[start] = step
        return step


class _Tables:
    """A guide's rows and patterns for one choice of delimiters."""

    def __init__(self, guide: "Guide", separator: str, component: str, repetition: str) -> None:
        self.separator = separator
        self._guide, self._component, self._repetition = guide, component, repetition
        self._rows: dict[int, _Row] = {}
        self._matches: dict[int, _Match] = {}  # by id of a segment the grammar keeps alive

    def row(self, place: int) -> _Row:
        return self._rows.setdefault(place, _Row(self, place))

    def step(self, place: int, tag: str) -> _Step | None:
        """The step on `tag`, None when there is no clean one."""
        target = self._guide.clean_move(place, tag)
        if target is None:
            return None
        return self._match(self._guide.grammar.places[target]), self.row(target), self._guide.counts[target]

    def _match(self, place: Place) -> _Match:
        segment = place.segment
        match = self._matches.get(id(segment))
        if match is None:
            pattern = segment_pattern(segment, self.separator, self._component, self._repetition)
            match = self._matches[id(segment)] = re.compile(pattern, re.DOTALL).fullmatch
        return match


class Guide:
    """The compiled grammar of one transaction set in one release; immutable but for what it remembers."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.counts, self._slots = counted(grammar)
        self._tables = lru_cache(maxsize=_tables_per_guide_max)(self._new_tables)

    def _new_tables(self, separator: str, component: str, repetition: str) -> _Tables:
        return _Tables(self, separator, component, repetition)

    def accepts(self, segments: tuple[str, ...], delimiters: Delimiters) -> Verdict:
        """Whether the segments, ST to SE, are what the standard allows; where not, `edi.faults` says why."""
        separator = delimiters.element
        row = self._tables(separator, delimiters.component, delimiters.repetition).row(START)
        counts = [0] * self._slots
        verdict = Verdict.CLEAN
        for text in segments:
            step = row[text[:3]]
            if step is None:
                return Verdict.FAULTY
            match, row, count = step
            if match(text) is None:
                if text[-1:] != separator or match(text.rstrip(separator)) is None:
                    return Verdict.FAULTY
                verdict = Verdict.TRAILING
            if count is not None:
                slot = count.slot
                counts[slot] += 1
                if counts[slot] > count.bound:
                    return Verdict.FAULTY
                if count.end > slot + 1:
                    counts[slot + 1 : count.end] = [0] * (count.end - slot - 1)
        ended = row.place == len(self.grammar.places) - 1 or self.clean_move(row.place, "SE") is not None
        return verdict if ended else Verdict.FAULTY

    def clean_move(self, place: int, tag: str) -> int | None:
        """The place of `tag` after `place` when nothing mandatory is skipped and nothing single repeated."""
        move = self.grammar.moves(place).get(tag)
        if move is None or move.skipped or (move.again and self.grammar.bound(move.place) == 1):
            return None
        return move.place


def guide_for(release: str, set_type: str) -> Guide | None:
    """The guide of a transaction set (ST01, 143) in a release (the first six characters of GS08, 480)."""
    if not (release.isalnum() and set_type.isalnum()):  # they name a file
        return None
    return _guide(release, set_type)


@lru_cache(maxsize=64)
def _guide(release: str, set_type: str) -> Guide | None:
    path = _maps / release / f"{set_type}.xml"
    return Guide(load_grammar(path, release)) if path.is_file() else None


def check(set: TransactionSet, release: str) -> tuple[Finding, ...]:
    """Everything wrong with one transaction set (ST to SE) by its release's map; () for a clean one.

    Counts and control numbers are the envelope's; a set without SE is judged as if SE came next. A set whose
    only blemish is empty elements at the end of segments has one TRAILING_EMPTY note.
    """
    guide = guide_for(release, set.type)
    if guide is None:
        message = f"There is no map for transaction set {set.type} in release {release}."
        unsupported = FindingCode.SET_UNSUPPORTED
        return (Finding(code=unsupported, message=message, segment="ST", position=1, value=set.type),)
    verdict = guide.accepts(set.segments, set.delimiters)
    if verdict is Verdict.CLEAN:
        return ()
    if verdict is Verdict.TRAILING:
        return faults.trailing_empty(set.segments, set.delimiters)
    found = faults.find(guide.grammar, set.segments, set.delimiters)
    if not any(finding.is_error for finding in found):
        # The exact path has the last word; that the two disagree is our fault and must be seen.
        message = f"{release} {set.type}: compiled and exact guide disagree"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    return found


def load_grammar(path: Path, release: str) -> Grammar:
    """Our map file as a grammar: the ST_LOOP of it, with the names and lengths of its dataele.xml."""
    parameters = pyx12.params.ParamsBase()
    root = pyx12.map_if.load_map_file(path.name, parameters, map_path=str(path.parent))
    loader = _Loader(_composite_notes(path), root.ext_codes.codes)
    loader.loop(_transaction_loop(root), parent=-1, order=0)
    return Grammar(
        type=path.stem,
        release=release,
        places=tuple(loader.places),
        loops=tuple(loop for loop in loader.loops if loop is not None),
        children=tuple(tuple(children) for children in loader.children),
        dictionary=_tags_under(path.parent.parent),
    )


def _composite_notes(path: Path) -> dict[str, tuple[Note, ...]]:
    """Syntax notes of composites by their reference (REF04), which pyx12 does not keep."""
    composites = ElementTree.parse(path).iter("composite")
    return {
        composite.get("xid", ""): tuple(_note(note.text or "") for note in composite.findall("syntax"))
        for composite in composites
    }


def _note(text: str) -> Note:
    return Note(text[0], tuple(int(text[at : at + 2]) for at in range(1, len(text), 2)))


@lru_cache(maxsize=8)
def _tags_under(maps: Path) -> frozenset[str]:
    """The segment tags of all maps of all releases, read from their text: loading them all would be slow."""
    texts = (file.read_text(encoding="utf-8") for file in sorted(maps.glob("*/*.xml")))
    return frozenset(tag for text in texts for tag in re.findall(r'<segment xid="(\w+)"', text))


def _transaction_loop(node: Any) -> Any:
    """The first loop of a pyx12 map that begins with ST."""
    first = node.get_first_seg()
    if first is not None and first.id == "ST":
        return node
    for child in _children(node):
        if child.is_loop() and (found := _transaction_loop(child)) is not None:
            return found
    return None


def _children(node: Any) -> list[Any]:
    """A pyx12 loop's children by position; two in one position would leave their order to chance."""
    for position, children in node.pos_map.items():
        if len(children) > 1:
            raise ValueError(f"map {node.id}: position {position} is used twice")
    return [children[0] for _, children in sorted(node.pos_map.items())]


class _Loader:
    """Gathers a pyx12 loop tree into flat lists of places and loops; equal segment definitions become one."""

    def __init__(self, composite_notes: dict[str, tuple[Note, ...]], code_sets: dict[str, Any]) -> None:
        self.places: list[Place] = []
        self.loops: list[Loop | None] = []
        self.children: list[list[Place | Loop]] = []
        self._composite_notes, self._code_sets = composite_notes, code_sets
        self._segments: dict[Segment, Segment] = {}

    def loop(self, node: Any, parent: int, order: int) -> Loop:
        index = len(self.loops)
        self.loops.append(None)
        self.children.append([])
        loop = Loop(
            index=index,
            id=node.id.removesuffix("_LOOP"),
            name=node.name,
            parent=parent,
            order=order,
            required=node.usage == "R",
            repeat=_bound(node.repeat),
            head=len(self.places),
        )
        self.loops[index] = loop
        for at, child in enumerate(_children(node)):
            if child.is_loop():
                if at == 0:
                    raise ValueError(f"map {node.id}: a loop begins with a segment")
                self.children[index].append(self.loop(child, index, at))
            else:
                self.children[index].append(self._place(child, index, at))
        return loop

    def _place(self, node: Any, loop: int, order: int) -> Place:
        segment = Segment(
            tag=node.id,
            name=node.name,
            elements=tuple(self._element(child) for child in node.children),
            notes=tuple(Note(note[0], tuple(note[1:])) for note in node.syntax),
        )
        place = Place(
            index=len(self.places),
            segment=self._segments.setdefault(segment, segment),
            loop=loop,
            order=order,
            required=_required(node),
            max_use=_bound(node.max_use),
        )
        self.places.append(place)
        return place

    def _element(self, node: Any) -> Element:
        whole = Element(position=node.seq, reference=node.data_ele, name=node.name, required=_required(node))
        if node.is_composite():
            return replace(
                whole,
                repeat=node.repeat,
                components=tuple(self._element(child) for child in node.children),
                notes=self._composite_notes.get(node.id, ()),
            )
        codes = set(node.valid_codes)
        if node.external_codes is not None:
            codes |= self._code_sets[node.external_codes]["codes"]
        return replace(
            whole,
            repeat=_bound(node.max_use) if node.max_use else 1,
            type=node.data_type,
            length_min=node.min_len,
            length_max=node.max_len,
            codes=frozenset(codes),
        )


def _required(node: Any) -> bool:
    if node.usage not in ("R", "S"):
        raise ValueError(f"map {node.id}: usage {node.usage} is not one of ours")
    return bool(node.usage == "R")


def _bound(text: str | None) -> int:
    return UNBOUNDED if text in (None, ">1") else int(text or 0)
