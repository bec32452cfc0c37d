"""Transactions, locks, private copies, and the sentences for what can go wrong."""

import multiprocessing
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, exc, text

from storage.database import AlreadyRunning, Database, DatabaseUnavailable, only_process, savepoint, sqlite
from storage.database.schema import revisions
from storage.sequences import next_number


def count_and_stop(tx: Connection, name: str) -> None:
    next_number(tx, name)
    raise RuntimeError("stop")


def write_where_nothing_may_be_written(tx: Connection) -> None:
    tx.exec_driver_sql("PRAGMA query_only = ON")  # works for root, whom no file permission stops
    next_number(tx, "n")


def write_more_than_fits(tx: Connection) -> None:
    next_number(tx, "n")
    pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
    tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    tx.exec_driver_sql("CREATE TABLE big AS SELECT zeroblob(1000000)")


def held_by_child(path: str) -> bool:
    try:
        with only_process(path):
            return False
    except AlreadyRunning:
        return True


def test_the_pragmas_are_set(sqlite_database: Database) -> None:
    with sqlite_database.writing() as tx:
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
        assert {name: tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted} == wanted


def test_a_file_is_made_and_upgraded_on_first_use(absent_database: Database) -> None:
    assert absent_database.current() is None
    assert absent_database.path is not None
    assert not absent_database.path.exists()
    with absent_database.reading() as tx:
        assert tx.execute(text("SELECT COUNT(*) FROM orders")).scalar() == 0
    assert absent_database.current() == revisions()[-1]


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    with database.writing() as tx:
        assert next_number(tx, "kept") == 1
    with pytest.raises(RuntimeError, match="stop"), database.writing() as tx:
        count_and_stop(tx, "kept")
    with database.reading() as tx:
        assert tx.execute(text("SELECT value FROM sequence")).scalar_one() == 1


def test_a_savepoint_is_undone_alone(database: Database) -> None:
    with database.writing() as tx:
        next_number(tx, "outer")
        with pytest.raises(RuntimeError, match="stop"), savepoint(tx):
            count_and_stop(tx, "inner")
    with database.reading() as tx:
        assert tx.execute(text("SELECT name FROM sequence")).scalars().all() == ["outer"]


def test_a_writer_holds_the_lock_before_it_reads(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_database.upgrade()
    monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0)
    second = Database(f"sqlite:///{sqlite_database.path}")
    with (
        sqlite_database.writing(),
        pytest.raises(DatabaseUnavailable, match="locked by another program"),
        second.writing(),
    ):
        pass
    second.close()


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.writing() as tx:
        next_number(tx, "n")
    with database.reading() as tx:
        first = tx.execute(text("SELECT value FROM sequence")).scalar_one()
        other = threading.Thread(target=_count_up, args=(database,))
        other.start()
        other.join()
        assert tx.execute(text("SELECT value FROM sequence")).scalar_one() == first


def _count_up(database: Database) -> None:
    with database.writing() as tx:
        next_number(tx, "n")


def test_what_a_reader_writes_is_not_kept(database: Database) -> None:
    with suppress(DatabaseUnavailable), database.reading() as tx:  # a server refuses it
        next_number(tx, "n")
    with database.reading() as tx:
        assert tx.execute(text("SELECT COUNT(*) FROM sequence")).scalar() == 0


def test_a_private_copy_has_everything_and_changes_nothing(database: Database) -> None:
    with database.writing() as tx:
        next_number(tx, "n")
    copy = database.scratch_copy()
    with copy.writing() as tx:
        assert next_number(tx, "n") == 2
    with copy.reading() as tx:
        assert next_number(tx, "n") == 3
    with copy.writing() as tx:
        assert next_number(tx, "n") == 3
    copy.close()
    with database.writing() as tx:
        assert next_number(tx, "n") == 2


def test_a_private_copy_can_be_copied_where_it_is_a_copy(sqlite_database: Database) -> None:
    copy = sqlite_database.scratch_copy()
    with copy.writing() as tx:
        assert next_number(tx, "n") == 1
    again = copy.scratch_copy()
    with again.writing() as tx:
        assert next_number(tx, "n") == 2
    with copy.writing() as tx:
        assert next_number(tx, "n") == 2
    copy.close()
    again.close()


def test_what_was_done_to_a_part_of_a_copy_is_undone_alone(database: Database) -> None:
    copy = database.scratch_copy()
    with copy.writing() as tx:
        assert next_number(tx, "n") == 1
    with pytest.raises(RuntimeError, match="stop"), copy.writing() as tx:
        count_and_stop(tx, "n")
    with copy.writing() as tx:
        assert next_number(tx, "n") == 2
    copy.close()


def test_a_private_copy_of_nothing_leaves_no_file(absent_database: Database) -> None:
    copy = absent_database.scratch_copy()
    with copy.writing() as tx:
        assert next_number(tx, "n") == 1
    copy.close()
    assert absent_database.path is not None
    assert list(absent_database.path.parent.iterdir()) == []


def test_a_second_process_leaves_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.db")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        with only_process(path):
            assert pool.apply(held_by_child, (path,))
        assert not pool.apply(held_by_child, (path,))


def test_already_running_says_so_in_a_sentence(database: Database) -> None:
    with (
        database.only_process(),
        pytest.raises(
            AlreadyRunning, match=r"Another countermand process is at work on .*(ledger\.db|/test_\d+);"
        ),
        database.only_process(),
    ):
        pass


def test_a_lock_in_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"), only_process(tmp_path / "no" / "x.db"):
        pass


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no' / 'ledger.db'}")
    with pytest.raises(DatabaseUnavailable, match="check that its folder exists"):
        database.upgrade()


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"ISA*00*" * 1000)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseUnavailable, match="is not a SQLite database"), database.reading():
        pass


def test_a_file_that_cannot_be_written_is_explained(sqlite_database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be written"), sqlite_database.writing() as tx:
        write_where_nothing_may_be_written(tx)


def test_a_full_disk_is_explained_and_nothing_is_half_written(sqlite_database: Database) -> None:
    sqlite_database.upgrade()
    with pytest.raises(DatabaseUnavailable, match="disk is full"), sqlite_database.writing() as tx:
        write_more_than_fits(tx)
    with sqlite_database.reading() as tx:
        assert tx.execute(text("SELECT COUNT(*) FROM sequence")).scalar() == 0


def test_an_address_that_makes_no_sense_is_explained() -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be understood"):
        Database("countermand.db")


def test_a_newer_schema_is_refused(database: Database, database_url: str) -> None:
    database.upgrade()
    with database.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newer = Database(database_url)
    for use in (newer.reading, newer.writing):
        with pytest.raises(DatabaseUnavailable, match="has schema 9999"), use():
            pass
    with pytest.raises(DatabaseUnavailable, match="has schema 9999"):
        newer.upgrade()
    newer.close()


def test_a_broken_law_is_not_mistaken_for_trouble(database: Database) -> None:
    with pytest.raises(exc.IntegrityError), database.writing() as tx:
        tx.execute(text("INSERT INTO sequence (name, value) VALUES ('a', NULL)"))
