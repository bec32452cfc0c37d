"""kill -9 of our process at every named point, at system calls, and again while the next one recovers."""

from random import Random

import pytest

from tests.crash import tracing
from tests.crash.campaign import Crash, Kind, Worlds, carry_out, carry_out_all, every_point, said, twice
from tests.crash.points import IN_TROUBLE_ONLY, NAMES
from tests.crash.world import World

pytestmark = [pytest.mark.needs("sftp-server"), pytest.mark.timeout(600)]

SEED = 20261127
MORE, TWICE, CALLS = 8, 12, 14  # crashes on each database; more of them by hand: docs/crash-points.md


def test_at_every_named_point_nothing_is_lost_and_nothing_happens_twice(
    worlds: list[Worlds], request: pytest.FixtureRequest
) -> None:
    """Between two commits it is nothing to a server whether the process dies at one request or another."""
    start = "commit" if "postgresql" in request.node.name else ""
    names = {name for name in NAMES if name.startswith(start)} - IN_TROUBLE_ONLY.keys()

    def plan(counts: dict[str, int]) -> list[Crash]:
        crashes = [crash for crash in every_point(counts) if crash.at[0].startswith(start)]
        Random(SEED).shuffle(crashes)
        first = {crash.at[0]: crash for crash in crashes}  # each name at one of its passages
        more = [crash for crash in crashes if first[crash.at[0]] != crash]
        return [*first.values(), *more[:MORE]]

    tally = carry_out_all(worlds, plan)
    assert tally.failures == [], said(tally)
    assert tally.points() == names
    assert tally.kills > (len(names) + MORE) * 0.95


def test_killed_again_while_recovering(worlds: list[Worlds]) -> None:
    tally = carry_out_all(worlds, lambda counts: twice(counts, Random(SEED), TWICE))
    assert tally.failures == [], said(tally)
    assert tally.kills > TWICE * 1.2


@pytest.mark.needs("strace")
def test_at_system_calls(worlds: list[Worlds]) -> None:
    with worlds[0]() as world:
        world.reset()
        calls = tracing.counts(world)

    def plan(_: dict[str, int]) -> list[Crash]:
        rng = Random(SEED)
        chosen = [rng.choice([*calls]) for _ in range(CALLS)]
        return [Crash(Kind.SYSCALL, (call, rng.randint(1, calls[call]))) for call in chosen]

    tally = carry_out_all(worlds, plan)
    assert tally.failures == [], said(tally)
    assert tally.kills > CALLS * 0.8


def test_a_file_that_makes_us_fail_is_counted_whenever_we_die(sqlite_worlds: list[Worlds]) -> None:
    with sqlite_worlds[0]() as world:
        world.in_child = _poison
        counts = world.learn()
        names = [name for name in NAMES if name.startswith("commit waiting._record")]
        outcomes = [carry_out(world, Crash(Kind.KILL, (name, 1))) for name in names]
    assert counts.keys() >= set(names)
    assert [str(outcome) for outcome in outcomes if outcome.breaches] == []
    assert [outcome.happened for outcome in outcomes] == [1, 1]


def _poison() -> None:
    """Make the program fail over one file, always."""
    from pipeline import waiting

    ingest = vars(waiting)["ingest"]

    def fails(*arguments: object, **named: object) -> object:
        if "letter" in str(arguments[2]):
            raise RuntimeError("a mistake of ours")
        return ingest(*arguments, **named)

    vars(waiting).update(ingest=fails)


def test_the_checker_does_not_take_silence_for_rest(sqlite_world: World) -> None:
    sqlite_world.reset()
    assert sqlite_world.look().breaches != ()
