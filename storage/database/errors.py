"""What can go wrong with the database, as sentences a person can act on."""

from sqlalchemy import exc


class DatabaseUnavailable(Exception):
    """The database cannot be used as it is; the message says why and what to do."""


class TryAgain(DatabaseUnavailable):
    """Others were in the way and nothing was written; the same work may well succeed now."""


class TooMuch(DatabaseUnavailable):
    """One statement took more time or memory than there is; the work itself may be the reason."""


class InDoubt(DatabaseUnavailable):
    """The connection was lost while committing, and it cannot be found out whether that was done."""


class NotTheSame(DatabaseUnavailable):
    """The database is not the one it was, or its schema is another: going on is for a person to decide."""


class AlreadyRunning(Exception):
    """Another process is at work on this database."""


class LedgerBug(Exception):
    """The database refused what the rule had allowed: a mistake in the program, never a partner's."""


# What a system says -> what it means for a person. The first match counts.
_SQLITE = (
    (
        "database is locked",
        "is locked by another program for longer than we wait; end that program and try again",
    ),
    ("readonly database", "cannot be written; check the permissions of the file and of its folder"),
    ("unable to open database file", "cannot be opened; check that its folder exists and can be written"),
    ("file is not a database", "is not a SQLite database; check the path in the settings"),
    ("database disk image is malformed", "is damaged; restore a backup"),
    ("database or disk is full", "cannot grow, the disk is full; make room and try again"),
    ("disk i/o error", "cannot be read or written (disk I/O error); check the disk"),
)

# On a full disk SQLite cannot make the side file that its connections share, and calls that an I/O error.
_NO_ROOM = frozenset({"SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMMAP"})

# By SQLSTATE, which is the same in every language the server may speak.
_POSTGRESQL = {
    "40001": "was changed by others at the same time, several times over; try again",
    "40P01": "was changed by others at the same time, several times over; try again",
    "55P03": "has rows that others hold for longer than we wait (lock_timeout); see who does in"
    " pg_stat_activity, and try again",
    "57014": "did not finish one statement in the time allowed (statement_timeout), or somebody cancelled it;"
    " nothing of it was written",
    "25P03": "ended our session, which was idle in a transaction for too long; nothing of it was written."
    " Was this process stopped for a while?",
    "57P01": "ended our session (it is being stopped, or somebody ended it); nothing was written, try again",
    "57P02": "stopped after a crash of one of its processes; nothing was written, try again",
    "57P03": "is starting or being stopped; try again when it runs",
    "53100": "cannot grow, the disk of the server is full; make room and try again",
    "53200": "has no memory left; see the server's log",
    "53300": "has no connection left for us; end other programs or raise max_connections",
    "25006": "cannot be written: it is a standby, or was set to read only; check the address in the settings",
    "42501": "does not give our role the rights it needs; docs/postgresql.md says which",
    "58030": "cannot be read or written (disk I/O error); check the server's disk",
    "XX001": "is damaged; restore a backup",
    "XX002": "has a damaged index; see REINDEX in PostgreSQL's manual",
}

# Without a session there is no SQLSTATE: only words, the driver's own and the server's.
_NO_SESSION = (
    ("connection refused", "does not answer; check that the server runs, and the address in the settings"),
    ("no such file or directory", "does not answer; check that the server runs, and the address"),
    ("timeout expired", "does not answer in time; check the network, and the address in the settings"),
    ("resolve host", "is on a host whose name is not known; check the address in the settings"),
    ("translate host name", "is on a host whose name is not known; check the address in the settings"),
    ("password authentication failed", "refuses our password; check it in the settings"),
    ("no password supplied", "asks for a password; put one into the address or into ~/.pgpass"),
    ("no pg_hba.conf entry", "does not let us in from this machine; its pg_hba.conf says who may come"),
    ("too many connections", "has no connection left for us; end other programs or raise its limit"),
    ("too many clients", "has no connection left for us; end other programs or raise max_connections"),
    ("remaining connection slots", "has no connection left for us; end other programs"),
    ("shutting down", "is being stopped; try again when it runs"),
    ("starting up", "is starting; try again in a moment"),
    ("recovery mode", "is recovering from a crash; try again in a moment"),
    ("server closed the connection", "broke off the connection; nothing was written, try again"),
    ("connection reset", "broke off the connection; nothing was written, try again"),
    ("connection is lost", "broke off the connection; nothing was written, try again"),
    ("connection is closed", "broke off the connection; nothing was written, try again"),
    ("consuming input failed", "broke off the connection; nothing was written, try again"),
)

_KINDS = {"40001": TryAgain, "40P01": TryAgain, "57014": TooMuch, "53200": TooMuch}


def unavailable(error: Exception, place: str) -> DatabaseUnavailable:
    """SQLite's own error as one sentence; `place` is the file."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    said = str(cause)
    if getattr(cause, "sqlite_errorname", "") in _NO_ROOM:
        said = "database or disk is full"
    for words, sentence in _SQLITE:
        if words in said.lower():
            kind = TryAgain if words == "database is locked" else DatabaseUnavailable
            return kind(f"The database {place} {sentence}.")
    return _unknown(said, place)


def trouble(error: exc.DBAPIError, place: str, dialect: str) -> DatabaseUnavailable | None:
    """The database's own trouble as one sentence; None for what a statement of ours caused."""
    if dialect == "sqlite":
        # Not a subclass: "file is not a database", "malformed".
        own = isinstance(error, exc.OperationalError) or type(error) is exc.DatabaseError
        return unavailable(error, place) if own else None
    state = getattr(error.orig, "sqlstate", None)
    if state in _POSTGRESQL:
        kind = _KINDS.get(state, DatabaseUnavailable)
        return kind(f"The database {place} {_POSTGRESQL[state]}.")
    if not isinstance(error, exc.OperationalError) and not error.connection_invalidated:
        return None
    said = str(error.orig)
    if state is None:
        for words, sentence in _NO_SESSION:
            if words in said.lower():
                return DatabaseUnavailable(f"The database {place} {sentence}.")
    return _unknown(said, place)


def _unknown(said: str, place: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(f"The database {place} cannot be used: {' '.join(said.split())}.")
