"""Workers in processes of their own over one PostgreSQL, four partners' mailboxes on one sshd, a mail server.

Everything is quicker than in the product: a worker counts as dead after two seconds.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

from sqlalchemy import func, select

from pipeline.poll import PollReport
from pipeline.replay import Source, replay
from pipeline.settings import load
from pipeline.wiring import open_application
from pipeline.work import schema
from pipeline.work.jobs import Pace
from pipeline.work.worker import THREADS, Worker
from storage.database import Database
from storage.models import table
from tests.crash.servers import MailLog, Server, mail_server
from tests.integration.sftp_server import OpenSshServer
from tests.unit.pipeline.ledger_files import (
    PARTIES,
    cancellation,
    file_of,
    order,
    settings_text,
    shipment,
)

FOLDERS = ("pickup", "processed", "rejected", "delivery")
FILES_EACH = 10
_FILES, _OUTBOX = table("received_file"), table("outbox")
_OWED = _OUTBOX.c.status.in_(["new", "sending", "committing"])
_UNREAD = select(func.count()).select_from(_FILES).where(_FILES.c.status == "new")
_UNSENT = select(func.count()).select_from(_OUTBOX).where(_OWED)
QUICK = Pace(
    every_seconds=1, heartbeat_seconds=0.5, stalled_seconds=2, fetch_seconds=0.5, mailboxes_at_once=2,
    sweep_cron="* * * * * */2", reconcile_cron="* * * * * */2",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Yard:
    """A hub's settings, and the places its partners' files lie in."""

    root: Path  #: of the partners' folders
    server: OpenSshServer
    config: Path
    database: Database
    log: MailLog
    mail: Server
    dropped: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)

    def drop(self, partner: str, name: str, content: bytes) -> None:
        """Leave a file, complete from when it has its name, as a good partner does."""
        hidden = self.root / partner / "pickup" / f".{name}"
        hidden.write_bytes(content)
        self.server.own(hidden)
        hidden.rename(hidden.with_name(name))
        self.dropped.setdefault(partner, []).append((name, content))

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is left to do, by files and rows."""
        with self.database.reading() as tx:
            left = [tx.execute(query).scalar_one() for query in (_UNREAD, _UNSENT)]
        pickups = [self.root / partner / "pickup" for partner in PARTIES]
        return not any(left) and not any(any(pickup.iterdir()) for pickup in pickups)

    def lying(self, folder: str) -> list[tuple[str, bytes]]:
        """Partner and content of every file in one kind of folder."""
        return [
            (partner, path.read_bytes())
            for partner in PARTIES
            for path in sorted((self.root / partner / folder).iterdir())
        ]


@contextmanager
def yard(
    folder: Path, name: str, server: OpenSshServer, url: str, *, orders: int = FILES_EACH
) -> Iterator[Yard]:
    """A hub on a database with its queue; orders were placed before, and nothing is owed for them."""
    home = server.root / "home" / name
    mailboxes = {}
    for partner in PARTIES:
        places = {kind: home / partner / kind for kind in FOLDERS}
        for place in places.values():
            place.mkdir(parents=True)
        for place in (home, home / partner, *places.values()):
            server.own(place)
        mailboxes[partner] = server.settings(**{kind: str(path) for kind, path in places.items()})
    log = MailLog(folder / f"{name}.mail")
    mail = mail_server(log)
    config = folder / f"{name}.toml"
    config.write_text(settings_text(url=url, mail_port=mail.port, mailboxes=mailboxes))
    database = Database(url)
    try:
        schema.upgrade(database)
        _place(config, database, orders)
        yield Yard(root=home, server=server, config=config, database=database, log=log, mail=mail)
    finally:
        database.close()
        mail.close()


def _place(config: Path, database: Database, orders: int) -> None:
    settings, clock = load(config, {}), open_application(config).clock
    before = [
        Source(
            f"before-{buyer}-{seller}.edi",
            file_of(
                "850", *(order(f"{buyer}-{seller}-{number}", 20) for number in range(orders)),
                number=index, sender=buyer, receiver=seller,
            ),
        )
        for index, (buyer, seller) in enumerate([("acme", "globex"), ("bolt", "initech")], start=1)
    ]  # fmt: skip
    replay(before, settings, database, clock.now)
    with database.writing() as tx:
        tx.exec_driver_sql("DELETE FROM outbox")
        tx.exec_driver_sql("DELETE FROM sequence")  # or the audit would miss their numbers


def workload() -> list[tuple[str, str, bytes]]:
    """Partner, name and content of files as they come; what one does depends on no file of another partner.

    Each buyer places an order and cancels it in the next file; each seller ships of an order of before.
    """
    files = []
    for number in range(FILES_EACH):
        for buyer, seller in (("acme", "globex"), ("bolt", "initech")):
            po_number = f"{buyer}-new-{number // 2}"
            document = cancellation(po_number) if number % 2 else order(po_number, 5, 6)
            content = file_of("850", document, number=100 + number, sender=buyer, receiver=seller)
            files.append((buyer, f"{number:03d}.edi", content))
            sent = shipment(f"S-{number}", f"{buyer}-{seller}-{number}", 7)
            content = file_of("856", sent, number=200 + number, sender=seller, receiver=buyer)
            files.append((seller, f"{number:03d}.edi", content))
    files.append(("acme", "050.edi", b"Dear hub, please cancel everything."))
    files.append(("globex", "051.edi", files[1][2]))  # the same again
    return files


def work(config: str, pace: Pace, begun: Event) -> None:
    """What a worker's process does; it says on standard error what goes wrong."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the worker itself listens
    begun.set()
    application = open_application(Path(config), threads=pace.mailboxes_at_once + THREADS)

    def report(done: PollReport) -> None:
        for partner, error in done.problems:
            print(f"{os.getpid()} {partner}: {error}", file=sys.stderr)
        for failure in done.failed:
            print(f"{os.getpid()} {failure}", file=sys.stderr)

    with application.database.one_of_many() as hold:
        tasks = application.tasks(hold, report)
        Worker(application.database, tasks, hold, pace).run(lambda said: print(said, file=sys.stderr))
    application.database.close()


@dataclass(slots=True)
class Crew:
    """So many workers, whatever happens to each of them."""

    config: Path
    pace: Pace = QUICK
    processes: list[BaseProcess] = field(default_factory=list)

    def start(self) -> BaseProcess:
        """One more worker."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.work.crew"])
        begun = context.Event()
        process = context.Process(target=work, args=(str(self.config), self.pace, begun))
        process.start()
        assert begun.wait(30), "a worker does not begin"
        self.processes.append(process)
        return process

    def kill(self, process: BaseProcess) -> None:
        """kill -9."""
        process.kill()
        process.join()
        self.processes.remove(process)

    def stop(self) -> list[int | None]:
        """Tell all of them to end, and how they did."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.kill(process.pid or 0, signal.SIGCONT)
            process.terminate()
        for process in self.processes:
            process.join(60)
        codes = [process.exitcode for process in self.processes]
        for process in self.processes:
            process.kill()
            process.join()
        self.processes.clear()
        return codes


@contextmanager
def crew(config: Path, workers: int, pace: Pace = QUICK) -> Iterator[Crew]:
    """Workers that are gone afterwards, whatever becomes of the test."""
    made = Crew(config, pace)
    try:
        for _ in range(workers):
            made.start()
        yield made
    finally:
        made.stop()


def wait_until(true: Callable[[], bool], seconds: float = 40.0, *, look_seconds: float = 0.1) -> None:
    """Until it is so; a test that waits longer has failed."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it does not come to rest"
        time.sleep(look_seconds)
