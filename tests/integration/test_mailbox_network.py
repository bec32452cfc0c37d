"""The SFTP mailbox on a bad network: silence, cuts, lost replies, servers that die; each ends in time."""

import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import paramiko
import pytest

from pipeline.clock import SystemClock
from pipeline.errors import CountermandError, TransportError
from pipeline.mailbox import SftpMailbox, sftp
from pipeline.ports import Folder, Mailbox, RemoteFile
from pipeline.receiving.receive import Inbox, Kept, Limits, receive_all
from pipeline.receiving.sightings import Sightings
from tests.contract.memory_shelf import MemoryShelf, OpenDoor
from tests.integration.sftp_server import (
    OpenSshServer,
    Proxy,
    free_port,
    make_key,
    nowhere,
    running_openssh,
    wait_for,
)

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


def test_a_refused_connection_and_an_unknown_host_pass() -> None:
    with SftpMailbox(nowhere(port=free_port())) as mailbox, pytest.raises(TransportError, match="refused"):
        mailbox.listing()
    unknown = nowhere(host="no-such-host.invalid")
    with SftpMailbox(unknown) as mailbox, pytest.raises(TransportError, match=r"no-such-host\.invalid"):
        mailbox.listing()


def test_a_server_that_never_says_anything_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = nowhere(port=listener.getsockname()[1], timeout_seconds=1)
        with SftpMailbox(settings) as mailbox:
            _gives_up_in_time(mailbox.listing, 1)


def test_a_server_that_speaks_another_language_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            link, _ = listener.accept()
            with link:
                link.sendall(b"220 mail.example ESMTP\r\n" * 200)
                link.recv(1000)

        thread = threading.Thread(target=greet)
        thread.start()
        settings = nowhere(port=listener.getsockname()[1], timeout_seconds=2)
        with SftpMailbox(settings) as mailbox, pytest.raises(TransportError):
            mailbox.listing()
        thread.join()


