"""Linear: a faulty file twice as long makes little more than twice the work. Calls are counted, not time."""

import sys
from types import FrameType

import pytest

from edi import envelope, limits, read_850, read_855, read_856
from edi.guide import check
from tests.bench.hostile import SHAPES

READERS = {"850": read_850.read, "855": read_855.read, "856": read_856.read}
SIZE = 8_000  # bytes: large against what is done once per file, small enough for a quick test
MORE_MAX = 2.3  # twice the work, and what tables and caches cost at first


def read_all(data: bytes) -> None:
    """Everything that is done to a file before the ledger, whatever was found before."""
    for one in envelope.read(data).interchanges:
        for group in one.groups:
            for found in group.sets:
                check(found, group.map_release or "004010")
                if reader := READERS.get(found.type):
                    reader(found)


def work(data: bytes) -> int:
    """How many calls, ours and Python's own, reading a file takes."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        read_all(data)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_bytes_are_little_more_than_twice_the_work(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "findings_per_file_max", 100)  # else what is done up to it is all there is
    once, twice = SHAPES[shape](SIZE), SHAPES[shape](2 * SIZE)
    read_all(twice)  # maps, patterns and known numbers are there now
    assert work(twice) <= MORE_MAX * work(once) + 500
