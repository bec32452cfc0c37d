"""The SFTP mailbox against a server that lies: about names, sizes, contents, answers and time."""

import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import CountermandError, FileChanged, FileTooLarge, OperatorError, TransportError
from pipeline.mailbox import SftpMailbox, steps
from pipeline.mailbox.sftp import FRAME_BYTES_MAX, Code, Kind
from pipeline.ports import Folder, RemoteFile
from pipeline.receiving.receive import Inbox, Limits, ReceiveReport, receive_all
from pipeline.receiving.sightings import Sightings
from storage.states import Left
from tests.contract.memory_shelf import MemoryShelf, OpenDoor
from tests.integration.hostile_sftp import (
    Frame,
    Frames,
    HostileSftp,
    Instead,
    Quirks,
    attributes,
    content,
    names,
    packet,
    status,
    text,
)

BYTES_MAX = 16 * 1024 * 1024
REGULAR = 0o100644
Honest = Callable[[Frame], bytes]


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileSftp]:
    with HostileSftp(tmp_path_factory.mktemp("partner")) as server:
        yield server


@pytest.fixture
def server(_running: HostileSftp) -> Iterator[HostileSftp]:
    """The module's server, honest again and with empty folders."""
    yield _running
    _running.instead.clear()
    _running.seen.clear()
    _running.quirks = Quirks()
    for folder in ("pickup", "processed", "rejected", "delivery"):
        for path in _place(_running, folder).iterdir():
            path.unlink()


def _place(server: HostileSftp, folder: str) -> Path:
    return Path(server.root.decode()) / folder


def _put(server: HostileSftp, name: str, data: bytes) -> Path:
    path = _place(server, "pickup") / name
    path.write_bytes(data)
    return path


def _receive(server: HostileSftp, shelf: MemoryShelf, **settings: object) -> ReceiveReport:
    with SftpMailbox(server.settings(**settings)) as mailbox:
        inbox = Inbox(partner_id="acme", mailbox=mailbox, door=OpenDoor(), settle_seconds=0)
        bounds = Limits(file_bytes_max=BYTES_MAX)
        (reports,) = receive_all([inbox], shelf, Sightings(), SystemClock(), bounds, wait=False)
    return reports[0]


def _listing(*entries: tuple[bytes, bytes]) -> Instead:
    """The same listing, once in each folder handle."""
    given: set[bytes] = set()

    def answer(frame: Frame, honest: Honest) -> Frames:
        handle = frame.strings(1)[0]
        if handle in given:
            return [status(frame.number, Code.EOF)]
        given.add(handle)
        return [names(frame.number, *entries)]

    return answer


# --- names and sizes ------------------------------------------------------------------------------------


def test_names_and_sizes_that_lie_reach_no_path_and_the_honest_file_is_taken(server: HostileSftp) -> None:
    about = attributes(8, REGULAR, 4_000_000_000)
    odd = [b"../../x", b"/etc/cron.d/x", b"a\0b", b"", b"n" * 100_000, b"../pickup/honest"]
    huge = [(b"huge", attributes(2**63 - 1, REGULAR, 1)), (b"huger", attributes(2**64 - 1, REGULAR, 1))]
    honest = _put(server, "honest", b"content")
    entry = (b"honest", attributes(7, REGULAR, int(honest.stat().st_mtime)))
    entries = [*((name, about) for name in odd), *huge, entry, entry, (b"bare", attributes())]
    server.instead[Kind.READDIR] = _listing(*entries)
    shelf = MemoryShelf()
    report = _receive(server, shelf)
    assert shelf.contents == [("acme", b"honest", b"content")]
    assert server.opened() == [b"/pickup/honest"], "nothing else was opened"
    reasons = {problem.left.name_bytes[:20]: problem.left.reason for problem in report.problems}
    assert reasons == {
        **{name[:20]: Left.NOT_A_FILE for name in [*odd, b"bare"]},
        b"huge": Left.TOO_LARGE,
        b"huger": Left.TOO_LARGE,
    }
    assert all(str(problem.error).isprintable() for problem in report.problems)
    assert _receive(server, shelf).problems == (), "said once"
    moved = [strings[0] for kind, strings in server.seen if kind in (Kind.RENAME, Kind.REMOVE)]
    assert moved == [b"/pickup/honest"]


