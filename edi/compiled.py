"""Compiled: a grammar as table look-ups and one pattern per segment, for sets that are as they should be.

It says yes or no. Why not, `edi.faults` says.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import accumulate, count, repeat

from edi import limits
from edi.delimiters import Delimiters
from edi.elements import segment_pattern
from edi.grammar import START, Grammar, Place
from edi.qualified import Rules

# One entry per choice of delimiters: as many as one file may have, or taking turns would compile anew.
_tables_per_guide_max = limits.delimiters_per_file_max


class Verdict(Enum):
    """What the compiled guide says of a set."""

    CLEAN = "clean"
    TRAILING = "trailing"  # good, but for empty elements at the end of segments
    FAULTY = "faulty"


@dataclass(frozen=True, slots=True)
class Count:
    """A finite bound above one: where it is counted, and the slots of what its loop holds, up to `end`."""

    slot: int
    bound: int
    end: int


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
        self._rules = Rules(grammar)
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
        if not ended or (self.grammar.qualified and self._breaks_qualified(segments, delimiters)):
            return Verdict.FAULTY
        return verdict

    def places(self, segments: tuple[str, ...], delimiters: Delimiters) -> list[int]:
        """The place, by index, of each segment of a set that `accepts` did not find faulty."""
        row = self._tables(delimiters.element, delimiters.component, delimiters.repetition).row(START)
        found = []
        for text in segments:
            step = row[text[:3]]
            if step is None:
                break
            row = step[1]
            found.append(row.place)
        return found

    def _breaks_qualified(self, segments: tuple[str, ...], delimiters: Delimiters) -> bool:
        """Whether a rule about certain uses of a segment is broken; the steps are taken once more for it."""
        visits = zip(self.places(segments, delimiters), count(1), repeat(True), strict=False)
        return bool(self._rules.find(visits, segments, delimiters))

    def clean_move(self, place: int, tag: str) -> int | None:
        """The place of `tag` after `place` when nothing mandatory is skipped and nothing single repeated."""
        move = self.grammar.moves(place).get(tag)
        if move is None or move.skipped or (move.again and self.grammar.bound(move.place) == 1):
            return None
        return None if self.grammar.places[move.place].forbidden else move.place


def counted(grammar: Grammar) -> tuple[tuple[Count | None, ...], int]:
    """Per place, what to count when it is reached; and how many slots that takes.

    Slots follow the order of the set, so what a loop holds is one run of them. A loop without a bound is
    counted too when something in it is, because its coming again sets that back to nothing.
    """
    indexes = range(len(grammar.places))
    bounded = [grammar.bound(index) > 1 for index in indexes]
    counts = [bounded[index] or any(bounded[inner] for inner in grammar.within(index)) for index in indexes]
    slots = list(accumulate(counts, initial=0))
    return (
        tuple(
            Count(slots[index], grammar.bound(index) or sys.maxsize, slots[grammar.within(index).stop])
            if counts[index]
            else None
            for index in indexes
        ),
        slots[-1],
    )
