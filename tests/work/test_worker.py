"""One worker, in a process of its own: it finds what has no job, and does what a dead one has begun."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline import doctor
from pipeline.cli import run
from pipeline.clock import SystemClock
from pipeline.metrics import metrics
from pipeline.wiring import open_application
from pipeline.work import queue
from storage import receipts
from storage.database import Database
from storage.due import Due, Work
from tests.conftest import require
from tests.postgres import PostgresServer
from tests.unit.pipeline.ledger_files import cancellation, file_of, order
from tests.work.crew import QUICK, Yard, crew, wait_until

pytestmark = [pytest.mark.needs("sshd", "postgres"), pytest.mark.filterwarnings("ignore::ResourceWarning")]

#: Nobody looks into mailboxes or for rows without jobs; what is done has a job.
ONLY_JOBS = replace(QUICK, every_seconds=3600, reconcile_cron="0 0 1 1 *")
_DEAD = text(
    "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
)
_STATES = text("SELECT task_name, status::text FROM procrastinate_jobs")


def content(number: int) -> bytes:
    return file_of("850", order(f"PO-{number}", 5), number=300 + number, sender="acme", receiver="globex")


def keep(database: Database, number: int) -> int:
    """A kept file, without a job of its own unless the database has its queue attached."""
    with database.writing() as tx:
        return receipts.keep(
            tx, partner="acme", mailbox="acme", name=b"%d.edi" % number, content=content(number),
            at=SystemClock().now(),
        ).id  # fmt: skip


def is_read(database: Database, file_id: int) -> bool:
    with database.reading() as tx:
        file = receipts.get_file(tx, file_id)
    return file is not None and file.ingested_at is not None


def test_a_row_without_a_job_is_found(place: Yard) -> None:
    file_id = keep(place.database, 1)
    with crew(place.config, 1, replace(QUICK, every_seconds=3600)) as workers:
        wait_until(lambda: is_read(place.database, file_id))
        assert workers.stop() == [0]


def test_a_dead_workers_jobs_are_done_by_others(place: Yard) -> None:
    """Also where a look into the same mailbox waits already, which must not stop the sweeper."""
    queue.attach(place.database)
    file_id = keep(place.database, 1)
    place.drop(
        "bolt", "one.edi", file_of("850", order("PO-9", 5), number=9, sender="bolt", receiver="initech")
    )
    with place.database.writing() as tx:
        queue.JobQueue().put(tx, frozenset({Due(Work.POLL, "bolt")}))
        tx.execute(
            text("UPDATE procrastinate_jobs SET queueing_lock = lock WHERE task_name = 'poll_mailbox'")
        )
        dead = tx.execute(_DEAD).scalar_one()
        tx.execute(text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :dead"), {"dead": dead})
        queue.JobQueue().put(tx, frozenset({Due(Work.POLL, "bolt")}))
        waits = text("UPDATE procrastinate_jobs SET queueing_lock = lock WHERE status = 'todo'")
        assert tx.execute(waits).rowcount == 1
    with crew(place.config, 1, ONLY_JOBS):
        wait_until(lambda: is_read(place.database, file_id))
        wait_until(lambda: not place.lying("pickup"))

        def left() -> Counter[tuple[str, str]]:
            with place.database.reading() as tx:
                return Counter((task, state) for task, state in tx.execute(_STATES) if task != "sweep")

        wait_until(lambda: not left())
        assert [partner for partner, _ in place.lying("processed")] == ["bolt"]


def test_what_cannot_be_used_goes_on_to_rejected(place: Yard) -> None:
    place.drop("acme", "letter.edi", b"Dear hub, please cancel everything.")
    with crew(place.config, 1):
        wait_until(lambda: place.lying("rejected") == [("acme", b"Dear hub, please cancel everything.")])
    assert place.lying("processed") == []


def test_a_worker_outlives_its_server(place: Yard, postgres_server: PostgresServer) -> None:
    with crew(place.config, 1) as workers:
        place.drop("acme", "one.edi", content(1))
        wait_until(lambda: not place.lying("pickup"))
        postgres_server.restart("immediate")
        place.drop("acme", "two.edi", content(2))
        wait_until(lambda: not place.lying("pickup"))
        assert workers.stop() == [0]


def test_poll_goes_on_where_workers_have_stopped(place: Yard, capfd: pytest.CaptureFixture[str]) -> None:
    with crew(place.config, 1) as workers:
        place.drop("acme", "one.edi", content(1))
        wait_until(lambda: not place.lying("pickup"))
        assert run(["poll", "--config", str(place.config)]) == 0
        assert "1 countermand workers are at work" in capfd.readouterr().err
        assert workers.stop() == [0]
    place.drop("acme", "two.edi", content(2))
    assert run(["poll", "--config", str(place.config)]) == 0
    assert len(place.lying("processed")) == 2


def test_the_doctor_says_when_nobody_does_what_waits(place: Yard) -> None:
    keep(place.database, 1)
    application = open_application(place.config)
    later = application.clock.now() + doctor.WORK_MAX * 2
    ((what, said),) = doctor._idle(application, later)
    assert what == "workers"
    assert "1 files and 0 messages wait since" in said
    assert "nobody is at work; run: countermand worker" in said
    assert [*doctor._idle(application, application.clock.now())] == []
    assert doctor._database(application.database).endswith("at work just now: nobody")
    with application.database.one_of_many():
        ((_, said),) = doctor._idle(application, later)
        assert "1 workers are at work: too few" in said
        page = metrics(application.settings, application.database, later)
        assert "countermand_workers 1" in page
    application.database.close()


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_command_works_until_it_is_told_to_stop(place: Yard, form: list[str]) -> None:
    config = ["--config", str(place.config), "--every", "1"]
    command = [sys.executable, "-m", "pipeline.cli", "worker", *config, *form]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        try:
            place.drop("acme", "one.edi", content(1))
            wait_until(lambda: place.is_at_rest and bool(place.lying("delivery")))
            process.terminate()
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "")
    assert "one.edi" in out
    if form:
        documents = [json.loads(line) for line in out.splitlines()]
        assert ["one.edi"] in [[file["name"] for file in one["files"]] for one in documents]


def test_a_worker_ends_when_a_backup_is_put_back_under_it(place: Yard, tmp_path: Path) -> None:
    """Else it would send once more what the backup still owes."""
    plain = place.database._url.set(drivername="postgresql").render_as_string(hide_password=False)
    tools = require("postgres").resolve()
    dump, restore = (str(tools.with_name(name)) for name in ("pg_dump", "pg_restore"))
    copy = str(tmp_path / "copy")
    place.drop("acme", "0.edi", content(1))
    assert run(["poll", "--config", str(place.config)]) == 0
    subprocess.run([dump, "--format=custom", f"--file={copy}", plain], check=True)
    command = [sys.executable, "-m", "pipeline.cli", "worker", "--config", str(place.config), "--every", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            cut = file_of("850", cancellation("PO-1"), number=302, sender="acme", receiver="globex")
            place.drop("acme", "1.edi", cut)
            wait_until(lambda: len(place.lying("processed")) == 2 and place.is_at_rest)
            again = [restore, "--clean", "--if-exists", "--single-transaction", f"--dbname={plain}", copy]
            # Against a worker's locks it may lose, and whoever put the backup back tries again.
            wait_until(lambda: subprocess.run(again, check=False).returncode == 0)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 2
    assert "took the place of" in said or "older than it was" in said
    assert "countermand restored" in said
