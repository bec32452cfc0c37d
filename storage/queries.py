"""The read side: orders and their timelines, and what waits, for the command line, reports and the API."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

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
    type_coerce,
)

from storage import deadlines
from storage.commands import Reason, Source
from storage.database import Prepared
from storage.database.columns import Quantity
from storage.events import EventKind, LedgerEvent, Units
from storage.loading import lines_of
from storage.models import table
from storage.orders import AskedBefore, LineState, OrderKey, OrderStatus
from storage.receipts import ReceivedFile, get_file
from storage.requests import requested_of
from storage.requests import waiting as waiting_of
from storage.states import FileStatus, HeldStatus, ParkedStatus

_ORDERS, _LINES, _DEADLINES = table("orders"), table("order_line"), table("request_deadline")
_EVENTS, _EVENT_LINES, _IDS = table("event"), table("event_line"), table("order_line_id")
_WAITING = text("order_line.requested > 0")  # as the index says it, or it would not be used
_WITH_ITEM = (
    select(_LINES.c.order_id).join(_IDS, _IDS.c.line_id == _LINES.c.id).where(_IDS.c.id == bindparam("item"))
)
_FILES, _SETS, _HELD, _PARKED, _OUTBOX = (
    table(name) for name in ("received_file", "transaction_set", "held", "parked", "outbox")
)


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
        """The requests of which something waits for the seller's answer, first to last."""
        ids = {one.event_id for one, _ in waiting_of(self.asked, requested_of(self.lines))}
        return tuple(event for event in self.events if event.id in ids)

    @property
    def has_lapsed(self) -> bool:
        """Whether what was asked for last of some line was not answered in time."""
        last = {line_id: one.lapsed_at for one in self.asked for line_id, _ in one.units}
        return any(last.values())

    @property
    def answer_by(self) -> datetime | None:
        """By when the first of what is asked for lapses; None: nothing is asked, or it waits for ever."""
        return min((event.answer_by for event in self.asking if event.answer_by), default=None)


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


@dataclass(frozen=True, slots=True)
class Totals:
    """The quantities of an order's lines that are counted in one unit of measure, added up."""

    unit: str
    ordered: Decimal
    fulfilled: Decimal
    cancelled: Decimal
    requested: Decimal

    @property
    def open(self) -> Decimal:
        return self.ordered - self.fulfilled - self.cancelled


_COUNTED = ("ordered", "fulfilled", "cancelled", "requested")
_TOTALS = (
    select(
        *(_LINES.c.order_id, _LINES.c.unit),
        *(type_coerce(func.sum(_LINES.c[name]), Quantity) for name in _COUNTED),
    )
    .where(_LINES.c.order_id.in_(bindparam("orders", expanding=True)))
    .group_by(_LINES.c.order_id, _LINES.c.unit)
    .order_by(_LINES.c.order_id, func.min(_LINES.c.id))
)


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
    if after is not None:
        bound = (literal(value, column.type) for value, column in zip(after, place, strict=True))
        query = query.where(tuple_(*place) < tuple_(*bound))
    ordered = query.order_by(*(column.desc() for column in place))
    return tuple(_summary(row) for row in tx.execute(ordered.limit(limit)))


def totals_of(tx: Connection, orders: Collection[int]) -> dict[int, tuple[Totals, ...]]:
    """What became of the units of each of these orders, by unit of measure: one look for a page of them."""
    found: dict[int, tuple[Totals, ...]] = {}
    for order_id, *values in tx.execute(_TOTALS, {"orders": list(orders)}):
        found[order_id] = (*found.get(order_id, ()), Totals(*values))
    return found


