"""Turns: a process computes one change after the other; one that waits for something else is overtaken.

Two changes that compute at the same time only take the interpreter from each other, hundreds of times a
second, and keep more sessions of the database busy with the same work: each costs a third more.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: What a change has for itself. One that is not done by then waits: for a lock, a disk, the network.
ALONE_SECONDS = 0.02


class Turns:
    """Lets one begin at a time. Whoever waits, waits at most `alone_seconds` for each one before it."""

    def __init__(self, alone_seconds: float = ALONE_SECONDS) -> None:
        self._alone_seconds = alone_seconds
        self._changed = threading.Condition()
        self._holder: object = None
        self._until = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Begin when nobody is at work, or when who is has had its time."""
        me = object()
        with self._changed:
            while self._holder is not None and (left := self._until - time.monotonic()) > 0:
                self._changed.wait(left)
            self._holder, self._until = me, time.monotonic() + self._alone_seconds
        try:
            yield
        finally:
            with self._changed:
                if self._holder is me:
                    self._holder = None
                    self._changed.notify()
