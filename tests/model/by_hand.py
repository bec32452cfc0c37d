"""Walks on one system in a process of its own, which says from time to time how far it is."""

import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import find_part
from tests.model.many import Walked, run
from tests.model.systems import Postgresql, Sqlite
from tests.postgres import running_postgres

TOLD_EVERY_STEPS = 50_000


def walked_on(name: str, seed: str, count: int, minutes: float) -> Walked:
    """All the steps on one system, in a process of its own."""
    started, last, found = time.monotonic(), 0, 0
    until = started + minutes * 60

    def told(walked: Walked) -> None:
        nonlocal last, found
        said = walked.disagreements[found:]
        found = len(walked.disagreements)
        if walked.steps - last >= TOLD_EVERY_STEPS or walked.steps >= count:
            last = walked.steps
            said.append(f"{walked.steps} steps, {last / (time.monotonic() - started):.0f} a second")
        sys.stdout.write("".join(f"{name}: {one}\n" for one in said))
        sys.stdout.flush()

    if name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            return run(Sqlite(Path(folder)), seed, count, go_on=True, until=until, told=told)
    program = find_part("postgres")
    if program is None:
        raise SystemExit("there is no PostgreSQL here")
    with running_postgres(program) as server:
        return run(Postgresql(server), seed, count, go_on=True, until=until, told=told)
