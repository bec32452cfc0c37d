"""855 Purchase Order Acknowledgment: a transaction set to a PurchaseOrderAcknowledgment."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from edi.documents import AcknowledgedLine, Party, PurchaseOrderAcknowledgment
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.line_loop import ACKNOWLEDGED, LineLoop
from edi.values import Segment, Values, known_decimal, party, product_ids

_PO1_LAST = 25
_AFTER_LINE = ("PO1", "CTT")

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
    document = _Reader(values).read(values.segments())
    return (None if values.failed else document), tuple(values.findings)


class _Reader:
    """Two states: the heading until the first PO1, then lines until CTT."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._heading: PurchaseOrderAcknowledgment | None = None
        self._parties: list[Party] = []
        self._lines: list[AcknowledgedLine] = []

    def read(self, segments: Iterable[Segment]) -> PurchaseOrderAcknowledgment | None:
        """Read all segments of the set, ST first."""
        line: _Line | None = None
        for segment in segments:
            tag = segment.tag
            if tag in _AFTER_LINE:
                if line is not None:
                    self._lines.append(line.read())
                line = _Line(self._values, segment) if tag == "PO1" else None
                if line is None:
                    self._check_totals(segment)
            elif line is not None:
                line.take(segment)
            else:
                self._take_heading(segment)
        if line is not None:
            self._lines.append(line.read())
        if self._heading is None:
            self._values.missing_segment("BAK", "the acknowledgment has no BAK", 2)
            return None
        return replace(self._heading, parties=tuple(self._parties), lines=tuple(self._lines))

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
        self._values.check_totals(ctt, (len(lines),), "PO1 lines", [line.quantity for line in lines])

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


class _Line(LineLoop):
    """One PO1 loop being read."""

    __slots__ = ("_head", "_price", "_quantity")

    def __init__(self, values: Values, head: Segment) -> None:
        LineLoop.__init__(self, values, product_ids(head, 6, _PO1_LAST), ACKNOWLEDGED)
        self._head = head
        self._quantity = known_decimal(head.text(2)) or values.decimal(head, 2, "330")
        self._price = known_decimal(head.text(4)) or values.decimal(head, 4, "212")

    def read(self) -> AcknowledgedLine:
        """The line, once everything below its PO1 was taken."""
        head = self._head
        return _acknowledged_line(
            (
                head.text(1),
                self._quantity,
                head.text(3),
                self._price,
                self.ids,
                self.pack,
                tuple(self.acknowledgments),
                tuple(self.component_acknowledgments),
                head.position,
            )
        )
