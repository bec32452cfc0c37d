"""A campaign: a list of crashes, carried out one after the other in worlds of their own."""

import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from random import Random

import psycopg

from tests.crash import tracing
from tests.crash.checking import DOUBLE, LOST, MAILED_TWICE
from tests.crash.points import LOOKING, Passages
from tests.crash.stores import PostgresStore
from tests.crash.world import ENDED, UNLISTED, Ended, World

Point = tuple[str, int]


class Kind(StrEnum):
    """What happens at a point."""

    KILL = "killed"  # kill -9 of our process
    TWICE = "killed twice"  # and again while the next one recovers
    TERM = "terminated"  # SIGTERM
    SFTP = "sftp-server killed"
    MAIL = "mail server killed"
    SYSCALL = "killed at a system call"
    BACKEND = "backend killed"  # PostgreSQL's process for our connection
    RESTART = "database restarted"  # stopped at once, without a word, and started again
    UNHEARD = "commit not heard"  # the commit happened, and its answer was lost


@dataclass(frozen=True, slots=True)
class Crash:
    """What is to happen, and where: at the nth passage of a point, or the nth call of a system call."""

    kind: Kind
    at: Point
    again: Point | None = None

    def __str__(self) -> str:
        second = f", again at {self.again[0]} {self.again[1]}" if self.again else ""
        return f"{self.kind} at {self.at[0]} {self.at[1]}{second}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    crash: Crash
    happened: int  # how often something was really killed: a run may end before its point
    breaches: tuple[str, ...]
    uncertain: int
    delivered: int
    seconds: float  # from the signal to the end of our process

    def __str__(self) -> str:
        return "\n  ".join((str(self.crash), *self.breaches))


