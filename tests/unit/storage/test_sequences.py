"""Counters: 1, 2, 3 for each name, and nothing skipped when a transaction is undone."""

import multiprocessing

import pytest
from sqlalchemy import Connection

from storage.database import Database, savepoint
from storage.sequences import next_number


def take(url: str) -> list[int]:
    database = Database(url)
    taken = []
    for _ in range(25):
        with database.writing() as tx:
            taken.append(next_number(tx, "isa"))
    database.close()
    return taken


def take_and_stop(tx: Connection) -> None:
    next_number(tx, "isa")
    raise RuntimeError("stop")


def test_each_name_counts_for_itself(database: Database) -> None:
    with database.writing() as tx:
        assert [next_number(tx, "isa") for _ in range(3)] == [1, 2, 3]
        assert next_number(tx, "gs") == 1


def test_what_is_undone_is_given_out_again(database: Database) -> None:
    with pytest.raises(RuntimeError, match="stop"), database.writing() as tx:
        take_and_stop(tx)
    with database.writing() as tx:
        assert next_number(tx, "isa") == 1
        with pytest.raises(RuntimeError, match="stop"), savepoint(tx):
            take_and_stop(tx)
        assert next_number(tx, "isa") == 2


def test_processes_share_a_counter_without_gaps(database_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        taken = pool.map(take, [database_url] * 4)
    assert sorted(number for numbers in taken for number in numbers) == list(range(1, 101))
