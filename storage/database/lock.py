"""One process at a time on a SQLite database: a second one leaves at once instead of waiting."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.database.errors import AlreadyRunning, DatabaseUnavailable


@contextmanager
def only_process(path: Path | str) -> Iterator[None]:
    """Hold `<path>.lock`; raise AlreadyRunning when another process holds it.

    The system frees the lock with the process, however it ends. The file stays: removing it would let two
    processes hold a lock on two files of one name.
    """
    lock = Path(f"{path}.lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DatabaseUnavailable(f"The lock file {lock} cannot be opened: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"Another countermand process is at work on {path}; this one leaves it to that one."
            ) from error
        yield
    finally:
        os.close(handle)
