"""An SFTP server for tests that answers frame by frame: honestly over a folder, or as wrongly as wanted.

    with HostileSftp(root) as server:
        server.instead[Kind.READ] = lambda frame, honest: [content(frame.number, b"x" * 100_000)]

It is paramiko's server side below and raw SFTP version 3 frames above, so that it can say what no library
would let it. What it shares with real servers is held to the contract in tests/contract.
"""

import os
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from pipeline.mailbox.sftp import Code, Kind
from pipeline.partners import MailboxSettings
from pipeline.settings_reader import Secret
from tests.integration.listener import Listener

Frames = Iterable[bytes]


def text(value: bytes) -> bytes:
    """A string on the wire."""
    return struct.pack(">I", len(value)) + value


def packet(kind: int, number: int, body: bytes) -> bytes:
    """A whole frame."""
    return struct.pack(">IBI", len(body) + 5, kind, number) + body


def status(number: int, code: int, said: bytes = b"") -> bytes:
    return packet(Kind.STATUS, number, struct.pack(">I", code) + text(said) + text(b""))


def content(number: int, data: bytes) -> bytes:
    return packet(Kind.DATA, number, text(data))


def attributes(size: int | None = None, mode: int | None = None, modified: int | None = None) -> bytes:
    """As they stand in a frame; what is None is left out."""
    flags = (
        (1 if size is not None else 0) | (4 if mode is not None else 0) | (8 if modified is not None else 0)
    )
    body = struct.pack(">I", flags)
    body += struct.pack(">Q", size) if size is not None else b""
    body += struct.pack(">I", mode) if mode is not None else b""
    return body + (struct.pack(">II", modified, modified) if modified is not None else b"")


def names(number: int, *entries: tuple[bytes, bytes]) -> bytes:
    """A listing of names and attributes."""
    body = struct.pack(">I", len(entries))
    return packet(Kind.NAME, number, body + b"".join(text(n) + text(b"") + about for n, about in entries))


def about(path: bytes, *, follow: bool = False) -> bytes:
    """The attributes of something on this machine."""
    found = os.stat(path) if follow else os.lstat(path)
    return attributes(found.st_size, found.st_mode, int(found.st_mtime))


@dataclass(frozen=True, slots=True)
class Frame:
    """A request; `strings` are those its body begins with."""

    kind: int
    number: int
    body: bytes

    def strings(self, count: int) -> list[bytes]:
        found, at = [], 0
        for _ in range(count):
            (length,) = struct.unpack_from(">I", self.body, at)
            found.append(self.body[at + 4 : at + 4 + length])
            at += 4 + length
        return found

    def after(self, count: int, form: str) -> tuple[int, ...]:
        at = sum(4 + len(one) for one in self.strings(count))
        return struct.unpack_from(form, self.body, at)


Instead = Callable[[Frame, Callable[[Frame], bytes]], Frames]


@dataclass(slots=True)
class Quirks:
    """Ways of real servers that differ from OpenSSH's, all of them allowed to them."""

    posix_rename: bool = True
    rename_replaces: bool = False  #: a rename onto an existing name takes its place without a word
    rename_to_itself_deletes: bool = False  #: as OpenSSH on Windows did
    ignores_case: bool = False
    lists_attributes: bool = True
    read_bytes_max: int = 1 << 20
    answers_backwards: bool = False


