"""A small SFTP server on a loopback port, for the demonstration and tests: users, folders, nothing else.

Each user sees one folder of this machine as "/", and nothing outside it. Not for any real network: it
has no rate limits, no quotas, and reads names as UTF-8 only.
"""

import hmac
import logging
import os
import socket
import stat
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)
from paramiko.sftp import SFTP_FAILURE, SFTP_NO_SUCH_FILE, SFTP_OK, SFTP_PERMISSION_DENIED

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12

_LOG = "pipeline.demo.ssh"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUser:
    """Who may log in, with what, and to which folder. Leave out a credential and it opens nothing."""

    root: Path
    password: str | None = field(default=None, repr=False)
    public_key: str = ""  #: as in authorized_keys: "ssh-ed25519 AAAA..."


class DemoSftpServer:
    """Listens from start() to stop(), or inside a with block."""

    def __init__(self, users: Mapping[str, DemoUser], *, host_key: paramiko.PKey | None = None) -> None:
        self._users = dict(users)
        self._key = host_key or paramiko.ECDSAKey.generate()
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=self._accept, name="demo-sftp", daemon=True)
        self._transports: list[paramiko.Transport] = []
        self._handlers: list[threading.Thread] = []
        self.port = 0
        self.logins_tried = 0
        log = logging.getLogger(_LOG)
        log.addHandler(logging.NullHandler())
        log.setLevel(logging.CRITICAL + 1)  # clients that break off are no news here

    @property
    def host_key(self) -> str:
        """The key to pin: type and base64."""
        return f"{self._key.get_name()} {self._key.get_base64()}"

    def start(self) -> None:
        """Listen on a free port, which is then in `port`."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread.start()

    def stop(self) -> None:
        """Close every connection; when this returns no thread and no file of ours is left open."""
        if self._listener is None:
            return
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # close() alone does not wake accept()
        self._listener.close()
        self._listener = None
        self._thread.join()
        for transport in self._transports:
            transport.close()
            transport.sock.close()
            transport.join(timeout=5)
        for handler in self._handlers:
            handler.join(timeout=5)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _accept(self) -> None:
        listener = self._listener
        while listener is not None:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(link)
            transport.daemon = True
            transport.set_log_channel(_LOG)
            transport.add_server_key(self._key)
            transport.set_subsystem_handler("sftp", _Subsystem, _Files, self._handlers)
            self._transports.append(transport)
            # With an event start_server() does not wait: a client that says nothing holds up nobody.
            with suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(event=threading.Event(), server=_Login(self))

    def user(self, name: str) -> DemoUser | None:
        """A user by name."""
        return self._users.get(name)


class _Login(paramiko.ServerInterface):
    """One connection's log-in."""

    def __init__(self, server: DemoSftpServer) -> None:
        self._server = server
        self.root = Path()

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        self._server.logins_tried += 1
        user = self._server.user(username)
        known = user is not None and user.password is not None
        if (
            user is None
            or not known
            or not hmac.compare_digest(str(user.password).encode(), password.encode())
        ):
            return AUTH_FAILED
        return self._let_in(user)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._server.logins_tried += 1
        user = self._server.user(username)
        if user is None or user.public_key.split()[:2] != [key.get_name(), key.get_base64()]:
            return AUTH_FAILED
        return self._let_in(user)

    def _let_in(self, user: DemoUser) -> int:
        self.root = user.root.resolve()
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class _Subsystem(paramiko.SFTPServer):
    """Tells the server of its thread, so that stop() can wait for it."""

    def __init__(
        self,
        channel: paramiko.Channel,
        name: str,
        server: _Login,
        files: Any,
        handlers: list[threading.Thread],
    ) -> None:
        super().__init__(channel, name, server, files)
        self.daemon = True
        handlers.append(self)


class _OpenFile(paramiko.SFTPHandle):
    """One open file; position and length come with each request, so none is remembered."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def read(self, offset: int, length: int) -> bytes | int:
        try:
            return os.pread(self._descriptor, min(length, 256 * 1024 - 64), offset)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def write(self, offset: int, data: "Buffer") -> int:
        try:
            written = os.pwrite(self._descriptor, data, offset)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return SFTP_OK if written == memoryview(data).nbytes else SFTP_FAILURE

    def stat(self) -> paramiko.SFTPAttributes:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self._descriptor))

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


class _Files(paramiko.SFTPServerInterface):
    """The folder of the user who has logged in."""

    def __init__(self, server: _Login, *args: object, **kwargs: object) -> None:
        super().__init__(server, *args, **kwargs)
        self._root = server.root

    def _path(self, path: str) -> Path:
        """The place on this machine; links on the way may not lead out, and the last name is not followed."""
        inside = self._root / self.canonicalize(path).lstrip("/")
        parent = inside.parent.resolve() if inside != self._root else self._root
        if not parent.is_relative_to(self._root):
            raise PermissionError(13, "outside the user's folder")
        return parent / inside.name if inside != self._root else inside

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        try:
            folder = self._path(path)
            if folder.is_symlink():
                return SFTP_PERMISSION_DENIED
            with os.scandir(folder) as entries:
                return [self._entry(entry) for entry in entries]
        except OSError as error:
            return _code(error)

    @staticmethod
    def _entry(entry: "os.DirEntry[str]") -> paramiko.SFTPAttributes:
        name = os.fsencode(entry.name).decode("utf-8", "replace")
        return paramiko.SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), name)

    def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return paramiko.SFTPAttributes.from_stat(os.lstat(self._path(path)))
        except OSError as error:
            return _code(error)

    stat = lstat  # a link is shown as a link: this server follows none

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        try:
            place = self._path(path)
            # Never block on a pipe, never follow a link put there in the last instant.
            descriptor = os.open(place, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
        except OSError as error:
            return _code(error)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return SFTP_FAILURE
        return _OpenFile(descriptor)

    def remove(self, path: str) -> int:
        return self._done(lambda: self._path(path).unlink())

    def rename(self, oldpath: str, newpath: str) -> int:
        def work() -> None:
            source, target = self._path(oldpath), self._path(newpath)
            os.link(source, target, follow_symlinks=False)  # unlike os.rename, fails on an existing target
            source.unlink()

        return self._done(work)

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        return self._done(lambda: self._path(oldpath).replace(self._path(newpath)))

    def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> int:
        return self._done(lambda: self._path(path).mkdir())

    def rmdir(self, path: str) -> int:
        return self._done(lambda: self._path(path).rmdir())

    @staticmethod
    def _done(work: Any) -> int:
        try:
            work()
        except OSError as error:
            return _code(error)
        return SFTP_OK


def _code(error: OSError) -> int:
    if isinstance(error, FileNotFoundError):
        return SFTP_NO_SUCH_FILE
    return SFTP_PERMISSION_DENIED if isinstance(error, PermissionError) else SFTP_FAILURE
