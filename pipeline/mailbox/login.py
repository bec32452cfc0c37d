"""Opens one authenticated SSH connection to a partner: pinned host key first, credentials after."""

import base64
import binascii
import hashlib
import io
import logging
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives import serialization
from paramiko.ssh_exception import IncompatiblePeer

from pipeline.errors import CountermandError, HostKeyMismatch, LoginRefused, OperatorError, TransportError
from pipeline.partners import MailboxSettings

# paramiko 5.1 still offers these. Everything with CBC, 3DES, MD5 or SHA-1 goes; a test watches new ones.
WEAK_ALGORITHMS = {
    "ciphers": ["aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"],
    "macs": ["hmac-sha1", "hmac-sha1-96", "hmac-md5", "hmac-md5-96"],
}
_RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")  # ssh-rsa names the key; with SHA-1 it is never used
_LOG = "pipeline.mailbox.ssh"


def _silence() -> None:
    # What paramiko logs as an error it also raises, and we say it in one line; its tracebacks would
    # make cron send mail.
    log = logging.getLogger(_LOG)
    log.addHandler(logging.NullHandler())
    log.setLevel(logging.CRITICAL + 1)


_silence()


def translate(error: BaseException, host: str) -> CountermandError:
    """Ours for any exception of paramiko, the socket or the interpreter met on the way to a host."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, CountermandError):
        return error
    if isinstance(error, IncompatiblePeer):
        return OperatorError(
            f"{host}: no common algorithms ({text}). The server offers only outdated ones; the partner"
            " has to enable SHA-2 signatures, CTR or GCM ciphers and SHA-2 MACs."
        )
    if isinstance(error, paramiko.BadHostKeyException):
        return HostKeyMismatch(f"{host}: {text}")
    if isinstance(error, paramiko.AuthenticationException) and not _is_outage(text):
        return LoginRefused(
            f"{host}: the server refused our login ({text}). Check username, key_file or password_env in"
            " [partner.mailbox], and with the partner that the account is open."
        )
    if isinstance(error, socket.gaierror):
        return TransportError(f"{host}: the host name cannot be resolved ({text}); check host and the DNS")
    if isinstance(error, ConnectionRefusedError):
        return TransportError(f"{host}: connection refused; is the partner's server down, or the port wrong?")
    if isinstance(error, TimeoutError):
        return TransportError(f"{host}: no answer in time; the connection was dropped")
    return TransportError(f"{host}: the connection failed ({text})")


def _is_outage(text: str) -> bool:
    # paramiko says these two with AuthenticationException though no credential was judged.
    return "timeout" in text or "transport shut down" in text


@contextmanager
def foreign_errors(host: str) -> Iterator[None]:
    """Lets only our own exceptions out.

    Catches all of them: paramiko hands on whatever its thread died of, and what a hostile server can
    make a parser raise there is no list. So only calls into paramiko belong into this block.
    """
    try:
        yield
    except Exception as error:
        raise translate(error, host) from error


def fingerprint(key: bytes) -> str:
    """A public key as ssh-keygen -l shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode("ascii").rstrip("=")


def pinned_keys(settings: MailboxSettings) -> dict[bytes, str]:
    """The pinned host keys and their types, or an error that says how to write them."""
    host = address(settings)
    if not settings.host_keys:
        raise OperatorError(
            f"{host}: no host key is pinned. Compare the output of"
            f" `ssh-keyscan -p {settings.port} {settings.host}` with the partner by telephone, then"
            " put it into host_keys in [partner.mailbox]."
        )
    keys = {}
    for line in settings.host_keys:
        kind, _, rest = line.strip().partition(" ")
        text = rest.split()[0] if rest.split() else ""
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        # The key names its own type: four bytes of length, then the name.
        if not kind or key[4 : 4 + len(kind)] != kind.encode("utf-8", "replace"):
            raise OperatorError(
                f'{host}: host_keys has the entry "{line[:40]}", which is no key; it must read like'
                ' "ssh-ed25519 AAAA..."'
            )
        keys[key] = kind
    return keys


def address(settings: MailboxSettings) -> str:
    """The host as errors name it."""
    return f"{settings.host}:{settings.port}"


