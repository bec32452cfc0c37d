"""Faults 35, 36, 39: the database's disk is full or read-only, its file gone, damaged or an older one."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from storage.database import Database
from storage.database.mark import lock_of, read_mark
from storage.invariants import audit
from tests.integration.sftp_server import OpenSshServer
from tests.operations.hub import Hub, hub_on
from tests.small_disk import small_disk
from tests.unit.pipeline.ledger_files import file_of, order

# What commands leave open to the end of a process is closed by gc only.
pytestmark = [pytest.mark.needs("sshd"), pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk", "2m") as folder:
        yield folder


@pytest.fixture
def hub_on_disk(
    servers: tuple[OpenSshServer, OpenSshServer], disk: Path, tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Hub]:  # fmt: skip
    with hub_on(servers, tmp_path, capfd, url=f"sqlite:///{disk / 'ledger.db'}") as made:
        yield made


def drop(hub: Hub, number: int) -> bytes:
    """An order from acme, lying in its pickup folder."""
    said = order(f"PO-{number}", 9)
    content = file_of("850", said, number=number, sender="acme", receiver="globex")
    hub.acme.put("pickup", f"{number}.edi".encode(), content)
    return content


def sound(hub: Hub) -> bool:
    """Whether every law holds, looked at through a connection of our own."""
    database = Database(hub.url)
    try:
        with database.reading() as tx:
            return audit(tx) == () and tx.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    finally:
        database.close()


def polling(hub: Hub) -> list[str]:
    """`countermand poll` in a process of its own, which can be begun by something that hinders it."""
    return [sys.executable, "-m", "pipeline.cli", "poll", "--config", hub.config]


@pytest.mark.needs("mount")
def test_a_full_disk_takes_nothing_and_work_goes_on_afterwards(hub_on_disk: Hub, disk: Path) -> None:
    hub = hub_on_disk
    drop(hub, 1)
    assert hub.run("poll") == 0
    (disk / "filler").write_bytes(b"\0" * max(shutil.disk_usage(disk).free - 16384, 0))
    big = b"ISA" + b"x" * 600_000
    hub.acme.put("pickup", b"big.edi", big)
    drop(hub, 2)
    before = hub.acme.names("pickup")
    code, _, err = hub.said("poll")
    assert code == 2
    assert "the disk is full" in err
    assert "Traceback" not in err
    assert hub.acme.names("pickup") == before
    assert hub.acme.names("processed") == [b"1.edi"]
    (disk / "filler").unlink()
    assert sound(hub)
    hub.acme.path("pickup", b"big.edi").unlink()
    goes_on(hub)


@pytest.mark.needs("strace")
def test_a_write_that_finds_no_room_takes_nothing_and_work_goes_on_afterwards(file_hub: Hub) -> None:
    hub = file_hub
    drop(hub, 1)
    assert hub.run("poll") == 0
    drop(hub, 2)
    full = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "inject=pwrite64:error=ENOSPC"]
    ended = subprocess.run([*full, *polling(hub)], capture_output=True, text=True, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)
    assert "the disk is full" in ended.stderr
    assert (hub.acme.names("pickup"), hub.acme.names("processed")) == ([b"2.edi"], [b"1.edi"])
    goes_on(hub)


def goes_on(hub: Hub) -> None:
    """What lies in the pickup folder is taken, and the ledger holds."""
    assert hub.run("poll") == 0
    assert hub.acme.names("processed") == [b"1.edi", b"2.edi"]
    assert {one["po_number"] for one in hub.json("orders")["orders"]} == {"PO-1", "PO-2"}
    assert sound(hub)


@contextmanager
def read_only(disk: Path) -> Iterator[list[str]]:
    """A disk while it is mounted read-only, and what a process that meets it begins with."""
    remount = ["mount", "-o", "remount,{}", str(disk)]
    subprocess.run([word.format("ro") for word in remount], check=True)
    try:
        yield []
    finally:
        subprocess.run([word.format("rw") for word in remount], check=True)


@contextmanager
def without_rights(folder: Path) -> Iterator[list[str]]:
    """A folder while nobody may write there, not even root; but the lock may be taken, to come to SQLite."""
    files = [folder, *(path for path in folder.glob("ledger.db*") if path.suffix != ".lock")]
    modes = [path.stat().st_mode for path in files]
    for path, mode in zip(files, modes, strict=True):
        path.chmod(mode & 0o555)
    try:
        yield ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    finally:
        for path, mode in zip(files, modes, strict=True):
            path.chmod(mode)


@pytest.mark.needs("mount")
def test_a_read_only_disk_stops_taking_and_work_goes_on_afterwards(hub_on_disk: Hub, disk: Path) -> None:
    stops_taking(hub_on_disk, lambda: read_only(disk), "cannot be opened: Read-only file system")


@pytest.mark.needs("setpriv")
def test_a_folder_that_may_not_be_written_stops_taking_and_work_goes_on_afterwards(
    file_hub: Hub, tmp_path: Path
) -> None:
    stops_taking(file_hub, lambda: without_rights(tmp_path), "cannot be written")


def stops_taking(hub: Hub, while_shut: Callable[[], AbstractContextManager[list[str]]], says: str) -> None:
    """While its database cannot be written a poll takes nothing and says why, and then it goes on."""
    drop(hub, 1)
    # Processes of their own: what this one would keep open for writing forbids to make the disk read-only.
    subprocess.run(polling(hub), check=True, capture_output=True)
    drop(hub, 2)
    with while_shut() as hindered:
        ended = subprocess.run([*hindered, *polling(hub)], capture_output=True, text=True, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)
    assert says in ended.stderr
    assert hub.acme.names("pickup") == [b"2.edi"]
    goes_on(hub)


def test_a_database_that_is_gone_is_not_begun_anew(file_hub: Hub) -> None:
    hub = file_hub
    drop(hub, 1)
    assert hub.run("poll") == 0
    path = hub.database.path
    assert path is not None
    mark = read_mark(path)
    assert mark
    for ending in ("", "-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    drop(hub, 2)
    for command in (["poll"], ["deliver"], ["orders"], ["audit"], ["db", "upgrade"]):
        code, _, err = hub.said(*command)
        assert (code, "is gone" in err, "countermand restored" in err) == (2, True, True), command
        assert not path.exists()
    assert hub.acme.names("pickup") == [b"2.edi"]
    path.touch()
    assert hub.run("poll") == 2  # an empty file is no ledger either
    path.unlink()
    lock_of(path).unlink()
    code, _, err = hub.said("poll")  # told so in words, it begins anew, with number 1
    assert (code, "already holds" in err or "other content" in err) == (
        2,
        True,
    )  # the old answer 1 is not replaced
    assert {one["po_number"] for one in hub.json("orders")["orders"]} == {"PO-2"}


def test_a_damaged_database_is_said_to_be_and_nothing_is_taken(file_hub: Hub) -> None:
    hub = file_hub
    drop(hub, 1)
    assert hub.run("poll") == 0
    path = hub.database.path
    assert path is not None
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xff" * len(damaged[4096:])
    other = path.with_name("other")
    other.write_bytes(damaged)
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    other.replace(path)
    drop(hub, 2)
    code, _, err = hub.said("poll")
    assert (code, "damaged" in err, "Traceback" in err) == (2, True, False)
    assert hub.acme.names("pickup") == [b"2.edi"]


def test_an_older_copy_is_noticed_and_the_same_one_is_not(file_hub: Hub, tmp_path: Path) -> None:
    hub = file_hub
    drop(hub, 1)
    assert hub.run("poll") == 0
    path = hub.database.path
    assert path is not None
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    assert hub.run("poll") == 0
    drop(hub, 2)
    assert hub.run("poll") == 0
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    copy.replace(path)
    drop(hub, 3)
    code, _, err = hub.said("poll")
    assert (code, "older than it was" in err) == (2, True)
    assert hub.acme.names("pickup") == [b"3.edi"]
    assert len(hub.json("orders")["orders"]) == 1  # it may be looked at
