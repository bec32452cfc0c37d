"""865 Purchase Order Change Acknowledgment: a transaction set to a ChangeAcknowledgment."""

from datetime import date

from edi.change_line import ChangeLine
from edi.documents import ChangeAcknowledgment, ChangedLine, Party
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.line_loop import CHANGED
from edi.values import Segment, Values, party


def read(transaction_set: TransactionSet) -> tuple[ChangeAcknowledgment | None, tuple[Finding, ...]]:
    """Read an 865. No document comes with findings that are errors: nothing half read is handed on.

    Every ACK of a line is kept, in the order sent; those of a subline (SLN) say nothing about the line's
    units and are left out. POC03 and POC04 stay as sent (spec 2.3).
    """
    values = Values(transaction_set)
    reader = _Reader(values, transaction_set.delimiters.component)
    for segment in values.segments():
        reader.take(segment)
    document = reader.document()
    return (None if values.failed else document), tuple(values.findings)


class _Reader:
    """Two states: the heading until the first POC, then lines until CTT."""

    def __init__(self, values: Values, component: str) -> None:
        self._values = values
        self._component = component
        self._bca: Segment | None = None
        self._on: dict[int, date | None] = {}  # BCA06, BCA10 and BCA11
        self._parties: list[Party] = []
        self._lines: list[ChangedLine] = []
        self._line: ChangeLine | None = None

    def take(self, segment: Segment) -> None:
        tag = segment.tag
        if tag == "POC":
            self._end_line()
            self._line = ChangeLine(self._values, segment, CHANGED, self._component)
        elif tag == "CTT":
            self._end_line()
            quantities = [line.quantity for line in self._lines]
            self._values.check_totals(segment, (len(self._lines),), "POC lines", quantities)
        elif self._line is not None:
            self._line.take(segment)
        elif tag == "ACK":
            self._values.out_of_place(segment, "ACK stands under no POC")
        elif tag == "BCA":
            self._take_bca(segment)
        elif tag == "N1" and not self._lines:
            self._parties.append(party(segment))

    def document(self) -> ChangeAcknowledgment | None:
        self._end_line()
        bca = self._bca
        if bca is None:
            self._values.missing_segment("BCA", "the change acknowledgment has no BCA", 2)
            return None
        return ChangeAcknowledgment(
            purpose=bca.text(1),
            type=bca.text(2),
            po_number=bca.text(3),
            release=bca.text(4),
            change_number=bca.text(5),
            ordered_on=self._on[6],
            seller_order_number=bca.text(9),
            acknowledged_on=self._on[10],
            changed_on=self._on[11],
            parties=tuple(self._parties),
            lines=tuple(self._lines),
        )

    def _end_line(self) -> None:
        if self._line is not None:
            self._lines.append(self._line.read())
        self._line = None

    def _take_bca(self, segment: Segment) -> None:
        if self._bca is not None:
            self._values.too_many(segment, "heading")
            return
        self._bca = segment
        self._values.required(segment, 1, "353")
        self._values.required(segment, 3, "324")
        self._on = {number: self._values.date(segment, number) for number in (6, 10, 11)}
