"""Orders as the rule reads them: found by what a document says, locked, and loaded with their lines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, case, func, or_, select, type_coerce

from storage.chain import End
from storage.commands import Locator, Source, WithdrawShipment
from storage.database import Prepared
from storage.database.columns import Quantity
from storage.events import EventKind
from storage.evolve import CANCELLING, LINES_MAX
from storage.models import table
from storage.orders import ItemId, LineState, OrderKey, OrderState, ShippedBefore

_ORDERS, _LINES, _IDS, _EVENTS = (table(name) for name in ("orders", "order_line", "order_line_id", "event"))
_EVENT_LINES = table("event_line")

RELEASES_MAX = 20  # offered to a person


@dataclass(frozen=True, slots=True)
class Loaded:
    """An order as it stands, and where the chain of its events ends."""

    order: OrderState
    end: End


def find_orders(tx: Connection, locator: Locator) -> tuple[Loaded, ...]:
    """The orders a document may mean, locked: those of its release, else those without one.

    Where it names no release, and an order has nothing but releases, they are what it may mean: the last
    RELEASES_MAX of them, for a person to choose from; not where it is exact.
    """
    if not locator.buyer and not locator.seller:
        raise ValueError(f"PO {locator.po_number} was looked for without naming a party")
    parties = {name: party for name, party in (("buyer", locator.buyer), ("seller", locator.seller)) if party}
    names = (locator.po_number, *parties.values())
    rows = list(map(_Row._make, _candidates(tuple(parties)).all(tx, *names, locator.release)))
    chosen = [row for row in rows if row.release == locator.release] or rows
    if not (locator.exact or locator.release) and (not chosen or len(parties) == 1):
        whole = {(row.buyer, row.seller) for row in chosen}
        released = map(_Row._make, _releases(tuple(parties)).all(tx, *names))
        chosen += [row for row in released if (row.buyer, row.seller) not in whole]
    return tuple(_loaded(tx, row) for row in sorted(chosen, key=lambda row: row.id))


def load_order(tx: Connection, order_id: int) -> Loaded | None:
    """One order by its id, not locked."""
    row = _BY_ID.one(tx, order_id)
    return None if row is None else _loaded(tx, _Row._make(row))


def with_history(tx: Connection, order: OrderState, withdrawals: Sequence[WithdrawShipment]) -> OrderState:
    """The order with what only withdrawals need: the shipments they name, and whether their file cancelled.

    A shipment that was withdrawn as a whole is there without units.
    """
    names = sorted({command.shipment_id for command in withdrawals})
    standing: dict[str, list[tuple[int, Decimal]]] = {}
    rows = tx.execute(_STANDING, {"order_id": order.id, "shipments": names})
    for reference, line_id, quantity in rows:
        units = standing.setdefault(reference, [])
        if quantity:
            units.append((line_id, quantity))
    said = {command.source.identity for command in withdrawals}
    sources = tx.execute(_CANCELLED_BY, {"order_id": order.id, "files": [c.source.file for c in withdrawals]})
    cancelled = {Source(file=file, interchange=interchange).identity for file, interchange in sources}
    return replace(
        order,
        shipments=tuple(ShippedBefore(name, tuple(standing[name])) for name in names if name in standing),
        cancelled_by=tuple(sorted(cancelled & said)),
    )


class _Row(NamedTuple):
    """What is read of an order's own row."""

    id: int
    buyer: str
    seller: str
    po_number: str
    release: str
    content_hash: str
    whole_cancelled: bool
    revision: str
    change_sequence: str
    seller_change_sequence: str
    restated_at: datetime | None
    reopened_by: str
    blanket: bool
    last_sequence: int
    last_hash: str


