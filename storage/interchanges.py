"""Receipts of interchanges and transaction sets: new, duplicate or conflict, and what became of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import Enum, unique
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from storage.database import Prepared, insert_row, lock_names
from storage.models import table
from storage.outcomes import Outcome
from storage.states import Fate, Kind

_FILES, _INTERCHANGES, _SETS = table("received_file"), table("interchange"), table("transaction_set")
_OUTBOX = table("outbox")

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeKey:
    """What makes an interchange the same one: who sent it to whom, and its control number."""

    partner: str
    sender: str
    receiver: str
    control_number: str
    usage: str = ""

    def text(self, *more: str) -> str:
        """The key as one text. JSON, because no id can then run into its neighbour.

        With the hash of a content after it, it is the key of an interchange whose number was used again.
        """
        parts = [self.partner, self.sender, self.receiver, self.control_number, self.usage, *more]
        return json.dumps(parts, separators=(",", ":"))


@unique
class StandingKind(Enum):
    """How an interchange stands to those received before."""

    NEW = "new"  #: its control number was not used by one that counted, or so long ago that it may be again
    DUPLICATE = "duplicate"  #: the same content was received under the same control number
    CONFLICT = "conflict"  #: the control number was used for other content


@dataclass(frozen=True, slots=True)
class Standing:
    """The kind, and the earlier interchange: of a new one, the one whose number it takes over."""

    kind: StandingKind
    earlier: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeReceipt:
    """One interchange: where it stands, and what became of it. `counts`: its control number is used up."""

    id: int
    file_id: int
    ordinal: int
    partner: str
    sender: str
    receiver: str
    control_number: str
    usage: str
    date: str
    time: str
    content_hash: str
    outcome: Fate
    counts: bool
    findings: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSet:
    """A transaction set before anything was decided about it."""

    ordinal: int  # within the interchange, from 1
    group_control_number: str
    functional_id: str
    control_number: str
    type: str
    content_hash: str
    po_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReceipt:
    """One transaction set: where it stands, and what became of it (None: not decided)."""

    id: int
    interchange_id: int
    file_id: int
    file_name: str
    partner: str
    interchange_ordinal: int
    interchange_control_number: str
    ordinal: int
    group_control_number: str
    functional_id: str
    control_number: str
    type: str
    outcome: Outcome | None
    order_id: int | None
    po_number: str
    content_hash: str
    findings: tuple[Json, ...]
    refusals: tuple[Json, ...]
    summary: Json
    decided_at: datetime | None


_BY_KEY = Prepared(
    select(_INTERCHANGES.c.id, _INTERCHANGES.c.content_hash, _FILES.c.received_at)
    .join(_FILES, _FILES.c.id == _INTERCHANGES.c.file_id)
    .where(_INTERCHANGES.c.key.in_([bindparam("known"), bindparam("replaced")])),
    *("known", "replaced"),
)
_CLOSING = ("outcome", "key", "findings")
_CLOSE = Prepared(
    update(_INTERCHANGES)
    .where(_INTERCHANGES.c.id == bindparam("interchange_id"))
    .values({name: bindparam(f"new_{name}", type_=_INTERCHANGES.c[name].type) for name in _CLOSING}),
    *(f"new_{name}" for name in _CLOSING),
    "interchange_id",
)
_DECIDED = ("outcome", "order_id", "findings", "refusals", "summary", "decided_at")
_CLOSE_SET = Prepared(
    update(_SETS)
    .where(_SETS.c.id == bindparam("set_id"))
    .values({name: bindparam(f"new_{name}", type_=_SETS.c[name].type) for name in _DECIDED}),
    *(f"new_{name}" for name in _DECIDED),
    "set_id",
)


def standing(
    tx: Connection,
    key: InterchangeKey,
    content_hash: str,
    *,
    at: datetime | None = None,
    reuse_after: timedelta | None = None,
) -> Standing:
    """Whether an interchange with this key counted before.

    Where a partner begins its numbers anew, other content under a number that came longer than `reuse_after`
    before `at` is new. The same content is a duplicate however long ago it came.
    """
    lock_names(tx, [f"interchange:{key.text()}"])  # until it is closed, or its key is given up
    found = _BY_KEY.all(tx, key.text(), key.text(content_hash))
    for earlier, known_hash, _ in found:
        if known_hash == content_hash:
            return Standing(StandingKind.DUPLICATE, earlier)
    for earlier, _, received_at in found:
        old = at is not None and reuse_after is not None and at - received_at > reuse_after
        return Standing(StandingKind.NEW if old else StandingKind.CONFLICT, earlier)
    return Standing(StandingKind.NEW)


def open_interchange(
    tx: Connection,
    key: InterchangeKey,
    *,
    file_id: int,
    ordinal: int,
    date: str,
    time: str,
    content_hash: str,
) -> int:
    """Record that an interchange is being read; `close_interchange` says what became of it."""
    values = {
        "file_id": file_id,
        "ordinal": ordinal,
        "partner": key.partner,
        "sender": key.sender,
        "receiver": key.receiver,
        "control_number": key.control_number,
        "usage": key.usage,
        "date": date,
        "time": time,
        "content_hash": content_hash,
        "outcome": Fate.OPEN.value,
        "key": None,
        "findings": [],
    }
    return insert_row(tx, _INTERCHANGES, values)


def close_interchange(
    tx: Connection,
    interchange_id: int,
    *,
    outcome: Fate,
    key: InterchangeKey | None = None,
    replaces: int | None = None,
    findings: Sequence[Json] = (),
) -> None:
    """Say what became of an interchange. Give its key when it counts: a failed attempt burns no key.

    `replaces` is the interchange whose number it takes over (`Standing.earlier` of a new one).
    """
    if key is not None and replaces is not None:
        _hand_over(tx, key, replaces)
    own_key = key.text() if key else None
    _CLOSE.run(tx, [(outcome.value, own_key, list(findings), interchange_id)])


def _hand_over(tx: Connection, key: InterchangeKey, earlier: int) -> None:
    """The earlier interchange keeps a key of its own, by which its content is known again."""
    known = (_INTERCHANGES.c.id == earlier) & (_INTERCHANGES.c.key == key.text())
    content_hash = tx.execute(select(_INTERCHANGES.c.content_hash).where(known)).scalar_one_or_none()
    if content_hash is not None:
        tx.execute(update(_INTERCHANGES).where(known).values(key=key.text(content_hash)))


def open_set(tx: Connection, interchange_id: int, new: NewSet) -> int:
    """Record a transaction set, so that events can name it; `close_set` says what became of it."""
    values = {
        "interchange_id": interchange_id,
        **{field.name: getattr(new, field.name) for field in fields(NewSet)},
        "outcome": None,
        "order_id": None,
        "findings": [],
        "refusals": [],
        "summary": {},
        "decided_at": None,
    }
    return insert_row(tx, _SETS, values)


def close_set(
    tx: Connection,
    set_id: int,
    *,
    outcome: Outcome,
    at: datetime,
    order_id: int | None = None,
    findings: Sequence[Json] = (),
    refusals: Sequence[Json] = (),
    summary: Json | None = None,
) -> None:
    """Say what became of a set: now, or again when it was held or parked before."""
    said = (list(findings), list(refusals), dict(summary or {}))
    _CLOSE_SET.run(tx, [(outcome.value, order_id, *said, at, set_id)])


def answers_of(tx: Connection, interchange_id: int) -> tuple[int, ...]:
    """The outbox ids of the acknowledgments this interchange was answered with."""
    query = select(_OUTBOX.c.id).where(
        _OUTBOX.c.interchange_id == interchange_id,
        _OUTBOX.c.kind == Kind.ACKNOWLEDGMENT.value,
        _OUTBOX.c.resend_of.is_(None),
    )
    return tuple(tx.execute(query.order_by(_OUTBOX.c.id)).scalars())


_RECEIPTS = (
    select(
        _SETS,
        _INTERCHANGES.c.file_id,
        _FILES.c.name.label("file_name"),
        _INTERCHANGES.c.partner,
        _INTERCHANGES.c.ordinal.label("interchange_ordinal"),
        _INTERCHANGES.c.control_number.label("interchange_control_number"),
    )
    .join(_INTERCHANGES, _INTERCHANGES.c.id == _SETS.c.interchange_id)
    .join(_FILES, _FILES.c.id == _INTERCHANGES.c.file_id)
)


def get_set(tx: Connection, set_id: int) -> SetReceipt | None:
    """One set, with the place of its bytes: `receipts.content_of(tx, receipt.file_id)` has them."""
    row = tx.execute(_RECEIPTS.where(_SETS.c.id == set_id)).one_or_none()
    return None if row is None else _receipt(row)


def interchanges_of_file(tx: Connection, file_id: int) -> tuple[InterchangeReceipt, ...]:
    """All interchanges of a file, in the order they stand in it."""
    query = select(_INTERCHANGES).where(_INTERCHANGES.c.file_id == file_id).order_by(_INTERCHANGES.c.ordinal)
    return tuple(_interchange(row) for row in tx.execute(query))


def get_interchange(tx: Connection, interchange_id: int) -> InterchangeReceipt | None:
    """One interchange."""
    row = tx.execute(select(_INTERCHANGES).where(_INTERCHANGES.c.id == interchange_id)).one_or_none()
    return None if row is None else _interchange(row)


def earlier_of(tx: Connection, one: InterchangeReceipt) -> InterchangeReceipt | None:
    """The interchange that counts under the number of one that does not; rather one with its content."""
    key = InterchangeKey(
        partner=one.partner, sender=one.sender, receiver=one.receiver, control_number=one.control_number,
        usage=one.usage,
    )  # fmt: skip
    found = [row for row in _BY_KEY.all(tx, key.text(), key.text(one.content_hash)) if row[0] != one.id]
    same = [row for row in found if row[1] == one.content_hash]
    return get_interchange(tx, (same or found)[0][0]) if found else None


def sets_of_file(tx: Connection, file_id: int) -> tuple[SetReceipt, ...]:
    """All sets of a file, in the order they stand in it."""
    query = _RECEIPTS.where(_INTERCHANGES.c.file_id == file_id)
    return tuple(
        _receipt(row) for row in tx.execute(query.order_by(_INTERCHANGES.c.ordinal, _SETS.c.ordinal))
    )


def _receipt(row: Row[Any]) -> SetReceipt:
    values = {
        **row._mapping,
        "outcome": None if row.outcome is None else Outcome(row.outcome),
        "findings": tuple(row.findings),
        "refusals": tuple(row.refusals),
    }
    return SetReceipt(**values)


def _interchange(row: Row[Any]) -> InterchangeReceipt:
    values = dict(row._mapping)
    values.update(
        outcome=Fate(row.outcome), counts=values.pop("key") is not None, findings=tuple(row.findings)
    )
    return InterchangeReceipt(**values)
