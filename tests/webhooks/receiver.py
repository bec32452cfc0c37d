"""A real HTTP receiver on loopback that answers as a test wants it to, and keeps what it was sent."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
HANGS, DRIPS, BREAKS, HUGE = "hangs", "drips", "breaks", "huge"
HUGE_BYTES = 50_000_000


@dataclass(frozen=True)
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]  # names in small letters
    body: bytes

    @property
    def json(self) -> Json:
        said: Json = json.loads(self.body)
        return said

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        """Computed anew from what Standard Webhooks says, without a line of the product's."""
        key = base64.b64decode(secret.split("_", 1)[1])
        content = b".".join([self.id.encode(), self.headers["webhook-timestamp"].encode(), self.body])
        expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """What was received, and what is answered: a status, or one of the words above."""

    port: int = 0
    answer: int | str = 200
    location: str = ""
    text: bytes = b"thanks"
    requests: list[Request] = field(default_factory=list)
    sent_bytes: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def of(self, topic: str) -> list[Request]:
        return [one for one in self.requests if one.json["type"] == topic]


@contextmanager
def receiver(answer: int | str = 200) -> Iterator[Receiver]:
    """A receiver on a free port."""
    made = Receiver(answer=answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            try:
                _answer(self, made)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, made: Receiver) -> None:
    if made.answer == HANGS:
        made.released.wait(30)
        handler.close_connection = True
    elif made.answer == DRIPS:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not made.released.is_set():
            handler.wfile.write(b"x")
            time.sleep(0.05)
        handler.close_connection = True
    elif made.answer == BREAKS:
        handler.connection.close()
        handler.close_connection = True
    elif made.answer == HUGE:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while made.sent_bytes < HUGE_BYTES:
            handler.wfile.write(b"h" * 65536)
            made.sent_bytes += 65536
    else:
        handler.send_response(int(made.answer))
        if made.location:
            handler.send_header("Location", made.location)
        handler.send_header("Content-Length", str(len(made.text)))
        handler.end_headers()
        handler.wfile.write(made.text)
