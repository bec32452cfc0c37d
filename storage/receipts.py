"""What arrived: received files, their bytes, and how far their reading has come."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from storage import due
from storage.database import Prepared, first_bytes, insert_row, lock_names, word
from storage.models import table
from storage.states import FileStatus

ATTEMPTS_MAX = 3  # a file that ended the process, or made it raise, this often is left for a person
REPLAYED = "replay"  # the mailbox of what a person has read
ERROR_CHARS_MAX = 1_000  # of an error kept beside a file: it may quote what a partner wrote

_FILES = table("received_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """Our copy of one file of a mailbox, without its bytes (`content_of` has them)."""

    id: int
    partner: str
    mailbox: str
    name: str  # for people: escaped; the name itself is bytes
    name_bytes: bytes
    sha256: str
    size: int
    received_at: datetime
    moved_at: datetime | None
    moved_to: str
    status: FileStatus
    attempts: int
    error: str
    ingested_at: datetime | None
    pruned_at: datetime | None  # since then its bytes are gone


_NAMES = tuple(field.name for field in fields(ReceivedFile))
#: Everything of a file but its bytes.
SELECT_FILE = select(*(_FILES.c[name] for name in _NAMES))
_SAME = Prepared(
    SELECT_FILE.where(
        _FILES.c.partner == bindparam("of"),
        _FILES.c.name_bytes == bindparam("named"),
        _FILES.c.sha256 == bindparam("hash"),
        _FILES.c.moved_at.is_(None),
    ),
    *("of", "named", "hash"),
)
_MINE = _FILES.c.id == bindparam("file_id")
_WAITING = _MINE & (_FILES.c.status == word(FileStatus.NEW))
_CONTENT = Prepared(select(_FILES.c.data).where(_MINE), "file_id")
_MOVED = Prepared(
    update(_FILES).where(_MINE).values(moved_at=bindparam("when"), moved_to=bindparam("there")),
    *("when", "there", "file_id"),
)
_GIVE_UP = Prepared(
    update(_FILES)
    .where(_WAITING, _FILES.c.attempts >= ATTEMPTS_MAX)
    .values(
        status=word(FileStatus.FAILED), error=f"Given up after {ATTEMPTS_MAX} attempts; the last did not end."
    ),
    "file_id",
)
_TRY = Prepared(update(_FILES).where(_WAITING).values(attempts=_FILES.c.attempts + 1), "file_id")
_STATUS = Prepared(select(_FILES.c.status).where(_MINE).with_for_update(), "file_id")
_DONE = Prepared(
    update(_FILES)
    .where(_MINE)
    .values(status=word(FileStatus.DONE), ingested_at=bindparam("when"), error=bindparam("said")),
    *("when", "said", "file_id"),
)


def keep(
    tx: Connection, *, partner: str, mailbox: str, name: bytes, content: bytes, at: datetime
) -> ReceivedFile:
    """Keep the bytes of a file, before anything is done with them.

    The same content under the same name is the file already kept, as long as that one was not moved away in
    the mailbox; after that it is a new drop.
    """
    sha256 = sha256_of(content)
    lock_names(tx, [f"file:{partner}:{sha256}"])
    found = _SAME.one(tx, partner, name, sha256)
    if found is not None:
        return _file(dict(zip(_NAMES, found, strict=True)))
    due.file_kept(tx, partner)
    return _insert(tx, partner, mailbox, name, content, at, moved_at=None)


def keep_apart(tx: Connection, *, partner: str, name: bytes, content: bytes, at: datetime) -> ReceivedFile:
    """Keep what is read by hand, beside what may lie in the mailbox; the caller reads it at once."""
    return _insert(tx, partner, REPLAYED, name, content, at, moved_at=at)


def _insert(
    tx: Connection, partner: str, mailbox: str, name: bytes, content: bytes, at: datetime, *,
    moved_at: datetime | None,
) -> ReceivedFile:  # fmt: skip
    values = {
        "partner": partner,
        "mailbox": mailbox,
        "name": shown(name),
        "name_bytes": name,
        "sha256": sha256_of(content),
        "size": len(content),
        "received_at": at,
        "moved_at": moved_at,
        "moved_to": "",
        "status": FileStatus.NEW.value,
        "attempts": 0,
        "error": "",
        "ingested_at": None,
        "pruned_at": None,
    }
    return _file({**values, "id": insert_row(tx, _FILES, {**values, "data": content})})


def sha256_of(content: bytes) -> str:
    """What a content is known by, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def known(tx: Connection, partner: str) -> tuple[set[tuple[str, int]], set[str]]:
    """All that was ever kept of a partner: (name in the processed folder, size), and the hashes."""
    columns = (_FILES.c.moved_to, _FILES.c.size, _FILES.c.sha256)
    names: set[tuple[str, int]] = set()
    hashes: set[str] = set()
    for row in tx.execute(select(*columns).where(_FILES.c.partner == partner)):
        names.add((row.moved_to, row.size))
        hashes.add(row.sha256)
    return names, hashes


