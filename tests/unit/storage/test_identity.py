"""The database is the one it was: another in its place is noticed before anything is lost in the old one."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.database import Database, NotTheSame
from storage.sequences import next_number
from tests.postgres import PostgresServer


def _count(database: Database) -> int:
    with database.writing() as tx:
        return next_number(tx, "counter")


def _file(database: Database) -> Path:
    assert database.path is not None
    return database.path


def _count_while_it_is_replaced(database: Database) -> None:
    path = _file(database)
    with database.writing() as tx:
        next_number(tx, "counter")
        shutil.copy(path, tmp := path.with_name("copy"))
        tmp.replace(path)


def test_a_file_in_the_place_of_ours_is_not_written_beside(sqlite_database: Database) -> None:
    path = _file(sqlite_database)
    assert _count(sqlite_database) == 1
    shutil.copy(path, tmp := path.with_name("copy"))
    tmp.replace(path)
    with pytest.raises(NotTheSame, match="took the place"):
        _count(sqlite_database)
    with pytest.raises(NotTheSame, match="took the place"), sqlite_database.reading():
        pass
    fresh = Database(f"sqlite:///{path}")
    assert _count(fresh) <= 2  # nothing is held, and it is a database
    fresh.close()


def test_a_file_that_came_while_we_wrote_keeps_us_from_committing(sqlite_database: Database) -> None:
    _count(sqlite_database)
    with pytest.raises(NotTheSame, match="took the place"):
        _count_while_it_is_replaced(sqlite_database)


def test_a_copy_written_over_our_file_is_noticed_by_its_log(sqlite_database: Database) -> None:
    path = _file(sqlite_database)
    _count(sqlite_database)
    content = path.read_bytes()
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink()
    path.write_bytes(content)  # the same file, and not the same log
    for _ in range(2):  # and it stays so
        with pytest.raises(NotTheSame, match="took the place"):
            _count(sqlite_database)


def test_a_file_that_is_gone_is_not_made_anew(sqlite_database: Database) -> None:
    path = _file(sqlite_database)
    _count(sqlite_database)
    path.unlink()
    with pytest.raises(NotTheSame):
        _count(sqlite_database)
    assert not path.exists()


def test_who_has_closed_may_find_another(sqlite_database: Database) -> None:
    path = _file(sqlite_database)
    _count(sqlite_database)
    sqlite_database.close()
    shutil.copy(path, tmp := path.with_name("copy"))
    tmp.replace(path)
    assert _count(sqlite_database) == 2


def test_other_programs_that_come_and_go_are_no_matter(sqlite_database: Database) -> None:
    assert _count(sqlite_database) == 1
    for number in (2, 4, 6):
        other = Database(f"sqlite:///{sqlite_database.path}")
        assert _count(other) == number
        other.close()
        assert _count(sqlite_database) == number + 1
    with sqlite_database._engine.connect() as tx:
        tx.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert _count(sqlite_database) == 8


@pytest.mark.needs("postgres")
def test_tables_made_anew_on_a_server_are_noticed(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `pg_restore --clean` makes them, whatever they hold."""
    url = postgres_server.new_database()
    database, other = Database(url), Database(url)
    try:
        assert _count(database) == 1
        with other.writing() as tx:
            tx.execute(text("CREATE TABLE copied (LIKE outbox INCLUDING ALL)"))
            tx.execute(text("DROP TABLE outbox CASCADE"))
            tx.execute(text("ALTER TABLE copied RENAME TO outbox"))
        monkeypatch.setattr("storage.database.identity.LOOK_SECONDS", 0.0)
        with pytest.raises(NotTheSame, match="took the place"):
            _count(database)
        with pytest.raises(NotTheSame, match="took the place"), database.reading():
            pass
        fresh = Database(url)
        assert _count(fresh) == 2  # nothing was committed by who did not know
        fresh.close()
    finally:
        database.close()
        other.close()
        postgres_server.drop(url)
