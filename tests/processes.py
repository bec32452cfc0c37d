"""Work in a process of its own, which a test may kill."""

import os
from collections.abc import Callable


def in_process(work: Callable[[], object]) -> int:
    """Run in a process of its own, as cron would; how it ended, as os.waitpid says it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]
