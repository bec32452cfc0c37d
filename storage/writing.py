"""Facts into rows: orders, lines, events and counters; the statements check the law a second time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from itertools import pairwise

from sqlalchemy import Connection, bindparam, insert, update

from storage import chain
from storage.chain import End
from storage.commands import Command, PlaceOrder
from storage.database import LedgerBug, Prepared
from storage.events import EVENT_VERSION, EventKind, Fact, LedgerEvent, Units
from storage.evolve import LINES_MAX, units_by_line
from storage.models import table
from storage.orders import ZERO, LineState, OrderState

_ORDERS, _LINES, _IDS = table("orders"), table("order_line"), table("order_line_id")
_EVENTS, _EVENT_LINES = table("event"), table("event_line")

_NEW_EVENT = Prepared(insert(_EVENTS).returning(_EVENTS.c.id), "order_id", *chain.EVENT_COLUMNS, "hash")
# The other counters begin at nothing, which the table says itself.
_NEW_LINES = Prepared(
    insert(_LINES), *(column.name for column in _LINES.c if column.name not in ("requested", "withdrawn"))
)
_NEW_IDS = Prepared(insert(_IDS), *(column.name for column in _IDS.c))
_NEW_EVENT_LINES = Prepared(
    insert(_EVENT_LINES), *(column.name for column in _EVENT_LINES.c if column.name != "settled")
)
_SETTLING = Prepared(insert(_EVENT_LINES), *(column.name for column in _EVENT_LINES.c))

# What a fact changes on a line, in the order of the values of a move.
_COUNTERS = ("ordered", "fulfilled", "cancelled", "declined", "requested", "withdrawn")
_TAKEN = bindparam("taken", type_=_LINES.c.ordered.type)  # of what is neither moved nor asked for


@cache
def _moving(*counters: str) -> Prepared:
    """The update of these counters of a line; no fact changes all of them.

    The guard: even if the rule were wrong, no unit is fulfilled, cancelled or asked for that is not open.
    """
    free = _LINES.c.fulfilled + _LINES.c.cancelled + _LINES.c.requested + _TAKEN <= _LINES.c.ordered
    more = {name: bindparam(f"more_{name}", type_=_LINES.c[name].type) for name in counters}
    return Prepared(
        update(_LINES)
        .where(_LINES.c.id == bindparam("line_id"), free)
        .values({name: _LINES.c[name] + added for name, added in more.items()}),
        *(f"more_{name}" for name in _COUNTERS),
        "taken",
        "line_id",
    )


# What the facts change on the order itself, in the order of the values of `_row`, and where its chain ends.
_MARKS = (
    "status",
    "whole_cancelled",
    "revision",
    "change_sequence",
    "seller_change_sequence",
    "restated_at",
    "reopened_by",
    "blanket",
    "last_sequence",
    "last_hash",
)
_SETTLE = Prepared(
    update(_ORDERS)
    .where(_ORDERS.c.id == bindparam("order_id"))
    .values({name: bindparam(f"new_{name}", type_=_ORDERS.c[name].type) for name in _MARKS}),
    *(f"new_{name}" for name in _MARKS),
    "order_id",
)


def _row(order: OrderState) -> tuple[object, ...]:
    return (
        order.status.value,
        order.whole_cancelled,
        order.revision,
        order.change_sequence,
        order.seller_change_sequence,
        order.restated_at,
        order.reopened_by,
        order.blanket,
    )


def _unchanging(command: Command, order: OrderState) -> tuple[object, ...]:
    """The values of the order's own row that stay as they are, in the order of `chain.ORDER_COLUMNS`."""
    if not isinstance(command, PlaceOrder):
        raise LedgerBug(f"PO {order.key.po_number} has no event, and {type(command).__name__} places nothing")
    key = order.key
    placed = (command.at, command.ordered_on, command.content_hash)
    return (key.buyer, key.seller, key.po_number, key.release, *placed)


_NEW_ORDER = Prepared(insert(_ORDERS).returning(_ORDERS.c.id), *chain.ORDER_COLUMNS, *_MARKS)


