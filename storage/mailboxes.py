"""What is remembered of partners' mailboxes between runs: how each one is, and what was left in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from storage.database import lock_names
from storage.models import table
from storage.receipts import shown
from storage.states import Left

_MAILBOXES, _LEFT = table("mailbox"), table("left_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxState:
    """How a partner's mailbox is."""

    partner: str
    address: str  #: a hash of how it is reached
    failures: int = 0  #: in a row
    refusals: int = 0  #: logins refused in a row
    error: str = ""
    failed_at: datetime | None = None
    resume_at: datetime | None = None  #: not tried before; None: at once
    told_at: datetime | None = None  #: when the error was last said
    served_at: datetime | None = None  #: the last look in which all went well


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftFile:
    """Something that stays in a pickup folder, as the listing described it."""

    partner: str
    name_bytes: bytes
    size: int
    modified: int | None  #: by the server's clock
    regular: bool
    reason: Left
    since: datetime  #: seen like this first
    tried_at: datetime
    tries: int = 0
    told: bool = False
    file_id: int | None = None  #: kept, and could not be moved

    @property
    def name(self) -> str:
        """For people."""
        return shown(self.name_bytes)


_STATE = select(*(_MAILBOXES.c[field.name] for field in fields(MailboxState)))
_FILES = select(*(_LEFT.c[field.name] for field in fields(LeftFile)))
_FORGET = delete(_LEFT).where(
    _LEFT.c.partner == bindparam("of_partner"), _LEFT.c.name_bytes == bindparam("of_name")
)


def state_of(tx: Connection, partner: str) -> MailboxState | None:
    """How a mailbox is; None when it was never tried."""
    row = tx.execute(_STATE.where(_MAILBOXES.c.partner == partner)).one_or_none()
    return None if row is None else MailboxState(**row._mapping)


def states(tx: Connection) -> tuple[MailboxState, ...]:
    """How all mailboxes are."""
    return tuple(MailboxState(**row._mapping) for row in tx.execute(_STATE.order_by(_MAILBOXES.c.partner)))


def set_state(tx: Connection, state: MailboxState) -> None:
    """Remember how a mailbox is."""
    lock_names(tx, [f"mailbox:{state.partner}"])  # a person may try it while it is being polled
    tx.execute(delete(_MAILBOXES).where(_MAILBOXES.c.partner == state.partner))
    tx.execute(insert(_MAILBOXES), {field.name: getattr(state, field.name) for field in fields(state)})


def left_files(tx: Connection, partner: str | None = None) -> tuple[LeftFile, ...]:
    """What is left in one mailbox, or in all of them, the longest first."""
    query = _FILES.order_by(_LEFT.c.since, _LEFT.c.partner, _LEFT.c.name_bytes)
    if partner is not None:
        query = query.where(_LEFT.c.partner == partner)
    return tuple(
        LeftFile(**{**row._mapping, "name_bytes": bytes(row.name_bytes), "reason": Left(row.reason)})
        for row in tx.execute(query)
    )


def remember_left(tx: Connection, partner: str, gone: Collection[bytes], now: Sequence[LeftFile]) -> None:
    """Forget what is gone or changed, by name, and remember what is left now."""
    lock_names(tx, [f"mailbox:{partner}"])
    forgotten = {*gone, *(file.name_bytes for file in now)}
    if forgotten:
        tx.execute(_FORGET, [{"of_partner": partner, "of_name": name} for name in sorted(forgotten)])
    if now:
        tx.execute(insert(_LEFT), [_values(file) for file in now])


def _values(file: LeftFile) -> dict[str, object]:
    values = {field.name: getattr(file, field.name) for field in fields(file)}
    return values | {"name": file.name, "reason": file.reason.value}
