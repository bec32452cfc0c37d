"""Deadline: how long one file may keep the processor, and what ends it when it takes longer."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# An order of ten lines (1 kB) takes some 3 ms from bytes to ledger on one slow core, a set without content
# (16 bytes) 1 ms. 100 seconds for a megabyte are 30 times the one and twice the other.
FILE_SECONDS_MIN = 60.0
FILE_SECONDS_PER_MEGABYTE = 100.0
# 200,000 orders of ten lines fill the largest file: 10 to 20 minutes.
FILE_SECONDS_MAX = 3600.0

_AGAIN_SECONDS = 1.0  # should the exception get lost where Python swallows one (a destructor), it comes again


class TimeIsUp(KeyboardInterrupt):
    """The work took its time. As an interrupt, it passes every handler of ordinary errors on its way, and the
    database driver gives up what it waits for."""


def seconds_for(size_bytes: int) -> float:
    """Processor time for a file of this size."""
    by_size = FILE_SECONDS_MIN + FILE_SECONDS_PER_MEGABYTE * size_bytes / 1_000_000
    return min(by_size, FILE_SECONDS_MAX)


@contextmanager
def processor_seconds_max(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp inside the block when it has used so much processor time, user and system.

    Not the wall's time: a busy machine, a slow disk and a suspended process are no fault of the file's. Also
    a regular expression is interrupted in the middle, for Python's `re` looks for signals. Signals reach the
    main thread only; in another one there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_armed = True

    def ring(_: int, __: FrameType | None) -> None:
        if is_armed:
            raise TimeIsUp(f"it took more than {seconds:.0f} seconds of processor time")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN_SECONDS)
    try:
        try:
            yield
        finally:
            is_armed = False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        # The default would end the process, should a last signal be on its way.
        signal.signal(signal.SIGPROF, signal.SIG_IGN if before in (None, signal.SIG_DFL) else before)