def first_to_answer(tx: Connection, wanted: Wanted, limit: int) -> tuple[OrderSummary, ...]:
    """Orders that wait for an answer to a request: what lapses soonest first, what waits for ever last."""
    own = (_DEADLINES.c.order_id == _ORDERS.c.id) & _DEADLINES.c.closed_at.is_(None)
    soonest = select(func.min(_DEADLINES.c.answer_by)).where(own).scalar_subquery()
    query = select(_ORDERS).where(*_conditions(replace(wanted, asks=True)))
    ordered = query.order_by(soonest.is_(None), soonest, _ORDERS.c.placed_at.desc(), _ORDERS.c.id.desc())
    return tuple(_summary(row) for row in tx.execute(ordered.limit(limit)))


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.partner:
        yield or_(_ORDERS.c.buyer == wanted.partner, _ORDERS.c.seller == wanted.partner)
    for name in ("buyer", "seller", "po_number"):
        if value := getattr(wanted, name):
            # Few are asked for: they are looked up, where a party's index would be walked to its end.
            yield (_ORDERS.c[name].concat("") if wanted.asks else _ORDERS.c[name]) == value
    if wanted.status is not None:
        # A party's own are read by its index: those of everybody with this status are many more.
        by_party = wanted.buyer or wanted.seller
        yield (_ORDERS.c.status.concat("") if by_party else _ORDERS.c.status) == wanted.status.value
    if wanted.placed_since is not None:
        yield _ORDERS.c.placed_at >= wanted.placed_since
    if wanted.placed_before is not None:
        yield _ORDERS.c.placed_at < wanted.placed_before
    if wanted.item:
        yield _ORDERS.c.id.in_(_WITH_ITEM.params(item=wanted.item))
    if wanted.asks:
        yield _ORDERS.c.id.in_(select(_LINES.c.order_id).where(_WAITING))


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


def get_order(tx: Connection, order_id: int) -> OrderView | None:
    """One order with its lines and its timeline."""
    row = tx.execute(select(_ORDERS).where(_ORDERS.c.id == order_id)).one_or_none()
    if row is None:
        return None
    return OrderView(summary=_summary(row), lines=lines_of(tx, order_id), events=events_of(tx, order_id))


def events_of(tx: Connection, order_id: int) -> tuple[LedgerEvent, ...]:
    """The timeline of an order, first to last."""
    moved = (
        select(_EVENT_LINES, _LINES.c.line)
        .join(_EVENTS, _EVENTS.c.id == _EVENT_LINES.c.event_id)
        .join(_LINES, _LINES.c.id == _EVENT_LINES.c.line_id)
        .where(_EVENTS.c.order_id == order_id)
        .order_by(_EVENT_LINES.c.event_id, _EVENT_LINES.c.line_id)
    )
    units: dict[int, list[Units]] = {}
    for row in tx.execute(moved):
        units.setdefault(row.event_id, []).append(_units(row))
    query = select(_EVENTS).where(_EVENTS.c.order_id == order_id).order_by(_EVENTS.c.sequence)
    rows = tx.execute(query).all()
    asks = any(row.kind == EventKind.CANCELLATION_REQUESTED.value for row in rows)
    answer_by = deadlines.of_order(tx, order_id) if asks else {}
    return tuple(_event(row, tuple(units.get(row.id, ())), answer_by.get(row.id)) for row in rows)


def requests(tx: Connection) -> tuple[OpenRequest, ...]:
    """What buyers asked to cancel and sellers have not answered, longest waiting first."""
    ids = tx.execute(select(_LINES.c.order_id).where(_WAITING).distinct()).scalars().all()
    views = [view for view in (get_order(tx, order_id) for order_id in ids) if view is not None]
    return tuple(sorted(map(_open_request, views), key=lambda request: (request.since, request.order.id)))


def _open_request(view: OrderView) -> OpenRequest:
    lines = tuple(line for line in view.lines if line.requested)
    return OpenRequest(order=view.summary, lines=lines, events=view.asking)


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


def _summary(row: Row[Any]) -> OrderSummary:
    return OrderSummary(
        id=row.id,
        key=OrderKey(buyer=row.buyer, seller=row.seller, po_number=row.po_number, release=row.release),
        revision=row.revision,
        status=OrderStatus(row.status),
        placed_at=row.placed_at,
        ordered_on=row.ordered_on,
        whole_cancelled=row.whole_cancelled,
    )


def _units(row: Row[Any]) -> Units:
    reason = Reason(row.reason_code, row.reason_text)
    return Units(line_id=row.line_id, line=row.line, quantity=row.quantity, reason=reason)


def _event(row: Row[Any], units: tuple[Units, ...], answer_by: datetime | None) -> LedgerEvent:
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
