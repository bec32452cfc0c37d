"""Questions that wait for a person: what was said, why it is not clear, the choices, and the answer given."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, text, update

from storage.database import insert_row
from storage.models import table
from storage.outcomes import Choice, Given, Question
from storage.states import HeldStatus

_HELD = table("held")


class NotAChoice(Exception):
    """The answer is not one of the choices that were offered, or the question was answered before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One question. `set_id` is the set that raised it; None when a person's own command did."""

    id: int
    set_id: int | None
    order_id: int | None
    po_number: str
    partner: str
    statement: str
    choices: tuple[Choice, ...]
    status: HeldStatus
    answer: str
    answered_by: str
    note: str
    at: datetime
    answered_at: datetime | None
    expires_at: datetime | None  # None: waits as long as it takes

    @property
    def question(self) -> Question:
        """As it was asked."""
        return Question(self.statement, self.choices)

    def is_again(self, earlier: "Held") -> bool:
        """Whether it asks once more what an earlier one did, because the order went on meanwhile."""
        return self.po_number == earlier.po_number and earlier.statement in self.statement

    def age(self, now: datetime) -> timedelta:
        """How long it has waited, or did wait until it was settled."""
        return (self.answered_at or now) - self.at


def put(
    tx: Connection,
    question: Question,
    *,
    partner: str,
    po_number: str,
    at: datetime,
    set_id: int | None = None,
    order_id: int | None = None,
    expires_at: datetime | None = None,
) -> int:
    """Hold a question; its id. After `expires_at` it is among the `expired` ones."""
    values = {
        "set_id": set_id,
        "order_id": order_id,
        "po_number": po_number,
        "partner": partner,
        "statement": question.statement,
        "choices": [{"name": choice.name, "effect": choice.effect} for choice in question.choices],
        "status": HeldStatus.OPEN.value,
        "answer": "",
        "answered_by": "",
        "note": "",
        "at": at,
        "answered_at": None,
        "expires_at": expires_at,
    }
    return insert_row(tx, _HELD, values)


def list_held(
    tx: Connection, *, status: HeldStatus | None = HeldStatus.OPEN, after_id: int = 0,
    limit: int | None = None,
) -> tuple[Held, ...]:  # fmt: skip
    """Questions in the order they came up: the open ones, those of another status, or all (None).

    At most `limit`; for the next page give the last id as `after_id`.
    """
    query = select(_HELD).where(_HELD.c.id > after_id).order_by(_HELD.c.id).limit(limit)
    if status is not None:
        query = query.where(_HELD.c.status == status.value)
    return tuple(_held(row) for row in tx.execute(query))


def settled(tx: Connection, *, limit: int) -> tuple[Held, ...]:
    """Questions that were answered or not answered in time, newest first."""
    query = select(_HELD).where(_HELD.c.status != HeldStatus.OPEN.value)
    return tuple(_held(row) for row in tx.execute(query.order_by(_HELD.c.id.desc()).limit(limit)))


def held_for(tx: Connection, po_number: str) -> tuple[Held, ...]:
    """Open questions about orders with this number."""
    query = select(_HELD).where(text("status = 'open'"), _HELD.c.po_number == po_number)
    return tuple(_held(row) for row in tx.execute(query.order_by(_HELD.c.id)))


def get_held(tx: Connection, held_id: int) -> Held | None:
    """One question."""
    row = tx.execute(select(_HELD).where(_HELD.c.id == held_id)).one_or_none()
    return None if row is None else _held(row)


def open_of(tx: Connection, set_ids: Collection[int]) -> dict[int, Held]:
    """The questions that these sets still wait for, by set: each waits for one at a time."""
    query = select(_HELD).where(text("status = 'open'"), _HELD.c.set_id.in_(list(set_ids)))
    return {row.set_id: _held(row) for row in tx.execute(query)}


def expired(tx: Connection, now: datetime) -> tuple[Held, ...]:
    """Open questions that nobody answered in time, first come first."""
    late = (_HELD.c.status == HeldStatus.OPEN.value) & (_HELD.c.expires_at <= now)
    return tuple(_held(row) for row in tx.execute(select(_HELD).where(late).order_by(_HELD.c.id)))


def mark_expired(tx: Connection, held_id: int, at: datetime) -> bool:
    """Nobody will answer any more; the sender is told. The caller settles the set in the same transaction.

    False when somebody has answered since it was looked at.
    """
    waiting = (_HELD.c.id == held_id) & (_HELD.c.status == HeldStatus.OPEN.value)
    late = update(_HELD).where(waiting).values(status=HeldStatus.EXPIRED.value, answered_at=at)
    return tx.execute(late).rowcount == 1


def answers_so_far(tx: Connection, set_id: int) -> tuple[Given, ...]:
    """What persons answered about a set, first to last: a set may raise a second question after the first."""
    answered = (_HELD.c.set_id == set_id) & (_HELD.c.status == HeldStatus.ANSWERED.value)
    rows = tx.execute(select(_HELD).where(answered).order_by(_HELD.c.id))
    return tuple(
        Given(choice=one.answer, question=one.question, po_number=one.po_number) for one in map(_held, rows)
    )


def answer(tx: Connection, held_id: int, *, choice: str, by: str, at: datetime, note: str = "") -> Held:
    """Record a person's choice. It is final; the caller replays the set with it in the same transaction."""
    question = get_held(tx, held_id)
    if question is None:
        raise NotAChoice(f"Nothing is held under the number {held_id}.")
    offered: Sequence[str] = [offer.name for offer in question.choices]
    if choice not in offered:
        raise NotAChoice(
            f"{choice!r} is not a choice for {held_id}; it can be answered with: {', '.join(offered)}."
        )
    changed = tx.execute(
        update(_HELD)
        .where(_HELD.c.id == held_id, _HELD.c.status == HeldStatus.OPEN.value)
        .values(status=HeldStatus.ANSWERED.value, answer=choice, answered_by=by, answered_at=at, note=note)
    )
    if question.status is HeldStatus.EXPIRED:
        raise NotAChoice(f"{held_id} was not answered in time; its sender was told that nothing was done.")
    if changed.rowcount != 1:
        raise NotAChoice(
            f"{held_id} was answered before, with {question.answer!r} by {question.answered_by}."
        )
    answered = get_held(tx, held_id)
    assert answered is not None
    return answered


def _held(row: Row[Any]) -> Held:
    choices = tuple(Choice(offer["name"], offer["effect"]) for offer in row.choices)
    return Held(**{**row._mapping, "choices": choices, "status": HeldStatus(row.status)})
