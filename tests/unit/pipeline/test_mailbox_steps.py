"""The conversations with a hostile or odd server, played from a list of answers; no network."""

import struct
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import FileChanged, FileUnreadable, OperatorError, TransportError
from pipeline.mailbox import sftp, steps
from pipeline.mailbox.changes import Changes
from pipeline.mailbox.sftp import Answer, Attributes, Code, Content, Handle, Kind, Names, Request, Status
from pipeline.mailbox.steps import CRUMBS_MAX, LISTING_FILES_MAX, Conversation
from pipeline.partners import MailboxSettings
from pipeline.ports import Folder, Move, RemoteFile, printable

SETTINGS = MailboxSettings(
    host="sftp.example",
    username="hub",
    host_keys=(),
    pickup="/out",
    processed="/out/done",
    rejected="/out/bad",
    delivery="/in",
)
STEPS = Changes(SETTINGS)
FILE = RemoteFile(name=b"a.edi", size=10, modified=5, regular=True)
REGULAR = Attributes(10, 0o100644, 5)
OK, EOF = Status(Code.OK, ""), Status(Code.EOF, "")
MISSING, FAILURE = Status(Code.NO_SUCH_FILE, ""), Status(Code.FAILURE, "")


def play(
    conversation: Conversation[Any], answer: Callable[[Request], Answer], steps_max: int = 20_000
) -> Any:
    """Carry it on with a server that is one function."""
    try:
        requests = next(conversation)
        for _ in range(steps_max):
            requests = conversation.send([answer(request) for request in requests])
    except StopIteration as end:
        return end.value
    raise AssertionError("it never ends")


def listing(*entries: tuple[bytes, Attributes], lstat: Answer = MISSING) -> tuple[RemoteFile, ...]:
    """What is made of a listing a server gives."""
    pages = [Names(entries)]

    def answer(request: Request) -> Answer:
        if request.kind == Kind.READDIR:
            return pages.pop() if pages else EOF
        return {Kind.OPENDIR: Handle(b"h"), Kind.LSTAT: lstat}.get(request.kind, OK)

    found: tuple[RemoteFile, ...] = play(STEPS.listing(), answer)
    return found


@pytest.mark.parametrize("name", [b"../../x", b"/etc/cron.d/x", b"a\0b", b""])
def test_names_that_lead_out_of_the_folder_are_no_candidates(name: bytes) -> None:
    (file,) = listing((name, REGULAR))
    assert not file.regular
    with pytest.raises(FileUnreadable):
        play(STEPS.fetching(file, 1000), lambda request: OK)


def test_a_name_listed_twice_is_one_file() -> None:
    assert listing((b"a", REGULAR), (b"a", REGULAR)) == (
        RemoteFile(name=b"a", size=10, modified=5, regular=True),
    )


def test_a_listing_without_attributes_is_asked_for_them() -> None:
    bare = Attributes(None, None, None)
    assert listing((b"a", bare), lstat=REGULAR)[0].regular
    assert not listing((b"a", bare), lstat=MISSING)[0].regular
    assert not listing((b"a", bare), lstat=bare)[0].regular


def test_a_file_without_a_time_is_still_a_file() -> None:
    assert listing((b"a", Attributes(10, 0o100600, None)))[0] == RemoteFile(
        name=b"a", size=10, modified=None, regular=True
    )


def test_an_endless_listing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LISTING_FILES_MAX", 20_000)
    count = 0

    def answer(request: Request) -> Answer:
        nonlocal count
        if request.kind == Kind.OPENDIR:
            return Handle(b"h")
        entries = tuple((b"%d" % number, REGULAR) for number in range(count, count + 1000))
        count += 1000
        return Names(entries)

    files = play(STEPS.listing(), answer)
    assert 20_000 <= len(files) < 30_000
    assert LISTING_FILES_MAX >= 100_000, "what we promise"


def test_a_listing_that_breaks_off_is_no_empty_mailbox() -> None:
    def answer(request: Request) -> Answer:
        return Handle(b"h") if request.kind == Kind.OPENDIR else FAILURE

    with pytest.raises(TransportError, match="broke off"):
        play(STEPS.listing(), answer)


