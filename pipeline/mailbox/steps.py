"""What is said to a partner's server to list a folder and to fetch a file; pure, each a conversation.

A conversation yields the requests of one step and is sent their answers, all of them, in order. It
never waits and never knows of the others, so a session may carry on hundreds at once, and a test may
play the server with a list.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from pipeline.errors import (
    CountermandError,
    FileChanged,
    FileTooLarge,
    FileUnreadable,
    OperatorError,
    TransportError,
)
from pipeline.mailbox import sftp
from pipeline.mailbox.sftp import Answer, Attributes, Code, Content, Handle, Names, Open, Request, Status
from pipeline.partners import MailboxSettings
from pipeline.ports import RemoteFile, printable

T = TypeVar("T")
Conversation = Generator[list[Request], list[Answer], T]

LISTING_FILES_MAX = 200_000  # twice the largest mailbox we promise; about 60 MB of names
LISTING_BYTES_MAX = 32 * 1024 * 1024  # of names, so that long ones do not make it more
READ_BYTES = 32 * 1024  # what every server must be able to answer in one packet
READS_AT_ONCE = 128  # x 32 kB = 4 MB of one file asked for in one step
CRUMBS_MAX = 10_000  # short answers to reads per file: 16 MB in 2 kB pieces is still served
_LISTING_STEPS_AT_ONCE = 8  # x 100 names (OpenSSH), so the round trip is paid once for 800


@dataclass(frozen=True, slots=True)
class Steps:
    """The conversations with one partner's server."""

    settings: MailboxSettings

    def listing(self) -> Conversation[tuple[RemoteFile, ...]]:
        """Everything in the pickup folder but its own folders, by name."""
        folder = self.settings.pickup.encode()
        (opened,) = yield [sftp.open_folder(folder)]
        if not isinstance(opened, Handle):
            raise self.folder_error("pickup", folder, opened)
        found: dict[bytes, Attributes] = {}
        end: Status | None = None
        listed = listed_bytes = 0
        # Counted as listed, not as found: a server that says one name for ever must come to an end too.
        while end is None and listed < LISTING_FILES_MAX and listed_bytes < LISTING_BYTES_MAX:
            for answer in (yield [sftp.read_folder(opened.handle)] * _LISTING_STEPS_AT_ONCE):
                if isinstance(answer, Names):
                    listed += max(1, len(answer.entries))
                    listed_bytes += sum(len(name) for name, _ in answer.entries)
                    for name, about in answer.entries:
                        # A folder being renamed in can show a name twice: one is as good as the other.
                        found.setdefault(name, about)
                else:
                    end = _status(answer)
        yield [sftp.close(opened.handle)]
        if end is not None and end.code != Code.EOF:
            raise TransportError(f"{self.host}: listing {printable(folder)} broke off: {end}")
        files = yield from self._files(folder, found)
        return tuple(sorted(files, key=lambda file: file.name))

    def _files(self, folder: bytes, found: dict[bytes, Attributes]) -> Conversation[list[RemoteFile]]:
        # Some servers list names only; the attributes must then be asked for one by one.
        bare = [name for name, about in found.items() if about.size is None or about.mode is None]
        bare = [name for name in bare if _is_plain(name)]
        for start in range(0, len(bare), READS_AT_ONCE):
            names = bare[start : start + READS_AT_ONCE]
            answers = yield [sftp.lstat(join(folder, name)) for name in names]
            found |= {
                name: answer
                for name, answer in zip(names, answers, strict=True)
                if isinstance(answer, Attributes)
            }
        return [
            RemoteFile(
                name=name,
                size=about.size or 0,
                modified=about.modified,
                regular=about.regular and about.size is not None and _is_plain(name),
            )
            for name, about in found.items()
            if not about.folder and name not in (b".", b"..")
        ]

    def fetching(self, file: RemoteFile, file_bytes_max: int) -> Conversation[bytes]:
        """The content of a file of the pickup folder, if it was what the listing said throughout."""
        if not file.regular:
            raise FileUnreadable(f"{self.host}: {printable(file.name)} is not an ordinary file; left alone")
        if file.size > file_bytes_max:
            raise FileTooLarge(
                f"{self.host}: {printable(file.name)} has {file.size} bytes, more than the limit of"
                f" {file_bytes_max}; it was not opened. Ask the partner to split it."
            )
        path = join(self.settings.pickup.encode(), file.name)
        (opened,) = yield [sftp.open_file(path, Open.READ)]
        if isinstance(opened, Status) and opened.code == Code.NO_SUCH_FILE:
            raise FileChanged(f"{self.host}: {printable(file.name)} went away before it could be read")
        if not isinstance(opened, Handle):
            raise FileUnreadable(
                f"{self.host}: {printable(file.name)} cannot be opened: {opened}."
                f" User {self.settings.username} needs the right to read it."
            )
        content = yield from reading(opened.handle, file.size)
        # The listing was the look before: whatever was opened instead, or written since, differs from it.
        after, by_name, _ = yield [sftp.fstat(opened.handle), sftp.lstat(path), sftp.close(opened.handle)]
        unchanged = is_same(after, file) and is_same(by_name, file)
        if not unchanged or len(content) != file.size:
            raise FileChanged(
                f"{self.host}: {printable(file.name)} changed while it was being read;"
                " the next round takes it"
            )
        return content

    @property
    def host(self) -> str:
        return f"{self.settings.host}:{self.settings.port}"

    def folder_error(self, setting: str, folder: bytes, answer: Answer) -> CountermandError:
        advice = f"check {setting} in [partner.mailbox] and the rights of user {self.settings.username}"
        if isinstance(answer, Status) and answer.code in (Code.NO_SUCH_FILE, Code.PERMISSION_DENIED):
            reason = "does not exist" if answer.code == Code.NO_SUCH_FILE else "is closed to us"
            return OperatorError(f"{self.host}: folder {printable(folder)} {reason}; {advice}")
        return TransportError(f"{self.host}: folder {printable(folder)} cannot be used: {answer}; {advice}")