class HostileSftp:
    """Honest over `root`, save for what its quirks and `instead` say."""

    def __init__(self, root: Path, quirks: Quirks | None = None) -> None:
        self.root = os.fsencode(root)
        self.quirks = quirks or Quirks()
        self.instead: dict[int, Instead] = {}
        self.seen: list[tuple[int, list[bytes]]] = []  #: kinds and first strings of all requests
        self.logins = 0
        self.sessions = 0
        self._listener = Listener(self._serve)
        self._key = paramiko.ECDSAKey.generate()
        self._handles: dict[bytes, _Open] = {}
        self._count = 0
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        return self._listener.port

    def settings(self, **changes: object) -> MailboxSettings:
        """Settings that reach it."""
        values: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "username": "hub",
            "password": Secret("secret"),
            "host_keys": (f"{self._key.get_name()} {self._key.get_base64()}",),
            "pickup": "/pickup",
            "processed": "/processed",
            "rejected": "/rejected",
            "delivery": "/delivery",
            "settle_seconds": 0,
            "timeout_seconds": 5,
        }
        return MailboxSettings(**(values | changes))  # type: ignore[arg-type]

    def opened(self) -> list[bytes]:
        """Paths of files that were opened."""
        return [strings[0] for kind, strings in self.seen if kind == Kind.OPEN]

    def __enter__(self) -> "HostileSftp":
        for folder in (b"pickup", b"processed", b"rejected", b"delivery"):
            os.makedirs(self.root + b"/" + folder, exist_ok=True)
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()

    def _serve(self, transport: paramiko.Transport) -> None:
        transport.add_server_key(self._key)
        transport.set_subsystem_handler("sftp", _Subsystem, self)
        transport.start_server(event=threading.Event(), server=_Login(self))

    # --- one session -------------------------------------------------------------------------------------

    def talk(self, channel: paramiko.Channel) -> None:
        """Answer frames until the client goes."""
        self.sessions += 1
        received = b""
        while data := channel.recv(1 << 20):
            received += data
            frames = []
            while len(received) >= 4 and len(received) >= (end := 4 + struct.unpack(">I", received[:4])[0]):
                frames.append(received[4:end])
                received = received[end:]
            answers = map(self._answers, frames)  # each made only when it is its turn: some take their time
            for answer in reversed(list(answers)) if self.quirks.answers_backwards else answers:
                for part in answer:
                    channel.sendall(part)

    def _answers(self, data: bytes) -> Frames:
        kind = data[0]
        if kind == Kind.INIT:
            hello = text(b"posix-rename@openssh.com") + text(b"1") if self.quirks.posix_rename else b""
            return [packet(Kind.VERSION, 3, hello)]
        frame = Frame(kind, struct.unpack(">I", data[1:5])[0], data[5:])
        with self._lock:
            self.seen.append((kind, frame.strings(1)))
        if kind in self.instead:
            return self.instead[kind](frame, self.honest)
        return [self.honest(frame)]

    def honest(self, frame: Frame) -> bytes:
        """What an ordinary server would answer."""
        try:
            return self._honest(frame)
        except FileNotFoundError:
            return status(frame.number, Code.NO_SUCH_FILE, b"No such file")
        except PermissionError:
            return status(frame.number, Code.PERMISSION_DENIED, b"Permission denied")
        except (OSError, KeyError):
            return status(frame.number, Code.FAILURE, b"Failure")

    def _honest(self, frame: Frame) -> bytes:
        number = frame.number
        (first,) = frame.strings(1)
        match frame.kind:
            case Kind.LSTAT | Kind.STAT:
                found = about(self._path(first), follow=frame.kind == Kind.STAT)
                return packet(Kind.ATTRS, number, found)
            case Kind.OPENDIR:
                listed = sorted(os.listdir(self._path(first)))
                return self._opened(number, _Open(path=self._path(first), listed=[b".", b"..", *listed]))
            case Kind.READDIR:
                return self._page(number, self._handles[first])
            case Kind.OPEN:
                return self._open(frame, self._path(first))
            case Kind.CLOSE:
                self._handles.pop(first).close()
                return status(number, Code.OK)
            case Kind.REALPATH:
                real = os.path.relpath(os.path.realpath(self._path(first)), self.root)
                return names(number, (b"/" + real, attributes()))
            case Kind.FSTAT | Kind.READ | Kind.WRITE:
                return self._on_handle(frame, self._handles[first])
        return self._change(frame, first)

    def _on_handle(self, frame: Frame, opened: "_Open") -> bytes:
        number = frame.number
        if frame.kind == Kind.FSTAT:
            found = os.fstat(opened.descriptor)
            return packet(Kind.ATTRS, number, attributes(found.st_size, found.st_mode, int(found.st_mtime)))
        if frame.kind == Kind.READ:
            offset, length = frame.after(1, ">QI")
            data = os.pread(opened.descriptor, min(length, self.quirks.read_bytes_max), offset)
            return content(number, data) if data else status(number, Code.EOF)
        (offset,) = frame.after(1, ">Q")
        data = frame.body[4 + len(frame.strings(1)[0]) + 12 :]
        os.pwrite(opened.descriptor, data, offset)
        return status(number, Code.OK)

    def _change(self, frame: Frame, first: bytes) -> bytes:
        number = frame.number
        match frame.kind:
            case Kind.REMOVE:
                os.unlink(self._path(first))
            case Kind.MKDIR:
                os.mkdir(self._path(first))
            case Kind.RENAME:
                self._rename(*(self._path(path) for path in frame.strings(2)))
            case Kind.EXTENDED if self.quirks.posix_rename:
                _, source, target = frame.strings(3)
                os.rename(self._path(source), self._path(target))
            case _:
                return status(number, Code.OP_UNSUPPORTED, b"Operation unsupported")
        return status(number, Code.OK)

    def _rename(self, source: bytes, target: bytes) -> None:
        if source == target and self.quirks.rename_to_itself_deletes:
            os.unlink(source)
        elif os.path.lexists(target) and not self.quirks.rename_replaces:
            raise FileExistsError
        else:
            os.rename(source, target)

    def _open(self, frame: Frame, path: bytes) -> bytes:
        (flags,) = frame.after(1, ">I")
        mode = {1: os.O_RDONLY, 2: os.O_WRONLY, 3: os.O_RDWR}[flags & 3]
        mode |= (os.O_CREAT if flags & 8 else 0) | (os.O_TRUNC if flags & 16 else 0)
        return self._opened(frame.number, _Open(path=path, descriptor=os.open(path, mode, 0o644)))

    def _opened(self, number: int, opened: "_Open") -> bytes:
        with self._lock:
            self._count += 1
            handle = b"handle %d" % self._count
            self._handles[handle] = opened
        return packet(Kind.HANDLE, number, text(handle))

    def _page(self, number: int, opened: "_Open") -> bytes:
        page, opened.listed = opened.listed[:100], opened.listed[100:]
        if not page:
            return status(number, Code.EOF)
        entries = []
        for name in page:
            try:
                said = about(opened.path + b"/" + name) if self.quirks.lists_attributes else attributes()
            except FileNotFoundError:
                continue
            entries.append((name, said))
        return names(number, *entries)

    def _path(self, path: bytes) -> bytes:
        whole = self.root
        for part in path.replace(b"\\", b"/").split(b"/") if self.quirks.ignores_case else path.split(b"/"):
            if part:
                whole += b"/" + (self._as_there(whole, part) if self.quirks.ignores_case else part)
        return whole

    @staticmethod
    def _as_there(folder: bytes, name: bytes) -> bytes:
        if os.path.lexists(folder + b"/" + name):
            return name
        try:
            found = [there for there in os.listdir(folder) if there.lower() == name.lower()]
        except OSError:
            return name
        return found[0] if found else name


@dataclass(slots=True)
class _Open:
    path: bytes
    descriptor: int = -1
    listed: list[bytes] = field(default_factory=list)

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


class _Login(paramiko.ServerInterface):
    """Lets everybody in and counts them."""

    def __init__(self, server: HostileSftp) -> None:
        self._server = server

    def check_auth_password(self, username: str, password: str) -> int:
        self._server.logins += 1
        return AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED


class _Subsystem(paramiko.SubsystemHandler):
    """One SFTP session, spoken by the server in its own words."""

    def __init__(
        self, channel: paramiko.Channel, name: str, login: paramiko.ServerInterface, server: HostileSftp
    ) -> None:
        super().__init__(channel, name, login)
        self._hostile = server
        self.daemon = True

    def start_subsystem(self, name: str, transport: paramiko.Transport, channel: paramiko.Channel) -> None:
        try:
            self._hostile.talk(channel)
        except (OSError, EOFError, paramiko.SSHException):
            return  # the client has had enough