def test_a_file_of_a_terabyte_is_refused_from_its_listing_and_never_opened(server: HostileSftp) -> None:
    path = _put(server, "huge.edi", b"")
    with path.open("r+b") as file:
        file.truncate(1024**4)
    with SftpMailbox(server.settings()) as mailbox:
        (listed,) = mailbox.listing()
        with pytest.raises(FileTooLarge, match="1099511627776 bytes"):
            mailbox.fetch(listed, file_bytes_max=BYTES_MAX)
    assert server.opened() == []


def test_times_that_are_missing_or_of_the_next_century_do_not_matter(server: HostileSftp) -> None:
    for name in ("none", "future"):
        _put(server, name, b"content")
    server.instead[Kind.READDIR] = _listing(
        (b"none", attributes(7, REGULAR)), (b"future", attributes(7, REGULAR, 2**32 - 1))
    )
    timeless = attributes(7, REGULAR)
    server.instead[Kind.LSTAT] = server.instead[Kind.FSTAT] = lambda frame, honest: [
        honest(frame) if honest(frame)[4] == Kind.STATUS else packet(Kind.ATTRS, frame.number, timeless)
    ]
    assert len(_receive(server, MemoryShelf()).taken) == 2


# --- contents -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        lambda frame, honest: [content(frame.number, b"x" * 200_000)],
        lambda frame, honest: [content(frame.number, b"x")],
        lambda frame, honest: [content(frame.number, b"")],
        lambda frame, honest: [status(frame.number, Code.EOF)],
        lambda frame, honest: [status(frame.number, 99, b"\x1b[2J\xff")],
        lambda frame, honest: [packet(Kind.ATTRS, frame.number, attributes(1, REGULAR))],
        lambda frame, honest: [names(frame.number, (b"x", attributes()))],
    ],
    ids=["endless", "one byte", "nothing", "the end", "a failure", "attributes", "names"],
)
def test_a_body_that_is_not_what_was_listed_is_never_kept_and_told_of_after_three_tries(
    server: HostileSftp, monkeypatch: pytest.MonkeyPatch, answer: Instead
) -> None:
    monkeypatch.setattr(steps, "CRUMBS_MAX", 100)
    _put(server, "a.edi", b"y" * 50_000)
    server.instead[Kind.READ] = answer
    shelf = MemoryShelf()
    reports = [_receive(server, shelf) for _ in range(4)]
    assert [len(report.problems) for report in reports] == [0, 0, 1, 0]
    assert all(report.failure is None for report in reports), "the others would go on"
    assert shelf.contents == []
    assert len(server.opened()) == 3
    del server.instead[Kind.READ]
    _put(server, "a.edi", b"right at last")
    assert len(_receive(server, shelf).taken) == 1


