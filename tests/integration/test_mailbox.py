"""The SFTP mailbox against real servers and a bad network: keys, rights, silence, cuts, lost replies."""

import inspect
import os
import pkgutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import paramiko
import pytest

from pipeline.demo.sftp_server import DemoSftpServer, DemoUser
from pipeline.errors import (
    CountermandError,
    FileChanged,
    FileUnreadable,
    HostKeyMismatch,
    LoginRefused,
    OperatorError,
    TransportError,
)
from pipeline.mailbox import SftpMailbox, sftp
from pipeline.mailbox.login import WEAK_ALGORITHMS, fingerprint, foreign_errors, private_key, translate
from pipeline.partners import MailboxSettings
from pipeline.ports import Folder, Mailbox, RemoteFile
from pipeline.settings_reader import Secret
from tests.integration.sftp_server import OpenSshServer, make_key, nowhere, running_openssh, wait_for

BYTES_MAX = 16 * 1024 * 1024


@pytest.fixture(scope="module")
def _running() -> Iterator[OpenSshServer]:
    with running_openssh() as server:
        yield server


@pytest.fixture
def server(_running: OpenSshServer) -> Iterator[OpenSshServer]:
    """The module's server with empty folders."""
    yield _running
    for folder in ("pickup", "processed", "rejected", "delivery"):
        place = _running.path(folder)
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
        _running.own(place)
        for name in _running.names(folder):
            _running.path(folder, name).unlink()


def _look(mailbox: Mailbox, name: bytes = b"a.edi") -> RemoteFile:
    return next(file for file in mailbox.listing() if file.name == name)


# --- who is there, and who we are -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_pinned_host_key_of_every_type_and_our_key_let_us_in(kind: str) -> None:
    with running_openssh(host_key_kind=kind) as server, SftpMailbox(server.settings()) as mailbox:
        assert mailbox.listing() == ()


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_our_key_may_be_of_every_type(server: OpenSshServer, tmp_path: Path, kind: str) -> None:
    public = make_key(tmp_path / "key", kind)
    authorized = server.root / "authorized_keys"
    before = authorized.read_text()
    authorized.write_text(before + public + "\n")
    try:
        with SftpMailbox(server.settings(key_file=tmp_path / "key")) as mailbox:
            assert mailbox.listing() == ()
    finally:
        authorized.write_text(before)


def test_every_ecdsa_key_is_read(tmp_path: Path) -> None:
    for number in range(8):  # paramiko alone fails on each with a chance of one half
        path = tmp_path / str(number)
        public = make_key(path, "ecdsa")
        key = private_key(nowhere(key_file=path))
        assert key is not None
        assert f"{key.get_name()} {key.get_base64()}" == public


def test_a_changed_host_key_is_refused_before_any_credential_leaves(
    server: OpenSshServer, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other")
    log = server.root / "sshd.log"
    start = len(log.read_text())
    with (
        SftpMailbox(server.settings(host_keys=(other,))) as mailbox,
        pytest.raises(HostKeyMismatch) as caught,
    ):
        mailbox.listing()
    for expected in (f"127.0.0.1:{server.port}", _fingerprint(other), _fingerprint(server.host_key)):
        assert expected in str(caught.value)
    wait_for(
        lambda: (
            "Connection closed" in log.read_text()[start:] or "Connection reset" in log.read_text()[start:]
        )
    )
    said = log.read_text()[start:]
    assert "authenticating user" not in said
    assert "Accepted" not in said


def test_no_password_reaches_a_server_with_another_key(tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    with DemoSftpServer({"hub": DemoUser(root=tmp_path, password="secret")}) as server:
        settings = _demo_settings(server, host_keys=(other,))
        with SftpMailbox(settings) as mailbox, pytest.raises(HostKeyMismatch):
            mailbox.listing()
        assert server.logins_tried == 0


def test_two_pinned_keys_allow_a_rotation(server: OpenSshServer, tmp_path: Path) -> None:
    old = make_key(tmp_path / "old", "rsa")
    with SftpMailbox(server.settings(host_keys=(old, server.host_key))) as mailbox:
        assert mailbox.listing() == ()


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ((), "no host key is pinned"),
        (("ssh-ed25519",), "no key"),
        (("ssh-ed25519 ????",), "no key"),
        (("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIHk=",), "no key"),
        (("AAAAC3NzaC1lZDI1NTE5AAAAIHk=",), "no key"),
    ],
)
def test_without_a_usable_pinned_key_nothing_is_connected(keys: tuple[str, ...], says: str) -> None:
    settings = nowhere(host_keys=keys)
    with SftpMailbox(settings) as mailbox, pytest.raises(OperatorError, match=says):
        mailbox.listing()


