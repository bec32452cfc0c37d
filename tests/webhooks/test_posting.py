"""One request to one endpoint: what it says, what it takes for a yes, and what it does not wait for."""

import datetime as dt
import shutil
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from unittest.mock import Mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.webhooks.posting import EXCERPT_CHARS_MAX, Limits, post
from tests.webhooks.receiver import BREAKS, DRIPS, HANGS, HUGE, HUGE_BYTES, Receiver, receiver

QUICK = Limits(connect_seconds=1, read_seconds=0.5, total_seconds=1)


def test_a_body_arrives_as_it_is(one: Receiver) -> None:
    posted = post(one.url("/in?a=1"), b'{"x": 1}', {"webhook-id": "msg_1"}, allow_loopback=True)
    assert (posted.status, posted.error, posted.excerpt) == (200, "", "thanks")
    (request,) = one.requests
    assert (request.path, request.body) == ("/in?a=1", b'{"x": 1}')
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{one.port}"
    assert request.id == "msg_1"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_yes(one: Receiver, status: int) -> None:
    one.answer, one.text = status, b""
    assert post(one.url(), b"{}", {}, allow_loopback=True).error == ""


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 410, 429, 500, 503])
def test_nothing_else_is(one: Receiver, status: int) -> None:
    one.answer, one.text = status, b""
    posted = post(one.url(), b"{}", {}, allow_loopback=True)
    assert posted.status == status
    assert f"answered {status}" in posted.error


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(one: Receiver, other: Receiver, status: int) -> None:
    one.answer, one.location = status, other.url()
    assert "redirects are not followed" in post(one.url(), b"{}", {}, allow_loopback=True).error
    assert other.requests == []


@pytest.mark.parametrize("answer", [HANGS, DRIPS])
def test_who_does_not_come_to_an_end_is_left(one: Receiver, answer: str) -> None:
    one.answer = answer
    began = time.monotonic()
    posted = post(one.url(), b"{}", {}, allow_loopback=True, limits=QUICK)
    assert (posted.status, posted.error) == (None, "The endpoint did not answer in time.")
    assert time.monotonic() - began < 2


def test_a_huge_answer_is_not_read_to_its_end(one: Receiver) -> None:
    one.answer = HUGE
    posted = post(one.url(), b"{}", {}, allow_loopback=True)
    assert (posted.status, posted.error) == (200, "")
    assert posted.excerpt == "h" * EXCERPT_CHARS_MAX
    assert one.sent_bytes < HUGE_BYTES


def test_nothing_in_an_answer_acts(one: Receiver) -> None:
    one.text = b"\x1b[31mred\r\nline\xff"
    assert post(one.url(), b"{}", {}, allow_loopback=True).excerpt == r"\x1b[31mred\r\nline" + "\ufffd"


def test_a_connection_that_breaks_and_one_that_is_refused_have_a_sentence(one: Receiver) -> None:
    one.answer = BREAKS
    assert "could not be reached" in post(one.url(), b"{}", {}, allow_loopback=True).error
    with receiver() as gone:
        url = gone.url()
    assert "could not be reached: Connection refused" in post(url, b"{}", {}, allow_loopback=True).error


def test_proxies_of_the_environment_are_not_asked(
    one: Receiver, other: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, other.url(""))
    assert post(one.url(), b"{}", {}, allow_loopback=True).status == 200
    assert other.requests == []


def certificate(folder: Path, *, host: str, days: int = 10) -> Path:
    """A self-signed certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host[0].isdigit():
        names = [x509.IPAddress(ip_address(host))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "receiver.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def over_tls(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of somebody with this certificate, and the paths that were posted to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/x", came
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("host", "days", "trusted", "error"),
    [
        ("127.0.0.1", 10, True, ""),
        ("127.0.0.1", 10, False, "The certificate is not good"),
        ("127.0.0.1", -1, True, "The certificate is not good"),
        ("other.example", 10, True, "The certificate is not good"),
    ],
)
def test_certificates_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, days: int, trusted: bool, error: str
) -> None:
    path = certificate(tmp_path, host=host, days=days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with over_tls(path) as (url, came):
        posted = post(url, b"{}", {}, allow_loopback=True)
    if error:
        assert (posted.status, came) == (None, [])
        assert posted.error.startswith(error)
    else:
        assert (posted.status, posted.error, came) == (200, "", ["/x"])


def test_whom_the_system_trusts_is_read_once_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    right, other = certificate(tmp_path, host="127.0.0.1"), certificate(tmp_path / "other", host="127.0.0.1")
    trusted = tmp_path / "trusted.pem"
    shutil.copy(other, trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    reading = Mock(wraps=ssl.create_default_context)
    monkeypatch.setattr(ssl, "create_default_context", reading)
    with over_tls(right) as (url, _):
        before = [post(url, b"{}", {}, allow_loopback=True).status for _ in range(2)]
        shutil.copy(right, trusted)
        after = [post(url, b"{}", {}, allow_loopback=True).status for _ in range(2)]
    assert (before, after, reading.call_count) == ([None, None], [200, 200], 2)
