"""Receiving: what is settled, what is kept before what is moved, and that nobody stops anybody."""

import errno
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.errors import CountermandError, FileTooLarge, MailboxPaused, OperatorError, TransportError
from pipeline.ports import RemoteFile
from pipeline.receiving import batches
from pipeline.receiving.batches import BATCH_FILES_MAX
from pipeline.receiving.receive import Limits, ReceiveReport
from tests.contract.folder_mailbox import FolderMailbox
from tests.contract.memory_shelf import MemoryShelf
from tests.unit.pipeline.receiving import FakeClock, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.partner("acme")
    return world


@pytest.fixture
def settling(tmp_path: Path) -> World:
    world = World(tmp_path, settle_seconds=10)
    world.partner("acme")
    return world


def _names(report: ReceiveReport) -> list[bytes]:
    return [file.name for file in report.taken]


def test_files_are_kept_by_name_then_moved_then_the_keeper_is_told(world: World) -> None:
    world.put("b.edi", b"two")
    world.put("a.edi", b"one")
    report = world.receive()
    assert world.shelf.contents == [("acme", b"a.edi", b"one"), ("acme", b"b.edi", b"two")]
    assert world.shelf.targets == [(b"a.edi", b"a.edi"), (b"b.edi", b"b.edi")]
    assert [(file.name, file.size, file.file_id, file.known, file.moved_to) for file in report.taken] == [
        (b"a.edi", 3, 1, False, b"a.edi"),
        (b"b.edi", 3, 2, False, b"b.edi"),
    ]
    assert (world.names("pickup"), world.names("processed")) == ([], ["a.edi", "b.edi"])
    assert (report.failure, report.problems, report.unsettled) == (None, (), 0)
    assert world.mailboxes["acme"].calls == ["listing", "fetch a.edi b.edi", "move a.edi b.edi", "close"]


def test_an_empty_mailbox_reports_nothing(world: World) -> None:
    assert world.receive() == ReceiveReport(partner_id="acme")


def test_a_second_round_finds_nothing(world: World) -> None:
    world.put("a.edi", b"one")
    world.receive()
    assert world.receive().taken == ()


# --- settling -------------------------------------------------------------------------------------------


def test_a_file_is_taken_when_it_was_the_same_long_enough_ago(settling: World) -> None:
    settling.put("a.edi", b"one")
    first = settling.receive()
    assert (first.taken, first.unsettled, first.owed_seconds) == ((), 1, 10)
    settling.clock.seconds += 9.9
    assert settling.receive().unsettled == 1
    settling.clock.seconds += 0.1
    assert _names(settling.receive()) == [b"a.edi"]


@pytest.mark.parametrize("modified", [0, 978_307_200, 4_000_000_000])
def test_the_servers_clock_does_not_matter(settling: World, modified: int) -> None:
    settling.put("a.edi", b"one", modified=modified)
    assert settling.receive().unsettled == 1
    settling.clock.seconds += 10
    assert _names(settling.receive()) == [b"a.edi"]


def test_a_growing_file_is_never_taken_and_then_once_whole(settling: World) -> None:
    for length in range(1, 6):
        settling.put("a.edi", b"x" * length)
        assert settling.receive().taken == ()
        settling.clock.seconds += 10
    assert _names(settling.receive()) == [b"a.edi"]
    assert settling.shelf.contents == [("acme", b"a.edi", b"xxxxx")]


def test_a_file_rewritten_with_the_same_size_settles_again(settling: World) -> None:
    settling.put("a.edi", b"one")
    settling.receive()
    settling.clock.seconds += 10
    settling.put("a.edi", b"two", modified=1_700_000_009)
    assert settling.receive().taken == ()


def test_a_file_that_went_and_came_back_settles_again(settling: World) -> None:
    path = settling.put("a.edi", b"one")
    settling.receive()
    path.unlink()
    settling.clock.seconds += 10
    settling.receive()
    settling.put("a.edi", b"one")
    assert settling.receive().unsettled == 1