def reading(handle: bytes, size: int) -> Conversation[bytes]:
    """At most size + 1 bytes of an open file: one more than expected tells that it has grown."""
    spans = [(at, min(READ_BYTES, size + 1 - at)) for at in range(0, size + 1, READ_BYTES)]
    pieces: list[bytes] = []
    crumbs = 0
    for start in range(0, len(spans), READS_AT_ONCE):
        asked = spans[start : start + READS_AT_ONCE]
        answers = yield [sftp.read(handle, at, length) for at, length in asked]
        for (at, length), answer in zip(asked, answers, strict=True):
            piece, expected = _content(answer), min(length, size - at)
            # A server may answer with less than was asked for; only an empty answer is the end.
            while 0 < len(piece) < expected and crumbs < CRUMBS_MAX:
                crumbs += 1
                (more,) = yield [sftp.read(handle, at + len(piece), length - len(piece))]
                if not _content(more):
                    break
                piece += _content(more)
            pieces.append(piece[: length + 1])  # a server that says more than asked is cut, and found out
    return b"".join(pieces)


def _content(answer: Answer) -> bytes:
    return answer.content if isinstance(answer, Content) else b""


def _status(answer: Answer) -> Status:
    return answer if isinstance(answer, Status) else Status(Code.FAILURE, "an answer of the wrong kind")


def is_ok(answer: Answer) -> bool:
    return isinstance(answer, Status) and answer.code == Code.OK


def is_missing(answer: Answer) -> bool:
    return isinstance(answer, Status) and answer.code == Code.NO_SUCH_FILE


def is_same(look: Answer, file: RemoteFile) -> bool:
    if not isinstance(look, Attributes) or not look.regular or look.size != file.size:
        return False
    return None in (file.modified, look.modified) or look.modified == file.modified


def _is_plain(name: bytes) -> bool:
    """A name that stays in its folder: a server may list "../../x", and we would then go there."""
    short = len(name) <= sftp.NAME_BYTES_MAX
    return short and name not in (b"", b".", b"..") and b"/" not in name and b"\0" not in name


def join(folder: bytes, name: bytes) -> bytes:
    return folder.rstrip(b"/") + b"/" + name
