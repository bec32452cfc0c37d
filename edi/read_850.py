"""850 Purchase Order: a transaction set to a PurchaseOrder."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from edi.documents import (
    Component,
    OrderLine,
    Party,
    PurchaseOrder,
    ScheduledQuantity,
    StoreQuantity,
)
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.values import Segment, Values, party, product_ids

# Loops of the heading, and of PO1, whose REF, DTM, PID, PO4 or SCH speak of something smaller (spec 1.2).
_HEADING_LOOPS = frozenset({"AMT", "N9", "N1", "LM", "SPI", "ADV"})
_WITH_PARTIES = ("SPI", "ADV")  # they have N1 loops of their own and come last
_LINE_LOOPS = frozenset({"LDT", "N9", "N1", "SLN", "AMT", "LM", "ADV"})
_SDQ_LAST = 22
_PO1_LAST = 25


def read(transaction_set: TransactionSet) -> tuple[PurchaseOrder | None, tuple[Finding, ...]]:
    """Read an 850. No document comes with findings that are errors: nothing half read is handed on.

    The sum of a line's stores (SDQ) is not compared with PO102 here; quantities stay as sent.
    """
    values = Values(transaction_set)
    reader = _Reader(values)
    for segment in values.segments():
        reader.take(segment)
    order = reader.order()
    return (None if values.failed else order), tuple(values.findings)


class _Reader:
    """Two states: the heading until the first PO1, then lines until CTT. A handler per tag in each."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._heading: PurchaseOrder | None = None
        self._parties: list[Party] = []
        self._references: list[tuple[str, str]] = []
        self._dates: list[tuple[str, date]] = []
        self._lines: list[OrderLine] = []
        self._line: _Line | None = None
        self._loop = ""
        self._in_heading: dict[str, Callable[[Segment], None]] = {
            "BEG": self._beg, "REF": self._ref, "DTM": self._dtm, "N1": self._n1,
        }  # fmt: skip

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
        elif not self._lines:
            if tag in _HEADING_LOOPS and self._loop not in _WITH_PARTIES:
                self._loop = tag
            if handler := self._in_heading.get(tag):
                handler(segment)

    def order(self) -> PurchaseOrder | None:
        self._end_line()
        if self._heading is None:
            self._values.missing_segment("BEG", "the purchase order has no BEG", 2)
            return None
        return replace(
            self._heading,
            parties=tuple(self._parties),
            references=tuple(self._references),
            dates=tuple(self._dates),
            lines=tuple(self._lines),
        )

    def _end_line(self) -> None:
        if self._line is not None:
            self._lines.append(self._line.line())
            self._line = None

    def _beg(self, segment: Segment) -> None:
        if self._heading is not None:
            self._values.too_many(segment, "heading")
            return
        self._heading = PurchaseOrder(
            purpose=self._values.required(segment, 1, "353"),
            order_type=self._values.required(segment, 2, "92"),
            po_number=self._values.required(segment, 3, "324"),
            release=segment.text(4),
            ordered_on=self._values.date(segment, 5),
            acknowledgment_wanted=segment.text(7),
        )

    def _ref(self, segment: Segment) -> None:
        if not self._loop and segment.text(2):
            self._references.append((segment.text(1), segment.text(2)))

    def _dtm(self, segment: Segment) -> None:
        on = None if self._loop else self._values.date(segment, 2)
        if on is not None:
            self._dates.append((segment.text(1), on))

    def _n1(self, segment: Segment) -> None:
        if self._loop == "N1":
            self._parties.append(party(segment))


class _Line:
    """One PO1 loop being read; `_loop` is the inner loop the reader is in, "" at the line's own level."""

    def __init__(self, values: Values, segment: Segment) -> None:
        self._values = values
        self._loop = ""
        self._head = OrderLine(
            number=segment.text(1),
            quantity=values.decimal(segment, 2, "330"),
            unit=segment.text(3),
            price=values.decimal(segment, 4, "212"),
            ids=product_ids(segment, 6, _PO1_LAST),
            position=segment.position,
        )
        self._more: dict[str, object] = {}
        self._description: list[str] = []
        self._stores: list[StoreQuantity] = []
        self._schedule: list[ScheduledQuantity] = []
        self._components: list[Component] = []

    def take(self, segment: Segment) -> None:
        tag = segment.tag
        if tag in _LINE_LOOPS:
            self._loop = tag
        if tag == "SLN":
            self._sln(segment)
        elif self._loop:
            return
        elif tag == "PID":
            if segment.text(5):
                self._description.append(segment.text(5))
        elif tag == "PO4":
            self._head = replace(self._head, pack=self._values.pack(segment))
        elif tag == "LIN":
            more = [pair for pair in product_ids(segment, 2, 31) if pair not in self._head.ids]
            self._head = replace(self._head, ids=(*self._head.ids, *more))
        elif tag == "SDQ":
            self._sdq(segment)
        elif tag == "SCH":
            self._sch(segment)

    def line(self) -> OrderLine:
        return replace(
            self._head,
            description=" ".join(self._description),
            stores=tuple(self._stores),
            schedule=tuple(self._schedule),
            components=tuple(self._components),
        )

    def _sdq(self, segment: Segment) -> None:
        for number in range(3, min(_SDQ_LAST, len(segment)) + 1, 2):
            location, quantity = segment.text(number), self._values.decimal(segment, number + 1, "380")
            if location and quantity is not None:
                self._stores.append(StoreQuantity(location=location, quantity=quantity, unit=segment.text(1)))
            elif bool(location) != bool(segment.text(number + 1)):
                message = (
                    f"SDQ{number:02} and SDQ{number + 1:02} are a location and its quantity: both or none"
                )
                self._values.condition(segment, number + 1 if location else number, message)

    def _sch(self, segment: Segment) -> None:
        quantity = self._values.decimal(segment, 1, "380", required=True)
        on = self._values.date(segment, 6)
        if quantity is not None:
            unit, qualifier = segment.text(2), segment.text(5)
            self._schedule.append(
                ScheduledQuantity(quantity=quantity, unit=unit, date_qualifier=qualifier, on=on)
            )

    def _sln(self, segment: Segment) -> None:
        self._components.append(
            Component(
                number=segment.text(1),
                relationship=segment.text(3),
                quantity=self._values.decimal(segment, 4, "380"),
                unit=self._values.first_component(segment, 5),
                ids=product_ids(segment, 9, 28),
            )
        )
