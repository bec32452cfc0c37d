"""Side by side: of all servers that are waited for, none makes another one wait."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
AT_ONCE_MAX = 8  # servers spoken to; each may take a connection to the database


def side_by_side(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What each of them gives, in their order. All have ended when one's exception is raised.

    One alone is done where it is asked for: no thread, nothing else to reason about.
    """
    if min(len(tasks), AT_ONCE_MAX) < 2:
        return [task() for task in tasks]
    with ThreadPoolExecutor(min(len(tasks), AT_ONCE_MAX), "server") as threads:
        started = [threads.submit(task) for task in tasks]
    return [one.result() for one in started]
