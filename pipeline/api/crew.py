"""Crew: several processes that serve one socket; one that died is replaced, and all end with the first.

They are forked from a process that has opened nothing but the socket, so that each has its own connections to
the database. Whichever is free takes the next connection.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from types import FrameType

from pipeline import journal

LOOK_SECONDS = 0.2  # how soon it is seen that all are to end
PAUSE_SECONDS = 1  # before a worker is replaced: one that cannot even begin must not be begun all the time


def run_crew(workers: int, work: Callable[[], None], grace_seconds: float) -> None:
    """Let so many processes do `work` until SIGTERM or SIGINT; then end them, and wait for what they finish.

    `work` ends by itself on SIGTERM; who does not within `grace_seconds` is killed.
    """
    with _told_to_end() as told:
        crew = [_begin(work) for _ in range(workers)]
        while not told.is_set():
            wait([one.sentinel for one in crew], LOOK_SECONDS)
            for place, one in enumerate(crew):
                if not told.is_set() and not one.is_alive():
                    journal.event("server_died", journal.ERROR, pid=one.pid, exit=one.exitcode)
                    time.sleep(PAUSE_SECONDS)
                    crew[place] = _begin(work)
        _end(crew, time.monotonic() + grace_seconds)


def _end(crew: list[ForkProcess], until: float) -> None:
    """Tell them again and again: one that was only just begun may not have listened."""
    while any(one.is_alive() for one in crew) and time.monotonic() < until:
        for one in crew:
            one.terminate()
        wait([one.sentinel for one in crew if one.is_alive()], LOOK_SECONDS)
    for one in crew:
        one.kill()
        one.join()


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """What is set when this process is told to end; it is told nothing else meanwhile."""
    told = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        told.set()

    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _begin(work: Callable[[], None]) -> ForkProcess:
    begun = multiprocessing.get_context("fork").Process(target=_member, args=(work,))
    begun.start()
    return begun


def _member(work: Callable[[], None]) -> None:
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_DFL)
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    work()


def _end_with_the_first() -> None:
    """Nobody would replace or end this process any more."""
    first = multiprocessing.parent_process()
    if first is not None:
        first.join()
        os.kill(os.getpid(), signal.SIGTERM)
