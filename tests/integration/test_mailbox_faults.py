"""Faults of files and connections on a real OpenSSH server: writers at work, churn, resets, closed doors."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest

from pipeline.clock import SystemClock
from pipeline.errors import OperatorError, TransportError
from pipeline.mailbox import SftpMailbox, sftp
from pipeline.ports import Folder
from pipeline.receiving.receive import Inbox, Limits, ReceiveReport, receive_all
from pipeline.receiving.sightings import Sightings
from storage.states import Left
from tests.contract.memory_shelf import MemoryShelf, OpenDoor
from tests.integration.listener import Listener
from tests.integration.sftp_server import OpenSshServer, Proxy, nowhere, running_openssh, wait_for

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
        for name in _running.names(folder):
            _running.path(folder, name).unlink()


class Receiver:
    """Rounds over one mailbox by one process."""

    def __init__(self, server: OpenSshServer, settle_seconds: float = 0, **settings: object) -> None:
        self.settings = server.settings(**settings)
        self.settle_seconds = settle_seconds
        self.shelf = MemoryShelf()
        self.sightings = Sightings()

    def round(self) -> ReceiveReport:
        with SftpMailbox(self.settings) as mailbox:
            inbox = Inbox(
                partner_id="acme", mailbox=mailbox, door=OpenDoor(), settle_seconds=self.settle_seconds
            )
            bounds = Limits(file_bytes_max=BYTES_MAX)
            (reports,) = receive_all([inbox], self.shelf, self.sightings, SystemClock(), bounds, wait=False)
        return reports[0]

    def contents(self) -> list[bytes]:
        return [content for _, _, content in self.shelf.contents]


# --- writers --------------------------------------------------------------------------------------------


def test_a_file_that_is_being_uploaded_is_taken_once_and_whole(server: OpenSshServer) -> None:
    receiver = Receiver(server, settle_seconds=1)
    path = server.put("pickup", b"a.edi", b"")
    pieces = [b"%03d" % number * 100 for number in range(20)]

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        receiver.round()
    assert receiver.contents() == []
    wait_for(lambda: bool(receiver.round().taken))
    assert receiver.contents() == [b"".join(pieces)]


def test_files_that_are_renamed_and_taken_away_while_we_look_are_taken_once_each(
    server: OpenSshServer,
) -> None:
    receiver = Receiver(server)
    stop, written = threading.Event(), set()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            content = b"content %d" % number
            server.put("pickup", b".%d.tmp" % number, content)
            server.path("pickup", b".%d.tmp" % number).rename(server.path("pickup", b"a%d" % number))
            path = server.path("pickup", b"a%d" % number)
            try:
                if number % 3 == 0:
                    path.rename(server.path("pickup", b"b%d" % number))
                if number % 7 == 0:
                    server.path("pickup", b"a%d" % number).unlink()
                    continue
            except FileNotFoundError:
                pass  # we were quicker
            written.add(content)
            time.sleep(0.002)

    partner = threading.Thread(target=churn)
    partner.start()
    reports = []
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        reports.append(receiver.round())
    stop.set()
    partner.join()
    reports.append(receiver.round())
    reports.append(receiver.round())
    assert all(report.failure is None for report in reports)
    assert [problem for report in reports for problem in report.problems] == [], "it is no news"
    assert server.names("pickup") == []
    assert written <= set(receiver.contents())
    assert len(written) > 100
    names = [name for _, name, _ in receiver.shelf.contents]
    assert len(set(zip(names, receiver.contents(), strict=True))) == len(names), "each name once"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: makes a device")
def test_devices_are_left_alone_and_stop_nobody(server: OpenSshServer) -> None:
    os.mknod(server.path("pickup", b"tape.edi"), 0o020666, os.makedev(1, 5))  # /dev/zero, which never ends
    server.put("pickup", b"z.edi", b"content")
    receiver = Receiver(server)
    report = receiver.round()
    assert receiver.contents() == [b"content"]
    assert [(one.left.name_bytes, one.left.reason) for one in report.problems] == [
        (b"tape.edi", Left.NOT_A_FILE)
    ]


# --- connections ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["listing", "fetch", "move", "deliver"])
@pytest.mark.parametrize("fault", ["reset", "killed"])
def test_a_connection_that_is_reset_changes_nothing_and_the_next_call_does_it_all(
    server: OpenSshServer, monkeypatch: pytest.MonkeyPatch, moment: str, fault: str
) -> None:
    server.put("pickup", b"a.edi", b"x" * 3_000_000)
    requests = {"listing": "read_folder", "fetch": "read", "move": "rename", "deliver": "write"}
    with Proxy(server.port) as proxy, SftpMailbox(server.settings(port=proxy.port)) as mailbox:
        (file,) = mailbox.listing()
        calls: dict[str, Callable[[], object]] = {
            "listing": mailbox.listing,
            "fetch": lambda: mailbox.fetch(file, file_bytes_max=BYTES_MAX),
            "move": lambda: mailbox.move(file, Folder.PROCESSED, "0badcafe"),
            "deliver": lambda: mailbox.deliver("1.997", b"x" * 3_000_000),
        }
        plain, broken = getattr(sftp, requests[moment]), False

        def breaks(*args: bytes) -> sftp.Request:
            nonlocal broken
            if not broken:
                broken = True
                proxy.reset() if fault == "reset" else server.kill_sessions()
            return plain(*args)  # type: ignore[no-any-return]

        monkeypatch.setattr(sftp, requests[moment], breaks)
        if moment == "move":
            assert calls[moment]() == b"a.edi", "it looks, and tries once more"
        else:
            with pytest.raises(TransportError):
                calls[moment]()
            assert server.names("pickup") == [b"a.edi"]
            assert b"1.997" not in server.names("delivery")
            calls[moment]()
        assert broken
    assert server.names("processed") == ([b"a.edi"] if moment == "move" else [])
    assert server.names("delivery") == ([b"1.997"] if moment == "deliver" else [])


def test_a_full_house_of_connections_passes(tmp_path: Path) -> None:
    with running_openssh("MaxStartups 1:100:1") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as guest:
            guest.recv(100)  # it is there, and never logs in
            with SftpMailbox(server.settings()) as mailbox, pytest.raises(TransportError):
                mailbox.listing()
        deadline = time.monotonic() + 10
        while True:
            try:
                with SftpMailbox(server.settings()) as mailbox:
                    assert mailbox.listing() == ()
                return
            except TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)


def test_a_round_takes_one_session_whatever_it_does(server: OpenSshServer) -> None:
    for number in range(300):
        server.put("pickup", b"%d" % number, b"%d" % number)
    with Proxy(server.port) as proxy:
        receiver = Receiver(server, port=proxy.port)
        assert len(receiver.round().taken) == 300
        assert proxy.connections == 1


@pytest.mark.parametrize(
    ("options", "host_key_kind"),
    [
        (("HostKeyAlgorithms ssh-rsa",), "rsa"),
        (("KexAlgorithms diffie-hellman-group14-sha1",), "ed25519"),
        (("KexAlgorithms diffie-hellman-group1-sha1",), "ed25519"),
    ],
    ids=["signature", "key exchange", "old key exchange"],
)
def test_a_server_with_nothing_but_sha1_is_refused_and_the_partner_is_told_what_it_lacks(
    options: tuple[str, ...], host_key_kind: str
) -> None:
    with running_openssh(*options, host_key_kind=host_key_kind) as server:
        with (
            SftpMailbox(server.settings()) as mailbox,
            pytest.raises(OperatorError, match="no common algorithms") as caught,
        ):
            mailbox.listing()
        assert "SHA-2 signatures" in str(caught.value)
        assert "Accepted" not in (server.root / "sshd.log").read_text()


def test_whether_the_key_exchange_was_strict_is_known(server: OpenSshServer) -> None:
    with SftpMailbox(server.settings()) as mailbox:
        assert mailbox.is_strict()


def test_a_key_exchange_that_was_not_strict_is_known_too(tmp_path: Path) -> None:
    key = paramiko.ECDSAKey.generate()

    def serve(transport: paramiko.Transport) -> None:
        transport.advertise_strict_kex = False  # type: ignore[attr-defined]
        transport.add_server_key(key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer)
        transport.start_server(event=threading.Event(), server=_Anybody())

    listener = Listener(serve)
    listener.start()
    try:
        pinned = (f"{key.get_name()} {key.get_base64()}",)
        with SftpMailbox(nowhere(port=listener.port, host_keys=pinned)) as mailbox:
            assert not mailbox.is_strict()
    finally:
        listener.stop()


class _Anybody(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED
