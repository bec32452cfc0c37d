"""A day of rounds in one process: whether memory and the time of a round stay what they were.

python -m tests.bench.day --rounds 1440 --files 5
"""

import argparse
import gc
import tempfile
import time
from pathlib import Path

from pipeline.wiring import open_application
from tests.bench import documents
from tests.bench.measure import Table
from tests.bench.way import settings_file
from tests.integration.sftp_server import running_openssh


def day(rounds: int = 1440, files: int = 5, looks: int = 6) -> Table:
    """So many rounds of `poll --every`, each with new files; a day has 1,440 minutes."""
    table = Table(
        "A day of one process",
        ["rounds", "orders in the ledger", "memory, MB", "own processor time a round, ms"],
        f"`poll --every`, {files} files of an order of 10 lines in each round; SQLite's cache included.",
    )
    bodies = documents.bodies("850", rounds * files)
    with tempfile.TemporaryDirectory() as folder, running_openssh() as server:
        application = open_application(settings_file(Path(folder), server=server))
        application.database.upgrade()
        poller = application.poller()
        worked = time.process_time()
        for number in range(1, rounds + 1):
            for at in range((number - 1) * files, number * files):
                server.put("pickup", b"%06d.edi" % at, documents.interchange("850", [bodies[at]], at + 1))
            report = poller.round(wait=False)
            assert (len(report.files), report.failed, report.problems) == (files, (), ())
            if number % (rounds // looks) == 0:
                took, worked = time.process_time() - worked, time.process_time()
                milliseconds = took / (rounds // looks) * 1000
                table.add(
                    f"{number:,}", f"{number * files:,}", f"{_resident_mb():.0f}", f"{milliseconds:.0f}"
                )
        application.database.close()
    return table


def _resident_mb() -> float:
    """What this process holds now, after what nobody needs was given back."""
    gc.collect()
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) * 1024 / 1_000_000


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.day", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1440)
    parser.add_argument("--files", type=int, default=5)
    given = parser.parse_args()
    print(day(given.rounds, given.files).as_text())


if __name__ == "__main__":
    main()
