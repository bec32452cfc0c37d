"""A loopback listener for servers of tests: hands each connection's SSH transport on, and ends them all."""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import paramiko

_LOG = "tests.integration.listener"


class Listener:
    """Listens from start() to stop(); after that no thread and no socket of it is left."""

    def __init__(self, serve: Callable[[paramiko.Transport], None]) -> None:
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        log = logging.getLogger(_LOG)
        log.addHandler(logging.NullHandler())
        log.setLevel(logging.CRITICAL + 1)

    def start(self) -> None:
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(link)
            transport.daemon = True
            transport.set_log_channel(_LOG)
            self._transports.append(transport)
            with suppress(paramiko.SSHException, EOFError, OSError):
                self._serve(transport)

    def stop(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)
        for transport in self._transports:
            transport.close()
            transport.sock.close()
            transport.join(timeout=5)
