"""870 Order Status Report: a transaction set to an OrderStatusReport, read by HL parent pointers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from edi.documents import ItemStatus, OrderStatusReport, Party, ReportedLine, ReportedOrder
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.values import Segment, Values, party, product_ids

_ITEM, _ORDER = "I", "O"
_DISCRETE = "01"  # QTY01, element 673
_PO1_LAST = 25


def read(transaction_set: TransactionSet) -> tuple[OrderStatusReport | None, tuple[Finding, ...]]:
    """Read an 870. No document comes with findings that are errors: nothing half read is handed on.

    An item is a PO1, whatever the level it stands at; its order is the nearest PRF from its HL upward. An ISR
    is about the PO1 before it. Without one it is about its level: an item level's only PO1, or the order.
    """
    values = Values(transaction_set)
    reader = _Reader(values)
    for segment in values.segments():
        reader.take(segment)
    report = reader.report()
    return (None if values.failed else report), tuple(values.findings)


@dataclass(slots=True, kw_only=True)
class _Status:
    """One ISR with the QTYs below it."""

    segment: Segment
    on: date | None
    quantities: list[Segment] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Line:
    """One PO1 with its ISRs."""

    segment: Segment
    quantity: Decimal | None
    statuses: list[_Status] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Level:
    """One HL and what stands under it before the next."""

    id: str
    code: str
    position: int
    parent: "_Level | None" = None
    order: tuple[str, str] | None = None  # PRF01, PRF02: its own, later the nearest upward
    names_order: bool = False  # has a PRF of its own
    statuses: list[_Status] = field(default_factory=list)
    lines: list[_Line] = field(default_factory=list)


@dataclass(slots=True)
class _Said:
    """What all levels of one order say together."""

    statuses: list[ItemStatus] = field(default_factory=list)
    lines: list[ReportedLine] = field(default_factory=list)


class _Reader:
    """Collects the levels first, then resolves what hangs on what: a PRF comes after its HL."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._bsr: Segment | None = None
        self._reported_on: date | None = None
        self._parties: list[Party] = []
        self._levels: list[_Level] = []
        self._by_id: dict[str, _Level] = {}
        self._status: _Status | None = None  # the ISR whose loop is open
        self._last = 1  # position of the last segment before CTT or SE

    def take(self, segment: Segment) -> None:
        tag = segment.tag
        if tag == "CTT":
            self._check_totals(segment)
        elif tag != "SE":
            self._last = segment.position
        if tag == "BSR":
            self._take_bsr(segment)
        elif tag == "HL":
            self._hl(segment)
        elif tag == "N1":
            if not self._levels:
                self._parties.append(party(segment))
        elif tag in ("PRF", "PO1", "ISR", "QTY"):
            if self._levels:
                self._detail(self._levels[-1], segment)
            else:
                self._values.out_of_place(segment, f"{tag} stands under no HL")

    def report(self) -> OrderStatusReport | None:
        bsr = self._bsr
        if bsr is None:
            self._values.missing_segment("BSR", "the status report has no BSR", 2)
            return None
        if not self._levels:
            self._values.missing_segment(
                "HL", "the status report has no HL: it names no order", self._last + 1
            )
        return OrderStatusReport(
            report=bsr.text(1),
            items=bsr.text(2),
            reference=bsr.text(3),
            reported_on=self._reported_on,
            parties=tuple(self._parties),
            orders=self._orders(),
        )

    def _take_bsr(self, segment: Segment) -> None:
        if self._bsr is not None:
            self._values.too_many(segment, "heading")
            return
        self._bsr = segment
        for number, reference in ((1, "850"), (2, "847"), (3, "127")):
            self._values.required(segment, number, reference)
        self._reported_on = self._values.date(segment, 4)

    def _hl(self, segment: Segment) -> None:
        """HL01 is new in the set; HL02 is empty, "0" (a root, as some write it) or an earlier HL01."""
        id_ = self._values.required(segment, 1, "628")
        parent_id = segment.text(2)
        parent = self._by_id.get(parent_id) if parent_id else None
        if parent is None and parent_id not in ("", "0"):
            message = f"HL {id_} names parent {parent_id}, which is no earlier HL of the set"
            self._values.hierarchy(segment, 2, message, "734")
        if id_ in self._by_id:
            self._values.hierarchy(segment, 1, f"HL01 {id_} was used before in the set", "628")
        code = self._values.required(segment, 3, "735")
        level = _Level(id=id_, code=code, position=segment.position, parent=parent)
        self._by_id.setdefault(id_, level)
        self._levels.append(level)
        self._status = None

    def _detail(self, level: _Level, segment: Segment) -> None:
        tag = segment.tag
        if tag == "PRF":
            if level.names_order:
                self._values.too_many(segment, "HL")
                return
            level.names_order = True
            level.order = (self._values.required(segment, 1, "324"), segment.text(2))
        elif tag == "PO1":
            level.lines.append(_Line(segment=segment, quantity=self._values.decimal(segment, 2, "330")))
            self._status = None
        elif tag == "ISR":
            self._values.required(segment, 1, "368")
            self._status = _Status(segment=segment, on=self._values.date(segment, 2))
            of = level.lines[-1] if level.lines else level
            of.statuses.append(self._status)
        elif self._status is None:
            self._values.out_of_place(segment, "QTY stands under no ISR: it does not say what it counts")
        else:
            self._status.quantities.append(segment)

    def _orders(self) -> tuple[ReportedOrder, ...]:
        """The orders in the order named; what several levels say of one of them comes together."""
        orders: dict[tuple[str, str], _Said] = {}
        for level in self._levels:
            if level.order is None and level.parent is not None:
                level.order = level.parent.order
            if level.order is not None:
                self._place(level, orders.setdefault(level.order, _Said()))
            elif level.statuses or level.lines:
                message = f"HL {level.id} has no PRF in its own HL or above: its order is not named"
                self._values.missing_segment("PRF", message, level.position + 1, "HL")
        return tuple(
            ReportedOrder(
                po_number=number, release=release, statuses=tuple(said.statuses), lines=tuple(said.lines)
            )
            for (number, release), said in orders.items()
        )

    def _place(self, level: _Level, said: _Said) -> None:
        """Put what one level says under its order."""
        if level.statuses and level.code != _ITEM:
            if level.code == _ORDER or level.names_order:
                said.statuses += map(self._item_status, level.statuses)
            else:
                message = f"ISR stands at HL level {level.code}, which is neither an order nor an item"
                self._values.out_of_place(level.statuses[0].segment, message)
        of_item = level.statuses if level.code == _ITEM else []
        if of_item and len(level.lines) != 1:
            number = len(level.lines)
            message = (
                f"ISR stands at item HL {level.id} with {number} PO1: it does not say which item is meant"
            )
            self._values.out_of_place(of_item[0].segment, message)
            return
        said.lines += [self._line(line, of_item) for line in level.lines]

    def _line(self, line: _Line, of_item: Iterable[_Status]) -> ReportedLine:
        segment = line.segment
        return ReportedLine(
            number=segment.text(1),
            quantity=line.quantity,
            unit=segment.text(3),
            ids=product_ids(segment, 6, _PO1_LAST),
            statuses=tuple(map(self._item_status, (*of_item, *line.statuses))),
            position=segment.position,
        )

    def _item_status(self, status: _Status) -> ItemStatus:
        """The discrete quantity (QTY01 = 01) counts; without one, the first, with what it says it is."""
        discrete = [quantity for quantity in status.quantities if quantity.text(1) == _DISCRETE]
        if len(discrete) > 1:
            self._values.too_many(discrete[1], "ISR")
        isr, on = status.segment, status.on
        for counted in (*discrete, *status.quantities):
            return ItemStatus(
                code=isr.text(1),
                on=on,
                quantity=self._values.decimal(counted, 2, "380", required=True),
                quantity_qualifier=counted.text(1),
                unit=self._values.first_component(counted, 3),
                position=isr.position,
            )
        return ItemStatus(code=isr.text(1), on=on, position=isr.position)

    def _check_totals(self, ctt: Segment) -> None:
        """Some count PO1 in CTT01, some every HL, some the HLs of items; none of them does harm."""
        lines = [line for level in self._levels for line in level.lines]
        items = sum(level.code == _ITEM for level in self._levels)
        counts = (len(lines), len(self._levels), items)
        self._values.check_totals(ctt, counts, "PO1 lines", [line.quantity for line in lines])
