"""What waits to be told in a digest: owed with its fact, gathered an hour after the first of it, and kept."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from storage.database import insert_new, lock_names
from storage.models import table
from storage.states import MailTopic, Status

DIGEST_SECONDS = 3600  # at most, from a fact to the digest that tells of it
_ENTRIES, _OUTBOX = table("digest_entry"), table("outbox")
_WAITS = _ENTRIES.c.message_id.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody for whom something waits."""

    partner: str
    to: str  # the address


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """One thing to be told to one reader in the next digest."""

    reader: Reader
    topic: MailTopic
    dedupe_key: str  # of the e-mail that would have gone at once: the same debt is never owed twice
    event_id: int | None
    order_id: int | None
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(NewEntry):
    """One thing that was owed, and the digest it went into."""

    id: int
    created_at: datetime
    message_id: int | None  # None: it waits


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPart:
    """An event as a part of somebody's digest."""

    event_id: int
    partner: str  # whose person reads it
    status: Status | None  # the digest's; None: it waits for the hour to end
    sent_at: datetime | None


def leaves_time(answer_by: datetime | None, at: datetime) -> bool:
    """Whether a digest comes in the first half of the time to answer, and so before the reminder."""
    return answer_by is None or (answer_by - at) / 2 > timedelta(seconds=DIGEST_SECONDS)


def is_owed(tx: Connection, dedupe_key: str) -> bool:
    """Whether a debt is or was owed in a digest."""
    return tx.execute(select(_ENTRIES.c.id).where(_ENTRIES.c.dedupe_key == dedupe_key)).first() is not None


def is_sent_at_once(tx: Connection, dedupe_key: str) -> bool:
    """Whether a debt is owed by an e-mail of its own."""
    return tx.execute(select(_OUTBOX.c.id).where(_OUTBOX.c.dedupe_key == dedupe_key)).first() is not None


def owe(tx: Connection, entry: NewEntry, at: datetime) -> bool:
    """Owe it in the reader's next digest; False when the same debt is owed already, in whichever way."""
    if is_sent_at_once(tx, entry.dedupe_key):
        return False
    values = {
        "partner": entry.reader.partner, "recipient": entry.reader.to, "topic": entry.topic.value,
        "dedupe_key": entry.dedupe_key, "event_id": entry.event_id, "order_id": entry.order_id,
        "content": entry.content, "created_at": at,
    }  # fmt: skip
    return insert_new(tx, _ENTRIES, values, key=("dedupe_key",), returning="id") is not None


def readers(tx: Connection, before: datetime | None = None) -> tuple[Reader, ...]:
    """For whom something waits, or has waited since before then."""
    query = select(_ENTRIES.c.partner, _ENTRIES.c.recipient).where(_WAITS).distinct()
    if before is not None:
        query = query.where(_ENTRIES.c.created_at <= before)
    rows = tx.execute(query.order_by(_ENTRIES.c.partner, _ENTRIES.c.recipient))
    return tuple(Reader(partner=partner, to=to) for partner, to in rows)


def due_since(tx: Connection, now: datetime) -> datetime | None:
    """Since when the oldest of what waits should have been gathered; None when nothing is due."""
    hour = timedelta(seconds=DIGEST_SECONDS)
    oldest = tx.execute(select(func.min(_ENTRIES.c.created_at)).where(_WAITS)).scalar_one()
    return oldest + hour if oldest is not None and oldest + hour <= now else None


def waiting(tx: Connection, reader: Reader) -> tuple[Entry, ...]:
    """What waits for one reader, oldest first. Until this transaction ends nobody else gathers it."""
    lock_names(tx, [f"digest:{reader.partner}:{reader.to}"])
    query = select(_ENTRIES).where(
        _WAITS, _ENTRIES.c.partner == reader.partner, _ENTRIES.c.recipient == reader.to
    )
    return tuple(map(_entry, tx.execute(query.order_by(_ENTRIES.c.id))))


def gathered(tx: Connection, message_id: int) -> tuple[Entry, ...]:
    """What went into one digest, oldest first."""
    query = select(_ENTRIES).where(_ENTRIES.c.message_id == message_id)
    return tuple(map(_entry, tx.execute(query.order_by(_ENTRIES.c.id))))


def told_in_digests(tx: Connection, events: Collection[int]) -> tuple[DigestPart, ...]:
    """How far it is with what is told of some events in digests, oldest first."""
    query = select(_ENTRIES.c.event_id, _ENTRIES.c.partner, _OUTBOX.c.status, _OUTBOX.c.sent_at)
    query = query.join(_OUTBOX, _OUTBOX.c.id == _ENTRIES.c.message_id, isouter=True)
    rows = tx.execute(query.where(_ENTRIES.c.event_id.in_(events)).order_by(_ENTRIES.c.id))
    return tuple(
        DigestPart(
            event_id=row.event_id,
            partner=row.partner,
            status=Status(row.status) if row.status else None,
            sent_at=row.sent_at,
        )
        for row in rows
    )


def mark_gathered(tx: Connection, entries: Collection[Entry], message_id: int) -> None:
    """They are told by this message, and by no other."""
    ids = [entry.id for entry in entries]
    tx.execute(update(_ENTRIES).where(_ENTRIES.c.id.in_(ids), _WAITS).values(message_id=message_id))


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        reader=Reader(partner=row.partner, to=row.recipient), topic=MailTopic(row.topic),
        dedupe_key=row.dedupe_key, event_id=row.event_id, order_id=row.order_id, content=row.content,
        id=row.id, created_at=row.created_at, message_id=row.message_id,
    )  # fmt: skip
