"""The process that serves: it says where, answers after a restart as before, and ends when it is told to."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from pipeline.api.serving import listen
from pipeline.clock import SystemClock
from pipeline.settings import load
from storage import access_keys
from storage.database import Database
from storage.invariants import audit
from tests.api.site import ALL, BUYER, an_order, figures
from tests.postgres import PostgresServer
from tests.unit.pipeline.ledger_files import write_settings

ENDED = (0, -signal.SIGTERM)


@contextmanager
def process(
    config: Path, *options: str, said: str = "Serving"
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`countermand serve` as a process of its own, and its address."""
    command = [
        sys.executable,
        "-m",
        "pipeline.cli",
        "serve",
        "--config",
        str(config),
        "--port",
        "0",
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout is not None
            line = started.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line + (started.stderr.read() if started.stderr else "")
            assert line.startswith(said)
            yield started, found.group()
        finally:
            started.kill()


def test_a_key_is_answered_the_same_after_the_process_was_killed(tmp_path: Path, both_systems: None) -> None:
    config = write_settings(tmp_path)
    database = Database(load(config, {}).database.url)
    at = SystemClock().now()
    _, secret = database.run(lambda tx: access_keys.add_key(tx, "acme", ALL, at))
    named = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "cut-1"}
    with process(config) as (started, address), httpx.Client(base_url=address, trust_env=False) as client:
        placed = client.post(
            BUYER, json=an_order("PO-1", 10), headers={**named, "Idempotency-Key": "place-1"}
        )
        assert placed.status_code == 201
        where = placed.headers["Location"]
        first = client.post(f"{where}/lines/1/cancel", json={"quantity": 1}, headers=named)
        started.kill()
    with process(config) as (started, address), httpx.Client(base_url=address, trust_env=False) as client:
        again = client.post(f"{where}/lines/1/cancel", json={"quantity": 1}, headers=named)
        assert (again.status_code, again.content) == (200, first.content)
        assert figures(client.get(where, headers=named).json()) == [("1", "10", "0", "1", "9")]
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=30) in ENDED
    with database.reading() as tx:
        assert list(audit(tx)) == []
    database.close()


def test_nothing_is_taken_for_a_file_that_a_backup_has_replaced(tmp_path: Path) -> None:
    """It would be written to the old file, which has no name any more, and answered as done."""
    config = write_settings(tmp_path)
    database = Database(load(config, {}).database.url)
    _, secret = database.run(lambda tx: access_keys.add_key(tx, "acme", ALL, SystemClock().now()))
    assert database.path is not None
    shutil.copy(database.path, copy := tmp_path / "copy.db")
    database.close()
    named = {"Authorization": f"Bearer {secret}"}
    with process(config) as (_, address), httpx.Client(base_url=address, headers=named) as client:
        kept = client.post(BUYER, json=an_order("PO-1", 10), headers={"Idempotency-Key": "1"})
        assert kept.status_code == 201
        copy.replace(database.path)
        lost = client.post(BUYER, json=an_order("PO-2", 10), headers={"Idempotency-Key": "2"})
        assert (lost.status_code, lost.json()["type"]) == (503, "/api/problems/unavailable")
        assert client.get(kept.headers["Location"]).status_code == 503


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    config = write_settings(tmp_path)
    with process(config) as (_, address):
        port = address.rpartition(":")[2]
        command = [sys.executable, "-m", "pipeline.cli", "serve", "--config", str(config), "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert f"Cannot listen on 127.0.0.1 port {port}" in ended.stderr


def test_a_person_ends_it_with_control_c(tmp_path: Path) -> None:
    with process(write_settings(tmp_path)) as (started, address):
        assert httpx.get(f"{address}/api/openapi.json", trust_env=False).json()["openapi"] == "3.1.0"
        started.send_signal(signal.SIGINT)
        assert started.wait(timeout=30) == 0
        assert started.stderr is not None
        assert started.stderr.read() == ""


def test_as_json_it_says_its_address_in_one_document(tmp_path: Path) -> None:
    with process(write_settings(tmp_path), "--json", said="{") as (started, address):
        assert httpx.get(f"{address}/api/openapi.json", trust_env=False).status_code == 200
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=30)
        assert (out, err) == ("", "")


def test_small_answers_do_not_wait_to_be_acknowledged() -> None:
    """asyncio switches Nagle's waiting off only on sockets that name their protocol."""
    with listen("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def workers_of(started: subprocess.Popen[str]) -> set[int]:
    """The processes that a process has begun."""
    listed = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text()
    return {int(pid) for pid in listed.split()}


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it holds; an AssertionError when it takes too long."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_several_processes_serve_one_address_and_a_dead_one_is_replaced(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    config = write_settings(tmp_path, url=postgres_server.new_database())
    database = Database(load(config, {}).database.url)
    at = SystemClock().now()
    _, secret = database.run(lambda tx: access_keys.add_key(tx, "acme", ALL, at))
    headers = {"Authorization": f"Bearer {secret}"}

    def placed(address: str, *numbers: int) -> list[int]:
        def place(number: int) -> int:
            body = an_order(f"PO-{number}", 9)
            return httpx.post(
                address + BUYER, json=body, headers=headers, trust_env=False, timeout=60
            ).status_code

        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(place, numbers))

    with process(config, "--workers", "2", "--log-level", "error") as (started, address):
        wait_for(lambda: len(workers_of(started)) == 2)
        assert placed(address, *range(10)) == [201] * 10
        before = workers_of(started)
        os.kill(min(before), signal.SIGKILL)
        wait_for(lambda: len(workers_of(started) - before) == 1)
        assert placed(address, *range(5, 15)) == [200] * 5 + [201] * 5
        crew = workers_of(started)
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=30) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in crew)
        assert started.stderr is not None
        (line,) = started.stderr.read().splitlines()
        assert "error server_died" in line
        assert f"pid={min(before)} exit=-9" in line
    with database.reading() as tx:
        assert list(audit(tx)) == []
    database.close()


def test_workers_end_when_nobody_could_replace_them_any_more(tmp_path: Path) -> None:
    with process(write_settings(tmp_path), "--workers", "2") as (started, address):
        assert httpx.get(f"{address}/api/openapi.json", trust_env=False).status_code == 200
        crew = workers_of(started)
        started.kill()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in crew))
