"""850 Purchase Order: a transaction set to a PurchaseOrder."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial

from edi.documents import OrderLine, Party, PurchaseOrder
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.line_loop import ORDERED, LineLoop
from edi.values import Segment, Values, known_decimal, party, product_ids

# Loops of the heading whose REF and DTM speak of something smaller (spec 1.2).
_HEADING_LOOPS = frozenset({"AMT", "N9", "N1", "LM", "SPI", "ADV"})
_WITH_PARTIES = ("SPI", "ADV")  # they have N1 loops of their own and come last
_PO1_LAST = 25
_AFTER_LINE = ("PO1", "CTT")

# Its fields in order: this skips the checks and defaults of a call.
_order_line: Callable[[tuple[object, ...]], OrderLine] = partial(tuple.__new__, OrderLine)


def read(transaction_set: TransactionSet) -> tuple[PurchaseOrder | None, tuple[Finding, ...]]:
    """Read an 850. No document comes with findings that are errors: nothing half read is handed on.

    The sum of a line's stores (SDQ) is not compared with PO102 here; quantities stay as sent.
    """
    values = Values(transaction_set)
    order = _Reader(values).read(values.segments())
    return (None if values.failed else order), tuple(values.findings)


class _Reader:
    """Two states: the heading until the first PO1, then lines until CTT."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._beg: Segment | None = None
        self._ordered_on: date | None = None
        self._parties: list[Party] = []
        self._references: list[tuple[str, str]] = []
        self._dates: list[tuple[str, date]] = []
        self._lines: list[OrderLine] = []
        self._loop = ""

    def read(self, segments: Iterable[Segment]) -> PurchaseOrder | None:
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
            elif not self._lines:
                self._take_heading(segment)
        if line is not None:
            self._lines.append(line.read())
        return self._order()

    def _take_heading(self, segment: Segment) -> None:
        tag = segment.tag
        if tag in _HEADING_LOOPS and self._loop not in _WITH_PARTIES:
            self._loop = tag
        if tag == "BEG":
            if self._beg is not None:
                self._values.too_many(segment, "heading")
            else:
                self._read_beg(segment)
        elif tag == "N1":
            if self._loop == "N1":
                self._parties.append(party(segment))
        elif self._loop:
            return
        elif tag == "REF":
            if segment.text(2):
                self._references.append((segment.text(1), segment.text(2)))
        elif tag == "DTM":
            on = self._values.date(segment, 2)
            if on is not None:
                self._dates.append((segment.text(1), on))

    def _read_beg(self, segment: Segment) -> None:
        values = self._values
        self._beg = segment
        for number, reference in ((1, "353"), (2, "92"), (3, "324")):
            values.required(segment, number, reference)
        self._ordered_on = values.date(segment, 5)

    def _check_totals(self, ctt: Segment) -> None:
        lines = self._lines
        self._values.check_totals(ctt, (len(lines),), "PO1 lines", [line.quantity for line in lines])

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
            parties=tuple(self._parties),
            references=tuple(self._references),
            dates=tuple(self._dates),
            lines=tuple(self._lines),
        )


class _Line(LineLoop):
    """One PO1 loop being read."""

    __slots__ = ("_head", "_price", "_quantity")

    def __init__(self, values: Values, head: Segment) -> None:
        LineLoop.__init__(self, values, product_ids(head, 6, _PO1_LAST), ORDERED)
        self._head = head
        self._quantity = known_decimal(head.text(2)) or values.decimal(head, 2, "330")
        self._price = known_decimal(head.text(4)) or values.decimal(head, 4, "212")

    def read(self) -> OrderLine:
        """The line, once everything below its PO1 was taken."""
        head = self._head
        return _order_line(
            (
                head.text(1),
                self._quantity,
                head.text(3),
                self._price,
                self.ids,
                " ".join(self.descriptions),
                self.pack,
                tuple(self.stores),
                tuple(self.schedule),
                tuple(self.components),
                head.position,
            )
        )
