"""What is owed to the outside: put here with the fact, claimed, sent, and marked.

new -> sending -> committing -> sent          a mail; others may go from sending to sent at once
       sending -> new | failed | refused      did not go out: again later, never, or not wanted there
                  committing -> uncertain     nobody knows; only a person may send it again
"""

from dataclasses import fields, replace
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Connection, and_, bindparam, or_, select, true, update

from storage import due as work
from storage.database import Prepared, insert_new, insert_row, word
from storage.messages import (
    NewMessage,
    OutboxMessage,
    StaleMessage,
    as_number,
    check_not_emptied,
    get,
    message_of,
    resends_of,
)
from storage.models import table
from storage.states import Kind, Reception, Status

_OUTBOX = table("outbox")
_UNDER_WAY = (Status.SENDING, Status.COMMITTING)
NOTE_MAX = 4000  # characters; whoever answers again and again must not make a row grow without end
_EVENT_PREFIX = "event:"  # a dedupe key `event:<event id>:...` is a message about that event


def enqueue(tx: Connection, message: NewMessage, at: datetime) -> int | None:
    """Owe a message, due at once; its id, or None when the same debt is there already."""
    return _put(tx, message, at, Status.NEW, "")


def enqueue_refused(tx: Connection, message: NewMessage, at: datetime, *, error: str) -> int | None:
    """Record a message that cannot be sent, and why: "no address" explains its absence."""
    return _put(tx, message, at, Status.REFUSED, error)


_CLAIM = Prepared(
    update(_OUTBOX)
    .where(_OUTBOX.c.id == bindparam("message_id"), _OUTBOX.c.status == word(Status.NEW))
    .values(status=word(Status.SENDING), attempts=_OUTBOX.c.attempts + 1)
    .returning(_OUTBOX.c.attempts),
    "message_id",
)


def due(
    tx: Connection, now: datetime, limit: int = 100, *, kind: Kind | None = None, partner: str = "",
    endpoint_id: int | None = None,
) -> tuple[OutboxMessage, ...]:  # fmt: skip
    """Messages to send now, oldest first: all but webhooks, or those of one kind, partner or endpoint."""
    query = select(_OUTBOX).where(_OUTBOX.c.status == Status.NEW.value, _OUTBOX.c.due_at <= now)
    query = query.where(*_only(kind, partner))
    if kind is None:
        query = query.where(_OUTBOX.c.kind != word(Kind.WEBHOOK))
    if endpoint_id is not None:
        query = query.where(_OUTBOX.c.endpoint_id == endpoint_id)
    return tuple(message_of(row) for row in tx.execute(query.order_by(_OUTBOX.c.id).limit(limit)))


def endpoints_due(tx: Connection, now: datetime, *, partner: str = "") -> tuple[int, ...]:
    """The endpoints to which something is to be posted now; all, or one partner's."""
    ripe = (_OUTBOX.c.status == word(Status.NEW)) & (_OUTBOX.c.due_at <= now)
    query = select(_OUTBOX.c.endpoint_id).where(ripe, *_only(Kind.WEBHOOK, partner)).distinct()
    return tuple(sorted(tx.execute(query).scalars()))


def claim(tx: Connection, message: OutboxMessage) -> OutboxMessage | None:
    """Take a message to send it; None when another process was first. Commit before sending.

    The answer is the message as it is taken, and every mark wants that one: a process that was stopped,
    believed dead and woken up again holds an attempt that is not the last; its final dot is never sent.
    """
    taken = _CLAIM.one(tx, message.id)
    return None if taken is None else replace(message, status=Status.SENDING, attempts=taken[0])


def mark_committing(tx: Connection, claimed: OutboxMessage) -> None:
    """The last byte is about to go. Commit before it does."""
    _move(tx, claimed, (Status.SENDING,), Status.COMMITTING)


def mark_sent(tx: Connection, claimed: OutboxMessage, at: datetime) -> None:
    """The other side has taken it: also what was called uncertain while its sender was believed dead."""
    _move(tx, claimed, (*_UNDER_WAY, Status.UNCERTAIN), Status.SENT, sent_at=at, error="")


