"""Statements for many rows, compiled once per database system; SQLAlchemy's own way costs more than rows."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update

Converter = Callable[[Any], Any]
Place = tuple[int, Converter | None]  # which value of the row, and what the column type makes of it


class Prepared:
    """A statement and the names of its parameters, in the order in which the rows give them."""

    def __init__(self, statement: Insert | Update | Delete | Select[Any], *names: str) -> None:
        self._statement = statement
        self._names = names
        self._compiled: dict[str, tuple[str, tuple[tuple[str, Place], ...], bool]] = {}

    def run(self, tx: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run the statement for every row; how many rows of the table it touched in all."""
        if not rows:
            return 0
        sql, values = self._values(tx, rows)
        return tx.exec_driver_sql(sql, values).rowcount

    def new_id(self, tx: Connection, row: tuple[Any, ...]) -> int:
        """Run a statement that returns one number, for one row."""
        sql, (values,) = self._values(tx, [row])
        return int(tx.exec_driver_sql(sql, values).scalar_one())

    def texts(self, tx: Connection, row: tuple[Any, ...]) -> Sequence[str]:
        """Run a query for one column of text, which no column type has to convert."""
        sql, (values,) = self._values(tx, [row])
        return tx.exec_driver_sql(sql, values).scalars().all()

    def _values(self, tx: Connection, rows: Sequence[tuple[Any, ...]]) -> tuple[str, list[Any]]:
        """The statement and its values as the driver wants them: by place, or by name."""
        sql, places, positional = self._for(tx.dialect)
        if positional:
            taken = [place for _, place in places]
            return sql, [tuple([row[at] if to is None else to(row[at]) for at, to in taken]) for row in rows]
        return sql, [
            {name: row[at] if to is None else to(row[at]) for name, (at, to) in places} for row in rows
        ]

    def _for(self, dialect: Dialect) -> tuple[str, tuple[tuple[str, Place], ...], bool]:
        if dialect.name not in self._compiled:
            keys = list(self._names) if isinstance(self._statement, Insert) else None
            compiled = self._statement.compile(dialect=dialect, column_keys=keys)
            order = compiled.positiontup or list(compiled.binds)
            places = tuple((name, self._place(compiled.binds[name], dialect)) for name in order)
            self._compiled[dialect.name] = (str(compiled), places, compiled.positiontup is not None)
        return self._compiled[dialect.name]

    def _place(self, bind: Any, dialect: Dialect) -> Place:
        return self._names.index(bind.key), bind.type.dialect_impl(dialect).bind_processor(dialect)
