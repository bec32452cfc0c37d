"""Element faults: what is wrong with the elements of one segment, in sentences that name them.

The standard has the first word; what only a partner's guide asks for is said as that guide's.
"""

from collections.abc import Iterator

from edi.delimiters import Delimiters
from edi.elements import fault
from edi.findings import Finding, FindingCode
from edi.grammar import Element, Grammar, Note, Place
from edi.wording import article, asked, shown

_codes_shown_max = 12


def segment_faults(
    grammar: Grammar, place: Place, values: list[str], position: int, delimiters: Delimiters
) -> Iterator[Finding]:
    """Faults of one segment's elements; `values` are they, without empty ones at the end."""
    segment, standard = place.segment, grammar.standard.places[place.index].segment
    frame = Frame(place.tag, position, grammar.loop_id(place))
    if len(values) > len(segment.elements):
        count = len(segment.elements)
        message = f"{place.tag} has {len(values)} elements; the standard has {count}."
        yield frame.finding(FindingCode.TOO_MANY_ELEMENTS, message, str(count + 1), values[count])
    present = set()
    for element in segment.elements:
        value = values[element.position - 1] if element.position <= len(values) else ""
        if value.strip(delimiters.component) if element.components else value:
            present.add(element.position)
        plain = standard.elements[element.position - 1]
        found = tuple(element_faults(frame, plain, value, delimiters))
        yield from found
        if element is not plain:
            yield from guide_faults(frame.of(grammar.guide), element, value, delimiters, found)
    yield from _note_faults(frame, segment.elements, segment.notes, frozenset(present), "")


def guide_faults(
    frame: "Frame", element: Element, value: str, delimiters: Delimiters, said: tuple[Finding, ...]
) -> Iterator[Finding]:
    """Faults by a guide's narrowed element; what is wrong by the standard already is not said again."""
    names = {finding.element for finding in said}
    for finding in element_faults(frame, element, value, delimiters):
        if finding.element not in names:
            yield finding


class Frame:
    """The place that findings of one segment share, and whose word they are: a guide's or the standard's."""

    __slots__ = ("_loop", "_position", "guide", "tag")

    def __init__(self, tag: str, position: int, loop: str, guide: str = "") -> None:
        self.tag, self._position, self._loop, self.guide = tag, position, loop, guide

    def of(self, guide: str) -> "Frame":
        """The same place, for what a guide asks."""
        return Frame(self.tag, self._position, self._loop, guide)

    def finding(
        self, code: FindingCode, message: str, element: str, value: str = "", reference: str = ""
    ) -> Finding:
        return Finding(
            code=code,
            message=asked(self.guide, message),
            segment=self.tag,
            position=self._position,
            element=element,
            value=value,
            loop=self._loop,
            reference=reference,
            guide=self.guide,
        )

    def missing(self, element: Element, at: str, value: str) -> Finding:
        message = f"{self.named(element, at)} is missing."
        return self.finding(FindingCode.ELEMENT_MISSING, message, at, value, element.reference)

    def not_used(self, element: Element, at: str, value: str) -> Finding:
        message = f"{self.named(element, at)} is not used."
        return self.finding(FindingCode.ELEMENT_NOT_USED, message, at, value, element.reference)

    def designator(self, element: str) -> str:
        """ "5-1" of SLN is SLN05-1."""
        whole, _, component = element.partition("-")
        return f"{self.tag}{int(whole):02d}" + (f"-{component}" if component else "")

    def named(self, element: Element, at: str) -> str:
        return f"{element.name} ({self.designator(at)}, element {element.reference})"


