"""The other side, in processes of its own: OpenSSH's sftp-server without SSH around it, and a mail server.

A crash run costs milliseconds, an SSH handshake a tenth of a second: so most runs speak SFTP to the real
sftp-server over a plain socket. What is said and what becomes of it is the same; that is tested, too.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.crash.workload import GONE, LATER, UNCLEAR


class Server:
    """A process that serves a loopback port until it is stopped; what it serves survives `kill`."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self.pid = 0
        self.start()

    def start(self) -> None:
        """Begin (again) to serve, on the same port."""
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_DFL)
                with open(os.devnull, "r+b") as nothing:
                    for handle in (0, 1, 2):
                        os.dup2(nothing.fileno(), handle)
                self._serve(self._listener)
            finally:
                os._exit(1)

    def kill(self) -> None:
        """End it at once, with all it has begun."""
        for pid in (*self.sessions(), self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def sessions(self) -> list[int]:
        """The processes it has started and not seen end."""
        with suppress(OSError):
            listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            return [int(pid) for pid in listed.split()]
        return []

    def kill_sessions(self) -> None:
        """End what it has begun; it goes on serving."""
        for pid in self.sessions():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Stop serving for good."""
        self.kill()
        self._listener.close()


def sftp_server(program: Path) -> Server:
    """OpenSSH's own sftp-server, one for each connection."""

    def serve(listener: socket.socket) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                subprocess.Popen([program], stdin=connection.fileno(), stdout=connection.fileno())

    return Server(serve)


class MailLog:
    """What the mail server has accepted, in a file that outlives every process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clear()

    def clear(self) -> None:
        """Forget everything, and what was put off."""
        self.path.write_bytes(b"")

    def write(self, what: str, recipient: str, message_id: str = "") -> None:
        """Add a line; it is there when this returns."""
        line = json.dumps([what, recipient, message_id]) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(handle, line.encode())
        os.close(handle)

    def lines(self, what: str) -> list[tuple[str, str]]:
        """Recipients and Message-IDs of the lines of one kind, in order."""
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [(recipient, message_id) for kind, recipient, message_id in lines if kind == what]


class _MailSession(threading.Thread):
    """One connection: accepts what comes, except what the workload's addresses are there for."""

    def __init__(self, link: socket.socket, log: MailLog) -> None:
        super().__init__(daemon=True)
        self._link, self._log = link, log
        self._received = b""
        self._recipients: list[str] = []

    def run(self) -> None:
        with suppress(OSError), self._link:
            self._say("220 localhost")
            while line := self._until(b"\r\n").decode("ascii", "replace"):
                word = line[:4].strip().upper()
                if word == "DATA":
                    self._say("354 go on")
                    if not self._take(self._until(b"\r\n.\r\n")):
                        return
                    continue
                self._say(
                    self._recipient(line) if word == "RCPT" else "221 bye" if word == "QUIT" else "250 ok"
                )
                if word == "QUIT":
                    return
                if word in ("MAIL", "RSET"):
                    self._recipients.clear()

    def _say(self, line: str) -> None:
        self._link.sendall(f"{line}\r\n".encode())

    def _until(self, end: bytes) -> bytes:
        """What comes up to an end, which is taken off; nothing when the other side is gone."""
        while end not in self._received:
            # Asked for anew each time: an acknowledgment of TCP that waits 40 ms makes every run slower.
            self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            received = self._link.recv(65536)
            if not received:
                return b""
            self._received += received
        found, _, self._received = self._received.partition(end)
        return found

    def _recipient(self, line: str) -> str:
        address = line[line.index("<") + 1 : line.index(">")]
        if address == GONE:
            return "550 no such user"
        if address == LATER and not self._log.lines("put off"):
            self._log.write("put off", address)
            return "451 greylisted"
        self._recipients.append(address)
        return "250 ok"

    def _take(self, message: bytes) -> bool:
        head = message.partition(b"\r\n\r\n")[0].split(b"\r\n")
        message_ids = [line[12:].decode() for line in head if line.startswith(b"Message-ID: ")]
        if not message:  # the other side went away before the end of the message
            return False
        for recipient in self._recipients:
            self._log.write("accepted", recipient, *message_ids)
        self._say("300 perhaps" if UNCLEAR in self._recipients else "250 kept")
        return True


def mail_server(log: MailLog) -> Server:
    """A mail server that writes down what it accepts before it says so."""

    def serve(listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            _MailSession(connection, log).start()

    return Server(serve)
