"""Deadlines: until when a seller may answer what its buyer asked to cancel, each kept as promised."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, text, update

from storage.database import Prepared, word
from storage.events import EventKind, LedgerEvent
from storage.models import table
from storage.orders import AskedBefore, OrderKey, OrderState
from storage.requests import requested_of, waiting
from storage.states import FileStatus

_DEADLINES, _FILES = table("request_deadline"), table("received_file")
_ORDERS, _EVENTS, _EVENT_LINES, _LINES = (table(n) for n in ("orders", "event", "event_line", "order_line"))
_OPEN = _DEADLINES.c.closed_at.is_(None)
_WAITING = text("order_line.requested > 0")  # as the index says it, or it would not be used

_PROMISE = Prepared(
    insert(_DEADLINES), "event_id", "order_id", "answer_by", "remind_at", "reminded_at", "closed_at"
)
_REQUESTS = (
    select(
        _EVENTS.c.order_id,
        *(_EVENTS.c[name] for name in ("id", "kind", "at")),
        *(_EVENT_LINES.c[name] for name in ("line_id", "quantity")),
        _DEADLINES.c.answer_by,
    )
    .join(_EVENT_LINES, _EVENT_LINES.c.event_id == _EVENTS.c.id)
    .outerjoin(_DEADLINES, _DEADLINES.c.event_id == _EVENTS.c.id)
    .where(
        or_(
            _EVENTS.c.kind == word(EventKind.CANCELLATION_REQUESTED),
            _EVENTS.c.kind == word(EventKind.REQUEST_LAPSED),
        )
    )
    .order_by(_EVENTS.c.order_id, _EVENTS.c.sequence, _EVENT_LINES.c.line_id)
)
_ASKED = Prepared(_REQUESTS.where(_EVENTS.c.order_id == bindparam("of_order")), "of_order")


@dataclass(frozen=True, slots=True)
class Reminder:
    """A request of whose time half is over."""

    event_id: int
    order_id: int
    po_number: str


def promise(tx: Connection, events: Iterable[LedgerEvent]) -> None:
    """Keep until when each of these requests can be answered; half-way the seller is reminded."""
    rows = [
        (event.id, event.order_id, event.answer_by, event.at + (event.answer_by - event.at) / 2, None, None)
        for event in events
        if event.answer_by is not None
    ]
    _PROMISE.run(tx, rows)


def with_requests(tx: Connection, order: OrderState) -> OrderState:
    """The order with every request to cancel units of it, and with those that lapsed."""
    return replace(order, asked=_asked(_ASKED.all(tx, order.id)).get(order.id, ()))


def _asked(rows: Iterable[Sequence[Any]]) -> dict[int, tuple[AskedBefore, ...]]:
    """Requests and lapses by order, first to last, of the rows of their lines."""
    asked: dict[int, dict[int, AskedBefore]] = {}
    for order_id, event_id, kind, at, line_id, quantity, answer_by in rows:
        lapsed_at = at if kind == EventKind.REQUEST_LAPSED.value else None
        of_order = asked.setdefault(order_id, {})
        before = of_order.get(event_id, AskedBefore(event_id, (), answer_by, lapsed_at))
        of_order[event_id] = replace(before, units=(*before.units, (line_id, quantity)))
    return {order_id: tuple(events.values()) for order_id, events in asked.items()}


def of_order(tx: Connection, order_id: int) -> dict[int, datetime]:
    """The deadlines of an order's requests, by event."""
    query = select(_DEADLINES.c.event_id, _DEADLINES.c.answer_by).where(_DEADLINES.c.order_id == order_id)
    return {row.event_id: row.answer_by for row in tx.execute(query)}