def test_answers_longer_than_what_was_asked_for_do_not_pile_up(
    server: HostileSftp, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(server, "a.edi", b"y" * 1_000_000)
    server.instead[Kind.READ] = lambda frame, honest: [content(frame.number, b"x" * 250_000)]
    with SftpMailbox(server.settings()) as mailbox:
        (file,) = mailbox.listing()
        session = mailbox._session
        assert session is not None
        plain, largest = session._go_on, 0

        def go_on(talk: object, *rest: object) -> bool:
            nonlocal largest
            held = [len(getattr(answer, "content", b"")) for answer in talk.answers]  # type: ignore[attr-defined]
            largest = max(largest, *held, 0)
            return plain(talk, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(session, "_go_on", go_on)
        with pytest.raises(FileChanged):
            mailbox.fetch(file, file_bytes_max=BYTES_MAX)
    assert 32 * 1024 <= largest <= 32 * 1024 + 1


def test_a_file_whose_handle_says_another_size_is_left(server: HostileSftp) -> None:
    _put(server, "a.edi", b"content")
    server.instead[Kind.FSTAT] = lambda frame, honest: [
        packet(Kind.ATTRS, frame.number, attributes(1_000, REGULAR, 1))
    ]
    with SftpMailbox(server.settings()) as mailbox, pytest.raises(FileChanged):
        mailbox.fetch(mailbox.listing()[0], file_bytes_max=BYTES_MAX)


def test_a_handle_that_turns_out_to_be_no_file_is_left(server: HostileSftp) -> None:
    path = _put(server, "a.edi", b"content")
    server.instead[Kind.FSTAT] = lambda frame, honest: [
        packet(Kind.ATTRS, frame.number, attributes(7, 0o010644, int(path.stat().st_mtime)))
    ]
    with SftpMailbox(server.settings()) as mailbox, pytest.raises(FileChanged):
        mailbox.fetch(mailbox.listing()[0], file_bytes_max=BYTES_MAX)


# --- answers --------------------------------------------------------------------------------------------

WRONG: dict[str, Instead] = {
    "a number nobody asked with": lambda frame, honest: [status(frame.number + 1000, Code.OK)],
    "the same answer twice": lambda frame, honest: [honest(frame)] * 2,
    "an unknown kind": lambda frame, honest: [packet(250, frame.number, b"")],
    "a packet of 4 GB": lambda frame, honest: [b"\xff\xff\xff\xff"],
    "a packet too large": lambda frame, honest: [struct.pack(">I", FRAME_BYTES_MAX + 1)],
    "an empty packet": lambda frame, honest: [struct.pack(">I", 0)],
    "a count that lies": lambda frame, honest: [
        packet(Kind.NAME, frame.number, struct.pack(">I", 2**32 - 1))
    ],
    "a string that lies": lambda frame, honest: [packet(Kind.HANDLE, frame.number, struct.pack(">I", 2**31))],
    "a handle too long": lambda frame, honest: [packet(Kind.HANDLE, frame.number, text(b"h" * 257))],
    "attributes that lie": lambda frame, honest: [
        packet(Kind.ATTRS, frame.number, struct.pack(">II", 0x80000000, 2**32 - 1))
    ],
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", [Kind.OPENDIR, Kind.READDIR])
def test_an_answer_that_breaks_the_protocol_ends_the_session_and_the_next_one_is_well(
    server: HostileSftp, wrong: str, kind: Kind
) -> None:
    _put(server, "a.edi", b"content")
    server.instead[kind] = WRONG[wrong]
    with SftpMailbox(server.settings()) as mailbox:
        with pytest.raises(TransportError) as caught:
            _twice(mailbox.listing)  # a second answer is found out by the next call at the latest
        assert str(caught.value).isprintable()
        server.instead.clear()
        assert [file.name for file in mailbox.listing()] == [b"a.edi"]


def test_a_server_that_goes_on_listing_one_name_comes_to_an_end(
    server: HostileSftp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "LISTING_FILES_MAX", 50_000)
    entries = [(b"again", attributes(5, REGULAR, 1))] * 5_000
    server.instead[Kind.READDIR] = lambda frame, honest: [names(frame.number, *entries)]
    with SftpMailbox(server.settings()) as mailbox:
        assert [file.name for file in mailbox.listing()] == [b"again"]
    pages = [kind for kind, _ in server.seen if kind == Kind.READDIR]
    assert len(pages) <= 50_000 / len(entries) + 8


def test_a_server_that_lists_long_names_comes_to_an_end_too(server: HostileSftp) -> None:
    count = 0

    def page(frame: Frame, honest: Honest) -> Frames:
        nonlocal count
        count += 200
        numbers = range(count - 200, count)
        return [names(frame.number, *((b"%01000d" % number, attributes(1, 0o010644)) for number in numbers))]

    server.instead[Kind.READDIR] = page
    with SftpMailbox(server.settings()) as mailbox:
        listed = mailbox.listing()
    assert 33_000 < len(listed) < 37_000, "32 MB of names"


def test_a_server_that_answers_in_drops_is_given_up(server: HostileSftp) -> None:
    def drops(frame: Frame, honest: Honest) -> Frames:
        for byte in honest(frame):
            time.sleep(0.2)
            yield bytes([byte])

    server.instead[Kind.OPENDIR] = drops
    with SftpMailbox(server.settings(timeout_seconds=1)) as mailbox:
        _gives_up(mailbox.listing, 1)


def test_a_server_that_lists_a_name_now_and_then_does_not_hold_us_for_ever(server: HostileSftp) -> None:
    def slowly(frame: Frame, honest: Honest) -> Frames:
        time.sleep(0.3)
        return [names(frame.number, (b"%d" % frame.number, attributes(5, REGULAR, 1)))]

    server.instead[Kind.READDIR] = slowly
    with SftpMailbox(server.settings(timeout_seconds=0.7)) as mailbox:
        _gives_up(mailbox.listing, 3 * 0.7)


def test_a_file_over_which_the_server_ends_the_session_is_found_out_and_the_others_are_taken(
    server: HostileSftp,
) -> None:
    def dies(frame: Frame, honest: Honest) -> Frames:
        if frame.strings(1)[0].endswith(b"poison"):
            raise EOFError
        return [honest(frame)]

    for number in range(40):
        _put(server, f"{number:02d}", b"%d" % number)
    _put(server, "20 poison", b"x")
    server.instead[Kind.OPEN] = dies
    shelf = MemoryShelf()
    reports = [_receive(server, shelf) for _ in range(4)]
    assert [report.failure is not None for report in reports] == [True, True, True, False]
    assert len(shelf.contents) == 40
    assert [problem.left.name_bytes for problem in reports[2].problems] == [b"20 poison"]
    assert [path.name for path in _place(server, "pickup").iterdir()] == ["20 poison"]


# --- renames ----------------------------------------------------------------------------------------------


def test_a_folder_that_is_the_pickup_folder_under_another_name_is_refused_before_a_move(
    server: HostileSftp,
) -> None:
    path = _put(server, "a.edi", b"content")
    server.quirks = Quirks(ignores_case=True, rename_to_itself_deletes=True, rename_replaces=True)
    link = Path(server.root.decode()) / "done"
    link.symlink_to("pickup")
    for processed in ("/PickUp", "\\pickup", "/pickup/"):
        with pytest.raises(OperatorError, match="other folders than pickup"):
            SftpMailbox(server.settings(processed=processed))
    file = RemoteFile(name=b"a.edi", size=7, modified=None, regular=True)
    with (
        SftpMailbox(server.settings(processed="/done")) as mailbox,
        pytest.raises(OperatorError, match="is the pickup folder itself"),
    ):
        mailbox.move(file, Folder.PROCESSED, "0badcafe")
    link.unlink()
    assert path.read_bytes() == b"content"
    assert Kind.RENAME not in [kind for kind, _ in server.seen]


def test_no_rename_ever_goes_to_its_own_name(server: HostileSftp) -> None:
    server.quirks = Quirks(rename_to_itself_deletes=True, rename_replaces=True, posix_rename=False)
    renames: list[list[bytes]] = []
    server.instead[Kind.RENAME] = lambda frame, honest: [
        [renames.append(frame.strings(2)), honest(frame)][1]  # type: ignore[func-returns-value, list-item]
    ]
    for data in (b"one", b"two", b"three"):
        _put(server, "a.edi", data)
        _receive(server, MemoryShelf())
    with SftpMailbox(server.settings()) as mailbox:
        mailbox.deliver("1.997", b"content")
        mailbox.deliver("1.997", b"content")
    assert len(renames) == 4
    assert all(source != target for source, target in renames)
    kept = sorted(path.read_bytes() for path in _place(server, "processed").iterdir())
    assert kept == [b"one", b"three", b"two"], "nothing was replaced"


def _twice(call: Callable[[], object]) -> None:
    call()
    call()


def _gives_up(call: Callable[[], object], seconds: float) -> None:
    started = time.monotonic()
    with pytest.raises(CountermandError):
        call()
    assert time.monotonic() - started < seconds + 2
