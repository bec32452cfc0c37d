"""Lookups: received files and messages as people look for them, newest first, a page at a time.

Every condition is answered by an index, in a ledger of any size.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    func,
    select,
    text,
    type_coerce,
    union,
)

from storage.database import begins_with
from storage.database.columns import Quantity
from storage.events import EventKind
from storage.messages import as_number
from storage.models import table
from storage.outcomes import Outcome
from storage.receipts import SELECT_FILE, ReceivedFile, file_of
from storage.states import Fate, FileStatus, Kind, Status
from storage.webhooks import Endpoint

_FILES, _INTERCHANGES, _SETS = table("received_file"), table("interchange"), table("transaction_set")
_OUTBOX, _ORDERS, _EVENTS = table("outbox"), table("orders"), table("event")
_LINES, _MOVED = table("order_line"), table("event_line")
# As the indexes say it, or they would not be used.
_NOT_APPLIED = text("transaction_set.outcome <> 'applied'")
_SET_ASIDE = text("interchange.outcome <> 'accepted'")
_WITHOUT_ORDER = text("transaction_set.order_id IS NULL AND transaction_set.po_number <> ''")
_BROKEN, _WITH_ERROR = _FILES.alias("broken"), text("broken.error <> ''")
_GROUPED = text("outbox.group_control_number <> ''")
_NEWEST = 2**62  # before which every row is
ISA13_DIGITS = 9
FEW = 1_000  # files of one beginning of a name, which are sorted at once

#: What can have become of a file or of a part of it.
VERDICTS = (
    FileStatus.NEW.value, FileStatus.FAILED.value,
    *(outcome.value for outcome in Outcome), Fate.CONFLICT.value, Fate.QUARANTINED.value,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesWanted:
    """Which received files a list is to have; what is "" does not matter."""

    partner: str = ""
    name: str = ""  # its beginning, as it is shown to people
    control_number: str = ""  # of an interchange in it, with or without leading zeros
    po_number: str = ""  # of an order that a set in it speaks of
    verdict: str = ""  # one of VERDICTS


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesWanted:
    """Which messages a list is to have; what is None or "" does not matter."""

    status: Status | None = None
    kind: Kind | None = None
    recipients: Collection[str] = ()  # addresses and mailboxes; none: to anybody
    po_number: str = ""
    control_number: str = ""  # of the group in an X12 document of ours, to one of `partners`
    partners: Collection[str] = ()
    files: Collection[int] | None = None  # received files that they answer
    posted_to: Endpoint | None = None  # webhooks of this one


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """A message as lists show it, without its content."""

    id: int
    kind: Kind
    partner: str
    to: str
    subject: str
    identity: str
    set_type: str
    status: Status
    error: str
    created_at: datetime
    sent_at: datetime | None
    resend_of: int | None
    verdict: str
    verdict_note: str
    attempts: int
    due_at: datetime
    order_id: int | None
    order: str  # its PO number; "" for a message that is about no order
    dedupe_key: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Units of one measure that a document moved in one way, and of how many lines."""

    kind: EventKind
    unit: str
    quantity: Decimal
    lines: int


def list_files(
    tx: Connection, wanted: FilesWanted, *, before_id: int | None = None, limit: int
) -> tuple[ReceivedFile, ...]:
    """Received files, newest first. For the next page give the last id as `before_id`."""
    query = SELECT_FILE.where(_FILES.c.id < (before_id or _NEWEST), *_files_conditions(tx, wanted))
    return tuple(map(file_of, tx.execute(query.order_by(_FILES.c.id.desc()).limit(limit))))