def test_a_file_caught_changing_while_it_is_read_settles_again(
    settling: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settling.put("a.edi", b"one")
    settling.put("b.edi", b"two")
    settling.receive()
    settling.clock.seconds += 10
    plain = FolderMailbox._fetch

    def fetch(mailbox: FolderMailbox, file: object, limit: int) -> bytes | CountermandError:
        settling.put("a.edi", b"changed")
        return plain(mailbox, file, limit)  # type: ignore[arg-type]

    monkeypatch.setattr(FolderMailbox, "_fetch", fetch)
    report = settling.receive()
    monkeypatch.undo()
    assert _names(report) == [b"b.edi"]
    assert (report.problems, report.failure) == ((), None), "it is no news"
    assert settling.receive().unsettled == 1
    settling.clock.seconds += 10
    assert settling.shelf.contents[-1][2] == b"two"
    assert _names(settling.receive()) == [b"a.edi"]


def test_a_single_run_waits_once_as_long_as_the_last_file_needs(settling: World) -> None:
    settling.partner("bolt")
    settling.put("a.edi", b"one")
    settling.put("b.edi", b"two", "bolt")
    reports = settling.receive_all(wait=True)
    assert settling.clock.slept == [pytest.approx(10, abs=0.01)]
    assert _names(reports["acme"]) == [b"a.edi"]
    assert _names(reports["bolt"]) == [b"b.edi"]


def test_a_single_run_does_not_wait_for_nothing(settling: World) -> None:
    assert settling.receive_all(wait=True)["acme"].taken == ()
    assert settling.clock.slept == []


def test_a_single_run_leaves_what_still_grows(settling: World) -> None:
    settling.put("a.edi", b"one")
    settling.put("b.edi", b"two")
    settling.clock.asleep.append(lambda: settling.put("a.edi", b"longer"))
    report = settling.receive_all(wait=True)["acme"]
    assert _names(report) == [b"b.edi"]
    assert report.unsettled == 1
    assert len(settling.clock.slept) == 1


def test_rounds_in_one_process_never_wait(settling: World) -> None:
    settling.put("a.edi", b"one")
    assert settling.receive_all(wait=False)["acme"].unsettled == 1
    settling.clock.seconds += 10
    assert _names(settling.receive_all(wait=False)["acme"]) == [b"a.edi"]
    assert settling.clock.slept == []


# --- what is never taken --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.tmp", "a.part", "a.edi.filepart", "a.TMP", ".hidden", ".a.edi.part"])
def test_unfinished_names_are_ignored_in_silence(world: World, name: str) -> None:
    world.put(name, b"one")
    assert world.receive() == ReceiveReport(partner_id="acme")
    assert world.names("pickup") == [name]


def test_a_file_over_the_limit_is_a_problem_told_once(world: World) -> None:
    world.put("huge.edi", b"x" * 1001)
    world.put("exact.edi", b"x" * 1000)
    report = world.receive()
    assert _names(report) == [b"exact.edi"]
    assert [type(problem.error) for problem in report.problems] == [FileTooLarge]
    again = world.receive()
    assert (again.problems, again.failure) == ((), None)


def test_a_round_takes_so_many_files_and_says_how_many_are_left(world: World) -> None:
    world.limits = Limits(file_bytes_max=1000, poll_files_max=2)
    for name in ("c", "a", "b", "e", "d"):
        world.put(name, name.encode())
    first = world.receive()
    assert (_names(first), first.left) == ([b"a", b"b"], 3)
    second = world.receive()
    assert (_names(second), second.left) == ([b"c", b"d"], 1)


def test_passes_go_round_so_that_a_backlog_makes_nobody_wait(world: World) -> None:
    world.partner("bolt")
    world.limits = Limits(file_bytes_max=1000, pass_files_max=100)
    for number in range(600):
        world.put(f"{number:04d}", str(number).encode())
    world.put("only", b"one", "bolt")
    passes = list(world.passes("acme", "bolt", wait=False))
    assert [[len(report.taken) for report in reports] for reports in passes] == [[256, 1], [256], [88]]
    assert [reports[0].left for reports in passes] == [344, 88, 0]
    assert world.mailboxes["acme"].calls.count("listing") == 1
    assert world.doors["acme"].told == world.doors["bolt"].told == ["served"]


class Slow(FolderMailbox):
    """Every batch takes 20 seconds."""

    clock: FakeClock

    def fetch_many(
        self, files: Sequence[RemoteFile], *, file_bytes_max: int
    ) -> list[bytes | CountermandError]:
        self.clock.seconds += 20
        return super().fetch_many(files, file_bytes_max=file_bytes_max)


def test_a_slow_server_has_its_turn_and_not_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_FILES_AFTER_TRIES", (4, 2, 1))
    world.partner("bolt")
    slow = world.mailboxes["acme"] = Slow(world.root / "acme")
    slow.clock = world.clock
    for number in range(20 * 4):
        world.put(f"{number:04d}", str(number).encode())
    world.put("only", b"one", "bolt")
    passes = list(world.passes("acme", "bolt", wait=False))
    assert [len(reports[0].taken) for reports in passes] == [2 * 4] * 4, "30 and 120 seconds"
    assert passes[0][1].taken
    assert passes[-1][0].left == 12 * 4
    assert world.doors["acme"].told == ["served"]
    assert world.mailboxes["acme"].calls[-1] == "close"


def test_a_mailbox_that_fails_in_a_later_pass_has_failed_once(world: World) -> None:
    world.limits = Limits(file_bytes_max=1000, pass_files_max=1)
    for number in range(300):
        world.put(f"{number:04d}", str(number).encode())
    passes = world.passes("acme", wait=False)
    assert len(next(passes)[0].taken) == 256
    world.mailboxes["acme"].failure = TransportError("cut")
    (report,) = next(passes)
    assert (report.failure, report.left) == (world.mailboxes["acme"].failure, 0)
    assert list(passes) == []
    assert world.doors["acme"].told == ["failed: cut"]


def test_many_files_go_in_batches_and_each_is_moved_after_its_batch_is_kept(world: World) -> None:
    for number in range(BATCH_FILES_MAX + 1):
        world.put(f"{number:04d}", str(number).encode())
    assert len(world.receive().taken) == BATCH_FILES_MAX + 1
    calls = [call.split()[0] for call in world.mailboxes["acme"].calls]
    assert calls == ["listing", "fetch", "move", "fetch", "move", "close"]


# --- when it fails --------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [TransportError("refused"), OperatorError("host key changed")])
def test_one_partner_down_does_not_stop_the_next(world: World, failure: CountermandError) -> None:
    world.partner("bolt")
    world.mailboxes["acme"].failure = failure
    world.put("a.edi", b"one")
    world.put("b.edi", b"two", "bolt")
    reports = world.receive_all(wait=True)
    assert reports["acme"].failure is failure
    assert reports["acme"].taken == ()
    assert _names(reports["bolt"]) == [b"b.edi"]
    assert reports["bolt"].failure is None
    assert world.mailboxes["acme"].calls[-1] == "close"


def test_a_door_is_told_of_failures_and_of_rounds_that_went_well(world: World) -> None:
    world.receive()
    world.mailboxes["acme"].failure = TransportError("refused")
    world.receive()
    assert world.doors["acme"].told == ["served", "failed: refused"]


def test_a_mailbox_that_may_not_be_tried_is_paused_and_has_not_failed(world: World) -> None:
    world.mailboxes["acme"].failure = MailboxPaused("left alone")
    report = world.receive()
    assert (report.paused, report.failure) == (world.mailboxes["acme"].failure, None)
    assert world.doors["acme"].told == []


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), TransportError("database is locked")]
)
def test_when_keeping_fails_nothing_of_the_batch_is_moved_and_it_waits(
    world: World, failure: Exception
) -> None:
    world.shelf.failure, world.shelf.fail_at = failure, 1
    for name in ("a", "b", "c"):
        world.put(name, name.encode())
    report = world.receive()
    assert isinstance(report.failure, TransportError)
    assert _names(report) == []
    assert (world.names("pickup"), world.names("processed")) == (["a", "b", "c"], [])
    world.shelf.failure = None
    world.clock.seconds += 30
    assert _names(world.receive()) == [b"a", b"b", b"c"]


