"""The read side: orders and their timelines, and what waits, for the command line, reports and the API."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
)

from storage.commands import Reason, Source
from storage.database import Prepared
from storage.events import EventKind, LedgerEvent, Units
from storage.evolve import LINES_MAX
from storage.loading import lines_of
from storage.models import table
from storage.orders import ZERO, LineState, OrderKey, OrderStatus
from storage.receipts import ReceivedFile, get_file
from storage.states import FileStatus, HeldStatus, ParkedStatus

ITEM_LINES_MAX = 5000  # of one item; their orders are listed first and then sorted, which takes 10 ms

_ORDERS, _LINES = table("orders"), table("order_line")
_EVENTS, _EVENT_LINES, _IDS = table("event"), table("event_line"), table("order_line_id")
_WAITING = text("order_line.requested > 0")  # as the index says it, or it would not be used
_WITH_ITEM = (
    select(_LINES.c.order_id).join(_IDS, _IDS.c.line_id == _LINES.c.id).where(_IDS.c.id == bindparam("item"))
)
_HAS_ITEM = select(_IDS.c.line_id).where(
    _IDS.c.id == bindparam("item"),
    _IDS.c.line_id > _ORDERS.c.id * LINES_MAX,
    _IDS.c.line_id < (_ORDERS.c.id + 1) * LINES_MAX,
)
_SOME_WITH = select(_IDS.c.line_id).where(_IDS.c.id == bindparam("item")).limit(ITEM_LINES_MAX).subquery()
_FILES, _SETS, _HELD, _PARKED, _OUTBOX = (
    table(name) for name in ("received_file", "transaction_set", "held", "parked", "outbox")
)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """Units of an order that the buyer asked to cancel and the seller has not answered for."""

    order: OrderSummary
    lines: tuple[LineState, ...]  # those with requested units
    events: tuple[LedgerEvent, ...]  # what asked for them, first to last; each names its document

    @property
    def since(self) -> datetime:
        return self.events[0].at


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many there are of each, by status (by outcome for sets); a status without any is missing."""

    files: dict[str, int]
    sets: dict[str, int]
    orders: dict[str, int]
    held: dict[str, int]
    parked: dict[str, int]
    outbox: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which orders a list is to have; what is "" or None does not matter."""

    partner: str = ""  # either party
    buyer: str = ""
    seller: str = ""
    status: OrderStatus | None = None
    po_number: str = ""
    item: str = ""  # an id of one of its lines, whatever its qualifier
    placed_since: datetime | None = None
    placed_before: datetime | None = None
    asks: bool = False  # the buyer asked to cancel units, and the seller has not answered


def list_orders(
    tx: Connection,
    *,
    partner: str = "",
    status: OrderStatus | None = None,
    before_id: int | None = None,
    limit: int = 1000,
) -> tuple[OrderSummary, ...]:
    """Orders, newest first; `partner` is either party. For the next page give the last id as `before_id`."""
    query = select(_ORDERS).where(*_conditions(Wanted(partner=partner, status=status)))
    if before_id is not None:
        query = query.where(_ORDERS.c.id < before_id)
    return tuple(_summary(row) for row in tx.execute(query.order_by(_ORDERS.c.id.desc()).limit(limit)))


def page_of_orders(
    tx: Connection, wanted: Wanted, *, after: tuple[datetime, int] | None = None, limit: int
) -> tuple[OrderSummary, ...]:
    """Orders, placed last first. For the next page give when the last one was placed, and its id."""
    place = (_ORDERS.c.placed_at, _ORDERS.c.id)
    query = select(_ORDERS).where(*_conditions(wanted))
    if wanted.item:
        query = query.where(_with_item(tx, wanted.item))
    if after is not None:
        bound = (literal(value, column.type) for value, column in zip(after, place, strict=True))
        query = query.where(tuple_(*place) < tuple_(*bound))
    ordered = query.order_by(*(column.desc() for column in place))
    return tuple(_summary(row) for row in tx.execute(ordered.limit(limit)))


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.partner:
        yield or_(_ORDERS.c.buyer == wanted.partner, _ORDERS.c.seller == wanted.partner)
    for name in ("buyer", "seller", "po_number"):
        if value := getattr(wanted, name):
            # Few are asked for: they are looked up, where a party's index would be walked to its end.
            yield (_ORDERS.c[name].concat("") if wanted.asks else _ORDERS.c[name]) == value
    if wanted.status is not None:
        yield _ORDERS.c.status == wanted.status.value
    if wanted.placed_since is not None:
        yield _ORDERS.c.placed_at >= wanted.placed_since
    if wanted.placed_before is not None:
        yield _ORDERS.c.placed_at < wanted.placed_before
    if wanted.asks:
        yield _ORDERS.c.id.in_(select(_LINES.c.order_id).where(_WAITING))


def _with_item(tx: Connection, item: str) -> ColumnElement[bool]:
    """Few have a rare item: they are looked up. A common one is soon met by going through the orders."""
    found = tx.execute(select(func.count()).select_from(_SOME_WITH), {"item": item}).scalar_one()
    if found < ITEM_LINES_MAX:
        return _ORDERS.c.id.in_(_WITH_ITEM.params(item=item))
    return _HAS_ITEM.params(item=item).correlate(_ORDERS).exists()


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
    return tuple(_summary(row) for row in tx.execute(query.order_by(_ORDERS.c.id)))


def get_order(tx: Connection, order_id: int, *, lines: LinesAt | None = None) -> OrderView | None:
    """One order with its lines and its timeline.

    `lines` are those that an event left, by its place among the order's: not read again when it is the last.
    """
    found = _VIEWED.one(tx, order_id)
    if found is None:
        return None
    row = _OrderRow._make(found)
    summary = _summary(row)
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
    rows = map(_EventRow._make, _HAPPENED.all(tx, order_id))
    return tuple(_event(row, tuple(units.get(row.id, ()))) for row in rows)


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


def requests(tx: Connection) -> tuple[OpenRequest, ...]:
    """What buyers asked to cancel and sellers have not answered, longest waiting first."""
    ids = tx.execute(select(_LINES.c.order_id).where(_WAITING).distinct()).scalars().all()
    views = [view for view in (get_order(tx, order_id) for order_id in ids) if view is not None]
    return tuple(sorted(map(_open_request, views), key=lambda request: (request.since, request.order.id)))


def _open_request(view: OrderView) -> OpenRequest:
    """What waits was asked for last: an answer is taken to be about what was asked first."""
    waiting = {line.id: line.requested for line in view.lines if line.requested}
    left = dict(waiting)
    asked = []
    for event in reversed(view.events):
        if event.kind is EventKind.CANCELLATION_REQUESTED and any(left.get(u.line_id) for u in event.units):
            asked.append(event)
            for units in event.units:
                if units.line_id in left:
                    left[units.line_id] = max(left[units.line_id] - units.quantity, ZERO)
    lines = tuple(line for line in view.lines if line.id in waiting)
    return OpenRequest(order=view.summary, lines=lines, events=tuple(reversed(asked)))


def stuck_files(tx: Connection) -> tuple[ReceivedFile, ...]:
    """Files whose reading failed, and those that were begun and not finished."""
    stuck = or_(
        _FILES.c.status == FileStatus.FAILED.value,
        (_FILES.c.status == FileStatus.NEW.value) & (_FILES.c.attempts > 0),
    )
    ids = tx.execute(select(_FILES.c.id).where(stuck).order_by(_FILES.c.id)).scalars().all()
    return tuple(file for file in (get_file(tx, file_id) for file_id in ids) if file is not None)


def counts(tx: Connection) -> Counts:
    """How much of everything there is."""
    return Counts(
        files=_count(tx, _FILES.c.status),
        sets=_count(tx, _SETS.c.outcome),
        orders=_count(tx, _ORDERS.c.status),
        held=_count(tx, _HELD.c.status),
        parked=_count(tx, _PARKED.c.status),
        outbox=_count(tx, _OUTBOX.c.status),
    )


def waiting(tx: Connection) -> tuple[int, int]:
    """How many questions and how many parked sets wait now."""
    found = counts(tx)
    return found.held.get(HeldStatus.OPEN.value, 0), found.parked.get(ParkedStatus.WAITING.value, 0)


def _count(tx: Connection, column: Any) -> dict[str, int]:
    rows = tx.execute(
        select(column, func.count()).where(column.is_not(None)).group_by(column).order_by(column)
    )
    return {str(word): int(number) for word, number in rows}


def _summary(row: Row[Any] | _OrderRow) -> OrderSummary:
    return OrderSummary(
        id=row.id,
        key=OrderKey(buyer=row.buyer, seller=row.seller, po_number=row.po_number, release=row.release),
        revision=row.revision,
        status=OrderStatus(row.status),
        placed_at=row.placed_at,
        ordered_on=row.ordered_on,
        whole_cancelled=row.whole_cancelled,
    )


def _event(row: _EventRow, units: tuple[Units, ...]) -> LedgerEvent:
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
    )