@pytest.mark.parametrize("moment", ["auth", "subsystem", "listing", "fetch", "move", "deliver"])
def test_silence_ends_the_session_in_time_and_the_next_call_opens_another(
    server: OpenSshServer, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    server.put("pickup", b"a.edi", b"x" * 500_000)
    with (
        Proxy(server.port) as proxy,
        SftpMailbox(server.settings(port=proxy.port, timeout_seconds=1)) as mailbox,
    ):
        places: dict[str, tuple[object, str]] = {
            "auth": (paramiko.Transport, "auth_publickey"),
            "subsystem": (paramiko.Channel, "invoke_subsystem"),
            "listing": (sftp, "read_folder"),
            "fetch": (sftp, "read"),
            "move": (sftp, "lstat"),
            "deliver": (sftp, "write"),
        }
        file = RemoteFile(name=b"a.edi", size=500_000, modified=None, regular=True)
        calls: dict[str, Callable[[], object]] = {
            "fetch": lambda: mailbox.fetch(file, file_bytes_max=BYTES_MAX),
            "move": lambda: mailbox.move(file, Folder.PROCESSED, "0badcafe"),
            "deliver": lambda: mailbox.deliver("1.997", b"x" * 3_000_000),
        }
        call = calls.get(moment, mailbox.listing)
        place, name = places[moment]
        plain = getattr(place, name)

        def silenced(*args: object, **kwargs: object) -> object:
            proxy.silent = True
            return plain(*args, **kwargs)

        monkeypatch.setattr(place, name, silenced)
        _gives_up_in_time(call, 1 if moment != "move" else 2)
        monkeypatch.undo()
        assert [file.name for file in mailbox.listing()] == [b"a.edi"]


def test_a_stuck_send_is_ended_by_the_watchdog(
    server: OpenSshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(channel: paramiko.Channel, _: bytes) -> None:
        # what paramiko does with a full socket nobody reads from: it retries until it is closed
        transport = channel.get_transport()
        while transport.is_active():
            time.sleep(0.02)
        raise EOFError

    with SftpMailbox(server.settings(timeout_seconds=1)) as mailbox:
        mailbox.listing()
        monkeypatch.setattr(paramiko.Channel, "sendall", stuck)
        _gives_up_in_time(mailbox.listing, 1)
        monkeypatch.undo()
        assert mailbox.listing() == ()


def test_a_server_that_drips_is_given_up(server: OpenSshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = iter(b"\0\0\x01\0" + b"x" * 256)

    def drip(_: paramiko.Channel, length: int) -> bytes:
        time.sleep(0.1)
        return bytes([next(packet)])

    with SftpMailbox(server.settings(timeout_seconds=1)) as mailbox:
        mailbox.listing()
        monkeypatch.setattr(paramiko.Channel, "recv", drip)
        _gives_up_in_time(mailbox.listing, 1)


@pytest.mark.parametrize("fault", ["cut", "kill"])
def test_a_session_that_breaks_is_replaced_by_the_next_call(server: OpenSshServer, fault: str) -> None:
    server.put("pickup", b"a.edi", b"ISA")
    with Proxy(server.port) as proxy, SftpMailbox(server.settings(port=proxy.port)) as mailbox:
        file = _look(mailbox)
        proxy.cut() if fault == "cut" else server.kill_sessions()
        with pytest.raises(TransportError):
            mailbox.fetch(file, file_bytes_max=BYTES_MAX)
        assert mailbox.fetch(file, file_bytes_max=BYTES_MAX) == b"ISA"


def test_a_server_killed_while_reading_harms_nothing(
    server: OpenSshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(8_000_000)
    server.put("pickup", b"a.edi", content)
    plain = sftp.read

    def read(handle: bytes, offset: int, length: int) -> sftp.Request:
        if offset == 5 * 1024 * 1024:
            server.kill_sessions()
        return plain(handle, offset, length)

    with SftpMailbox(server.settings()) as mailbox:
        file = _look(mailbox)
        monkeypatch.setattr(sftp, "read", read)
        with pytest.raises(TransportError):
            mailbox.fetch(file, file_bytes_max=BYTES_MAX)
        monkeypatch.undo()
        assert mailbox.fetch(file, file_bytes_max=BYTES_MAX) == content


def test_a_move_whose_reply_is_lost_counts_as_done(
    server: OpenSshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("processed", b"a.edi", b"another of the same name")
    server.put("pickup", b"a.edi", b"ISA")
    with (
        Proxy(server.port) as proxy,
        SftpMailbox(server.settings(port=proxy.port, timeout_seconds=1)) as mailbox,
    ):
        file = _look(mailbox)
        _swallow_after(monkeypatch, proxy, "rename")
        assert mailbox.move(file, Folder.PROCESSED, "0badcafe") == b"a.edi.0badcafe"
        assert proxy.connections == 2
    assert server.names("pickup") == []
    assert server.names("processed") == [b"a.edi", b"a.edi.0badcafe"]


@pytest.mark.parametrize("partner_takes_it", [False, True])
def test_a_delivery_whose_reply_is_lost_is_made_once(
    server: OpenSshServer, monkeypatch: pytest.MonkeyPatch, partner_takes_it: bool
) -> None:
    with (
        Proxy(server.port) as proxy,
        SftpMailbox(server.settings(port=proxy.port, timeout_seconds=1)) as mailbox,
    ):
        _swallow_after(monkeypatch, proxy, "rename")
        taker = threading.Thread(target=_take, args=(server.path("delivery", b"1.997"),))
        if partner_takes_it:
            taker.start()
        mailbox.deliver("1.997", b"content")
        if partner_takes_it:
            taker.join()
        assert proxy.connections == 2
    assert server.names("delivery") == ([] if partner_takes_it else [b"1.997"])


def test_of_many_deliveries_that_a_broken_connection_cut_each_is_made_once(
    server: OpenSshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [(f"{number}.997", b"content") for number in range(5)]
    with (
        Proxy(server.port) as proxy,
        SftpMailbox(server.settings(port=proxy.port, timeout_seconds=1)) as mailbox,
    ):
        _swallow_after(monkeypatch, proxy, "rename")
        outcomes = mailbox.deliver_many(files)
        assert proxy.connections == 2
        monkeypatch.undo()
        again = [file for file, outcome in zip(files, outcomes, strict=True) if outcome is not None]
        assert all(isinstance(outcome, TransportError) for outcome in outcomes if outcome is not None)
        assert mailbox.deliver_many(again) == [None for _ in again]
    assert server.names("delivery") == [name.encode() for name, _ in files]


def test_too_many_sessions_pass() -> None:
    with running_openssh("MaxSessions 0") as server, SftpMailbox(server.settings()) as mailbox:
        _raises(TransportError, "127", mailbox.listing)


def test_sessions_leave_no_threads_and_no_sockets(server: OpenSshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    other = make_key(tmp_path / "other")
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    for changes in ({}, {"key_file": tmp_path / "stranger"}, {"host_keys": (other,)}, {"pickup": "/no/such"}):
        for _ in range(3):
            with SftpMailbox(server.settings(**changes)) as mailbox:
                try:
                    mailbox.listing()
                except CountermandError:
                    assert changes
    assert set(threading.enumerate()) <= threads
    assert len(os.listdir("/proc/self/fd")) <= files


def test_one_partner_down_does_not_stop_the_next(server: OpenSshServer, tmp_path: Path) -> None:
    server.put("pickup", b"a.edi", b"ISA")

    class Shelf(MemoryShelf):
        def keep(self, partner_id: str, files: Sequence[tuple[bytes, bytes]]) -> list[Kept]:
            assert server.names("pickup") == [b"a.edi"], "kept before it is moved"
            return super().keep(partner_id, files)

    shelf = Shelf()
    with socket.create_server(("127.0.0.1", 0)) as blackhole:
        down = {
            "refused": nowhere(port=free_port()),
            "silent": nowhere(port=blackhole.getsockname()[1], timeout_seconds=0.5),
            "other-key": server.settings(host_keys=(make_key(tmp_path / "other"),)),
            "no-login": server.settings(username="no-such-user"),
            "no-folder": server.settings(pickup="/no/such/folder"),
            "well": server.settings(),
        }
        inboxes = [
            Inbox(partner_id=name, mailbox=SftpMailbox(settings), door=OpenDoor(), settle_seconds=0.2)
            for name, settings in down.items()
        ]
        limits = Limits(file_bytes_max=BYTES_MAX)
        (reports,) = receive_all(inboxes, shelf, Sightings(), SystemClock(), limits, wait=True)
    assert [report.partner_id for report in reports if report.failure] == list(down)[:-1]
    assert shelf.contents == [("well", b"a.edi", b"ISA")]
    assert [file.moved_to for file in reports[-1].taken] == [b"a.edi"]
    assert server.names("processed") == [b"a.edi"]


def _swallow_after(monkeypatch: pytest.MonkeyPatch, proxy: Proxy, request: str) -> None:
    """From this request on the server hears us and we do not hear it; a new connection is well."""
    plain = getattr(sftp, request)
    first = itertools.count()

    def swallowed(*args: bytes) -> sftp.Request:
        if next(first) == 0:
            proxy.swallow_replies = True
        return plain(*args)  # type: ignore[no-any-return]

    monkeypatch.setattr(sftp, request, swallowed)


def _raises(kind: type[CountermandError], says: str, call: Callable[[], object]) -> None:
    with pytest.raises(kind, match=says):
        call()


def _take(path: Path) -> None:
    wait_for(path.exists)
    path.unlink()


def _gives_up_in_time(call: Callable[[], object], seconds: float) -> None:
    started = time.monotonic()
    with pytest.raises(TransportError):
        call()
    assert time.monotonic() - started < seconds + 2
