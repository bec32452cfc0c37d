"""Who may work: one process alone or any number of workers, and one of them at a time on each thing."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from pipeline.cli import run
from pipeline.clock import SystemClock
from pipeline.errors import CountermandError
from pipeline.ports import RemoteFile
from pipeline.receiving.shelf import DatabaseShelf
from storage import receipts
from storage.database import AlreadyRunning, Database, DatabaseUnavailable, Holding
from storage.database.hub import Fence
from tests.contract.folder_mailbox import FolderMailbox
from tests.postgres import PostgresServer
from tests.unit.pipeline.ledger_files import write_settings
from tests.work.test_tasks import House

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.filterwarnings("ignore::ResourceWarning")]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def two(queued: Database) -> Iterator[tuple[Holding, Holding]]:
    with queued.one_of_many() as one, queued.one_of_many() as other:
        yield one, other


def test_only_one_works_on_a_mailbox(queued: Database, two: tuple[Holding, Holding]) -> None:
    one, other = two
    assert queued.crew().workers == 2
    with one.alone("mailbox acme") as right:
        assert right is not None
        for same in (one, other):  # another thread of this process, and another process
            with same.alone("mailbox acme") as second:
                assert second is None
        with other.alone("mailbox globex") as elsewhere:
            assert elsewhere is not None
    with other.alone("mailbox acme") as later:
        assert later is not None


def test_a_right_that_was_lost_writes_nothing(queued: Database, two: tuple[Holding, Holding]) -> None:
    one, other = two
    with one.alone("mailbox acme") as right:
        assert right is not None
        shelf = DatabaseShelf(
            database=queued, clock=SystemClock(), is_cut_off=lambda _: False, still_ours=right.check
        )
        (kept,) = shelf.keep("acme", [(b"a.edi", b"one")])
        with queued.writing() as tx:
            tx.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": right.pid})
        with other.alone("mailbox acme") as taken_over:
            assert taken_over is not None
            with pytest.raises(DatabaseUnavailable, match="Nothing was written"):
                shelf.keep("acme", [(b"b.edi", b"two")])
            with pytest.raises(DatabaseUnavailable, match="Nothing was written"):
                shelf.moved([(kept.file_id, b"a.edi")])
        with one.alone("mailbox acme") as again:
            assert again is None  # the first try of this process has not ended
    with one.alone("mailbox acme") as at_last:
        assert at_last is not None
        with queued.reading() as tx:
            at_last.check(tx)
            assert [(file.name, file.moved_at) for file in receipts.unprocessed(tx)] == [("a.edi", None)]
            with pytest.raises(DatabaseUnavailable):
                Fence("mailbox globex", at_last.pid).check(tx)


def test_poll_leaves_the_work_to_workers_and_they_to_poll(queued: Database) -> None:
    with queued.one_of_many(), pytest.raises(AlreadyRunning, match="1 countermand workers are at work"):
        queued.only_process().__enter__()
    with queued.only_process(), pytest.raises(AlreadyRunning, match="must be alone"):
        queued.one_of_many().__enter__()
    with queued.only_process():
        assert queued.crew().alone


def test_the_commands_say_so(queued: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    url = queued.place
    config = str(write_settings(tmp_path, url=url))
    with queued.one_of_many():
        assert run(["poll", "--config", config]) == 0
        assert "workers are at work" in capfd.readouterr().err
        assert run(["deliver", "--config", config]) == 0
        assert run(["restored", "--config", config, "--since", "2026-03-01T12:00"]) == 2
        assert capfd.readouterr().err.count("this one leaves it to them") == 2
    with queued.only_process():
        assert run(["worker", "--config", config]) == 2
        assert "take poll out of cron" in capfd.readouterr().err


def test_a_worker_without_a_queue_says_what_to_do(
    postgres_server: PostgresServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = postgres_server.new_database()
    config = str(write_settings(tmp_path, url=url))
    assert run(["worker", "--config", config]) == 2
    assert "countermand db upgrade" in capfd.readouterr().err
    assert run(["db", "upgrade", "--config", config]) == 0
    assert ", the queue at 03." in capfd.readouterr().out
    postgres_server.drop(url)


def test_a_worker_on_sqlite_says_what_to_do(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["worker", "--config", str(write_settings(tmp_path))]) == 2
    assert "countermand poll --every 60" in capfd.readouterr().err


def test_who_uses_sqlite_does_not_wait_for_the_queue_to_be_imported() -> None:
    modules = "{'procrastinate', 'psycopg'} & sys.modules.keys()"
    program = f"import sys, pipeline.cli.commands; sys.exit(bool({modules}))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class Everybody:
    """Gives every right to everybody: what would be without them."""

    @contextmanager
    def alone(self, name: str) -> Iterator["Everybody"]:
        del name
        yield self

    def check(self, tx: Connection) -> None:
        """Nobody ever lost it."""


class Slow(FolderMailbox):
    """A mailbox whose reader is stopped, with the bytes in its hands."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def fetch_many(
        self, files: Sequence[RemoteFile], *, file_bytes_max: int
    ) -> list[bytes | CountermandError]:
        fetched = super().fetch_many(files, file_bytes_max=file_bytes_max)
        self.meanwhile()
        return fetched


@pytest.mark.parametrize("protected", [True, False])
def test_two_pollers_at_once_would_keep_a_file_twice(
    queued: Database, two: tuple[Holding, Holding], tmp_path: Path, protected: bool
) -> None:
    """The second has a look while the first is stopped between fetching and keeping."""
    one, other = two if protected else (Everybody(), Everybody())
    house = House(tmp_path, queued, mail_port=9)
    first, second = replace(house.tasks, rights=one), replace(house.tasks, rights=other)
    house.drop("acme", "a.edi", b"Dear hub")
    slow = Slow(tmp_path / "acme")
    slow.meanwhile = lambda: second.poll_mailbox("acme")
    replace(first, open_mailbox=lambda partner, door: slow).poll_mailbox("acme")
    with queued.reading() as tx:
        kept = [file.name for file in receipts.unprocessed(tx)]
    assert kept == ["a.edi"] * (1 if protected else 2)
    assert house.names("acme", "processed") == ["a.edi"]
