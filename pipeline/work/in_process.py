"""The queue of one process: what its transactions make due it does itself, on any database.

It remembers nothing beyond its own end, and need not: the rows say what is due. `countermand poll` does the
same without a queue, by looking at all rows in each round.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from storage.due import Due


class InProcess:
    """The WorkQueue port for a process that is alone, and the rights of its threads."""

    def __init__(self) -> None:
        self._due: deque[Due] = deque()
        self._turn = threading.Lock()
        self._names: set[str] = set()

    def put(self, tx: Connection, due: frozenset[Due]) -> None:
        """Put work down. Should the transaction be undone after all, it will find nothing to do."""
        del tx
        self._due.extend(one for one in sorted(due, key=_order) if one not in self._due)

    def take(self) -> Due | None:
        """What is to be done next; None when there is nothing."""
        return self._due.popleft() if self._due else None

    @contextmanager
    def alone(self, name: str) -> Iterator["InProcess | None"]:
        """The only thread of this process to work on this; None when another is at it."""
        with self._turn:
            mine = name not in self._names
            self._names.add(name)
        try:
            yield self if mine else None
        finally:
            if mine:
                with self._turn:
                    self._names.discard(name)

    def check(self, tx: Connection) -> None:
        """A process that is alone loses nothing."""


def _order(due: Due) -> tuple[str, str, int]:
    return due.work.value, due.partner, due.file_id
