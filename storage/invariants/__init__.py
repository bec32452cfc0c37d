"""Audits over the whole database: laws, each with the rows that break it.

Most laws are one query for the rows that break them, in plain SQL that every database understands, so that
they can also be run by hand. What a query cannot say, or would say slowly, is found by walks.
"""

from collections import defaultdict
from collections.abc import Mapping
from itertools import islice

from sqlalchemy import Connection

from storage.database import broken_references
from storage.invariants import history, kept, lines, orders, owed, parties, receipts
from storage.invariants.law import ROWS_MAX, Breach, Invariant, Walk
from storage.models import METADATA

__all__ = ["INVARIANTS", "REFERENCES", "ROWS_MAX", "Breach", "Invariant", "audit"]

REFERENCES = Invariant("references", "G1", "Every row that refers to another refers to one that is there.")
INVARIANTS: tuple[Invariant, ...] = (
    *lines.LAWS,
    *history.LAWS,
    *orders.LAWS,
    *receipts.LAWS,
    *owed.LAWS,
    *parties.LAWS,
    *kept.LAWS,
    REFERENCES,
)
_WALKS: tuple[Walk, ...] = (history.walk, kept.walk)
_AS_WRITTEN = {"no_parameters": True}  # a % in a query is one
_TABLES = tuple(METADATA.sorted_tables)


def audit(tx: Connection) -> tuple[Breach, ...]:
    """Check every invariant in one transaction, as `Database.reading` gives it; nothing when all hold."""
    found = _walked(tx)
    for law in INVARIANTS:
        if law.query:
            with tx.exec_driver_sql(law.query, execution_options=_AS_WRITTEN) as rows:
                found[law.name] = [dict(row) for row in islice(rows.mappings(), ROWS_MAX)]
    found[REFERENCES.name] = [*islice(broken_references(tx, _TABLES), ROWS_MAX)]
    return tuple(
        Breach(one.name, one.promise, one.sentence, tuple(found[one.name]))
        for one in INVARIANTS
        if found[one.name]
    )


def _walked(tx: Connection) -> dict[str, list[Mapping[str, object]]]:
    """The rows that the walks find, by the name of the law they break."""
    found: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    for walk in _WALKS:
        for name, row in walk(tx):
            if len(found[name]) < ROWS_MAX:
                found[name].append(row)
    return found
