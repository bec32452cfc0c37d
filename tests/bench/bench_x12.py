"""Bench: X12 checked and read, beside pyx12 and a bare split."""

from collections.abc import Sequence

from tests.bench import baselines, documents, memory, ours
from tests.bench.hostile import SHAPES
from tests.bench.measure import Table, best_seconds

_MB = 1_000_000
_NAMES = {"850": "purchase orders", "855": "acknowledgments", "856": "ship notices"}


def speed() -> Table:
    """Documents of 10 lines, in one file and in files of their own."""
    table = Table(
        "Speed",
        ["10 lines each", "check", "check and read", "", "pyx12", "bare split", "read/pyx12", "split/read"],
        "Documents a second of processor time on one core, the best of several runs. *check*: envelope and"
        " grammar. *check and read*: to"
        " typed documents, all that comes before the ledger. *pyx12*: its reader, walker and element checks,"
        " maps loaded before. *bare split*: bytes.split into segments and elements, and nothing else.",
    )
    for kind, name in _NAMES.items():
        files = [documents.interchange(kind, documents.bodies(kind, 1000))]
        few = [documents.interchange(kind, documents.bodies(kind, 100))]
        table.add(*_row(f"1,000 {name} in a file", kind, files, 1000, few, 100))
    files = [
        documents.interchange("850", [body], n) for n, body in enumerate(documents.bodies("850", 5000), 1)
    ]
    table.add(*_row("5,000 files of an order", "850", files, 5000, files[:100], 100))
    return table


def _row(
    name: str, kind: str, files: Sequence[bytes], sets: int, few: Sequence[bytes], few_sets: int
) -> list[str]:
    assert sum(map(ours.checked, few)) == 0
    assert sum(baselines.pyx12_errors(kind, file) for file in few) == 0
    assert sum(map(ours.read, files)) == sets
    checked = sets / best_seconds(lambda: [ours.checked(file) for file in files])
    read = sets / best_seconds(lambda: [ours.read(file) for file in files])
    theirs = few_sets / best_seconds(lambda: [baselines.pyx12_errors(kind, file) for file in few], 2)
    split = sets / best_seconds(lambda: sum(len(baselines.bare_split(file)) for file in files))
    megabytes = f"{read * sum(map(len, files)) / sets / _MB:.1f} MB/s"
    rates = [f"{rate:,.0f}" for rate in (theirs, split)]
    return [
        name,
        f"{checked:,.0f}",
        f"{read:,.0f}",
        megabytes,
        *rates,
        f"{read / theirs:.0f}",
        f"{split / read:.1f}",
    ]


def size() -> Table:
    """Whether a set costs the same in a small group and in a big one, and what a big file takes."""
    table = Table(
        "Size",
        ["orders of 10 lines in one group", "MB", "check and read, orders/s", "peak memory"],
        "Peak memory is that of a whole process that holds the file and drops each document it has read.",
    )
    for sets in (10, 100, 1_000, 10_000):
        data = documents.interchange("850", documents.bodies("850", sets))
        times = 10_000 // sets
        rate = 10_000 / best_seconds(lambda d=data, n=times: [ours.read(d) for _ in range(n)], 3)  # type: ignore[misc]
        table.add(f"{sets:,}", f"{len(data) / _MB:.2f}", f"{rate:,.0f}", "")
    megabytes, found, seconds, peak = memory.measure(100)
    table.add(f"{found:,}", f"{megabytes:.0f}", f"{found / seconds:,.0f}", f"{peak:.0f} MB")
    return table


def hostile() -> Table:
    """Files made to be slow: seconds at one and at two megabytes."""
    table = Table(
        "Hostile files",
        ["what is in it", "1 MB, s", "2 MB, s", "ratio"],
        "Envelope, grammar and documents, with the slow way that names faults. A ratio of 2 is time that"
        " grows with the size; less, where a limit ends the work.",
    )
    for name, shape in SHAPES.items():
        once, twice = shape(_MB), shape(2 * _MB)
        ours.read(shape(10_000))
        seconds = [best_seconds(lambda d=data: ours.read(d), 2) for data in (once, twice)]  # type: ignore[misc]
        table.add(name, f"{seconds[0]:.2f}", f"{seconds[1]:.2f}", f"{seconds[1] / seconds[0]:.1f}")
    return table