_ORDER: Select[Any] = select(*(_ORDERS.c[name] for name in _Row._fields))
_BY_ID = Prepared(_ORDER.where(_ORDERS.c.id == bindparam("order_id")), "order_id")
_OF_LINE = (
    *("id", "line", "assigned", "unit", "ordered", "fulfilled", "cancelled", "declined", "requested"),
    *("pack_unit", "pack_size", "discrete", "description"),
)
_LINES_OF = Prepared(
    select(*(_LINES.c[name] for name in _OF_LINE))
    .where(_LINES.c.order_id == bindparam("of_order"))
    .order_by(_LINES.c.id),
    "of_order",
)
_IDS_OF = Prepared(
    select(_IDS.c.line_id, _IDS.c.qualifier, _IDS.c.id, _IDS.c.scheme)
    .where(_IDS.c.line_id > bindparam("after"), _IDS.c.line_id < bindparam("before"))
    .order_by(_IDS.c.line_id, _IDS.c.ordinal),
    *("after", "before"),
)


_SHIPPED = _EVENTS.c.kind == EventKind.LINES_FULFILLED.value
_UNITS = case((_SHIPPED, _EVENT_LINES.c.quantity), else_=-_EVENT_LINES.c.quantity)
_STANDING = (
    select(_EVENTS.c.reference, _EVENT_LINES.c.line_id, type_coerce(func.sum(_UNITS), Quantity))
    .join(_EVENT_LINES, _EVENT_LINES.c.event_id == _EVENTS.c.id)
    .where(
        _EVENTS.c.order_id == bindparam("order_id"),
        _EVENTS.c.reference.in_(bindparam("shipments", expanding=True)),
    )
    .group_by(_EVENTS.c.reference, _EVENT_LINES.c.line_id)
    .order_by(_EVENT_LINES.c.line_id)
)
_CANCELLED_BY = (
    select(_EVENTS.c.source_file, _EVENTS.c.source_interchange)
    .where(
        _EVENTS.c.order_id == bindparam("order_id"),
        _EVENTS.c.kind.in_(sorted(kind.value for kind in CANCELLING)),
        _EVENTS.c.source_file.in_(bindparam("files", expanding=True)),
    )
    .distinct()
)


@cache
def _candidates(parties: tuple[str, ...]) -> Prepared:
    """Always in the order of ids: whoever locks several orders locks them in the same order."""
    query = _numbered(parties).where(or_(_ORDERS.c.release == bindparam("release"), _ORDERS.c.release == ""))
    return Prepared(query.order_by(_ORDERS.c.id).with_for_update(), "po_number", *parties, "release")


@cache
def _releases(parties: tuple[str, ...]) -> Prepared:
    """The last ones of a number. Whoever looks for them has its name (`lock_names`), so nobody else does."""
    query = _numbered(parties).where(_ORDERS.c.release != "").order_by(_ORDERS.c.id.desc())
    return Prepared(query.limit(RELEASES_MAX).with_for_update(), "po_number", *parties)


def _numbered(parties: tuple[str, ...]) -> Select[Any]:
    of_parties = (_ORDERS.c[name] == bindparam(name) for name in parties)
    return _ORDER.where(_ORDERS.c.po_number == bindparam("po_number"), *of_parties)


def _loaded(tx: Connection, row: _Row) -> Loaded:
    key = OrderKey(buyer=row.buyer, seller=row.seller, po_number=row.po_number, release=row.release)
    order = OrderState(
        id=row.id,
        key=key,
        lines=lines_of(tx, row.id),
        content_hash=row.content_hash,
        whole_cancelled=row.whole_cancelled,
        revision=row.revision,
        change_sequence=row.change_sequence,
        seller_change_sequence=row.seller_change_sequence,
        restated_at=row.restated_at,
        reopened_by=row.reopened_by,
        blanket=row.blanket,
    )
    return Loaded(order, End(row.last_sequence, row.last_hash))


def lines_of(tx: Connection, order_id: int) -> tuple[LineState, ...]:
    """The lines of an order, in the order the buyer gave them."""
    ids: dict[int, list[ItemId]] = {}
    for line_id, qualifier, item, scheme in _IDS_OF.all(tx, order_id * LINES_MAX, (order_id + 1) * LINES_MAX):
        ids.setdefault(line_id, []).append(ItemId(qualifier, item, scheme))
    return tuple(
        LineState(ids=tuple(ids.get(row[0], ())), **dict(zip(_OF_LINE, row, strict=True)))
        for row in _LINES_OF.all(tx, order_id)
    )
