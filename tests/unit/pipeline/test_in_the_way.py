"""Others in the way of a file: it is read again, once is enough, and its attempts are not burnt."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from pipeline.ingest import ingest as ingest_really
from pipeline.replay import Source, replay
from pipeline.settings import Settings, load
from pipeline.waiting import ingest_waiting
from storage import queries, receipts
from storage.database import Database, DatabaseUnavailable, TooMuch, TryAgain, sqlite
from storage.invariants import audit
from storage.outcomes import Outcome
from storage.states import FileStatus
from tests.postgres import PostgresServer
from tests.unit.pipeline import ledger_files
from tests.unit.pipeline.ledger_files import file_of, order, shipment, write_settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDERS = [f"PO-{number}" for number in range(1, 13)]


def kept(database: Database, content: bytes) -> int:
    with database.writing() as tx:
        file = receipts.keep(tx, partner="acme", mailbox="acme", name=b"a.edi", content=content, at=NOW)
    return file.id


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    made = Database(settings.database.url)
    yield made
    made.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(write_settings(tmp_path), {})


def ship_all(config: str, barrier: Barrier, names: list[str], first: int) -> None:
    """Two files, each about all orders, in this process's order; all or nothing of each."""
    settings = load(Path(config), {})
    database = Database(settings.database.url)
    for number in range(first, first + 2):
        said = [shipment(f"S-{number}-{po}", po, 1) for po in names]
        content = file_of("856", *said, number=number, sender="globex", receiver="acme")
        barrier.wait(60)
        (report,) = replay([Source(f"{number}.edi", content)], settings, database, lambda: NOW)
        assert len(report.interchanges[0].sets) == len(names)
    database.close()


def test_two_processes_with_the_same_orders_in_opposite_order_both_end(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 42: a file is one transaction, so two of them can wait for each other; the server undoes one."""
    url = postgres_server.borrow()
    monkeypatch.setattr(ledger_files, "url_for", lambda folder: url)
    config = write_settings(tmp_path)
    settings, database = load(config, {}), Database(url)
    placed = file_of("850", *(order(po, 100) for po in ORDERS), number=1, sender="acme", receiver="globex")
    replay([Source("placed.edi", placed)], settings, database, lambda: NOW)
    before = postgres_server.log.count("deadlock detected")
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    children = [
        context.Process(target=ship_all, args=(str(config), barrier, names, first))
        for names, first in ((ORDERS, 10), (ORDERS[::-1], 20))
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(90)
    assert [child.exitcode for child in children] == [0, 0]
    assert postgres_server.log.count("deadlock detected") > before, "nobody was in anybody's way"
    with database.reading() as tx:
        assert audit(tx) == ()
        for po in ORDERS:
            view = queries.get_order(tx, queries.find_orders(tx, po)[0].id)
            assert view is not None
            assert view.lines[0].fulfilled == 4  # each of four files, once
    database.close()
    postgres_server.give_back(url)


def test_a_database_locked_for_longer_than_one_wait_is_waited_for_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 38: a backup tool holds SQLite's lock; five waits of 30 seconds outlast 60."""
    monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0.3)
    database = Database(settings.database.url)
    file_id = kept(database, file_of("850", order("PO-1", 5), number=1, sender="acme", receiver="globex"))
    tool = sqlite3.connect(str(database.path), isolation_level=None, check_same_thread=False)
    tool.execute("BEGIN EXCLUSIVE")
    done = threading.Timer(0.8, lambda: tool.execute("COMMIT"))
    done.start()
    reports, failed = ingest_waiting(settings, database, lambda: NOW)
    done.join()
    tool.close()
    assert ([report.file_id for report in reports], failed) == ([file_id], [])
    assert reports[0].interchanges[0].sets[0].outcome is Outcome.APPLIED
    database.close()


@pytest.mark.parametrize(("error", "attempts"), [(DatabaseUnavailable, 0), (TooMuch, 1)])
def test_only_what_the_file_may_be_to_blame_for_counts_as_an_attempt(
    both_systems: None,
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    error: type[DatabaseUnavailable],
    attempts: int,
) -> None:
    def ingest(*_: object, **__: object) -> None:
        raise error("no")

    file_id = kept(database, b"ISA*")
    monkeypatch.setattr("pipeline.waiting.ingest", ingest)
    with pytest.raises(error):
        ingest_waiting(settings, database, lambda: NOW)
    with database.reading() as tx:
        file = receipts.get_file(tx, file_id)
    assert file is not None
    assert (file.attempts, file.status) == (attempts, FileStatus.NEW)


def test_a_file_that_collides_is_read_again_in_the_same_round(
    both_systems: None, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def ingest(*arguments: object, **options: object) -> object:
        report: object = ingest_really(*arguments, **options)  # type: ignore[arg-type]
        tries.append(1)
        if len(tries) < 3:
            raise TryAgain("they were faster")
        return report

    kept(database, file_of("850", order("PO-1", 5), number=1, sender="acme", receiver="globex"))
    monkeypatch.setattr("pipeline.waiting.ingest", ingest)
    (report,), failed = ingest_waiting(settings, database, lambda: NOW)
    assert (len(tries), failed, report.interchanges[0].sets[0].outcome) == (3, [], Outcome.APPLIED)
    with database.reading() as tx:
        assert len(queries.find_orders(tx, "PO-1")) == 1


def test_bytes_that_postgresql_cannot_keep_as_text_stop_nobody(
    both_systems: None, settings: Settings, database: Database
) -> None:
    """Every element of an order in turn holds what no text of PostgreSQL can hold, or what sorts oddly."""
    plain = file_of("850", order("PO-1", 5), number=1, sender="acme", receiver="globex")
    for odd in (b"\0", b"\xed\xa0\x80", b"\xff", "\u202e".encode(), b"%s", b"\\", b"'"):
        for words in (b"PO-1", b"012345678905", b"20260301", b"000000001", b"0001"):
            kept(database, plain.replace(words, words[:-1] + odd))
    reports, failed = ingest_waiting(settings, database, lambda: NOW)
    assert (len(reports), failed) == (35, [])
    with database.reading() as tx:
        assert audit(tx) == ()
