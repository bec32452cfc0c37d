"""Redact: a real file made shareable. What names somebody or something becomes a stand-in of the same shape.

Replaced: identifiers, names, free text, addresses, whatever stands outside segments we know. Kept: structure,
delimiters, codes, control numbers, line and HL numbers, counts, quantities, prices, dates. Every stand-in has
the length of what it stands for, so that positions, wrapped lines and faults stay where they were. Equal
values of one file get equal stand-ins (an order and its acknowledgment still belong together); nothing of a
value but its length, letter case, leading zeros and punctuation is left in it.
"""

import re
from functools import lru_cache
from hashlib import shake_256

from edi import codes
from edi.delimiters import ISA_WIDTHS, Delimiters
from edi.grammar import Element
from edi.guide import guide_for
from edi.interchanges import Span, cut

#: ISA02, ISA04, ISA06 and ISA08: authorization, security, sender and receiver.
_ISA_NAMES = frozenset({2, 4, 6, 8})
#: Envelope segments: the elements that name somebody.
_ENVELOPE: dict[str, tuple[int, ...]] = {"GS": (2, 3), "GE": (), "IEA": (), "TA1": ()}
#: Text (AN) elements that only number things inside the set: 28, 329, 350, 628, 734 and 327.
_NUMBERING = frozenset({"28", "329", "350", "628", "734", "327"})
#: Codes (ID) that are parts of an address: state and postal code.
_PLACES = frozenset({"156", "116"})
_NUMBER = re.compile(r"[-+.,0-9 ]*|[-+0-9.]+[eE][-+0-9]+", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9]*", re.ASCII)
_FILLER_CHARS_MIN = 6  # 999999999999 names nothing and is worth keeping: it must never match
_UNKNOWN_CODE_CHARS_MAX = 2  # in a segment of no map: a code, hardly a name
_KEPT_WORDS = ("ISA", "\xef\xbb\xbf")  # what opens an interchange, and the byte order mark before it
_TRIES = 32  # for a stand-in that is not taken; one-digit values run out


def redact(data: bytes) -> bytes:
    """The file with stand-ins, as long as it was; never raises, whatever the bytes."""
    result = bytearray(data)
    stand_ins = _StandIns()
    position = 0
    for span in cut(data).spans:
        result[position : span.start] = stand_ins.scrambled(data[position : span.start], None)
        result[span.start : span.end] = _interchange(data, span, stand_ins)
        position = span.end
    result[position:] = stand_ins.scrambled(data[position:], None)
    return bytes(result)


