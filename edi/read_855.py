"""855 Purchase Order Acknowledgment: a transaction set to a PurchaseOrderAcknowledgment."""

from dataclasses import replace
from decimal import Decimal

from edi.documents import AcknowledgedLine, LineAcknowledgment, Party, PurchaseOrderAcknowledgment
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.values import Segment, Values, party, product_ids

# Loops of PO1 whose PO4 and LIN speak of something smaller than the line.
_LINE_LOOPS = frozenset({"LDT", "N9", "N1", "SLN", "AMT", "LM", "ADV"})
_PO1_LAST = 25
_ACK_LAST = 26


def read(transaction_set: TransactionSet) -> tuple[PurchaseOrderAcknowledgment | None, tuple[Finding, ...]]:
    """Read an 855. No document comes with findings that are errors: nothing half read is handed on.

    Every ACK of a line is kept, in the order sent; together they split its quantity (spec section 0, item 5).
    ACKs of a subline (SLN) are kept apart: they say nothing about the line's units.
    """
    values = Values(transaction_set)
    reader = _Reader(values)
    for segment in values.segments():
        reader.take(segment)
    document = reader.document()
    return (None if values.failed else document), tuple(values.findings)


class _Reader:
    """Two states: the heading until the first PO1, then lines until CTT."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._heading: PurchaseOrderAcknowledgment | None = None
        self._parties: list[Party] = []
        self._lines: list[AcknowledgedLine] = []
        self._line: _Line | None = None

    def take(self, segment: Segment) -> None:
        tag = segment.tag
        if tag == "PO1":
            self._end_line()
            self._line = _Line(self._values, segment)
        elif tag == "CTT":
            self._end_line()
            total = sum((line.quantity or Decimal(0) for line in self._lines), Decimal(0))
            self._values.check_totals(segment, (len(self._lines),), "PO1 lines", total)
        elif self._line is not None:
            self._line.take(segment)
        elif tag == "ACK":
            self._values.out_of_place(segment, "ACK stands under no PO1")
        elif tag == "BAK":
            self._bak(segment)
        elif tag == "N1" and not self._lines:
            self._parties.append(party(segment))

    def document(self) -> PurchaseOrderAcknowledgment | None:
        self._end_line()
        if self._heading is None:
            self._values.missing_segment("BAK", "the acknowledgment has no BAK", 2)
            return None
        return replace(self._heading, parties=tuple(self._parties), lines=tuple(self._lines))

    def _end_line(self) -> None:
        if self._line is not None:
            self._lines.append(self._line.line())
            self._line = None

    def _bak(self, segment: Segment) -> None:
        if self._heading is not None:
            self._values.too_many(segment, "heading")
            return
        self._heading = PurchaseOrderAcknowledgment(
            purpose=self._values.required(segment, 1, "353"),
            type=self._values.required(segment, 2, "587"),
            po_number=self._values.required(segment, 3, "324"),
            ordered_on=self._values.date(segment, 4),
            release=segment.text(5),
            seller_order_number=segment.text(8),
            acknowledged_on=self._values.date(segment, 9),
        )


class _Line:
    """One PO1 loop being read."""

    def __init__(self, values: Values, segment: Segment) -> None:
        self._values = values
        self._loop = ""
        self._head = AcknowledgedLine(
            number=segment.text(1),
            quantity=values.decimal(segment, 2, "330"),
            unit=segment.text(3),
            price=values.decimal(segment, 4, "212"),
            ids=product_ids(segment, 6, _PO1_LAST),
            position=segment.position,
        )
        self._acknowledgments: list[LineAcknowledgment] = []
        self._of_components: list[LineAcknowledgment] = []

    def take(self, segment: Segment) -> None:
        tag = segment.tag
        if tag in _LINE_LOOPS and self._loop != "SLN":
            # An N9 or N1 inside SLN does not end it: the ACKs that follow are still the subline's.
            self._loop = tag
        if tag == "ACK":
            of = self._of_components if self._loop == "SLN" else self._acknowledgments
            of.append(self._ack(segment))
        elif self._loop:
            return
        elif tag == "PO4":
            self._head = replace(self._head, pack=self._values.pack(segment))
        elif tag == "LIN":
            more = [pair for pair in product_ids(segment, 2, 31) if pair not in self._head.ids]
            self._head = replace(self._head, ids=(*self._head.ids, *more))

    def line(self) -> AcknowledgedLine:
        return replace(
            self._head,
            acknowledgments=tuple(self._acknowledgments),
            component_acknowledgments=tuple(self._of_components),
        )

    def _ack(self, segment: Segment) -> LineAcknowledgment:
        return LineAcknowledgment(
            status=self._values.required(segment, 1, "668"),
            quantity=self._values.decimal(segment, 2, "380"),
            unit=segment.text(3),
            date_qualifier=segment.text(4),
            on=self._values.date(segment, 5),
            ids=product_ids(segment, 7, _ACK_LAST),
            position=segment.position,
        )
