"""997 and 999: a transaction set to a FunctionalAcknowledgment, with its codes in words."""

from edi import limits
from edi.codes import words
from edi.documents import AnsweredSet, FunctionalAcknowledgment
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.values import Segment, Values
from edi.wording import printable, shown

_ELEMENT_ERRORS = "8"  # AK304: the AK4s that follow say which
#: A 999's segments are those of a 997 with code lists of their own.
_FAULT_LISTS = {"AK3": "720", "IK3": "620", "AK4": "723", "IK4": "621", "AK5": "718", "IK5": "618"}
_AK5_FIRST, _AK5_LAST = 2, 6
_AK9_FIRST, _AK9_LAST = 5, 9


def read(transaction_set: TransactionSet) -> tuple[FunctionalAcknowledgment | None, tuple[Finding, ...]]:
    """Read a 997 or a 999. No document comes with findings that are errors: nothing half read is handed on.

    Of a set's faults the first `limits.findings_per_set_max` are kept, with the number of the others.
    """
    values = Values(transaction_set)
    reader = _Reader(values, transaction_set.delimiters.component)
    for segment in values.segments():
        reader.take(segment)
    document = reader.document()
    return (None if values.failed else document), tuple(values.findings)


class _Answered:
    """One AK2 and what follows up to its AK5."""

    def __init__(self, head: Segment) -> None:
        self.head = head
        self.verdict = ""
        self.faults: list[str] = []
        self._left_out = 0

    def add(self, fault: str) -> None:
        if len(self.faults) < limits.findings_per_set_max:
            self.faults.append(fault)
        else:
            self._left_out += 1

    def explain(self, context: str) -> None:
        """Where the last fault came from, as a 999's CTX says it."""
        if self.faults and not self._left_out:
            self.faults[-1] = f"{self.faults[-1]}, {context}"

    def read(self) -> AnsweredSet:
        more = [f"and {self._left_out} more"] if self._left_out else []
        return AnsweredSet(
            type=self.head.text(1),
            control_number=self.head.text(2),
            verdict=self.verdict,
            faults=(*self.faults, *more),
        )


