"""The mark in FILE.lock beside a SQLite file: how far its ledger had come when a round was last finished."""

import re
from pathlib import Path

from storage.database.errors import DatabaseUnavailable, NotTheSame

_MARK = re.compile(r"countermand has come to ([0-9]{1,18})\n", re.ASCII)


def check_there(path: Path) -> None:
    """A database that is gone is not begun anew without a word."""
    if read_mark(path) is not None and (not path.exists() or not path.stat().st_size):
        raise NotTheSame(
            f"The database {path} is gone, and {lock_of(path).name} says that there was one. Put a backup"
            " in its place and run: countermand restored. To begin with an empty ledger, remove"
            f" {lock_of(path)}."
        )


def lock_of(path: Path) -> Path:
    """The file beside the database."""
    return Path(f"{path}.lock")


def read_mark(path: Path) -> int | None:
    """How far the ledger had come; None when no round was ever finished here, or it cannot be read."""
    try:
        found = _MARK.fullmatch(lock_of(path).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    return None if found is None else int(found[1])


def write_mark(path: Path, come_to: int) -> None:
    """Say how far the ledger has come; DatabaseUnavailable when that cannot be written."""
    try:
        with open(lock_of(path), "r+b", buffering=0) as file:  # not replaced: others hold a lock on it
            file.write(f"countermand has come to {come_to}\n".encode())
            file.truncate()
    except OSError as error:
        raise DatabaseUnavailable(
            f"The lock file {lock_of(path)} cannot be written: {error.strerror}."
        ) from error
