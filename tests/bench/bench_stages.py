"""Bench: where the time of a file goes, stage by stage, and what each stage alone would let through."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

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


def stages() -> Table:
    """Our own processor time for a file of one order of 10 lines."""
    table = Table(
        "Where the time goes",
        ["a file of an order of 10 lines", "own processor time", "files/s of this alone"],
        "One process uses one core, so the whole way cannot be faster than the sum says; workers use more."
        " *Fetch*, *move* and *answer* are some eighteen requests that look before and after each"
        " change. *Decide and keep* is everything from the document to its commit: mapping, rules, receipts,"
        " 57 rows, the chain of hashes, the 997. SQLite itself has a fifth of it; the rest is spread over"
        " 2,700 calls of Python, none of them above 4%.",
    )
    files = [
        documents.interchange("850", [body], number)
        for number, body in enumerate(documents.bodies("850", FILES), 1)
    ]
    reading = _own_seconds(lambda: [ours.read(file) for file in files])
    with running_openssh() as server:
        drop(server, FILES, 10)
        fetching, moving, answering = _mailbox(server)
    parts = {
        "fetch": fetching,
        "move away": moving,
        "read the X12": reading,
        "decide and keep": _replaying(files) - reading,
        "leave the answer": answering,
    }
    for name, seconds in (*parts.items(), ("all", sum(parts.values()))):
        table.add(name, f"{seconds / FILES * 1000:.2f} ms", f"{FILES / seconds:,.0f}")
    return table


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