class _Reader:
    """AK1, then AK2 to AK5 for each set, then AK9."""

    def __init__(self, values: Values, component: str) -> None:
        self._values = values
        self._component = component
        self._ak1: Segment | None = None
        self._ak9: Segment | None = None
        self._answered: list[_Answered] = []
        self._open: _Answered | None = None  # between AK2 and AK5
        self._place = ""  # of the AK3 above, in words
        self._unsaid: tuple[str, str] | None = None  # place and code of an AK3 that AK4s may explain
        self._last = 1

    def take(self, segment: Segment) -> None:
        tag = segment.tag
        if tag != "SE":
            self._last = segment.position
        if tag == "AK1":
            self._ak1 = self._once(self._ak1, segment, (1, "479"), (2, "28"))
        elif tag == "AK2":
            self._ak2(segment)
        elif tag in _FAULT_LISTS:
            if self._open is None:
                self._values.out_of_place(segment, f"{tag} stands under no AK2")
            elif tag[2] == "3":
                self._segment_note(self._open, segment)
            elif tag[2] == "4":
                self._element_note(self._open, segment)
            else:
                self._verdict(self._open, segment)
        elif tag == "CTX":
            self._context(segment)
        elif tag == "AK9":
            self._end_set(segment.position)
            self._ak9 = self._once(self._ak9, segment, (1, "715"))

    def document(self) -> FunctionalAcknowledgment | None:
        self._end_set(self._last + 1)
        for tag, found in (("AK1", self._ak1), ("AK9", self._ak9)):
            if found is None:
                position = 2 if tag == "AK1" else self._last + 1
                self._values.missing_segment(tag, f"the acknowledgment has no {tag}", position)
        if self._ak1 is None or self._ak9 is None:
            return None
        return FunctionalAcknowledgment(
            functional_id=self._ak1.text(1),
            group_control_number=self._ak1.text(2),
            verdict=self._ak9.text(1),
            sets=tuple(answered.read() for answered in self._answered),
            faults=_codes(self._ak9, "716", _AK9_FIRST, _AK9_LAST),
        )

    def _once(self, before: Segment | None, segment: Segment, *required: tuple[int, str]) -> Segment:
        """AK1 and AK9 stand once, with these elements."""
        if before is not None:
            self._values.too_many(segment, "heading")
            return before
        for number, reference in required:
            self._values.required(segment, number, reference)
        return segment

    def _ak2(self, segment: Segment) -> None:
        self._end_set(segment.position)
        self._values.required(segment, 1, "143")
        self._values.required(segment, 2, "329")
        self._open = _Answered(segment)
        self._answered.append(self._open)

    def _end_set(self, position: int) -> None:
        """An AK2 whose AK5 did not come before `position` says nothing."""
        if self._open is not None:
            head = self._open.head
            message = f"AK2 of {head.text(1)} {head.text(2)} has no AK5: the verdict is not said"
            self._values.missing_segment("AK5", message, position, "AK2")
        self._open, self._place, self._unsaid = None, "", None

    def _segment_note(self, answered: _Answered, segment: Segment) -> None:
        self._say_unsaid(answered)
        number = self._values.integer(segment, 2, "719")
        tag, loop = printable(segment.text(1)), printable(segment.text(3))
        self._place = f"segment {number} ({tag})" + (f" in loop {loop}" if loop else "")
        code = segment.text(4)
        said = _worded(_FAULT_LISTS[segment.tag], code)
        if code == _ELEMENT_ERRORS:
            self._unsaid = (self._place, said)
        else:
            answered.add(f"{self._place}: {said}" if said else self._place)

    def _element_note(self, answered: _Answered, segment: Segment) -> None:
        if not self._place:
            self._values.out_of_place(segment, f"{segment.tag} stands under no {segment.tag[0]}K3")
            return
        self._unsaid = None
        names = ("element", "component", "repetition")
        parts = zip(names, segment.text(1).split(self._component), strict=False)
        place = ", ".join([self._place, *[f"{name} {printable(part)}" for name, part in parts if part]])
        self._values.required(segment, 3, _FAULT_LISTS[segment.tag])
        value = f", value {shown(segment.text(4))}" if segment.text(4) else ""
        answered.add(f"{place}: {_worded(_FAULT_LISTS[segment.tag], segment.text(3))}{value}")

    def _verdict(self, answered: _Answered, segment: Segment) -> None:
        self._say_unsaid(answered)
        answered.verdict = self._values.required(segment, 1, "717")
        for said in _codes(segment, _FAULT_LISTS[segment.tag], _AK5_FIRST, _AK5_LAST):
            answered.add(said)
        self._open, self._place = None, ""

    def _say_unsaid(self, answered: _Answered) -> None:
        """An AK3 for elements in error that named none."""
        if self._unsaid is not None:
            answered.add(": ".join(self._unsaid))
        self._unsaid = None

    def _context(self, segment: Segment) -> None:
        """CTX of a 999: what the fault depends on, as its sender names it."""
        if self._open is None:
            self._values.out_of_place(segment, "CTX stands under no AK2")
            return
        self._say_unsaid(self._open)
        elements = [text.replace(self._component, " ") for text in segment.elements[1:] if text]
        self._open.explain(f"context {shown(' '.join(elements))}")


def _codes(segment: Segment, element: str, first: int, last: int) -> tuple[str, ...]:
    """The codes of AK5 or AK9 in words."""
    return tuple(_worded(element, code) for code in segment.elements[first : last + 1] if code)


def _worded(element: str, code: str) -> str:
    """ "5 too long"; the code alone when it has no words."""
    said = words(element, code)
    return printable(code) if said == code else f"{code} {said}"
