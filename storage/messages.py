"""Messages: what is owed to the outside, as it stands in the outbox, and how it is looked up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from storage.database import word
from storage.models import table
from storage.states import Kind, Status

_OUTBOX = table("outbox")
_GROUPED = text("group_control_number <> ''")  # as the index says it, or it would not be used
_WITHOUT_PAYLOAD = select(*(column for column in _OUTBOX.c if column.name != "payload"))


FINAL = (Status.SENT, Status.UNCERTAIN, Status.FAILED, Status.REFUSED)


class StaleMessage(Exception):
    """The message is not in the state it was left in: another process has it, or it was sent already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """One message to one recipient, rendered once and for all."""

    kind: Kind
    partner: str
    to: str  # an e-mail address, the name of a mailbox, or an endpoint's address
    subject: str = ""
    payload: bytes = b""  # what goes over the wire, however often it is tried
    identity: str  # the Message-ID, the remote file name, or the webhook-id
    dedupe_key: str  # the same debt is never put here twice
    order_id: int | None = None
    interchange_id: int | None = None
    group_control_number: str = ""  # by which the partner will answer it; "" for a mail
    set_type: str = ""  # of the document in the payload; "" for a mail
    file_id: int | None = None  # the received file whose reading makes us owe it
    endpoint_id: int | None = None  # of a webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage(NewMessage):
    """A message, how far it has come, and what the partner said of it."""

    id: int
    event_id: int | None
    status: Status
    attempts: int
    error: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    resend_of: int | None
    verdict: str  # a word of Reception; "" while it said nothing
    verdict_note: str
    verdict_at: datetime | None
    verdict_set_id: int | None  # the received set that said so
    pruned_at: datetime | None  # since then its content is gone

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status in FINAL


def get(tx: Connection, message_id: int) -> OutboxMessage | None:
    """One message."""
    row = tx.execute(select(_OUTBOX).where(_OUTBOX.c.id == message_id)).one_or_none()
    return None if row is None else message_of(row)


def list_messages(
    tx: Connection,
    *,
    statuses: Collection[Status] = (),
    kind: Kind | None = None,
    partner: str = "",
    order_id: int | None = None,
    endpoint_id: int | None = None,
    before: int | None = None,
    limit: int = 1000,
    with_payload: bool = True,
) -> tuple[OutboxMessage, ...]:
    """Messages, oldest first; each filter that is given narrows the list, and `limit` keeps the newest.

    `before`: of older ones than this. Who only wants to know what became of them needs no payload.
    """
    query = select(_OUTBOX) if with_payload else _WITHOUT_PAYLOAD
    if statuses:
        query = query.where(_OUTBOX.c.status.in_([status.value for status in statuses]))
    if kind is not None:
        query = query.where(_OUTBOX.c.kind == word(kind))
    if partner:
        query = query.where(_OUTBOX.c.partner == partner)
    if order_id is not None:
        query = query.where(_OUTBOX.c.order_id == order_id)
    if endpoint_id is not None:
        query = query.where(_OUTBOX.c.endpoint_id == endpoint_id)
    if before is not None:
        query = query.where(_OUTBOX.c.id < before)
    rows = tx.execute(query.order_by(_OUTBOX.c.id.desc()).limit(limit)).all()
    return tuple(message_of(row) for row in reversed(rows))


def resends_of(tx: Connection, message_id: int) -> tuple[int, ...]:
    """The messages that repeat this one, first to last."""
    query = select(_OUTBOX.c.id).where(_OUTBOX.c.resend_of == message_id).order_by(_OUTBOX.c.id)
    return tuple(tx.execute(query).scalars())


def waiting_repetition(tx: Connection, message_id: int) -> int | None:
    """The first message that repeats this one and is still to be sent."""
    final = [status.value for status in FINAL]
    query = select(_OUTBOX.c.id).where(_OUTBOX.c.resend_of == message_id, _OUTBOX.c.status.not_in(final))
    return tx.execute(query.order_by(_OUTBOX.c.id).limit(1)).scalar_one_or_none()


def repetitions(tx: Connection, messages: Collection[int]) -> dict[int, int]:
    """How often each of these was repeated; those that never were are left out."""
    query = select(_OUTBOX.c.resend_of, func.count()).where(_OUTBOX.c.resend_of.in_(messages))
    rows = tx.execute(query.group_by(_OUTBOX.c.resend_of))
    return {message_id: int(count) for message_id, count in rows}


def sent_set(tx: Connection, partner: str, group_control_number: str) -> OutboxMessage | None:
    """The document that a partner means by a group's control number: of its copies, the last one sent."""
    number = as_number(group_control_number)
    if not number:
        return None
    sent = _OUTBOX.c.sent_at.is_not(None)
    query = select(_OUTBOX).where(
        _OUTBOX.c.partner == partner, _OUTBOX.c.group_control_number == number, _GROUPED
    )
    row = tx.execute(query.order_by(sent.desc(), _OUTBOX.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else message_of(row)


def check_not_emptied(message: OutboxMessage) -> None:
    """StaleMessage when what it said was thrown away as old."""
    if message.pruned_at is not None:
        raise StaleMessage(
            f"The content of message {message.id} was emptied on {message.pruned_at:%Y-%m-%d}; it cannot be"
            " sent again."
        )


def as_number(text: str) -> str:
    """A control number without leading zeros: who answers may have dropped them, or filled it up."""
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text


def message_of(row: Row[Any]) -> OutboxMessage:
    """A message from its row, which may be without the payload."""
    values = {"payload": b"", **row._mapping}
    values.update(to=values.pop("recipient"), kind=Kind(row.kind), status=Status(row.status))
    return OutboxMessage(**values)
