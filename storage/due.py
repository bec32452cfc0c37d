"""Due: what is to be done, by its rows. A transaction that makes something due notes it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from storage import digests
from storage.database.notes import note
from storage.models import table
from storage.states import FileStatus, Kind, Status

_FILES, _OUTBOX = table("received_file"), table("outbox")
_UNDER_WAY = (Status.SENDING.value, Status.COMMITTING.value)


@unique
class Work(Enum):
    """What there is to do by itself."""

    POLL = "poll"  #: look into a partner's mailbox
    READ = "read"  #: read what was kept of a partner's files
    REJECT = "reject"  #: move a file nothing of which could be used to the rejected folder
    DELIVER = "deliver"  #: leave documents in a partner's mailbox
    MAIL = "mail"  #: send e-mails
    WEBHOOKS = "webhooks"  #: post events to a partner's endpoints


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to do; only ids, for what it means is in the rows when it is done."""

    work: Work
    partner: str = ""
    file_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the rows say is to be done now, and since when the oldest of it waits."""

    due: frozenset[Due]
    files: int = 0
    messages: int = 0
    since: datetime | None = None


def file_kept(tx: Connection, partner: str) -> None:
    """A file of the partner's is to be read."""
    note(tx, Due(Work.READ, partner))


def file_unusable(tx: Connection, partner: str, file_id: int) -> None:
    """A file is to go on from processed to rejected."""
    note(tx, Due(Work.REJECT, partner, file_id))


def message_owed(tx: Connection, kind: Kind, partner: str) -> None:
    """A message is to be sent."""
    match kind:
        case Kind.EMAIL:
            note(tx, Due(Work.MAIL))
        case Kind.ACKNOWLEDGMENT:
            note(tx, Due(Work.DELIVER, partner))
        case Kind.WEBHOOK:
            note(tx, Due(Work.WEBHOOKS, partner))


def waiting(tx: Connection, now: datetime, *, partners: Collection[str]) -> Waiting:
    """By rows alone: files to be read, messages to be sent, and those a sender that died left half sent.

    Only what these partners' mailboxes brought or they are to get, and e-mails.
    """
    unread = (_FILES.c.status == FileStatus.NEW.value) & _FILES.c.partner.in_(partners)
    ripe = and_(_OUTBOX.c.status == Status.NEW.value, _OUTBOX.c.due_at <= now)
    owed = or_(ripe, _OUTBOX.c.status.in_(_UNDER_WAY))
    mail = _OUTBOX.c.kind == Kind.EMAIL.value
    posted = _OUTBOX.c.kind == Kind.WEBHOOK.value
    to_partner = ~mail & _OUTBOX.c.partner.in_(partners)
    due = {Due(Work.READ, partner) for partner in _distinct(tx, _FILES.c.partner, unread)}
    for work, which in ((Work.DELIVER, ~posted), (Work.WEBHOOKS, posted)):
        owing = _distinct(tx, _OUTBOX.c.partner, owed & to_partner & which)
        due |= {Due(work, partner) for partner in owing}
    files, kept_at = _counted(tx, _FILES.c.received_at, unread)
    messages, due_at = _counted(tx, _OUTBOX.c.due_at, owed & (mail | to_partner))
    if _counted(tx, _OUTBOX.c.due_at, owed & mail)[0]:
        due.add(Due(Work.MAIL))
    digest_due_at = digests.due_since(tx, now)  # gathered by who sends mail
    if digest_due_at is not None:
        due.add(Due(Work.MAIL))
    since = min(filter(None, (kept_at, due_at, digest_due_at)), default=None)
    return Waiting(due=frozenset(due), files=files, messages=messages, since=since)


def mailboxes_due(tx: Connection, now: datetime) -> list[str]:
    """The partners, of the settings or not, in whose mailboxes something is to be left now."""
    ripe = (_OUTBOX.c.status == Status.NEW.value) & (_OUTBOX.c.due_at <= now)
    return sorted(_distinct(tx, _OUTBOX.c.partner, ripe & (_OUTBOX.c.kind == Kind.ACKNOWLEDGMENT.value)))


def _distinct(tx: Connection, column: ColumnElement[str], where: ColumnElement[bool]) -> set[str]:
    return set(tx.execute(select(column).where(where).distinct()).scalars())


def _counted(
    tx: Connection, column: ColumnElement[datetime], where: ColumnElement[bool]
) -> tuple[int, datetime | None]:
    """How many, and the first of their times."""
    count, first = tx.execute(select(func.count(), func.min(column)).where(where)).one()
    return int(count), first
