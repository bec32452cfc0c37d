"""A backup was put back: until what came after it is found again, nothing of it is sent by itself.

What the backup still owed by mail, and all that is owed while the files of the lost time are read again, may
have gone out in that time: it becomes uncertain, and a person looks at it. Control numbers that were used in
the lost time are skipped.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from storage.database import insert_new, insert_row
from storage.models import table
from storage.states import Kind, Status

_RESTORATIONS, _SEQUENCES, _OUTBOX = table("restoration"), table("sequence"), table("outbox")
REASON = "A backup was put back; this may have gone out after it was made."
_OWED = _OUTBOX.c.status.in_([Status.NEW.value, Status.SENDING.value, Status.COMMITTING.value])


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """One backup that was put back."""

    id: int
    begun_at: datetime
    ended_at: datetime | None
    numbers_skipped: int


def under_way(tx: Connection) -> Restoration | None:
    """The restoration that has not ended, if there is one."""
    row = tx.execute(select(_RESTORATIONS).where(_RESTORATIONS.c.ended_at.is_(None))).first()
    return None if row is None else Restoration(**row._mapping)


def begin(tx: Connection, at: datetime, *, counters: Iterable[str], numbers_skipped: int) -> bool:
    """Set aside what is owed and skip numbers; False when that was done, and the restoration goes on."""
    if under_way(tx) is not None:
        return False
    values = {"begun_at": at, "ended_at": None, "numbers_skipped": numbers_skipped}
    insert_row(tx, _RESTORATIONS, values)
    for name in sorted(counters):
        insert_new(tx, _SEQUENCES, {"name": name, "value": 0}, key=("name",), returning="name")
        skip = update(_SEQUENCES).where(_SEQUENCES.c.name == name)
        tx.execute(skip.values(value=_SEQUENCES.c.value + numbers_skipped))
    # A document may be left a second time under its name, and nothing is changed by that; a mail may not.
    _doubt(tx, _OWED & (_OUTBOX.c.kind == Kind.EMAIL.value))
    return True


def end(tx: Connection, at: datetime) -> None:
    """Everything was found again; from now on what is owed is sent."""
    tx.execute(update(_RESTORATIONS).where(_RESTORATIONS.c.ended_at.is_(None)).values(ended_at=at))


@contextmanager
def doubting(tx: Connection) -> Iterator[None]:
    """What this transaction comes to owe inside is uncertain: it may have gone out in the lost time."""
    before = tx.execute(select(func.coalesce(func.max(_OUTBOX.c.id), 0))).scalar_one()
    yield
    _doubt(tx, _OWED & (_OUTBOX.c.id > before))


def doubtful(tx: Connection) -> tuple[int, ...]:
    """The messages a person must look at."""
    query = select(_OUTBOX.c.id).where(_OUTBOX.c.status == Status.UNCERTAIN.value, _OUTBOX.c.error == REASON)
    return tuple(tx.execute(query.order_by(_OUTBOX.c.id)).scalars())


def _doubt(tx: Connection, which: ColumnElement[bool]) -> None:
    values: dict[str, Any] = {
        "status": Status.UNCERTAIN.value,
        "error": REASON,
        "attempts": case((_OUTBOX.c.attempts < 1, 1), else_=_OUTBOX.c.attempts),
    }
    tx.execute(update(_OUTBOX).where(which).values(values))
