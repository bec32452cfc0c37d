"""Gauges: how much there is of everything and how old the oldest of what waits, fast at any size.

Every query is answered by an index, never by a scan of a table that only grows: one million orders are
counted in well under a second.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select, text, true

from storage import mailboxes, restoration
from storage.mailboxes import LeftFile, MailboxState
from storage.models import table
from storage.outcomes import Outcome
from storage.states import FileStatus, Kind, Status

_FILES, _SETS, _ORDERS, _OUTBOX = (
    table(name) for name in ("received_file", "transaction_set", "orders", "outbox")
)
_HELD, _PARKED, _LINES = table("held"), table("parked"), table("order_line")
# As the indexes say it, or they would not be used.
_NOT_APPLIED = text("outcome <> 'applied'")
_OPEN, _WAITING, _REQUESTED = text("status = 'open'"), text("status = 'waiting'"), text("requested > 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """One moment of the database. A status without any is missing; an age that is None: there is none."""

    files: dict[str, int]
    sets: dict[str, int]
    orders: dict[str, int]
    messages: dict[tuple[str, str], int]  # by kind and status
    held: int
    parked: int
    requested_lines: int
    unread_since: datetime | None  # the oldest file that is kept and not read
    held_since: datetime | None
    parked_since: datetime | None
    unsent_since: datetime | None  # the oldest mail or document that is owed, however often it was tried
    unposted_since: datetime | None  # the oldest webhook: what is late there is a partner's to mend
    uncertain_since: datetime | None
    mailboxes: tuple[MailboxState, ...]
    left: tuple[LeftFile, ...]
    restoring: bool


def gauges(tx: Connection) -> Gauges:
    """Count and look."""
    others = _by(tx, _SETS.c.outcome, _NOT_APPLIED)
    applied = _one(tx, select(func.count()).select_from(_SETS)) - sum(others.values())
    return replace(
        backlog(tx),
        files=_by(tx, _FILES.c.status),
        sets={**others, Outcome.APPLIED.value: applied},
        orders=_by(tx, _ORDERS.c.status),
        messages=_messages(tx),
    )


def backlog(tx: Connection) -> Gauges:
    """The same without what is settled, in some milliseconds: no sets, orders, read files, sent messages."""
    unread = _FILES.c.status.in_([FileStatus.NEW.value, FileStatus.FAILED.value])
    unsent = _OUTBOX.c.status.in_([status.value for status in Status if status is not Status.SENT])
    waits, posted = _OUTBOX.c.status == Status.NEW.value, _OUTBOX.c.kind == Kind.WEBHOOK.value
    return Gauges(
        files=_by(tx, _FILES.c.status, unread),
        sets={},
        orders={},
        messages=_messages(tx, unsent),
        held=_one(tx, select(func.count()).select_from(_HELD).where(_OPEN)),
        parked=_one(tx, select(func.count()).select_from(_PARKED).where(_WAITING)),
        requested_lines=_one(tx, select(func.count()).select_from(_LINES).where(_REQUESTED)),
        unread_since=_oldest(tx, _FILES.c.received_at, _FILES.c.status == FileStatus.NEW.value),
        held_since=_oldest(tx, _HELD.c.at, _OPEN),
        parked_since=_oldest(tx, _PARKED.c.since, _WAITING),
        unsent_since=_oldest(tx, _OUTBOX.c.created_at, waits & ~posted),
        unposted_since=_oldest(tx, _OUTBOX.c.created_at, waits & posted),
        uncertain_since=_oldest(tx, _OUTBOX.c.created_at, _OUTBOX.c.status == Status.UNCERTAIN.value),
        mailboxes=mailboxes.states(tx),
        left=mailboxes.left_files(tx),
        restoring=restoration.under_way(tx) is not None,
    )


def _messages(tx: Connection, where: ColumnElement[bool] = true()) -> dict[tuple[str, str], int]:  # noqa: B008
    """By kind and status, in the order of the index: grouping by both would sort every message."""
    by_kind = {
        kind: _by(tx, _OUTBOX.c.status, and_(where, _OUTBOX.c.kind == kind.value))
        for kind in (Kind.EMAIL, Kind.WEBHOOK)
    }
    found: dict[tuple[str, str], int] = {}
    for status, number in _by(tx, _OUTBOX.c.status, where).items():
        counted = {kind.value: numbers.get(status, 0) for kind, numbers in by_kind.items()}
        counted[Kind.ACKNOWLEDGMENT.value] = number - sum(counted.values())
        found |= {(kind, status): count for kind, count in counted.items()}
    return found


def _by(tx: Connection, column: ColumnElement[Any], where: Any = None) -> dict[str, int]:
    query = select(column, func.count()).group_by(column)
    rows = tx.execute(query if where is None else query.where(where))
    return {str(word): int(number) for word, number in rows}


def _one(tx: Connection, query: Any) -> int:
    return int(tx.execute(query).scalar_one())


def _oldest(tx: Connection, column: Any, where: Any) -> datetime | None:
    """Few wait: they are found and sorted, where an index of all times would be walked to its end."""
    by_time = func.coalesce(column, None)
    found: datetime | None = tx.execute(
        select(column).where(where).order_by(by_time).limit(1)
    ).scalar_one_or_none()
    return found
