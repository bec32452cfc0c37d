"""Lists of orders: those that are wanted, page by page, and what became of their units."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
)  # fmt: skip

from storage.database.columns import Quantity
from storage.evolve import LINES_MAX
from storage.models import table
from storage.orders import OrderStatus
from storage.queries import OrderSummary, summary_of

ITEM_LINES_MAX = 5000  # of one item; their orders are listed first and then sorted, which takes 10 ms

_ORDERS, _LINES, _DEADLINES = table("orders"), table("order_line"), table("request_deadline")
_IDS = table("order_line_id")
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
    asks: bool | None = None  # whether the buyer asked to cancel units, and the seller has not answered


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
    return tuple(summary_of(row) for row in tx.execute(query.order_by(_ORDERS.c.id.desc()).limit(limit)))


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
    return tuple(summary_of(row) for row in tx.execute(ordered.limit(limit)))


def totals_of(tx: Connection, orders: Collection[int]) -> dict[int, tuple[Totals, ...]]:
    """What became of the units of each of these orders, by unit of measure: one look for a page of them."""
    found: dict[int, tuple[Totals, ...]] = {}
    for order_id, *values in tx.execute(_TOTALS, {"orders": list(orders)}):
        found[order_id] = (*found.get(order_id, ()), Totals(*values))
    return found


def first_to_answer(tx: Connection, wanted: Wanted, limit: int) -> tuple[OrderSummary, ...]:
    """Orders that wait for an answer to a request: what lapses soonest first, what waits for ever last."""
    # An open one is of a request of which something waits.
    own = (_DEADLINES.c.order_id == _ORDERS.c.id) & _DEADLINES.c.closed_at.is_(None)
    soonest = select(func.min(_DEADLINES.c.answer_by)).where(own).scalar_subquery()
    query = select(_ORDERS).where(*_conditions(replace(wanted, asks=True)))
    ordered = query.order_by(soonest.is_(None), soonest, _ORDERS.c.placed_at.desc(), _ORDERS.c.id.desc())
    return tuple(summary_of(row) for row in tx.execute(ordered.limit(limit)))


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
    if wanted.asks is not None:
        asking = _ORDERS.c.id.in_(select(_LINES.c.order_id).where(_WAITING))
        yield asking if wanted.asks else ~asking


def _with_item(tx: Connection, item: str) -> ColumnElement[bool]:
    """Few have a rare item: they are looked up. A common one is soon met by going through the orders."""
    found = tx.execute(select(func.count()).select_from(_SOME_WITH), {"item": item}).scalar_one()
    if found < ITEM_LINES_MAX:
        return _ORDERS.c.id.in_(_WITH_ITEM.params(item=item))
    return _HAS_ITEM.params(item=item).correlate(_ORDERS).exists()
