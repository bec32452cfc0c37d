"""The tasks themselves, one after another in this process, on both databases: no queue decides for them."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.errors import MailboxPaused, OperatorError, TransportError
from pipeline.mail import SmtpSettings
from pipeline.poll import PollReport
from pipeline.settings import Security, load
from pipeline.telling.company_mail import choose
from pipeline.work.in_process import InProcess
from pipeline.work.tasks import Tasks
from storage import people, restoration
from storage.database import Database
from storage.digests import DIGEST_SECONDS
from storage.due import Due, Work
from storage.invariants import audit
from storage.models import table
from storage.states import MailPace, MailTopic, Status, UserRole
from tests.contract.folder_mailbox import FolderMailbox
from tests.crash.servers import MailLog, mail_server
from tests.crash.world import StoppedClock
from tests.integration.sftp_server import nowhere
from tests.unit.pipeline.ledger_files import cancellation, file_of, order, write_settings

_OUTBOX, _FILES = table("outbox"), table("received_file")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class OpenDoor:
    """A door that is open, until it is not."""

    def __init__(self) -> None:
        self.paused = False

    def check(self) -> None:
        if self.paused:
            raise MailboxPaused("not now")

    def entered(self) -> None: ...

    def failed(self, error: Exception) -> None: ...

    def served(self) -> None: ...

    def remind(self) -> bool:
        return False


class House:
    """Two partners' mailboxes as folders, a mail server, and the tasks over them."""

    def __init__(self, folder: Path, database: Database, mail_port: int) -> None:
        self.database, self.queue, self.door = database, InProcess(), OpenDoor()
        self.clock = StoppedClock(NOW)
        (folder / "key").touch()
        # Never connected to: these are folders. Nor may two partners have one.
        mailboxes = {
            partner: nowhere(key_file=folder / "key", host=f"{partner}.example")
            for partner in ("acme", "globex")
        }
        self.settings = load(write_settings(folder, mailboxes=mailboxes), {})
        self.mailboxes = {}
        for partner in ("acme", "globex"):
            for name in ("pickup", "processed", "rejected", "delivery"):
                (folder / partner / name).mkdir(parents=True)
            self.mailboxes[partner] = FolderMailbox(folder / partner)
        self.folder, self.reports = folder, list[PollReport]()
        database.before_commit = self.queue.put  # type: ignore[assignment]
        mail = SmtpSettings(
            host="127.0.0.1", port=mail_port, security=Security.NONE, sender="edi@hub.example"
        )
        self.tasks = Tasks(
            settings=self.settings, database=database, clock=self.clock, mail=lambda: mail,
            open_mailbox=lambda partner, _: self.mailboxes[partner], door=lambda _: self.door,
            rights=self.queue, queue=self.queue, report=self.reports.append,
        )  # fmt: skip

    def drop(self, partner: str, name: str, content: bytes) -> None:
        (self.folder / partner / "pickup" / name).write_bytes(content)

    def names(self, partner: str, folder: str) -> list[str]:
        return sorted(path.name for path in (self.folder / partner / folder).iterdir())

    def do_all(self, *, twice: bool = False) -> list[Work]:
        """Do what is due and what comes of it, each once or twice; what was done."""
        done = []
        while (what := self.queue.take()) is not None:
            done.append(what.work)
            for _ in range(1 + twice):
                self.tasks.do(what)
        return done

    def messages(self) -> list[tuple[str, str]]:
        with self.database.reading() as tx:
            assert audit(tx) == ()
            return [(row.kind, row.status) for row in tx.execute(select(_OUTBOX).order_by(_OUTBOX.c.id))]


@pytest.fixture
def log(tmp_path: Path) -> MailLog:
    return MailLog(tmp_path / "mail.log")


@pytest.fixture
def house(database: Database, tmp_path: Path, log: MailLog) -> Iterator[House]:
    (tmp_path / "house").mkdir()
    server = mail_server(log)
    try:
        yield House(tmp_path / "house", database, server.port)
    finally:
        server.close()


def order_and_cancellation(house: House) -> None:
    said = [order("PO-1", 5), cancellation("PO-1")]
    for number, document in enumerate(said, start=1):
        content = file_of("850", document, number=number, sender="acme", receiver="globex")
        house.drop("acme", f"{number}.edi", content)


@pytest.mark.parametrize("twice", [False, True])
def test_one_thing_makes_the_next_one_due(house: House, log: MailLog, twice: bool) -> None:
    order_and_cancellation(house)
    house.clock.sleep(1)
    house.tasks.poll_mailbox("acme")
    done = house.do_all(twice=twice)
    assert {Work.READ, Work.DELIVER, Work.MAIL} <= set(done)
    assert house.names("acme", "processed") == ["1.edi", "2.edi"]
    assert len(house.names("acme", "delivery")) == 2
    assert {status for _, status in house.messages()} == {"sent"}
    mails = [id for _, id in log.lines("accepted")]
    assert len(mails) == len(set(mails)) == sum(kind == "email" for kind, _ in house.messages())
    assert house.tasks.waiting().due == frozenset()


