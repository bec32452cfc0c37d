"""The whole way of files of one order each: from the drop to the ledger, the 997 delivered, the file moved.

python -m tests.bench.way --files 5000 [--lines 10] [--url postgresql+psycopg://...] [--delay 0.02]
"""

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from pipeline.settings import Settings, load
from pipeline.wiring import Application, open_application
from tests.bench import documents
from tests.bench.delaying import delayed
from tests.integration.sftp_server import OpenSshServer, running_openssh
from tests.unit.pipeline.ledger_files import settings_text


@dataclass(frozen=True, slots=True)
class Measured:
    """How long it took, and how much of that was our own processor time."""

    files: int
    seconds: float
    own_seconds: float

    @property
    def rate(self) -> float:
        """Files a second."""
        return self.files / self.seconds


def drop(server: OpenSshServer, files: int, lines: int) -> None:
    """Put files of one order each into the pickup folder."""
    for number, body in enumerate(documents.bodies("850", files, lines), 1):
        data = documents.interchange("850", [body], number)
        server.put("pickup", b"order-%06d.edi" % number, data)


def settings_file(folder: Path, url: str = "", server: OpenSshServer | None = None, port: int = 0) -> Path:
    """Settings in which the documents of the bench are acme's, to globex."""
    mailboxes = {"acme": server.settings(**({"port": port} if port else {}))} if server else {}
    written = settings_text(url=url or f"sqlite:///{folder}/ledger.db", mailboxes=mailboxes)
    for own, theirs in (("ACME", "BUYER"), ("GLOBEX", "SELLER")):
        written = written.replace(f'"ZZ:{own}"', f'"ZZ:{theirs}"').replace(f'"{own}"', f'"{theirs}GS"')
    path = folder / "countermand.toml"
    path.write_text(written)
    return path


def settings_of(folder: Path, url: str = "") -> Settings:
    """The same, read."""
    return load(settings_file(folder, url), {})


def whole_way(
    files: int,
    lines: int = 10,
    url: str = "",
    *,
    delay_seconds: float = 0.0,
    orders_before: int = 0,
    show: int = 0,
) -> Measured:
    """One round of `poll` over a mailbox of so many files, on a server of OpenSSH's so far away."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_openssh())
        drop(server, files, lines)
        port = stack.enter_context(delayed(server.port, delay_seconds)) if delay_seconds else server.port
        application = open_application(settings_file(folder, url, server, port))
        application.database.upgrade()
        with _profiled(show):
            measured = _round(application, files)
        left = [len(server.names(f)) for f in ("pickup", "processed", "rejected", "delivery")]
        assert left == [0, files, 0, files], left
        with application.database.reading() as tx:
            orders = tx.execute(text("SELECT COUNT(*) FROM orders")).scalar_one()
            assert orders == orders_before + files
        application.database.close()
        return measured


def _round(application: Application, files: int) -> Measured:
    poller = application.poller()
    begun, worked = time.perf_counter(), time.process_time()
    with application.database.only_process():
        report = poller.round(wait=False)
    measured = Measured(files, time.perf_counter() - begun, time.process_time() - worked)
    assert (report.failed, report.problems) == ((), ())
    return measured


@contextmanager
def _profiled(show: int) -> Iterator[None]:
    if not show:
        yield
        return
    with cProfile.Profile() as profile:
        yield
    pstats.Stats(profile, stream=sys.stdout).sort_stats("cumulative").print_stats(show)


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.way", description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--lines", type=int, default=10)
    parser.add_argument("--url", default="", help="of a ledger; what it holds already stays")
    parser.add_argument("--delay", type=float, default=0.0, help="added round trip, in seconds")
    parser.add_argument("--before", type=int, default=0, help="orders that the ledger holds already")
    parser.add_argument("--profile", type=int, default=0, help="print so many functions")
    given = parser.parse_args()
    measured = whole_way(
        given.files,
        given.lines,
        given.url,
        delay_seconds=given.delay,
        orders_before=given.before,
        show=given.profile,
    )
    print(f"{measured.rate:.0f} files/s: {measured.seconds:.2f} s, own {measured.own_seconds:.2f} s")


if __name__ == "__main__":
    main()
