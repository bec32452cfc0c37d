"""Races by hand: python -m tests.races --database postgresql --processes 32 --rounds 200 --races 5"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import find_part
from tests.races import course


def main() -> None:
    """Race, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.races", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--races", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--variant", default="")
    said = parser.parse_args()
    if said.database == "sqlite":
        _races(said, lambda folder: f"sqlite:///{folder / 'ledger.db'}")
        return
    from tests.postgres import running_postgres

    program = find_part("postgres")
    if program is None:
        raise SystemExit("there is no PostgreSQL here")
    with running_postgres(program) as server:
        _races(said, lambda _: server.new_database())


def _races(said: argparse.Namespace, new: "object") -> None:
    for seed in range(said.seed, said.seed + said.races):
        with tempfile.TemporaryDirectory() as place:
            folder, started = Path(place), time.monotonic()
            url = new(folder)  # type: ignore[operator]
            course.prepare(url)
            raced = course.run(
                url, folder, processes=said.processes, rounds=said.rounds, seed=seed, variant=said.variant
            )
            sys.stdout.write(
                f"seed {seed}: {raced.rounds} rounds in {time.monotonic() - started:.1f} s, "
                f"{raced.killed} killed,"
                f" {raced.stopped} stopped, {dict(raced.outcomes)}, breaches: {raced.breaches[:4]}\n"
            )


if __name__ == "__main__":
    main()
