"""Retention: what may be emptied when it is old and settled. Rows stay; only their bytes go.

Never touched: events, orders, interchanges, sets, documents and their keys; a file that is not read or was
given up, lies in a partner's pickup folder, or holds a set that waits; a message that was not sent; and every
X12 document of ours, because an interchange that comes again is answered by the same bytes for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from storage.models import table
from storage.outcomes import Outcome
from storage.states import FileStatus, Kind, Status

_FILES, _INTERCHANGES, _SETS, _OUTBOX, _ENTRIES = (
    table(name) for name in ("received_file", "interchange", "transaction_set", "outbox", "digest_entry")
)
_WAITS = [Outcome.HELD.value, Outcome.PARKED.value]
BATCH = 500  # rows emptied in one transaction, so that a poll need not wait long


@dataclass(frozen=True, slots=True, kw_only=True)
class Prunable:
    """What can be emptied, and how many bytes it holds."""

    files: int
    file_bytes: int
    mails: int
    mail_bytes: int


def prunable(tx: Connection, before: datetime) -> Prunable:
    """What is settled and older than `before`."""
    files = tx.execute(
        select(func.count(), func.coalesce(func.sum(_FILES.c.size), 0)).where(_file(before))
    ).one()
    size = func.coalesce(func.sum(func.length(_OUTBOX.c.payload)), 0)
    mails = tx.execute(select(func.count(), size).where(_mail(before))).one()
    return Prunable(
        files=int(files[0]), file_bytes=int(files[1]), mails=int(mails[0]), mail_bytes=int(mails[1])
    )


def prune_files(tx: Connection, before: datetime, at: datetime) -> int:
    """Empty the next BATCH files; how many it were. What it was, its size and its hash stay."""
    return len(_empty(tx, _FILES, _file(before), {"data": b"", "pruned_at": at}))


def prune_mails(tx: Connection, before: datetime, at: datetime) -> int:
    """Empty the next BATCH e-mails and webhooks; to whom, when and about what stays."""
    emptied = _empty(tx, _OUTBOX, _mail(before), {"payload": b"", "pruned_at": at})
    tx.execute(update(_ENTRIES).where(_ENTRIES.c.message_id.in_(emptied)).values(content=""))
    return len(emptied)


def _empty(tx: Connection, which: Any, where: ColumnElement[bool], values: dict[str, Any]) -> Sequence[int]:
    ids = tx.execute(select(which.c.id).where(where).order_by(which.c.id).limit(BATCH)).scalars().all()
    # Asked again in the statement that empties: between the two somebody may have held or resent it.
    emptied = update(which).where(which.c.id.in_(ids), where).values(values).returning(which.c.id)
    return tx.execute(emptied).scalars().all()


def _file(before: datetime) -> ColumnElement[bool]:
    waits = exists().where(
        _INTERCHANGES.c.file_id == _FILES.c.id,
        _SETS.c.interchange_id == _INTERCHANGES.c.id,
        or_(_SETS.c.outcome.is_(None), _SETS.c.outcome.in_(_WAITS)),
    )
    return and_(
        _FILES.c.status == FileStatus.DONE.value,
        _FILES.c.ingested_at < before,
        _FILES.c.moved_at.is_not(None),
        _FILES.c.pruned_at.is_(None),
        ~waits,
    )


def _mail(before: datetime) -> ColumnElement[bool]:
    again = _OUTBOX.alias("again")
    resent = exists().where(again.c.resend_of == _OUTBOX.c.id, again.c.status != Status.SENT.value)
    return and_(
        _OUTBOX.c.kind.in_([Kind.EMAIL.value, Kind.WEBHOOK.value]),
        _OUTBOX.c.status == Status.SENT.value,
        _OUTBOX.c.sent_at < before,
        _OUTBOX.c.pruned_at.is_(None),
        ~resent,
    )
