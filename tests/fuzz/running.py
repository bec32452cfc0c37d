"""Running: targets by name, fed by the mutator alone or by atheris, and what they find, made small."""

import hashlib
import os
import re
import sys
import tempfile
import time
import traceback
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from edi import compiled, elements
from tests.fuzz import orders, reading, writing
from tests.fuzz.mutation import BYTES_MAX, Mutator
from tests.fuzz.seeds import seeds

Check = Callable[[bytes], frozenset[str]]

#: Each target with its properties; docs/fuzzing.md says them in words.
TARGETS: dict[str, Check] = {
    "envelope": reading.check_envelope,
    "guide": reading.check_guide,
    "oracle": writing.check_oracle,
    "orders": orders.check_orders,
    "answers": writing.check_answers,
    "rewrite": writing.check_rewrite,
    "writers": writing.check_writers,
    "show": reading.check_show,
    "redact": reading.check_redact,
}
#: Takes any bytes as a string of choices; a file means nothing to it.
UNSTRUCTURED = frozenset({"writers"})

CORPUS_MAX = 4_000  # inputs worth going on from, by what they led to, and no longer than these bytes
CORPUS_BYTES_MAX = 3_000
MINIMISING_TRIES = 600
SLOW = "too slow"
# Of processor time, by hand only: 200 times what the slowest target takes for a byte.
SECONDS_MAX, SECONDS_PER_BYTE_MAX = 2.0, 0.002


def keep_patterns() -> None:
    """Keep patterns for all delimiters, and share them between guides: a run meets many more than a hub."""
    vars(compiled).update(
        _tables_per_guide_max=256, segment_pattern=lru_cache(None)(elements.segment_pattern)
    )
    vars(re).update(_MAXCACHE=100_000)


@dataclass(slots=True)
class Run:
    """One target at work: how many inputs it had, and the first input for each way it failed."""

    name: str
    keep: Path
    count: int = 0
    started: float = field(default_factory=time.monotonic)
    found: dict[str, bytes] = field(default_factory=dict)
    seen: set[frozenset[str]] = field(default_factory=set)

    def one(self, data: bytes) -> bool:
        """Check one input; whether it led to something new."""
        self.count += 1
        began = time.process_time()
        kind, failure = outcome(TARGETS[self.name], data)
        spent = time.process_time() - began
        if not failure and self.count > 100 and spent > SECONDS_MAX + SECONDS_PER_BYTE_MAX * len(data):
            failure = f"{SLOW} | {spent:.1f} s for {len(data)} bytes"
        if failure and failure.partition(" | ")[0] not in self.found:
            self.found[failure.partition(" | ")[0]] = data
            self._say(failure, data)
        if kind in self.seen:
            return False
        self.seen.add(kind)
        return True

    def _say(self, failure: str, data: bytes) -> None:
        self.keep.mkdir(parents=True, exist_ok=True)
        path = self.keep / f"{self.name}-{hashlib.sha256(data).hexdigest()[:10]}.edi"
        if not failure.startswith(SLOW):
            data = minimised(TARGETS[self.name], data, failure.partition(" | ")[0])
        path.write_bytes(data)
        print(f"{self.name}: {failure}\n  {path}: {data[:400]!r}", flush=True)

    def report(self) -> int:
        """Say what was done; 1 when something was found."""
        seconds = time.monotonic() - self.started
        print(
            f"{self.name}: {self.count} inputs in {seconds:.0f} s, {self.count / seconds:.0f} a second, "
            f"{len(self.seen)} kinds of outcome, {len(self.found)} findings",
            flush=True,
        )
        return 1 if self.found else 0


def outcome(check: Check, data: bytes) -> tuple[frozenset[str], str]:
    """The kind of file it was; and, when the check failed, where, " | " and with which words."""
    try:
        return check(data), ""
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if "site-packages" not in one.filename] or frames
        where = f"{type(error).__name__} at {Path(own[-1].filename).name}:{own[-1].lineno}"
        return frozenset((where,)), f"{where} | {str(error)[:500]}"


def minimised(check: Check, data: bytes, failure: str) -> bytes:
    """A shorter input with the same failure: pieces of it are left out while that keeps it."""
    size, tries = len(data) // 2, 0
    while size and tries < MINIMISING_TRIES:
        at = 0
        while at < len(data) and tries < MINIMISING_TRIES:
            shorter = data[:at] + data[at + size :]
            tries += 1
            if outcome(check, shorter)[1].partition(" | ")[0] == failure:
                data = shorter
            else:
                at += size
        size //= 2
    return data


def plain(name: str, chosen: Namespace) -> int:
    """Seeded mutation of the seeds, and of inputs that led to something new."""
    run, rng = Run(name, chosen.keep), Random(chosen.seed)
    mutator, corpus = Mutator(seeds()), list(seeds().files)
    begun_with = len(corpus)
    for data in corpus:
        run.one(data)
    while run.count < chosen.runs:
        if chosen.seconds and time.monotonic() - run.started > chosen.seconds:
            break
        data = (
            rng.randbytes(rng.choice((64, 512, 4096)))
            if name in UNSTRUCTURED
            else mutator.mutated(rng.choice(corpus), rng)
        )
        if run.one(data) and name not in UNSTRUCTURED and len(data) <= CORPUS_BYTES_MAX:
            if len(corpus) < CORPUS_MAX:
                corpus.append(data)
            else:
                corpus[rng.randrange(begun_with, CORPUS_MAX)] = data
    return run.report()


def guided(atheris: Any, chosen: Namespace) -> int:
    """Coverage-guided by atheris: libFuzzer chooses what to mutate, our mutator how. Ends the process."""
    run, mutator = Run(chosen.target, chosen.keep), Mutator(seeds())

    def test_one_input(data: bytes) -> None:
        run.one(data)
        late = chosen.seconds and time.monotonic() - run.started > chosen.seconds
        if run.count >= chosen.runs or late:
            code = run.report()
            sys.stderr.flush()
            os._exit(code)

    def mutate(data: bytes, size_max: int, seed: int) -> bytes:
        return mutator.mutated(data, Random(seed))[:size_max]

    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for number, data in enumerate(seeds().files):
        (folder / f"{number:04}").write_bytes(data)
    options = [sys.argv[0], "-runs=-1", f"-seed={chosen.seed}", f"-max_len={BYTES_MAX}", "-detect_leaks=0"]
    options += ["-timeout=120", "-rss_limit_mb=4096", str(folder)]
    if chosen.target in UNSTRUCTURED:
        atheris.Setup(options, test_one_input)
    else:
        atheris.Setup(options, test_one_input, custom_mutator=mutate)
    atheris.Fuzz()
    return run.report()
