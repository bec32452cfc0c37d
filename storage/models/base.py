"""The base of all tables, and the ways a column is declared."""

from enum import Enum
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    MetaData,
    text,
)
from sqlmodel import Field, SQLModel

from storage.database.columns import ROW_ID

# Constraints need names that are the same everywhere, or they can never be changed by a migration.
NAMES = {
    "pk": "%(table_name)s_pk",
    "fk": "%(table_name)s_%(column_0_name)s_fk",
    "uq": "%(table_name)s_%(column_0_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s",
    "ix": "%(table_name)s_%(column_0_name)s_index",
}


class Row(SQLModel):
    """The base of all tables."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


def one_of(column: str, words: type[Enum]) -> CheckConstraint:
    """The column holds one of the values of an enum."""
    values = ", ".join(f"'{member.value}'" for member in words)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")


def row_key() -> Any:
    """The number the database gives a row."""
    return Field(default=None, primary_key=True, sa_type=ROW_ID)


def part_of_key(target: str) -> Any:
    """A row of another table that is part of this one's key."""
    return Field(primary_key=True, foreign_key=target, sa_type=BigInteger)


def refers_to(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    """A row of another table."""
    return Field(foreign_key=target, nullable=nullable, index=index, sa_type=BigInteger)


def added(kind: Any, default: str = "''") -> Any:
    """A column that a migration added, and what it is in rows written before."""
    return Field(sa_type=kind, sa_column_kwargs={"server_default": text(default)})