class _StandIns:
    """One file's values and what stands for each, given out in the order the values are first met."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, text: str, delimiters: Delimiters | None) -> str:
        """The stand-in of one value; blanks at its end, line ends and delimiters inside it stay in place."""
        kept = "\r\n"
        if delimiters:
            kept += delimiters.element + delimiters.component + delimiters.terminator + delimiters.repetition
        value = "".join(character for character in text if character not in kept).rstrip(" ")
        if not value or (len(value) >= _FILLER_CHARS_MIN and len(set(value)) == 1):
            return text
        if value not in self._known:
            self._known[value] = self._new(value, kept)
        stand_in = iter(self._known[value])
        return "".join(character if character in kept else next(stand_in, " ") for character in text)

    def scrambled(self, raw: bytes, delimiters: Delimiters | None) -> bytes:
        """Text of no known form: a stand-in for every word that has no meaning where it stands."""
        words = re.split(r"(\xef\xbb\xbf|[^A-Za-z0-9\x80-\xff]+)", raw.decode("latin-1"))
        shown = [word if word in _KEPT_WORDS else self.of(word, delimiters) for word in words]
        return "".join(shown).encode("latin-1")

    def _new(self, value: str, kept: str) -> str:
        candidate = value
        for attempt in range(_TRIES):
            candidate = _shaped(value, f"{len(self._known)}/{attempt}", kept)
            if candidate not in self._taken and candidate != value and "ISA" not in candidate:
                break
        self._taken.add(candidate)
        return candidate


def _shaped(value: str, seed: str, kept: str) -> str:
    """Letters for letters, digits for digits (leading zeros stay), the rest as it is; from `seed` alone."""
    zeros = len(value) - len(value.lstrip("0"))
    shaped = [value[:zeros]]
    noise = shake_256(seed.encode()).digest(len(value))
    for number, character in zip(noise, value[zeros:], strict=False):
        if not character.isascii():
            shaped.append("X" if "\xe9" in kept else "\xe9")
        elif character.isdigit():
            shaped.append("123456789"[number % 9])
        elif character.isalpha():
            letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 26]
            shaped.append(letter if character.isupper() else letter.lower())
        else:
            shaped.append(character)
    return "".join(shaped)


def _interchange(data: bytes, span: Span, stand_ins: _StandIns) -> bytes:
    header, delimiters = span.header, span.header.delimiters
    head, body = data[span.start : header.end], data[header.end : span.end]
    opening = _isa(head.decode("latin-1"), delimiters, stand_ins)
    if not header.usable:
        return opening.encode("latin-1") + stand_ins.scrambled(body, delimiters)
    release = codes.RELEASES[0]
    segments = body.decode("latin-1").split(delimiters.terminator)
    for index, raw in enumerate(segments):
        elements = raw.split(delimiters.element)
        noise = str.maketrans("", "", delimiters.newlines + delimiters.blanks)
        tag = elements[0].translate(noise)
        if tag == "GS" and len(elements) > 8:
            release = _nearest(elements[8])
        segments[index] = delimiters.element.join(
            [elements[0] if len(tag) <= 3 else stand_ins.of(elements[0], delimiters)]
            + [
                _element(tag, number, text, release, delimiters, stand_ins)
                for number, text in enumerate(elements[1:], start=1)
            ]
        )
    return (opening + delimiters.terminator.join(segments)).encode("latin-1")


def _isa(text: str, delimiters: Delimiters, stand_ins: _StandIns) -> str:
    parts = text.split(delimiters.element, len(ISA_WIDTHS))
    for number in _ISA_NAMES:
        parts[number] = stand_ins.of(parts[number], delimiters)
    return delimiters.element.join(parts)


def _nearest(version: str) -> str:
    """The release whose maps know a version's segments best."""
    return max((release for release in codes.RELEASES if release <= version), default=codes.RELEASES[0])


def _element(
    tag: str, number: int, text: str, release: str, delimiters: Delimiters, stand_ins: _StandIns
) -> str:
    if tag in _ENVELOPE:
        return stand_ins.of(text, delimiters) if number in _ENVELOPE[tag] else text
    known = _elements(release).get(tag)
    if known is None:
        return text if len(text) <= _UNKNOWN_CODE_CHARS_MAX else stand_ins.of(text, delimiters)
    if number > len(known):
        return stand_ins.of(text, delimiters)
    element = known[number - 1]
    if not element.components:
        return text if _is_kept(element, text) else stand_ins.of(text, delimiters)
    parts = text.split(delimiters.component)
    for at, part in enumerate(parts):
        if at >= len(element.components) or not _is_kept(element.components[at], part):
            parts[at] = stand_ins.of(part, delimiters)
    return delimiters.component.join(parts)


def _is_kept(element: Element, text: str) -> bool:
    """Whether a value names nobody: numbers, dates and codes, as long as they look like one."""
    value = text.replace("\r", "").replace("\n", "")
    if element.reference in _NUMBERING:
        return True
    if element.type == "ID":
        fits = len(value) <= max(element.length_max, _UNKNOWN_CODE_CHARS_MAX)
        return element.reference not in _PLACES and fits and _CODE.fullmatch(value.rstrip(" ")) is not None
    if element.type in ("AN", "B"):
        return False
    return _NUMBER.fullmatch(value) is not None and len(value) <= element.length_max + 2


@lru_cache(maxsize=8)
def _elements(release: str) -> dict[str, tuple[Element, ...]]:
    """The elements of every segment the maps of a release know; a segment is the same in all of them."""
    guides = [guide_for(release, kind) for kinds in codes.SETS_OF_GROUP.values() for kind in kinds]
    places = [place for guide in guides if guide for place in guide.grammar.places]
    return {place.segment.tag: place.segment.elements for place in places}
