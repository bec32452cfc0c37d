"""Narrowing: a partner's companion guide laid over a grammar. It may ask for more, never allow more."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from edi.elements import fault
from edi.grammar import UNBOUNDED, Element, Grammar, Loop, Place, QualifiedRule, Segment
from edi.wording import times

_listed_max = 12  # of codes or places in a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementRule:
    """What a guide says of one element of a segment, or of one component of a composite."""

    line: int
    position: int
    component: int = 0  # from 1; 0: the element itself
    required: bool = False
    forbidden: bool = False
    codes: tuple[str, ...] = ()
    length_min: int | None = None
    length_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRule:
    """What a guide says of one place; of a loop when the place opens it.

    With `where` (an element's position and values) it is about the uses in which the element has one of them.
    """

    line: int
    path: tuple[str, ...]  # loops from the outside in, then the segment
    where: tuple[int, tuple[str, ...]] | None = None
    required: bool = False
    forbidden: bool = False
    max_use: int = UNBOUNDED
    elements: tuple[ElementRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A partner's companion guide to one transaction set (ST01, 143) in one or more releases."""

    partner: str  # in the words of findings
    set: str
    releases: tuple[str, ...]
    source: str  # the file, for messages
    rules: tuple[SegmentRule, ...]

    def applies_to(self, set_type: str, release: str) -> bool:
        """Whether this guide is about such sets."""
        return set_type == self.set and release in self.releases


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that cannot be: the line it stands in, and what is wrong and what to do."""

    line: int
    message: str


def narrow(grammar: Grammar, overlay: Overlay) -> tuple[Grammar, tuple[Problem, ...]]:
    """The grammar as the guide narrows it, and the rules that name no place or would widen it (left out)."""
    narrowing = _Narrowing(grammar)
    for rule in overlay.rules:
        narrowing.add(rule)
    narrowed = replace(
        grammar.with_places(narrowing.places, narrowing.loops),
        guide=overlay.partner,
        narrows=grammar,
        qualified=tuple(narrowing.qualified),
    )
    return narrowed, tuple(narrowing.problems)


class _Narrowing:
    """The places and loops of the narrowed grammar as they come about, rule by rule."""

    def __init__(self, grammar: Grammar) -> None:
        self.places, self.loops = list(grammar.places), list(grammar.loops)
        self.qualified: list[QualifiedRule] = []
        self.problems: list[Problem] = []
        self._grammar = grammar
        self._seen: dict[object, int] = {}

    def add(self, rule: SegmentRule) -> None:
        place = self._find(rule)
        if place is None or self._said_before(rule.line, (rule.path, rule.where), "/".join(rule.path)):
            return
        path = "/".join(rule.path)
        if not (rule.required or rule.forbidden or rule.max_use or rule.elements):
            self._no(rule.line, f"nothing is said of {path}. Give it usage, max_use or elements.")
            return
        bound = self._grammar.bound(place.index)
        if bound and rule.max_use > bound:
            most = f"the standard has {path} at most {times(bound)}"
            self._no(rule.line, f"{most}. Give max_use {bound} or less, or leave it out.")
            return
        standard = place.segment.elements
        narrowed = dict(enumerate(standard, 1))
        changed = self._elements(rule, place, narrowed)
        if rule.where is None:
            self._plain(rule, place, path, tuple(narrowed.values()) if changed else standard)
        else:
            self._qualify(rule, place, rule.where, tuple(narrowed[at] for at in changed))

    def _plain(self, rule: SegmentRule, place: Place, path: str, elements: tuple[Element, ...]) -> None:
        if rule.forbidden and self._grammar.requires(place.index):
            self._no(rule.line, f"the standard requires {path}; no guide can leave it out. Remove the rule.")
            return
        segment: Segment = place.segment
        if elements is not segment.elements:
            segment = replace(segment, elements=elements)
        place = replace(self.places[place.index], segment=segment, forbidden=rule.forbidden)
        if self._grammar.opens_loop(place.index):
            loop: Loop = self.loops[place.loop]
            repeat = rule.max_use or loop.repeat
            self.loops[place.loop] = replace(loop, required=loop.required or rule.required, repeat=repeat)
        else:
            max_use = rule.max_use or place.max_use
            place = replace(place, required=place.required or rule.required, max_use=max_use)
        self.places[place.index] = place

    def _qualify(
        self,
        rule: SegmentRule,
        place: Place,
        where: tuple[int, tuple[str, ...]],
        elements: tuple[Element, ...],
    ) -> None:
        position, values = where
        if position > len(place.segment.elements):
            self._no(rule.line, self._too_far(place, position))
            return
        element = place.segment.elements[position - 1]
        if element.components:
            name = f"{place.tag}{position:02d}"
            self._no(rule.line, f"{name} is a composite; where takes a simple element. Choose another.")
            return
        if wrong := _unfit(element, values):
            self._no(rule.line, f"{place.tag}{position:02d} is never {wrong} in the standard. Correct where.")
            return
        self.qualified.append(
            QualifiedRule(
                place=place.index,
                position=position,
                values=frozenset(values),
                required=rule.required,
                forbidden=rule.forbidden,
                max_use=rule.max_use,
                elements=elements,
            )
        )

    def _find(self, rule: SegmentRule) -> Place | None:
        loop, walked = 0, list[str]()
        for at, step in enumerate(rule.path):
            children = {self._grammar.head(one).tag: one for one in self._grammar.children[loop]}
            child = children.get(step)
            is_last = at == len(rule.path) - 1
            if child is not None and is_last:
                return self._grammar.head(child)
            if not isinstance(child, Loop):
                where = f"the {'/'.join(walked)} loop" if walked else f"the {self._grammar.type}"
                names = [tag for tag, one in children.items() if is_last or isinstance(one, Loop)]
                kind = "segment" if is_last else "loop"
                has = f"It has {', '.join(names)}." if names else "It has none."
                self._no(rule.line, f"{where} of {self._grammar.release} has no {kind} {step}. {has}")
                return None
            walked.append(step)
            loop = child.index
        return None

    def _elements(self, rule: SegmentRule, place: Place, elements: dict[int, Element]) -> list[int]:
        """Narrow `elements` in place; the positions of those that changed."""
        changed = []
        for one in rule.elements:
            name = f"{place.tag}{one.position:02d}" + (f"-{one.component}" if one.component else "")
            if one.position > len(elements):
                self._no(one.line, self._too_far(place, one.position))
                continue
            if self._said_before(one.line, (rule.path, rule.where, one.position, one.component), name):
                continue
            whole = elements[one.position]
            if one.component > len(whole.components):
                count = len(whole.components)
                parts = f"has {count} components" if count else "is no composite"
                self._no(one.line, f"{name.partition('-')[0]} {parts}; there is no {name}. Correct position.")
                continue
            part = whole.components[one.component - 1] if one.component else whole
            problems = list(_problems(one, part, name))
            self.problems += problems
            if problems:
                continue
            part = _narrowed(one, part)
            if one.component:
                parts_now = list(whole.components)
                parts_now[one.component - 1] = part
                part = replace(whole, components=tuple(parts_now))
            elements[one.position] = part
            if one.position not in changed:
                changed.append(one.position)
        return changed

    def _said_before(self, line: int, key: object, name: str) -> bool:
        first = self._seen.setdefault(key, line)
        if first != line:
            self._no(line, f"{name} was spoken of in line {first} already. Put both into one.")
        return first != line

    def _too_far(self, place: Place, position: int) -> str:
        count = len(place.segment.elements)
        return f"{place.tag} has {count} elements; there is no {place.tag}{position:02d}. Correct position."

    def _no(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, message))


def _problems(rule: ElementRule, element: Element, name: str) -> Iterator[Problem]:
    """Why a rule cannot narrow this element; nothing when it can."""

    def no(message: str) -> Problem:
        return Problem(rule.line, message)

    lengths = rule.length_min is not None or rule.length_max is not None
    if not (rule.required or rule.forbidden or rule.codes or lengths):
        yield no(f"nothing is said of {name}. Give it usage, codes or lengths.")
    if rule.forbidden and element.required:
        yield no(f"the standard requires {name}; no guide can leave it out. Remove the rule.")
    if rule.forbidden and (rule.codes or lengths):
        yield no(f"{name} is not used, and yet has codes or lengths. Remove the one or the other.")
    if not (rule.codes or lengths):
        return
    if element.components:
        yield no(f'{name} is a composite. Say which component, such as position="{element.position}-1".')
    elif rule.codes and lengths:
        yield no(f"{name} has codes and lengths; codes say it all. Remove the lengths.")
    elif rule.codes and (wrong := _unfit(element, rule.codes)):
        allowed = f"it takes {_listed(element.codes)}" if element.codes else f"it is {_shape(element)}"
        yield no(f"the standard does not allow {wrong} in {name}; {allowed}. Correct codes.")
    elif lengths and (element.codes or element.type == "DT"):
        yield no(f"the lengths of {name} are those of its codes or dates. Remove the lengths.")
    elif lengths:
        least, most = rule.length_min or element.length_min, rule.length_max or element.length_max
        if not element.length_min <= least <= most <= element.length_max:
            yield no(f"{name} is {_shape(element)}. Give lengths within these, the lower one first.")


def _narrowed(rule: ElementRule, element: Element) -> Element:
    return replace(
        element,
        required=element.required or rule.required,
        forbidden=rule.forbidden,
        codes=frozenset(rule.codes) or element.codes,
        length_min=rule.length_min or element.length_min,
        length_max=rule.length_max or element.length_max,
    )


def _unfit(element: Element, values: tuple[str, ...]) -> str:
    """The values that the standard would not take, or ""."""
    is_code = element.type == "ID"
    unfit = [one for one in values if fault(element, one, "\0") or (is_code and not one.isalnum())]
    return ", ".join(unfit[:_listed_max])


def _shape(element: Element) -> str:
    return f"{element.type} with {element.length_min} to {element.length_max} characters"


def _listed(codes: frozenset[str]) -> str:
    first = ", ".join(sorted(codes)[:_listed_max])
    return first if len(codes) <= _listed_max else f"{first} and {len(codes) - _listed_max} more"
