"""What one PostgreSQL carries with several workers: four partners' files, from the drop to the last answer.

python -m tests.bench.workers --files 500 --workers 0 1 2 4          (0: one process that polls)

Two buyers send orders, two sellers ship of orders placed before; every file has one set, is answered by a
997, and moved. Everything runs on this one machine: workers, PostgreSQL (synced to the disk), sshd, mail.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.wiring import open_application
from tests import postgres
from tests.bench.measure import Table
from tests.conftest import require
from tests.integration.sftp_server import OpenSshServer, running_openssh
from tests.postgres import PostgresServer, running_postgres
from tests.unit.pipeline.ledger_files import file_of, order, shipment
from tests.work.crew import QUICK, Yard, crew, wait_until, yard

#: As in the product, but for looking into the mailboxes at once.
PACE = replace(QUICK, heartbeat_seconds=10, stalled_seconds=30, mailboxes_at_once=4)
SECONDS_MAX = 900.0
_NAMES = {0: "one process that polls", 1: "1 worker"}


def drop(place: Yard, files: int) -> None:
    """Put so many files into each partner's pickup folder."""
    for buyer, seller in (("acme", "globex"), ("bolt", "initech")):
        for number in range(files):
            ordered = order(f"{buyer}-new-{number}", 5, 6)
            content = file_of("850", ordered, number=10 + number, sender=buyer, receiver=seller)
            place.drop(buyer, f"{number:06d}.edi", content)
            sent = shipment(f"S-{number}", f"{buyer}-{seller}-{number}", 7)
            content = file_of("856", sent, number=10 + number, sender=seller, receiver=buyer)
            place.drop(seller, f"{number:06d}.edi", content)


def measure(server: PostgresServer, sshd: OpenSshServer, folder: Path, workers: int, files: int) -> float:
    """Seconds until so many workers have nothing left to do."""
    url = server.new_database()
    with yard(folder, f"with-{workers}", sshd, url, orders=files) as place:
        drop(place, files)
        took = with_workers(place, workers) if workers else with_poll(place)
        answers = len(place.lying("delivery"))
        assert answers == 4 * files, f"{answers} answers to {4 * files} files"
    server.drop(url)
    return took


def with_workers(place: Yard, workers: int) -> float:
    """Until nothing is left; nobody who looks on takes more than a little of the machine."""
    with crew(place.config, workers, PACE):
        wait_until(lambda: place.database.crew().workers == workers)
        began = time.perf_counter()
        wait_until(lambda: place.is_at_rest, SECONDS_MAX, look_seconds=0.5)
        return time.perf_counter() - began


def with_poll(place: Yard) -> float:
    """The same by one process that polls."""
    application = open_application(place.config)
    poller = application.poller()
    began = time.perf_counter()
    with application.database.only_process():
        while not place.is_at_rest:
            poller.round(wait=False)
    took = time.perf_counter() - began
    application.database.close()
    return took


def bench(files: int = 300, crews: Sequence[int] = (0, 1, 2, 4)) -> Table:
    """So many files of each of four partners, with each number of workers."""
    table = Table(
        "Workers",
        [f"{4 * files:,} files of one set, of 4 partners", "files/s"],
        "On PostgreSQL, synced to the disk. Workers, PostgreSQL, sshd and the mail server all share this"
        " machine's cores; see [scaling.md](scaling.md).",
    )
    postgres._SETTINGS.update(fsync="on", full_page_writes="on", autovacuum="on")
    with (
        running_postgres(require("postgres")) as server,
        running_openssh("MaxStartups 100") as sshd,
        tempfile.TemporaryDirectory() as folder,
    ):
        for workers in crews:
            took = measure(server, sshd, Path(folder), workers, files)
            table.add(_NAMES.get(workers, f"{workers} workers"), f"{4 * files / took:,.0f}")
    return table


def main() -> None:
    """Measure with each number of workers."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.workers", description=__doc__)
    parser.add_argument("--files", type=int, default=500, help="of each of four partners")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2, 4], help="0: poll")
    given = parser.parse_args()
    print(bench(given.files, given.workers).as_text())


if __name__ == "__main__":
    main()
