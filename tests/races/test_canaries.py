"""Wrong ledgers fail the races: the oracle sees what locks, guards and CHECKs are there for."""

from pathlib import Path

import pytest
from sqlalchemy import text

from storage.database import Database
from tests.races import course

RACES_MAX = 6


def _drop_check(url: str) -> None:
    """The table's own law is off; SQLite has no such statement, and ignores it by a pragma."""
    if url.startswith("sqlite"):
        return
    database = Database(url)
    with database.writing() as tx:
        query = "SELECT conname FROM pg_constraint WHERE conrelid = 'order_line'::regclass AND contype = 'c'"
        for name in tx.execute(text(query)).scalars().all():
            tx.execute(text(f'ALTER TABLE order_line DROP CONSTRAINT "{name}"'))
    database.close()


def _breaches(
    url: str, folder: Path, variant: str, sign: str, hot_units: str = course.HOT_UNITS
) -> list[str]:
    """What the oracle found in the first race of the wrong ledger that it objects to."""
    course.prepare(url, hot_units)
    for seed in range(RACES_MAX):
        (place := folder / str(seed)).mkdir()
        raced = course.run(url, place, processes=6, rounds=20, seed=seed, variant=variant, harm=False)
        assert not [breach for breach in raced.breaches if "TypeError" in breach]  # a canary that sings wrong
        if found := [breach for breach in raced.breaches if sign in breach]:
            return found
        course.refill(url, hot_units)
    return []


def test_a_lost_update_is_seen(database_url: str, tmp_path: Path) -> None:
    assert _breaches(database_url, tmp_path, "read then write", "invariant='counters'", "900")


def test_units_moved_that_were_not_open_are_seen(database_url: str, tmp_path: Path) -> None:
    _drop_check(database_url)
    assert _breaches(database_url, tmp_path, "unguarded", "invariant='conservation'", "40")


@pytest.mark.parametrize("system", ["postgresql"], indirect=True)
def test_without_locks_a_process_fails(database_url: str, tmp_path: Path) -> None:
    assert _breaches(database_url, tmp_path, "without locks", "Error: ")


@pytest.mark.parametrize("system", ["sqlite"], indirect=True)
def test_a_transaction_that_locks_late_fails(database_url: str, tmp_path: Path) -> None:
    assert _breaches(database_url, tmp_path, "deferred", "is locked")
