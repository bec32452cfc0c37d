"""Four processes cancel and ship the same lines: nothing is lost, nothing is counted twice."""

import multiprocessing
import os
import random
import signal
from collections import Counter
from pathlib import Path

from storage.database import Database
from storage.invariants import audit
from storage.outcomes import Outcome
from tests.unit.storage.build import BUYER, SELLER, cut, figures, place, ship, submit

PROCESSES = 4
ROUNDS = 60
HOT, MANY = "HOT", "MANY"


def race(task: tuple[str, int]) -> dict[str, int]:
    """Cancel and ship at random; the units that were accepted."""
    url, seed = task
    chance, database, moved = random.Random(seed), Database(url), Counter[str]()
    for turn in range(ROUNDS):
        po, line = (HOT, "1") if chance.random() < 0.5 else (MANY, str(chance.randint(1, 50)))
        quantity, shipping = chance.randint(1, 4), chance.random() < 0.5
        with database.writing() as tx:
            if shipping:
                key = f"{seed}-{turn}"
                result = submit(tx, ship(po=po, shipment=key, **{f"line_{line}": str(quantity)}), key=key)
            else:
                result = submit(tx, cut(line, str(quantity), po=po, by=chance.choice([BUYER, SELLER])))
        if result.outcome is Outcome.APPLIED:
            moved[f"{po} {'fulfilled' if shipping else 'cancelled'}"] += quantity
    database.close()
    return dict(moved)


def test_many_processes_on_one_line_and_on_many(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    database = Database(url)
    with database.writing() as tx:
        submit(tx, place("100", po=HOT))
        submit(tx, place(*["4"] * 50, po=MANY))
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        moved = sum(
            (Counter(done) for done in pool.map(race, [(url, n) for n in range(PROCESSES)])), Counter()
        )
    with database.reading() as tx:
        for po in (HOT, MANY):
            counters = figures(tx, po).values()
            assert sum(line[1] for line in counters) == moved[f"{po} fulfilled"]
            assert sum(line[2] for line in counters) == moved[f"{po} cancelled"]
        assert audit(tx) == ()
        assert (
            figures(tx, HOT)["1"][1] + figures(tx, HOT)["1"][2] > 90
        )  # the hot line was fought over to the end
    database.close()


def die_before_the_commit(url: str) -> None:
    database = Database(url)
    with database.writing() as tx:
        submit(tx, ship(line_1="4"), key="S1")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_killed_before_its_commit_leaves_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    database = Database(url)
    with database.writing() as tx:
        submit(tx, place("10"))
    child = multiprocessing.get_context("spawn").Process(target=die_before_the_commit, args=(url,))
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
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        assert len(set(pool.map(make, [url] * PROCESSES, chunksize=1))) == 1
    database = Database(url)
    with database.reading() as tx:
        assert audit(tx) == ()
    database.close()
