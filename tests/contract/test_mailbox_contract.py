"""What every Mailbox must do, whoever is at the other end: OpenSSH, the demo's server, plain folders."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from pipeline.demo.sftp_server import DemoSftpServer, DemoUser
from pipeline.errors import CountermandError, FileChanged, FileTooLarge, FileUnreadable, NameTaken
from pipeline.mailbox import SftpMailbox
from pipeline.partners import MailboxSettings
from pipeline.ports import Folder, Mailbox, Move, RemoteFile
from pipeline.settings_reader import Secret
from tests.contract.folder_mailbox import FolderMailbox
from tests.integration.hostile_sftp import HostileSftp, Quirks
from tests.integration.sftp_server import OpenSshServer, running_openssh

BYTES_MAX = 1024 * 1024
FOLDERS = ("pickup", "processed", "rejected", "delivery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """The other end: the mailbox under test and the partner's own view of the folders."""

    mailbox: Mailbox
    folder: Callable[[str], Path]
    put: Callable[..., Path]
    own: Callable[[Path], None] = lambda path: None  #: makes it the user's the server works as
    takes_any_name: bool = True
    has_backslashes: bool = True  #: as ordinary letters of a name

    def names(self, folder: str) -> list[bytes]:
        return sorted(os.listdir(os.fsencode(self.folder(folder))))

    def look(self, name: bytes) -> RemoteFile:
        return next(file for file in self.mailbox.listing() if file.name == name)


@contextmanager
def _openssh() -> Iterator[Partner]:
    with running_openssh() as server:
        yield _on_openssh(server)


def _on_openssh(server: OpenSshServer) -> Partner:
    return Partner(mailbox=SftpMailbox(server.settings()), folder=server.path, put=server.put, own=server.own)


@contextmanager
def _demo() -> Iterator[Partner]:
    with tempfile.TemporaryDirectory() as folder:
        root = _folders(Path(folder))
        with DemoSftpServer({"hub": DemoUser(root=root, password="demo")}) as server:
            settings = MailboxSettings(
                host="127.0.0.1",
                port=server.port,
                username="hub",
                password=Secret("demo"),
                host_keys=(server.host_key,),
                pickup="/pickup",
                processed="/processed",
                rejected="/rejected",
                delivery="/delivery",
                timeout_seconds=10,
            )
            yield Partner(
                mailbox=SftpMailbox(settings), folder=root.joinpath, put=_putter(root), takes_any_name=False
            )


@contextmanager
def _plain() -> Iterator[Partner]:
    with tempfile.TemporaryDirectory() as folder:
        root = _folders(Path(folder))
        yield Partner(mailbox=FolderMailbox(root), folder=root.joinpath, put=_putter(root))


#: Everything that differs from OpenSSH in servers of other houses, in one.
ODD = Quirks(
    posix_rename=False,
    rename_replaces=True,
    rename_to_itself_deletes=True,
    ignores_case=True,
    lists_attributes=False,
    read_bytes_max=2_000,
    answers_backwards=True,
)


@contextmanager
def _hostile(quirks: Quirks | None = None) -> Iterator[Partner]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with HostileSftp(root, quirks) as server:
            yield Partner(
                mailbox=SftpMailbox(server.settings()),
                folder=root.joinpath,
                put=_putter(root),
                has_backslashes=not (quirks and quirks.ignores_case),
            )


def _folders(root: Path) -> Path:
    for name in FOLDERS:
        (root / name).mkdir()
    return root


def _putter(root: Path) -> Callable[..., Path]:
    def put(folder: str, name: bytes, content: bytes, *, modified: int | None = None) -> Path:
        path = Path(os.fsdecode(os.fsencode(root / folder) + b"/" + name))
        path.write_bytes(content)
        if modified is not None:
            os.utime(path, (modified, modified))
        return path

    return put


