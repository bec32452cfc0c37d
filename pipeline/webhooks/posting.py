"""Posting: one request to one endpoint, bounded in time and in size. The only home of http.client.

The connection is made to the address that was looked at; the name goes into Host and into TLS. Redirects are
not followed, proxies of the environment are not asked, certificates are verified, and of the answer no more
is read than a short excerpt.
"""

import http.client
import io
import os
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.visible import visible
from pipeline.webhooks.targets import LOOK_UP_SECONDS, BadTarget, Target, addresses_of, target_of

if TYPE_CHECKING:
    from typing_extensions import Buffer  # of the standard library since 3.12

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0  # for any single answer of the network
TOTAL_SECONDS = 15.0
ANSWER_BYTES_MAX = 4096  # read of an answer's body; the rest is not waited for
EXCERPT_CHARS_MAX = 300
ADDRESSES_TRIED_MAX = 3
GONE = 410  # the endpoint asks not to be posted to any more
_NAME = "countermand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long one request may take."""

    look_up_seconds: float = LOOK_UP_SECONDS
    connect_seconds: float = CONNECT_SECONDS
    read_seconds: float = READ_SECONDS
    total_seconds: float = TOTAL_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What came of a request."""

    status: int | None = None  # None: there was no answer
    error: str = ""  # "" when it was taken
    excerpt: str = ""  # of the answer's body, made visible
    duration_ms: int = 0


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allow_loopback: bool,
    limits: Limits = Limits(),
) -> Posted:  # fmt: skip
    """Post a body of JSON; whatever goes wrong is in the answer."""
    began = time.monotonic()
    end = began + limits.total_seconds
    try:
        target = target_of(url, allow_loopback=allow_loopback)
        seconds = _left(end, limits.look_up_seconds)
        addresses = addresses_of(target, allow_loopback=allow_loopback, seconds=seconds)
        status, excerpt = _exchange(target, addresses, body, headers, limits, end)
        error = "" if 200 <= status < 300 else f"The endpoint answered {status}{_remark(status)}."
    except BadTarget as bad:
        status, excerpt, error = None, "", str(bad)
    except TimeoutError:
        status, excerpt, error = None, "", "The endpoint did not answer in time."
    except ssl.SSLError as bad:
        status, excerpt, error = None, "", f"TLS failed: {visible(str(bad.reason or bad))[:200]}."
        if isinstance(bad, ssl.SSLCertVerificationError):
            error = f"The certificate is not good: {visible(bad.verify_message)[:200]}."
    except (OSError, http.client.HTTPException) as bad:
        said = getattr(bad, "strerror", None) or type(bad).__name__
        status, excerpt, error = None, "", f"The endpoint could not be reached: {visible(str(said))[:200]}."
    taken_ms = int((time.monotonic() - began) * 1000)
    return Posted(status=status, error=error, excerpt=excerpt, duration_ms=taken_ms)


def _remark(status: int) -> str:
    if 300 <= status < 400:
        return ", and redirects are not followed"
    return ", so that nothing more is posted there" if status == GONE else ""


def _exchange(
    target: Target, addresses: tuple[str, ...], body: bytes, headers: Mapping[str, str],
    limits: Limits, end: float,
) -> tuple[int, str]:  # fmt: skip
    """The status and an excerpt of the answer."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.auto_open = 0  # it must never look the name up itself
    with _connected(target, addresses, limits, end) as opened:
        connection.sock = _Timed(opened, limits.read_seconds, end)
        connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
        said = {
            "Host": target.host_header, "User-Agent": _NAME, "Content-Type": "application/json",
            "Content-Length": str(len(body)), "Connection": "close", **headers,
        }  # fmt: skip
        for name, value in said.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        with connection.getresponse() as answer:
            status = answer.status
            try:
                text = answer.read(ANSWER_BYTES_MAX)
            except (OSError, http.client.HTTPException):
                text = b""  # the status has been said; that the body breaks off changes nothing
    return status, visible(text.decode("utf-8", "replace"))[:EXCERPT_CHARS_MAX]


def _connected(target: Target, addresses: tuple[str, ...], limits: Limits, end: float) -> socket.socket:
    """A connection to one of these very addresses, with TLS where the URL says so."""
    plain = _first(addresses[:ADDRESSES_TRIED_MAX], target.port, limits, end)
    if not target.tls:
        return plain
    try:
        plain.settimeout(_left(end, limits.connect_seconds))
        return _trust().wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


def _trust() -> ssl.SSLContext:
    """Whose certificates are believed, as the system has it now: all its authorities are 50 ms to read."""
    paths = ssl.get_default_verify_paths()  # the file is None where there is none
    return _context(paths, os.stat(paths.cafile).st_mtime_ns if paths.cafile else 0)


@lru_cache(maxsize=1)
def _context(paths: ssl.DefaultVerifyPaths, changed_ns: int) -> ssl.SSLContext:
    del paths, changed_ns  # what it is read from, and when that was changed
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _first(addresses: tuple[str, ...], port: int, limits: Limits, end: float) -> socket.socket:
    failed: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), _left(end, limits.connect_seconds))
        except OSError as error:
            failed = error
    raise failed


def _left(end: float, most: float) -> float:
    """How long may still be waited; TimeoutError when the time is up."""
    left = min(end - time.monotonic(), most)
    if left <= 0:
        raise TimeoutError
    return left


class _Timed:
    """A connection whose every step has its own limit, and all of them together one."""

    def __init__(self, sock: socket.socket, read_seconds: float, end: float) -> None:
        self._sock = sock
        self._read_seconds = read_seconds
        self._end = end

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._end, self._read_seconds))
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        return io.BufferedReader(_Incoming(self))

    def receive(self, into: "Buffer") -> int:
        self._sock.settimeout(_left(self._end, self._read_seconds))
        return self._sock.recv_into(into)

    def close(self) -> None:
        """The connection is closed by who opened it."""


class _Incoming(io.RawIOBase):
    """What comes in, as http.client reads it."""

    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, into: "Buffer", /) -> int:
        return self._timed.receive(into)
