"""Each safety switched off: the checker must see it, or its silence elsewhere would mean nothing."""

from collections.abc import Callable

import pytest

from tests.crash import mutants
from tests.crash.campaign import Crash, Kind, Worlds, carry_out
from tests.crash.checking import DOUBLE, LOST, MAILED_TWICE
from tests.crash.points import Passages
from tests.crash.workload import dropped, late_shipment
from tests.crash.world import World

pytestmark = pytest.mark.needs("sftp-server")

SWITCHED_OFF = [
    # the durable keep before the move; the unique keys of files and of interchanges; the committing mark
    (mutants.move_before_keeping, ("sftp rename: answered", 3), LOST),
    (mutants.keep_without_looking, ("commit receiving.shelf.DatabaseShelf.keep: after", 1), DOUBLE),
    (mutants.forget_control_numbers, ("commit deliver._recovered: before", 1), DOUBLE),
    (mutants.send_without_committing, ("smtp dot: answered", 2), MAILED_TWICE),
]


def test_a_safety_switched_off_is_seen(worlds: list[Worlds]) -> None:
    with worlds[0]() as world:
        world.learn()
        for mutant, at, word in SWITCHED_OFF:
            whole = carry_out(world, Crash(Kind.KILL, at))
            assert (whole.happened, whole.breaches) == (1, ())
            world.in_child = mutant
            broken = carry_out(world, Crash(Kind.KILL, at))
            world.in_child = _nothing
            assert broken.happened == 1
            assert any(breach.startswith(word) for breach in broken.breaches), f"{mutant.__name__}: {broken}"


def test_the_guarded_update_is_what_holds_when_the_rule_decides_on_what_is_no_longer_so(
    sqlite_worlds: list[Worlds],
) -> None:
    with sqlite_worlds[0]() as world:
        world.files = (*dropped(), late_shipment())
        world.learn()
        guarded = _audited(world, mutants.read_stale_orders)
        unguarded = _audited(world, _stale_and_unguarded)
    assert guarded == []
    assert any(breach.startswith("AUDIT conservation") for breach in unguarded)


def _stale_and_unguarded() -> None:
    mutants.read_stale_orders()
    mutants.update_without_guard()


def _audited(world: World, mutant: Callable[[], None]) -> list[str]:
    """What the audit finds after an undisturbed run of a program changed so."""
    world.reset()
    world.in_child = mutant
    world.poll(Passages())
    world.in_child = _nothing
    return [breach for breach in world.look().breaches if breach.startswith("AUDIT")]


def _nothing() -> None:
    pass