def element_faults(frame: Frame, element: Element, value: str, delimiters: Delimiters) -> Iterator[Finding]:
    """Faults of one element (or composite, or each repetition of it) as sent."""
    at = str(element.position)
    if not element.components:
        repeats = element.repeat != 1 and delimiters.repetition
        for one in value.split(delimiters.repetition) if repeats else (value,):
            yield from _value_faults(frame, element, one, at, delimiters)
        return
    components = value.split(delimiters.component)
    if element.forbidden and any(components):
        yield frame.not_used(element, at, value)
        return
    if not any(components):
        if element.required:
            yield frame.missing(element, at, value)
        if len(components) <= len(element.components):
            return
    if len(components) > len(element.components):
        most = len(element.components)
        message = f"{frame.designator(at)} has {len(components)} components; the standard has {most}."
        yield frame.finding(FindingCode.TOO_MANY_ELEMENTS, message, at, value, element.reference)
        if not any(components):
            return
    present = set()
    for part in element.components:
        one = components[part.position - 1] if part.position <= len(components) else ""
        if one:
            present.add(part.position)
        yield from _value_faults(frame, part, one, f"{at}-{part.position}", delimiters)
    yield from _note_faults(frame, element.components, element.notes, frozenset(present), f"{at}-")


def _value_faults(
    frame: Frame, element: Element, value: str, at: str, delimiters: Delimiters
) -> Iterator[Finding]:
    """The fault of one simple value, in a sentence that names the element by the standard's name."""
    name = frame.named(element, at)
    if not value.strip(" "):
        if element.required:
            yield frame.missing(element, at, value)
            return
        if not value:
            return
    code = fault(element, value, delimiters.component)
    if code is FindingCode.ELEMENT_NOT_USED:
        yield frame.not_used(element, at, value)
    elif code is not None:
        message = _sentence(code, shown(value), name, element, narrowed=bool(frame.guide))
        yield frame.finding(code, message, at, value, element.reference)


def _sentence(code: FindingCode, value: str, name: str, element: Element, *, narrowed: bool) -> str:
    match code:
        case FindingCode.CODE_INVALID:
            allowed = f"; it takes {_listed(element.codes)}" if narrowed else ""
            return f"{value} is not {article(element.name)} {name}{allowed}."
        case FindingCode.ELEMENT_SHORT:
            return f"{value} is too short for {name}, which has at least {element.length_min} characters."
        case FindingCode.ELEMENT_LONG:
            return f"{value} is too long for {name}, which has at most {element.length_max} characters."
        case FindingCode.DATE_INVALID:
            shape = "CCYYMMDD" if element.length_min == element.length_max else "CCYYMMDD or YYMMDD"
            return f"{value} is not a date of the calendar ({shape}): {name}."
        case FindingCode.TIME_INVALID:
            return f"{value} is not a time of day (HHMM or HHMMSS): {name}."
        case _:
            kinds = {"R": "a decimal number", "N": "a whole number", "I": "a code"}
            return f"{value} is not {kinds.get(element.type[:1], 'printable text')}: {name}."


def _listed(codes: frozenset[str]) -> str:
    """The codes, or the first of very many."""
    first = ", ".join(sorted(codes)[:_codes_shown_max])
    return first if len(codes) <= _codes_shown_max else f"{first} and {len(codes) - _codes_shown_max} more"


def _note_faults(
    frame: Frame,
    elements: tuple[Element, ...],
    notes: tuple[Note, ...],
    present: frozenset[int],
    prefix: str,
) -> Iterator[Finding]:
    """Broken syntax notes; the element named is the first that is missing, or the first that is too much."""
    said = set()  # one element missing for two notes is one fault
    for note in notes:
        if note.holds(present):
            continue
        sent = [position for position in note.positions if position in present]
        lacking = [position for position in note.positions if position not in present]
        designators = {position: frame.designator(f"{prefix}{position}") for position in note.positions}
        if note.kind == "E":
            blamed = sent[1]
            code = FindingCode.ELEMENT_EXCLUDED
            message = f"{designators[blamed]} must not be sent with {designators[sent[0]]}"
        else:
            blamed = lacking[0]
            code = FindingCode.ELEMENT_CONDITION
            missing = (" or " if note.kind in "RL" else " and ").join(designators[one] for one in lacking)
            cause = {"C": note.positions[:1], "L": note.positions[:1]}.get(note.kind, tuple(sent[:1]))
            because = f" because {designators[cause[0]]} is there" if cause else ""
            message = f"{missing} must be sent{because}"
        if (code, blamed) not in said:
            said.add((code, blamed))
            reference = elements[blamed - 1].reference
            yield frame.finding(code, f"{message} (syntax note {note}).", f"{prefix}{blamed}", "", reference)
