"""850 Purchase Order: a transaction set to a PurchaseOrder."""

from collections.abc import Callable
from datetime import date
from functools import partial

from edi.documents import OrderLine, PurchaseOrder
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.heading import IN_HEADING, Heading
from edi.line_loop import IN_LINES, ORDERED, PO1Loop
from edi.values import Segment, Values

# Its fields in order: this skips the checks and defaults of a call.
_order_line: Callable[[tuple[object, ...]], OrderLine] = partial(tuple.__new__, OrderLine)


def read(transaction_set: TransactionSet) -> tuple[PurchaseOrder | None, tuple[Finding, ...]]:
    """Read an 850. No document comes with findings that are errors: nothing half read is handed on.

    The sum of a line's stores (SDQ) is not compared with PO102 here; quantities stay as sent.
    """
    values = Values(transaction_set)
    order = _Reader(values).read()
    return (None if values.failed else order), tuple(values.findings)


class _Reader:
    """Two states: the heading until the first PO1, then lines until CTT."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._beg: Segment | None = None
        self._ordered_on: date | None = None
        self._heading = Heading(values)
        self._lines: list[OrderLine] = []
        self._line = PO1Loop(values, ORDERED)

    def read(self) -> PurchaseOrder | None:
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
            elif tag == "BEG":
                self._take_beg(Segment(elements, position))
            elif tag in IN_HEADING and not self._lines:
                self._heading.take(Segment(elements, position))
        if in_line:
            self._end_line()
        return self._order()

    def _end_line(self) -> None:
        line = self._line
        fields = (
            line.number,
            line.quantity,
            line.unit,
            line.price,
            line.ids,
            line.description,
            line.pack,
            tuple(line.stores),
            tuple(line.schedule),
            tuple(line.components),
            line.position,
        )
        self._lines.append(_order_line(fields))

    def _take_beg(self, segment: Segment) -> None:
        values = self._values
        if self._beg is not None:
            values.too_many(segment, "heading")
            return
        self._beg = segment
        values.required(segment, 1, "353")
        values.required(segment, 2, "92")
        values.required(segment, 3, "324")
        self._ordered_on = values.date(segment, 5)

    def _check_totals(self, ctt: Segment) -> None:
        lines = self._lines
        self._values.check_totals(ctt, (len(lines),), "PO1 lines", (line.quantity for line in lines))

    def _order(self) -> PurchaseOrder | None:
        beg = self._beg
        if beg is None:
            self._values.missing_segment("BEG", "the purchase order has no BEG", 2)
            return None
        return PurchaseOrder(
            purpose=beg.text(1),
            order_type=beg.text(2),
            po_number=beg.text(3),
            release=beg.text(4),
            ordered_on=self._ordered_on,
            acknowledgment_wanted=beg.text(7),
            parties=tuple(self._heading.parties),
            references=tuple(self._heading.references),
            dates=tuple(self._heading.dates),
            lines=tuple(self._lines),
        )
