"""A real OpenSSH server for tests, on a free loopback port with keys, folders and a user of its own.

    with running_openssh() as server:
        server.put("pickup", b"a.edi", b"ISA...")
        with SftpMailbox(server.settings()) as mailbox: ...

As root the sessions run as nobody, so that rights mean something; otherwise as the user at the keyboard.
Needs sshd and ssh-keygen (Debian: apt-get install openssh-server). Without them tests skip, in CI they fail.
"""

import os
import pwd
import resource
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.partners import MailboxSettings
from pipeline.settings_reader import Secret

START_SECONDS_MAX = 10.0


def _tool(name: str) -> str:
    found = shutil.which(
        name, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/sbin:/usr/local/sbin"
    )
    if found:
        return found
    missing = f"{name} is missing: install OpenSSH's server (Debian: apt-get install openssh-server)"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> str:
    """A new key pair; answers the public key as it is pinned: type and base64."""
    command = [_tool("ssh-keygen"), "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)
    return " ".join(path.with_name(path.name + ".pub").read_text().split()[:2])


def free_port() -> int:
    """A loopback port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(slots=True, kw_only=True)
class OpenSshServer:
    """A running sshd and the folders its one user works in."""

    root: Path
    port: int
    user: str
    host_key: str
    process: "subprocess.Popen[bytes]"
    options: tuple[str, ...] = ()
    _owner: tuple[int, int] = field(default=(-1, -1))

    def settings(self, **changes: Any) -> MailboxSettings:
        """Settings that reach it, settling at once; changes go on top."""
        plain = MailboxSettings(
            host="127.0.0.1",
            port=self.port,
            username=self.user,
            key_file=self.root / "user_key",
            host_keys=(self.host_key,),
            pickup=str(self.path("pickup")),
            processed=str(self.path("processed")),
            rejected=str(self.path("rejected")),
            delivery=str(self.path("delivery")),
            settle_seconds=0,
            timeout_seconds=10,
        )
        return replace(plain, **changes)

    def path(self, folder: str, name: bytes | None = None) -> Path:
        """Where a folder or a file is on this machine."""
        place = self.root / "home" / folder
        return place if name is None else Path(os.fsdecode(os.fsencode(place) + b"/" + name))

    def put(self, folder: str, name: bytes, content: bytes, *, modified: int | None = None) -> Path:
        """Put a file there as the partner would."""
        path = self.path(folder, name)
        path.write_bytes(content)
        if modified is not None:
            os.utime(path, (modified, modified))
        self.own(path)
        return path

    def own(self, path: Path) -> None:
        """Make something the session user's, links themselves."""
        os.chown(path, *self._owner, follow_symlinks=False)

    def names(self, folder: str) -> list[bytes]:
        """What is in a folder."""
        return sorted(os.listdir(os.fsencode(self.path(folder))))

    def read(self, folder: str, name: bytes) -> bytes:
        """What is in a file."""
        return self.path(folder, name).read_bytes()

    def stop(self) -> None:
        """End the server and every session."""
        children = self._sessions()
        self.process.terminate()
        self.process.wait(timeout=START_SECONDS_MAX)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, 9)

    @contextmanager
    def full_disk(self, room: int) -> Iterator[None]:
        """In new sessions no file grows beyond this; over SFTP that looks as a full disk does."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        try:
            yield
        finally:
            unbounded = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, unbounded)

    def kill_sessions(self) -> None:
        """What a crash of the partner's machine does to us: sessions end, the listener stays."""
        for child in self._sessions():
            with suppress(ProcessLookupError):
                os.kill(child, 9)

    def _sessions(self) -> list[int]:
        found: list[int] = []
        parents = [self.process.pid]
        while parents:
            children = []
            with suppress(
                OSError
            ):  # a session may end while we look; without /proc there are none to be seen
                listed = Path(f"/proc/{parents[0]}/task/{parents[0]}/children").read_text()
                children = [int(pid) for pid in listed.split()]
            found += children
            parents = parents[1:] + children
        return found


