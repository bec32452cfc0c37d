"""Sets that ran ahead of their order: they wait, and are decided in their original order when it comes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from storage.commands import Locator
from storage.database import Prepared, insert_row, word
from storage.models import table
from storage.orders import OrderKey
from storage.states import ParkedStatus

_PARKED, _ORDERS, _SETS = table("parked"), table("orders"), table("transaction_set")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """One set waiting for one order; a set that speaks of several unknown orders waits once for each."""

    id: int
    set_id: int
    partner: str
    buyer: str
    seller: str
    po_number: str
    release: str
    since: datetime
    expires_at: datetime
    status: ParkedStatus


_NAMES = tuple(field.name for field in fields(Parked))
_WAITING = _PARKED.c.status == word(ParkedStatus.WAITING)
_RELEASE = bindparam("release", type_=_PARKED.c.release.type)
_WAITING_FOR = Prepared(
    select(*(_PARKED.c[name] for name in _NAMES))
    .where(
        _WAITING,
        _PARKED.c.po_number == bindparam("po_number"),
        or_(_PARKED.c.buyer == bindparam("buyer"), _PARKED.c.buyer == ""),
        or_(_PARKED.c.seller == bindparam("seller"), _PARKED.c.seller == ""),
        or_(_RELEASE == "", _PARKED.c.release == _RELEASE, _PARKED.c.release == ""),
    )
    .order_by(_PARKED.c.id),
    *("po_number", "buyer", "seller", "release"),
)
_CLAIM = Prepared(
    select(_PARKED.c.id).where(_PARKED.c.set_id == bindparam("of_set"), _WAITING).with_for_update(), "of_set"
)
_MARK = Prepared(
    update(_PARKED).where(_PARKED.c.set_id == bindparam("of_set"), _WAITING).values(status=bindparam("word")),
    *("word", "of_set"),
)


def park(
    tx: Connection, locator: Locator, *, set_id: int, partner: str, since: datetime, expires_at: datetime
) -> int:
    """Let a set wait for an order. Again for the same order changes nothing while it waits.

    One that was decided meanwhile, and held, waits again: its new time counts from then.
    """
    place = {
        "set_id": set_id,
        "buyer": locator.buyer,
        "seller": locator.seller,
        "po_number": locator.po_number,
        "release": locator.release,
    }
    found = tx.execute(select(_PARKED.c.id).filter_by(**place)).scalar_one_or_none()
    if found is not None:
        again = {"status": ParkedStatus.WAITING.value, "expires_at": expires_at}
        tx.execute(update(_PARKED).where(_PARKED.c.id == found, ~_WAITING).values(again))
        return int(found)
    values = {
        "partner": partner,
        "since": since,
        "expires_at": expires_at,
        "status": ParkedStatus.WAITING.value,
    }
    return insert_row(tx, _PARKED, {**place, **values})


def waiting_for(tx: Connection, key: OrderKey) -> tuple[Parked, ...]:
    """The sets that an order, now placed, lets go on; first come first.

    A set names a release that has its own order, or falls back on the order without release; where it names
    none, a person may now be asked which release it means.
    """
    found = _WAITING_FOR.all(tx, key.po_number, key.buyer, key.seller, key.release)
    return tuple(_parked(dict(zip(_NAMES, row, strict=True))) for row in found)


def ready(tx: Connection, limit: int) -> tuple[int, ...]:
    """Sets that wait although their order is there, by id: it lets go only so many at once.

    Those that were decided since the order came are not among them: they wait for another one.
    """
    its_order = and_(
        _ORDERS.c.po_number == _PARKED.c.po_number,
        _PARKED.c.buyer.in_([_ORDERS.c.buyer, ""]),
        _PARKED.c.seller.in_([_ORDERS.c.seller, ""]),
        or_(_ORDERS.c.release == "", _PARKED.c.release.in_([_ORDERS.c.release, ""])),
    )
    query = (
        select(_PARKED.c.set_id)
        .join(_ORDERS, its_order)
        .join(_SETS, _SETS.c.id == _PARKED.c.set_id)
        .where(_WAITING, _SETS.c.decided_at <= _ORDERS.c.placed_at)
        .distinct()
        .order_by(_PARKED.c.set_id)
        .limit(limit)
    )
    return tuple(tx.execute(query).scalars())


def list_parked(
    tx: Connection, *, status: ParkedStatus | None = ParkedStatus.WAITING, po_number: str = "",
    after_id: int = 0, limit: int | None = None,
) -> tuple[Parked, ...]:  # fmt: skip
    """Parked sets in the order they came: those waiting, those of another status, or all (None).

    For any order or one number; at most `limit`; for the next page give the last id as `after_id`.
    """
    query = select(_PARKED).where(_PARKED.c.id > after_id).order_by(_PARKED.c.id).limit(limit)
    if po_number:
        query = query.where(_PARKED.c.po_number == po_number)
    if status is not None:
        query = query.where(_PARKED.c.status == status.value)
    return tuple(_parked(row) for row in tx.execute(query).mappings())


def expired(tx: Connection, now: datetime) -> tuple[Parked, ...]:
    """Those whose order did not come in time."""
    late = _PARKED.c.expires_at <= now
    query = select(_PARKED).where(_WAITING, late)
    return tuple(_parked(row) for row in tx.execute(query.order_by(_PARKED.c.id)).mappings())


def claim(tx: Connection, set_id: int) -> bool:
    """Keep others from deciding a set until this transaction ends; False when it waits no longer."""
    return bool(_CLAIM.all(tx, set_id))


def mark_replayed(tx: Connection, set_id: int) -> None:
    """The set was decided; it waits no longer, for any order."""
    _mark(tx, set_id, ParkedStatus.REPLAYED)


def mark_expired(tx: Connection, set_id: int) -> None:
    """The set will not be decided; its sender is told."""
    _mark(tx, set_id, ParkedStatus.EXPIRED)


def _mark(tx: Connection, set_id: int, status: ParkedStatus) -> None:
    _MARK.run(tx, [(status.value, set_id)])


def _parked(row: Mapping[Any, Any]) -> Parked:
    return Parked(**{**row, "status": ParkedStatus(row["status"])})