KINDS: dict[str, Callable[[], AbstractContextManager[Partner]]] = {
    "openssh": _openssh,
    "demo": _demo,
    "folder": _plain,
    "plain": _hostile,
    "odd": partial(_hostile, ODD),
}


@pytest.fixture(scope="module", params=KINDS)
def _partner(request: pytest.FixtureRequest) -> Iterator[Partner]:
    with ExitStack() as stack:
        found = stack.enter_context(KINDS[request.param]())
        stack.enter_context(found.mailbox)
        yield found


@pytest.fixture
def partner(_partner: Partner) -> Iterator[Partner]:
    """One server for all tests, with empty folders for each."""
    yield _partner
    for name in FOLDERS:
        place = _partner.folder(name)
        place.mkdir(exist_ok=True)
        _partner.own(place)
        for path in place.iterdir():
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_a_listing_is_by_name_and_says_size_and_time(partner: Partner) -> None:
    partner.put("pickup", b"b.edi", b"two", modified=1_700_000_000)
    partner.put("pickup", b"a.edi", b"", modified=978_307_200)
    (partner.folder("pickup") / "folder").mkdir()
    assert partner.mailbox.listing() == (
        RemoteFile(name=b"a.edi", size=0, modified=978_307_200, regular=True),
        RemoteFile(name=b"b.edi", size=3, modified=1_700_000_000, regular=True),
    )


def test_a_listing_of_many_is_complete(partner: Partner) -> None:
    for number in range(900):
        partner.put("pickup", b"%04d.edi" % number, b"x")
    assert [file.name for file in partner.mailbox.listing()] == [b"%04d.edi" % n for n in range(900)]


def test_links_pipes_and_folders_are_not_taken_and_block_nobody(partner: Partner) -> None:
    os.mkfifo(partner.folder("pickup") / "pipe.edi")
    (partner.folder("pickup") / "link.edi").symlink_to("/etc/hostname")
    (partner.folder("pickup") / "folder.edi").mkdir()
    partner.put("pickup", b"real.edi", b"ISA")
    listing = partner.mailbox.listing()
    assert [(file.name, file.regular) for file in listing] == [
        (b"link.edi", False),
        (b"pipe.edi", False),
        (b"real.edi", True),
    ]
    for file in listing[:2]:
        with pytest.raises(FileUnreadable):
            partner.mailbox.fetch(file, file_bytes_max=BYTES_MAX)
    assert partner.mailbox.fetch(listing[2], file_bytes_max=BYTES_MAX) == b"ISA"


NAMES = [b"a b.edi", b"-rf", b"$(x)", b"%s", b"n" * 250, "ü.edi".encode(), "u\u0308.edi".encode(), b"CON"]
NAMES += [
    b"=cmd",
    b"{{7*7}}",
    b"<b>",
    b"new\nline",
    b"tab\t",
    "\u202excod".encode(),
    b"*?[a]",
    b"..x",
    b"con.edi",
    b"a.edi.",
    "\U0001f4a3".encode(),
    b"'; DROP TABLE orders; --",
    b"\x1b[31mred",
    b"~",
    b"|cat",
]


def test_every_name_is_fetched_and_moved(partner: Partner) -> None:
    names = NAMES + ([b"bad\xff.edi", b"\xe9"] if partner.takes_any_name else [])
    names += [b"back\\slash"] if partner.has_backslashes else []
    for name in names:
        partner.put("pickup", name, b"content of " + name)
    listing = partner.mailbox.listing()
    assert {file.name for file in listing} == set(names)
    contents = partner.mailbox.fetch_many(listing, file_bytes_max=BYTES_MAX)
    assert contents == [b"content of " + file.name for file in listing]
    moves = [Move(file=file, folder=Folder.PROCESSED, suffix="0badcafe") for file in listing]
    assert partner.mailbox.move_many(moves) == [file.name for file in listing]
    assert partner.names("pickup") == []
    assert partner.names("processed") == sorted(names)


