"""Bench: where the time of a file goes, stage by stage, and what each stage alone would let through."""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from edi import limits
from pipeline.mailbox import SftpMailbox
from pipeline.ports import Folder, Move
from pipeline.replay import Source, replay
from storage.database import Database
from tests.bench import documents, ours
from tests.bench.measure import Table
from tests.bench.way import drop, settings_of
from tests.integration.sftp_server import OpenSshServer, running_openssh

FILES, TOGETHER = 2_000, 256


def stages() -> tuple[Table, list[tuple[str, float]]]:
    """Our own processor time for a file of one order of 10 lines; and the files a second of each stage."""
    table = Table(
        "Where the time goes",
        ["a file of an order of 10 lines", "own processor time", "files/s of this alone"],
        "One process uses one core, so the whole way cannot be faster than the sum says; workers use more."
        " *Fetch*, *move* and *answer* are some fifteen requests that look before and after each"
        " change. *SQLite* is the time inside its own code for the nineteen statements and 57 rows of a file,"
        " commits included. *Decide and keep* is everything else from the document to its commit: mapping,"
        " rules, receipts, the chain of hashes, the 997; some 2,700 calls of Python, none above 4%. Were that"
        " free, the others alone would still let no more through than the last line says.",
    )
    files = [
        documents.interchange("850", [body], number)
        for number, body in enumerate(documents.bodies("850", FILES), 1)
    ]
    parsing = _own_seconds(lambda: [ours.read(file) for file in files])
    with running_openssh() as server:
        drop(server, FILES, 10)
        fetching, moving, answering = _mailbox(server)
    with timed_sqlite() as inside:
        replaying = _replaying(files)
    deciding = replaying - parsing - inside.seconds
    parts = {
        "fetch": fetching,
        "move away": moving,
        "read the X12": parsing,
        "decide and keep": deciding,
        "SQLite": inside.seconds,
        "leave the answer": answering,
    }
    whole = sum(parts.values())
    for name, seconds in (*parts.items(), ("all", whole), ("all but decide and keep", whole - deciding)):
        table.add(name, f"{seconds / FILES * 1000:.2f} ms", f"{FILES / seconds:,.0f}")
    return table, [(name, FILES / seconds) for name, seconds in (*parts.items(), ("all", whole))]


@dataclass(slots=True)
class _Inside:
    """Processor time inside SQLite."""

    seconds: float = 0.0


@contextmanager
def timed_sqlite() -> Iterator[_Inside]:
    """Connections made meanwhile measure what their statements and commits take."""
    inside = _Inside()

    def timed(call: Callable[..., Any], *given: Any) -> Any:
        begun = time.thread_time()
        try:
            return call(*given)
        finally:
            inside.seconds += time.thread_time() - begun

    class Cursor(sqlite3.Cursor):
        def execute(self, *given: Any) -> Any:
            return timed(super().execute, *given)

        def executemany(self, *given: Any) -> Any:
            return timed(super().executemany, *given)

    class Timed(sqlite3.Connection):
        def cursor(self, *_: Any) -> Any:
            return super().cursor(Cursor)

        def commit(self) -> None:
            timed(super().commit)

    plain = sqlite3.connect
    sqlite3.connect = sqlite3.dbapi2.connect = partial(plain, factory=Timed)  # type: ignore[assignment]
    try:
        yield inside
    finally:
        sqlite3.connect = sqlite3.dbapi2.connect = plain


def _mailbox(server: OpenSshServer) -> tuple[float, float, float]:
    answer = b"x" * 500
    with SftpMailbox(server.settings()) as mailbox:
        listing = mailbox.listing()
        shares = [listing[first : first + TOGETHER] for first in range(0, FILES, TOGETHER)]
        fetching = _own_seconds(
            lambda: [mailbox.fetch_many(share, file_bytes_max=limits.file_bytes_max) for share in shares]
        )
        moves = [[Move(file=file, folder=Folder.PROCESSED, suffix="0badcafe") for file in s] for s in shares]
        moving = _own_seconds(lambda: [mailbox.move_many(share) for share in moves])
        answers = [[(f"{file.name.decode()}.997", answer) for file in share] for share in shares]
        answering = _own_seconds(lambda: [mailbox.deliver_many(share) for share in answers])
    assert [len(server.names(folder)) for folder in ("pickup", "processed", "delivery")] == [0, FILES, FILES]
    return fetching, moving, answering


def _replaying(files: list[bytes]) -> float:
    sources = [Source(f"{number}.edi", file) for number, file in enumerate(files)]
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(Path(folder))
        database = Database(settings.database.url)
        database.upgrade()
        took = _own_seconds(
            lambda: replay(sources, settings, database, lambda: datetime.now(UTC), partner="acme")
        )
        database.close()
    return took


def _own_seconds(work: Callable[[], object]) -> float:
    """Processor time of this process, its threads included."""
    begun = time.process_time()
    work()
    return time.process_time() - begun
