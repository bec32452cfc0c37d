"""Jobs come with the transaction that makes them due and go with it; and what has lost its job is found."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pipeline.errors import OperatorError
from pipeline.work import queue, schema
from storage import outbox, receipts
from storage.database import Database, DatabaseUnavailable, savepoint
from storage.due import Due, Work, waiting
from tests.postgres import PostgresServer
from tests.unit.storage.build import mail

pytestmark = pytest.mark.needs("postgres")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOBS = text("SELECT task_name, lock, args FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")


def jobs(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    with database.reading() as tx:
        return [(row.task_name, row.lock, row.args) for row in tx.execute(JOBS)]


def keep(tx: Any, name: bytes, partner: str = "acme") -> int:
    return receipts.keep(tx, partner=partner, mailbox=partner, name=name, content=name, at=NOW).id


def test_a_job_comes_with_its_transaction(queued: Database) -> None:
    with queued.writing() as tx:
        keep(tx, b"one")
        keep(tx, b"two")
        keep(tx, b"three", "globex")
        outbox.enqueue(tx, mail("one"), NOW)
    assert jobs(queued) == [
        ("read_files", "files:acme", {"partner": "acme"}),
        ("read_files", "files:globex", {"partner": "globex"}),
        ("send_mail", "mail", {}),
    ]


def test_an_undone_transaction_leaves_no_job(queued: Database) -> None:
    with pytest.raises(ZeroDivisionError), queued.writing() as tx:
        1 / keep(tx, b"one") / 0
    with queued.writing() as tx:  # what was noted before belongs to nobody
        outbox.enqueue(tx, mail("one"), NOW)
    assert [task for task, *_ in jobs(queued)] == ["send_mail"]


def test_a_job_that_cannot_be_put_down_undoes_its_transaction(queued: Database) -> None:
    with queued.writing() as tx:
        tx.execute(text("DROP FUNCTION procrastinate_defer_jobs_v1"))
    with pytest.raises(DatabaseUnavailable, match="Nothing was written"), queued.writing() as tx:
        keep(tx, b"one")
    with queued.reading() as tx:
        assert receipts.unprocessed(tx) == ()


def test_what_a_savepoint_undid_costs_a_job_that_finds_nothing(queued: Database) -> None:
    with queued.writing() as tx:
        part = savepoint(tx)
        keep(tx, b"one")
        part.rollback()
    assert [task for task, *_ in jobs(queued)] == ["read_files"]
    with queued.reading() as tx:
        assert waiting(tx, NOW, partners=["acme"]).due == frozenset()


def test_the_same_file_again_is_no_new_work(queued: Database) -> None:
    for _ in range(2):
        with queued.writing() as tx:
            keep(tx, b"one")
    assert len(jobs(queued)) == 1


FETCH = text("SELECT id FROM procrastinate_fetch_job_v2(NULL, (SELECT id FROM procrastinate_workers))")
WORKER = text("INSERT INTO procrastinate_workers DEFAULT VALUES")


class Seconds:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def together(queued: Database) -> tuple[queue.JobQueue, Seconds]:
    """A queue with a clock of ours; and a worker that takes jobs by hand."""
    seconds = Seconds()
    with queued.writing() as tx:
        tx.execute(WORKER)
    return queue.JobQueue(now=seconds), seconds


def fetched(tx: Any) -> int | None:
    """The job that a worker is given now."""
    found: int | None = tx.execute(FETCH).scalar_one()
    return found


MAIL = frozenset({Due(Work.MAIL)})


def test_one_job_stands_for_all_that_is_due_within_a_second(
    queued: Database, together: tuple[queue.JobQueue, Seconds]
) -> None:
    jobs_of, seconds = together
    for seconds.at in (0.0, 0.5, 0.9, 1.1, 1.2, 2.2):
        with queued.writing() as tx:
            jobs_of.put(tx, MAIL)
    assert len(jobs(queued)) == 3
    with queued.writing() as tx:
        jobs_of.put(tx, MAIL | {Due(Work.DELIVER, "acme")})
    assert [lock for _, lock, _ in jobs(queued)] == ["mail"] * 3 + ["delivery:acme"]


def test_a_job_that_stands_for_something_begins_after_its_commit(
    queued: Database, together: tuple[queue.JobQueue, Seconds]
) -> None:
    """Any number may hold it at once; while one of them does no worker gets it."""
    jobs_of, _ = together
    with queued.writing() as tx:
        jobs_of.put(tx, MAIL)
    with queued.writing() as first:
        with queued.writing() as second:
            jobs_of.put(first, MAIL)
            jobs_of.put(second, MAIL)
            with queued.writing() as worker:
                assert fetched(worker) is None
        with queued.writing() as worker:
            assert fetched(worker) is None
    with queued.writing() as worker:
        assert fetched(worker) is not None
    assert jobs(queued) == []


def test_a_job_that_has_begun_or_is_being_taken_stands_for_nothing(
    queued: Database, together: tuple[queue.JobQueue, Seconds]
) -> None:
    jobs_of, _ = together
    with queued.writing() as tx:
        jobs_of.put(tx, MAIL)
    with queued.writing() as worker:
        assert fetched(worker) is not None
        with queued.writing() as tx:  # it does not wait for the worker either
            jobs_of.put(tx, MAIL)
    assert len(jobs(queued)) == 1
    with queued.writing() as tx:
        tx.execute(text("DELETE FROM procrastinate_jobs"))
    with queued.writing() as tx:
        jobs_of.put(tx, MAIL)
    assert len(jobs(queued)) == 1


def test_a_job_that_was_undone_or_is_not_committed_stands_for_nothing(
    queued: Database, together: tuple[queue.JobQueue, Seconds]
) -> None:
    jobs_of, _ = together
    with queued.writing() as tx:
        undone = tx.begin_nested()
        jobs_of.put(tx, MAIL)
        undone.rollback()
    with queued.writing() as first:
        jobs_of.put(first, MAIL)
        with queued.writing() as second:
            jobs_of.put(second, MAIL)
        assert len(jobs(queued)) == 1
    assert len(jobs(queued)) == 2


def test_a_file_to_be_moved_has_a_job_of_its_own(
    queued: Database, together: tuple[queue.JobQueue, Seconds]
) -> None:
    jobs_of, _ = together
    for file_id in (1, 2, 2):
        with queued.writing() as tx:
            jobs_of.put(tx, frozenset({Due(Work.REJECT, "acme", file_id)}))
    assert [args["file_id"] for *_, args in jobs(queued)] == [1, 2, 2]


def test_who_is_alone_puts_no_jobs_down(queued: Database) -> None:
    with queued.only_process(), queued.writing() as tx:
        keep(tx, b"one")
    assert jobs(queued) == []
    with queued.writing() as tx:
        keep(tx, b"two")
    assert len(jobs(queued)) == 1


def test_a_database_without_a_queue_is_written_to_as_before(postgres_server: PostgresServer) -> None:
    database = Database(postgres_server.borrow())
    queue.attach(database)
    with database.writing() as tx:
        assert keep(tx, b"one")
        assert not queue.is_there(tx)
    database.close()


def test_what_is_due_is_known_by_rows_alone(queued: Database) -> None:
    with queued.writing() as tx:
        keep(tx, b"one")
        keep(tx, b"two", "stranger")
        taken = outbox.enqueue(tx, mail("one"), NOW)
    with queued.writing() as tx:
        (message,) = outbox.due(tx, NOW)
        assert message.id == taken
        assert outbox.claim(tx, message)  # and its sender dies
    with queued.reading() as tx:
        found = waiting(tx, NOW, partners=["acme"])
    assert found.due == {Due(Work.READ, "acme"), Due(Work.MAIL)}
    assert (found.files, found.messages, found.since) == (1, 1, NOW)


def test_the_queue_is_made_once_and_brought_up_to_date(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.new_database()
    database = Database(url)
    with database.reading() as tx, pytest.raises(OperatorError, match="db upgrade"):
        schema.check(tx)
    made = schema.upgrade(database)
    assert schema.upgrade(database) == made
    with database.reading() as tx:
        schema.check(tx)
    later = tmp_path / "99.00.00_01_more.sql"
    later.write_text("CREATE TABLE procrastinate_more (share text DEFAULT '100 %'); SELECT 1;")
    steps = [*schema._steps(), later]
    monkeypatch.setattr(schema, "_steps", lambda: steps)
    with database.reading() as tx, pytest.raises(OperatorError, match="db upgrade"):
        schema.check(tx)
    assert schema.upgrade(database) == later.stem
    with database.reading() as tx:
        schema.check(tx)
        assert tx.execute(text("SELECT count(*) FROM procrastinate_more")).scalar_one() == 0
    database.close()
    postgres_server.drop(url)


def test_somebody_elses_queue_is_left_alone(queued: Database) -> None:
    with queued.writing() as tx:
        tx.execute(text("COMMENT ON TABLE procrastinate_jobs IS 'the shop''s'"))
    with pytest.raises(OperatorError, match="did not make"):
        schema.upgrade(queued)


def test_every_kind_of_work_is_put_down_for_the_task_of_its_name(queued: Database) -> None:
    everything = frozenset(Due(work, "acme", 7 if work is Work.REJECT else 0) for work in Work)
    with queued.writing() as tx:
        queue.JobQueue().put(tx, everything)
    found = Counter((task, lock) for task, lock, _ in jobs(queued))
    assert found == Counter((kind.task, kind.lock.format(partner="acme")) for kind in queue.KINDS.values())
    assert {"partner": "acme", "file_id": 7} in [arguments for *_, arguments in jobs(queued)]


def test_no_queue_where_there_is_no_server(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    queue.attach(database)
    assert database.before_commit is None
    assert schema.upgrade(database) is None
    database.close()