@pytest.mark.parametrize("size", [1, 32767, 32768, 32769, BYTES_MAX])
def test_content_arrives_whole(partner: Partner, size: int) -> None:
    content = os.urandom(size)
    partner.put("pickup", b"a.edi", content)
    assert partner.mailbox.fetch(partner.look(b"a.edi"), file_bytes_max=BYTES_MAX) == content


def test_a_file_over_the_limit_is_refused_from_the_listing(partner: Partner) -> None:
    path = partner.put("pickup", b"huge.edi", b"x")
    os.truncate(path, 1024**4)
    with pytest.raises(FileTooLarge, match="1099511627776 bytes"):
        partner.mailbox.fetch(partner.look(b"huge.edi"), file_bytes_max=BYTES_MAX)
    exact = partner.put("pickup", b"exact.edi", b"x" * BYTES_MAX)
    assert len(partner.mailbox.fetch(partner.look(b"exact.edi"), file_bytes_max=BYTES_MAX)) == BYTES_MAX
    exact.write_bytes(b"x" * (BYTES_MAX + 1))
    with pytest.raises(FileTooLarge):
        partner.mailbox.fetch(partner.look(b"exact.edi"), file_bytes_max=BYTES_MAX)


@pytest.mark.parametrize("content", [b"longer than before", b"short", b"", None])
def test_a_file_that_changed_since_the_listing_is_not_taken(partner: Partner, content: bytes | None) -> None:
    path = partner.put("pickup", b"a.edi", b"as listed", modified=1_700_000_000)
    file = partner.look(b"a.edi")
    if content is None:
        path.unlink()
    else:
        partner.put("pickup", b"a.edi", content, modified=1_700_000_000)
    with pytest.raises(FileChanged):
        partner.mailbox.fetch(file, file_bytes_max=BYTES_MAX)


def test_a_file_with_another_time_is_not_taken(partner: Partner) -> None:
    path = partner.put("pickup", b"a.edi", b"same size", modified=1_700_000_000)
    file = partner.look(b"a.edi")
    os.utime(path, (1, 1_700_000_001))
    with pytest.raises(FileChanged):
        partner.mailbox.fetch(file, file_bytes_max=BYTES_MAX)


def test_one_bad_file_does_not_spoil_the_others(partner: Partner) -> None:
    for name in (b"a", b"b", b"c"):
        partner.put("pickup", name, name)
    listing = partner.mailbox.listing()
    (partner.folder("pickup") / "b").unlink()
    contents = partner.mailbox.fetch_many(listing, file_bytes_max=BYTES_MAX)
    assert contents[0] == b"a"
    assert isinstance(contents[1], FileChanged)
    assert contents[2] == b"c"


def test_a_name_that_exists_in_the_folder_gets_the_suffix_and_nothing_is_overwritten(
    partner: Partner,
) -> None:
    partner.put("processed", b"a.edi", b"last week's")
    for round_ in (b"first", b"second"):
        partner.put("pickup", b"a.edi", round_)
        partner.mailbox.move(partner.look(b"a.edi"), Folder.PROCESSED, "0badcafe")
    assert partner.names("processed") == [b"a.edi", b"a.edi.0badcafe", b"a.edi.0badcafe.2"]
    assert (partner.folder("processed") / "a.edi").read_bytes() == b"last week's"


def test_a_long_name_makes_room_for_the_suffix(partner: Partner) -> None:
    partner.put("processed", b"n" * 255, b"before")
    partner.put("pickup", b"n" * 255, b"now")
    moved = partner.mailbox.move(partner.look(b"n" * 255), Folder.PROCESSED, "0badcafe")
    assert moved == b"n" * 246 + b".0badcafe"


def test_a_missing_folder_is_made(partner: Partner) -> None:
    partner.folder("processed").rmdir()
    partner.put("pickup", b"a.edi", b"ISA")
    assert partner.mailbox.move(partner.look(b"a.edi"), Folder.PROCESSED, "0badcafe") == b"a.edi"
    assert partner.names("processed") == [b"a.edi"]