def test_a_bug_in_keeping_is_let_through_and_moves_nothing(world: World) -> None:
    world.shelf.failure = ZeroDivisionError()
    world.put("a.edi", b"one")
    with pytest.raises(ZeroDivisionError):
        world.receive()
    assert world.names("pickup") == ["a.edi"]
    assert world.mailboxes["acme"].calls[-1] == "close"


def test_a_file_that_cannot_be_moved_is_kept_once_and_its_move_is_tried_again(world: World) -> None:
    mailbox = world.mailboxes["acme"]
    mailbox.refused[b"a.edi"] = OperatorError("read-only folder")
    world.put("a.edi", b"one")
    world.put("b.edi", b"two")
    first = world.receive()
    assert [(file.name, file.moved_to) for file in first.taken] == [(b"a.edi", None), (b"b.edi", b"b.edi")]
    assert [str(problem.error) for problem in first.problems] == ["read-only folder"]
    assert first.failure is None
    second = world.receive()
    assert (second.taken, second.problems) == ((), ()), "it was said already"
    mailbox.refused.clear()
    third = world.receive()
    assert [(file.name, file.file_id, file.moved_to) for file in third.taken] == [(b"a.edi", 1, b"a.edi")]
    assert len(world.shelf.contents) == 2
    assert world.shelf.targets == [(b"b.edi", b"b.edi"), (b"a.edi", b"a.edi")]


