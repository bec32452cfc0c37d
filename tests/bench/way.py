"""The whole way of files of one order each: from the drop to the ledger, the 997 delivered, the file moved.

python -m tests.bench.way --files 5000 [--lines 10] [--url postgresql+psycopg://...] [--profile 40]
"""

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from pipeline.wiring import open_application
from tests.bench import documents
from tests.integration.sftp_server import OpenSshServer, running_openssh
from tests.unit.pipeline.ledger_files import settings_text


def drop(server: OpenSshServer, files: int, lines: int) -> None:
    """Put the files into the pickup folder."""
    for number, body in enumerate(documents.bodies("850", files, lines), 1):
        data = documents.interchange("850", [body], number)
        server.put("pickup", b"order-%06d.edi" % number, data)


def main() -> None:
    """Measure once, and print the seconds and what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.way", description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--lines", type=int, default=10)
    parser.add_argument("--url", default="")
    parser.add_argument("--profile", type=int, default=0, help="print so many functions")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_openssh() as server:
        drop(server, given.files, given.lines)
        config = Path(folder) / "countermand.toml"
        written = settings_text(
            url=given.url or f"sqlite:///{folder}/ledger.db", mailboxes={"acme": server.settings()}
        )
        written = written.replace('"ZZ:ACME"', '"ZZ:BUYER"').replace('"ACME"', '"BUYERGS"')
        written = written.replace('"ZZ:GLOBEX"', '"ZZ:SELLER"').replace('"GLOBEX"', '"SELLERGS"')
        config.write_text(written)
        application = open_application(config)
        application.database.upgrade()
        poller = application.poller()
        profile = cProfile.Profile() if given.profile else None
        begun, worked = time.perf_counter(), time.process_time()
        with application.database.only_process():
            if profile:
                profile.enable()
            report = poller.round(wait=False)
            if profile:
                profile.disable()
        took, own = time.perf_counter() - begun, time.process_time() - worked
        with application.database.reading() as tx:
            orders = tx.execute(text("SELECT COUNT(*) FROM orders")).scalar_one()
            outcomes = tx.execute(text("SELECT outcome, COUNT(*) FROM interchange GROUP BY 1")).all()
        print(f"{took:.2f} s, own {own:.2f} s; {given.files / took:.0f} files/s; {orders} orders; {outcomes}")
        print({f: len(server.names(f)) for f in ("pickup", "processed", "rejected", "delivery")})
        print(*report.files[0].interchanges[0].sets, sep="\n")
        print(report.failed[:3], report.problems[:3], len(report.deliveries.attempts))
        if profile:
            pstats.Stats(profile, stream=sys.stdout).sort_stats("cumulative").print_stats(given.profile)


if __name__ == "__main__":
    main()