def private_key(settings: MailboxSettings) -> paramiko.PKey | None:
    """Our key for this partner; the file must be ours alone to read, and not encrypted."""
    path = settings.key_file
    if path is None:
        return None
    host = address(settings)
    try:
        about = path.stat()
        text = path.read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise OperatorError(f"{host}: key_file {path} does not exist") from error
    except OSError as error:
        raise OperatorError(f"{host}: key_file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OperatorError(f"{host}: key_file {path} is no private key file") from error
    if os.name == "posix" and stat.S_IMODE(about.st_mode) & 0o077:
        raise OperatorError(
            f"{host}: key_file {path} can be read by others (mode {stat.S_IMODE(about.st_mode):04o});"
            f" run: chmod 600 {path}"
        )
    return _parse_key(text, path, host)


def _parse_key(text: str, path: Path, host: str) -> paramiko.PKey:
    for read in (paramiko.Ed25519Key.from_private_key, _ecdsa_key, paramiko.RSAKey.from_private_key):
        try:
            return read(io.StringIO(text))
        except paramiko.PasswordRequiredException as error:
            raise OperatorError(
                f"{host}: key_file {path} is encrypted and nobody is there to type its passphrase;"
                " give this partner a key of its own, without one"
            ) from error
        except Exception:  # each class raises its own assortment for the other classes' keys
            continue
    raise OperatorError(f"{host}: key_file {path} is no private key of type ed25519, ecdsa or rsa")


def _ecdsa_key(text: io.StringIO) -> paramiko.ECDSAKey:
    # paramiko cannot read every second ECDSA key without a comment in OpenSSH's format, which needs no
    # padding then and is searched for it (its issue 2445, open in 5.1). The older format it always reads.
    try:
        return paramiko.ECDSAKey.from_private_key(text)
    except paramiko.PasswordRequiredException:
        raise
    except paramiko.SSHException:
        key = serialization.load_ssh_private_key(text.getvalue().encode("ascii"), password=None)
        older = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        return paramiko.ECDSAKey.from_private_key(io.StringIO(older.decode("ascii")))


def connect(settings: MailboxSettings) -> paramiko.Transport:
    """A connection to the pinned server, logged in; whatever goes wrong, nothing is left open."""
    pinned, key, host = pinned_keys(settings), private_key(settings), address(settings)
    if key is None and settings.password is None:
        raise OperatorError(f"{host}: neither key_file nor password_env is set in [partner.mailbox]")
    with foreign_errors(host):
        link = socket.create_connection((settings.host, settings.port), timeout=settings.timeout_seconds)
    try:
        with foreign_errors(host):
            transport = _transport(link, settings, pinned.values())
    except BaseException:
        link.close()
        raise
    try:
        _negotiate(transport, settings)
        _check_host_key(transport, host, pinned)
        _log_in(transport, settings, key)
    except BaseException:
        disconnect(transport)
        raise
    return transport


def _transport(link: socket.socket, settings: MailboxSettings, kinds: Iterable[str]) -> paramiko.Transport:
    transport = paramiko.Transport(link, disabled_algorithms=WEAK_ALGORITHMS)
    transport.set_log_channel(_LOG)
    transport.daemon = True
    transport.banner_timeout = settings.timeout_seconds
    transport.handshake_timeout = settings.timeout_seconds
    transport.auth_timeout = settings.timeout_seconds
    transport.clear_to_send_timeout = settings.timeout_seconds
    # A server shows one of its keys: ask for a pinned type first, but take another, to be able to say
    # which key was seen when it is refused.
    options = transport.get_security_options()
    wanted = [name for kind in kinds for name in (_RSA_SIGNATURES if kind == "ssh-rsa" else (kind,))]
    known = list(options.key_types)
    options.key_types = [name for name in dict.fromkeys(wanted) if name in known] + [
        name for name in known if name not in wanted
    ]
    return transport


def _negotiate(transport: paramiko.Transport, settings: MailboxSettings) -> None:
    # start_client(timeout=...) returns in silence when the time is up, so the waiting is done here.
    done = threading.Event()
    with foreign_errors(address(settings)):
        transport.start_client(event=done)
        finished = done.wait(settings.timeout_seconds)
        if finished and transport.is_active():
            return
        if not finished:
            raise TimeoutError
        raise transport.get_exception() or paramiko.SSHException("negotiation failed")


def _check_host_key(transport: paramiko.Transport, host: str, pinned: dict[bytes, str]) -> None:
    with foreign_errors(host):
        seen = transport.get_remote_server_key()
        key, kind = seen.asbytes(), seen.get_name()
    if key not in pinned:
        expected = ", ".join(f"{fingerprint(key)} ({kind})" for key, kind in pinned.items())
        raise HostKeyMismatch(
            f"{host}: HOST KEY CHANGED. Expected {expected}, seen {fingerprint(key)} ({kind}). Nothing was"
            " sent. Ask the partner, by telephone, whether they changed it; only then correct host_keys."
        )


def _log_in(transport: paramiko.Transport, settings: MailboxSettings, key: paramiko.PKey | None) -> None:
    """One attempt with each credential that is set, so that an account is never locked out by us."""
    host = address(settings)
    attempts: list[Callable[[], list[str]]] = []
    if key is not None:
        attempts.append(lambda: transport.auth_publickey(settings.username, key))
    if settings.password is not None:
        password = settings.password.reveal()  # may be missing in its place: says so itself
        attempts.append(lambda: transport.auth_password(settings.username, password))
    still_wanted: list[str] = []
    for number, attempt in enumerate(attempts, start=1):
        try:
            with foreign_errors(host):
                still_wanted = attempt()
        except OperatorError:
            if number == len(attempts):
                raise
            continue
        if not still_wanted:
            return
    raise LoginRefused(
        f"{host}: the server accepts what we have and wants more ({', '.join(still_wanted)}) for user"
        f" {settings.username}; set both key_file and password_env, or ask the partner to want one"
    )


def disconnect(transport: paramiko.Transport) -> None:
    """Close the socket, whatever state it is in, and see paramiko's thread off."""
    transport.close()
    transport.sock.close()  # close() above does nothing for a transport that has already failed
    if transport.is_alive() and threading.current_thread() is not transport:
        transport.join(timeout=2)
