"""Qualified rules: what a guide asks of those uses of a segment that a qualifier picks out, such as REF*DP.

The compiled guide and the exact path both ask here, so that on these rules they cannot disagree.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from edi.delimiters import Delimiters
from edi.element_faults import Frame, guide_faults
from edi.findings import Finding, FindingCode
from edi.grammar import Grammar, QualifiedRule
from edi.wording import asked, named, times


class Visit(NamedTuple):
    """A place reached at the segment of a position (X12 719); not `sent`: a loop's head inferred from it."""

    place: int
    position: int
    sent: bool = True


class Rules:
    """The qualified rules of a grammar, by the places where they must look."""

    def __init__(self, grammar: Grammar) -> None:
        self._by_place: dict[int, list[_Rule]] = {}
        for rule in [_Rule(grammar, one, number) for number, one in enumerate(grammar.qualified)]:
            for place in {rule.head, rule.place}:
                self._by_place.setdefault(place, []).append(rule)
        self._count = len(grammar.qualified)

    def find(
        self, visits: Iterable[tuple[int, int, bool]], segments: tuple[str, ...], delimiters: Delimiters
    ) -> list[Finding]:
        """Every breach of the rules, in the order of the set; time is linear in its size."""
        by_place, separator = self._by_place, delimiters.element
        counts = [0] * self._count
        found: list[Finding] = []
        due: list[_Rule] = []  # those that still wait for what is required
        for place, position, sent in visits:
            if due:
                for rule in [one for one in due if not one.head < place < one.past]:
                    due.remove(rule)
                    found.append(rule.missing(position, segments, delimiters))
            if place not in by_place:
                continue
            for rule in by_place[place]:
                if place == rule.head:
                    counts[rule.number] = 0  # the loop begins anew
                    if rule.required:
                        due.append(rule)
                if place == rule.place and sent:
                    values = segments[position - 1].split(separator)[1:]
                    if rule.matches(values):
                        counts[rule.number] += 1
                        if rule in due:
                            due.remove(rule)
                        if rule.asks:
                            found += rule.use(counts[rule.number], position, values, delimiters)
        return found + [rule.missing(len(segments) + 1, segments, delimiters) for rule in due]


class _Rule:
    """One rule in its grammar."""

    def __init__(self, grammar: Grammar, rule: QualifiedRule, number: int) -> None:
        self.number, self.place, self.required = number, rule.place, rule.required
        #: Whether anything is asked of a use beyond that it is there.
        self.asks = bool(rule.forbidden or rule.max_use or rule.elements)
        self._rule, self._grammar, self._place = rule, grammar, grammar.places[rule.place]
        loop = grammar.loops[self._place.loop]
        if grammar.opens_loop(rule.place):
            loop = grammar.loops[loop.parent]
        self.head = loop.head  # where the count begins anew
        self.past = grammar.within(rule.place).stop  # from here on it can come no more

    def matches(self, values: list[str]) -> bool:
        at = self._rule.position - 1
        return at < len(values) and values[at] in self._rule.values

    def use(self, count: int, position: int, values: list[str], delimiters: Delimiters) -> Iterator[Finding]:
        """What is wrong with the use that is the count-th of the segment that the rule is about."""
        rule = self._rule
        if rule.forbidden:
            if count == 1:
                what = f"{self._named()} is not used{self._grammar.where(self._place)}."
                yield self._finding(FindingCode.SEGMENT_UNEXPECTED, what, position)
            return
        if rule.max_use and count == rule.max_use + 1:
            opens = self._grammar.opens_loop(rule.place)
            code = FindingCode.LOOP_OVER_MAX if opens else FindingCode.SEGMENT_OVER_MAX
            often = f"more than {times(rule.max_use)}{self._grammar.where(self._place)}"
            yield self._finding(code, f"{self._named()} comes {often}, its maximum.", position)
        frame = Frame(self._place.tag, position, self._grammar.loop_id(self._place), self._grammar.guide)
        for element in rule.elements:
            value = values[element.position - 1] if element.position <= len(values) else ""
            yield from guide_faults(frame, element, value, delimiters, ())

    def missing(self, position: int, segments: tuple[str, ...], delimiters: Delimiters) -> Finding:
        following = segments[position - 1 : position]
        before = f" before {following[0].partition(delimiters.element)[0]}" if following else ""
        what = f"{self._named()} is missing{self._grammar.where(self._place)}{before}."
        return self._finding(FindingCode.SEGMENT_MISSING, what, position)

    def _named(self) -> str:
        """ "REF (Reference Identification) with REF01 = DP"."""
        values = " or ".join(sorted(self._rule.values))
        return f"{named(self._place)} with {self._place.tag}{self._rule.position:02d} = {values}"

    def _finding(self, code: FindingCode, message: str, position: int) -> Finding:
        guide, tag = self._grammar.guide, self._place.tag
        loop = self._grammar.loop_id(self._place)
        said = asked(guide, message)
        return Finding(code=code, message=said, segment=tag, position=position, loop=loop, guide=guide)