def mark_failed(tx: Connection, claimed: OutboxMessage, error: str, retry_at: datetime | None) -> None:
    """It certainly did not go out; again at `retry_at`, or never."""
    if retry_at is None:
        _move(tx, claimed, _UNDER_WAY, Status.FAILED, error=error)
    else:
        _move(tx, claimed, _UNDER_WAY, Status.NEW, error=error, due_at=retry_at)


def mark_refused(tx: Connection, claimed: OutboxMessage, error: str) -> None:
    """The other side said that it will never take it."""
    _move(tx, claimed, _UNDER_WAY, Status.REFUSED, error=error)


def mark_uncertain(tx: Connection, claimed: OutboxMessage, error: str) -> None:
    """It may or may not have gone out."""
    _move(tx, claimed, (Status.COMMITTING,), Status.UNCERTAIN, error=error)


def mark_answered(
    tx: Connection, message_id: int, *, verdict: str, note: str, at: datetime, set_id: int | None = None
) -> None:
    """Record what the partner said of a message. The last word counts; earlier ones stay in the note.

    `verdict` is a word of Reception; `set_id` is the received set that said it. The same again is no news.
    """
    word = Reception(verdict).value
    found = get(tx, message_id)
    if found is None:
        raise StaleMessage(f"There is no message {message_id}.")
    said, *earlier = found.verdict_note.split("\n")
    words = " ".join(note.split())
    if (found.verdict, said) == (word, words):
        return
    if found.verdict_at is not None:
        before = f"Before, on {found.verdict_at:%Y-%m-%d %H:%M} UTC: {found.verdict}. {said}"
        earlier.insert(0, before.rstrip())
    values = {
        "verdict": word,
        "verdict_note": "\n".join((words, *earlier))[:NOTE_MAX],
        "verdict_at": at,
        "verdict_set_id": set_id,
    }
    tx.execute(update(_OUTBOX).where(_OUTBOX.c.id == message_id).values(values))


def put_off(tx: Connection, kind: Kind, until: datetime) -> None:
    """What is owed of this kind is not due before then."""
    early = (_OUTBOX.c.status == word(Status.NEW)) & (_OUTBOX.c.due_at < until)
    tx.execute(update(_OUTBOX).where(early, *_only(kind, "")).values(due_at=until))


def is_under_way(tx: Connection, kind: Kind, partner: str = "") -> bool:
    """Whether messages of a kind (to one partner) are being sent, or were when their sender ended."""
    begun = or_(*(_OUTBOX.c.status == word(status) for status in _UNDER_WAY))
    query = select(_OUTBOX.c.id).where(begun, *_only(kind, partner)).limit(1)
    return tx.execute(query).first() is not None


def recover(tx: Connection, *, kind: Kind | None = None, partner: str = "") -> tuple[int, ...]:
    """At the start of the only process that sends: settle what the last one left; the ids now uncertain.

    Who is alone for messages of one kind only, or to one partner, settles no others. An upload can be
    repeated, a mail only when its last byte cannot have gone.
    """
    mine = and_(true(), *_only(kind, partner))
    again = (_OUTBOX.c.status == Status.SENDING.value) | (
        (_OUTBOX.c.status == Status.COMMITTING.value) & (_OUTBOX.c.kind == Kind.ACKNOWLEDGMENT.value)
    )
    tx.execute(update(_OUTBOX).where(again, mine).values(status=Status.NEW.value))
    left = (_OUTBOX.c.status == Status.COMMITTING.value) & mine
    ids = tuple(tx.execute(select(_OUTBOX.c.id).where(left).order_by(_OUTBOX.c.id)).scalars())
    error = "The process ended while the message was being handed over."
    tx.execute(update(_OUTBOX).where(left).values(status=Status.UNCERTAIN.value, error=error))
    return ids


def _only(kind: Kind | None, partner: str) -> list[ColumnElement[bool]]:
    """Messages of one kind, to one partner, or all."""
    by_kind = [] if kind is None else [_OUTBOX.c.kind == kind.value]
    return [*by_kind, _OUTBOX.c.partner == partner] if partner else by_kind


