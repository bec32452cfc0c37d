"""Fuzzing by hand: python -m tests.fuzz TARGET --runs N --seed S; see docs/fuzzing.md."""

import argparse
import importlib
import importlib.util
import sys
import warnings
from contextlib import nullcontext
from pathlib import Path

#: Looked at for coverage.
ROOMS = ["edi", "storage", "pipeline"]


def main() -> int:
    """Run one target, or all of them one after the other; 1 when anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", help="one of docs/fuzzing.md, or all")
    parser.add_argument("--runs", type=int, default=10_000, help="inputs for each target")
    parser.add_argument("--seconds", type=float, default=0, help="stop a target after so long; 0: never")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same inputs")
    parser.add_argument("--keep", type=Path, default=Path(".fuzz"), help="where inputs that fail are kept")
    parser.add_argument("--plain", action="store_true", help="without atheris, even where it is installed")
    chosen = parser.parse_args()
    warnings.simplefilter("error")
    atheris = None
    if chosen.target != "all" and not chosen.plain and importlib.util.find_spec("atheris"):
        atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=ROOMS) if atheris else nullcontext():
        running = importlib.import_module("tests.fuzz.running")
    names = list(running.TARGETS) if chosen.target == "all" else [chosen.target]
    if unknown := set(names) - running.TARGETS.keys():
        parser.error(f"there is no target {unknown.pop()}; there are {', '.join(running.TARGETS)}")
    running.keep_patterns()
    print(f"seed {chosen.seed}", flush=True)
    if atheris:
        return int(running.guided(atheris, chosen))
    return int(max([running.plain(name, chosen) for name in names]))


if __name__ == "__main__":
    sys.exit(main())
