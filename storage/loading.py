"""Orders as the rule reads them: found by what a document says, locked, and loaded with their lines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, func, or_, select, type_coerce

from storage.chain import End
from storage.commands import Locator, Source, WithdrawShipment
from storage.database.columns import Quantity
from storage.events import EventKind
from storage.evolve import CANCELLING, LINES_MAX
from storage.models import table
from storage.orders import ItemId, LineState, OrderKey, OrderState, ShippedBefore

_ORDERS, _LINES, _IDS, _EVENTS = (table(name) for name in ("orders", "order_line", "order_line_id", "event"))
_EVENT_LINES = table("event_line")


@dataclass(frozen=True, slots=True)
class Loaded:
    """An order as it stands, and where the chain of its events ends."""

    order: OrderState
    end: End


def find_orders(tx: Connection, locator: Locator) -> tuple[Loaded, ...]:
    """The orders a document may mean, locked: those of its release, else those without one."""
    if not locator.buyer and not locator.seller:
        raise ValueError(f"PO {locator.po_number} was looked for without naming a party")
    rows = tx.execute(
        _candidates(bool(locator.buyer), bool(locator.seller)),
        {
            "po_number": locator.po_number,
            "release": locator.release,
            "buyer": locator.buyer,
            "seller": locator.seller,
        },
    ).all()
    chosen = [row for row in rows if row.release == locator.release] or rows
    return tuple(_loaded(tx, row) for row in chosen)


def load_order(tx: Connection, order_id: int) -> Loaded | None:
    """One order by its id, not locked."""
    row = tx.execute(_BY_ID, {"order_id": order_id}).one_or_none()
    return None if row is None else _loaded(tx, row)


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


_ORDER: Select[Any] = select(
    _ORDERS.c.id,
    _ORDERS.c.buyer,
    _ORDERS.c.seller,
    _ORDERS.c.po_number,
    _ORDERS.c.release,
    _ORDERS.c.content_hash,
    _ORDERS.c.whole_cancelled,
    _ORDERS.c.revision,
    _ORDERS.c.change_sequence,
    _ORDERS.c.seller_change_sequence,
    _ORDERS.c.restated_at,
    _ORDERS.c.reopened_by,
    _ORDERS.c.last_sequence,
    _ORDERS.c.last_hash,
)
_BY_ID = _ORDER.where(_ORDERS.c.id == bindparam("order_id"))
_LINES_OF = select(_LINES).where(_LINES.c.order_id == bindparam("order_id")).order_by(_LINES.c.id)
_IDS_OF = (
    select(_IDS)
    .where(_IDS.c.line_id > bindparam("after"), _IDS.c.line_id < bindparam("before"))
    .order_by(_IDS.c.line_id, _IDS.c.ordinal)
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
def _candidates(by_buyer: bool, by_seller: bool) -> Select[Any]:
    """Always in the order of ids: whoever locks several orders locks them in the same order."""
    query = _ORDER.where(
        _ORDERS.c.po_number == bindparam("po_number"),
        or_(_ORDERS.c.release == bindparam("release"), _ORDERS.c.release == ""),
    )
    if by_buyer:
        query = query.where(_ORDERS.c.buyer == bindparam("buyer"))
    if by_seller:
        query = query.where(_ORDERS.c.seller == bindparam("seller"))
    return query.order_by(_ORDERS.c.id).with_for_update()


def _loaded(tx: Connection, row: Row[Any]) -> Loaded:
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
    )
    return Loaded(order, End(row.last_sequence, row.last_hash))


def lines_of(tx: Connection, order_id: int) -> tuple[LineState, ...]:
    """The lines of an order, in the order the buyer gave them."""
    ids: dict[int, list[ItemId]] = {}
    bounds = {"after": order_id * LINES_MAX, "before": (order_id + 1) * LINES_MAX}
    for line_id, _, qualifier, item, scheme in tx.execute(_IDS_OF, bounds):
        ids.setdefault(line_id, []).append(ItemId(qualifier, item, scheme))
    rows = tx.execute(_LINES_OF, {"order_id": order_id})
    return tuple(_line(row, tuple(ids.get(row.id, ()))) for row in rows)


def _line(row: Row[Any], ids: tuple[ItemId, ...]) -> LineState:
    return LineState(
        id=row.id,
        line=row.line,
        assigned=row.assigned,
        ids=ids,
        unit=row.unit,
        ordered=row.ordered,
        fulfilled=row.fulfilled,
        cancelled=row.cancelled,
        declined=row.declined,
        requested=row.requested,
        pack_unit=row.pack_unit,
        pack_size=row.pack_size,
        discrete=row.discrete,
        description=row.description,
    )
