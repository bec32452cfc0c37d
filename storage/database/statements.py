"""The few statements that every database writes in its own way."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from storage.database.errors import DatabaseUnavailable
from storage.database.prepared import Prepared

_INSERTS: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_row(tx: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert a row; the number the database gave it."""
    return _inserting(table, tuple(values)).new_id(tx, tuple(values.values()))


@cache
def _inserting(table: Table, names: Sequence[str]) -> Prepared:
    return Prepared(insert(table).returning(table.c.id), *names)


def insert_new(
    tx: Connection, table: Table, values: Mapping[str, Any], *, key: Sequence[str], returning: str
) -> Any | None:
    """Insert a row unless one with the same key is there already; the column asked for, or None."""
    statement = _inserting_new(tx.dialect.name, table, tuple(values), tuple(key), returning)
    found = statement.one(tx, *values.values())
    return None if found is None else found[0]


@cache
def _inserting_new(
    system: str, table: Table, names: Sequence[str], key: Sequence[str], returning: str
) -> Prepared:
    insert = _INSERTS.get(system)
    if insert is None:
        raise DatabaseUnavailable(f"countermand does not know the database system {system}.")
    statement = insert(table).on_conflict_do_nothing(index_elements=list(key)).returning(table.c[returning])
    return Prepared(statement, *names)


def first_bytes(tx: Connection, column: Column[Any], row_id: int, length: int) -> bytes:
    """The first bytes of a value, without the memory for all of it; the row's key is a number called id."""
    if tx.dialect.name == "sqlite":  # its substr() would fetch the whole value first
        driver: Any = tx.connection.driver_connection
        with driver.blobopen(column.table.name, column.name, row_id, readonly=True) as value:
            return bytes(value.read(length))
    query = select(func.substr(column, 1, length)).where(column.table.c.id == row_id)
    return bytes(tx.execute(query).scalar_one())


def begins_with(tx: Connection, column: Column[str], beginning: str) -> ColumnElement[bool]:
    """Whether a text begins so, as an index of its column can answer it."""
    if tx.dialect.name == "sqlite":  # compares texts byte by byte, and its LIKE does not
        return and_(column >= beginning, column < beginning + chr(sys.maxunicode))
    return column.startswith(beginning, autoescape=True)


_NAME = func.hashtextextended(bindparam("name", type_=Text), 0)
_LOCK = Prepared(select(cast(func.pg_advisory_xact_lock(_NAME), Text)), "name")


def lock_names(tx: Connection, names: Iterable[str]) -> None:
    """Until this transaction ends, nobody else holds any of these names.

    It makes "look whether it is there, then write" safe for what has no row to lock yet. SQLite has one
    writer at a time and needs nothing; PostgreSQL takes advisory locks, always in the same order.
    """
    if tx.dialect.name != "postgresql":
        return
    for name in sorted(set(names)):
        _LOCK.all(tx, name)


def broken_references(tx: Connection, tables: Iterable[Table]) -> Iterator[dict[str, object]]:
    """The rows that refer to rows that are not there: their table, column and what it says.

    The databases check references when they are written. Whoever owns one can switch that off.
    """
    for key, missing in _missing(tuple(tables)):
        for (value,) in missing.all(tx):
            yield {"table": key.table.name, "column": key.name, "missing": value}


@cache
def _missing(tables: tuple[Table, ...]) -> tuple[tuple[Column[Any], Prepared], ...]:
    """What asks each column that refers to another for the values that are not there."""
    return tuple(
        (key.parent, Prepared(_missing_of(key.parent, key.column)))
        for table in tables
        for key in table.foreign_keys
    )


def _missing_of(column: Column[Any], referred: Column[Any]) -> Select[Any]:
    there = referred.table.alias("there")
    found = there.c[referred.name]
    query = select(column).outerjoin(there, found == column)
    return query.where(column.is_not(None), found.is_(None)).distinct()
