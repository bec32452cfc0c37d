"""Identity: whether the database is the one it was when this process first used it.

A backup that is put back while we run leaves us with the old file open, where what is written is lost; or, on
a server, with tables that owe once more what was sent since. Nobody but a person knows what is to be done.
"""

import os
import time
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, text

from storage.database.errors import NotTheSame
from storage.database.mark import check_there

LOOK_SECONDS = 1.0  # between two looks at a server
LONG_SECONDS = 0.1  # a transaction this long may have waited for who put a backup back

# `pg_restore --clean` and whoever else makes a table anew gives it a new number.
_TABLES = text(
    "SELECT (SELECT oid FROM pg_database WHERE datname = current_database())::bigint,"
    " to_regclass('outbox')::oid::bigint"
)
_LOG = "countermand_log"  # what a connection to a file keeps: which write-ahead log it has open

Number = tuple[int, int]  # of a file: device and inode


class Identity(Protocol):
    """What tells that a database is still the same; each raises NotTheSame when it is not."""

    def look(self) -> None:
        """Before a connection is used."""

    def prove(self, tx: Connection, began: float) -> None:
        """Before a transaction is committed that began at this moment of the monotonic clock."""

    def forget(self) -> None:
        """All connections were given back: whatever is there next is ours."""


class SameFile:
    """A SQLite file: the one of its name, and a log beside it that is the one we write to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number: Number | None = None
        self._lost = False

    def look(self) -> None:
        """One look at the file costs a millionth of a second or two."""
        found = number_of(self._path)
        if self._number is None:
            self._number = found
        if self._lost or found != self._number:
            self._lost = True
            check_there(self._path)
            raise NotTheSame(
                f"Another file took the place of the database {self._path} while we were at work: start"
                " again."
            )

    def prove(self, tx: Connection, began: float) -> None:
        """A file that was written over is the same one, but its log, which we have open, is gone."""
        log = number_of(Path(f"{self._path}-wal"))
        self._lost = self._lost or tx.info.setdefault(_LOG, log) not in (log, None)
        self.look()

    def forget(self) -> None:
        """No connection has the old file open any more."""
        self._number, self._lost = None, False


class SameTables:
    """A server's database: the same one, with the same tables in it."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._tables: Number | None = None
        self._looked = 0.0

    def look(self) -> None:
        """Only a connection can tell."""

    def prove(self, tx: Connection, began: float) -> None:
        """Once a second, for it costs a question; and at the end of what may have waited for a restore."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS and now - began < LONG_SECONDS:
            return
        database, outbox = tx.execute(_TABLES).one()
        if self._tables is None and outbox is not None:
            self._tables = int(database), int(outbox)
        if self._tables is not None and self._tables != (database, outbox):
            raise NotTheSame(
                f"Another database took the place of {self._place} while we were at work, as when a backup is"
                " put back. Nothing was written. If it was one, run: countermand restored; then start again."
            )
        self._looked = now

    def forget(self) -> None:
        """Whoever connects anew looks anew."""
        self._tables, self._looked = None, 0.0


class NoPlace:
    """In memory there is nothing that could be exchanged."""

    def look(self) -> None:
        """Nothing to do."""

    def prove(self, tx: Connection, began: float) -> None:
        """Nothing to do."""

    def forget(self) -> None:
        """Nothing to do."""


def number_of(path: Path) -> Number | None:
    """Which file it is, whatever it is called; None when there is none."""
    try:
        about = os.stat(path)
    except OSError:
        return None
    return about.st_dev, about.st_ino
