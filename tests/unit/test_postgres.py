"""The tests' own PostgreSQL: its databases are alike and empty, however they were used; it can be killed."""

from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import text

from storage.database import Database, DatabaseUnavailable
from storage.sequences import next_number
from tests.postgres import PostgresServer


def counted(url: str) -> int:
    database = Database(url)
    with database.writing() as tx:
        number = next_number(tx, "n")
    database.close()
    return number


def test_a_borrowed_database_is_empty_however_it_was_used(postgres_server: PostgresServer) -> None:
    url = postgres_server.borrow()
    held = Database(url)
    with suppress(DatabaseUnavailable), held.reading():  # a connection that is still open, and will be ended
        assert counted(url) == 1
        postgres_server.give_back(url)
        assert postgres_server.borrow() == url
    held.close()
    assert counted(url) == 1
    postgres_server.give_back(url)


def test_a_database_with_another_schema_is_not_used_again(postgres_server: PostgresServer) -> None:
    url = postgres_server.borrow()
    database = Database(url)
    with database.writing() as tx:
        tx.execute(text("DROP TRIGGER event_no_update ON event"))
    database.close()
    postgres_server.give_back(url)
    assert url not in {postgres_server.borrow() for _ in range(2)}


@pytest.mark.parametrize("how", ["stop", "immediate", "kill"])
def test_the_server_comes_back_with_what_was_committed(postgres_server: PostgresServer, how: str) -> None:
    url = postgres_server.borrow()
    counted(url)
    postgres_server.kill() if how == "kill" else postgres_server.stop("fast" if how == "stop" else how)
    with pytest.raises(psycopg.OperationalError, match="refused"):
        postgres_server.admin()
    postgres_server.start()
    assert counted(url) == 2
    postgres_server.give_back(url)
