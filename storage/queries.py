"""The read side: an order and its timeline, and what is stuck, for the command line, reports and the API."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    or_,
    select,
)

from storage import deadlines
from storage.commands import Reason, Source
from storage.database import Prepared
from storage.events import EventKind, LedgerEvent, Units
from storage.loading import lines_of
from storage.models import table
from storage.orders import AskedBefore, LineState, OrderKey, OrderStatus
from storage.receipts import ReceivedFile, get_file
from storage.requests import requested_of, waiting
from storage.states import FileStatus

_ORDERS, _EVENTS, _EVENT_LINES, _FILES = map(table, ("orders", "event", "event_line", "received_file"))

#: Lines as an event left them, behind its place among the order's.
LinesAt = tuple[int, tuple[LineState, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummary:
    """An order as lists show it."""

    id: int
    key: OrderKey
    revision: str
    status: OrderStatus
    placed_at: datetime
    ordered_on: date | None
    whole_cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order with its lines and its timeline."""

    summary: OrderSummary
    mark: "Mark"
    lines: tuple[LineState, ...]
    events: tuple[LedgerEvent, ...]

    @property
    def asked(self) -> tuple[AskedBefore, ...]:
        """The requests to cancel and those that lapsed, first to last, as the rule reads them."""
        kinds = (EventKind.CANCELLATION_REQUESTED, EventKind.REQUEST_LAPSED)
        return tuple(
            AskedBefore(
                event.id,
                tuple((units.line_id, units.quantity) for units in event.units),
                event.answer_by,
                event.at if event.kind is EventKind.REQUEST_LAPSED else None,
            )
            for event in self.events
            if event.kind in kinds
        )

    @property
    def asking(self) -> tuple[LedgerEvent, ...]:
        """The requests of which something waits for the seller's answer, with what does, first to last."""
        waits = {one.event_id: left for one, left in waiting(self.asked, requested_of(self.lines))}
        return tuple(
            replace(
                event,
                units=tuple(
                    replace(units, quantity=waits[event.id][units.line_id])
                    for units in event.units
                    if units.line_id in waits[event.id]
                ),
            )
            for event in self.events
            if event.id in waits
        )

    @property
    def has_lapsed(self) -> bool:
        """Whether what was asked for last of some line was not answered in time."""
        last = {line_id: one.lapsed_at for one in self.asked for line_id, _ in one.units}
        return any(last.values())

    @property
    def answer_by(self) -> datetime | None:
        """By when the first of what is asked for lapses; None: nothing is asked, or it waits for ever."""
        return min((event.answer_by for event in self.asking if event.answer_by), default=None)


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment of an order: whatever happens to it makes another."""

    key: OrderKey
    sequence: int  # of its last event
    hash: str  # of that event


def mark_of(tx: Connection, order_id: int, *, buyer: str = "", seller: str = "") -> Mark | None:
    """Where an order stands; None when there is none between these parties: the same look for either."""
    parties = {name: party for name, party in (("buyer", buyer), ("seller", seller)) if party}
    row = _marks(tuple(parties)).one(tx, order_id, *parties.values())
    if row is None:
        return None
    *key, sequence, last_hash = row
    return Mark(OrderKey(**dict(zip(_KEY, key, strict=True))), sequence, last_hash)


_KEY = ("buyer", "seller", "po_number", "release")


@cache
def _marks(parties: tuple[str, ...]) -> Prepared:
    columns = (_ORDERS.c[name] for name in (*_KEY, "last_sequence", "last_hash"))
    own = (_ORDERS.c[name] == bindparam(name) for name in parties)
    query = select(*columns).where(_ORDERS.c.id == bindparam("order_id"), *own)
    return Prepared(query, "order_id", *parties)


def find_orders(
    tx: Connection, po_number: str, *, buyer: str = "", seller: str = "", release: str | None = None
) -> tuple[OrderSummary, ...]:
    """Every order with this number between the parties that are named; all releases unless one is."""
    query = select(_ORDERS).where(_ORDERS.c.po_number == po_number)
    if buyer:
        query = query.where(_ORDERS.c.buyer == buyer)
    if seller:
        query = query.where(_ORDERS.c.seller == seller)
    if release is not None:
        query = query.where(_ORDERS.c.release == release)
    return tuple(summary_of(row) for row in tx.execute(query.order_by(_ORDERS.c.id)))


def get_order(tx: Connection, order_id: int, *, lines: LinesAt | None = None) -> OrderView | None:
    """One order with its lines and its timeline.

    `lines` are those that an event left, by its place among the order's: not read again when it is the last.
    """
    found = _VIEWED.one(tx, order_id)
    if found is None:
        return None
    row = _OrderRow._make(found)
    summary = summary_of(row)
    known = lines[1] if lines is not None and lines[0] == row.last_sequence else lines_of(tx, order_id)
    mark = Mark(summary.key, row.last_sequence, row.last_hash)
    return OrderView(summary=summary, mark=mark, lines=known, events=events_of(tx, order_id, known))


def events_of(
    tx: Connection, order_id: int, lines: tuple[LineState, ...] | None = None
) -> tuple[LedgerEvent, ...]:
    """The timeline of an order, first to last; `lines` are the order's, where they are known."""
    names = {line.id: line.line for line in (lines_of(tx, order_id) if lines is None else lines)}
    units: dict[int, list[Units]] = {}
    for event_id, line_id, quantity, code, words in _MOVED.all(tx, order_id):
        moved = Units(line_id=line_id, line=names[line_id], quantity=quantity, reason=Reason(code, words))
        units.setdefault(event_id, []).append(moved)
    rows = [_EventRow._make(row) for row in _HAPPENED.all(tx, order_id)]
    asks = any(row.kind == EventKind.CANCELLATION_REQUESTED.value for row in rows)
    answer_by = deadlines.of_order(tx, order_id) if asks else {}
    return tuple(_event(row, tuple(units.get(row.id, ())), answer_by.get(row.id)) for row in rows)