def test_a_kept_file_that_cannot_be_moved_is_taken_again_when_its_content_changes(world: World) -> None:
    world.mailboxes["acme"].refused[b"a.edi"] = OperatorError("read-only folder")
    world.put("a.edi", b"one")
    world.receive()
    world.put("a.edi", b"another")
    world.receive()
    assert [content for _, _, content in world.shelf.contents] == [b"one", b"another"]


def test_after_a_crash_between_keeping_and_moving_the_file_is_recognised(world: World) -> None:
    world.put("a.edi", b"one")
    world.mailboxes["acme"].refused[b"a.edi"] = TransportError("we died here")
    world.receive()
    world.mailboxes["acme"].refused.clear()
    world.restarted()
    world.shelf.files.clear()  # it died before it could write down that the file stays
    (taken,) = world.receive().taken
    assert (taken.known, taken.moved_to) == (True, b"a.edi")


def test_after_a_crash_between_moving_and_writing_it_down_the_file_is_known_to_be_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: MemoryShelf, moves: object) -> None:
        if moves:
            raise KeyboardInterrupt

    world.put("a.edi", b"one")
    with monkeypatch.context() as patch:
        patch.setattr(MemoryShelf, "moved", die)
        with pytest.raises(KeyboardInterrupt):
            world.receive()
    assert world.names("processed") == ["a.edi"]
    world.restarted()
    assert world.receive().taken == ()
    assert world.shelf.targets == [(b"a.edi", b"")]
    assert world.shelf.unmoved("acme") == []


def test_what_a_pass_tells_is_not_remembered_as_told_before_the_caller_had_it(world: World) -> None:
    world.put("a.edi", b"x" * 1001)
    passes = world.passes("acme", wait=False)
    (report,) = next(passes)
    assert [isinstance(problem.error, FileTooLarge) for problem in report.problems] == [True]
    assert world.shelf.files == {}  # we could die before support is told, and the next process tells it then
    assert list(passes) == []
    assert [left.told for left in world.shelf.files.values()] == [True]


def test_a_broken_connection_while_moving_keeps_what_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("a.edi", b"one")

    def move_many(*_: object) -> list[bytes | CountermandError]:
        raise TransportError("cut")

    monkeypatch.setattr(world.mailboxes["acme"], "move_many", move_many)
    report = world.receive()
    assert isinstance(report.failure, TransportError)
    assert [(file.name, file.moved_to) for file in report.taken] == [(b"a.edi", None)]
    monkeypatch.undo()
    world.clock.seconds += 30
    assert [file.moved_to for file in world.receive().taken] == [b"a.edi"]
    assert len(world.shelf.contents) == 1


def test_the_same_name_again_is_another_file_and_both_stay(world: World) -> None:
    for content in (b"monday", b"tuesday"):
        world.put("a.edi", content)
        world.receive()
    assert [content for _, _, content in world.shelf.contents] == [b"monday", b"tuesday"]
    first, second = world.names("processed")
    assert first == "a.edi"
    assert second.startswith("a.edi.")
    assert len(second) == len("a.edi.") + 8
