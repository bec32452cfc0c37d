"""SQLite's own ways: pragmas, when a transaction begins, and private copies for trying things out."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import StaticPool

from storage.database.errors import unavailable

WAIT_SECONDS = 30  # for a lock another process holds; a backup of a large file takes seconds, not minutes
WRITING = "countermand_writing"  # the execution option that makes a transaction take the write lock at once


def file_engine(url: URL) -> Engine:
    """An engine on a database file."""
    waiting = {} if "timeout" in url.query else {"timeout": WAIT_SECONDS}
    engine = create_engine(url, connect_args=waiting)
    event.listen(engine, "connect", _configure(in_file=True))
    event.listen(engine, "begin", _begin)
    return engine


def memory_engine(fill: Callable[[sqlite3.Connection], None]) -> Engine:
    """An engine on one private database in memory, which `fill` may copy something into."""
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    fill(kept)
    engine = create_engine("sqlite://", creator=lambda: kept, poolclass=StaticPool)
    event.listen(engine, "connect", _configure(in_file=False))
    event.listen(engine, "begin", _begin)
    return engine


def copy_of(path: Path) -> Callable[[sqlite3.Connection], None]:
    """What fills a private database with what a file holds now; a missing file is an empty one."""

    def fill(target: sqlite3.Connection) -> None:
        if not path.exists():
            return
        # Read-only: trying something out must not even create the file's side files.
        try:
            with closing(
                sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=WAIT_SECONDS)
            ) as source:
                source.backup(target)
        except sqlite3.DatabaseError as error:
            raise unavailable(error, str(path)) from error

    return fill


def _configure(*, in_file: bool) -> Callable[[Any, Any], None]:
    def configure(connection: sqlite3.Connection, _: Any) -> None:
        # The driver must not open transactions by itself: it would open them too late (see _begin).
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        if in_file:
            # FULL: a commit is on the disk when it returns. NORMAL may lose the last ones in a power cut.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_mode = WAL")

    return configure


def _begin(connection: Connection) -> None:
    """A transaction that will write takes the lock first: between reading and writing nobody can slip in.

    Measured with four processes on one order: without this, updates were lost and no error was raised.
    """
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
