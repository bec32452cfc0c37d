"""The database's door: connections, transactions, schema, and all that differs between database systems."""

from storage.database.columns import word
from storage.database.engine import Database, Hold, savepoint
from storage.database.errors import (
    AlreadyRunning,
    DatabaseUnavailable,
    InDoubt,
    LedgerBug,
    NotTheSame,
    TooMuch,
    TryAgain,
)
from storage.database.guard import Guard
from storage.database.hub import Crew, Fence, Holding
from storage.database.lock import only_process
from storage.database.prepared import Prepared
from storage.database.statements import (
    begins_with,
    broken_references,
    first_bytes,
    insert_new,
    insert_row,
    lock_names,
)

__all__ = [
    "AlreadyRunning",
    "Crew",
    "Database",
    "DatabaseUnavailable",
    "Fence",
    "Guard",
    "Hold",
    "Holding",
    "InDoubt",
    "LedgerBug",
    "NotTheSame",
    "Prepared",
    "TooMuch",
    "TryAgain",
    "begins_with",
    "broken_references",
    "first_bytes",
    "insert_new",
    "insert_row",
    "lock_names",
    "only_process",
    "savepoint",
    "word",
]