def next_of(tx: Connection, order_ids: Collection[int] | None) -> dict[int, datetime]:
    """Of these orders, or all, those that wait for an answer and have a deadline: the first one."""
    asks = select(_LINES.c.order_id).where(_WAITING)
    if order_ids is not None:
        asks = asks.where(_LINES.c.order_id.in_(order_ids))
    limited = select(_DEADLINES.c.order_id).where(_OPEN, _DEADLINES.c.order_id.in_(asks))
    lines = select(_LINES.c.order_id, _LINES.c.id, _LINES.c.requested).where(_WAITING)
    requested: dict[int, dict[int, Decimal]] = {}
    for order_id, line_id, quantity in tx.execute(lines.where(_LINES.c.order_id.in_(limited))):
        requested.setdefault(order_id, {})[line_id] = quantity
    asked = _asked(tx.execute(_REQUESTS.where(_EVENTS.c.order_id.in_(requested)))) if requested else {}
    found = {
        order_id: [one.answer_by for one, _ in waiting(asked.get(order_id, ()), units) if one.answer_by]
        for order_id, units in requested.items()
    }
    return {order_id: min(moments) for order_id, moments in found.items() if moments}


def late(
    tx: Connection, now: datetime, limit: int, *, partners: Collection[str]
) -> tuple[tuple[int, OrderKey], ...]:
    """Orders with requests whose time is over, the longest over first.

    What a seller of these partners had left with us before that, and nobody read yet, may be its answer:
    such an order waits until it is read.
    """
    unread = (
        select(_FILES.c.id)
        .where(
            _FILES.c.status == word(FileStatus.NEW),
            _FILES.c.partner == _ORDERS.c.seller,
            _FILES.c.received_at <= _DEADLINES.c.answer_by,
        )
        .exists()
    )
    key = (_ORDERS.c[name] for name in ("buyer", "seller", "po_number", "release"))
    query = (
        select(_ORDERS.c.id, *key)
        .join(_DEADLINES, _DEADLINES.c.order_id == _ORDERS.c.id)
        .where(_OPEN, _DEADLINES.c.answer_by <= now, or_(_ORDERS.c.seller.not_in(partners), ~unread))
        .order_by(_DEADLINES.c.answer_by, _DEADLINES.c.event_id)
        .limit(limit)
    )
    found = {
        row[0]: OrderKey(buyer=row[1], seller=row[2], po_number=row[3], release=row[4])
        for row in tx.execute(query)
    }
    return tuple(found.items())


def close(tx: Connection, order_id: int, now: datetime) -> bool:
    """The time of these requests is over, and what waited has lapsed. False: another was first."""
    over = (_DEADLINES.c.order_id == order_id) & (_DEADLINES.c.answer_by <= now)
    return bool(tx.execute(update(_DEADLINES).where(_OPEN, over).values(closed_at=now)).rowcount)


def close_settled(tx: Connection, order: OrderState, at: datetime) -> None:
    """Of this order's requests, those of which nothing waits any more need no deadline."""
    asked = with_requests(tx, order).asked
    still = {one.event_id for one, _ in waiting(asked, requested_of(order.lines))}
    settled = [one.event_id for one in asked if one.answer_by is not None and one.event_id not in still]
    if settled:
        tx.execute(update(_DEADLINES).where(_OPEN, _DEADLINES.c.event_id.in_(settled)).values(closed_at=at))


def to_remind(tx: Connection, now: datetime, limit: int) -> tuple[Reminder, ...]:
    """Requests of whose time half is over and not all, and whose seller was not reminded."""
    due = (
        (_DEADLINES.c.remind_at <= now) & (_DEADLINES.c.answer_by > now) & _DEADLINES.c.reminded_at.is_(None)
    )
    query = select(_DEADLINES.c.event_id, _DEADLINES.c.order_id, _ORDERS.c.po_number).where(_OPEN, due)
    query = query.join(_ORDERS, _ORDERS.c.id == _DEADLINES.c.order_id)
    rows = tx.execute(query.order_by(_DEADLINES.c.remind_at, _DEADLINES.c.event_id).limit(limit))
    return tuple(Reminder(*row) for row in rows)


def mark_reminded(tx: Connection, event_id: int, at: datetime) -> bool:
    """Nobody else reminds of it from now on. False: another was first."""
    own = (_DEADLINES.c.event_id == event_id) & _DEADLINES.c.reminded_at.is_(None)
    return bool(tx.execute(update(_DEADLINES).where(own).values(reminded_at=at)).rowcount)