def nowhere(**changes: object) -> MailboxSettings:
    """Complete settings of a mailbox that is not there, to be changed as a test needs."""
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": 9,
        "username": "hub",
        "password": Secret("secret"),
        "host_keys": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHk=",),
        "pickup": "/pickup",
        "processed": "/processed",
        "rejected": "/rejected",
        "delivery": "/delivery",
    }
    if "key_file" in changes:
        values["password"] = None
    return MailboxSettings(**(values | changes))  # type: ignore[arg-type]


def wait_for(what: Callable[[], bool]) -> None:
    """Until it is so; a test that waits longer than 10 seconds has failed."""
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def running_openssh(*options: str, host_key_kind: str = "ed25519") -> Iterator[OpenSshServer]:
    """Start it, with extra lines for its configuration if wanted; it is gone afterwards."""
    sshd = _tool("sshd")
    # Not under pytest's own folder, which is closed to the user the sessions run as.
    with tempfile.TemporaryDirectory(prefix="countermand-sshd-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        about = pwd.getpwnam(user)
        owner = (about.pw_uid, about.pw_gid)
        for name in ("pickup", "processed", "rejected", "delivery"):
            place = root / "home" / name
            place.mkdir(parents=True)
            os.chown(place, *owner)
        os.chown(root / "home", *owner)
        host_key = make_key(root / "host_key", host_key_kind)
        (root / "authorized_keys").write_text(make_key(root / "user_key") + "\n")
        port = free_port()
        process = _start(sshd, root, port, options)
        server = OpenSshServer(
            root=root, port=port, user=user, host_key=host_key, process=process, options=options, _owner=owner
        )
        try:
            _wait(server)
            yield server
        finally:
            server.stop()


def _start(sshd: str, root: Path, port: int, options: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd will not run as root without it
    lines = [
        *options,  # the first mention of a keyword counts
        "ListenAddress 127.0.0.1",
        f"Port {port}",
        f"HostKey {root / 'host_key'}",
        f"AuthorizedKeysFile {root / 'authorized_keys'}",
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "ForceCommand internal-sftp",
        "Subsystem sftp internal-sftp",
        "LogLevel VERBOSE",
    ]
    config = root / "sshd_config"
    config.write_text("\n".join(lines) + "\n")
    return subprocess.Popen(
        [sshd, "-D", "-f", str(config), "-E", str(root / "sshd.log")],
        stderr=subprocess.DEVNULL,
        restore_signals=False,  # as in Python a file that grows too large is an error, and no death
    )


def _wait(server: OpenSshServer) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and server.process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port), 1):
            return
        time.sleep(0.02)
    log = server.root / "sshd.log"
    pytest.fail("sshd did not start: " + (log.read_text() if log.exists() else "no log"))


class Proxy:
    """A TCP forwarder that can go silent, swallow replies or cut: a network for tests."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.silent = False  #: nothing passes in either direction
        self.swallow_replies = False  #: what we send arrives, what the server answers does not
        self.connections = 0
        self._pairs: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def _run(self, work: Any, *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self.silent = self.swallow_replies = False  # faults hit the connection under way
            server = socket.create_connection(("127.0.0.1", self._target))
            self._pairs += [client, server]
            self._run(self._forward, client, server, True)
            self._run(self._forward, server, client, False)

    def _forward(self, source: socket.socket, target: socket.socket, outward: bool) -> None:
        with suppress(OSError):
            while received := source.recv(65536):
                if not self.silent and (outward or not self.swallow_replies):
                    target.sendall(received)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Break every connection."""
        for end in self._pairs:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Break every connection as a rebooted firewall does: the peers get a RST, and no goodbye."""
        pairs, self._pairs = self._pairs, []
        for end in pairs:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Our own threads sit in recv() on it; only what ends that lets close() send the RST.
                end.shutdown(socket.SHUT_RD)
            end.close()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(timeout=5)
        for end in self._pairs:
            end.close()
