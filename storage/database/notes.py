"""Notes of a transaction: what somebody is to be told before it commits, and forgotten when it is undone."""

from collections.abc import Hashable

from sqlalchemy import Connection

_NOTES = "countermand notes"  # in what SQLAlchemy keeps beside a connection


def begin(tx: Connection, *, wanted: bool) -> None:
    """A transaction begins; where nobody wants its notes none are taken."""
    tx.info[_NOTES] = set() if wanted else None


def note(tx: Connection, what: Hashable) -> None:
    """Note something in a transaction; the same twice is once. What a savepoint undoes stays noted."""
    noted = tx.info.get(_NOTES)
    if noted is not None:
        noted.add(what)


def taken(tx: Connection) -> frozenset[Hashable]:
    """What was noted; from now on it is not any more."""
    noted = tx.info.pop(_NOTES, None)
    return frozenset(noted or ())
