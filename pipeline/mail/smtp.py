"""A message goes out over SMTP, and what became of it is said exactly: sent, not yet, never, or unknown."""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

from pipeline.errors import OperatorError, TransportError
from pipeline.mail.message import presentable
from pipeline.settings import LOOPBACK, Security


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """The SMTP server notices leave by, its password looked up. `username` empty: no login."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str
    timeout_seconds: float = 30  # for the connection, and then for every single answer
    messages_per_connection_max: int = 100  # Postfix and Exchange Online both allow more
    ca_file: str = ""  # trusted beside nothing else when given: a private certificate authority

    def __post_init__(self) -> None:
        if self.username and self.security is Security.NONE and self.host not in LOOPBACK:
            raise ValueError("a password travels in clear only on loopback; use starttls or tls")


@dataclass(frozen=True, slots=True)
class Sent:
    """The server has taken the message."""

    reply: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The message did not go out, for a reason that may pass."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will never take this message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The final dot was sent and no answer came: the message may or may not have gone out."""

    reason: str


Transmission = Sent | Retry | Refused | Uncertain


class SmtpSession:
    """One connection after the other to the SMTP server, each for many messages, opened when first needed."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None
        self._sent = 0
        self.has_broken = False  # the server hung or broke off within a message

    def __enter__(self) -> "SmtpSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take leave of the server, if there is still a connection."""
        if self._smtp is not None:
            with suppress(OSError):
                self._smtp.quit()
        self._drop()

    def connect(self) -> None:
        """Be connected, secured and logged in, or raise TransportError or OperatorError."""
        self._connected()

    def send(
        self, sender: str, recipient: str, payload: bytes, committing: Callable[[], None]
    ) -> Transmission:
        """Send one message; `committing` is called when nothing is left to send but the final dot.

        Before that call every failure is harmless; after it, only the server's answer tells what happened.
        Raises what `connect` raises, before anything of this message was sent.
        """
        smtp = self._connected()
        try:
            early = self._envelope(smtp, sender, recipient)
            if early is not None:
                self._reset(smtp)
                return early
            smtp.send(dot_stuffed(payload))
            if self._has_spoken(smtp):
                raise smtplib.SMTPServerDisconnected("the server broke off before the end of the message")
        except OSError as error:  # all of smtplib's exceptions are OSErrors, too
            self._broke()
            return Retry(_why(error))
        except BaseException:
            self._drop()
            raise
        return self._commit(smtp, committing)

    def _commit(self, smtp: smtplib.SMTP, committing: Callable[[], None]) -> Transmission:
        try:
            committing()
            try:
                smtp.send(b".\r\n")
                code, said = smtp.getreply()
            except OSError as error:
                self._broke()
                return Uncertain(f"no answer to the final dot: {_why(error)}")
        except BaseException:
            self._drop()  # without the dot the server throws the message away
            raise
        self._sent += 1
        if code in (-1, 421):
            self._drop()
        if 200 <= code < 300:
            return Sent(_reply("end of data", code, said))
        return _refusal("end of data", code, said) or Uncertain(_reply("end of data", code, said))

    def _envelope(self, smtp: smtplib.SMTP, sender: str, recipient: str) -> Retry | Refused | None:
        """MAIL, RCPT and DATA; what the server said no with, if it did."""
        code, said = smtp.mail(sender)
        if code != 250:  # our address or our account, so our settings: they can be mended within the retries
            return Retry(_reply("MAIL FROM", code, said))
        code, said = smtp.rcpt(recipient)
        if code not in (250, 251):
            return _refusal("RCPT TO", code, said) or Retry(_reply("RCPT TO", code, said))
        code, said = smtp.docmd("DATA")
        if code != 354:
            return _refusal("DATA", code, said) or Retry(_reply("DATA", code, said))
        return None

    def _reset(self, smtp: smtplib.SMTP) -> None:
        """After a no: the same connection takes the next message, unless the server closed it (421)."""
        with suppress(OSError):
            if smtp.rset()[0] == 250:
                return
        self._drop()

    def _has_spoken(self, smtp: smtplib.SMTP) -> bool:
        """Whether the server closed the connection or answered before the message was complete."""
        sock = smtp.sock
        assert sock is not None
        sock.settimeout(0)
        try:
            sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            sock.settimeout(self._settings.timeout_seconds)
        return True

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None and self._sent < self._settings.messages_per_connection_max:
            with suppress(OSError):
                if self._smtp.noop()[0] == 250:
                    return self._smtp
        self.close()
        self._smtp = _connection(self._settings)
        return self._smtp

    def _broke(self) -> None:
        self.has_broken = True
        self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp, self._sent = None, 0


def dot_stuffed(payload: bytes) -> bytes:
    """The message as it goes over the wire, without the final dot (RFC 5321, 4.5.2)."""
    whole = payload if payload.endswith(b"\r\n") else payload + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", whole)


def _connection(settings: SmtpSettings) -> smtplib.SMTP:
    """A connection that is as safe as the settings ask; it is closed again when it cannot be."""
    place = f"SMTP server {settings.host}:{settings.port}"
    trust = ssl.create_default_context(cafile=settings.ca_file or None)
    smtp: smtplib.SMTP | None = None
    try:
        if settings.security is Security.TLS:
            smtp = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_seconds, context=trust
            )
        else:
            smtp = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)
        smtp.ehlo_or_helo_if_needed()
        if settings.security is Security.STARTTLS:
            smtp.starttls(context=trust)
        if settings.username:
            smtp.login(settings.username, settings.password)
    except OSError as error:
        if smtp is not None:
            smtp.close()
        ours = isinstance(
            error, ssl.SSLError | smtplib.SMTPAuthenticationError | smtplib.SMTPNotSupportedError
        )
        raise (OperatorError if ours else TransportError)(f"{place}: {_why(error)}") from error
    return smtp


def _refusal(step: str, code: int, said: bytes) -> Retry | Refused | None:
    reply = _reply(step, code, said)
    return Refused(reply) if 500 <= code < 600 else Retry(reply) if 400 <= code < 500 else None


def _reply(step: str, code: int, said: bytes) -> str:
    return presentable(f"{step}: {code} {said.decode('utf-8', 'replace')}")


def _why(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return _reply("answer", error.smtp_code, said if isinstance(said, bytes) else str(said).encode())
    return presentable(str(error)) or type(error).__name__
