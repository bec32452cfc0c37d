"""Memory: the peak of a process of its own that checks a big file and reads it to documents."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import documents, ours

_MB = 1_000_000


def main(path: Path) -> None:
    """Read one file and print: bytes, documents, seconds, peak in bytes."""
    data = path.read_bytes()
    begin = time.process_time()
    found = ours.read(data)
    seconds = time.process_time() - begin
    print(len(data), found, seconds, _peak_bytes())


def _peak_bytes() -> int:
    """The most memory this process had. What getrusage says may be that of the process it was begun from."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(megabytes: int) -> tuple[float, int, float, float]:
    """(megabytes, documents, seconds, peak in megabytes) of one group of orders of 10 lines."""
    some = documents.bodies("850", 1000)
    size = len(documents.interchange("850", some)) / len(some)
    orders = (some[number % len(some)] for number in range(round(megabytes * _MB / size)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.edi"
        path.write_bytes(documents.interchange("850", orders))
        command = [sys.executable, "-m", "tests.bench.memory", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    length, found, seconds, peak = done.stdout.split()
    return int(length) / _MB, int(found), float(seconds), int(peak) / _MB


if __name__ == "__main__":
    main(Path(sys.argv[1]))
