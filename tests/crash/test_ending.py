"""SIGTERM at every step: we are gone within seconds, and the next process goes on; the command as it is."""

import os
import signal
import subprocess
import sys

import pytest

from tests.conftest import require
from tests.crash.campaign import Crash, Kind, Worlds, carry_out_all, said
from tests.crash.world import ENDED, world
from tests.integration.sftp_server import running_openssh

pytestmark = [pytest.mark.needs("sftp-server"), pytest.mark.timeout(300)]

SECONDS_MAX = 10


def test_told_to_end_it_ends_soon_and_is_restartable(sqlite_worlds: list[Worlds]) -> None:
    def plan(counts: dict[str, int]) -> list[Crash]:
        changing = [
            name for name in counts if not name.startswith("sftp") or "rename" in name or "write" in name
        ]
        return [Crash(Kind.TERM, (name, (counts[name] + 1) // 2)) for name in changing[::3]]

    tally = carry_out_all(sqlite_worlds, plan)
    assert tally.failures == [], said(tally)
    assert tally.kills == len(tally.outcomes) > 15
    assert max(outcome.seconds for outcome in tally.outcomes) < SECONDS_MAX


@pytest.mark.needs("sshd", "strace")
@pytest.mark.parametrize(
    "fault",  # strace counts the calls of each thread for itself
    [
        "fdatasync:signal=KILL:when=2",
        "fdatasync:signal=KILL:when=12",
        "fdatasync:signal=TERM:when=5",
        "pwrite64:signal=KILL:when=20",
        "sendto:signal=KILL:when=30",
    ],
)
def test_the_command_itself_over_ssh_side_by_side(fault: str) -> None:
    with running_openssh() as server, world(require("sftp-server"), ssh=server) as real:
        real.reset()
        trace = [
            "strace",
            "-f",
            "-o",
            os.devnull,
            "-e",
            f"trace={fault.partition(':')[0]}",
            "-e",
            f"inject={fault}",
        ]
        command = [sys.executable, "-m", "pipeline.cli", "poll", "--config", str(real.config)]
        ended = subprocess.run([*trace, *command], capture_output=True, timeout=60, check=False)
        assert ended.returncode in (-signal.SIGKILL, -signal.SIGTERM, 128 + 9, 128 + 15), ended.stderr
        last = real.settle()
    # Our clock was the machine's, so what is in the messages cannot be compared; all else can.
    assert (last.code, last.found.breaches) == (ENDED, ())
