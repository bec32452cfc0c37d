"""Real processes race for the same lines, some are killed, some are stopped: the ledger stays right."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from storage.database import Database
from storage.invariants import audit
from storage.outcomes import Outcome
from tests.races import course
from tests.unit.storage.build import figures, place, ship, submit

# By system: how many processes, and how many documents each of them sends.
RACES = {
    "sqlite": ((2, 60), (4, 50), (8, 30)),
    "postgresql": ((2, 80), (8, 40), (32, 20)),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(3))
def test_processes_race_for_the_same_lines(database_url: str, tmp_path: Path, number: int) -> None:
    processes, rounds = RACES["sqlite" if database_url.startswith("sqlite") else "postgresql"][number]
    course.prepare(database_url)
    raced = course.run(database_url, tmp_path, processes=processes, rounds=rounds, seed=number)
    assert raced.breaches == []
    assert raced.outcomes["applied"] > raced.rounds / 4
    assert raced.outcomes["refused"] + raced.outcomes["duplicate"] > 0


def die_before_the_commit(url: str) -> None:
    database = Database(url)
    with database.writing() as tx:
        submit(tx, ship(line_1="4"), key="S1")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_killed_before_its_commit_leaves_nothing(database_url: str) -> None:
    database = Database(database_url)
    with database.writing() as tx:
        submit(tx, place("10"))
    child = multiprocessing.get_context("spawn").Process(target=die_before_the_commit, args=(database_url,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    with database.writing() as tx:
        assert figures(tx) == {"1": (10, 0, 0, 0)}
        assert audit(tx) == ()
        assert submit(tx, ship(line_1="4"), key="S1").outcome is Outcome.APPLIED
    database.close()


def make(url: str) -> str | None:
    database = Database(url)
    with database.writing() as tx:
        submit(tx, place("1"))
    database.close()
    return database.current()


def test_processes_that_make_the_database_together_do_not_stumble(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(make, [url] * 4, chunksize=1))) == 1
    database = Database(url)
    with database.reading() as tx:
        assert audit(tx) == ()
    database.close()
