"""The guard: before a round begins, this is the file, the schema and the ledger that it was.

A file that is gone, or has not come as far as its mark says, is a lost or an older one, and nobody may go on
as if nothing had happened. Servers have no file beside them; their operators know when they put back a
backup.
"""

import os
from pathlib import Path

from sqlalchemy import Connection, text

from storage.database import schema
from storage.database.engine import Database
from storage.database.errors import DatabaseUnavailable
from storage.database.mark import check_there, lock_of, read_mark, write_mark

# Numbers of rows that are never deleted: together they only grow.
_COME_TO = text(
    "SELECT (SELECT COALESCE(MAX(id), 0) FROM received_file) + (SELECT COALESCE(MAX(id), 0) FROM event)"
    " + (SELECT COALESCE(MAX(id), 0) FROM outbox) + (SELECT COALESCE(MAX(id), 0) FROM transaction_set)"
)


class Guard:
    """Watches over one database for one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: tuple[int, int] | None = None

    def check(self) -> None:
        """Raise DatabaseUnavailable when work must not go on; cheap enough for every round."""
        database = self._database
        if database.path is not None:
            self._check_file(database.path)
        with database.reading() as tx:
            if not schema.is_current(tx, database.place):
                raise DatabaseUnavailable(
                    f"The database {database.place} was upgraded or changed by another program: start again."
                )
            come_to = _come_to(tx)
        mark = read_mark(database.path) if database.path is not None else None
        if mark is not None and come_to < mark:
            raise DatabaseUnavailable(
                f"The database {database.place} is older than it was: it has come to {come_to}, and it had"
                f" come to {mark}. If a backup was put back, run: countermand restored"
            )
        if database.path is not None and self._file is None:
            self._file = _identity(database.path)

    def leave_mark(self) -> None:
        """Write down how far the ledger has come. Who holds the lock does this: the file is there then."""
        path = self._database.path
        if path is None or not lock_of(path).exists():
            return
        with self._database.reading() as tx:
            come_to = _come_to(tx)
        if read_mark(path) == come_to:
            return
        write_mark(path, come_to)

    def _check_file(self, path: Path) -> None:
        check_there(path)
        if self._file is not None and _identity(path) != self._file:
            raise DatabaseUnavailable(
                f"Another file took the place of the database {path} while we were at work: start again."
            )


def _come_to(tx: Connection) -> int:
    return int(tx.execute(_COME_TO).scalar_one())


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        about = os.stat(path)
    except OSError:
        return None
    return about.st_dev, about.st_ino
