"""Bench: how long the order page and the lists take in a large ledger, as the site's own log has it.

python -m tests.bench.bench_pages sqlite:///big.db [--orders 1000000]

An empty ledger is filled first (`tests.bench.audit`); one that holds orders already stays as it is.
"""

import argparse
import logging
import secrets
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import text

from storage.database import Database
from tests.api.site import served
from tests.app.people import signed_in
from tests.bench import audit
from tests.bench.measure import Table
from tests.conftest import require
from tests.postgres import running_postgres
from tests.unit.pipeline.ledger_files import settings_text

ORDERS, REPEATS = 100_000, 7

#: What is looked at, and by whom: bolt's people sell, olga is of the hub.
LOOKS = (
    ("an order", "seller", "/orders/{order}"),
    ("the list", "seller", "/orders"),
    ("the list, one status", "seller", "/orders?status=open"),
    ("the list, a status that none has", "seller", "/orders?status=cancelled"),
    ("the list, by number", "seller", "/orders?po={order}"),
    ("the list, an item of every order", "seller", "/orders?item=V-3"),
    ("the list, an item that none has", "seller", "/orders?item=nowhere"),
    ("the list, one day", "seller", "/orders?since=2026-03-04&until=2026-03-04"),
    ("an order, the hub's people", "hub", "/orders/{order}"),
    ("the list, the hub's people", "hub", "/orders"),
    ("search by number, the hub's people", "hub", "/support/search?q={order}"),
    ("overview, the hub's people", "hub", "/support/overview"),
)


def pages(orders: int = ORDERS) -> Table:
    """Pages on both database systems."""
    table = Table(
        "Pages",
        [f"{orders:,} orders between two partners", "SQLite, ms", "PostgreSQL, ms"],
        "The middle of seven, of the time that the site's own log has for the request, one after the other.",
    )
    with tempfile.TemporaryDirectory() as folder, running_postgres(require("postgres")) as server:
        urls = (f"sqlite:///{folder}/ledger.db", server.new_database())
        lite, big = (measured(url, orders) for url in urls)
        for name, seconds in lite.items():
            table.add(name, f"{seconds * 1000:.0f}", f"{big[name] * 1000:.0f}")
    return table


def measured(url: str, orders: int) -> dict[str, float]:
    """Seconds of each look, by its name."""
    _fill(url, orders)
    with tempfile.TemporaryDirectory() as folder:
        written = settings_text(url=url)
        for name, other in (("bolt", "#"), ("globex", "bolt"), ("#", "globex")):
            written = written.replace(f'id = "{name}"', f'id = "{other}"')
        config = Path(folder) / "countermand.toml"
        config.write_text(written)
        with served(Path(folder), settings_file=config) as site, _logged() as seconds:
            new = secrets.token_hex(4)  # a ledger that is measured again knows those who came before
            people = {
                "seller": signed_in(site, f"{new}@bolt.example", "bolt").client,
                "hub": signed_in(site, f"{new}@hub.example").client,
            }
            return {name: _look(people[who], path, seconds) for name, who, path in LOOKS}


def _look(client: httpx.Client, path: str, seconds: list[float]) -> float:
    """The middle of several looks; the first, with what nobody has in memory, is not counted."""
    seconds.clear()
    for number in range(REPEATS + 1):
        answer = client.get(path.format(order=1 + 79 * number))
        assert answer.status_code == 200, answer.text
    return statistics.median(seconds[1:])


def _fill(url: str, orders: int) -> None:
    database = Database(url)
    database.upgrade()
    with database.reading() as tx:
        there = tx.execute(text("SELECT MAX(id) FROM orders")).scalar_one()
    if there is None:
        audit.build(database, orders)
    with database.writing() as tx:
        tx.execute(text("ANALYZE"))
    database.close()


@contextmanager
def _logged() -> Iterator[list[float]]:
    """How long each request took, as the log has it."""
    seconds: list[float] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "request":
                seconds.append(record.facts["seconds"])  # type: ignore[attr-defined]

    log, reader = logging.getLogger("countermand"), Reader()
    level = log.level
    log.addHandler(reader)
    log.setLevel(logging.INFO)
    try:
        yield seconds
    finally:
        log.removeHandler(reader)
        log.setLevel(level)


def main() -> None:
    """Measure one ledger, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_pages", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--orders", type=int, default=ORDERS, help="to put into an empty ledger")
    given = parser.parse_args()
    for name, seconds in measured(given.url, given.orders).items():
        print(f"{name}: {seconds * 1000:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
