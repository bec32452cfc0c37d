"""Turns: a process computes one change after the other, as long as changes compute and do not wait.

Two changes that compute at the same time only take the interpreter from each other, hundreds of times a
second, and keep more sessions of the database busy with the same work: each costs a quarter more. Changes
that wait for something else, as for a database that is far away, lose by turns: they take none.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

#: What a change has for itself. One that is not done by then waits: for a lock, a disk, the network.
ALONE_SECONDS = 0.02
#: Whoever comes when nobody is at work begins, before those who have yet to wake up, unless one of them has
#: waited for so long.
PASSED_SECONDS = 0.03
#: So many that were overtaken, one after the other, were no accident: there are no turns then for a while.
OVERTAKEN_MAX = 5
FREE_SECONDS = 1.0
_LOOK_SECONDS = 0.001  # between two looks of who is not the next


class Turns:
    """Lets one begin at a time."""

    def __init__(self, alone_seconds: float = ALONE_SECONDS, passed_seconds: float = PASSED_SECONDS) -> None:
        self._alone_seconds = alone_seconds
        self._passed_seconds = passed_seconds
        self._mutex = threading.Lock()
        self._waiting: deque[tuple[threading.Lock, float]] = deque()  # whose gate, and since when
        self._holder: threading.Lock | None = None
        self._until = 0.0
        self._overtaken = 0  # in a row
        self._free_until = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Begin when the one before has ended, or has had its time; at once while there are no turns."""
        gate = threading.Lock()
        gate.acquire()
        self._come(gate)
        try:
            yield
        finally:
            self._go(gate)

    def _come(self, gate: threading.Lock) -> None:
        now = time.monotonic()
        with self._mutex:
            if now < self._free_until:
                return
            first_since = self._waiting[0][1] if self._waiting else now
            if self._holder is None and now - first_since < self._passed_seconds:
                self._begin(gate)
                return
            self._waiting.append((gate, now))
        while True:
            gate.acquire(timeout=max(_LOOK_SECONDS, self._until - time.monotonic()))
            with self._mutex:
                if self._waiting[0][0] is gate and self._may_begin():
                    self._waiting.popleft()
                    self._begin(gate)
                    return

    def _may_begin(self) -> bool:
        """Whether the next one may begin; who is at work is overtaken then."""
        now = time.monotonic()
        if self._holder is None or now < self._free_until:
            return True
        if now < self._until:
            return False
        self._overtaken += 1
        if self._overtaken == OVERTAKEN_MAX:
            self._overtaken, self._free_until = 0, now + FREE_SECONDS
        return True

    def _begin(self, gate: threading.Lock) -> None:
        self._holder = gate
        self._until = time.monotonic() + self._alone_seconds

    def _go(self, gate: threading.Lock) -> None:
        with self._mutex:
            if self._holder is not gate:
                return  # it was overtaken, or had no turn
            self._holder, self._overtaken = None, 0
            if self._waiting and self._waiting[0][0].locked():
                self._waiting[0][0].release()
