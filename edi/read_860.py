"""860 Purchase Order Change: a transaction set to a PurchaseOrderChange."""

from collections.abc import Iterable
from datetime import date

from edi.change_line import ChangeLine
from edi.documents import ChangedLine, PurchaseOrderChange
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.heading import Heading
from edi.line_loop import ORDERED
from edi.values import Segment, Values


def read(transaction_set: TransactionSet) -> tuple[PurchaseOrderChange | None, tuple[Finding, ...]]:
    """Read an 860. No document comes with findings that are errors: nothing half read is handed on.

    POC03 and POC04 stay as sent, whatever the partner means by them (spec 2.3). A change without lines is
    whole: most cancellations have none.
    """
    values = Values(transaction_set)
    change = _Reader(values, transaction_set.delimiters.component).read(values.segments())
    return (None if values.failed else change), tuple(values.findings)


class _Reader:
    """Two states: the heading until the first POC, then lines until CTT."""

    def __init__(self, values: Values, component: str) -> None:
        self._values = values
        self._component = component
        self._bch: Segment | None = None
        self._ordered_on: date | None = None
        self._changed_on: date | None = None
        self._heading = Heading(values)
        self._lines: list[ChangedLine] = []

    def read(self, segments: Iterable[Segment]) -> PurchaseOrderChange | None:
        """Read all segments of the set, ST first."""
        line: ChangeLine | None = None
        for segment in segments:
            tag = segment.tag
            if tag in ("POC", "CTT"):
                if line is not None:
                    self._lines.append(line.read())
                line = ChangeLine(self._values, segment, ORDERED, self._component) if tag == "POC" else None
                if tag == "CTT":
                    self._check_totals(segment)
            elif line is not None:
                line.take(segment)
            elif tag == "BCH":
                self._take_bch(segment)
            elif not self._lines:
                self._heading.take(segment)
        if line is not None:
            self._lines.append(line.read())
        return self._change()

    def _take_bch(self, segment: Segment) -> None:
        if self._bch is not None:
            self._values.too_many(segment, "heading")
            return
        self._bch = segment
        for number, reference in ((1, "353"), (2, "92"), (3, "324")):
            self._values.required(segment, number, reference)
        self._ordered_on = self._values.date(segment, 6)
        self._changed_on = self._values.date(segment, 11)

    def _check_totals(self, ctt: Segment) -> None:
        lines = self._lines
        self._values.check_totals(ctt, (len(lines),), "POC lines", [line.quantity for line in lines])

    def _change(self) -> PurchaseOrderChange | None:
        bch = self._bch
        if bch is None:
            self._values.missing_segment("BCH", "the purchase order change has no BCH", 2)
            return None
        return PurchaseOrderChange(
            purpose=bch.text(1),
            order_type=bch.text(2),
            po_number=bch.text(3),
            release=bch.text(4),
            change_number=bch.text(5),
            ordered_on=self._ordered_on,
            seller_order_number=bch.text(9),
            changed_on=self._changed_on,
            parties=tuple(self._heading.parties),
            references=tuple(self._heading.references),
            dates=tuple(self._heading.dates),
            lines=tuple(self._lines),
        )
