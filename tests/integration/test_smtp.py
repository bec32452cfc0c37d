"""Sending over real sockets: what became of a message is told rightly, whatever the server does."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.errors import OperatorError, TransportError
from pipeline.mail import Refused, Retry, Sent, SmtpSession, SmtpSettings, Uncertain, compose, message_id
from pipeline.notices.contexts import Notice, OrderCancelled
from pipeline.settings import Security

SENDER = "edi@hub.example"
PAYLOAD = b"From: edi@hub.example\r\nTo: desk@bolt.example\r\nSubject: x\r\n\r\n.dot\r\nbody\r\n"


class Steps:
    """Stands for the outbox: remembers that the last byte was about to go."""

    committed = 0

    def __call__(self) -> None:
        self.committed += 1


class ScriptedServer:
    """An SMTP server that follows a script: it can fall silent or hang up at any point."""

    def __init__(self, script: dict[str, str], tls: ssl.SSLContext | None = None) -> None:
        self.script = {"greeting": "220 hello", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go"}
        self.script |= {"dot": "250 got it"} | script
        self._tls = tls
        self.seen: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._talk, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _talk(self, client: socket.socket) -> None:
        with suppress(OSError):  # the other side may hang up at any point, too
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            self._converse(client)

    def _converse(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as lines:
            if not self._say(client, "greeting"):
                return
            for line in lines:
                verb = line[:4].decode("latin-1").strip().upper()
                self.seen.append(verb)
                if verb == "DATA":
                    if not self._say(client, "DATA"):
                        return
                    if self.script["DATA"].startswith("354") and not self._body(client, lines):
                        return
                elif verb in self.script:
                    if not self._say(client, verb):
                        return
                else:
                    client.sendall(b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n")

    def _body(self, client: socket.socket, lines: Any) -> bool:
        if self.script.get("body") == "drop":
            return False
        if "body" in self.script:
            client.sendall(self.script["body"].encode() + b"\r\n")
        body = b""
        for line in lines:
            if line == b".\r\n":
                self.bodies.append(body)
                return self._say(client, "dot")
            body += line
        return False

    def _say(self, client: socket.socket, moment: str) -> bool:
        said = self.script[moment]
        if said == "hang":
            self._stop.wait(20)
        if said in ("hang", "drop"):
            return False
        client.sendall(said.encode() + b"\r\n")
        return True


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    servers: list[ScriptedServer] = []

    def make(tls: ssl.SSLContext | None = None, **script: str) -> ScriptedServer:
        servers.append(ScriptedServer(script, tls))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def settings(port: int, **more: Any) -> SmtpSettings:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "security": Security.NONE,
        "sender": SENDER,
        "timeout_seconds": 0.5,
    }
    return SmtpSettings(**(values | {"port": port} | more))


def send(server: ScriptedServer, steps: Steps) -> Any:
    with SmtpSession(settings(server.port)) as session:
        return session.send(SENDER, "desk@bolt.example", PAYLOAD, steps)


def test_a_message_goes_out_dot_stuffed_and_whole(scripted: Callable[..., ScriptedServer]) -> None:
    server, steps = scripted(), Steps()
    assert send(server, steps) == Sent("end of data: 250 got it")
    assert server.bodies == [PAYLOAD.replace(b"\r\n.dot", b"\r\n..dot")]
    assert steps.committed == 1


@pytest.mark.parametrize(
    ("moment", "said", "outcome", "committed"),
    [
        ("MAIL", "451 later", Retry, 0),
        ("MAIL", "530 authentication required", Retry, 0),  # our settings, not this message
        ("RCPT", "450 greylisted", Retry, 0),
        ("RCPT", "421 shutting down", Retry, 0),
        ("RCPT", "550 no such user", Refused, 0),
        ("DATA", "451 later", Retry, 0),
        ("DATA", "554 no", Refused, 0),
        ("MAIL", "drop", Retry, 0),
        ("RCPT", "drop", Retry, 0),
        ("DATA", "drop", Retry, 0),
        ("DATA", "hang", Retry, 0),
        ("dot", "451 disk full", Retry, 1),
        ("dot", "421 shutting down", Retry, 1),
        ("dot", "552 too large", Refused, 1),
        ("dot", "drop", Uncertain, 1),
        ("dot", "hang", Uncertain, 1),
        ("dot", "nonsense", Uncertain, 1),
        ("dot", "354 go on", Uncertain, 1),
    ],
)
def test_every_answer_has_its_meaning(
    scripted: Callable[..., ScriptedServer], moment: str, said: str, outcome: type, committed: int
) -> None:
    server, steps = scripted(**{moment: said}), Steps()
    assert isinstance(send(server, steps), outcome)
    assert steps.committed == committed


@pytest.mark.parametrize("body", ["drop", "552 stop sending"])
def test_a_server_that_breaks_off_before_the_end_is_noticed_before_committing(
    scripted: Callable[..., ScriptedServer], body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, steps = scripted(body=body), Steps()
    look = SmtpSession._has_spoken

    def wait_then_look(session: SmtpSession, smtp: Any) -> bool:
        time.sleep(0.2)  # let the server's word arrive: what is tested is that it is heard
        return look(session, smtp)

    monkeypatch.setattr(SmtpSession, "_has_spoken", wait_then_look)
    assert isinstance(send(server, steps), Retry)
    assert steps.committed == 0


def test_a_server_that_says_no_and_hangs_up_is_quoted(scripted: Callable[..., ScriptedServer]) -> None:
    server = scripted(RCPT="421 come back tomorrow", RSET="drop")
    assert send(server, Steps()) == Retry("RCPT TO: 421 come back tomorrow")


def test_when_committing_fails_the_dot_is_not_sent(scripted: Callable[..., ScriptedServer]) -> None:
    server = scripted()

    def fail() -> None:
        raise RuntimeError("the database is gone")

    with SmtpSession(settings(server.port)) as session, pytest.raises(RuntimeError):
        session.send(SENDER, "desk@bolt.example", PAYLOAD, fail)
    time.sleep(0.1)
    assert server.bodies == []


def test_one_connection_serves_many_messages_up_to_its_limit(scripted: Callable[..., ScriptedServer]) -> None:
    server, steps = scripted(), Steps()
    with SmtpSession(settings(server.port, messages_per_connection_max=3)) as session:
        for _ in range(7):
            assert isinstance(session.send(SENDER, "desk@bolt.example", PAYLOAD, steps), Sent)
    assert server.connections == 3


def test_a_message_refused_does_not_spoil_the_next(scripted: Callable[..., ScriptedServer]) -> None:
    server, steps = scripted(RCPT="550 no"), Steps()
    with SmtpSession(settings(server.port)) as session:
        assert isinstance(session.send(SENDER, "a@bolt.example", PAYLOAD, steps), Refused)
        server.script["RCPT"] = "250 ok"
        assert isinstance(session.send(SENDER, "b@bolt.example", PAYLOAD, steps), Sent)
    assert server.connections == 1


def test_a_connection_the_server_closed_is_replaced(scripted: Callable[..., ScriptedServer]) -> None:
    server, steps = scripted(dot="drop"), Steps()
    with SmtpSession(settings(server.port)) as session:
        assert isinstance(session.send(SENDER, "a@bolt.example", PAYLOAD, steps), Uncertain)
        server.script["dot"] = "250 ok"
        assert isinstance(session.send(SENDER, "b@bolt.example", PAYLOAD, steps), Sent)
    assert server.connections == 2


@pytest.mark.parametrize("greeting", ["drop", "hang", "554 go away"])
def test_a_server_that_does_not_greet_is_down(scripted: Callable[..., ScriptedServer], greeting: str) -> None:
    with pytest.raises(TransportError, match=r"127\.0\.0\.1"):
        send(scripted(greeting=greeting), Steps())


def test_no_server_at_all_is_down() -> None:
    with pytest.raises(TransportError, match="SMTP server"):
        SmtpSession(settings(_free_port())).connect()


# From here on: a real server, with TLS and logins.


class Sink:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.secured: list[bool] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        self.secured.append(session.ssl is not None)
        return "250 kept"


def _certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    unsigned = x509.CertificateBuilder(
        issuer_name=subject, subject_name=subject, public_key=key.public_key(),
        serial_number=x509.random_serial_number(), not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    ).add_extension(alternative, critical=False)  # fmt: skip
    certificate = unsigned.sign(key, hashes.SHA256())
    path = folder / f"{name}.pem"
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(pem, pkcs8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(pem) + secret)
    return path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _certificate(tmp_path_factory.mktemp("tls"), "mail")


@pytest.fixture
def sink(certificate: Path) -> Iterator[Callable[..., tuple[Sink, int]]]:
    running: list[Controller] = []

    def start(*, starttls: bool = False, login: bool = False) -> tuple[Sink, int]:
        def authenticate(*args: Any) -> AuthResult:
            given = args[-1]
            assert isinstance(given, LoginPassword)
            return AuthResult(success=given == LoginPassword(b"hub", b"right"), handled=False)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        kept, port = Sink(), _free_port()
        more: dict[str, Any] = {"tls_context": context, "require_starttls": True} if starttls else {}
        if login:
            more |= {"authenticator": authenticate, "auth_required": True}
        controller = Controller(kept, hostname="127.0.0.1", port=port, **more)
        controller.start()
        running.append(controller)
        return kept, port

    yield start
    for controller in running:
        controller.stop()


def test_a_real_server_gets_exactly_the_message_composed(sink: Callable[..., tuple[Sink, int]]) -> None:
    kept, port = sink()
    context = OrderCancelled.example()
    notice = Notice(template=context.TEMPLATE, context=context, to="desk@bolt.example", dedupe_key="event:1")
    message = compose(notice, sender=SENDER, message_id=message_id("event:1", SENDER), at=context.at)
    with SmtpSession(settings(port)) as session:
        assert isinstance(session.send(message.sender, message.recipient, message.payload, Steps()), Sent)
    assert kept.envelopes[0].original_content == message.payload
    assert kept.envelopes[0].rcpt_tos == ["desk@bolt.example"]
    assert kept.envelopes[0].mail_from == "edi@hub.example"


def _starttls(port: int, certificate: Path, password: str) -> SmtpSettings:
    more = {"username": "hub", "password": password, "timeout_seconds": 5}
    return settings(port, security=Security.STARTTLS, ca_file=str(certificate), **more)


def test_starttls_protects_login_and_message(
    sink: Callable[..., tuple[Sink, int]], certificate: Path
) -> None:
    kept, port = sink(starttls=True, login=True)
    safe = _starttls(port, certificate, "right")
    with SmtpSession(safe) as session:
        assert isinstance(session.send(SENDER, "desk@bolt.example", PAYLOAD, Steps()), Sent)
    assert kept.secured == [True]


def test_a_wrong_password_is_ours_to_mend(sink: Callable[..., tuple[Sink, int]], certificate: Path) -> None:
    _, port = sink(starttls=True, login=True)
    wrong = _starttls(port, certificate, "wrong")
    with pytest.raises(OperatorError, match="535") as raised:
        SmtpSession(wrong).connect()
    assert "wrong" not in str(raised.value)


def test_without_starttls_nothing_is_sent_in_clear(scripted: Callable[..., ScriptedServer]) -> None:
    server = scripted()
    with (
        SmtpSession(settings(server.port, security=Security.STARTTLS)) as session,
        pytest.raises(OperatorError, match="STARTTLS"),
    ):
        session.send(SENDER, "desk@bolt.example", PAYLOAD, Steps())
    assert "MAIL" not in server.seen


def test_a_certificate_nobody_vouches_for_is_not_accepted(sink: Callable[..., tuple[Sink, int]]) -> None:
    kept, port = sink(starttls=True)
    with pytest.raises(OperatorError, match="certificate verify failed"):
        SmtpSession(settings(port, security=Security.STARTTLS, timeout_seconds=5)).connect()
    assert kept.envelopes == []


def test_tls_from_the_first_byte_does_not_speak_to_a_clear_server(
    scripted: Callable[..., ScriptedServer],
) -> None:
    server = scripted()
    with pytest.raises(OperatorError):
        SmtpSession(settings(server.port, security=Security.TLS)).connect()
    assert not {"MAIL", "EHLO"} & set(server.seen)


def test_tls_from_the_first_byte(scripted: Callable[..., ScriptedServer], certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server, steps = scripted(tls=context), Steps()
    safe = settings(server.port, security=Security.TLS, ca_file=str(certificate), timeout_seconds=5)
    with SmtpSession(safe) as session:
        for _ in range(3):
            assert isinstance(session.send(SENDER, "desk@bolt.example", PAYLOAD, steps), Sent)
        server.script["dot"] = "drop"
        assert isinstance(session.send(SENDER, "desk@bolt.example", PAYLOAD, steps), Uncertain)
    assert (len(server.bodies), server.connections, steps.committed) == (4, 1, 4)
