"""Statements for many rows: the same rows reach both database systems, each in its own form."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Dialect, bindparam, exc, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Database, LedgerBug, Prepared
from storage.models import table

SEQUENCES, ORDERS, LINES = table("sequence"), table("orders"), table("order_line")
DOCUMENTS = table("document")
POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
SQLITE: Dialect = sqlite.dialect()
INSERT = Prepared(insert(SEQUENCES), "value", "name")  # in another order than the table's


def values(prepared: Prepared, dialect: Dialect, *row: object) -> tuple[str, Any]:
    compiled = prepared._for(dialect)
    return compiled.sql, compiled.values(row)


def test_values_go_to_their_columns(database: Database) -> None:
    with database.writing() as tx:
        assert INSERT.run(tx, [(1, "a"), (2, "b")]) == 2
        assert INSERT.run(tx, []) == 0
        assert tx.execute(select(SEQUENCES).order_by(SEQUENCES.c.name)).all() == [("a", 1), ("b", 2)]


def test_many_rows_keep_their_types_and_what_is_not_there(database: Database) -> None:
    columns = ("at", "partner", "kind", "key", "content_hash", "set_id")
    remember = Prepared(insert(DOCUMENTS), *columns)
    noon = datetime(2026, 3, 4, 12, 30, 15, 123456, tzinfo=UTC)
    odd = ('{"a,b"}', "\\", "", "NULL", "Zoë\n'")
    rows = [(noon, "acme", "ship", text, f"{at}", None) for at, text in enumerate(odd)]
    with database.writing() as tx:
        assert remember.run(tx, rows) == len(rows)
        query = select(*(DOCUMENTS.c[name] for name in columns)).order_by(DOCUMENTS.c.content_hash)
        assert tx.execute(query).all() == rows


def test_a_query_gives_its_rows(database: Database) -> None:
    least = bindparam("least", type_=SEQUENCES.c.value.type)
    query = Prepared(select(SEQUENCES.c.name).where(SEQUENCES.c.value >= least), "least")
    with database.writing() as tx:
        INSERT.run(tx, [(1, "a"), (2, "b"), (3, "c")])
        assert sorted(query.all(tx, 2)) == [("b",), ("c",)]
        assert query.all(tx, 4) == []
        assert query.one(tx, 3) == ("c",)
        assert query.one(tx, 4) is None
        with pytest.raises(LedgerBug, match="2 rows where there can be only one"):
            query.one(tx, 2)


def test_an_error_of_the_driver_is_an_error_of_ours(database: Database) -> None:
    with database.writing() as tx:
        INSERT.run(tx, [(1, "a")])
        with pytest.raises(exc.IntegrityError), tx.begin_nested():
            INSERT.run(tx, [(2, "b"), (1, "a")])
        with pytest.raises(ValueError, match="no zone"):
            Prepared(
                update(ORDERS).values(placed_at=bindparam("new", type_=ORDERS.c.placed_at.type)), "new"
            ).run(tx, [(datetime(2026, 3, 4),)])  # noqa: DTZ001 - what is wrong with it
        assert tx.execute(select(SEQUENCES)).all() == [("a", 1)]


def test_a_driver_that_names_its_values_gets_names() -> None:
    sql, made = values(INSERT, POSTGRESQL, 1, "a")
    assert "%(name)s" in sql
    assert made == {"name": "a", "value": 1}
    assert values(INSERT, SQLITE, 1, "a")[1] == ("a", 1)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_column_types_convert_and_a_value_may_stand_twice(dialect: Dialect) -> None:
    more = bindparam("more", type_=LINES.c.ordered.type)
    statement = update(LINES).where(LINES.c.fulfilled + more <= LINES.c.ordered).values(fulfilled=more)
    _, made = values(Prepared(statement, "more"), dialect, Decimal("1.5"))
    assert made in ((1_500_000, 1_500_000), {"more": 1_500_000})


def test_a_name_the_statement_does_not_know_is_a_mistake() -> None:
    with pytest.raises(LedgerBug, match=r"not named: \['day'\]"):
        values(Prepared(update(ORDERS).values(ordered_on=bindparam("day"))), SQLITE, date(2026, 3, 4))
