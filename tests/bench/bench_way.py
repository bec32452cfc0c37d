"""Bench: the whole way of a file beside the straightforward pipeline, fetching, the ledger and its growth."""

import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from edi import limits
from pipeline.mailbox import SftpMailbox
from pipeline.replay import Source, replay
from storage import invariants
from storage.database import Database
from storage.models import METADATA
from tests import postgres
from tests.bench import audit, documents, straightforward
from tests.bench.measure import Table
from tests.bench.way import drop, settings_of, whole_way
from tests.conftest import require
from tests.integration.sftp_server import OpenSshServer, running_openssh
from tests.postgres import running_postgres

FILES, FEW = 5_000, 300
FAR_SECONDS = 0.02
GROWTH = (0, 10_000, 100_000)  # orders of 10 lines in the ledger before


def way() -> Table:
    """From the drop to the committed ledger, the 997 delivered and the file moved."""
    table = Table(
        "The whole way",
        ["5,000 files of an order of 10 lines", "files/s", "own processor time a file", "ratio"],
        "From the drop to the ledger (synchronous=FULL), the 997 delivered and the remote file moved, in one"
        " process, over OpenSSH on loopback. *Straightforward*: one file after the other with paramiko's get,"
        " pyx12 and SQLModel's ORM, a commit for each, on 300 files; it keeps no history and no rules.",
    )
    near, plain = whole_way(FILES), _straightforward()
    far = whole_way(FILES, delay_seconds=FAR_SECONDS)
    table.add("countermand", f"{near.rate:,.0f}", _own(near.own_seconds / FILES), f"{near.rate / plain:.0f}")
    table.add("straightforward", f"{plain:,.0f}", "", "1")
    table.add("countermand, 20 ms away", f"{far.rate:,.0f}", _own(far.own_seconds / FILES), "")
    return table


def fetching() -> Table:
    """5,000 small files from an OpenSSH server on loopback."""
    table = Table(
        "Fetching",
        ["5,000 files of an order", "files/s", "ratio"],
        "*countermand*: listed, each file read between two looks that it did not change. *sftp*: OpenSSH's"
        " own client, `get *` into a folder.",
    )
    with running_openssh() as server, tempfile.TemporaryDirectory() as folder:
        drop(server, FILES, 10)
        ours = FILES / _seconds(lambda: _fetch(server))
        theirs = FILES / _seconds(lambda: _get(server, folder))
    table.add("countermand", f"{ours:,.0f}", f"{ours / theirs:.1f}")
    table.add("sftp get *", f"{theirs:,.0f}", "1")
    return table


def ledger() -> Table:
    """From bytes at hand to committed orders."""
    table = Table(
        "The ledger",
        ["orders of 10 lines", "orders/s"],
        "`replay --apply` of files of one order, and of one file of 10,000. *sqlite3 alone*: all rows that"
        " the first of them left, put by sqlite3's executemany into the same tables with their indexes and"
        " triggers, 100 files in a commit; nothing is read, looked up or decided.",
    )
    files = [
        Source(f"{number}.edi", documents.interchange("850", [body], number))
        for number, body in enumerate(documents.bodies("850", FILES), 1)
    ]
    large = [Source("large.edi", documents.interchange("850", documents.bodies("850", 10_000)))]
    with tempfile.TemporaryDirectory() as folder:
        table.add("5,000 files", f"{_replayed(Path(folder) / 'a', files, FILES):,.0f}")
        table.add("one interchange of 10,000", f"{_replayed(Path(folder) / 'b', large, 10_000):,.0f}")
        table.add("the rows of the files, by sqlite3 alone", f"{_raw(Path(folder) / 'a' / 'ledger.db'):,.0f}")
    return table