def resend(
    tx: Connection, message_id: int, at: datetime, *, identity: str = "", anew: NewMessage | None = None
) -> int:
    """Deliberately send a message again: a new row that points to the old one, with the same content.

    A document keeps its file name and a webhook its id; a mail needs an identity of its own. `anew` is the
    message written again, where the old one could not be. StaleMessage when nothing is there to be sent.
    """
    old = get(tx, message_id)
    if old is None:
        raise StaleMessage(f"There is no message {message_id}.")
    if not old.is_final:
        raise StaleMessage(f"Message {message_id} is {old.status.value}: it will be sent anyway.")
    again = anew or replace(_as_new(old), identity=identity or old.identity)
    if old.kind is Kind.EMAIL and again.identity in ("", old.identity):
        raise ValueError("a mail that is sent again needs a new Message-ID")
    if anew is None:
        check_not_emptied(old)
    if not again.payload:
        raise StaleMessage(f"Message {message_id} has no content that could be sent: {old.error}.")
    # Not the old dedupe key: that one stands for the debt itself, this one for its nth repetition.
    again = replace(again, dedupe_key=f"resend:{message_id}:{len(resends_of(tx, message_id)) + 1}")
    work.message_owed(tx, again.kind, again.partner)
    return insert_row(tx, _OUTBOX, _values(again, at, resend_of=message_id))


def _put(tx: Connection, message: NewMessage, at: datetime, status: Status, error: str) -> int | None:
    values = _values(message, at, status=status.value, error=error)
    found = insert_new(tx, _OUTBOX, values, key=("dedupe_key",), returning="id")
    if found is None:
        return None
    if status is Status.NEW:
        work.message_owed(tx, message.kind, message.partner)
    return int(found)


_CONTENT = tuple(field.name for field in fields(NewMessage))


def _as_new(message: OutboxMessage) -> NewMessage:
    return NewMessage(**{name: getattr(message, name) for name in _CONTENT})


def _values(message: NewMessage, at: datetime, **rest: object) -> dict[str, object]:
    values = {name: getattr(message, name) for name in _CONTENT if name != "to"}
    return {
        **values,
        "kind": message.kind.value,
        "group_control_number": as_number(message.group_control_number),
        "recipient": message.to,
        "event_id": _event_of(message.dedupe_key),
        "status": Status.NEW.value,
        "attempts": 0,
        "error": "",
        "created_at": at,
        "due_at": at,
        "sent_at": None,
        "resend_of": None,
        "verdict": Reception.NONE.value,
        "verdict_note": "",
        "verdict_at": None,
        "verdict_set_id": None,
        "pruned_at": None,
        **rest,
    }


def _event_of(dedupe_key: str) -> int | None:
    """The event a message is about, so that the audit can tell which events nobody was told of."""
    if not dedupe_key.startswith(_EVENT_PREFIX):
        return None
    return int(dedupe_key.removeprefix(_EVENT_PREFIX).split(":")[0])


def _move(
    tx: Connection, claimed: OutboxMessage, sources: tuple[Status, ...], to: Status, **values: object
) -> None:
    """Move a message on, if it is still where its sender believes it to be, and still its sender's."""
    moving = _moving(sources, to, tuple(values))
    if moving.run(tx, [(*values.values(), claimed.id, claimed.attempts)]) == 1:
        return
    found = get(tx, claimed.id)
    state = "not there" if found is None else found.status.value
    if found is not None and found.attempts != claimed.attempts:
        state += ", in another process's hands"
    raise StaleMessage(f"Message {claimed.id} is {state}, so it cannot become {to.value}.")


@cache
def _moving(sources: tuple[Status, ...], to: Status, names: tuple[str, ...]) -> Prepared:
    """The update that does so, with the values of these columns, the message's id and the attempt."""
    ours = and_(_OUTBOX.c.id == bindparam("message_id"), _OUTBOX.c.attempts == bindparam("attempt"))
    allowed: ColumnElement[bool] = or_(*(_OUTBOX.c.status == word(status) for status in sources))
    if to is Status.SENT:
        # A mail that was not marked as committing could have been sent twice by now; others do no harm.
        mail = _OUTBOX.c.kind == word(Kind.EMAIL)
        allowed = and_(allowed, or_(_OUTBOX.c.status != word(Status.SENDING), ~mail))
    new = {name: bindparam(f"new_{name}", type_=_OUTBOX.c[name].type) for name in names}
    return Prepared(
        update(_OUTBOX).where(ours, allowed).values(status=word(to), **new),
        *(f"new_{name}" for name in names),
        *("message_id", "attempt"),
    )
