"""Facts into rows: orders, lines, events and counters; the statements check the law a second time."""

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Table, bindparam, insert, update

from storage.commands import Command, PlaceOrder
from storage.database import LedgerBug, Prepared
from storage.events import EVENT_VERSION, EventKind, Fact, LedgerEvent, Units
from storage.evolve import CANCELLING, LINES_MAX, units_by_line
from storage.models import table
from storage.orders import ZERO, LineState, OrderState

_ORDERS, _LINES, _IDS = table("orders"), table("order_line"), table("order_line_id")
_EVENTS, _EVENT_LINES = table("event"), table("event_line")


def _insert_numbered(into: Table) -> Prepared:
    """An insert without the id, which the database gives and returns."""
    names = [column.name for column in into.c if column.name != "id"]
    return Prepared(insert(into).returning(into.c.id), *names)


_NEW_ORDER = _insert_numbered(_ORDERS)
_NEW_EVENT = _insert_numbered(_EVENTS)
_NEW_LINES = Prepared(insert(_LINES), *(column.name for column in _LINES.c))
_NEW_IDS = Prepared(insert(_IDS), *(column.name for column in _IDS.c))
_NEW_EVENT_LINES = Prepared(insert(_EVENT_LINES), *(column.name for column in _EVENT_LINES.c))

_FULFILLED = bindparam("fulfilled_now", type_=_LINES.c.fulfilled.type)
_CANCELLED = bindparam("cancelled_now", type_=_LINES.c.cancelled.type)
_DECLINED = bindparam("declined_now", type_=_LINES.c.declined.type)
# The guard: even if the rule were wrong, no unit is fulfilled or cancelled that is not open.
_MOVE = Prepared(
    update(_LINES)
    .where(
        _LINES.c.id == bindparam("line_id"),
        _LINES.c.fulfilled + _LINES.c.cancelled + _FULFILLED + _CANCELLED <= _LINES.c.ordered,
    )
    .values(
        fulfilled=_LINES.c.fulfilled + _FULFILLED,
        cancelled=_LINES.c.cancelled + _CANCELLED,
        declined=_LINES.c.declined + _DECLINED,
    ),
    "line_id",
    "fulfilled_now",
    "cancelled_now",
    "declined_now",
)
_SETTLE = Prepared(
    update(_ORDERS)
    .where(_ORDERS.c.id == bindparam("order_id"))
    .values(status=bindparam("now"), whole_cancelled=bindparam("whole")),
    "now",
    "whole",
    "order_id",
)


