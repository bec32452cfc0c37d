"""Bench: cancellations and reads over HTTP, from one and two processes of `countermand serve` on PostgreSQL.

Beside it, in the same run, the site that one would write first with the same libraries.

python -m tests.bench.bench_http --orders 30000 --seconds 8 --workers 1 2
"""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path

from sqlalchemy import create_engine, text

from pipeline.work import schema
from storage import access_keys
from storage.database import Database
from storage.invariants import audit as breaches_of
from storage.states import Scope
from tests import postgres
from tests.bench import audit, load, straightforward_site
from tests.bench.measure import Table
from tests.conftest import require
from tests.postgres import PostgresServer, running_postgres
from tests.unit.pipeline.ledger_files import settings_text

ORDERS, SECONDS, WORKERS = 10_000, 8.0, (1, 2)
CONNECTIONS = 8
WARM_SECONDS = 3.0  # until each connection to the database has its statements prepared
KEYS = 20  # a key may come 50 times a second to each process
LINES, UNITS = range(4, 11), 12  # of each order; those whose units are all open, in a ledger of `audit.build`
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Hub:
    """A ledger on a server, and keys of the seller's."""

    config: Path
    url: str
    database: Database
    keys: tuple[str, ...]
    orders: int


def http(orders: int = ORDERS, seconds: float = SECONDS, workers: tuple[int, ...] = WORKERS) -> Table:
    """Cancel units of many lines of many orders, read orders and lists, and then prove the books."""
    table = _table(orders)
    postgres._SETTINGS.update(fsync="on", full_page_writes="on", autovacuum="on", unix_socket_directories=".")
    with (
        running_postgres(require("postgres")) as server,
        tempfile.TemporaryDirectory() as folder,
        _hub(server, Path(folder), orders) as hub,
    ):
        units, done = _units(hub), 0
        beside = _straightforward(table, hub, server, seconds)
        for number in workers:
            with _serving(hub, server, number) as site:
                name = f"cancel a unit, {_called(number)}"
                done += _measured(table, name, site, units, seconds, beside=beside).answered
                for name, path in (("read an order", "/{order}"), ("list 50 orders", "")):
                    _measured(table, f"{name}, {_called(number)}", site, _reads(hub, path), seconds / 2)
        _prove(hub, done)
    return table


def _table(orders: int) -> Table:
    return Table(
        "Over HTTP",
        [
            *("PostgreSQL, 8 connections", "a second", "half within, ms", "95% within, ms"),
            *("processor, ms each", "ratio"),
        ],
        f"`countermand serve --workers` on PostgreSQL, by its socket, synced to the disk, with {orders:,}"
        " orders of 10 lines; the load comes from one process on the same machine. A cancellation takes one"
        " unit of a line, with an Idempotency-Key, owes the buyer its e-mail and puts a job into the queue."
        " *Processor*: of all serving processes and of PostgreSQL, for each answer; each core has 1,000 ms"
        " of it a second. Afterwards"
        " the audit found the books whole, and as many events and e-mails as there were answers."
        " *Straightforward*: FastAPI, SQLModel's ORM and Jinja2 by `uvicorn --workers 2`, on the same server:"
        " a lock on the lines, an event, an e-mail, and the answer kept under the key; no rules but that the"
        " units are open, no chain of hashes, no jobs, no webhooks, no choices of a company's, no limits.",
    )


def _straightforward(table: Table, hub: Hub, server: PostgresServer, seconds: float) -> float:
    """The same by the baseline: its answers a second, once what it kept was counted."""
    with _serving_plainly(hub, server) as site:
        found = _measured(table, "cancel a unit, straightforward", site, _units(hub), seconds)
        events, mails = straightforward_site.cancelled(site.url)
    if not events == mails == found.answered:
        raise AssertionError(f"straightforward: {found.answered} answers, {events} events, {mails} e-mails")
    return found.rate


@dataclass(frozen=True, slots=True)
class Site:
    """What is served: on which port, and by which processes."""

    url: str  # of its database
    port: int
    pids: tuple[int, ...]  # of the serving process and of PostgreSQL; they begin others

    def worked_seconds(self) -> float:
        """Of processor time, by all of them so far."""
        return sum(map(_worked, self.pids))


@contextmanager
def _hub(server: PostgresServer, folder: Path, orders: int) -> Iterator[Hub]:
    """Orders between acme, who buys, and bolt, who sells here."""
    written = settings_text(url=server.by_socket(server.new_database()))
    for name, other in (("bolt", "#"), ("globex", "bolt"), ("#", "globex")):
        written = written.replace(f'id = "{name}"', f'id = "{other}"')
    config = folder / "countermand.toml"
    config.write_text(written)
    (url,) = re.findall(r'url = "(.*)"', written)
    database = Database(url)
    audit.build(database, orders)
    schema.upgrade(database)  # as `countermand db upgrade` does: each cancellation puts a job into the queue
    at = audit.BEGIN
    keys = [
        database.run(lambda tx: access_keys.add_key(tx, "bolt", [Scope.READ, Scope.CANCEL], at))[1]
        for _ in range(KEYS)
    ]
    try:
        yield Hub(config, url, database, tuple(keys), orders)
    finally:
        database.close()