def reading(answer_read: Callable[[int, int], Answer], size: int = 10) -> bytes:
    """What is made of a file a server lets us read."""

    def answer(request: Request) -> Answer:
        if request.kind == Kind.READ:
            offset, length = struct.unpack(">QI", request.body[-12:])
            return answer_read(offset, length)
        others: dict[Kind, Answer] = {Kind.OPEN: Handle(b"h"), Kind.CLOSE: OK}
        return others.get(request.kind, Attributes(size, 0o100644, 5))

    file = RemoteFile(name=b"a.edi", size=size, modified=5, regular=True)
    content: bytes = play(STEPS.fetching(file, 10_000_000), answer)
    return content


def test_short_answers_are_asked_for_the_rest() -> None:
    content = bytes(range(256)) * 400
    assert (
        reading(
            lambda at, length: Content(content[at : at + min(length, 777)]) if at < len(content) else EOF,
            len(content),
        )
        == content
    )


def test_an_endless_file_is_found_out() -> None:
    with pytest.raises(FileChanged):
        reading(lambda at, length: Content(b"x" * length))


def test_a_server_that_says_more_than_was_asked_for_is_found_out() -> None:
    with pytest.raises(FileChanged):
        reading(lambda at, length: Content(b"x" * 1000))


def test_a_short_file_is_found_out() -> None:
    with pytest.raises(FileChanged):
        reading(lambda at, length: Content(b"xxx") if at == 0 else EOF)


def test_a_server_that_answers_in_crumbs_is_given_up() -> None:
    with pytest.raises(FileChanged):
        reading(lambda at, length: Content(b"x") if at < 2 * CRUMBS_MAX else EOF, 2 * CRUMBS_MAX)


def moving(answers: dict[Kind, list[Answer]], posix_rename: bool = False) -> bytes:
    """What is made of a server's answers to a move."""

    def answer(request: Request) -> Answer:
        given = answers[request.kind]
        return given.pop(0) if len(given) > 1 else given[0]

    move = Move(file=FILE, folder=Folder.PROCESSED, suffix="0badcafe")
    moved: bytes = play(Changes(SETTINGS, posix_rename).moving(move), answer)
    return moved


def test_a_rename_reported_as_failed_that_happened_is_done() -> None:
    looks: list[Answer] = [REGULAR, MISSING, REGULAR, MISSING]
    assert moving({Kind.LSTAT: looks, Kind.RENAME: [FAILURE]}) == b"a.edi"


def test_a_name_taken_in_the_last_instant_is_left_to_its_owner() -> None:
    other = Attributes(99, 0o100644, 5)
    looks: list[Answer] = [REGULAR, MISSING, other, REGULAR, REGULAR, MISSING, REGULAR]
    assert moving({Kind.LSTAT: looks, Kind.RENAME: [FAILURE, OK]}) == b"a.edi.0badcafe"


def test_a_file_that_cannot_be_put_back_is_shouted_about() -> None:
    other = Attributes(99, 0o100644, 5)
    looks: list[Answer] = [REGULAR, MISSING, other]
    with pytest.raises(OperatorError, match="was NOT read"):
        moving({Kind.LSTAT: looks, Kind.RENAME: [OK, FAILURE]})


def test_a_vanished_file_is_sought_under_its_own_name_first() -> None:
    twin_of_last_week, ours = REGULAR, REGULAR
    looks: list[Answer] = [MISSING, REGULAR, twin_of_last_week, ours, MISSING]
    assert moving({Kind.LSTAT: looks}) == b"a.edi.0badcafe"


def test_a_full_processed_folder_of_one_name_is_an_operator_error() -> None:
    with pytest.raises(OperatorError, match="clear out"):
        moving({Kind.LSTAT: [REGULAR]})


