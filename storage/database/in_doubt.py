"""Commits whose reply is lost: PostgreSQL is asked what became of them, by number; nothing is guessed."""

import random
import time
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, Engine, Row, Text, cast, exc, func, select, text

from storage.database.prepared import Prepared

LOOK_SECONDS = 60.0  # a server that crashed is back within half a minute, or a person must look anyway
PATIENCE_SECONDS = 2.0  # for the old session to end by itself; after that we end it
_PAUSE_SECONDS, _PAUSE_SECONDS_MAX = 0.1, 2.0


class Ending(Enum):
    """What became of a transaction."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a transaction that wrote can be recognised by."""

    number: str  # of the transaction; PostgreSQL's xid8, which never comes again in one history
    history: (
        str  # the server's timeline: a standby that took over may have lost ours and given its number again
    )
    process: int  # the server's process at the other end of our connection


_TICKET = Prepared(
    select(
        cast(func.pg_current_xact_id_if_assigned(), Text),
        func.substr(func.pg_walfile_name(func.pg_current_wal_lsn()), 1, 8),
        func.pg_backend_pid(),
    )
)
_ASK = text(
    "SELECT pg_xact_status(CAST(:number AS xid8)) AS status, pg_is_in_recovery() AS recovering, CASE WHEN NOT"
    " pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS history"
)
# Only the very session that runs our transaction: process numbers come again.
_END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid = :process AND backend_xid = CAST(CAST(:number AS xid8) AS xid)"
)


def ticket(tx: Connection) -> Ticket | None:
    """The transaction's ticket, to be taken just before it is committed; None when it wrote nothing."""
    ((number, history, process),) = _TICKET.all(tx)
    return None if number is None else Ticket(number, history, process)


def is_lost(error: exc.DBAPIError) -> bool:
    """Whether a commit that failed in this way may have been done all the same."""
    return error.connection_invalidated or _state(error).startswith(("57P", "08"))


def ending(engine: Engine, wanted: Ticket) -> Ending:
    """What became of it, on new connections; after LOOK_SECONDS without an answer it is unknown."""
    begun = time.monotonic()
    pause = _PAUSE_SECONDS
    while True:
        try:
            with engine.connect() as tx:
                row = tx.execute(_ASK, {"number": wanted.number}).one()
                found = _judge(row, wanted)
                patient = time.monotonic() - begun < PATIENCE_SECONDS
                if found is None and not row.recovering and not patient:
                    tx.execute(_END, {"number": wanted.number, "process": wanted.process})
        except (exc.DBAPIError, exc.TimeoutError) as error:
            # "in the future": the server never gave this number, so it is another's history.
            found = Ending.UNKNOWN if _state(error) == "22023" else None
        if found is not None:
            return found
        if time.monotonic() - begun > LOOK_SECONDS:
            return Ending.UNKNOWN
        time.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(pause * 2, _PAUSE_SECONDS_MAX)


def _state(error: Exception) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def _judge(row: Row[tuple[object, ...]], wanted: Ticket) -> Ending | None:
    """None: not decided yet."""
    if row.recovering or row.status == "in progress":
        return None
    if row.history != wanted.history:
        return Ending.UNKNOWN
    return {"committed": Ending.COMMITTED, "aborted": Ending.ABORTED}.get(row.status, Ending.UNKNOWN)