def test_moving_again_is_done_already(partner: Partner) -> None:
    partner.put("processed", b"a.edi", b"other content of another time", modified=1)
    partner.put("pickup", b"a.edi", b"ISA", modified=2)
    file = partner.look(b"a.edi")
    first = partner.mailbox.move(file, Folder.PROCESSED, "0badcafe")
    assert partner.mailbox.move(file, Folder.PROCESSED, "0badcafe") == first == b"a.edi.0badcafe"


def test_a_file_the_partner_took_back_counts_as_moved(partner: Partner) -> None:
    path = partner.put("pickup", b"a.edi", b"ISA")
    file = partner.look(b"a.edi")
    path.unlink()
    assert partner.mailbox.move(file, Folder.PROCESSED, "0badcafe") == b""


def test_a_file_replaced_after_it_was_read_is_not_moved(partner: Partner) -> None:
    partner.put("pickup", b"a.edi", b"old")
    file = partner.look(b"a.edi")
    partner.mailbox.fetch(file, file_bytes_max=BYTES_MAX)
    partner.put("pickup", b"a.edi", b"new and unread")
    with pytest.raises(FileChanged):
        partner.mailbox.move(file, Folder.PROCESSED, "0badcafe")
    assert partner.names("pickup") == [b"a.edi"]
    assert partner.names("processed") == []


def test_a_processed_file_is_rejected_by_name_and_size(partner: Partner) -> None:
    partner.put("processed", b"a.edi", b"not X12")
    known = RemoteFile(name=b"a.edi", size=7, modified=None, regular=True)
    assert partner.mailbox.move(known, Folder.REJECTED, "0badcafe", source=Folder.PROCESSED) == b"a.edi"
    assert partner.names("rejected") == [b"a.edi"]


def test_delivering_twice_is_done_already(partner: Partner) -> None:
    content = os.urandom(100_000)
    for _ in range(2):
        partner.mailbox.deliver("0001.997", content)
    assert partner.names("delivery") == [b"0001.997"]
    assert (partner.folder("delivery") / "0001.997").read_bytes() == content


@pytest.mark.parametrize("other", [b"another", b"content of other length", b""])
def test_delivering_over_other_content_is_refused(partner: Partner, other: bytes) -> None:
    partner.put("delivery", b"0001.997", other)
    with pytest.raises(NameTaken):
        partner.mailbox.deliver("0001.997", b"content")
    assert partner.names("delivery") == [b"0001.997"]
    assert (partner.folder("delivery") / "0001.997").read_bytes() == other


def test_of_many_one_that_is_refused_stops_no_other(partner: Partner) -> None:
    partner.put("delivery", b"b", b"other")
    files = [(name, name.encode() * 50_000) for name in ("a", "b", "c")]
    first, second, third = partner.mailbox.deliver_many(files)
    assert (first, third) == (None, None)
    assert isinstance(second, NameTaken)
    assert partner.names("delivery") == [b"a", b"b", b"c"]
    assert (partner.folder("delivery") / "c").read_bytes() == b"c" * 50_000


def test_an_empty_file_can_be_delivered(partner: Partner) -> None:
    partner.mailbox.deliver("empty", b"")
    assert partner.names("delivery") == [b"empty"]


def test_a_closed_mailbox_opens_again(partner: Partner) -> None:
    partner.mailbox.listing()
    partner.mailbox.close()
    partner.mailbox.close()
    assert partner.mailbox.listing() == ()


def test_errors_are_ours_and_one_line(partner: Partner) -> None:
    partner.put("delivery", b"a", b"1")
    with pytest.raises(CountermandError) as caught:
        partner.mailbox.deliver("a", b"2")
    assert "\n" not in str(caught.value)
