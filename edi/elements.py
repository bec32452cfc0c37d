"""Elements: what a value of a data type may be, said twice: a pattern for speed, a verdict for people.

The two must agree; tests hold them together. Values never hold the element separator, so an element's extent
is forced and no pattern here can backtrack further than its own bounded length.
"""

import re

from edi.findings import FindingCode
from edi.grammar import UNBOUNDED, Element, Note, Segment

# CCYYMMDD from 1800 to 9999 with leap years; a date before 1800 is an unset field, not a business date.
_MONTH_DAY = (
    "(?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)"
    "|02(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP = "(?:0[48]|[2468][048]|[13579][26])"
_CENTURY = "(?:1[89]|[2-9][0-9])"
_LEAP_CENTURY = "(?:[2468][048]|[3579][26])"
_DATE_8 = f"(?:{_CENTURY}[0-9]{{2}}{_MONTH_DAY}|(?:{_CENTURY}{_LEAP}|{_LEAP_CENTURY}00)0229)"
_DATE_6 = f"(?:[0-9]{{2}}{_MONTH_DAY}|(?:{_LEAP}|00)0229)"
_TIME = "(?:[01][0-9]|2[0-3])[0-5][0-9]"

_INTEGER = re.compile(r"-?[0-9]+")
_REAL = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_DATE = re.compile(f"{_DATE_8}|{_DATE_6}")
_CLOCK = re.compile(f"{_TIME}(?:[0-5][0-9][0-9]*)?")
_never = "(?!)"  # a pattern that nothing matches
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # C1 bytes stay allowed: cp1252 text is everyday


def fault(element: Element, value: str, component: str) -> FindingCode | None:
    """What is wrong with a non-empty value of a simple element: one fault, the plainest, or None.

    The component separator is text in a text (AN; spec section 3), but no part of any code (ID).
    """
    if element.forbidden:
        return FindingCode.ELEMENT_NOT_USED
    if element.codes:
        return None if value in element.codes else FindingCode.CODE_INVALID
    kind = element.type[:1]
    if kind in "NR":
        shape = _REAL if element.type == "R" else _INTEGER
        if not shape.fullmatch(value):
            return FindingCode.ELEMENT_CHARACTER
        # X12.6: sign and decimal point do not count towards the length.
        return _length_fault(element, len(value.lstrip("-").replace(".", "", 1)))
    if element.type == "DT":
        fits = element.length_min <= len(value) <= element.length_max and _DATE.fullmatch(value)
        return None if fits else FindingCode.DATE_INVALID
    if element.type == "TM":
        fits = element.length_min <= len(value) <= element.length_max and _CLOCK.fullmatch(value)
        return None if fits else FindingCode.TIME_INVALID
    if (element.type != "B" and _CONTROL.search(value)) or (element.type == "ID" and component in value):
        return FindingCode.ELEMENT_CHARACTER
    return _length_fault(element, len(value))


def _length_fault(element: Element, length: int) -> FindingCode | None:
    if length < element.length_min:
        return FindingCode.ELEMENT_SHORT
    return FindingCode.ELEMENT_LONG if length > element.length_max else None


def segment_pattern(segment: Segment, separator: str, component: str, repetition: str) -> str:
    """The pattern of exactly the good texts of a segment, for fullmatch; no trailing empty elements.

    What a syntax note watches is a named group; behind the note's last element, conditionals on those groups
    hold the note.
    """
    mark = _literal(separator)
    watched = {position for note in segment.notes for position in note.positions}
    parts = [re.escape(segment.tag)]
    for element in segment.elements:
        value, empty = _element_patterns(element, separator, component, repetition)
        if element.position in watched:
            value = f"(?P<e{element.position}>{value})"
        parts.append(f"{mark}{value}" if element.required else f"(?:{mark}(?:{value}|{empty})|\\Z)")
        parts.append(_by_notes(element, segment.elements, segment.notes, "e"))
    return "".join(parts) + f"(?<!{mark})"


def _element_patterns(element: Element, separator: str, component: str, repetition: str) -> tuple[str, str]:
    """(pattern of a value that is there, pattern of what counts as empty)."""
    repeats = element.repeat != 1 and repetition != ""
    barred = separator + (repetition if repeats else "")
    if element.forbidden:
        separators_max = max(len(element.components) - 1, 0)
        value, empty = _never, f"{_literal(component)}{{0,{separators_max}}}"
    elif element.components:
        value, empty = _composite_patterns(element, barred, component)
    else:
        value, empty = _value_pattern(element, barred, component), ""
    if element.required:
        value = f"(?! *{_end(barred)}){value}"
    if repeats:
        more = "" if element.repeat == UNBOUNDED else element.repeat - 1
        value = f"{value}(?:{_literal(repetition)}{value}){{0,{more}}}"
    return value, empty


def _composite_patterns(composite: Element, barred: str, component: str) -> tuple[str, str]:
    mark, end, prefix = _literal(component), _end(barred), f"e{composite.position}c"
    watched = {position for note in composite.notes for position in note.positions}
    pieces = []
    for part in composite.components:
        value = _value_pattern(part, barred + component, component)
        if part.required:
            value = f"(?! *{_end(barred + component)}){value}"
        if part.position in watched:
            value = f"(?P<{prefix}{part.position}>{value})"
        lead = mark if part.position > 1 else ""
        pieces.append(f"{lead}{value}" if part.required else f"(?:{lead}(?:{value}|)|(?={end}))")
        pieces.append(_by_notes(part, composite.components, composite.notes, prefix))
    filled = f"(?!{mark}*{end})" + "".join(pieces)
    return filled, f"{mark}{{0,{len(composite.components) - 1}}}"


def _by_notes(element: Element, siblings: tuple[Element, ...], notes: tuple[Note, ...], prefix: str) -> str:
    """An assertion of the notes whose last element is this one: a decision tree over who is present."""
    closing = [note for note in notes if max(note.positions) == element.position]
    always = frozenset(sibling.position for sibling in siblings if sibling.required)

    def tree(remaining: list[int], present: frozenset[int]) -> str:
        if not remaining:
            return "" if all(note.holds(present) for note in closing) else "(?!)"
        yes = tree(remaining[1:], present | {remaining[0]})
        no = tree(remaining[1:], present)
        return yes if yes == no else f"(?({prefix}{remaining[0]}){yes}|{no})"

    return tree(sorted({at for note in closing for at in note.positions} - always), always)


def _value_pattern(element: Element, barred: str, component: str) -> str:
    least, most = element.length_min, element.length_max
    if element.forbidden:
        return _never
    if element.codes:
        # A guide may list a code that holds what separates in this file: such a code cannot come.
        return _one_of(frozenset(code for code in element.codes if not set(code) & set(barred)))
    minus = "" if "-" in barred else "-?"  # what separates in this file is no sign and no point
    if element.type[:1] == "N" or (element.type == "R" and "." in barred):
        return f"{minus}[0-9]{{{least},{most}}}"
    if element.type == "R":
        # With the point there is one character more than digits; a lone point has no digit at all.
        pointed = f"(?=[0-9.]{{{max(least, 1) + 1},{most + 1}}}(?![0-9.]))[0-9]*\\.[0-9]*"
        return f"{minus}(?:[0-9]{{{least},{most}}}(?![0-9.])|{pointed})"
    if element.type == "DT":
        shapes = [shape for size, shape in ((8, _DATE_8), (6, _DATE_6)) if least <= size <= most]
        return f"(?:{'|'.join(shapes)})" if shapes else _never
    if element.type == "TM":
        more = f"(?:[0-5][0-9][0-9]{{{max(least - 6, 0)},{max(most - 6, 0)}}})"
        if most < 6:
            return _TIME if least <= 4 else _never
        return f"{_TIME}{more}" + ("?" if least <= 4 else "")
    if element.type == "B":
        return f"[^{_in_class(barred)}]{{{least},{most}}}"
    if element.type == "ID":
        barred += component
    return f"[^\\x00-\\x1f\\x7f{_in_class(barred)}]{{{least},{most}}}"


def _one_of(codes: frozenset[str]) -> str:
    """Alternatives as a tree on the first characters, so that a match tries one branch per character."""
    by_rest: dict[frozenset[str], list[str]] = {}
    for first in sorted({code[0] for code in codes if code}):
        rest = frozenset(code[1:] for code in codes if code[:1] == first)
        by_rest.setdefault(rest, []).append(first)
    branches = []
    for rest, firsts in by_rest.items():
        lead = _literal(firsts[0]) if len(firsts) == 1 else f"[{_in_class(''.join(firsts))}]"
        branches.append(lead + ("" if rest == {""} else _one_of(rest)))
    if "" in codes:
        branches.append("")
    if not branches:
        return _never
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _end(barred: str) -> str:
    return f"(?:[{_in_class(barred)}]|\\Z)"


def _literal(character: str) -> str:
    return f"\\x{ord(character):02x}"


def _in_class(characters: str) -> str:
    return "".join(_literal(character) for character in characters)
