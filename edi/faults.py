"""Faults: the exact path, which walks a set the compiled guide did not accept and names every fault in it."""

from collections.abc import Iterator

from edi.delimiters import Delimiters
from edi.elements import fault
from edi.findings import Finding, FindingCode
from edi.grammar import START, Element, Grammar, Loop, Move, Note, Place
from edi.limits import findings_per_set_max

_shown_chars_max = 60  # of a value in a sentence; the finding itself carries all of it


def find(grammar: Grammar, segments: tuple[str, ...], delimiters: Delimiters) -> tuple[Finding, ...]:
    """Every fault of a set's segments (ST to SE, X12 719 positions from 1), in the order sent.

    At most `findings_per_set_max`; notes come last. One fault is said once: what follows from it is not.
    """
    walk = _Walk(grammar)
    for position, text in enumerate(segments, 1):
        tag, *values = text.rstrip(delimiters.element).split(delimiters.element)
        place = walk.step(tag, position)
        if place is not None:
            walk.found += _segment_faults(grammar, place, values, position, delimiters)
        if len(walk.found) >= findings_per_set_max:
            break
    else:
        walk.end(len(segments) + 1)
    found = [*walk.found, *trailing_empty(segments, delimiters)]
    return tuple(found[:findings_per_set_max])


def trailing_empty(segments: tuple[str, ...], delimiters: Delimiters) -> tuple[Finding, ...]:
    """One note when segments end with empty elements (spec section 3: tolerated), about the first of them."""
    separator = delimiters.element
    ending = [position for position, text in enumerate(segments, 1) if text[-1:] == separator]
    if not ending:
        return ()
    first = segments[ending[0] - 1]
    tag = first.partition(separator)[0]
    many = f"{len(ending)} segments end" if len(ending) > 1 else "One segment ends"
    message = f"{many} with empty elements, the first is {tag} at position {ending[0]}."
    return (Finding(code=FindingCode.TRAILING_EMPTY, message=message, segment=tag, position=ending[0]),)


class _Walk:
    """Where the walk stands, how often each place has come, and what was found so far."""

    def __init__(self, grammar: Grammar) -> None:
        self.found: list[Finding] = []
        self._grammar = grammar
        self._at = START
        self._counts = [0] * len(grammar.places)
        self._missing: dict[int, Finding] = {}  # by place: said missing, may yet turn up out of order
        self._unknown_before = ""  # the tag of an unknown segment, while the next one is looked at

    def step(self, tag: str, position: int) -> Place | None:
        """Go on to the place of `tag`; None, with a finding, when there is none."""
        grammar, unknown_before = self._grammar, self._unknown_before
        self._unknown_before = ""
        move = grammar.moves(self._at).get(tag)
        if move is not None:
            self._arrive(move, position)
            return grammar.places[move.place]
        if tag not in grammar.tags:
            self._unknown(tag, position)
            self._unknown_before = tag
            return None
        inside = grammar.inside(tag, self._at, unknown_before)
        if inside is not None and unknown_before:
            # The unknown segment stood where this one's loop begins: a misspelt head, already said.
            self._enter(*inside)
            return grammar.places[inside[1]]
        self._misplaced(tag, position, inside)
        return None

    def end(self, position: int) -> None:
        """A set without SE is its envelope's fault; what is missing before SE is found here all the same."""
        last = len(self._grammar.places) - 1
        move = self._grammar.moves(self._at).get("SE")
        if self._at != last and move is not None:
            self._report_skipped(move, position, "SE")

    def _arrive(self, move: Move, position: int) -> None:
        place = self._grammar.places[move.place]
        self._report_skipped(move, position, place.tag)
        self._counts[move.place] += 1
        inner = self._grammar.within(move.place)
        self._counts[inner.start : inner.stop] = [0] * len(inner)
        if self._missing:
            self._missing = {index: one for index, one in self._missing.items() if index not in inner}
        self._at = move.place
        bound = self._grammar.bound(move.place)
        if bound and self._counts[move.place] == bound + 1:  # once, however many follow
            self._report_over_max(place, bound, position)

    def _report_skipped(self, move: Move, position: int, before: str) -> None:
        for index in move.skipped:
            place = self._grammar.places[index]
            what = f"The mandatory segment {_named(place)} is missing{self._where(place)} before {before}."
            self._missing[index] = self._add(FindingCode.SEGMENT_MISSING, what, place.tag, position, place)

    def _report_over_max(self, place: Place, bound: int, position: int) -> None:
        if self._grammar.opens_loop(place.index):
            loop = self._grammar.loops[place.loop]
            what = f"The {loop.id} loop comes more than {_times(bound)}, the standard's maximum."
            self._add(FindingCode.LOOP_OVER_MAX, what, place.tag, position, place)
        else:
            often = f"more than {_times(bound)}{self._where(place)}"
            what = f"{_named(place)} comes {often}, the standard's maximum."
            self._add(FindingCode.SEGMENT_OVER_MAX, what, place.tag, position, place)

    def _enter(self, head: int, place: int) -> None:
        """Stand in a loop whose head was not sent, so that what follows in it is no fault again."""
        inner = self._grammar.within(head)
        self._counts[inner.start : inner.stop] = [0] * len(inner)
        self._counts[place] = 1
        self._at = place

    def _unknown(self, tag: str, position: int) -> None:
        if tag in self._grammar.dictionary:
            what = f"{tag} is not a segment of the {self._grammar.type}."
            self._add(FindingCode.SEGMENT_NOT_IN_SET, what, tag, position, self._here())
        else:
            what = f"{_shown(tag)} is not a segment of the standard as far as the hub knows it."
            self._add(FindingCode.SEGMENT_UNRECOGNISED, what, tag, position, self._here())

    def _misplaced(self, tag: str, position: int, inside: tuple[int, int] | None) -> None:
        """Say that a known segment stands where no move leads to it."""
        grammar = self._grammar
        if grammar.is_earlier(tag, self._at):
            self._forget_missing(tag)
            what = f"{tag} comes too late: the standard has it before {self._here_tag()}."
            self._add(FindingCode.SEGMENT_ORDER, what, tag, position, self._here())
            return
        loops = {grammar.loops[one.loop].id for one in grammar.places if one.tag == tag and one.loop}
        belongs = f"; it belongs in the {' or '.join(sorted(loops))} loop" if loops else ""
        what = f"{tag} cannot follow {self._here_tag()}{belongs}."
        self._add(FindingCode.SEGMENT_UNEXPECTED, what, tag, position, self._here())
        if inside is not None:
            self._enter(*inside)

    def _forget_missing(self, tag: str) -> None:
        """A mandatory segment that turns up after all was not missing but late: one fault."""
        for index, finding in list(self._missing.items()):
            if self._grammar.places[index].tag == tag:
                del self._missing[index]
                self.found.remove(finding)
                return

    def _here(self) -> Place | None:
        return self._grammar.places[self._at] if self._at != START else None

    def _here_tag(self) -> str:
        here = self._here()
        return here.tag if here else "the beginning"

    def _where(self, place: Place) -> str:
        """ " in the N1 loop" for a place inside one; a loop's head is looked for where the loop is."""
        loop = self._grammar.loops[place.loop]
        if self._grammar.opens_loop(place.index):
            loop = self._grammar.loops[loop.parent]
        return f" in the {loop.id} loop" if loop.index else ""

    def _add(self, code: FindingCode, message: str, tag: str, position: int, place: Place | None) -> Finding:
        loop = _loop_id(self._grammar, place) if place else ""
        finding = Finding(code=code, message=message, segment=tag, position=position, loop=loop)
        self.found.append(finding)
        return finding