def test_what_cannot_be_used_is_rejected_once(house: House) -> None:
    house.drop("acme", "letter.edi", b"Dear hub")
    house.tasks.poll_mailbox("acme")
    assert Work.REJECT in house.do_all(twice=True)
    assert (house.names("acme", "processed"), house.names("acme", "rejected")) == ([], ["letter.edi"])


def test_a_lost_job_is_not_a_lost_document(house: House) -> None:
    order_and_cancellation(house)
    house.tasks.poll_mailbox("acme")
    while house.queue.take() is not None:
        pass
    assert house.tasks.reconcile(frozenset({Due(Work.READ, "acme")})) == frozenset()
    assert house.tasks.reconcile(frozenset()) == {Due(Work.READ, "acme")}
    assert house.do_all()[0] is Work.READ
    assert {status for _, status in house.messages()} == {"sent"}


def test_a_digest_is_made_by_who_sends_mail_when_its_hour_is_over(house: House, log: MailLog) -> None:
    with house.database.writing() as tx:
        dora = people.add_user(tx, "dora@globex.example", UserRole.PARTNER, NOW, partner="globex")
        assert dora is not None
        choose(tx, house.settings, dora, {MailTopic.CANCELLATIONS: MailPace.HOURLY})
    order_and_cancellation(house)
    house.tasks.poll_mailbox("acme")
    house.do_all()
    assert house.tasks.waiting().due == frozenset()
    house.clock.sleep(DIGEST_SECONDS)
    assert house.tasks.waiting().since == house.clock.time
    assert house.tasks.reconcile(frozenset()) == {Due(Work.MAIL)}
    house.do_all(twice=True)
    assert [to for to, _ in log.lines("accepted")] == ["desk@globex.example", "dora@globex.example"]
    assert house.tasks.waiting().due == frozenset()
    assert {status for _, status in house.messages()} == {"sent"}


def test_who_finds_another_at_it_leaves_it(house: House) -> None:
    order_and_cancellation(house)
    with house.queue.alone("mailbox acme"):
        house.tasks.poll_mailbox("acme")
    assert house.mailboxes["acme"].calls == []
    house.tasks.poll_mailbox("acme")
    with house.queue.alone("files of acme"):
        house.tasks.read_files("acme")
    assert house.tasks.waiting().files == 2
    threads = [threading.Thread(target=house.tasks.read_files, args=("acme",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert house.tasks.waiting().files == 0


def test_a_mailbox_that_is_left_alone_counts_no_attempt(house: House) -> None:
    order_and_cancellation(house)
    house.tasks.poll_mailbox("acme")
    house.tasks.read_files("acme")
    house.door.paused = True
    house.do_all()
    with house.database.reading() as tx:
        uploads = select(_OUTBOX.c.status, _OUTBOX.c.attempts).where(_OUTBOX.c.kind == "acknowledgment")
        assert {tuple(row) for row in tx.execute(uploads)} == {(Status.NEW.value, 0)}
    house.door.paused = False
    assert house.tasks.reconcile(frozenset()) == {Due(Work.DELIVER, "acme")}
    house.do_all()
    assert len(house.names("acme", "delivery")) == 2


def test_a_mailbox_that_fails_is_told_of_and_nobody_elses_work_waits(house: House) -> None:
    order_and_cancellation(house)
    house.mailboxes["globex"].failure = TransportError("globex is down")
    house.tasks.poll_mailbox("globex")
    house.tasks.poll_mailbox("acme")
    house.do_all()
    assert [str(error) for report in house.reports for _, error in report.problems] == ["globex is down"]
    assert len(house.names("acme", "delivery")) == 2


def test_nothing_is_done_while_a_backup_is_made_good(house: House) -> None:
    order_and_cancellation(house)
    with house.database.writing() as tx:
        restoration.begin(tx, NOW, counters=(), numbers_skipped=10)
    everything = [Due(Work.POLL, "acme"), Due(Work.READ, "acme"), Due(Work.DELIVER, "acme"), Due(Work.MAIL)]
    for what in everything:
        with pytest.raises(OperatorError, match="countermand restored"):
            house.tasks.do(what)
    with pytest.raises(OperatorError, match="countermand restored"):
        house.tasks.expire()
    assert house.names("acme", "pickup") == ["1.edi", "2.edi"]


def test_partners_these_settings_do_not_have_are_left_to_other_workers(house: House) -> None:
    for work in (Work.POLL, Work.READ, Work.DELIVER, Work.REJECT):
        house.tasks.do(Due(work, "stranger", 1))
    without = replace(
        house.tasks, settings=replace(house.settings, directory=type(house.settings.directory)(()))
    )
    order_and_cancellation(house)
    house.tasks.poll_mailbox("acme")
    assert without.reconcile(frozenset()) == frozenset()
    assert "does not have this partner" in str(house.reports[-1].problems)
