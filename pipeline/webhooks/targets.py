"""Targets: which URLs an endpoint may have, and which addresses may be connected to.

A partner chooses the URL, and the hub stands inside somebody's network: what is posted must never reach a
machine that only that network can reach. Names are not trusted; the address behind one is looked at when it
is connected to, and the connection goes to that very address.
"""

import re
import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import CountermandError

URL_CHARS_MAX = 2000
LOOK_UP_SECONDS = 5.0
_SHAPE = re.compile(r"[!-~]+")  # one line of ASCII: nothing that could break a header
_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.I
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


class BadTarget(CountermandError):
    """Nothing is posted there; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart."""

    url: str
    tls: bool
    host: str  # without the brackets of an IPv6 address
    port: int
    path: str  # with the query

    @property
    def host_header(self) -> str:
        """As Host has it."""
        named = f"[{self.host}]" if ":" in self.host else self.host
        return named if self.port == (443 if self.tls else 80) else f"{named}:{self.port}"


def target_of(url: str, *, allow_loopback: bool) -> Target:
    """The URL taken apart, if an endpoint may have it; else a BadTarget. Names are not looked up here."""
    if len(url) > URL_CHARS_MAX or not _SHAPE.fullmatch(url) or "\\" in url:
        raise BadTarget(f"The URL must be one line of at most {URL_CHARS_MAX} ASCII characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadTarget(f"The URL cannot be read: {error}.") from error
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not allow_loopback):
        raise BadTarget("The URL must begin with https://.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadTarget("The URL must not have a user, a password or a fragment.")
    if port == 0 or parts.netloc.endswith(":"):
        raise BadTarget("The URL names no port behind the colon.")
    literal = _literal(host)
    if literal is not None:
        check_address(literal, allow_loopback=allow_loopback)
    elif not _NAME.fullmatch(host):
        # Numbers that are no address in the usual form are read as one by some resolvers: 2130706433, 0x7f.1
        raise BadTarget("The URL names no host: give a DNS name, or an address in its usual form.")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, tls, host, port or (443 if tls else 80), path)


def addresses_of(
    target: Target, *, allow_loopback: bool, seconds: float = LOOK_UP_SECONDS
) -> tuple[str, ...]:
    """The addresses behind the host, looked up now. One that is forbidden forbids all: a BadTarget."""
    found = _looked_up(target, seconds)
    addresses = tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    for address in addresses:
        parsed = _literal(address)
        if parsed is None:
            raise BadTarget(f"The address {address} of {target.host} is none of the Internet.")
        check_address(parsed, allow_loopback=allow_loopback)
        if not target.tls and not parsed.is_loopback:
            raise BadTarget("Without TLS events are posted to this machine only.")
    return addresses


def _looked_up(target: Target, seconds: float) -> list[Any]:
    """What getaddrinfo says, which has no limit of its own and cannot be stopped.

    A thread that hangs is left behind, until the resolver gives up or the process ends.
    """
    answers: SimpleQueue[list[Any] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        said = answers.get(timeout=seconds)
    except Empty:
        raise BadTarget(f"The host {target.host} could not be looked up in time.") from None
    if isinstance(said, Exception):
        raise BadTarget(f"The host {target.host} is not found: {said}.") from said
    return said


def check_address(address: Address, *, allow_loopback: bool) -> None:
    """A BadTarget for what is not a public address of one machine."""
    real = _embedded(address)
    if allow_loopback and real.is_loopback:
        return
    public = real.is_global and not (real.is_multicast or real.is_reserved or real.is_unspecified)
    if isinstance(real, IPv6Address):
        # 6to4 and Teredo carry an IPv4 address of anybody's choice; nobody serves events there.
        public = public and real in _GLOBAL_V6 and real.sixtofour is None and real.teredo is None
    if not public:
        raise BadTarget(f"{address} is not a public address; nothing is posted there.")


def _literal(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
