"""Walks by hand: python -m tests.model --steps 1000000 --seed 1 --database both"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from math import inf
from multiprocessing import get_context

from tests.model.by_hand import walked_on
from tests.model.many import both, interleaved


def main() -> None:
    """Walk, compare the systems, and say what was done."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help="in all, over the systems")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--minutes", type=float, default=inf, help="end after so long, whatever was done")
    said = parser.parse_args()
    names = ("sqlite", "postgresql") if said.database == "both" else (said.database,)
    with ProcessPoolExecutor(len(names), mp_context=get_context("spawn")) as pool:
        waiting = [
            pool.submit(walked_on, name, said.seed, said.steps // len(names), said.minutes) for name in names
        ]
        walked = [one.result() for one in waiting]
    for (rule, outcome), times in sorted(walked[0].outcomes.items()):
        sys.stdout.write(f"{times:9}  {rule}: {outcome}\n")
    for name, one in zip(names, walked, strict=True):
        found = len(one.disagreements)
        sys.stdout.write(f"{name}: {one.steps} steps, {one.submissions} documents, {found} disagreements\n")
    differing = list(interleaved(walked))
    sys.stdout.write(
        f"{len(both(walked))} walks on all, {len(differing)} answered differently: {differing}\n"
    )
    raise SystemExit(bool(differing or any(one.disagreements for one in walked)))


if __name__ == "__main__":
    main()
