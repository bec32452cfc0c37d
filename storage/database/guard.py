"""The guard: before a round begins, this is the file, the schema and the ledger that it was.

A file that is gone, or has not come as far as its mark says, is a lost or an older one, and nobody may go on
as if nothing had happened. Servers have no file beside them: their operators know when they put back a
backup, and a process that was at work meanwhile remembers how far it had come.
"""

from sqlalchemy import Connection, text

from storage.database import schema
from storage.database.engine import Database
from storage.database.errors import NotTheSame
from storage.database.mark import lock_of, read_mark, write_mark

# Numbers of rows that are never deleted: together they only grow.
_COME_TO = text(
    "SELECT (SELECT COALESCE(MAX(id), 0) FROM received_file) + (SELECT COALESCE(MAX(id), 0) FROM event)"
    " + (SELECT COALESCE(MAX(id), 0) FROM outbox) + (SELECT COALESCE(MAX(id), 0) FROM transaction_set)"
)


class Guard:
    """Watches over one database for one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._come_to = 0  # as far as this process has seen

    def check(self) -> None:
        """Raise NotTheSame when work must not go on; cheap enough for every round."""
        database = self._database
        # Before the ledger is looked at, which others may take further meanwhile.
        mark = max(self._come_to, read_mark(database.path) or 0 if database.path is not None else 0)
        with database.reading() as tx:
            if not schema.is_current(tx, database.place):
                raise NotTheSame(
                    f"The database {database.place} was upgraded or changed by another program: start again."
                )
            come_to = _come_to(tx)
        if come_to < mark:
            raise NotTheSame(
                f"The database {database.place} is older than it was: it has come to {come_to}, and it had"
                f" come to {mark}. If a backup was put back, run: countermand restored"
            )
        self._come_to = max(self._come_to, come_to)

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


def _come_to(tx: Connection) -> int:
    return int(tx.execute(_COME_TO).scalar_one())