@dataclass(slots=True)
class Tally:
    """The figures of a campaign."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return sum(outcome.happened for outcome in self.outcomes)

    @property
    def failures(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.breaches]

    def points(self) -> set[str]:
        """Where something was really killed."""
        return {outcome.crash.at[0] for outcome in self.outcomes if outcome.happened}

    def __str__(self) -> str:
        """One line of figures."""
        kinds: Counter[str] = Counter()
        for outcome in self.outcomes:
            kinds[outcome.crash.kind] += outcome.happened
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        breaches = [breach for outcome in self.outcomes for breach in outcome.breaches]

        def count(word: str) -> int:
            return sum(breach.startswith(word) for breach in breaches)

        uncertain = sum(outcome.uncertain for outcome in self.outcomes)
        delivered = sum(outcome.delivered for outcome in self.outcomes)
        return (
            f"{self.kills} kills ({said}): {count(LOST)} lost, {count(DOUBLE)} double effects,"
            f" {count(MAILED_TWICE)} mails sent twice, {uncertain} mails uncertain ({delivered} of them"
            f" delivered), {len(breaches)} breaches"
        )


def carry_out(world: World, crash: Crash) -> Outcome:
    """One crash from the fixed beginning to rest, and what the checker says then."""
    world.reset()
    first = _first(world, crash)
    happened = int(first.happened)
    breaches: list[str] = []
    if first.ended.code == UNLISTED:
        breaches.append(f"BUG: the first process: {_last_words(world)}")
    if crash.again is not None:
        again = world.settle(Passages(crash.again, _kill))
        happened += again.killed
        if again.code == UNLISTED:
            breaches.append(f"BUG: the second process: {_last_words(world)}")
    last = world.settle()
    if (last.signal, last.code) != (0, ENDED):
        breaches.append(f"BUG: the last process ended with {last.signal or last.code}: {_last_words(world)}")
        return Outcome(crash, happened, tuple(breaches), 0, 0, first.ended.seconds)
    found = last.found
    breaches += found.breaches
    if found.uncertain > happened:
        breaches.append(f"TOO MANY: {found.uncertain} mails are uncertain after {happened} kills")
    return Outcome(crash, happened, tuple(breaches), found.uncertain, found.delivered, first.ended.seconds)


def _last_words(world: World) -> str:
    return world.output()[-1500:]


@dataclass(frozen=True, slots=True)
class _First:
    ended: Ended
    happened: bool


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _pause() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _first(world: World, crash: Crash) -> _First:
    """The process that is hit, or whose surroundings are."""
    if crash.kind in (Kind.KILL, Kind.TWICE):
        ended = world.poll(Passages(crash.at, _kill))
        return _First(ended, ended.killed)
    if crash.kind is Kind.TERM:
        passing = Passages(crash.at, _terminate)
        ended = world.poll(passing)
        return _First(ended, ended.signal == signal.SIGTERM or passed(ended, crash.at))
    if crash.kind is Kind.UNHEARD:
        passing = Passages(crash.at)
        passing.act = lambda: _lose_the_answer(passing)
        ended = world.poll(passing)
        return _First(ended, passed(ended, crash.at))
    if crash.kind is Kind.SYSCALL:
        ended = tracing.poll(world, f"{crash.at[0]}:signal=KILL:when={crash.at[1]}")
        return _First(ended, ended.killed)
    return _meanwhile(world, crash.at, _ACTIONS[crash.kind])


def passed(ended: Ended, at: Point) -> bool:
    """Whether a process that told its end had passed a point."""
    return int(ended.said.get("passed", {}).get(at[0], 0)) >= at[1]


def _lose_the_answer(passing: Passages) -> None:
    passing.connection.dbapi_connection.close()
    raise psycopg.OperationalError("server closed the connection unexpectedly")


def _meanwhile(world: World, at: Point, act: Callable[[World], None]) -> _First:
    """Stop our process at a point, do something to the others, and let it go on."""
    pid = world.start_poll(Passages(at, _pause))
    _, status = os.waitpid(pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        return _First(world.ended(status, 0.0), False)
    act(world)
    os.kill(pid, signal.SIGCONT)
    return _First(world.wait(pid), True)


def _restart_mail(world: World) -> None:
    world.mail.kill()
    world.mail.start()


def _postgres(world: World) -> PostgresStore:
    assert isinstance(world.store, PostgresStore), "there is no server to kill"
    return world.store


_ACTIONS: dict[Kind, Callable[[World], None]] = {
    Kind.SFTP: lambda world: world.sftp.kill_sessions(),
    Kind.MAIL: _restart_mail,
    Kind.BACKEND: lambda world: _postgres(world).kill_backends(),
    Kind.RESTART: lambda world: _postgres(world).restart(),
}


# Plans


def every_point(counts: dict[str, int], kind: Kind = Kind.KILL) -> list[Crash]:
    """Each passage of each point where something changes; of the others the first, a middle one, the last."""
    crashes = []
    for name, passes in counts.items():
        looking = name.startswith("sftp ") and name[5:].partition(":")[0] in LOOKING
        chosen = sorted({1, (passes + 1) // 2, passes}) if looking else range(1, passes + 1)
        crashes += [Crash(kind, (name, number)) for number in chosen]
    return crashes


def some_points(counts: dict[str, int], rng: Random, count: int, kind: Kind) -> list[Crash]:
    """Passages chosen by chance: each point as likely as every other, however often it is passed."""
    names = sorted(counts)
    crashes = []
    for _ in range(count):
        name = rng.choice(names)
        crashes.append(Crash(kind, (name, rng.randint(1, counts[name]))))
    return crashes


def twice(counts: dict[str, int], rng: Random, count: int) -> list[Crash]:
    """Kills with a second one while the next process recovers."""
    firsts = some_points(counts, rng, count, Kind.TWICE)
    seconds = some_points(counts, rng, count, Kind.KILL)
    return [
        replace(one, again=(two.at[0], rng.randint(1, max(two.at[1], 1))))
        for one, two in zip(firsts, seconds, strict=True)
    ]


# Many at once

Worlds = Callable[[], AbstractContextManager[World]]
Plan = Callable[[dict[str, int]], Sequence[Crash]]


def carry_out_all(
    makes: Sequence[Worlds],
    plan: Plan,
    progress: Callable[[Outcome], None] = lambda _: None,
    until: float = 0.0,
) -> Tally:
    """Share the crashes of a plan between as many processes as there are worlds to make.

    `until`, on the monotonic clock, is when to stop with what there is; 0: never.
    """
    with tempfile.TemporaryDirectory(prefix="countermand-campaign-") as folder:
        results = [Path(folder) / str(number) for number in range(len(makes))]
        pids = [
            _job(make, lambda counts, n=n: plan(counts)[n :: len(makes)], results[n], progress, until)  # type: ignore[misc]
            for n, make in enumerate(makes)
        ]
        for pid in pids:
            os.waitpid(pid, 0)
        outcomes: list[Outcome] = []
        for result in results:
            found = pickle.loads(result.read_bytes())
            if isinstance(found, str):
                raise RuntimeError(f"a job of the campaign failed:\n{found}")
            outcomes += found
    return Tally(outcomes)


def _job(make: Worlds, plan: Plan, result: Path, progress: Callable[[Outcome], None], until: float) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    found: list[Outcome] | str = "it was ended"
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        with make() as world:
            found = []
            for crash in plan(world.learn()):
                found.append(carry_out(world, crash))
                progress(found[-1])
                if until and time.monotonic() > until:
                    break
    except BaseException:
        found = traceback.format_exc()
    finally:
        with suppress(OSError):
            result.write_bytes(pickle.dumps(found))
        os._exit(0)


def said(tally: Tally) -> str:
    """The failures of a campaign, for an assertion's message."""
    return "\n".join(map(str, tally.failures[:20])) + f"\n{tally}"
