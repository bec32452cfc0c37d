"""What a partner can make grow has an end: findings kept, sets released or expired at once, files reread."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edi import envelope, limits
from pipeline import sets, waiting
from pipeline.waiting import expire_waiting
from storage import parked, receipts
from storage.database import Database
from storage.outcomes import Outcome
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import acknowledgment, file_of, order


@pytest.fixture
def house(tmp_path: Path, both_systems: None) -> House:
    return house_with(tmp_path, "")


def still_parked(house: House) -> int:
    with house.database.reading() as tx:
        return len(parked.list_parked(tx))


def early(house: House, number: int) -> None:
    """So many answers to one order that is not there yet, in one file."""
    one = acknowledgment("PO-1", "ACK*IA*5*EA")
    content = file_of("855", *[one] * number, number=1, sender="globex", receiver="acme")
    assert house.drop(content).interchanges[0].sets[-1].outcome is Outcome.PARKED


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    reads: list[int] = []
    read = envelope.read

    def counted(data: bytes, *, lenient_isa: bool) -> object:
        reads.append(len(data))
        return read(data, lenient_isa=lenient_isa)

    monkeypatch.setattr(sets, "read", counted)
    return reads


def test_an_order_releases_so_many_at_once_from_one_reading(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sets, "RELEASED_PER_ORDER_MAX", 3)
    early(house, 5)
    reads = count_reads(monkeypatch)
    content = file_of("850", order("PO-1", 5), number=2, sender="acme", receiver="globex")
    assert len(house.drop(content).released) == 3
    assert len(reads) == 1
    assert still_parked(house) == 2
    house.now += timedelta(seconds=1)
    rest = expire_waiting(house.settings, house.database, house.now)
    assert Outcome.REFUSED not in {one.outcome for one in rest}  # the order is there: they are decided
    assert (len(rest), still_parked(house)) == (2, 0)
    assert expire_waiting(house.settings, house.database, house.now) == ()


def test_a_round_expires_so_many_from_one_reading_and_the_next_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "EXPIRED_PER_ROUND_MAX", 3)
    early(house, 5)
    reads = count_reads(monkeypatch)
    late = house.now + timedelta(hours=25)
    assert [len(expire_waiting(house.settings, house.database, late)) for _ in range(3)] == [3, 2, 0]
    assert len(reads) == 2
    assert still_parked(house) == 0


@pytest.mark.parametrize(("bound", "shown"), [(4, [2, 2, 1]), (3, [2, 2, 1]), (2, [2, 1, 1]), (6, [2, 2, 2])])
def test_beyond_a_files_findings_one_stands_for_a_set(
    bound: int, shown: list[int], house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "set_findings_per_file_max", bound)
    bad = ["BEG*00*SA*PO-1**2026030x", "PO1*1*TEN*EA*1**VN*W1"]
    report = house.drop(file_of("850", bad, bad, bad, number=1, sender="acme", receiver="globex"))
    found = report.interchanges[0].sets
    assert [len(one.findings) for one in found] == shown
    assert {one.outcome for one in found} == {Outcome.FAULTY}
    (answer,) = house.answers("997")
    assert [segment for segment in answer if segment.startswith("AK5")] == ["AK5*R*5"] * 3


@pytest.mark.parametrize(
    ("content", "beginning"), [(b"", b""), (b"ISA", b"ISA"), (bytes(range(256)) * 40, bytes(range(10)))]
)
def test_the_beginning_of_a_file_is_read_alone(database: Database, content: bytes, beginning: bytes) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with database.writing() as tx:
        kept = receipts.keep(tx, partner="acme", mailbox="acme", name=b"a.edi", content=content, at=at)
        assert receipts.beginning_of(tx, kept.id, 10) == beginning
