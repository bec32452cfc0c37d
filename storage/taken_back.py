"""Taken back: whether what a document did stands no more, so that the same again may be meant once more."""

from sqlalchemy import Connection, and_, bindparam, exists, or_, select, text

from storage.database import Prepared, word
from storage.events import EventKind
from storage.models import table

_EVENTS, _LINES = table("event"), table("order_line")
_DONE, _LATER, _ANEW = (_EVENTS.alias(name) for name in ("done", "later", "anew"))
_REFUSED = (word(EventKind.REQUEST_REFUSED), word(EventKind.REQUEST_LAPSED))

_ASKED = and_(
    _DONE.c.kind == word(EventKind.CANCELLATION_REQUESTED),
    _LATER.c.kind.in_(_REFUSED),
    ~exists().where(_LINES.c.order_id == _DONE.c.order_id, text("order_line.requested > 0")),
)
_SHIPPED = and_(
    _DONE.c.kind == word(EventKind.LINES_FULFILLED),
    _LATER.c.kind == word(EventKind.SHIPMENT_WITHDRAWN),
    _LATER.c.reference == _DONE.c.reference,
    ~exists().where(
        _ANEW.c.order_id == _DONE.c.order_id,
        _ANEW.c.kind == word(EventKind.LINES_FULFILLED),
        _ANEW.c.reference == _DONE.c.reference,
        _ANEW.c.set_id != _LATER.c.set_id,
        _ANEW.c.id > _LATER.c.id,
    ),
)
_TAKEN_BACK = Prepared(
    select(_DONE.c.id)
    .join(_LATER, and_(_LATER.c.order_id == _DONE.c.order_id, _LATER.c.id > _DONE.c.id))
    .where(_DONE.c.set_id == bindparam("of_set"), or_(_ASKED, _SHIPPED))
    .limit(1),
    "of_set",
)


def taken_back(tx: Connection, set_id: int | None) -> bool:
    """Whether the request that a set made was refused or lapsed since, or its shipment was withdrawn."""
    return set_id is not None and bool(_TAKEN_BACK.all(tx, set_id))
