"""855 Purchase Order Acknowledgment: a transaction set to a PurchaseOrderAcknowledgment."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from edi.documents import AcknowledgedLine, Party, PurchaseOrderAcknowledgment
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.line_loop import ACKNOWLEDGED, IN_LINES, PO1Loop
from edi.values import Segment, Values, party

_IN_HEADING = frozenset({"BAK", "N1", "ACK"})

# Its fields in order: this skips the checks and defaults of a call.
_acknowledged_line: Callable[[tuple[object, ...]], AcknowledgedLine] = partial(
    tuple.__new__, AcknowledgedLine
)


def read(transaction_set: TransactionSet) -> tuple[PurchaseOrderAcknowledgment | None, tuple[Finding, ...]]:
    """Read an 855. No document comes with findings that are errors: nothing half read is handed on.

    Every ACK of a line is kept, in the order sent; together they split its quantity (spec section 0, item 5).
    ACKs of a subline (SLN) are kept apart: they say nothing about the line's units.
    """
    values = Values(transaction_set)
    document = _Reader(values).read()
    return (None if values.failed else document), tuple(values.findings)


class _Reader:
    """Two states: the heading until the first PO1, then lines until CTT."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._heading: PurchaseOrderAcknowledgment | None = None
        self._parties: list[Party] = []
        self._lines: list[AcknowledgedLine] = []
        self._line = PO1Loop(values, ACKNOWLEDGED)

    def read(self) -> PurchaseOrderAcknowledgment | None:
        """Read all segments of the set, ST first."""
        line, in_line = self._line, False
        for position, elements in enumerate(self._values.rows(), start=1):
            tag = elements[0]
            if tag == "PO1":
                if in_line:
                    self._end_line()
                line.head(elements, position)
                in_line = True
            elif tag == "CTT":
                if in_line:
                    self._end_line()
                    in_line = False
                self._check_totals(Segment(elements, position))
            elif in_line:
                if tag in IN_LINES:
                    line.take(Segment(elements, position))
            elif tag in _IN_HEADING:
                self._take_heading(Segment(elements, position))
        if in_line:
            self._end_line()
        if self._heading is None:
            self._values.missing_segment("BAK", "the acknowledgment has no BAK", 2)
            return None
        return replace(self._heading, parties=tuple(self._parties), lines=tuple(self._lines))

    def _end_line(self) -> None:
        line = self._line
        fields = (
            line.number,
            line.quantity,
            line.unit,
            line.price,
            line.ids,
            line.pack,
            tuple(line.acknowledgments),
            tuple(line.component_acknowledgments),
            line.position,
        )
        self._lines.append(_acknowledged_line(fields))

    def _take_heading(self, segment: Segment) -> None:
        tag = segment.tag
        if tag == "ACK":
            self._values.out_of_place(segment, "ACK stands under no PO1")
        elif tag == "BAK":
            self._bak(segment)
        elif tag == "N1" and not self._lines:
            self._parties.append(party(segment))

    def _check_totals(self, ctt: Segment) -> None:
        lines = self._lines
        self._values.check_totals(ctt, (len(lines),), "PO1 lines", (line.quantity for line in lines))

    def _bak(self, segment: Segment) -> None:
        if self._heading is not None:
            self._values.too_many(segment, "heading")
            return
        values = self._values
        self._heading = PurchaseOrderAcknowledgment(
            purpose=values.required(segment, 1, "353"),
            type=values.required(segment, 2, "587"),
            po_number=values.required(segment, 3, "324"),
            ordered_on=values.date(segment, 4),
            release=segment.text(5),
            seller_order_number=segment.text(8),
            acknowledged_on=values.date(segment, 9),
        )
