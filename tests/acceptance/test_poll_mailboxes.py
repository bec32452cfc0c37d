"""`countermand poll` on mailboxes that are not as they should be, run after run as cron does it."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.cli import run
from pipeline.demo.smtp_sink import SmtpSink
from pipeline.mailbox import sftp
from storage.database import Database
from tests.integration.sftp_server import OpenSshServer, Proxy, free_port, running_openssh
from tests.unit.pipeline.ledger_files import file_of, order, write_settings

pytestmark = pytest.mark.needs("sshd")


@pytest.fixture(scope="module")
def _server() -> Iterator[OpenSshServer]:
    with running_openssh() as server:
        yield server


@dataclass(slots=True)
class Hub:
    """An installation whose partner acme has the mailbox, and what its runs say."""

    folder: Path
    server: OpenSshServer
    sink: SmtpSink
    capture: pytest.CaptureFixture[str]
    database: Database
    config: str = ""
    out: str = ""
    err: str = ""

    def configure(self, **changes: object) -> None:
        mailboxes = {"acme": self.server.settings(**changes)}
        self.config = str(write_settings(self.folder, mail_port=self.sink.port, mailboxes=mailboxes))

    def poll(self) -> int:
        """Another process, as far as memory goes; answers the exit code."""
        return self.run("poll")

    def run(self, *words: str) -> int:
        self.capture.readouterr()
        code = run([*words, "--config", self.config])
        self.out, self.err = self.capture.readouterr()
        return code

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        with self.database.writing() as tx:
            found = tx.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []

    def applied(self) -> list[str]:
        """What became of every transaction set that was ever read."""
        return [str(row[0]) for row in self.sql("SELECT outcome FROM transaction_set ORDER BY id")]

    def put(self, name: bytes, content: bytes) -> Path:
        return self.server.put("pickup", name, content)

    def put_back(self, table: str, column: str) -> None:
        """As if a time had been long ago."""
        self.sql(f"UPDATE {table} SET {column} = '2020-01-01 00:00:00.000000'")  # noqa: S608

    def no_pause(self) -> None:
        """As if the time had gone by."""
        self.sql("UPDATE mailbox SET resume_at = NULL")


@pytest.fixture
def hub(
    tmp_path: Path,
    _server: OpenSshServer,
    capfd: pytest.CaptureFixture[str],
    both_systems: None,
    database: Database,
) -> Iterator[Hub]:
    with SmtpSink(tmp_path / "mail") as sink:
        hub = Hub(tmp_path, _server, sink, capfd, database)
        hub.configure()
        yield hub
    for folder in ("pickup", "processed", "rejected", "delivery"):
        place = _server.path(folder)
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
        _server.own(place)
        for name in _server.names(folder):
            path = _server.path(folder, name)
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def an_order(number: int = 1, sender: str = "acme") -> bytes:
    return file_of("850", order(f"PO-{number}", 5), number=number, sender=sender, receiver="globex")


# --- files that are not finished ------------------------------------------------------------------------


def test_a_writer_that_stalls_is_waited_for_and_its_file_is_applied_once_whole(hub: Hub) -> None:
    whole = an_order()
    for length in (40, len(whole) // 2, len(whole) // 2, len(whole) - 3):
        hub.put(b"a.edi", whole[:length])
        assert (hub.poll(), hub.out, hub.err) == (0, "", "")
    assert hub.server.names("pickup") == [b"a.edi"]
    assert (hub.server.names("delivery"), hub.sink.messages) == ([], ()), "nobody was told anything"
    hub.run("doctor")
    assert "a.edi" in hub.out
    hub.put(b"a.edi", whole)
    assert hub.poll() == 0
    assert hub.applied() == ["applied"]
    (answer,) = hub.server.names("delivery")
    assert b"AK9*A*1*1*1~" in hub.server.read("delivery", answer)


def test_a_file_that_stays_broken_off_is_taken_when_the_time_is_up_and_gets_no_997(hub: Hub) -> None:
    hub.put(b"a.edi", an_order()[:-40])
    assert hub.poll() == 0
    hub.put_back("left_file", "since")
    assert hub.poll() == 1
    assert hub.applied() == []
    answers = [hub.server.read("delivery", name) for name in hub.server.names("delivery")]
    assert [(b"TA1*" in answer, b"ST*997*" in answer) for answer in answers] == [(True, False)]
    assert [message.recipients for message in hub.sink.messages] == [("support@hub.example",)]
    hub.put(b"a.edi", an_order())
    assert hub.poll() == 0
    assert hub.applied() == ["applied"], "the control number was not used up"


def test_an_empty_file_is_told_of_once_after_ten_minutes_and_never_answered(hub: Hub) -> None:
    hub.put(b"empty.edi", b"")
    assert [(hub.poll(), hub.out + hub.err) for _ in range(2)] == [(0, "")] * 2
    hub.put_back("left_file", "since")
    assert hub.poll() == 1
    assert hub.err == "acme: empty.edi is still empty, and its writer may be stuck; it was left alone\n"
    assert [(hub.poll(), hub.out + hub.err) for _ in range(2)] == [(0, "")] * 2
    (mail,) = hub.sink.messages
    assert b"empty.edi" in mail.content
    assert hub.server.names("pickup") == [b"empty.edi"]
    assert hub.server.names("delivery") == []
    assert hub.sql("SELECT name FROM received_file") == []


# --- names ----------------------------------------------------------------------------------------------

NAMES = [b"a b.edi", b"new\nline", b"tab\t", b"-rf", b"$(x)", b"`x`", b"%s%n", b"n" * 250, "\u00fc".encode()]
NAMES += [
    "u\u0308".encode(),
    "\u202excod".encode(),
    b"CON",
    b"=cmd|x",
    b"{{7*7}}",
    b"<b>x<b>",
    b"[red]x[red]",
]
NAMES += [b"bad\xff.edi", b"a'b\"c", b"\x1b[2J", b"*?", "\U0001f4a3".encode(), b"a\\b", b"x;rm -rf ~"]


def test_twenty_three_odd_names_are_taken_told_escaped_and_never_become_a_path(hub: Hub) -> None:
    for number, name in enumerate(NAMES):
        hub.put(name, an_order(number + 1))
    letters = [b"\x1b[31mletter", b"{{7*7}} letter", b"bad\xff\nBcc: v@x letter"]
    for name in letters:
        hub.put(name, b"Dear hub: " + name)
    before = {path.name for path in hub.folder.iterdir()}
    assert hub.poll() == 1
    assert hub.applied() == ["applied"] * len(NAMES)
    assert hub.server.names("pickup") == []
    assert hub.server.names("processed") == sorted(NAMES)
    assert hub.server.names("rejected") == sorted(letters)
    for said in (hub.out, hub.err):
        assert all(line.isprintable() for line in said.splitlines())
    assert len(hub.sink.messages) == 3
    for mail in hub.sink.messages:
        head, _, body = mail.content.partition(b"\r\n\r\n" if b"\r\n\r\n" in mail.content else b"\n\n")
        assert b"\nBcc:" not in head
        assert b"\x1b" not in body
        assert mail.recipients == ("support@hub.example",)
    made = {path.name for path in hub.folder.iterdir()} - before
    assert all(name.startswith("ledger.db") for name in made), made


# --- what came before -----------------------------------------------------------------------------------


def test_the_same_name_with_other_content_and_the_same_content_under_other_names(hub: Hub) -> None:
    hub.put(b"a.edi", an_order(1))
    assert hub.poll() == 0
    hub.put(b"a.edi", an_order(2))
    assert hub.poll() == 0
    assert hub.applied() == ["applied", "applied"]
    first, second = hub.server.names("processed")
    assert (first, second[:6]) == (b"a.edi", b"a.edi.")
    assert hub.server.read("processed", second) == an_order(2)
    answers = hub.server.names("delivery")
    hub.put(b"other name", an_order(1))
    hub.put(b"a.edi", an_order(1))
    assert hub.poll() == 0
    assert hub.applied() == ["applied", "applied"], "nothing happened twice"
    fates = [row[0] for row in hub.sql("SELECT outcome FROM interchange ORDER BY id")]
    assert fates == ["accepted", "accepted", "duplicate", "duplicate"]
    assert hub.server.names("delivery") == answers, "the same answer under the same name"
    assert len(hub.server.names("processed")) == 4


def test_a_partners_content_in_anothers_mailbox_is_set_aside(hub: Hub) -> None:
    hub.put(b"a.edi", an_order(1, sender="bolt"))
    assert hub.poll() == 1
    assert hub.applied() == []
    assert hub.sql("SELECT outcome FROM interchange") == [("quarantined",)]
    assert hub.server.names("rejected") == [b"a.edi"]
    assert hub.server.names("delivery") == []


# --- doors that stay closed -----------------------------------------------------------------------------


def test_a_revoked_key_is_tried_three_times_and_no_more_until_a_person_acts(hub: Hub) -> None:
    authorized = hub.server.root / "authorized_keys"
    keys, log = authorized.read_text(), hub.server.root / "sshd.log"
    hub.put(b"a.edi", an_order())
    start = len(log.read_text())
    authorized.write_text("")
    try:
        codes = []
        for _ in range(6):
            codes.append((hub.poll(), "refused our login" in hub.err))
            hub.no_pause()
        assert codes == [(2, True)] * 3 + [(2, False)] * 3
        assert (hub.out, hub.err) == ("", "")
        assert log.read_text()[start:].count("Failed publickey") == 3
        hub.put_back("mailbox", "told_at")
        assert hub.poll() == 2
        assert "refused 3 times and is not tried any more" in hub.err
    finally:
        authorized.write_text(keys)
    assert hub.poll() == 2
    assert hub.run("doctor") in (0, 2)
    assert hub.poll() == 0
    assert hub.applied() == ["applied"]


def test_a_mailbox_that_fails_is_paused_and_says_nothing_until_it_is_tried_again(hub: Hub) -> None:
    hub.configure(pickup=str(hub.server.root / "no" / "such"))
    assert hub.poll() == 2
    assert "does not exist" in hub.err
    assert (hub.poll(), hub.out, hub.err) == (2, "", "")
    hub.no_pause()
    assert hub.poll() == 2
    assert "does not exist" in hub.err
    hub.configure()
    assert (hub.poll(), hub.err) == (0, "")


@pytest.mark.parametrize("upload", [1, 2])
def test_an_answer_whose_rename_is_not_heard_of_is_there_once_under_its_one_name(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, upload: int
) -> None:
    """Of the two replies to the two renames of a round, the file's and its 997's, one is lost."""
    plain, renames = sftp.rename, 0

    def rename(source: bytes, target: bytes) -> sftp.Request:
        nonlocal renames
        renames += 1
        proxy.swallow_replies = renames == upload
        return plain(source, target)

    with Proxy(hub.server.port) as proxy:
        hub.configure(port=proxy.port, timeout_seconds=1)
        hub.put(b"a.edi", an_order())
        monkeypatch.setattr(sftp, "rename", rename)
        assert hub.poll() == 0
        assert hub.poll() == 0
    assert renames == 2
    assert hub.sql("SELECT status, attempts FROM outbox WHERE kind = 'acknowledgment'") == [("sent", 1)]
    assert hub.server.names("delivery") == [str(hub.sql("SELECT identity FROM outbox")[0][0]).encode()]
    assert hub.server.names("processed") == [b"a.edi"]
    assert hub.applied() == ["applied"]


def test_what_is_owed_to_a_mailbox_that_is_down_waits_and_nothing_is_said_of_it(hub: Hub) -> None:
    hub.put(b"a.edi", an_order())
    hub.server.path("delivery").chmod(0o555)
    assert hub.poll() == 2
    assert "closed to us; check delivery" in hub.err
    hub.server.path("delivery").chmod(0o755)
    hub.configure(port=free_port())
    hub.put_back("outbox", "due_at")
    assert hub.poll() == 2
    assert hub.err.count("\n") == 1
    assert "connection refused" in hub.err
    assert (hub.poll(), hub.out, hub.err) == (2, "", "")
    assert hub.sql("SELECT status, attempts FROM outbox") == [("new", 1)]
    hub.configure()
    assert hub.poll() == 0
    assert len(hub.server.names("delivery")) == 1


# --- rights and disks -----------------------------------------------------------------------------------


def test_a_folder_we_may_not_move_from_is_told_of_once_and_nothing_is_read_again(hub: Hub) -> None:
    path = hub.put(b"a.edi", an_order())
    hub.server.path("pickup").chmod(0o555)
    assert hub.poll() == 2
    assert "right to rename" in hub.err
    assert hub.applied() == ["applied"]
    read = path.stat().st_atime_ns
    for _ in range(3):
        assert (hub.poll(), hub.out, hub.err) == (0, "", "")
    assert hub.applied() == ["applied"]
    assert path.stat().st_atime_ns == read
    assert len(hub.server.names("delivery")) == 1
    hub.server.path("pickup").chmod(0o755)
    assert (hub.poll(), hub.err) == (0, "")
    assert hub.server.names("processed") == [b"a.edi"]
    assert hub.applied() == ["applied"]


@pytest.mark.parametrize(("mode", "says"), [(0o333, "closed to us"), (0o000, "closed to us"), (0o444, "")])
def test_a_folder_that_is_closed_to_us_is_an_operators_matter(hub: Hub, mode: int, says: str) -> None:
    hub.put(b"a.edi", an_order())
    hub.server.path("pickup").chmod(mode)
    assert hub.poll() == 2 if says else hub.poll() in (0, 1)
    assert says in hub.err
    assert hub.applied() == []
    hub.server.path("pickup").chmod(0o755)
    hub.no_pause()
    hub.poll()
    assert hub.applied() == ["applied"]


def test_a_missing_processed_folder_is_made_and_one_that_is_a_file_is_named(hub: Hub) -> None:
    hub.server.path("processed").rmdir()
    hub.put(b"a.edi", an_order(1))
    assert hub.poll() == 0
    assert hub.server.names("processed") == [b"a.edi"]
    hub.server.path("processed", b"a.edi").unlink()
    hub.server.path("processed").rmdir()
    hub.server.path("processed").write_text("in the way")
    hub.put(b"b.edi", an_order(2))
    assert hub.poll() == 2
    assert (hub.poll(), hub.err) == (0, "")
    hub.server.path("processed").unlink()
    assert hub.poll() == 0
    assert hub.applied() == ["applied", "applied"]
    assert hub.server.names("processed") == [b"b.edi"]


def test_a_processed_folder_on_another_disk_is_told_of_and_nothing_is_applied_again(hub: Hub) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        other = Path(folder)
        assert other.stat().st_dev != hub.server.path("pickup").stat().st_dev
        hub.server.own(other)
        hub.configure(processed=str(other))
        hub.put(b"a.edi", an_order())
        assert hub.poll() == 2
        assert "one file system" in hub.err
        assert (hub.poll(), hub.err) == (0, "")
        assert hub.applied() == ["applied"]
        assert hub.server.names("pickup") == [b"a.edi"]


def test_a_full_disk_of_the_partners_keeps_the_answer_here_and_nothing_partial_there(hub: Hub) -> None:
    hub.put(b"a.edi", an_order())
    with hub.server.full_disk(0):
        assert hub.poll() == 2
    assert "disk or quota full" in hub.err
    assert hub.server.names("delivery") == []
    hub.put_back("outbox", "due_at")
    assert hub.poll() == 0
    (answer,) = hub.server.names("delivery")
    assert hub.server.read("delivery", answer) == hub.sql("SELECT payload FROM outbox")[0][0]
    assert hub.applied() == ["applied"]


def test_doctor_says_how_a_mailbox_is_reached_and_what_was_left_in_it(hub: Hub) -> None:
    hub.put(b"a.edi", an_order()[:-40])
    os.mkfifo(hub.server.path("pickup", b"pipe\n"))
    assert hub.poll() == 1
    hub.run("doctor", "--json")
    checks = {check["what"]: check for check in json.loads(hub.out)["checks"]}
    assert checks["mailbox acme"]["ok"]
    for said in ("strict key exchange", "a.edi (incomplete", "pipe\\n (not_a_file"):
        assert said in checks["mailbox acme"]["detail"]
