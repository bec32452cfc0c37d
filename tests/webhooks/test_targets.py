"""Where nothing may be posted, whatever a URL looks like: by its text, and by the address behind a name."""

import socket
from ipaddress import ip_address

import pytest

from pipeline.webhooks.posting import post
from pipeline.webhooks.targets import BadTarget, addresses_of, check_address, target_of
from tests.webhooks.receiver import Receiver

FORBIDDEN = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::10.0.0.1",
    "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_what_is_no_public_address_is_forbidden(address: str) -> None:
    with pytest.raises(BadTarget):
        check_address(ip_address(address), allow_loopback=False)
    written = f"[{address}]" if ":" in address else address
    with pytest.raises(BadTarget):
        target_of(f"https://{written}/hook", allow_loopback=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not(address: str) -> None:
    check_address(ip_address(address), allow_loopback=False)


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "fe80::1", "0.0.0.0"])
def test_that_loopback_is_allowed_allows_nothing_else(address: str) -> None:
    with pytest.raises(BadTarget):
        check_address(ip_address(address), allow_loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://0x7f.1/", "https://127.1/",
        "https://1.2.3.4.5/", "http://example.com/", "ftp://example.com/", "https://user:pw@example.com/",
        "https://example.com/#x", "https:///hook", "https://example.com:0/", "https://example.com:99999/",
        "https://exa mple.com/", "https://example.com/\r\nX: y", "https://example.com\\@10.0.0.1/",
        "https://b\u00fccher.example/", "//example.com/", "", "https://[::1", "https://example.com:/",
        "https://" + "a" * 2000 + ".example/",
    ],
)  # fmt: skip
def test_a_url_that_is_none_of_an_endpoint(url: str) -> None:
    with pytest.raises(BadTarget):
        target_of(url, allow_loopback=False)


def test_a_good_url_is_taken_apart() -> None:
    target = target_of("https://Hooks.Example.com:8443/in?key=1", allow_loopback=False)
    assert (target.tls, target.host, target.port, target.path) == (
        True,
        "hooks.example.com",
        8443,
        "/in?key=1",
    )
    assert target.host_header == "hooks.example.com:8443"
    assert target_of("https://example.com", allow_loopback=False).host_header == "example.com"


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """From now on names have these addresses, a list for each time they are asked for; who was asked for."""
    asked: list[str] = []

    def found(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        answer = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        family = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in answer]
        return [(f, socket.SOCK_STREAM, 6, "", (a, port)) for f, a in zip(family, answer, strict=True)]

    monkeypatch.setattr("pipeline.webhooks.targets.socket.getaddrinfo", found)
    return asked


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_name_that_leads_to_one_is_not_connected_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, [PUBLIC[0], address])
    with pytest.raises(BadTarget, match="not a public address"):
        addresses_of(target_of("https://hooks.example/", allow_loopback=False), allow_loopback=False)
    posted = post("https://hooks.example/", b"{}", {}, allow_loopback=False)
    assert posted.status is None
    assert "not a public address" in posted.error


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_looked_at(
    one: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    asked: list[str] = []

    def rebinding(host: str, *rest: object, **named: object) -> object:
        if host != "rebinding.example":
            return real(host, *rest, **named)  # type: ignore[arg-type]
        asked.append(host)
        # The second look would lead elsewhere; there must be none.
        return real("127.0.0.1" if len(asked) == 1 else "10.0.0.1", *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    posted = post(f"http://rebinding.example:{one.port}/x", b"{}", {}, allow_loopback=True)
    assert (posted.status, asked) == (200, ["rebinding.example"])
    assert one.requests[0].headers["host"] == f"rebinding.example:{one.port}"


def test_loopback_is_not_posted_to_unless_it_is_allowed(one: Receiver) -> None:
    assert post(one.url(), b"{}", {}, allow_loopback=False).status is None
    secure = one.url().replace("http://", "https://")
    assert "not a public address" in post(secure, b"{}", {}, allow_loopback=False).error
    assert one.requests == []


def test_without_tls_a_public_name_is_not_posted_to_even_where_loopback_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, [PUBLIC[0]])
    assert "Without TLS" in post("http://hooks.example/", b"{}", {}, allow_loopback=True).error