@dataclass(slots=True)
class Writer:
    """Writes the facts of one submission. New orders come with negative ids and get real ones here."""

    tx: Connection
    set_id: int | None
    sequences: dict[int, int]  # last event number by order id
    stored: dict[int, OrderState]  # what the rows of `orders` say, by order id
    ids: dict[int, int] = field(default_factory=dict)  # negative id -> real id

    def write(self, command: Command, order: OrderState, facts: tuple[Fact, ...]) -> tuple[LedgerEvent, ...]:
        """Write the facts of one command; `order` is the order after them."""
        events = []
        for fact in facts:
            if fact.placed:
                self._place(command, order)
            order_id = self.ids.get(order.id, order.id)
            units = self._placed_units(order, fact) if fact.placed else self._moved_units(fact)
            event = self._record(command, order_id, fact, units)
            if not fact.placed:
                self._move(fact, units)
            events.append(event)
        return tuple(events)

    def settle(self, order: OrderState) -> None:
        """Bring the order's own row in line with its lines."""
        stored = self.stored[order.id]
        if (stored.status, stored.whole_cancelled) == (order.status, order.whole_cancelled):
            return
        order_id = self.ids.get(order.id, order.id)
        if _SETTLE.run(self.tx, [(order.status.value, order.whole_cancelled, order_id)]) != 1:
            raise LedgerBug(f"order {order_id} is not there to be brought up to date")

    def numbered(self, order: OrderState | None) -> OrderState | None:
        """The same order under its real ids."""
        if order is None or order.id > 0:
            return order
        lines = tuple(replace(line, id=self._line_id(line.id)) for line in order.lines)
        return replace(order, id=self.ids[order.id], lines=lines)

    def _line_id(self, line_id: int) -> int:
        order_id, ordinal = divmod(line_id, LINES_MAX)
        return self.ids.get(order_id, order_id) * LINES_MAX + ordinal

    def _place(self, command: Command, order: OrderState) -> None:
        if not isinstance(command, PlaceOrder) or order.id > 0:
            raise LedgerBug(f"PO {order.key.po_number} cannot be placed: it exists, or nobody ordered it")
        values = (
            order.key.buyer,
            order.key.seller,
            order.key.po_number,
            order.key.release,
            command.revision,
            order.status.value,
            command.at,
            command.ordered_on,
            command.content_hash,
            order.whole_cancelled,
        )
        self.ids[order.id] = _NEW_ORDER.new_id(self.tx, values)
        self.stored[order.id] = order
        _NEW_LINES.run(self.tx, [self._line_row(order.id, line) for line in order.lines])
        items = [
            (self._line_id(line.id), ordinal, item.qualifier, item.id, item.scheme)
            for line in order.lines
            for ordinal, item in enumerate(line.ids, start=1)
        ]
        _NEW_IDS.run(self.tx, items)

    def _line_row(self, order_id: int, line: LineState) -> tuple[object, ...]:
        """The values of order_line, in the order of its columns."""
        line_id = self._line_id(line.id)
        return (
            line_id,
            self.ids[order_id],
            line_id % LINES_MAX,
            line.line,
            line.assigned,
            line.unit,
            line.pack_unit,
            line.pack_size,
            line.discrete,
            line.description,
            line.ordered,
            ZERO,
            ZERO,
            ZERO,
        )

    def _placed_units(self, order: OrderState, fact: Fact) -> tuple[Units, ...]:
        placed = {line.line for line in fact.placed}
        return tuple(
            Units(line_id=self._line_id(line.id), line=line.line, quantity=line.ordered)
            for line in order.lines
            if line.line in placed
        )

    def _moved_units(self, fact: Fact) -> tuple[Units, ...]:
        """One entry per line: a fact that names a line twice moved the sum."""
        sums = units_by_line(fact)
        first = {units.line_id: units for units in reversed(fact.units)}
        return tuple(
            replace(first[line_id], line_id=self._line_id(line_id), quantity=quantity)
            for line_id, quantity in sums.items()
        )

    def _record(self, command: Command, order_id: int, fact: Fact, units: tuple[Units, ...]) -> LedgerEvent:
        sequence = self.sequences[order_id] = self.sequences.get(order_id, 0) + 1
        source = command.source
        values = (
            order_id,
            sequence,
            fact.kind.value,
            fact.declined,
            command.by,
            command.at,
            command.reason.code,
            command.reason.text,
            command.note,
            list(fact.notes),
            EVENT_VERSION,
            self.set_id,
            source.actor,
            source.file,
            source.interchange,
            source.group,
            source.set,
            source.type,
        )
        event_id = _NEW_EVENT.new_id(self.tx, values)
        lines = [(event_id, u.line_id, u.quantity, u.reason.code, u.reason.text) for u in units]
        _NEW_EVENT_LINES.run(self.tx, lines)
        return LedgerEvent(
            id=event_id,
            order_id=order_id,
            sequence=sequence,
            kind=fact.kind,
            by=command.by,
            at=command.at,
            reason=command.reason,
            note=command.note,
            source=source,
            units=units,
            notes=fact.notes,
        )

    def _move(self, fact: Fact, units: tuple[Units, ...]) -> None:
        """Count the units; each line must have that many open at this very moment."""
        cancelling, fulfilling = fact.kind in CANCELLING, fact.kind is EventKind.LINES_FULFILLED
        moves = [
            (
                unit.line_id,
                unit.quantity if fulfilling else ZERO,
                unit.quantity if cancelling else ZERO,
                unit.quantity if cancelling and fact.declined else ZERO,
            )
            for unit in units
        ]
        if _MOVE.run(self.tx, moves) != len(moves):
            raise LedgerBug(f"a fact of kind {fact.kind.value} moves more units than are open: {units}")
