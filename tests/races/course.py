"""A race: real processes on one hot line, on 300 lines and on small orders, and what must be true then."""

import multiprocessing
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import select

from storage.database import Database
from storage.invariants import audit
from storage.models import table
from tests.races.history import Breach, read_histories
from tests.races.racer import (
    HOT,
    LINES_OF_EACH,
    MANY,
    ORDERS_MANY,
    ORDERS_SMALL,
    SMALL,
    Task,
    more,
    race,
    reports,
)
from tests.unit.storage.build import change, place, submit

RACE_SECONDS_MAX = 100.0
STOPPED_SECONDS = 0.2
HOT_UNITS = "12"

_EVENTS = table("event")


@dataclass(slots=True)
class Raced:
    """What came of a race."""

    rounds: int = 0
    killed: int = 0
    stopped: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)


def prepare(url: str, hot_units: str = HOT_UNITS) -> None:
    """The orders that are raced for."""
    database = Database(url)
    with database.writing() as tx:
        submit(tx, place(hot_units, po=HOT))
        for number in range(ORDERS_MANY):
            submit(tx, place(*["4"] * LINES_OF_EACH, po=f"{MANY}-{number}"))
        for number in range(ORDERS_SMALL):
            submit(tx, place("6", "6", po=f"{SMALL}-{number}"))
    database.close()


def refill(url: str, units: str) -> None:
    """So many units more on the hot line, which a race may have used up."""
    database = Database(url)
    with database.writing() as tx:
        submit(tx, change(HOT, more("1", units)))
    database.close()


def run(
    url: str, folder: Path, *, processes: int, rounds: int, seed: int, variant: str = "", harm: bool = True
) -> Raced:
    """Let the processes race until each has done its rounds; one that was killed has a successor."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.races.racer"])
    raced = Raced()
    running: list[tuple[BaseProcess, Task]] = []

    def start(task: Task) -> None:
        process = context.Process(target=race, args=(task,))
        process.start()
        running.append((process, task))

    for number in range(processes):
        start(
            Task(url=url, seed=seed * 1000 + number, rounds=rounds, report=str(folder / f"report-{number}"),
                 variant=variant, harm=harm)
        )  # fmt: skip
    stopped: dict[int, float] = {}
    deadline = time.monotonic() + RACE_SECONDS_MAX
    while running:
        for process, task in list(running):
            if process.exitcode is None:
                _continued(process, stopped, raced)
                continue
            running.remove((process, task))
            if process.exitcode == -signal.SIGKILL and task.rounds > 1:
                raced.killed += 1
                done = task.rounds // 2
                start(Task(url=url, seed=task.seed + 100, rounds=task.rounds - done, report=f"{task.report}+",
                           variant=variant, harm=harm))  # fmt: skip
            elif process.exitcode not in (0, -signal.SIGKILL):
                raced.breaches.append(f"a process ended with {process.exitcode}")
        if time.monotonic() > deadline:
            for process, _ in running:
                process.kill()
            raise AssertionError(f"the race does not end; {len(running)} processes are at it still")
        time.sleep(0.005)
    _judge(url, folder, raced)
    return raced


def _continued(process: BaseProcess, stopped: dict[int, float], raced: Raced) -> None:
    """Who was stopped goes on after a while."""
    pid = process.pid
    assert pid is not None
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return
    if state != "T":
        return
    since = stopped.setdefault(pid, time.monotonic())
    if time.monotonic() - since > STOPPED_SECONDS:
        del stopped[pid]
        raced.stopped += 1
        os.kill(pid, signal.SIGCONT)


def _judge(url: str, folder: Path, raced: Raced) -> None:
    """The oracle: the histories, the counters, the audit, and every word that was given."""
    told = reports(folder)
    raced.rounds = len(told)
    raced.outcomes.update(str(one.get("outcome", "error")) for one in told)
    raced.breaches += [f"{one['file']}: {one['error']}" for one in told if "error" in one]
    database = Database(url)
    with database.reading() as tx:
        for history in read_histories(tx):
            try:
                history.check()
            except Breach as breach:
                raced.breaches.append(str(breach))
        raced.breaches += [f"audit: {breach}" for breach in audit(tx)]
        written: dict[str, set[tuple[int, int, str]]] = {}
        rows = tx.execute(
            select(_EVENTS.c.order_id, _EVENTS.c.sequence, _EVENTS.c.kind, _EVENTS.c.source_file)
        ).all()
    database.close()
    for row in rows:
        written.setdefault(row.source_file, set()).add((row.order_id, row.sequence, row.kind))
    promised: dict[str, list[set[tuple[int, int, str]]]] = {}
    for one in told:
        if one.get("events"):
            promised.setdefault(one["file"], []).append({(o, s, k) for o, s, k in one["events"]})
    for file, events in promised.items():
        if len(events) > 1:
            raced.breaches.append(f"{file} was applied {len(events)} times")
        if events[0] != written.get(file):
            raced.breaches.append(f"{file}: told {events[0]}, written {written.get(file)}")
    untold = written.keys() - promised.keys() - {"drop.edi"}
    if len(untold) > raced.killed:
        raced.breaches.append(
            f"{len(untold)} documents were applied and nobody was told: {sorted(untold)[:5]}"
        )
