"""Column types and table options: what a value looks like inside the database, and nowhere else."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Integer, literal_column, text
from sqlalchemy.sql.elements import ColumnClause, conv
from sqlalchemy.types import TypeDecorator

from storage.quantities import DECIMALS_MAX, WHOLE_DIGITS_MAX

_SCALE = 10**DECIMALS_MAX
_BOUND = 10**WHOLE_DIGITS_MAX


@lru_cache(maxsize=4096)  # the same few quantities come again and again
def millionths(value: Decimal) -> int:
    """A quantity as the database keeps it, exactly."""
    # The bound first: scaling a longer number would round it to the context's precision.
    if not value.is_finite() or not -_BOUND < value < _BOUND:
        raise ValueError(f"the quantity {value} has more than {WHOLE_DIGITS_MAX} digits")
    whole = int(value * _SCALE)
    # Comparing decimals is exact whatever the precision, so this also sees what the product rounded.
    if Decimal(whole).scaleb(-DECIMALS_MAX) != value:
        raise ValueError(f"the quantity {value} has more than {DECIMALS_MAX} decimals")
    return whole


class Quantity(TypeDecorator[Decimal]):
    """A Decimal kept as a whole number of millionths, so that the database adds and compares exactly."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"a quantity must be a Decimal, not {value!r}")
        return millionths(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        scaled = int(value)  # a sum is NUMERIC on some databases; it is a whole number all the same
        units, rest = divmod(scaled, _SCALE)
        return Decimal(scaled).scaleb(-DECIMALS_MAX).normalize() if rest else Decimal(units)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. A time without a zone is a mistake and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} has no zone; times must be aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only when the key's type is exactly INTEGER.
ROW_ID = BigInteger().with_variant(Integer(), "sqlite")

# For tables whose key is several columns: SQLite then keeps one tree instead of two.
COMPACT: dict[str, Any] = {"sqlite_with_rowid": False}


def whole_numbers(table: str, *columns: str) -> tuple[CheckConstraint, ...]:
    """SQLite stores text in an INTEGER column without complaint; these constraints make it refuse."""
    return tuple(
        CheckConstraint(f"typeof({column}) = 'integer'", name=conv(f"{table}_{column}_whole")).ddl_if(
            dialect="sqlite"
        )
        for column in columns
    )


def word(member: Enum) -> ColumnClause[str]:
    """One of our words as the statement's own text: a parameter would hide it from an index `only_where`."""
    return literal_column(f"'{member.value}'")


def only_where(condition: str) -> dict[str, Any]:
    """Options of an index that covers only the rows that satisfy the condition."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