def test_a_rename_that_is_refused_says_what_to_look_for() -> None:
    looks: list[Answer] = [REGULAR, MISSING, MISSING, REGULAR]
    with pytest.raises(OperatorError, match="one file system"):
        moving({Kind.LSTAT: looks, Kind.RENAME: [FAILURE], Kind.STAT: [REGULAR]})


def delivering(answers: dict[Kind, list[Answer]]) -> list[Kind]:
    """What is asked of a server that answers so, to leave ten bytes in the delivery folder."""
    asked: list[Kind] = []

    def answer(request: Request) -> Answer:
        asked.append(request.kind)
        given = answers[request.kind]
        return given.pop(0) if len(given) > 1 else given[0]

    play(STEPS.delivering(b"a.997", b"0123456789", set()), answer)
    return asked


def test_a_server_that_looks_before_it_has_written_is_asked_again() -> None:
    early, whole = Attributes(0, 0o100644, 5), Attributes(10, 0o100644, 5)
    said: dict[Kind, list[Answer]] = {
        Kind.OPEN: [Handle(b"h")],
        Kind.WRITE: [OK],
        Kind.CLOSE: [OK],
        Kind.LSTAT: [early, MISSING, whole],
        Kind.RENAME: [OK],
        Kind.REMOVE: [OK],
    }
    assert delivering(said)[-2:] == [Kind.LSTAT, Kind.RENAME]
    with pytest.raises(TransportError, match="0 bytes arrived"):
        delivering({**said, Kind.LSTAT: [early, MISSING, early]})


# --- bytes ----------------------------------------------------------------------------------------------


def packet(kind: int, body: bytes) -> memoryview:
    return memoryview(bytes([kind]) + struct.pack(">I", 7) + body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.STATUS, b"\0\0"),
        (Kind.HANDLE, b"\0\0\0\x09short"),
        (Kind.DATA, b"\xff\xff\xff\xff"),
        (Kind.ATTRS, b"\0\0\0\x01\0\0"),
        (Kind.ATTRS, b"\x80\0\0\0\xff\xff\xff\xff"),
        (Kind.NAME, b"\xff\xff\xff\xff"),
        (Kind.NAME, b"\0\0\0\x01" + b"\0" * 11),
        (99, b""),
    ],
)
def test_packets_that_lie_about_their_length_are_refused(kind: int, body: bytes) -> None:
    with pytest.raises(TransportError):
        sftp.parse_answer(packet(kind, body))


def test_the_largest_attributes_are_read() -> None:
    body = struct.pack(">IQIIIII", 0x0F, 2**63 - 1, 0, 0, 0o100644, 1, 4_000_000_000)
    assert sftp.parse_answer(packet(Kind.ATTRS, body)) == (7, Attributes(2**63 - 1, 0o100644, 4_000_000_000))


def test_a_status_text_is_one_printable_line() -> None:
    body = struct.pack(">I", 4) + struct.pack(">I", 12) + b"no\n\x1b[31mway\xff"
    _, status = sftp.parse_answer(packet(Kind.STATUS, body))
    assert str(status) == '"no[31mway\ufffd" (status 4)'
    assert sftp.parse_answer(packet(Kind.STATUS, struct.pack(">I", 4)))[1] == Status(4, "")


def test_a_server_of_another_version_is_refused() -> None:
    assert sftp.parse_hello(memoryview(b"\x02\0\0\0\x03\0\0\0\x01a\0\0\0\x011")) == {b"a"}
    for greeting in (b"\x02\0\0\0\x02", b"\x65\0\0\0\x03", b""):
        with pytest.raises(TransportError):
            sftp.parse_hello(memoryview(greeting))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain name.edi", "plain name.edi"),
        ("ü.edi".encode(), "ü.edi"),
        (b"bad\xff.edi", "bad\\xff.edi"),
        (b"new\nline\t\x1b[2J\x7f", "new\\nline\\t\\x1b[2J\\x7f"),
        ("\u202excod\u2028".encode(), "\\u202excod\\u2028"),
    ],
)
def test_names_are_shown_on_one_line_with_nothing_invisible(name: bytes, shown: str) -> None:
    assert printable(name) == shown
