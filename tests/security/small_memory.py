"""Reads what waits in a process of little memory, run after run, as cron would: give settings and runs."""

import os
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from pipeline.settings import load
from pipeline.waiting import ingest_waiting
from storage.database import Database

MORE_BYTES = 10 * 1024 * 1024  # than the program itself takes

settings = load(Path(sys.argv[1]), {})
used = Database(settings.database.url)
with used.reading():  # what is loaded for the first connection belongs to the program itself
    pass
used.close()
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        try:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            bound = pages * resource.getpagesize() + MORE_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
            ingest_waiting(
                settings, Database(settings.database.url), lambda: datetime(2026, 3, 1, tzinfo=UTC)
            )
        finally:
            os._exit(0)
    os.waitpid(child, 0)
