"""Killed while an endpoint has its event and has not answered: it is posted again as it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from storage import messages
from storage.states import Kind, Status
from tests.api.site import Site
from tests.webhooks.receiver import HANGS, Receiver
from tests.webhooks.test_doors import listen

SECONDS_MAX = 30


def deliver(folder: Path) -> "subprocess.Popen[bytes]":
    """`countermand deliver` in a process of its own."""
    said = [sys.executable, "-m", "pipeline.cli", "deliver", "--config", str(folder / "countermand.toml")]
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(said, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})


def test_the_same_id_and_the_same_bytes_come_again(site: Site, one: Receiver, tmp_path: Path) -> None:
    secret = listen(site, "globex", one.url())["secret"]
    site.place("PO-1", 10)
    one.answer = HANGS
    process = deliver(tmp_path)
    end = time.monotonic() + SECONDS_MAX
    while not one.requests and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    one.answer = 200
    with site.application.database.reading() as tx:
        (left,) = messages.list_messages(tx, kind=Kind.WEBHOOK)
    assert left.status is Status.SENDING
    assert deliver(tmp_path).wait(SECONDS_MAX) == 0
    first, second = one.requests
    assert (first.id, first.body) == (second.id, second.body) == (left.identity, left.payload)
    assert second.is_signed_with(secret)
    assert site.breaches() == ()
