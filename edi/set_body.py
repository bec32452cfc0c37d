"""Set body: the segments of a set we write, each element fitted to what our own guide of the release allows.

Free text is cut to its length. What names a thing (an order, a line, a product) is never cut, since the short
name may be another's: a document that its release cannot say is refused, and never sent wrong.
"""

import unicodedata
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from itertools import zip_longest
from types import MappingProxyType

from edi import faults
from edi.compiled import Verdict
from edi.grammar import Element
from edi.guide import guide_for
from edi.wording import shown
from edi.write_envelope import Form, clean, segment

#: A value of an element; "" and None are not sent. A tuple is a composite, by its components.
Simple = str | int | Decimal | date | time | None
Value = Simple | tuple[Simple, ...]

# Words for people: elements 3, 93 and 352. They are written in ASCII, since not every receiver takes more.
_WORDS = frozenset({"3", "93", "352"})
# May be cut: words, a reference beside the key (127), a copy of a bad value (724).
_FREE = _WORDS | {"127", "724"}
# No number of ours has more digits, before or after the point, than element 212 (R 1/17) has in all.
_digits_max = 17

# Plain likenesses of signs that are no letter with an accent.
_LIKENESSES = MappingProxyType(
    str.maketrans(
        {
            "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
            "\u2026": "...", "\u20ac": "EUR", "\u0141": "L", "\u0142": "l", "\u0152": "OE", "\u0153": "oe",
        }
    )
)  # fmt: skip
_ASCII_LIKENESSES = MappingProxyType(
    str.maketrans({"\xa0": " ", "\xc6": "AE", "\xe6": "ae", "\xd8": "O", "\xf8": "o", "\xdf": "ss"})
)


class UnwritableError(ValueError):
    """A document that cannot be said in its release; the message names segment, element, value and limit."""


class SetBody:
    """Gathers the segments between ST and SE of one set in one form; `segments` are checked as a whole.

    Every method raises UnwritableError for what the release's map does not allow.
    """

    def __init__(self, set_type: str, form: Form) -> None:
        guide = guide_for(form.release, set_type)
        if guide is None:
            raise UnwritableError(f"there is no map for transaction set {set_type} in release {form.release}")
        self.form = form
        self._guide, self._type = guide, set_type
        # In our maps all uses of a segment in one set have one definition (tests hold them to it).
        self._elements = {place.tag: place.segment.elements for place in guide.grammar.places}
        self._segments: list[str] = []

    def add(self, tag: str, *values: Value) -> None:
        """Write one segment; values by X12 number from 1."""
        elements = self._elements[tag]
        if len(values) > len(elements):
            raise UnwritableError(f"{tag} has {len(elements)} elements, not {len(values)}")
        text = segment(tag, *[self._fit(tag, one, value) for one, value in zip_longest(elements, values)])
        if text.endswith(" "):  # a receiver may take it for padding between segments
            raise UnwritableError(f"{text.rstrip(' ')}: its last element is shorter than {tag} allows")
        self._segments.append(text)

    def text(self, value: str) -> str:
        """A text as a segment may hold it, uncut: latin-1 without our delimiters and control characters."""
        if not value.isascii():
            value = _folded(value.translate(_LIKENESSES), "\xff")
        return clean(value, self.form, len(value))

    def words(self, value: str) -> str:
        """A text for people, uncut: as `text` has it, and in ASCII."""
        text = self.text(value)
        if text.isascii():
            return text
        return _folded(text.translate(_ASCII_LIKENESSES), "\x7f").rstrip(" ")

    def segments(self) -> tuple[str, ...]:
        """What was written, once more held against the whole guide: order, repeats and syntax notes."""
        whole = (f"ST*{self._type}*0001", *self._segments, f"SE*{len(self._segments) + 2}*0001")
        if self._guide.accepts(whole, self.form.delimiters) is not Verdict.CLEAN:
            found = faults.find(self._guide.grammar, whole, self.form.delimiters)
            raise UnwritableError(f"{self._type} in {self.form.release}: {found[0].message}")
        return tuple(self._segments)

    def _fit(self, tag: str, element: Element, value: Value) -> str:
        place = f"{tag}{element.position:02d}"
        if isinstance(value, tuple):
            pairs = zip(element.components, value, strict=False)
            parts = [self._fit_simple(place, part, simple) for part, simple in pairs]
            text = self.form.delimiters.component.join(parts).rstrip(self.form.delimiters.component)
        else:
            # A composite's first component stands for the whole (C001, C063).
            text = self._fit_simple(place, element.components[0] if element.components else element, value)
        if not text and element.required:
            raise UnwritableError(f"{place} ({element.name}) is mandatory and has no value")
        return text

    def _fit_simple(self, place: str, element: Element, value: Simple) -> str:
        text = value if isinstance(value, str) else plain(value)
        text = self.words(text) if element.reference in _WORDS else self.text(text)
        if not text:
            return ""
        if element.codes:
            if text not in element.codes:
                raise _unwritable(place, element, text, f"is no code of {self.form.release}")
            return text
        size = digits(text) if element.type[:1] in "NR" else len(text)
        if size > element.length_max and element.reference in _FREE:
            return clean(text.lstrip(" "), self.form, element.length_max)
        if size > element.length_max:
            raise _unwritable(place, element, text, f"is longer than {element.length_max}")
        # X12.6: blanks at the end stand only where they fill a value up to its least length.
        return text if element.type != "AN" else text.ljust(element.length_min)


def plain(value: int | Decimal | date | time | None) -> str:
    """A number without exponent or needless zeros, a date CCYYMMDD, a time HHMM, HHMMSS or HHMMSSDD."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, date):
        return value.isoformat().replace("-", "")
    if isinstance(value, time):
        hundredths = value.microsecond // 10_000
        seconds = f"{value:%S}{hundredths:02d}" if hundredths else f"{value:%S}" if value.second else ""
        return f"{value:%H%M}{seconds}"
    return str(value)


def digits(text: str) -> int:
    """The length of a number as X12 counts it (X12.6): without sign and point."""
    return len(text) - text.count("-") - text.count(".")


def fits(value: Decimal | None, most: int) -> bool:
    """Whether a number takes that many characters at most; some receivers count sign and point too."""
    return value is None or len(_decimal(value)) <= most


def wrap(text: str, widths: Sequence[int]) -> list[str]:
    """A text cut between words into lines of at most these widths; the last goes for all further lines."""
    lines: list[str] = []
    rest = " ".join(part for part in text.split(" ") if part)
    start = 0
    while start < len(rest):
        width = widths[min(len(lines), len(widths) - 1)]
        end = start + width
        if end < len(rest) and (blank := rest.rfind(" ", start, end + 1)) > start:
            end = blank
        lines.append(rest[start:end].rstrip(" "))
        start = end + (rest[end : end + 1] == " ")
    return lines


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise UnwritableError(f"{value} is no number that X12 can write")
    if not value:
        return "0"
    if max(abs(value.adjusted()), len(value.as_tuple().digits)) > 2 * _digits_max:
        raise UnwritableError(f"{value:.3E} has more digits than X12 can write")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _folded(text: str, last: str) -> str:
    """The text with no character beyond `last`: letters lose their accents, the rest is a question mark."""
    return "".join(one if one <= last else _likeness(one, last) for one in text)


def _likeness(character: str, last: str) -> str:
    if unicodedata.combining(character):
        return ""
    bare = unicodedata.normalize("NFD", character)[0]
    return bare if bare <= last else "?"


def _unwritable(place: str, element: Element, value: str, why: str) -> UnwritableError:
    return UnwritableError(f"{place} ({element.name}): {shown(value)} {why}")