@dataclass(slots=True)
class Writer:
    """Writes the facts of one submission. New orders come with negative ids and get real ones here."""

    tx: Connection
    set_id: int | None
    ends: dict[int, End]  # of the chain of events as the rows of `orders` have it, by order id
    stored: dict[int, OrderState]  # what the rows of `orders` say, by order id
    reached: dict[int, End] = field(default_factory=dict)  # where the chain ends now
    ids: dict[int, int] = field(default_factory=dict)  # negative id -> real id

    def write(
        self, command: Command, states: tuple[OrderState, ...], facts: tuple[Fact, ...]
    ) -> tuple[LedgerEvent, ...]:
        """Write the facts of one command; `states` are the order before the first and after each of them."""
        steps = zip(facts, pairwise(states), strict=True)
        return tuple(self._write(command, fact, before, after) for fact, (before, after) in steps)

    def settle(self, order: OrderState) -> None:
        """Bring the order's own row in line with its lines, and with what the facts said of it."""
        order_id, end = self.ids.get(order.id, order.id), self._end(order.id)
        if end == self.ends.get(order.id) and _row(self.stored[order.id]) == _row(order):
            return
        if _SETTLE.run(self.tx, [(*_row(order), end.sequence, end.hash, order_id)]) != 1:
            raise LedgerBug(f"order {order_id} is not there to be brought up to date")

    def numbered(self, order: OrderState | None) -> OrderState | None:
        """The same order under its real ids."""
        if order is None or order.id > 0:
            return order
        lines = tuple(replace(line, id=self._line_id(line.id)) for line in order.lines)
        return replace(order, id=self.ids[order.id], lines=lines)

    def _line_id(self, line_id: int) -> int:
        if line_id > 0:
            return line_id
        order_id, ordinal = divmod(line_id, LINES_MAX)
        return self.ids[order_id] * LINES_MAX + ordinal

    def _write(self, command: Command, fact: Fact, before: OrderState, after: OrderState) -> LedgerEvent:
        if fact.placed:
            new = after.lines[len(before.lines) :]
            said = self._said(command, fact, after, [chain.placed(line) for line in new])
            if fact.kind is EventKind.ORDER_PLACED:
                self._place(command, after)
            return self._record(command, after.id, fact, self._add_lines(after.id, new), {}, said)
        changed = [pair for pair in zip(before.lines, after.lines, strict=True) if pair[0] is not pair[1]]
        settled = {
            self._line_id(new.id): max(old.requested - new.requested, ZERO)
            for old, new in changed
            if old.requested
        }
        units = self._moved_units(fact)
        lines = [chain.moved(u.line_id, u.quantity, u.reason, settled.get(u.line_id, ZERO)) for u in units]
        said = self._said(command, fact, after, sorted(lines))
        event = self._record(command, after.id, fact, units, settled, said)
        self._move(fact, changed)
        return event

    def _said(
        self, command: Command, fact: Fact, order: OrderState, lines: Sequence[tuple[object, ...]]
    ) -> tuple[object, ...]:
        """The values of the order's next event, with its hash: the order's chain ends there from now on."""
        end, source = self._end(order.id), command.source
        values = (
            end.sequence + 1,
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
            fact.reference,
        )
        before = end.hash or [chain.plain(value) for value in _unchanging(command, order)]
        digest = chain.link(before, map(chain.plain, values), lines)
        self.reached[order.id] = End(end.sequence + 1, digest)
        return (*values, digest)

    def _end(self, order_id: int) -> End:
        return self.reached.get(order_id) or self.ends.get(order_id) or End()

    def _place(self, command: Command, order: OrderState) -> None:
        if order.id > 0:
            raise LedgerBug(f"PO {order.key.po_number} cannot be placed: it exists")
        end = self.ends[order.id] = self.reached[order.id]
        values = (*_unchanging(command, order), *_row(order), end.sequence, end.hash)
        self.ids[order.id] = _NEW_ORDER.new_id(self.tx, values)
        self.stored[order.id] = order

    def _add_lines(self, order_id: int, lines: tuple[LineState, ...]) -> tuple[Units, ...]:
        """Insert lines as they were placed; the units that were ordered with them."""
        order_id = self.ids.get(order_id, order_id)
        _NEW_LINES.run(self.tx, [self._line_row(order_id, line) for line in lines])
        items = [
            (self._line_id(line.id), ordinal, item.qualifier, item.id, item.scheme)
            for line in lines
            for ordinal, item in enumerate(line.ids, start=1)
        ]
        _NEW_IDS.run(self.tx, items)
        return tuple(
            Units(line_id=self._line_id(line.id), line=line.line, quantity=line.ordered) for line in lines
        )

    def _line_row(self, order_id: int, line: LineState) -> tuple[object, ...]:
        """The values of a new line, in the order of `_NEW_LINES`."""
        line_id = self._line_id(line.id)
        return (
            line_id,
            order_id,
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

    def _moved_units(self, fact: Fact) -> tuple[Units, ...]:
        """One entry per line: a fact that names a line twice moved the sum."""
        sums = units_by_line(fact)
        if len(sums) == len(fact.units) and all(line_id > 0 for line_id in sums):
            return fact.units
        first = {units.line_id: units for units in reversed(fact.units)}
        return tuple(
            replace(first[line_id], line_id=self._line_id(line_id), quantity=quantity)
            for line_id, quantity in sums.items()
        )

    def _record(
        self,
        command: Command,
        order_id: int,
        fact: Fact,
        units: tuple[Units, ...],
        settled: Mapping[int, Decimal],
        said: tuple[object, ...],
    ) -> LedgerEvent:
        """Write an event; `settled` are the requested units, by line id, that it leaves without a request."""
        sequence, order_id = self.reached[order_id].sequence, self.ids.get(order_id, order_id)
        event_id = _NEW_EVENT.new_id(self.tx, (order_id, *said))
        lines = [(event_id, u.line_id, u.quantity, u.reason.code, u.reason.text) for u in units]
        if settled:
            _SETTLING.run(self.tx, [(*line, settled.get(line[1], ZERO)) for line in lines])
        else:
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
            source=command.source,
            units=units,
            notes=fact.notes,
            reference=fact.reference,
            answer_by=fact.answer_by,
        )

    def _move(self, fact: Fact, changed: Sequence[tuple[LineState, LineState]]) -> None:
        """Count the units as the rule's own sums have them; so many must be open at this very moment."""
        moves = [self._difference(old, new) for old, new in changed]
        counters = [name for at, name in enumerate(_COUNTERS) if any(move[at] for move in moves)]
        if counters and _moving(*counters).run(self.tx, moves) != len(moves):
            raise LedgerBug(f"a fact of kind {fact.kind.value} moves more units than are open: {fact.units}")

    def _difference(self, old: LineState, new: LineState) -> tuple[object, ...]:
        """The values of a move: each counter, what is taken of the open units, and the line."""
        fulfilled = new.fulfilled - old.fulfilled
        requested = new.requested - old.requested
        return (
            new.ordered - old.ordered,
            fulfilled,
            new.cancelled - old.cancelled,
            new.declined - old.declined,
            requested,
            max(-fulfilled, ZERO),
            old.open - new.open + requested,
            self._line_id(new.id),
        )