def growth() -> tuple[Table, list[tuple[str, float]]]:
    """Whether a document costs the same in a full ledger; and SQLite's files a second, for the plot."""
    table = Table(
        "Growth",
        ["orders of 10 lines in the ledger before", "SQLite, files/s", "audit, s", "PostgreSQL, files/s",
         "audit, s"],
        "1,000 files of one order each, as above; PostgreSQL on the same machine, synced to the disk.",
    )  # fmt: skip
    points = []
    postgres._SETTINGS.update(fsync="on", full_page_writes="on", autovacuum="on")
    with running_postgres(require("postgres")) as server:
        for orders in GROWTH:
            with tempfile.TemporaryDirectory() as folder:
                rate, seconds = _grown(f"sqlite:///{folder}/full.db", orders)
            url = server.new_database()
            theirs, longer = _grown(url, orders)
            server.drop(url)
            points.append((f"{orders:,}", rate))
            table.add(f"{orders:,}", f"{rate:,.0f}", f"{seconds:.1f}", f"{theirs:,.0f}", f"{longer:.1f}")
    return table, points


def _grown(url: str, orders: int) -> tuple[float, float]:
    """Files a second in a ledger of so many orders, and the seconds an audit of them takes."""
    seconds = _filled(url, orders)
    return whole_way(1_000, url=url, orders_before=orders).rate, seconds


def _straightforward() -> float:
    with running_openssh() as server, tempfile.TemporaryDirectory() as folder:
        drop(server, FEW, 10)
        return FEW / _seconds(lambda: straightforward.whole_way(server, Path(folder)))


def _fetch(server: OpenSshServer) -> None:
    with SftpMailbox(server.settings()) as mailbox:
        listing = mailbox.listing()
        for first in range(0, len(listing), 256):
            found = mailbox.fetch_many(listing[first : first + 256], file_bytes_max=limits.file_bytes_max)
            assert all(isinstance(content, bytes) for content in found)


def _get(server: OpenSshServer, folder: str) -> None:
    options = [f"-oPort={server.port}", f"-oIdentityFile={server.root / 'user_key'}", "-oBatchMode=yes"]
    options += ["-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR"]
    command = ["sftp", "-q", "-b", "-", *options, f"{server.user}@127.0.0.1"]
    said = f'lcd "{folder}"\ncd "{server.path("pickup")}"\nget *\n'
    subprocess.run(command, input=said, text=True, check=True, capture_output=True)
    assert len(list(Path(folder).iterdir())) == FILES


def _replayed(folder: Path, files: list[Source], orders: int) -> float:
    folder.mkdir()
    settings = settings_of(folder)
    database = Database(settings.database.url)
    database.upgrade()
    seconds = _seconds(lambda: replay(files, settings, database, lambda: datetime.now(UTC), partner="acme"))
    with database.reading() as tx:
        assert tx.execute(text("SELECT COUNT(*) FROM orders")).scalar_one() == orders
    database.close()
    return orders / seconds


def _raw(path: Path) -> float:
    """The rows a replay left, into an empty ledger; orders a second."""
    database = Database(f"sqlite:///{path.with_name('raw.db')}")
    database.upgrade()
    database.close()
    source, target = sqlite3.connect(path), sqlite3.connect(path.with_name("raw.db"), isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        target.execute(f"PRAGMA {pragma}")
    rows = {
        table.name: source.execute(f"SELECT * FROM {table.name}").fetchall()  # noqa: S608
        for table in METADATA.sorted_tables
    }
    parts = {
        f"INSERT INTO {name} VALUES ({', '.join('?' * len(found[0]))})": found  # noqa: S608
        for name, found in rows.items()
        if len(found) >= FILES
    }
    commits = FILES // 100

    def write() -> None:
        for commit in range(commits):
            target.execute("BEGIN IMMEDIATE")
            for statement, found in parts.items():
                share = len(found) // commits
                target.executemany(statement, found[commit * share : (commit + 1) * share])
            target.execute("COMMIT")

    return FILES / _seconds(write)


def _filled(url: str, orders: int) -> float:
    """Put so many orders into an empty ledger; the seconds an audit of them takes."""
    database = Database(url)
    database.upgrade()
    if orders:
        audit.build(database, orders)
    with database.reading() as tx:
        seconds = _seconds(lambda: invariants.audit(tx))
    database.close()
    return seconds


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _own(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
