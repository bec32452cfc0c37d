"""A wire between a client and a server that is cut at the worst moment: at COMMIT, or at its reply."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from types import TracebackType

WAIT_SECONDS_MAX = 30.0


class Cut(Enum):
    """Where the wire breaks, once; what comes later passes."""

    REPLY = "the server commits, and its reply is lost"
    REQUEST = "the server never hears of it, and sees the connection end"
    SILENT = "the server never hears of it, and does not see that the connection ended"


class CuttingProxy:
    """Listens on a free loopback port while it is entered, and passes everything on to another port there."""

    def __init__(self, target: int, cut: Cut = Cut.REPLY) -> None:
        self._target, self._cut = target, cut
        self._silent = self._armed = False
        self._mute: socket.socket | None = None  # to whom nothing comes back any more
        self.cuts = 0
        self.on_cut: Callable[[], None] = lambda: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []

    def __enter__(self) -> "CuttingProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _shut(self._listener, *self._open)

    def arm(self, _: object = None) -> None:
        """The next COMMIT is the one."""
        self._armed = True

    def fall_silent(self) -> None:
        """From now on connections are taken and nothing is ever said."""
        self._silent = True

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                if self._silent:
                    continue
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:  # nobody there just now
                    _shut(client)
                    continue
                self._open.append(server)
                threading.Thread(target=self._up, args=(client, server), daemon=True).start()
                threading.Thread(target=self._down, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if b"COMMIT" in data and self._armed:
                    self._break(client, server, data)
                    return
                server.sendall(data)
        _shut(server)

    def _break(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        self._armed = False
        self.cuts += 1
        how = self._cut
        if how is Cut.REPLY:
            server.settimeout(WAIT_SECONDS_MAX)
            self._mute = client
            server.sendall(data)
            threading.Event().wait(0.2)  # the server does its work
        self.on_cut()
        _shut(client)
        if how is not Cut.SILENT:
            _shut(server)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if client is not self._mute:
                    client.sendall(data)
            _shut(client)


def _shut(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
