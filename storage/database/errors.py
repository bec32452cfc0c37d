"""What can go wrong with the database, as sentences a person can act on."""

from sqlalchemy import exc


class DatabaseUnavailable(Exception):
    """The database cannot be used as it is; the message says why and what to do."""


class AlreadyRunning(Exception):
    """Another process is at work on this database."""


class LedgerBug(Exception):
    """The database refused what the rule had allowed: a mistake in the program, never a partner's."""


# What SQLite says -> what it means for a person. The first match counts.
_SENTENCES = (
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


def unavailable(error: Exception, place: str) -> DatabaseUnavailable:
    """The database's own error as one sentence; `place` is the file or the server."""
    said = str(error.orig if isinstance(error, exc.DBAPIError) else error)
    for words, sentence in _SENTENCES:
        if words in said.lower():
            return DatabaseUnavailable(f"The database {place} {sentence}.")
    return DatabaseUnavailable(f"The database {place} cannot be used: {' '.join(said.split())}.")
