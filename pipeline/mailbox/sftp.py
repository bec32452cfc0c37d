"""SFTP version 3 as values: requests to bytes, bytes to answers. No connection, names stay bytes.

paramiko's own SFTP client decodes every name (and every error text) as UTF-8 and fails a whole
listing for one name that is not, keeps one request under way at a time, and turns status codes into
OSError without a number. So paramiko carries the channel, and the frames are ours:
draft-ietf-secsh-filexfer-02, the version every server speaks.
"""

import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from pipeline.errors import TransportError

VERSION = 3
FRAME_BYTES_MAX = 256 * 1024  # what OpenSSH's client and server allow each other
_ENTRY_BYTES_MIN = 12  # a name entry is two empty strings and a flag word at least
_HANDLE_BYTES_MAX = 256  # the draft's own bound; it goes back with every request
SIZE_MAX = 2**63 - 1  # of a file; the protocol could say twice that, and no file system can
NAME_BYTES_MAX = 1024  # file systems stop at 255, Windows' at 255 characters of up to 3 bytes


class Kind(IntEnum):
    """Packet types, by their names in the draft."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    REALPATH = 16
    STAT = 17
    RENAME = 18
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200


class Code(IntEnum):
    """Status codes that are looked at; a server may send others."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    OP_UNSUPPORTED = 8


class Open(IntFlag):
    """How to open a file."""

    READ = 1
    WRITE = 2
    CREATE = 8
    TRUNCATE = 16


@dataclass(frozen=True, slots=True)
class Request:
    """One request without its number, which the session gives it."""

    kind: Kind
    body: bytes
    length: int = 0  #: of a read: how many bytes were asked for

    def frame(self, number: int) -> bytes:
        """The bytes on the wire."""
        return struct.pack(">IBI", len(self.body) + 5, self.kind, number) + self.body


@dataclass(frozen=True, slots=True)
class Status:
    """Done, or why not."""

    code: int
    text: str

    def __str__(self) -> str:
        return f'"{self.text or "no reason given"}" (status {self.code})'


@dataclass(frozen=True, slots=True)
class Handle:
    """An open file or folder."""

    handle: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """What was read."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the server says of a file; each part only if it says it."""

    size: int | None
    mode: int | None
    modified: int | None

    @property
    def regular(self) -> bool:
        """An ordinary file: no folder, link, pipe, socket or device, and no silence about it."""
        return self.mode is not None and stat.S_ISREG(self.mode)

    @property
    def folder(self) -> bool:
        """A folder, and known to be one."""
        return self.mode is not None and stat.S_ISDIR(self.mode)


@dataclass(frozen=True, slots=True)
class Names:
    """Part of a listing."""

    entries: tuple[tuple[bytes, Attributes], ...]


Answer = Status | Handle | Content | Attributes | Names