def _files_conditions(tx: Connection, wanted: FilesWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.partner:
        yield _FILES.c.partner == wanted.partner
    if wanted.name:
        yield _named(tx, wanted.name)
    if wanted.control_number:
        numbers = {wanted.control_number, wanted.control_number.zfill(ISA13_DIGITS)}
        named = select(_INTERCHANGES.c.file_id).where(_INTERCHANGES.c.control_number.in_(sorted(numbers)))
        yield _FILES.c.id.in_(named)
    if wanted.po_number:
        yield _FILES.c.id.in_(_speaking_of(wanted.po_number))
    if wanted.verdict:
        yield _with_verdict(wanted.verdict)


def _named(tx: Connection, beginning: str) -> ColumnElement[bool]:
    """Few are found by their name, many by going back through all: the database cannot know which it is."""
    condition = begins_with(tx, _FILES.c.name, beginning)
    ids = tx.execute(select(_FILES.c.id).where(condition).limit(FEW + 1)).scalars().all()
    return _FILES.c.id.in_(ids) if len(ids) <= FEW else condition


def _speaking_of(po_number: str) -> Any:
    """Files with a set about an order of this number: by the set, by what it did, and by what it named."""
    orders = select(_ORDERS.c.id).where(_ORDERS.c.po_number == po_number)
    return union(
        _of_sets(_SETS.c.order_id.in_(orders)),
        _of_sets(_SETS.c.id.in_(select(_EVENTS.c.set_id).where(_EVENTS.c.order_id.in_(orders)))),
        _of_sets(and_(_WITHOUT_ORDER, _SETS.c.po_number == po_number)),
    )


def _of_sets(condition: ColumnElement[bool]) -> Select[Any]:
    joined = _SETS.c.interchange_id == _INTERCHANGES.c.id
    return select(_INTERCHANGES.c.file_id).where(joined, condition)


def _with_verdict(verdict: str) -> ColumnElement[bool]:
    if verdict in (FileStatus.NEW.value, FileStatus.FAILED.value):
        return _FILES.c.status == verdict
    if verdict == Outcome.APPLIED.value:
        # Of most files: a look into each finds enough of them soon. Not an IN, which would gather them all.
        applied = _of_sets(_SETS.c.outcome == verdict).where(_INTERCHANGES.c.file_id == _FILES.c.id)
        return applied.limit(1).correlate(_FILES).scalar_subquery().is_not(None)
    aside = select(_INTERCHANGES.c.file_id).where(_SET_ASIDE, _INTERCHANGES.c.outcome == verdict)
    found = union(_of_sets(and_(_NOT_APPLIED, _SETS.c.outcome == verdict)), aside)
    if verdict == Outcome.FAULTY.value:
        # Not an equality, for which the index of nearly all files would be taken.
        read = _BROKEN.c.status.not_in([FileStatus.NEW.value, FileStatus.FAILED.value])
        found = union(*found.selects, select(_BROKEN.c.id).where(_WITH_ERROR, read))
    return _FILES.c.id.in_(found)


def verdicts_of(tx: Connection, files: Collection[ReceivedFile]) -> dict[int, dict[str, int]]:
    """What became of each file: of its sets by outcome, and of interchanges of which nothing was used."""
    found: dict[int, dict[str, int]] = {file.id: {} for file in files}
    for file in files:
        if file.status is not FileStatus.DONE:
            found[file.id][file.status.value] = 1
        elif file.error:
            found[file.id][Outcome.FAULTY.value] = 1
    mine = _INTERCHANGES.c.file_id.in_(list(found))
    of_sets = (
        select(_INTERCHANGES.c.file_id, _SETS.c.outcome, func.count())
        .join(_SETS, _SETS.c.interchange_id == _INTERCHANGES.c.id)
        .where(mine, _SETS.c.outcome.is_not(None))
        .group_by(_INTERCHANGES.c.file_id, _SETS.c.outcome)
    )
    told_by_sets = [Fate.ACCEPTED.value, Fate.OPEN.value, Fate.IGNORED.value]
    aside = (
        select(_INTERCHANGES.c.file_id, _INTERCHANGES.c.outcome, func.count())
        .where(mine, _INTERCHANGES.c.outcome.not_in(told_by_sets))
        .group_by(_INTERCHANGES.c.file_id, _INTERCHANGES.c.outcome)
    )
    for query in (of_sets, aside):
        for file_id, said, count in tx.execute(query):
            found[file_id][said] = found[file_id].get(said, 0) + count
    return found


_LINE = (
    select(
        *(_OUTBOX.c[field.name] for field in fields(MessageLine) if field.name not in ("to", "order")),
        _OUTBOX.c.recipient.label("to"),
        func.coalesce(_ORDERS.c.po_number, "").label("order"),
    )
    .select_from(_OUTBOX)
    .outerjoin(_ORDERS, _ORDERS.c.id == _OUTBOX.c.order_id)
)


def list_lines(
    tx: Connection, wanted: MessagesWanted, *, before_id: int | None = None, limit: int
) -> tuple[MessageLine, ...]:
    """Messages without their content, newest first. For the next page give the last id as `before_id`."""
    conditions = [_OUTBOX.c.id < (before_id or _NEWEST), *_messages_conditions(wanted)]
    if wanted.recipients:
        conditions = [_OUTBOX.c.id.in_(_newest_of_each(wanted.recipients, conditions, limit))]
    rows = tx.execute(_LINE.where(*conditions).order_by(_OUTBOX.c.id.desc()).limit(limit))
    return tuple(
        MessageLine(**{**row._mapping, "kind": Kind(row.kind), "status": Status(row.status)}) for row in rows
    )


def _newest_of_each(
    recipients: Collection[str], conditions: Sequence[ColumnElement[bool]], limit: int
) -> CompoundSelect[Any]:
    """The newest to each of them: asked for together, all they ever got would have to be sorted."""
    each = (
        select(_OUTBOX.c.id)
        .where(_OUTBOX.c.recipient == recipient, *conditions)
        .order_by(_OUTBOX.c.id.desc())
        .limit(limit)
        .subquery()
        for recipient in sorted(set(recipients))
    )
    return union(*(select(one.c.id) for one in each))


def _messages_conditions(wanted: MessagesWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.status is Status.SENT:
        # Nearly all of them: said so that no index is asked, whose rows would have to be sorted.
        yield _OUTBOX.c.status.not_in([status.value for status in Status if status is not Status.SENT])
    elif wanted.status is not None:
        yield _OUTBOX.c.status == wanted.status.value
    if wanted.kind is not None:
        yield _OUTBOX.c.kind == wanted.kind.value
    if wanted.posted_to is not None:
        yield _OUTBOX.c.endpoint_id == wanted.posted_to.id
    if wanted.po_number:
        yield _OUTBOX.c.order_id.in_(select(_ORDERS.c.id).where(_ORDERS.c.po_number == wanted.po_number))
    if wanted.control_number:
        yield and_(_GROUPED, _OUTBOX.c.group_control_number == as_number(wanted.control_number))
        yield _OUTBOX.c.partner.in_(sorted(wanted.partners))  # by which the index begins
    if wanted.files is not None:
        answered = select(_INTERCHANGES.c.id).where(_INTERCHANGES.c.file_id.in_(list(wanted.files)))
        sets = select(_SETS.c.id).where(_SETS.c.interchange_id.in_(answered))
        events = select(_EVENTS.c.id).where(_EVENTS.c.set_id.in_(sets))
        ids = union(
            select(_OUTBOX.c.id).where(_OUTBOX.c.interchange_id.in_(answered)),
            select(_OUTBOX.c.id).where(_OUTBOX.c.event_id.in_(events)),
        )
        yield _OUTBOX.c.id.in_(ids)


def moved_by(tx: Connection, file_id: int) -> dict[int, tuple[Moved, ...]]:
    """What each set of a file moved, by the set's id, in the order it happened."""
    sets = select(_SETS.c.id).join(_INTERCHANGES, _INTERCHANGES.c.id == _SETS.c.interchange_id)
    query = (
        select(
            *(_EVENTS.c.set_id, _EVENTS.c.kind, _LINES.c.unit),
            *(type_coerce(func.sum(_MOVED.c.quantity), Quantity), func.count(_LINES.c.id.distinct())),
        )
        .join(_MOVED, _MOVED.c.event_id == _EVENTS.c.id)
        .join(_LINES, _LINES.c.id == _MOVED.c.line_id)
        .where(_EVENTS.c.set_id.in_(sets.where(_INTERCHANGES.c.file_id == file_id)))
        .group_by(_EVENTS.c.set_id, _EVENTS.c.kind, _LINES.c.unit)
        .order_by(_EVENTS.c.set_id, func.min(_EVENTS.c.id), _LINES.c.unit)
    )
    found: dict[int, tuple[Moved, ...]] = {}
    for set_id, kind, *said in tx.execute(query):
        found[set_id] = (*found.get(set_id, ()), Moved(EventKind(kind), *said))
    return found


def files_behind(tx: Connection, order_id: int) -> dict[int, int]:
    """The received file behind each event of an order, by the event's id; those of people have none."""
    query = (
        select(_EVENTS.c.id, _INTERCHANGES.c.file_id)
        .join(_SETS, _SETS.c.id == _EVENTS.c.set_id)
        .join(_INTERCHANGES, _INTERCHANGES.c.id == _SETS.c.interchange_id)
        .where(_EVENTS.c.order_id == order_id)
    )
    return {row.id: row.file_id for row in tx.execute(query)}