def test_a_password_lets_us_in_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "pickup").mkdir()
    with DemoSftpServer({"hub": DemoUser(root=tmp_path, password="secret")}) as server:
        with SftpMailbox(_demo_settings(server)) as mailbox:
            assert mailbox.listing() == ()
        wrong = _demo_settings(server, password=Secret("wrong"))
        with SftpMailbox(wrong) as mailbox, pytest.raises(OperatorError, match="refused our login") as caught:
            mailbox.listing()
        assert server.logins_tried == 2, "one attempt each: nobody is locked out by us"
        assert "wrong" not in str(caught.value) + repr(wrong)


def test_the_password_is_tried_when_the_key_is_not_known(server: OpenSshServer, tmp_path: Path) -> None:
    (tmp_path / "pickup").mkdir()
    with DemoSftpServer({"hub": DemoUser(root=tmp_path, password="secret")}) as demo:
        settings = _demo_settings(demo, key_file=server.root / "user_key")
        with SftpMailbox(settings) as mailbox:
            assert mailbox.listing() == ()


def test_a_key_nobody_knows_is_refused_with_advice(server: OpenSshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    settings = server.settings(key_file=tmp_path / "stranger")
    with (
        SftpMailbox(settings) as mailbox,
        pytest.raises(OperatorError, match=r"refused our login .* key_file"),
    ):
        mailbox.listing()


def test_key_files_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    make_key(tmp_path / "encrypted", passphrase="passphrase")
    make_key(tmp_path / "encrypted_rsa", "rsa", passphrase="passphrase")
    make_key(tmp_path / "open")
    (tmp_path / "open").chmod(0o640)
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name, says in {
        "encrypted": "is encrypted",
        "encrypted_rsa": "is encrypted",
        "open": "can be read by others (mode 0640); run: chmod 600",
        "text": "is no private key",
        "bytes": "is no private key",
        "missing": "does not exist",
        "": "cannot be read",
    }.items():
        with (
            SftpMailbox(nowhere(key_file=tmp_path / name)) as mailbox,
            pytest.raises(OperatorError) as caught,
        ):
            mailbox.listing()
        assert says in str(caught.value)
    with (
        SftpMailbox(nowhere(key_file=None)) as mailbox,
        pytest.raises(OperatorError, match="neither key_file"),
    ):
        mailbox.listing()


def test_a_server_with_nothing_but_weak_algorithms_is_refused(server: OpenSshServer) -> None:
    for option in ("Ciphers aes128-cbc,aes256-cbc,3des-cbc", "MACs hmac-sha1,hmac-md5"):
        # a GCM cipher brings its own MAC, so leave only CTR to speak about MACs
        options = [option] if option.startswith("Ciphers") else [option, "Ciphers aes128-ctr"]
        with running_openssh(*options) as weak, SftpMailbox(weak.settings()) as mailbox:
            _raises(OperatorError, "no common algorithms", mailbox.listing)


def test_no_weak_algorithm_is_offered() -> None:
    link, other_end = socket.socketpair()
    with link, other_end:
        transport = paramiko.Transport(link, disabled_algorithms=WEAK_ALGORITHMS)
        ciphers, macs = transport.preferred_ciphers, transport.preferred_macs
        kinds = (*transport.preferred_kex, *transport.preferred_keys, *transport.preferred_pubkeys)
    assert ciphers
    assert macs
    assert not [name for name in ciphers if "cbc" in name or "3des" in name or "arcfour" in name]
    assert not [name for name in macs if "md5" in name or "sha1" in name]
    assert not [name for name in kinds if "sha1" in name or name in ("ssh-rsa", "ssh-dss")]


# --- what lies in the folders ---------------------------------------------------------------------------


def test_a_socket_and_a_dangling_link_are_no_files(server: OpenSshServer) -> None:
    place = server.path("pickup")
    (place / "dangling").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "socket"))
        with SftpMailbox(server.settings()) as mailbox:
            assert [file.regular for file in mailbox.listing()] == [False, False]


def test_a_link_put_in_place_of_a_listed_file_is_not_read(server: OpenSshServer) -> None:
    path = server.put("pickup", b"a.edi", b"same size", modified=1_700_000_000)
    secret = server.put("rejected", b"secret", b"very same", modified=1_700_000_000)
    with SftpMailbox(server.settings()) as mailbox:
        file = _look(mailbox)
        path.unlink()
        path.symlink_to(secret)
        with pytest.raises(FileChanged):
            mailbox.fetch(file, file_bytes_max=BYTES_MAX)