def shown(name: bytes) -> str:
    """A file name for people: what is not printable is escaped, so that no name can fake another line."""
    text = name.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def get_file(tx: Connection, file_id: int) -> ReceivedFile | None:
    """One received file."""
    row = tx.execute(SELECT_FILE.where(_FILES.c.id == file_id)).one_or_none()
    return None if row is None else _file(row._mapping)


def content_of(tx: Connection, file_id: int) -> bytes:
    """The bytes of a file, as they were received."""
    ((content,),) = _CONTENT.all(tx, file_id)
    return bytes(content)


def beginning_of(tx: Connection, file_id: int, length: int) -> bytes:
    """The first bytes of a file; the rest is not fetched."""
    return first_bytes(tx, _FILES.c.data, file_id, length)


def unmoved(tx: Connection, partner: str) -> tuple[ReceivedFile, ...]:
    """Files that are kept here but were not seen to be moved away in the partner's mailbox."""
    query = SELECT_FILE.where(_FILES.c.partner == partner, _FILES.c.moved_at.is_(None)).order_by(_FILES.c.id)
    return tuple(_file(row._mapping) for row in tx.execute(query))


def mark_moved(tx: Connection, file_id: int, *, to: str, at: datetime) -> None:
    """The remote file now lies in its processed folder."""
    _MOVED.run(tx, [(at, to, file_id)])


def unprocessed(
    tx: Connection, limit: int = 1000, *, partners: Collection[str] | None = None
) -> tuple[ReceivedFile, ...]:
    """Files still to be read, in the order they were kept; only those of these partners, if any are given."""
    query = SELECT_FILE.where(_FILES.c.status == FileStatus.NEW.value).order_by(_FILES.c.id).limit(limit)
    if partners is not None:
        query = query.where(_FILES.c.partner.in_(partners))
    return tuple(_file(row._mapping) for row in tx.execute(query))


def unread_by_partner(tx: Connection) -> dict[str, int]:
    """How many files are still to be read, by partner."""
    query = select(_FILES.c.partner, func.count()).where(_FILES.c.status == FileStatus.NEW.value)
    return {partner: int(count) for partner, count in tx.execute(query.group_by(_FILES.c.partner))}


def begin(tx: Connection, file_ids: Sequence[int]) -> tuple[int, ...]:
    """Count an attempt at each file, before it is made; those that may be tried.

    Commit this before reading: what ends the process then leaves a trace. A file begun before should be begun
    alone, so that it cannot use up the attempts of its neighbours.
    """
    _GIVE_UP.run(tx, [(file_id,) for file_id in file_ids])
    return tuple(file_id for file_id in sorted(file_ids) if _TRY.run(tx, [(file_id,)]))


def claim(tx: Connection, file_id: int) -> bool:
    """Keep every other process from reading the file until this transaction ends; False when it was read.

    A process that was stopped between `begin` and its reading may find that another did the work meanwhile.
    """
    return _STATUS.one(tx, file_id) == (FileStatus.NEW.value,)


def forgive(tx: Connection, file_id: int) -> None:
    """An attempt that others were in the way of does not count."""
    mine = (_FILES.c.id == file_id) & (_FILES.c.status == FileStatus.NEW.value) & (_FILES.c.attempts > 0)
    tx.execute(update(_FILES).where(mine).values(attempts=_FILES.c.attempts - 1))


def mark_done(tx: Connection, file_id: int, *, at: datetime, error: str = "") -> None:
    """The file was read; its interchanges and sets say what became of it, or `error` if there are none."""
    _DONE.run(tx, [(at, error, file_id)])


def has_failed(tx: Connection, file_id: int) -> bool:
    """Whether the file was given up."""
    status = tx.execute(select(_FILES.c.status).where(_FILES.c.id == file_id)).scalar_one_or_none()
    return status == FileStatus.FAILED.value


def record_failure(tx: Connection, file_id: int, *, error: str) -> FileStatus:
    """Reading the file raised; it is tried again until its attempts are used up. What was read stays read."""
    waiting = (_FILES.c.id == file_id) & (_FILES.c.status == FileStatus.NEW.value)
    tx.execute(update(_FILES).where(waiting).values(error=error[:ERROR_CHARS_MAX]))
    used_up = waiting & (_FILES.c.attempts >= ATTEMPTS_MAX)
    tx.execute(update(_FILES).where(used_up).values(status=FileStatus.FAILED.value))
    return FileStatus(tx.execute(select(_FILES.c.status).where(_FILES.c.id == file_id)).scalar_one())


def retry(tx: Connection, file_id: int) -> bool:
    """A person wants a file that failed to be read again; False when it has not failed."""
    failed = (_FILES.c.id == file_id) & (_FILES.c.status == FileStatus.FAILED.value)
    again = update(_FILES).where(failed).values(status=FileStatus.NEW.value, attempts=0)
    partner = tx.execute(again.returning(_FILES.c.partner)).scalar_one_or_none()
    if partner is None:
        return False
    due.file_kept(tx, partner)
    return True


def _file(values: Mapping[Any, Any]) -> ReceivedFile:
    return ReceivedFile(**{**values, "status": FileStatus(values["status"])})


def file_of(row: Row[Any]) -> ReceivedFile:
    """A row of SELECT_FILE."""
    return _file(row._mapping)