def _units(hub: Hub) -> Iterator[bytes]:
    """One unit after the other: of a line of each order, then of their next lines."""
    keys, number = cycle(hub.keys), count(1)
    body = json.dumps({"quantity": "1", "reason": "out_of_stock"}).encode()
    for _ in range(UNITS):
        for line in LINES:
            for order in range(1, hub.orders + 1):
                path = f"/api/v1/seller/orders/{order}/lines/{line}/cancel"
                yield load.post(path, next(keys), body, f"Idempotency-Key: bench-{next(number)}\r\n")


def _reads(hub: Hub, path: str) -> Iterator[bytes]:
    keys = cycle(hub.keys)
    for number in count(1):
        order = number * 7919 % hub.orders + 1
        yield load.get("/api/v1/seller/orders" + path.format(order=order), next(keys))


@contextmanager
def _serving(hub: Hub, server: PostgresServer, workers: int) -> Iterator[Site]:
    """The real command, once it answers."""
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--config", str(hub.config), "--port", "0"]
    command += ["--workers", str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert server.process is not None
            found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found, "it does not serve"
            time.sleep(1)  # until each of them can
            yield Site(hub.url, int(found[1]), (process.pid, server.process.pid))
        finally:
            process.terminate()


@contextmanager
def _serving_plainly(hub: Hub, server: PostgresServer) -> Iterator[Site]:
    """The straightforward site by two processes, over a database of its own with as many orders."""
    url = server.by_socket(server.new_database("template0"))
    straightforward_site.prepare(url, hub.keys, hub.orders)
    with socket.create_server(("127.0.0.1", 0)) as asked:
        port = asked.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "tests.bench.straightforward_site:make_app"]
    command += ["--port", str(port), "--workers", "2", "--no-access-log", "--log-level", "warning"]
    with subprocess.Popen(command, env={**os.environ, straightforward_site.URL: url}) as process:
        try:
            assert server.process is not None
            _await(port)
            yield Site(url, port, (process.pid, server.process.pid))
        finally:
            process.terminate()


def _await(port: int) -> None:
    """Until somebody listens there, and a moment more: until each process can."""
    for _ in range(300):
        time.sleep(0.1)
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                break
    time.sleep(5)


@dataclass(frozen=True, slots=True)
class Measured:
    """How many were answered in all, and how many a second once it was warm."""

    answered: int
    rate: float


def _measured(
    table: Table, name: str, site: Site, requests: Iterator[bytes], seconds: float, *, beside: float = 0.0
) -> Measured:
    """Send requests for so long and add a row; its ratio is to `beside` answers a second."""
    warm = load.send(site.port, requests, connections=CONNECTIONS, seconds=min(WARM_SECONDS, seconds))
    engine = create_engine(site.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))  # as autovacuum does within a minute of the first cancellations
    engine.dispose()
    before = site.worked_seconds()
    found = load.send(site.port, requests, connections=CONNECTIONS, seconds=seconds)
    worked = site.worked_seconds() - before
    if warm.others or found.others:
        raise AssertionError(f"not every request was answered with 200: {(warm.others + found.others)[:3]}")
    each = f"{worked / len(found.took) * 1000:.1f}"
    ratio = f"{found.rate / beside:.1f}" if beside else ""
    table.add(name, f"{found.rate:,.0f}", found.part(0.5), found.part(0.95), each, ratio)
    return Measured(len(warm.took) + len(found.took), found.rate)


def _worked(pid: int) -> float:
    """Seconds of processor time that a process and those it began have had so far, those that ended too."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it ended just now: PostgreSQL's autovacuum does
        return 0.0
    return sum(map(int, said[11:15])) / _TICKS + sum(_worked(int(child)) for child in children)


def _prove(hub: Hub, done: int) -> None:
    """The books are whole, and hold what was answered: an event and an e-mail for each."""
    ours = "FROM event WHERE kind = 'lines_cancelled' AND source_actor LIKE 'API key%'"
    with hub.database.reading() as tx:
        found = [breach.invariant for breach in breaches_of(tx)]
        events = tx.execute(text(f"SELECT COUNT(*) {ours}")).scalar_one()
        mails = f"SELECT COUNT(*) FROM outbox WHERE kind = 'email' AND event_id IN (SELECT id {ours})"  # noqa: S608
        told = tx.execute(text(mails)).scalar_one()
    if found or not events == told == done:
        raise AssertionError(f"{done} were answered; {events} events, {told} e-mails; breaches: {found}")


def _called(workers: int) -> str:
    return "one process" if workers == 1 else f"{workers} processes"


def main() -> None:
    """Measure and print; fails when the books are not whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_http", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help="in the ledger before")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of cancelling, with each number")
    parser.add_argument("--workers", type=int, nargs="+", default=list(WORKERS))
    given = parser.parse_args()
    print(http(given.orders, given.seconds, tuple(given.workers)).as_text())


if __name__ == "__main__":
    main()
