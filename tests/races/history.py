"""The oracle: the events of an order walked from the first to the last, as if nothing else were known.

Every accepted fact must fit its place: what it moved was there at that moment. At the end the sums must be
the counters that the lines have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection, select

from storage.events import EventKind
from storage.models import table

_EVENTS, _MOVES = table("event"), table("event_line")
_LINES, _ORDERS = table("order_line"), table("orders")
_ADDING = (EventKind.ORDER_PLACED, EventKind.LINES_ADDED, EventKind.UNITS_ADDED)
_CANCELLING = (EventKind.ORDER_CANCELLED, EventKind.LINES_CANCELLED)
_COUNTERS = ("ordered", "fulfilled", "cancelled", "declined", "requested", "withdrawn")
ZERO = Decimal(0)


class Breach(AssertionError):
    """A history that cannot have happened, or that does not add up to the counters."""


@dataclass(slots=True)
class Event:
    """One event as the database has it: its place, its kind, and the units it moved and settled by line."""

    sequence: int
    kind: EventKind
    declined: bool
    reference: str
    moves: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict)


@dataclass(slots=True)
class History:
    """All events of one order, and the counters of its lines as they stand."""

    order_id: int
    po_number: str
    events: list[Event] = field(default_factory=list)
    counters: dict[int, dict[str, Decimal]] = field(default_factory=dict)

    def check(self) -> None:
        """Walk the events; raises Breach for the first that does not fit its place."""
        sums: dict[int, dict[str, Decimal]] = {}
        shipped: dict[tuple[str, int], Decimal] = {}
        for place, event in enumerate(self.events, start=1):
            where = f"{self.po_number}, event {event.sequence} ({event.kind.value})"
            if event.sequence != place:
                raise Breach(f"{where}: the one before it is {place - 1}")
            if (event.kind is EventKind.ORDER_PLACED) != (place == 1):
                raise Breach(f"{where}: an order is placed once, and first")
            for line_id, (units, settled) in event.moves.items():
                line = sums.setdefault(line_id, dict.fromkeys(_COUNTERS, ZERO))
                _move(line, event, units, settled)
                if event.kind in (EventKind.LINES_FULFILLED, EventKind.SHIPMENT_WITHDRAWN):
                    sign = 1 if event.kind is EventKind.LINES_FULFILLED else -1
                    key = (event.reference, line_id)
                    shipped[key] = shipped.get(key, ZERO) + sign * units
                    if shipped[key] < 0:
                        raise Breach(f"{where}: more is withdrawn of {key} than it brought")
                _fits(line, where, line_id)
        if sums != self.counters:
            raise Breach(f"{self.po_number}: the events add up to {sums}, the counters are {self.counters}")


def _move(line: dict[str, Decimal], event: Event, units: Decimal, settled: Decimal) -> None:
    if event.kind in _ADDING:
        line["ordered"] += units
    elif event.kind is EventKind.LINES_FULFILLED:
        line["fulfilled"] += units
    elif event.kind is EventKind.SHIPMENT_WITHDRAWN:
        line["fulfilled"] -= units
        line["withdrawn"] += units
    elif event.kind in _CANCELLING:
        line["cancelled"] += units
        line["declined"] += units if event.declined else ZERO
    elif event.kind is EventKind.CANCELLATION_REQUESTED:
        line["requested"] += units
    line["requested"] -= settled


def _fits(line: dict[str, Decimal], where: str, line_id: int) -> None:
    still_open = line["ordered"] - line["fulfilled"] - line["cancelled"]
    if still_open < 0:
        raise Breach(f"{where}: line {line_id} has {still_open} open")
    if not ZERO <= line["requested"] <= still_open:
        raise Breach(f"{where}: line {line_id} has {line['requested']} requested of {still_open} open")
    if any(line[name] < 0 for name in _COUNTERS) or line["declined"] > line["cancelled"]:
        raise Breach(f"{where}: line {line_id} has {line}")


def read_histories(tx: Connection, like: str = "%") -> Iterator[History]:
    """The histories of all orders whose number is like this."""
    wanted = _ORDERS.c.po_number.like(like)
    histories = {
        row.id: History(row.id, row.po_number)
        for row in tx.execute(select(_ORDERS.c.id, _ORDERS.c.po_number).where(wanted))
    }
    lines = select(_LINES).join(_ORDERS, _ORDERS.c.id == _LINES.c.order_id).where(wanted)
    for row in tx.execute(lines):
        figures = {name: getattr(row, name) for name in _COUNTERS}
        histories[row.order_id].counters[row.id] = figures
    events = (
        select(
            _EVENTS.c.order_id, _EVENTS.c.id, _EVENTS.c.sequence, _EVENTS.c.kind, _EVENTS.c.declined,
            _EVENTS.c.reference, _MOVES.c.line_id, _MOVES.c.quantity, _MOVES.c.settled,
        )
        .join(_ORDERS, _ORDERS.c.id == _EVENTS.c.order_id)
        .outerjoin(_MOVES, _MOVES.c.event_id == _EVENTS.c.id)
        .where(wanted)
        .order_by(_EVENTS.c.order_id, _EVENTS.c.sequence)
    )  # fmt: skip
    for row in tx.execute(events):
        history = histories[row.order_id]
        if not history.events or history.events[-1].sequence != row.sequence:
            history.events.append(Event(row.sequence, EventKind(row.kind), row.declined, row.reference))
        if row.line_id is not None:
            history.events[-1].moves[row.line_id] = (row.quantity, row.settled)
    return iter(histories.values())