class _OrderRow(NamedTuple):
    """What a view reads of an order's own row."""

    id: int
    buyer: str
    seller: str
    po_number: str
    release: str
    revision: str
    status: str
    placed_at: datetime
    ordered_on: date | None
    whole_cancelled: bool
    last_sequence: int
    last_hash: str


class _EventRow(NamedTuple):
    """What a timeline reads of an event's row."""

    id: int
    order_id: int
    sequence: int
    kind: str
    by_party: str
    at: datetime
    reason_code: str
    reason_text: str
    note: str
    notes: list[str]
    source_actor: str
    source_file: str
    source_interchange: str
    source_group: str
    source_set: str
    source_type: str
    reference: str


_REASON = ("reason_code", "reason_text")
# Every answer about an order asks these.
_VIEWED = Prepared(
    select(*(_ORDERS.c[name] for name in _OrderRow._fields)).where(_ORDERS.c.id == bindparam("order_id")),
    "order_id",
)
_HAPPENED = Prepared(
    select(*(_EVENTS.c[name] for name in _EventRow._fields))
    .where(_EVENTS.c.order_id == bindparam("of_order"))
    .order_by(_EVENTS.c.sequence),
    "of_order",
)
_MOVED = Prepared(
    select(*(_EVENT_LINES.c[name] for name in ("event_id", "line_id", "quantity", *_REASON)))
    .join(_EVENTS, _EVENTS.c.id == _EVENT_LINES.c.event_id)
    .where(_EVENTS.c.order_id == bindparam("of_order"))
    .order_by(_EVENT_LINES.c.event_id, _EVENT_LINES.c.line_id),
    "of_order",
)


def stuck_files(tx: Connection) -> tuple[ReceivedFile, ...]:
    """Files whose reading failed, and those that were begun and not finished."""
    stuck = or_(
        _FILES.c.status == FileStatus.FAILED.value,
        (_FILES.c.status == FileStatus.NEW.value) & (_FILES.c.attempts > 0),
    )
    ids = tx.execute(select(_FILES.c.id).where(stuck).order_by(_FILES.c.id)).scalars().all()
    return tuple(file for file in (get_file(tx, file_id) for file_id in ids) if file is not None)


def summary_of(row: Row[Any] | _OrderRow) -> OrderSummary:
    """What a row of orders says."""
    return OrderSummary(
        id=row.id,
        key=OrderKey(buyer=row.buyer, seller=row.seller, po_number=row.po_number, release=row.release),
        revision=row.revision,
        status=OrderStatus(row.status),
        placed_at=row.placed_at,
        ordered_on=row.ordered_on,
        whole_cancelled=row.whole_cancelled,
    )


def _event(row: _EventRow, units: tuple[Units, ...], answer_by: datetime | None) -> LedgerEvent:
    return LedgerEvent(
        id=row.id,
        order_id=row.order_id,
        sequence=row.sequence,
        kind=EventKind(row.kind),
        by=row.by_party,
        at=row.at,
        reason=Reason(row.reason_code, row.reason_text),
        note=row.note,
        source=Source(
            actor=row.source_actor,
            file=row.source_file,
            interchange=row.source_interchange,
            group=row.source_group,
            set=row.source_set,
            type=row.source_type,
        ),
        units=units,
        notes=tuple(row.notes),
        reference=row.reference,
        answer_by=answer_by,
    )
