"""Our own disk fails: a sync that does not succeed, no room left. Nothing goes on as if it were written."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.conftest import require
from tests.crash import tracing
from tests.crash.points import Passages
from tests.crash.world import ENDED, World, world
from tests.small_disk import small_disk

pytestmark = [pytest.mark.needs("sftp-server", "strace"), pytest.mark.timeout(300)]

OPERATOR = 2  # the exit code that says: somebody has to look after the machine
SEED, TRIES = 20261127, 6
#: What may be said after a commit has failed: leave is taken, and nothing else.
LEAVE = {"smtp quit: before", "smtp quit: sent", "smtp quit: answered"}


@pytest.mark.parametrize(
    "fault", ["fdatasync:error=EIO:when={}", "pwrite64:error=ENOSPC:when={}+", "pwrite64:error=EIO:when={}"]
)
def test_what_cannot_be_written_ends_the_process_and_the_next_one_finds_everything(
    sqlite_world: World, fault: str
) -> None:
    calls = _calls(sqlite_world, fault.partition(":")[0])
    for number in Random(SEED).sample(range(1, calls + 1), TRIES):
        sqlite_world.reset()
        ended = tracing.poll(sqlite_world, fault.format(number))
        assert ended.code == OPERATOR, f"{fault.format(number)}: {sqlite_world.output()[-1000:]}"
        *_, failed = [name for name in ended.said["last"] if name not in LEAVE]
        assert failed.startswith("commit") or failed == "", "it went on after a failed commit"
        last = sqlite_world.settle()
        assert (last.code, last.found.breaches) == (ENDED, ()), fault.format(number)
        assert last.found.uncertain <= 1


def _calls(world: World, call: str) -> int:
    world.reset()
    # The last ones belong to the end of the process, when everything is done.
    return tracing.counts(world)[call] - 8


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, "4m") as folder:
        yield folder


@pytest.mark.needs("mount")
def test_a_disk_that_is_really_full_costs_a_round_and_nothing_else(disk: Path) -> None:
    with world(require("sftp-server"), under=str(disk)) as small:
        small.learn()
        for free in (20_000, 60_000, 200_000, 400_000):
            small.reset()
            filler = disk / "filler"
            filler.write_bytes(b"x" * max(_free(disk) - free, 0))
            ended = small.poll(Passages())
            assert (ended.code, "disk" in small.output()) == (OPERATOR, True)
            filler.unlink()
            last = small.settle()
            assert (last.code, last.found.breaches) == (ENDED, ()), f"with {free} bytes free"


def _free(folder: Path) -> int:
    about = os.statvfs(folder)
    return about.f_bavail * about.f_bsize