def _segment_faults(
    grammar: Grammar, place: Place, values: list[str], position: int, delimiters: Delimiters
) -> Iterator[Finding]:
    """Faults of one segment's elements; `values` are they, without empty ones at the end."""
    segment = place.segment
    frame = _Frame(place.tag, position, _loop_id(grammar, place))
    if len(values) > len(segment.elements):
        count = len(segment.elements)
        message = f"{place.tag} has {len(values)} elements; the standard has {count}."
        yield frame.finding(FindingCode.TOO_MANY_ELEMENTS, message, str(count + 1), values[count])
    present = set()
    for element in segment.elements:
        value = values[element.position - 1] if element.position <= len(values) else ""
        if value.strip(delimiters.component) if element.components else value:
            present.add(element.position)
        yield from _element_faults(frame, element, value, delimiters)
    yield from _note_faults(frame, segment.elements, segment.notes, frozenset(present), "")


class _Frame:
    """The place that the findings of one segment share."""

    __slots__ = ("_loop", "_position", "tag")

    def __init__(self, tag: str, position: int, loop: str) -> None:
        self.tag, self._position, self._loop = tag, position, loop

    def finding(
        self, code: FindingCode, message: str, element: str, value: str = "", reference: str = ""
    ) -> Finding:
        return Finding(
            code=code,
            message=message,
            segment=self.tag,
            position=self._position,
            element=element,
            value=value,
            loop=self._loop,
            reference=reference,
        )

    def missing(self, element: Element, at: str, value: str) -> Finding:
        message = f"{self.named(element, at)} is missing."
        return self.finding(FindingCode.ELEMENT_MISSING, message, at, value, element.reference)

    def designator(self, element: str) -> str:
        """ "5-1" of SLN is SLN05-1."""
        whole, _, component = element.partition("-")
        return f"{self.tag}{int(whole):02d}" + (f"-{component}" if component else "")

    def named(self, element: Element, at: str) -> str:
        return f"{element.name} ({self.designator(at)}, element {element.reference})"


def _element_faults(frame: _Frame, element: Element, value: str, delimiters: Delimiters) -> Iterator[Finding]:
    """Faults of one element (or composite, or each repetition of it) as sent."""
    at = str(element.position)
    if not element.components:
        repeats = element.repeat != 1 and delimiters.repetition
        for one in value.split(delimiters.repetition) if repeats else (value,):
            yield from _value_faults(frame, element, one, at, delimiters)
        return
    components = value.split(delimiters.component)
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
    frame: _Frame, element: Element, value: str, at: str, delimiters: Delimiters
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
    if code is None:
        return
    shown = _shown(value)
    match code:
        case FindingCode.CODE_INVALID:
            message = f"{shown} is not {_article(element.name)} {name}."
        case FindingCode.ELEMENT_SHORT:
            message = f"{shown} is too short for {name}, which has at least {element.length_min} characters."
        case FindingCode.ELEMENT_LONG:
            message = f"{shown} is too long for {name}, which has at most {element.length_max} characters."
        case FindingCode.DATE_INVALID:
            message = f"{shown} is not a date of the calendar (CCYYMMDD): {name}."
        case FindingCode.TIME_INVALID:
            message = f"{shown} is not a time of day (HHMM or HHMMSS): {name}."
        case _:
            kinds = {"R": "a decimal number", "N": "a whole number", "I": "a code"}
            message = f"{shown} is not {kinds.get(element.type[:1], 'printable text')}: {name}."
    yield frame.finding(code, message, at, value, element.reference)


def _note_faults(
    frame: _Frame,
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


def _loop_id(grammar: Grammar, place: Place) -> str:
    loop: Loop = grammar.loops[place.loop]
    return loop.id if loop.index else ""


def _named(place: Place) -> str:
    return f"{place.tag} ({place.segment.name})"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _article(noun: str) -> str:
    """ "an" before a vowel; Unit, Usage, Unique and User sound like "you"."""
    return "an" if noun[:1] in "AEIO" or (noun[:1] == "U" and noun[1:2] not in "ns") else "a"


def _shown(value: str) -> str:
    cut = value if len(value) <= _shown_chars_max else value[:_shown_chars_max] + "..."
    return '"' + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in cut) + '"'
