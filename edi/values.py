"""Values: a transaction set's segments with their elements as typed values, or findings where that fails."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, time
from decimal import Decimal
from functools import lru_cache, partial
from itertools import count

from edi import limits, numbers
from edi.documents import Pack, Party, ProductId
from edi.envelope import TransactionSet
from edi.findings import Finding, FindingCode, Level

_PLAIN = {
    FindingCode.ELEMENT_CHARACTER: "not a number as X12 writes it",
    FindingCode.ELEMENT_LONG: "a number with more digits than can be kept",
    FindingCode.DATE_INVALID: "not a date CCYYMMDD",
    FindingCode.TIME_INVALID: "not a time HHMM or HHMMSS",
}

# Decimals by their text, up to `limits.numbers_kept_max`: quantities and prices come again and again.
_decimals: dict[str, Decimal] = {}

#: The value of a text that was read as a decimal before; None says nothing. `known_decimal(text) or
#: values.decimal(...)` spares the quick case a call.
known_decimal = _decimals.get

_product_id: Callable[[tuple[str, str]], ProductId] = partial(tuple.__new__, ProductId)  # no check, no detour


class Segment:
    """One segment with its `position` in the set, ST = 1; `elements` have no padding blanks at their end."""

    __slots__ = ("elements", "position", "tag")

    def __init__(self, elements: list[str], position: int) -> None:
        self.tag = elements[0]
        self.position = position
        self.elements = elements

    def text(self, number: int) -> str:
        """The element at its X12 number without padding blanks at its end; "" when not sent."""
        elements = self.elements
        return elements[number] if number < len(elements) else ""

    def __len__(self) -> int:
        """The number of the last element sent."""
        return len(self.elements) - 1


class Values:
    """Reads one set. `findings` grows to `limits.findings_per_set_max` and no further."""

    def __init__(self, transaction_set: TransactionSet) -> None:
        self._set = transaction_set
        self.findings: list[Finding] = []

    @property
    def failed(self) -> bool:
        """Whether any finding is an error, so that the document must not be used."""
        return bool(self.findings) and any(finding.is_error for finding in self.findings)

    def segments(self) -> Iterator[Segment]:
        """The segments in order, ST first."""
        return map(Segment, self.rows(), count(1))

    def rows(self) -> Iterator[list[str]]:
        """The elements of each segment in order, ST first, without padding blanks at their end."""
        separator = self._set.delimiters.element
        padded = " " + separator
        for text in self._set.segments:
            elements = text.split(separator)
            if padded in text:
                elements = [element.rstrip(" ") for element in elements]
            yield elements

    def note(
        self,
        code: FindingCode,
        message: str,
        *,
        segment: str = "",
        position: int = 0,
        element: int | str = 0,
        value: str = "",
        reference: str = "",
        loop: str = "",
    ) -> None:
        """Keep a finding about this set."""
        full = len(self.findings) >= limits.findings_per_set_max
        if full and (self.failed or code.level is not Level.ERROR):
            return
        if full:  # of warnings: the first error must not be lost, or a broken document would be handed on
            self.findings.pop()
        self.findings.append(
            Finding(
                code=code,
                message=message,
                segment=segment,
                position=position,
                element=str(element) if element else "",
                value=value,
                reference=reference,
                loop=loop,
                set=self._set.control_number,
            )
        )

    def required(self, segment: Segment, number: int, reference: str) -> str:
        """A mandatory text."""
        value = segment.text(number)
        if not value:
            self._missing(segment, number, reference)
        return value

    def decimal(
        self, segment: Segment, number: int, reference: str, *, required: bool = False
    ) -> Decimal | None:
        """Type R; None when not sent or (with a finding) not readable."""
        elements = segment.elements
        text = elements[number] if number < len(elements) else ""
        known = _decimals.get(text)
        if known is not None:
            return known
        if not text:
            if required:
                self._missing(segment, number, reference)
            return None
        value = numbers.read_decimal(text)
        if isinstance(value, FindingCode):
            self._unreadable(value, segment, number, text, reference)
            return None
        if len(_decimals) >= limits.numbers_kept_max:
            _decimals.clear()
        _decimals[text] = value
        return value

    def known_decimals(self, texts: Iterable[str]) -> list[Decimal] | None:
        """All of them at once if each was read before; else None, and `decimal` is to be asked for each."""
        try:
            return [_decimals[text] for text in texts]
        except KeyError:
            return None

    def integer(self, segment: Segment, number: int, reference: str) -> int:
        """Type N0; 0 when not sent or (with a finding) not readable."""
        text = segment.text(number)
        if not text:
            return 0
        value = numbers.read_integer(text)
        if isinstance(value, FindingCode):
            self._unreadable(value, segment, number, text, reference)
            return 0
        return value

    def date(self, segment: Segment, number: int, reference: str = "373") -> date | None:
        """Type DT (in releases before 004010 also YYMMDD); None when not sent or (with a finding) no date."""
        text = segment.text(number)
        if not text:
            return None
        value = numbers.read_date(text, short=len(text) == 6 and self._set.has_short_dates)
        if isinstance(value, FindingCode):
            self._unreadable(value, segment, number, text, reference)
            return None
        return value

    def time(self, segment: Segment, number: int, reference: str = "337") -> time | None:
        """Type TM; None when not sent or (with a finding) no time."""
        text = segment.text(number)
        if not text:
            return None
        value = numbers.read_time(text)
        if isinstance(value, FindingCode):
            self._unreadable(value, segment, number, text, reference)
            return None
        return value

    def first_component(self, segment: Segment, number: int) -> str:
        """The first component where the standard has a composite, such as C001 (a unit); never elsewhere."""
        return segment.text(number).partition(self._set.delimiters.component)[0]

    def pack(self, segment: Segment) -> Pack:
        """PO4: units per pack (PO401, 356) and inner packs (PO414, 810)."""
        return _pack(self.integer(segment, 1, "356"), self.integer(segment, 14, "810"))

    def check_totals(
        self, ctt: Segment, counts: tuple[int, ...], counted: str, quantities: Iterable[Decimal | None]
    ) -> None:
        """CTT01 (354) must be one of `counts`; CTT02 (347), where sent, should be the sum of quantities."""
        text = ctt.text(1)
        if text and self.integer(ctt, 1, "354") not in counts:
            things = counted.removesuffix("s") if counts[0] == 1 else counted
            message = f"CTT01 says {text}, the set has {counts[0]} {things}"
            self._at(FindingCode.COUNT_WRONG, message, ctt, 1, text, "354")
        hash_total = self.decimal(ctt, 2, "347")
        if hash_total is None:
            return
        total = sum((quantity for quantity in quantities if quantity is not None), Decimal(0))
        if hash_total != total:
            message = f"CTT02 says {ctt.text(2)}, the quantities add up to {total}"
            self._at(FindingCode.HASH_TOTAL, message, ctt, 2, ctt.text(2), "347")

    def missing_segment(self, tag: str, message: str, position: int, loop: str = "") -> None:
        """A segment without which the document says nothing; `position` is where it should have stood."""
        self.note(FindingCode.SEGMENT_MISSING, message, segment=tag, position=position, loop=loop)

    def too_many(self, segment: Segment, loop: str) -> None:
        """A segment that may stand once in its loop stands there again."""
        message = f"{segment.tag} stands more than once in its {loop} loop"
        self.note(
            FindingCode.SEGMENT_OVER_MAX, message, segment=segment.tag, position=segment.position, loop=loop
        )

    def out_of_place(self, segment: Segment, message: str) -> None:
        """A segment that belongs to nothing before it."""
        self.note(FindingCode.SEGMENT_UNEXPECTED, message, segment=segment.tag, position=segment.position)

    def hierarchy(self, segment: Segment, element: int, message: str, reference: str) -> None:
        """An HL that is not the tree X12 asks for."""
        self._at(FindingCode.HIERARCHY, message, segment, element, segment.text(element), reference)

    def condition(self, segment: Segment, number: int, message: str) -> None:
        """Elements that belong together were not sent together."""
        self._at(FindingCode.ELEMENT_CONDITION, message, segment, number, "", "")

    def _missing(self, segment: Segment, number: int, reference: str) -> None:
        message = f"{segment.tag}{number:02} is missing"
        self._at(FindingCode.ELEMENT_MISSING, message, segment, number, "", reference)

    def _unreadable(
        self, code: FindingCode, segment: Segment, number: int, text: str, reference: str
    ) -> None:
        message = f"{segment.tag}{number:02} is {text!r}, {_PLAIN[code]}"
        self._at(code, message, segment, number, text, reference)

    def _at(
        self, code: FindingCode, message: str, segment: Segment, number: int, value: str, reference: str
    ) -> None:
        self.note(
            code,
            message,
            segment=segment.tag,
            position=segment.position,
            element=number,
            value=value,
            reference=reference,
        )


@lru_cache(maxsize=limits.packs_kept_max)
def _pack(units: int, inner: int) -> Pack:
    return Pack(units=units, inner=inner)


def product_ids(segment: Segment, first: int, last: int) -> tuple[ProductId, ...]:
    """The pairs of qualifier (235) and id (234) from element `first` on; half pairs are passed over."""
    return ids_among(segment.elements, first, last)


def ids_among(elements: list[str], first: int, last: int) -> tuple[ProductId, ...]:
    """`product_ids` of a segment's elements."""
    if len(elements) <= first + 1:
        return ()
    ids = elements[first : last + 1]
    each = iter(ids)
    pairs = zip(each, each, strict=False)
    if "" in ids:
        return tuple([ProductId(*pair) for pair in pairs if pair[0] and pair[1]])
    return tuple(map(_product_id, pairs))


def party(segment: Segment) -> Party:
    """N1: entity (98), name (93), id qualifier (66) and id (67)."""
    return Party(entity=segment.text(1), name=segment.text(2), qualifier=segment.text(3), id=segment.text(4))