def _string(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


_NO_ATTRIBUTES = struct.pack(">I", 0)


def open_file(path: bytes, flags: Open) -> Request:
    """Answered by Handle."""
    return Request(Kind.OPEN, _string(path) + struct.pack(">I", flags) + _NO_ATTRIBUTES)


def close(handle: bytes) -> Request:
    """Answered by Status."""
    return Request(Kind.CLOSE, _string(handle))


def read(handle: bytes, offset: int, length: int) -> Request:
    """Answered by Content, possibly shorter than asked, or by Status EOF."""
    return Request(Kind.READ, _string(handle) + struct.pack(">QI", offset, length), length)


def write(handle: bytes, offset: int, content: bytes) -> Request:
    """Answered by Status."""
    return Request(Kind.WRITE, _string(handle) + struct.pack(">Q", offset) + _string(content))


def lstat(path: bytes) -> Request:
    """Answered by Attributes of the name itself, links not followed."""
    return Request(Kind.LSTAT, _string(path))


def stat_folder(path: bytes) -> Request:
    """Answered by Attributes, links followed: a folder may well be one."""
    return Request(Kind.STAT, _string(path))


def fstat(handle: bytes) -> Request:
    """Answered by Attributes of what is open."""
    return Request(Kind.FSTAT, _string(handle))


def real_path(path: bytes) -> Request:
    """Answered by Names with one entry: the path with its links followed."""
    return Request(Kind.REALPATH, _string(path))


def open_folder(path: bytes) -> Request:
    """Answered by Handle."""
    return Request(Kind.OPENDIR, _string(path))


def read_folder(handle: bytes) -> Request:
    """Answered by Names, or by Status EOF at the end."""
    return Request(Kind.READDIR, _string(handle))


def remove(path: bytes) -> Request:
    """Answered by Status."""
    return Request(Kind.REMOVE, _string(path))


def make_folder(path: bytes) -> Request:
    """Answered by Status."""
    return Request(Kind.MKDIR, _string(path) + _NO_ATTRIBUTES)


def rename(source: bytes, target: bytes) -> Request:
    """Answered by Status; most servers, but not all, refuse an existing target."""
    return Request(Kind.RENAME, _string(source) + _string(target))


def posix_rename(source: bytes, target: bytes) -> Request:
    """Answered by Status; OpenSSH's extension, replaces an existing target without a word."""
    return Request(Kind.EXTENDED, _string(b"posix-rename@openssh.com") + _string(source) + _string(target))


_WORD, _LONG = struct.Struct(">I"), struct.Struct(">Q")
_ALL_ATTRIBUTES = struct.Struct(">IQIIIII")  # flags 15: size, owner, group, mode, last access, last change


class _Body:
    """Reads a packet's body; running past its end is an error, never a zero."""

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self._at = 0
        self._end = len(body)

    def left(self) -> int:
        return self._end - self._at

    def _past(self, length: int) -> int:
        start, self._at = self._at, self._at + length
        if self._at > self._end:
            raise TransportError("the server sent an SFTP packet that ends too early")
        return start

    def take(self, length: int) -> bytes:
        start = self._past(length)
        return bytes(self._body[start : self._at])

    def word(self) -> int:
        value: int = _WORD.unpack_from(self._body, self._past(4))[0]
        return value

    def long(self) -> int:
        value: int = _LONG.unpack_from(self._body, self._past(8))[0]
        return value

    def string(self) -> bytes:
        return self.take(self.word())

    def attributes(self) -> Attributes:
        flags = self.word()
        if flags == 0xF:  # what most servers send, at once: this is read four times for every file
            _, size, _, _, mode, _, modified = _ALL_ATTRIBUTES.unpack_from(self._body, self._past(28) - 4)
            return Attributes(min(size, SIZE_MAX), mode, modified)
        return self._some_attributes(flags)

    def _some_attributes(self, flags: int) -> Attributes:
        size = min(self.long(), SIZE_MAX) if flags & 0x1 else None
        if flags & 0x2:  # owner and group
            self.take(8)
        mode = self.word() if flags & 0x4 else None
        modified = None
        if flags & 0x8:
            self.word()  # last access
            modified = self.word()
        if flags & 0x80000000:
            for _ in range(self.word()):  # ends by take() when the count is a lie
                self.string()
                self.string()
        return Attributes(size, mode, modified)


def _status(body: _Body) -> Status:
    code = body.word()
    # Old servers leave the text out. What they do send is for people, one line of it.
    text = (body.string() if body.left() >= 4 else b"")[:200].decode("utf-8", "replace")
    return Status(code, text if text.isprintable() else "".join(c for c in text if c.isprintable()))


def _names(body: _Body) -> Names:
    count = body.word()
    if count * _ENTRY_BYTES_MIN > body.left():
        raise TransportError("the server sent an SFTP listing that ends too early")
    entries = []
    for _ in range(count):
        name = body.string()
        body.string()  # the line "ls -l" would show; its form is nobody's standard
        # A longer one is no name of a file; it is shown by its beginning.
        entries.append((name[: NAME_BYTES_MAX + 1], body.attributes()))
    return Names(tuple(entries))


def _handle(body: _Body) -> Handle:
    handle = body.string()
    if len(handle) > _HANDLE_BYTES_MAX:
        raise TransportError(f"the server sent an SFTP handle of {len(handle)} bytes")
    return Handle(handle)


_ANSWERS: dict[int, Callable[[_Body], Answer]] = {
    Kind.STATUS: _status,
    Kind.HANDLE: _handle,
    Kind.DATA: lambda body: Content(body.string()),
    Kind.ATTRS: lambda body: body.attributes(),
    Kind.NAME: _names,
}


def parse_answer(packet: memoryview) -> tuple[int, Answer]:
    """The number of the request it answers, and the answer; the packet is given without its length."""
    body = _Body(packet)
    kind = body.take(1)[0]
    number = body.word()
    if kind not in _ANSWERS:
        raise TransportError(f"the server sent an SFTP packet of unknown type {kind}")
    return number, _ANSWERS[kind](body)


def hello() -> bytes:
    """The first frame of a session."""
    return struct.pack(">IBI", 5, Kind.INIT, VERSION)


def parse_hello(packet: memoryview) -> frozenset[bytes]:
    """The names of the extensions a server offers in its first answer."""
    body = _Body(packet)
    if body.take(1)[0] != Kind.VERSION or body.word() < VERSION:
        raise TransportError("the server does not speak SFTP version 3")
    names = set()
    while body.left():
        names.add(body.string())
        body.string()  # the extension's own version
    return frozenset(names)
