"""Crashes by hand: python -m tests.crash --kills 10000 --seed S --database both; see docs/crash-points.md."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random

from tests.conftest import find_part
from tests.crash import tracing
from tests.crash.campaign import (
    Crash,
    Kind,
    Outcome,
    Tally,
    Worlds,
    carry_out_all,
    every_point,
    some_points,
    twice,
)
from tests.crash.stores import PostgresStore
from tests.crash.world import world
from tests.postgres import running_postgres

#: Out of a hundred crashes. What is named is killed at every passage of every point first.
SHARES = {Kind.KILL: 40, Kind.TWICE: 20, Kind.SYSCALL: 25, Kind.SFTP: 6, Kind.MAIL: 3, Kind.TERM: 2}
ON_POSTGRESQL = {Kind.BACKEND: 2, Kind.UNHEARD: 2}


def plan(counts: dict[str, int], calls: dict[str, int], rng: Random, count: int, system: str) -> list[Crash]:
    """So many crashes of every kind, in an order of chance."""
    shares = SHARES | (ON_POSTGRESQL if system == "postgresql" else {})
    total = sum(shares.values())
    crashes: list[Crash] = []
    for kind, share in shares.items():
        wanted = count * share // total
        if kind is Kind.KILL:
            every = every_point(counts)
            crashes += rng.sample(every, min(len(every), wanted))
            crashes += some_points(counts, rng, max(wanted - len(every), 0), kind)
        elif kind is Kind.TWICE:
            crashes += twice(counts, rng, wanted // 2)  # two kills each
        elif kind is Kind.SYSCALL:
            names = [call for call in calls for _ in range(min(calls[call], 100))]
            chosen = [rng.choice(names) for _ in range(wanted)]
            crashes += [Crash(kind, (call, rng.randint(1, calls[call]))) for call in chosen]
        else:
            crashes += some_points(_fitting(counts, kind), rng, wanted, kind)
    rng.shuffle(crashes)
    return crashes


def _fitting(counts: dict[str, int], kind: Kind) -> dict[str, int]:
    """The points at which a kind of crash means something."""
    start = {Kind.SFTP: "sftp", Kind.MAIL: "smtp", Kind.BACKEND: "commit", Kind.UNHEARD: "commit"}.get(
        kind, ""
    )
    end = "after" if kind is Kind.UNHEARD else ""
    return {name: passes for name, passes in counts.items() if name.startswith(start) and name.endswith(end)}


def run(system: str, makes: Sequence[Worlds], chosen: argparse.Namespace, count: int) -> Tally:
    """The crashes on one database system; says what it finds as it finds it."""
    with makes[0]() as first:
        first.reset()
        calls = tracing.counts(first)
    began = time.monotonic()

    def progress(outcome: Outcome) -> None:
        if outcome.breaches:
            print(f"{system}: {outcome}", flush=True)

    def planned(counts: dict[str, int]) -> list[Crash]:
        return plan(counts, calls, Random(chosen.seed), count, system)

    until = began + chosen.seconds / (2 if chosen.database == "both" else 1) if chosen.seconds else 0.0
    tally = carry_out_all(makes, planned, progress, until)
    seconds = time.monotonic() - began
    print(f"{system}: {tally}, {seconds:.0f} s, {seconds / max(tally.kills, 1):.2f} s each", flush=True)
    return tally


def main() -> int:
    """Crash as often as asked; 1 when anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="in all; a few more or less")
    parser.add_argument("--seed", type=int, default=1, help="the same seed plans the same crashes")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long; 0: never")
    chosen = parser.parse_args()
    sftp = find_part("sftp-server")
    if sftp is None:
        parser.error("needs sftp-server (Debian: apt-get install openssh-sftp-server)")
    systems = ("sqlite", "postgresql") if chosen.database == "both" else (chosen.database,)
    print(f"seed {chosen.seed}", flush=True)
    whole = Tally()
    for system in systems:
        with ExitStack() as stack:
            makes: list[Worlds] = [partial(world, sftp)] * chosen.jobs
            if system == "postgresql":
                makes = _on_postgresql(stack, sftp, chosen.jobs)
            whole.outcomes += run(system, makes, chosen, chosen.kills // len(systems)).outcomes
    print(whole, flush=True)
    return 1 if whole.failures else 0


def _on_postgresql(stack: ExitStack, sftp: Path, jobs: int) -> list[Worlds]:
    postgres = find_part("postgres")
    if postgres is None:
        raise SystemExit("needs postgres (Debian: apt-get install postgresql)")
    server = stack.enter_context(running_postgres(postgres))

    def on(url: str) -> Worlds:
        return partial(world, sftp, store=lambda _: PostgresStore(server, url))

    return [on(server.new_database()) for _ in range(jobs)]


if __name__ == "__main__":
    sys.exit(main())