@pytest.mark.parametrize("change", ["truncate", "grow", "rewrite", "replace", "remove"])
def test_a_file_that_changes_while_it_is_read_is_not_taken(
    server: OpenSshServer, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    size = 6 * 1024 * 1024
    path = server.put("pickup", b"a.edi", b"x" * size, modified=1_700_000_000)
    other = server.put("rejected", b"other", b"y" * size, modified=1_700_000_005)
    plain = sftp.read

    def read(handle: bytes, offset: int, length: int) -> sftp.Request:
        if offset == 5 * 1024 * 1024:
            if change == "truncate":
                os.truncate(path, 1000)
            elif change == "grow":
                os.truncate(path, size + 5000)
            elif change == "rewrite":
                with path.open("r+b") as file:
                    file.write(b"y" * 100)
            elif change == "replace":
                other.replace(path)
            else:
                path.unlink()
        return plain(handle, offset, length)

    with SftpMailbox(server.settings()) as mailbox:
        file = _look(mailbox)
        monkeypatch.setattr(sftp, "read", read)
        with pytest.raises(FileChanged):
            mailbox.fetch(file, file_bytes_max=BYTES_MAX)
        monkeypatch.undo()
        assert mailbox.listing() is not None, "the session is well"


def test_a_file_that_grows_faster_than_we_read_is_left(server: OpenSshServer) -> None:
    path = server.put("pickup", b"a.edi", b"x" * 100_000)
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab") as file:
            while not stop.is_set():
                file.write(b"x" * 100_000)
                file.flush()

    with SftpMailbox(server.settings()) as mailbox:
        file = _look(mailbox)
        writer = threading.Thread(target=grow)
        writer.start()
        try:
            started = time.monotonic()
            with pytest.raises(FileChanged):
                mailbox.fetch(file, file_bytes_max=BYTES_MAX)
            assert time.monotonic() - started < 5
        finally:
            stop.set()
            writer.join()


def test_an_unreadable_file_concerns_itself_only(server: OpenSshServer) -> None:
    server.put("pickup", b"a.edi", b"ISA").chmod(0)
    server.put("pickup", b"b.edi", b"ISA")
    with SftpMailbox(server.settings()) as mailbox:
        first, second = mailbox.fetch_many(mailbox.listing(), file_bytes_max=BYTES_MAX)
    assert isinstance(first, FileUnreadable)
    assert second == b"ISA"


def test_a_read_only_folder_is_an_operator_error_and_the_file_stays(server: OpenSshServer) -> None:
    server.put("pickup", b"a.edi", b"ISA")
    server.path("pickup").chmod(0o555)
    with SftpMailbox(server.settings()) as mailbox, pytest.raises(OperatorError, match="right to rename"):
        mailbox.move(_look(mailbox), Folder.PROCESSED, "0badcafe")
    assert server.names("pickup") == [b"a.edi"]


def test_folders_that_are_missing_or_closed_are_named(server: OpenSshServer) -> None:
    server.put("pickup", b"a.edi", b"ISA")
    nowhere = str(server.root / "no" / "such")
    with SftpMailbox(server.settings(pickup=nowhere)) as mailbox:
        _raises(OperatorError, "does not exist; check pickup", mailbox.listing)
    with SftpMailbox(server.settings(processed=nowhere, delivery=nowhere)) as mailbox:
        with pytest.raises(OperatorError, match="cannot be made"):
            mailbox.move(_look(mailbox), Folder.PROCESSED, "0badcafe")
        with pytest.raises(OperatorError, match="does not exist; check delivery"):
            mailbox.deliver("1.997", b"x")
    server.path("pickup").chmod(0)
    server.path("delivery").chmod(0o555)
    with SftpMailbox(server.settings()) as mailbox:
        with pytest.raises(OperatorError, match="closed to us; check pickup"):
            mailbox.listing()
        with pytest.raises(OperatorError, match="closed to us; check delivery"):
            mailbox.deliver("1.997", b"x")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: makes a file of another user")
def test_another_users_file_is_moved_where_hard_links_are_protected(server: OpenSshServer) -> None:
    path = server.put("pickup", b"a.edi", b"ISA")
    os.chown(path, 0, 0)
    with SftpMailbox(server.settings()) as mailbox:
        moved = mailbox.move(_look(mailbox), Folder.PROCESSED, "0badcafe")
    assert moved in (b"a.edi", b"a.edi.0badcafe"), "the second where /proc/sys/fs/protected_hardlinks is 1"
    assert server.names("pickup") == []
    assert server.names("processed") == [moved]


def test_a_file_replaced_in_the_instant_of_the_move_is_put_back(
    server: OpenSshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("pickup", b"a.edi", b"read")
    plain, calls = sftp.rename, 0

    def rename(source: bytes, target: bytes) -> sftp.Request:
        nonlocal calls
        calls += 1
        if calls == 1:
            server.put("pickup", b"a.edi", b"new and unread")
        return plain(source, target)

    with SftpMailbox(server.settings()) as mailbox:
        file = _look(mailbox)
        monkeypatch.setattr(sftp, "rename", rename)
        with pytest.raises(FileChanged):
            mailbox.move(file, Folder.PROCESSED, "0badcafe")
    assert server.read("pickup", b"a.edi") == b"new and unread"
    assert server.names("processed") == []


def test_a_stale_temporary_file_does_not_hinder_a_delivery(server: OpenSshServer) -> None:
    server.put("delivery", b".1.997.part", b"left behind by a crash, and longer than the content")
    with SftpMailbox(server.settings()) as mailbox:
        mailbox.deliver("1.997", b"content")
    assert server.names("delivery") == [b"1.997"]
    assert server.read("delivery", b"1.997") == b"content"


def test_a_full_disk_leaves_nothing_behind(server: OpenSshServer) -> None:
    with server.full_disk(64 * 1024), SftpMailbox(server.settings()) as mailbox:
        with pytest.raises(TransportError, match="disk or quota full"):
            mailbox.deliver("big.997", b"x" * 3_000_000)
        assert server.names("delivery") == []
        mailbox.deliver("small.997", b"x")
        assert server.names("delivery") == [b"small.997"]


def test_names_that_are_no_names_are_never_delivered(server: OpenSshServer) -> None:
    with SftpMailbox(server.settings()) as mailbox:
        for name in ("", "a/b", "../x", ".hidden", "nul\0"):
            with pytest.raises(ValueError, match="not a file name"):
                mailbox.deliver(name, b"x")


def test_folders_must_differ(server: OpenSshServer) -> None:
    with pytest.raises(OperatorError, match="other folders than pickup"):
        SftpMailbox(server.settings(processed=str(server.path("pickup")) + "/"))


# --- paramiko's exceptions stop here --------------------------------------------------------------------


def _paramiko_exceptions() -> list[type[Exception]]:
    found: set[type[Exception]] = set()
    for module in pkgutil.iter_modules(paramiko.__path__):
        if not module.name.startswith(("win_", "_win")):
            for _, kind in inspect.getmembers(import_module(f"paramiko.{module.name}"), inspect.isclass):
                if issubclass(kind, Exception) and kind.__module__.startswith("paramiko"):
                    found.add(kind)
    return sorted(found, key=lambda kind: kind.__name__)


FOREIGN = [*_paramiko_exceptions(), EOFError, OSError, TimeoutError, ConnectionResetError, socket.gaierror]
FOREIGN += [BrokenPipeError, ConnectionRefusedError, UnicodeError, ValueError, IndexError, KeyError]
OPERATORS = {"AuthenticationException", "BadAuthenticationType", "BadHostKeyException", "IncompatiblePeer"}
OPERATORS |= {"PasswordRequiredException", "PartialAuthentication", "UnableToAuthenticate", "AuthFailure"}


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_every_foreign_exception_becomes_ours(kind: type[Exception]) -> None:
    class Quiet(kind):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            Exception.__init__(self, "two\nlines")

        __str__ = Exception.__str__

    error = translate(Quiet(), "sftp.example:22")
    assert type(error) in (OperatorError, LoginRefused, HostKeyMismatch, TransportError)
    assert isinstance(error, OperatorError) == (kind.__name__ in OPERATORS)
    assert str(error).startswith("sftp.example:22: ")
    assert "\n" not in str(error)


def test_there_are_exceptions_to_be_translated_and_ours_pass_unchanged() -> None:
    assert len(_paramiko_exceptions()) >= 15
    ours = FileChanged("a.edi changed")
    with pytest.raises(FileChanged) as caught, foreign_errors("sftp.example:22"):
        raise ours
    assert caught.value is ours


@pytest.mark.parametrize(
    "text", ["Authentication timeout.", "Authentication failed: transport shut down or saw EOF"]
)
def test_an_outage_during_the_login_is_no_refusal(text: str) -> None:
    assert type(translate(paramiko.AuthenticationException(text), "h:22")) is TransportError


# --- small things ---------------------------------------------------------------------------------------


def _fingerprint(line: str) -> str:
    return fingerprint(paramiko.pkey.PublicBlob.from_string(line).key_blob)


def _demo_settings(server: DemoSftpServer, **changes: object) -> MailboxSettings:
    values = {"password": Secret("secret"), "port": server.port, "host_keys": (server.host_key,)}
    return nowhere(**(values | changes))


def _raises(kind: type[CountermandError], says: str, call: Callable[[], object]) -> None:
    with pytest.raises(kind, match=says):
        call()
