"""What every Shelf must do: the database's, and the one in memory that tests of receiving work with."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edi.unfinished import breaks_off
from pipeline.clock import SystemClock
from pipeline.receiving.receive import Shelf
from pipeline.receiving.shelf import DatabaseShelf
from storage.database import Database
from storage.mailboxes import LeftFile
from storage.states import Left
from tests.contract.memory_shelf import MemoryShelf
from tests.unit.storage.build import AT

LEFT = LeftFile(
    partner="acme", name_bytes=b"\xff", size=1, modified=None, regular=True, reason=Left.UNMOVED,
    since=AT, tried_at=AT,
)  # fmt: skip


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    if request.param == "memory":
        yield MemoryShelf()
        return
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").borrow()
    database = Database(url)
    yield DatabaseShelf(database=database, clock=SystemClock(), is_cut_off=breaks_off)
    database.close()
    if request.param == "postgresql":
        request.getfixturevalue("postgres_server").give_back(url)


def test_what_is_kept_has_a_number_and_a_suffix_of_its_own(shelf: Shelf) -> None:
    first, second = shelf.keep("acme", [(b"a.edi", b"one"), (b"\xff\n", b"two")])
    assert (first.known, second.known) == (False, False)
    assert first.file_id != second.file_id
    assert len(first.suffix) == 8
    assert shelf.kept(first.file_id).file_id == first.file_id
    assert shelf.kept(second.file_id).suffix == second.suffix


def test_moves_are_taken_together_and_none_is_no_mistake(shelf: Shelf) -> None:
    kept = shelf.keep("acme", [(b"%d" % number, b"%d" % number) for number in range(3)])
    shelf.moved([])
    shelf.moved([(kept[0].file_id, b"0"), (kept[1].file_id, b"1.\xff"), (kept[2].file_id, b"")])
    if isinstance(shelf, DatabaseShelf):
        with shelf.database.reading() as tx:
            targets = tx.exec_driver_sql("SELECT moved_to FROM received_file ORDER BY id").scalars().all()
        assert targets == ["0", "1.\\xff", ""]


def test_what_was_not_seen_to_be_moved_is_known(shelf: Shelf) -> None:
    kept = shelf.keep("acme", [(b"%d" % number, b"%d" % number) for number in range(3)])
    shelf.keep("bolt", [(b"3", b"3")])
    shelf.moved([(kept[1].file_id, b"1")])
    assert list(shelf.unmoved("acme")) == [(kept[0].file_id, b"0"), (kept[2].file_id, b"2")]


def test_what_is_left_is_remembered_until_it_is_forgotten(shelf: Shelf) -> None:
    (kept,) = shelf.keep("acme", [(b"\xff", b"x")])
    left = replace(LEFT, file_id=kept.file_id)
    shelf.remember("acme", (), [left, replace(LEFT, name_bytes=b"b")])
    assert sorted(file.name_bytes for file in shelf.left("acme")) == [b"b", b"\xff"]
    assert shelf.left("bolt") == type(shelf.left("acme"))()
    shelf.remember("acme", [b"b"], [replace(left, tries=2)])
    assert list(shelf.left("acme")) == [replace(left, tries=2)]


def test_content_that_breaks_off_is_known_by_its_bytes(shelf: Shelf) -> None:
    assert shelf.breaks_off(b"ISA*00*...")
    assert not shelf.breaks_off(b"a letter")
