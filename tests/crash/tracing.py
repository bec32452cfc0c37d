"""Faults from below: strace kills our process at a system call, or lets the call fail."""

import os
import re
import subprocess

from tests.crash.points import Passages
from tests.crash.world import Ended, World

#: The calls by which something leaves the process. Each counts for itself, in every thread.
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "write", "sendto", "connect")


def poll(world: World, inject: str) -> Ended:
    """One `countermand poll` with a fault, in strace's words: `fdatasync:error=EIO:when=3`."""
    call = inject.partition(":")[0]
    return _traced(world, "-e", f"inject={inject}", "-e", f"trace={call}", "-o", os.devnull)


def counts(world: World) -> dict[str, int]:
    """How often one `countermand poll` makes each of the calls."""
    log = world.aside / "calls.txt"
    _traced(world, "-e", "trace=" + ",".join(CALLS), "-o", str(log))
    calls = re.findall(r"^\d+\s+(\w+)\(", log.read_text(errors="replace"), re.MULTILINE)
    return {call: calls.count(call) for call in CALLS if call in calls}


def _traced(world: World, *options: str) -> Ended:
    readable, writable = os.pipe()
    pid = world.start_poll(Passages(), wait_for=readable)
    command = ["strace", "-f", "-p", str(pid), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()  # "Process N attached", or why not
        os.write(writable, b"x")
        ended = world.wait(pid)
        said += strace.stderr.read()
    os.close(readable)
    os.close(writable)
    assert "attached" in said, f"strace could not attach: {said}"
    return ended
