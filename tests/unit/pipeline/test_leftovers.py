"""What stays in a pickup folder: told once, not fetched again for nothing, remembered by the next process."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.errors import CountermandError, FileChanged, OperatorError, TransportError
from pipeline.ports import RemoteFile
from pipeline.receiving.receive import ReceiveReport
from storage.states import Left
from tests.contract.folder_mailbox import FolderMailbox
from tests.unit.pipeline.receiving import World

HOUR = 3600.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.partner("acme")
    return world


def told(report: ReceiveReport) -> list[tuple[bytes, Left]]:
    return [(problem.left.name_bytes, problem.left.reason) for problem in report.problems]


def fetched(world: World) -> list[str]:
    calls = world.mailboxes["acme"].calls
    found = [call.removeprefix("fetch ") for call in calls if call.startswith("fetch ")]
    calls.clear()
    return found


# --- files that are not for taking ----------------------------------------------------------------------


def test_odd_things_are_named_once_and_not_again_by_the_next_process(world: World) -> None:
    path = world.put("pipe.edi", b"")
    path.unlink()
    os.mkfifo(path)
    path.with_name("link.edi").symlink_to("/etc/hostname")
    path.with_name("folder").mkdir()
    first = world.receive()
    assert told(first) == [(b"link.edi", Left.NOT_A_FILE), (b"pipe.edi", Left.NOT_A_FILE)]
    assert str(first.problems[0].error) == "link.edi is not an ordinary file; it was left alone"
    world.restarted()
    assert told(world.receive()) == []
    assert fetched(world) == []


def test_an_empty_file_is_told_of_after_ten_minutes_and_taken_when_it_is_filled(world: World) -> None:
    world.put("empty.edi", b"")
    assert told(world.receive()) == []
    world.clock.seconds += 599
    world.restarted()
    assert told(world.receive()) == []
    world.clock.seconds += 1
    assert told(world.receive()) == [(b"empty.edi", Left.EMPTY)]
    world.restarted()
    assert told(world.receive()) == []
    assert world.shelf.contents == [], "nothing to answer"
    world.put("empty.edi", b"filled")
    assert [file.name for file in world.receive().taken] == [b"empty.edi"]
    assert world.shelf.files == {}


def test_what_is_taken_away_is_forgotten(world: World) -> None:
    path = world.put("empty.edi", b"")
    world.receive()
    path.unlink()
    world.receive()
    assert world.shelf.files == {}


def test_a_hundred_odd_things_are_told_in_twenty_lines(world: World) -> None:
    for number in range(100):
        os.mkfifo(world.root / "acme" / "pickup" / f"{number:03d}")
    problems = world.receive().problems
    assert len(problems) == 20
    assert str(problems[-1].error) == "81 more files were left alone; see: countermand doctor"
    assert told(world.receive()) == []


# --- files whose writer has not finished ----------------------------------------------------------------


def test_a_file_that_breaks_off_is_left_to_its_writer_and_taken_once_whole(world: World) -> None:
    world.put("a.edi", b"ISA...")
    report = world.receive()
    assert (report.taken, told(report), report.failure) == ((), [], None)
    assert fetched(world) == ["a.edi"]
    for _ in range(5):
        world.clock.seconds += 600
        world.restarted()
        assert world.receive().taken == ()
    assert fetched(world) == [], "the same file is not fetched again"
    assert (world.names("pickup"), world.names("processed")) == (["a.edi"], [])
    world.put("a.edi", b"ISA and all the rest")
    assert [file.name for file in world.receive().taken] == [b"a.edi"]
    assert world.shelf.contents == [("acme", b"a.edi", b"ISA and all the rest")]


def test_a_file_that_stays_broken_off_is_taken_as_it_is_when_the_time_is_up(world: World) -> None:
    world.put("a.edi", b"ISA...")
    world.receive()
    world.clock.seconds += HOUR - 1
    assert world.receive().taken == ()
    world.clock.seconds += 1
    assert [file.name for file in world.receive().taken] == [b"a.edi"]
    assert world.shelf.files == {}


def test_a_writer_that_goes_on_gets_new_time(world: World) -> None:
    for length in range(1, 4):
        world.put("a.edi", b"ISA" * length + b"...")
        world.receive()
        world.clock.seconds += HOUR - 1
    assert world.shelf.contents == []


# --- files that break the connection, or are not what they are listed as ---------------------------------


class Poisoned(FolderMailbox):
    """The connection breaks whenever one file is fetched."""

    def fetch_many(
        self, files: Sequence[RemoteFile], *, file_bytes_max: int
    ) -> list[bytes | CountermandError]:
        found = super().fetch_many(files, file_bytes_max=file_bytes_max)
        if any(file.name == b"0100" for file in files):
            raise TransportError("the server closed the session")
        return found


def test_a_file_that_breaks_the_connection_is_found_out_and_the_others_are_taken(world: World) -> None:
    world.mailboxes["acme"] = Poisoned(world.root / "acme")
    for number in range(200):
        world.put(f"{number:04d}", b"content of %d" % number)
    reports: list[ReceiveReport] = []
    for _ in range(4):
        world.put(f"new {len(reports)}", b"%d" % len(reports))
        world.restarted()
        reports.append(world.receive())
    assert [report.failure is not None for report in reports] == [True, True, True, False]
    assert [told(report) for report in reports] == [[], [], [(b"0100", Left.BROKEN)], []]
    assert world.names("pickup") == ["0100"]
    assert len(world.shelf.contents) == 199 + 4


def test_a_broken_file_is_tried_again_after_an_hour(world: World) -> None:
    world.mailboxes["acme"] = Poisoned(world.root / "acme")
    world.put("0100", b"content")
    for _ in range(3):
        world.receive()
    assert world.receive().failure is None
    fetched(world)
    world.clock.seconds += HOUR
    world.mailboxes["acme"] = FolderMailbox(world.root / "acme")
    assert [file.name for file in world.receive().taken] == [b"0100"]


def test_a_connection_that_cannot_be_made_makes_no_file_suspicious(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch_many(*_: object, **__: object) -> list[bytes | CountermandError]:
        raise OperatorError("host key changed")

    world.put("a.edi", b"one")
    monkeypatch.setattr(world.mailboxes["acme"], "fetch_many", fetch_many)
    assert world.receive().failure is not None
    assert world.shelf.files == {}


def test_a_file_that_is_never_what_is_listed_is_told_after_three_tries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lies(mailbox: FolderMailbox, file: RemoteFile, limit: int) -> bytes | CountermandError:
        return FileChanged("longer than listed")

    monkeypatch.setattr(FolderMailbox, "_fetch", lies)
    world.put("a.edi", b"one")
    reports = [world.receive() for _ in range(4)]
    assert [told(report) for report in reports] == [[], [], [(b"a.edi", Left.BROKEN)], []]
    assert all(report.failure is None for report in reports)
    assert len(fetched(world)) == 3


# --- files that cannot be moved --------------------------------------------------------------------------


def test_a_kept_file_that_cannot_be_moved_is_not_fetched_by_the_next_process(world: World) -> None:
    world.mailboxes["acme"].refused[b"a.edi"] = OperatorError("read-only folder")
    world.put("a.edi", b"one")
    first = world.receive()
    assert told(first) == [(b"a.edi", Left.UNMOVED)]
    assert fetched(world) == ["a.edi"]
    for _ in range(3):
        world.restarted()
        report = world.receive()
        assert (report.taken, told(report), report.failure) == ((), [], None)
    assert fetched(world) == []
    world.mailboxes["acme"].refused.clear()
    world.restarted()
    assert [file.moved_to for file in world.receive().taken] == [b"a.edi"]
    assert len(world.shelf.contents) == 1
    assert world.shelf.files == {}


def test_a_kept_file_that_the_partner_takes_away_counts_as_moved(world: World) -> None:
    world.mailboxes["acme"].refused[b"a.edi"] = OperatorError("read-only folder")
    path = world.put("a.edi", b"one")
    world.receive()
    path.unlink()
    world.receive()
    assert world.shelf.targets == [(b"a.edi", b"")]
    assert world.shelf.files == {}
