"""Doctor: each thing that can be wrong is found, and the line says what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import doctor
from pipeline.clock import SystemClock
from pipeline.errors import OperatorError
from pipeline.settings import Secret, load
from storage import mailboxes, receipts
from storage.mailboxes import MailboxState
from tests.operations.hub import Hub

pytestmark = [pytest.mark.needs("sshd"), pytest.mark.filterwarnings("ignore::ResourceWarning")]


def failures(hub: Hub) -> dict[str, str]:
    """What fails, and with which words."""
    return {one["what"]: one["detail"] for one in hub.json("doctor")["checks"] if not one["ok"]}


def test_all_is_well(hub: Hub) -> None:
    code, out, _ = hub.said("doctor")
    assert code == 0, out
    assert "FAIL" not in out
    for word in (
        "program",
        "settings",
        "database",
        "secrets",
        "mailbox acme",
        "folders acme",
        "mail",
        "waiting",
    ):
        assert f"ok   {word}: " in out
    assert ("ok   disk: " in out) == (hub.database.dialect == "sqlite")  # a server's disk is not ours to see


def test_what_is_wrong_is_named_with_what_to_do(hub: Hub) -> None:
    config = Path(hub.config)
    config.chmod(0o666)
    hub.globex.path("rejected").rename(hub.globex.path("away"))
    try:
        found = failures(hub)
    finally:
        hub.globex.path("away").rename(hub.globex.path("rejected"))
    assert "chmod go-w" in found["settings"]
    assert "does not exist; check" in found["folders globex"]
    assert set(found) == {"settings", "folders globex"}


def test_a_password_that_others_may_read_is_named(hub: Hub, tmp_path: Path) -> None:
    password, settings = tmp_path / "password", load(Path(hub.config), {})
    password.write_text("s3cret")
    password.chmod(0o640)
    settings = replace(settings, mail=replace(settings.mail, password=Secret(path=password)))
    with pytest.raises(OperatorError, match=f"others may read {password}; run: chmod 600 {password}"):
        doctor._secrets(settings)
    password.chmod(0o600)
    assert doctor._secrets(settings).startswith("1 passwords in files")


def test_a_delivery_folder_that_is_not_there_is_named(hub: Hub) -> None:
    hub.acme.path("delivery").rename(hub.acme.path("away"))
    try:
        found = failures(hub)
    finally:
        hub.acme.path("away").rename(hub.acme.path("delivery"))
    assert [*found] == ["folders acme"]
    assert "does not exist; check" in found["folders acme"]


@pytest.mark.parametrize("system", ["postgresql"], indirect=True)
def test_clocks_that_differ_are_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "this machine's and the database's agree" in hub.said("doctor")[1]
    plain = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda clock: plain(clock) + timedelta(seconds=40))
    assert "are 40 seconds apart; keep both in time" in failures(hub)["clock"]


def test_what_lies_too_long_is_told(hub: Hub) -> None:
    assert hub.run("poll") == 0
    old = datetime.now(UTC) - timedelta(hours=3)
    with hub.database.writing() as tx:
        file = receipts.keep(tx, partner="acme", mailbox="acme", name=b"x", content=b"x", at=old)
        for _ in range(receipts.ATTEMPTS_MAX):
            receipts.begin(tx, [file.id])
        receipts.record_failure(tx, file.id, error="again")
        mailboxes.set_state(tx, MailboxState(partner="acme", address="", served_at=old))
    found = failures(hub)
    assert "given up" in found["files"]
    assert "does cron run countermand poll, or a worker?" in found["poll acme"]


def test_a_file_system_that_is_not_local_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nhost:/x {tmp_path.as_posix()} nfs4 rw 0 0\n")
    assert doctor._kind_of_file_system(tmp_path / "deep", mounts) == "nfs4"
    assert doctor._kind_of_file_system(Path("/etc"), mounts) == "ext4"
    monkeypatch.setattr(doctor, "_kind_of_file_system", lambda *_: "fuse.sshfs")
    with pytest.raises(OperatorError, match="move the database to a local disk"):
        doctor._disk(tmp_path / "ledger.db")


def test_little_room_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ledger.db").touch()
    monkeypatch.setattr(doctor, "FREE_BYTES_MIN", 1 << 62)
    with pytest.raises(OperatorError, match="make room"):
        doctor._disk(tmp_path / "ledger.db")
