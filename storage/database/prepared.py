"""Statements that are compiled once and then go straight to the driver.

SQLAlchemy's own way from a statement to its rows takes thirty times as long as SQLite takes for them. The
tables, the statements and the types of their columns are SQLAlchemy's all the same, and so are the errors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import (
    ARRAY,
    JSON,
    Connection,
    Delete,
    Dialect,
    Insert,
    Select,
    Update,
    bindparam,
    exc,
    func,
    insert,
    select,
)  # fmt: skip

from storage.database.errors import LedgerBug

Converter = Callable[[Any], Any]
Place = tuple[int, Converter | None]  # which value of the row, and what the column type makes of it
Values = tuple[Any, ...]

_CURSOR = "countermand cursor"  # among what is kept of a connection as long as it lives


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in the form of one database system."""

    sql: str
    places: tuple[tuple[str, Place], ...]
    positional: bool
    constants: Values  # what the statement itself brings; it stands behind the row's values
    results: tuple[Converter | None, ...]  # what the types make of the columns that come back
    converts: bool  # whether they make anything of them
    as_given: bool  # the driver takes the values of a row as and where they are
    by_column: str  # the same insert for any number of rows, where there is a quicker one

    def values(self, row: Values) -> Any:
        """A row's values as the driver wants them: by place, or by name."""
        if self.constants:
            row += self.constants
        if self.positional:
            if self.as_given:
                return row
            return tuple([row[at] if to is None else to(row[at]) for _, (at, to) in self.places])
        return {name: row[at] if to is None else to(row[at]) for name, (at, to) in self.places}

    def columns(self, rows: Sequence[Values]) -> dict[str, list[Any]]:
        """The values of all rows as `by_column` wants them."""
        return {
            name: [row[at] if to is None else to(row[at]) for row in rows] for name, (at, to) in self.places
        }


class Prepared:
    """A statement and the names of its parameters, in the order in which the rows give them."""

    def __init__(self, statement: Insert | Update | Delete | Select[Any], *names: str) -> None:
        self._statement = statement
        self._names = names
        self._compiled: dict[str, _Compiled] = {}

    def run(self, tx: Connection, rows: Sequence[Values]) -> int:
        """Run the statement for every row; how many rows of the table it touched in all."""
        if not rows:
            return 0
        one = self._for(tx.dialect)
        cursor = _cursor(tx)
        try:
            if len(rows) == 1:
                cursor.execute(one.sql, one.values(rows[0]))
            elif one.by_column:
                cursor.execute(one.by_column, one.columns(rows))
            else:
                cursor.executemany(one.sql, list(map(one.values, rows)))
        except Exception as error:
            _fail(tx, one.sql, error)
        return int(cursor.rowcount)

    def all(self, tx: Connection, *row: Any) -> list[Values]:
        """Run a statement that gives rows; each as its columns' types have it."""
        one = self._for(tx.dialect)
        cursor = _cursor(tx)
        try:
            found: list[Values] = cursor.execute(one.sql, one.values(row)).fetchall()
        except Exception as error:
            _fail(tx, one.sql, error)
        if not one.converts:
            return found
        results = one.results
        return [
            tuple([value if to is None else to(value) for value, to in zip(row, results, strict=True)])
            for row in found
        ]

    def one(self, tx: Connection, *row: Any) -> Values | None:
        """The only row, if there is one."""
        found = self.all(tx, *row)
        if len(found) > 1:
            raise LedgerBug(f"{len(found)} rows where there can be only one: {self._statement}")
        return found[0] if found else None

    def new_id(self, tx: Connection, row: Values) -> int:
        """Run a statement that returns one number, for one row."""
        ((number,),) = self.all(tx, *row)
        return int(number)

    def _for(self, dialect: Dialect) -> _Compiled:
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = self._compile(dialect)
        return known

    def _compile(self, dialect: Dialect) -> _Compiled:
        keys = list(self._names) if isinstance(self._statement, Insert) else None
        compiled = self._statement.compile(dialect=dialect, column_keys=keys)
        own = {bind.key: bind.value for bind in compiled.binds.values() if bind.key not in self._names}
        names = [*self._names, *own]
        if len(set(names)) < len(names) or None in own.values():
            raise LedgerBug(f"{self._statement} has parameters that were not named: {[*own]}")
        order = compiled.positiontup or list(compiled.binds)
        places = tuple((name, _place(names, compiled.binds[name], dialect)) for name in order)
        results = tuple(
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in self._statement.exported_columns
        )
        return _Compiled(
            sql=str(compiled),
            places=places,
            positional=compiled.positiontup is not None,
            constants=tuple(own.values()),
            results=results,
            converts=any(results),
            by_column="" if own else _by_column(self._statement, self._names, dialect),
            as_given=[place for _, place in places] == [(at, None) for at in range(len(names))],
        )


def _by_column(statement: Any, names: Sequence[str], dialect: Dialect) -> str:
    """On a server with arrays: one statement for all rows takes half the time of one for each."""
    if dialect.name != "postgresql" or not isinstance(statement, Insert) or statement.exported_columns:
        return ""
    types = {name: statement.table.c[name].type for name in names}
    if any(isinstance(kind, JSON) for kind in types.values()):  # whose arrays are written in another way
        return ""
    arrays = [bindparam(name, type_=ARRAY(kind)) for name, kind in types.items()]
    rows = func.unnest(*arrays).table_valued(*names).render_derived()
    inserted = insert(statement.table).from_select(names, select(*rows.c), include_defaults=False)
    return str(inserted.compile(dialect=dialect))


def _place(names: Sequence[str], bind: Any, dialect: Dialect) -> Place:
    return names.index(bind.key), bind.type.dialect_impl(dialect).bind_processor(dialect)


def _cursor(tx: Connection) -> Any:
    """The connection's own cursor: each statement's rows are fetched before the next one runs."""
    known = tx.connection.info
    if _CURSOR not in known:
        known[_CURSOR] = tx.connection.cursor()
    return known[_CURSOR]


def _fail(tx: Connection, sql: str, error: Exception) -> NoReturn:
    """Raise a driver's error as SQLAlchemy's own, and give up a connection that is lost."""
    driver = tx.dialect.loaded_dbapi.Error
    if not isinstance(error, driver):
        raise error
    lost = tx.dialect.is_disconnect(error, tx.connection, None)
    wrapped = exc.DBAPIError.instance(
        sql, None, error, driver, hide_parameters=True, connection_invalidated=lost, dialect=tx.dialect
    )
    if lost:
        tx.invalidate(error)
    raise wrapped from error
