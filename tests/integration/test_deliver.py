"""What is owed leaves once, is tried again when that is harmless, and is never sent twice by itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from pipeline.deliver import GIVE_UP_HOURS, REST_SECONDS, RETRY_SECONDS, DeliveryReport, deliver
from pipeline.errors import CountermandError, NameTaken, OperatorError, TransportError
from pipeline.mail import SmtpSettings, compose, message_id
from pipeline.notices.contexts import Notice, OrderCancelled
from pipeline.ports import Mailbox
from pipeline.settings import Security
from storage import messages, outbox
from storage.database import Database
from storage.messages import NewMessage, OutboxMessage
from storage.states import Kind, Status
from tests.integration.test_smtp import ScriptedServer
from tests.unit.storage.build import rows

START = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SENDER = "Hub <edi@hub.example>"
OTHER_TRANSACTIONS = (
    "SELECT COUNT(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
)


@dataclass
class Clock:
    """Stands still until it is moved."""

    time: datetime = START

    def now(self) -> datetime:
        return self.time

    def monotonic_seconds(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class FolderMailbox:
    """A mailbox that keeps files in memory, or fails as told."""

    files: dict[str, bytes] = field(default_factory=dict)
    error: CountermandError | None = None
    closed: int = 0

    def deliver_many(self, files: Sequence[tuple[str, bytes]]) -> list[CountermandError | None]:
        if self.error is not None:
            raise self.error
        return [
            NameTaken(f"{name} holds other content")
            if self.files.setdefault(name, content) != content
            else None
            for name, content in files
        ]

    def close(self) -> None:
        self.closed += 1


class Scene:
    """One installation: a database, an SMTP server that follows a script, mailboxes, and a clock."""

    def __init__(self, url: str, server: ScriptedServer) -> None:
        self.database = Database(url)
        self.server = server
        self.clock = Clock()
        self.password_problem = ""
        self.mailboxes: dict[str, FolderMailbox] = {"acme": FolderMailbox(), "bolt": FolderMailbox()}
        self.smtp = SmtpSettings(
            host="127.0.0.1", port=server.port, security=Security.NONE, sender=SENDER, timeout_seconds=0.5
        )

    def owe_mail(self, number: int, to: str = "desk@bolt.example") -> int:
        context = OrderCancelled.example()
        key = f"test:{number}"
        notice = Notice(template=context.TEMPLATE, context=context, to=to, dedupe_key=key)
        message = compose(notice, sender=SENDER, message_id=message_id(key, SENDER), at=START)
        return self._owe(
            NewMessage(
                kind=Kind.EMAIL, partner="bolt", to=to, subject=message.subject, payload=message.payload,
                identity=message.message_id, dedupe_key=key,
            )
        )  # fmt: skip

    def owe_file(self, number: int, partner: str) -> int:
        name = f"997-{number}.edi"
        return self._owe(
            NewMessage(
                kind=Kind.ACKNOWLEDGMENT, partner=partner, to=partner, payload=b"ISA%d" % number,
                identity=name,
                dedupe_key=f"997:{partner}:{number}",
            )
        )  # fmt: skip

    def _owe(self, message: NewMessage) -> int:
        with self.database.writing() as tx:
            made = outbox.enqueue(tx, message, self.clock.now())
        assert made is not None
        return made

    def deliver(self, **more: Any) -> DeliveryReport:
        return deliver(self.database, self._server, self._mailbox, self.clock, **more)

    def _server(self) -> SmtpSettings:
        if self.password_problem:
            raise OperatorError(self.password_problem)
        return self.smtp

    def _mailbox(self, partner: str) -> Mailbox:
        if partner not in self.mailboxes:
            raise OperatorError(f"{partner} has no mailbox")
        return cast(Mailbox, self.mailboxes[partner])

    def message(self, id: int) -> OutboxMessage:
        with self.database.reading() as tx:
            found = messages.get(tx, id)
        assert found is not None
        return found

    def statuses(self, *ids: int) -> list[Status]:
        return [self.message(id).status for id in ids]


@pytest.fixture
def scene(database_url: str) -> Iterator[Callable[..., Scene]]:
    made: list[Scene] = []

    def make(**script: str) -> Scene:
        made.append(Scene(database_url, ScriptedServer(script)))
        return made[-1]

    yield make
    for one in made:
        one.server.close()
        one.database.close()


def test_what_is_due_goes_out_and_is_not_sent_again(scene: Callable[..., Scene]) -> None:
    hub = scene()
    mails = [hub.owe_mail(1), hub.owe_mail(2, "night@bolt.example")]
    files = [hub.owe_file(1, "acme"), hub.owe_file(2, "acme"), hub.owe_file(1, "bolt")]
    report = hub.deliver()
    assert len(report.attempts) == 5
    assert report.failures == ()
    assert hub.statuses(*mails, *files) == [Status.SENT] * 5
    assert len(hub.server.bodies) == 2
    assert hub.server.connections == 1
    assert hub.mailboxes["acme"].files == {"997-1.edi": b"ISA1", "997-2.edi": b"ISA2"}
    assert [box.closed for box in hub.mailboxes.values()] == [0, 0]  # the caller's, who may go on with them
    assert hub.deliver() == DeliveryReport()
    assert len(hub.server.bodies) == 2


@pytest.mark.parametrize(
    ("script", "status", "bodies"),
    [
        ({"RCPT": "450 greylisted"}, Status.NEW, 0),
        ({"RCPT": "550 no such user"}, Status.REFUSED, 0),
        ({"body": "drop"}, Status.NEW, 0),
        ({"dot": "451 disk full"}, Status.NEW, 1),
        ({"dot": "554 spam"}, Status.REFUSED, 1),
        ({"dot": "drop"}, Status.UNCERTAIN, 1),
        ({"dot": "hang"}, Status.UNCERTAIN, 1),
    ],
)
def test_what_the_server_makes_of_a_mail_is_written_down(
    scene: Callable[..., Scene],
    script: dict[str, str],
    status: Status,
    bodies: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if script.get("body"):  # whether the end of the connection is seen in time is for test_smtp
        monkeypatch.setattr("pipeline.mail.SmtpSession._has_spoken", lambda *_: True)
    hub = scene(**script)
    mail = hub.owe_mail(1)
    (attempt,) = hub.deliver().attempts
    assert (attempt.id, attempt.to, attempt.status) == (mail, "desk@bolt.example", status)
    assert hub.message(mail).status is status
    assert hub.message(mail).error == attempt.detail != ""
    assert len(hub.server.bodies) == bodies


def test_an_uncertain_mail_is_never_sent_again_by_itself(scene: Callable[..., Scene]) -> None:
    hub = scene(dot="drop")
    mail = hub.owe_mail(1)
    hub.deliver()
    hub.server.script["dot"] = "250 ok"
    hub.clock.sleep(GIVE_UP_HOURS * 3600)
    assert hub.deliver() == DeliveryReport()
    assert hub.message(mail).status is Status.UNCERTAIN


def test_a_mail_is_tried_again_with_the_same_bytes_at_growing_intervals_and_then_given_up(
    scene: Callable[..., Scene],
) -> None:
    hub = scene(dot="451 later")
    mail = hub.owe_mail(1)
    waits: list[float] = []
    while (message := hub.message(mail)).status is Status.NEW:
        waits.append((message.due_at - hub.clock.now()).total_seconds())
        hub.clock.time = message.due_at
        hub.deliver()
    assert waits[: len(RETRY_SECONDS) + 2] == [0, *RETRY_SECONDS, RETRY_SECONDS[-1]]
    assert timedelta(hours=GIVE_UP_HOURS) <= hub.clock.now() - START < timedelta(hours=GIVE_UP_HOURS + 4)
    assert hub.message(mail).status is Status.FAILED
    assert len(set(hub.server.bodies)) == 1
    assert len(hub.server.bodies) == len(waits)


def test_a_mail_that_lay_through_a_standstill_has_its_tries_all_the_same(
    scene: Callable[..., Scene],
) -> None:
    """A server that greylists, or restarts, says no to every first try."""
    hub = scene(RCPT="451 greylisted, come again")
    mail = hub.owe_mail(1)
    hub.clock.sleep(GIVE_UP_HOURS * 3600 + 1)  # nobody was at work
    for wait in RETRY_SECONDS:
        hub.deliver()
        assert hub.message(mail).status is Status.NEW
        hub.clock.sleep(wait)
    hub.deliver()
    assert (hub.message(mail).status, hub.message(mail).attempts) == (Status.FAILED, len(RETRY_SECONDS) + 1)


def test_a_mail_not_due_yet_waits(scene: Callable[..., Scene]) -> None:
    hub = scene(RCPT="450 greylisted")
    hub.owe_mail(1)
    hub.deliver()
    hub.server.script["RCPT"] = "250 ok"
    assert hub.deliver().attempts == ()
    hub.clock.sleep(RETRY_SECONDS[0])
    assert [attempt.status for attempt in hub.deliver().attempts] == [Status.SENT]


def test_a_server_that_is_down_is_asked_once_and_stops_no_upload(scene: Callable[..., Scene]) -> None:
    hub = scene(greeting="554 closed")
    mails = [hub.owe_mail(number) for number in (1, 2, 3)]
    file = hub.owe_file(1, "acme")
    report = hub.deliver()
    assert hub.server.connections == 1
    assert [attempt.status for attempt in report.failures] == [Status.NEW]
    assert [hub.message(mail).attempts for mail in mails] == [1, 0, 0]
    assert hub.message(file).status is Status.SENT


def test_a_password_that_is_missing_stops_mails_alone(scene: Callable[..., Scene]) -> None:
    hub = scene()
    mails = [hub.owe_mail(number) for number in (1, 2)]
    file = hub.owe_file(1, "acme")
    hub.password_problem = "mail.password_env names SMTP_PASSWORD, which is not set"
    report = hub.deliver()
    assert hub.statuses(*mails, file) == [Status.NEW, Status.NEW, Status.SENT]
    assert [(one.id, one.detail) for one in report.failures] == [(mails[0], hub.password_problem)]
    hub.password_problem = ""
    hub.clock.sleep(RETRY_SECONDS[0])
    hub.deliver()
    assert hub.statuses(*mails) == [Status.SENT, Status.SENT]


@pytest.mark.parametrize(
    ("script", "first"),
    [
        ({"dot": "hang"}, Status.UNCERTAIN),
        ({"dot": "drop"}, Status.UNCERTAIN),
        ({"RCPT": "hang"}, Status.NEW),
        ({"DATA": "drop"}, Status.NEW),
    ],
)
def test_a_server_that_hangs_or_breaks_off_ends_the_round_at_its_first_mail(
    scene: Callable[..., Scene], script: dict[str, str], first: Status
) -> None:
    """Else each mail would wait in vain, and each whose last byte went would be uncertain."""
    hub = scene(**script)
    mails = [hub.owe_mail(number) for number in (1, 2, 3)]
    assert [attempt.status for attempt in hub.deliver().attempts] == [first]
    assert hub.statuses(*mails) == [first, Status.NEW, Status.NEW]
    assert [hub.message(mail).attempts for mail in mails] == [1, 0, 0]


def test_after_an_uncertain_mail_the_others_rest_for_a_while(scene: Callable[..., Scene]) -> None:
    hub = scene(dot="hang")
    mails = [hub.owe_mail(number) for number in (1, 2)]
    hub.deliver()
    hub.server.script["dot"] = "250 ok"
    hub.clock.sleep(REST_SECONDS - 1)
    assert hub.deliver().attempts == ()
    hub.clock.sleep(1)
    assert len(hub.deliver().attempts) == 1
    assert hub.statuses(*mails) == [Status.UNCERTAIN, Status.SENT]


def test_a_server_that_takes_leave_after_each_mail_gets_the_next_one(scene: Callable[..., Scene]) -> None:
    hub = scene(dot="421 taken, and goodbye")
    mails = [hub.owe_mail(number) for number in (1, 2)]
    hub.deliver()
    assert [hub.message(mail).attempts for mail in mails] == [1, 1]


@pytest.mark.parametrize("error", [TransportError("no route"), OperatorError("key refused")])
def test_one_mailbox_down_stops_no_other_partner(
    scene: Callable[..., Scene], error: CountermandError
) -> None:
    hub = scene()
    hub.mailboxes["acme"].error = error
    files = [
        hub.owe_file(1, "acme"),
        hub.owe_file(2, "acme"),
        hub.owe_file(1, "none"),
        hub.owe_file(1, "bolt"),
    ]
    mail = hub.owe_mail(1)
    report = hub.deliver()
    assert hub.statuses(*files, mail) == [Status.NEW, Status.NEW, Status.NEW, Status.SENT, Status.SENT]
    assert [attempt.to for attempt in report.failures] == ["acme", "none"]
    hub.mailboxes["acme"].error = None
    hub.clock.sleep(RETRY_SECONDS[0])
    hub.deliver()
    assert hub.statuses(*files[:2]) == [Status.SENT, Status.SENT]


def test_a_name_taken_concerns_one_file_alone(scene: Callable[..., Scene]) -> None:
    hub = scene()
    hub.mailboxes["acme"].files["997-1.edi"] = b"something else"
    files = [hub.owe_file(1, "acme"), hub.owe_file(2, "acme")]
    hub.deliver()
    assert hub.statuses(*files) == [Status.REFUSED, Status.SENT]


class Killed(BaseException):
    """Stands for kill -9: nobody catches it."""


@pytest.mark.parametrize(
    ("moment", "status", "uncertain"),
    [("mark_committing", Status.SENT, 0), ("mark_sent", Status.UNCERTAIN, 1)],
)
def test_a_run_that_died_is_settled_by_the_next(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch, moment: str, status: Status, uncertain: int
) -> None:
    hub = scene()
    mail = hub.owe_mail(1)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbox, moment, die)
        with pytest.raises(Killed):
            hub.deliver()
    report = hub.deliver()
    assert len(report.uncertain) == uncertain
    assert hub.message(mail).status is status
    assert (
        len(hub.server.bodies) == 1
    )  # never twice: before the dot nothing went out, after it nothing goes again


def test_an_upload_that_died_before_it_was_marked_is_repeated_and_harmless(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = scene()
    file = hub.owe_file(1, "acme")

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "mark_sent", die)
        with pytest.raises(Killed):
            hub.deliver()
    hub.deliver()
    assert hub.message(file).status is Status.SENT
    assert hub.mailboxes["acme"].files == {"997-1.edi": b"ISA1"}


def test_what_another_process_took_in_between_is_left_to_it(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = scene()
    mails = [hub.owe_mail(1), hub.owe_mail(2), hub.owe_mail(3)]
    claim = outbox.claim
    calls: list[object] = []

    def lost_claim(tx: Any, message: OutboxMessage) -> OutboxMessage | None:
        return None if message.id == mails[0] else claim(tx, message)

    def take_over_the_first(*call: object) -> bool:
        calls.append(call)
        if len(calls) == 1:
            with hub.database.writing() as tx:
                outbox.recover(tx)  # as a second sender would, believing this one dead
        return False

    monkeypatch.setattr(outbox, "claim", lost_claim)
    monkeypatch.setattr("pipeline.mail.SmtpSession._has_spoken", take_over_the_first)
    report = hub.deliver()
    assert [attempt.id for attempt in report.attempts] == [mails[2]]
    assert hub.statuses(*mails) == [Status.NEW, Status.NEW, Status.SENT]
    assert len(hub.server.bodies) == 1


def test_no_transaction_is_open_while_a_server_is_spoken_to(
    scene: Callable[..., Scene], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = scene()
    hub.owe_file(1, "acme")
    other = Database(database_url)
    wrote: list[str] = []

    def write_meanwhile(files: Sequence[tuple[str, bytes]]) -> list[None]:
        with other.writing() as tx:  # on SQLite it would wait for ever if deliver() held the lock
            if other.dialect == "postgresql":
                assert tx.exec_driver_sql(OTHER_TRANSACTIONS).scalar_one() == 0
            wrote.extend(f"{name} {messages.list_messages(tx)[0].status.value}" for name, _ in files)
        return [None for _ in files]

    monkeypatch.setattr(hub.mailboxes["acme"], "deliver_many", write_meanwhile)
    hub.deliver()
    other.close()
    assert wrote == ["997-1.edi sending"]


def test_sent_again_on_purpose_it_is_a_message_of_its_own(scene: Callable[..., Scene]) -> None:
    hub = scene()
    mail = hub.owe_mail(1)
    hub.deliver()
    with hub.database.writing() as tx:
        outbox.resend(tx, mail, hub.clock.now(), identity="<again@hub.example>")
    hub.deliver()
    first, second = hub.server.bodies
    assert b"\r\nMessage-ID: <again@hub.example>\r\n" in second
    assert first.partition(b"\r\n\r\n")[2] == second.partition(b"\r\n\r\n")[2]


def test_a_round_takes_no_more_than_its_share(scene: Callable[..., Scene]) -> None:
    hub = scene()
    for number in range(3):
        hub.owe_mail(number)
    assert [len(hub.deliver(messages_max=2).attempts) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_due_for_a_mailbox_that_is_down_takes_nobody_elses_share(
    scene: Callable[..., Scene], is_known: bool
) -> None:
    hub = scene()
    hub.mailboxes["acme"].error = TransportError("no connection")
    stuck = [hub.owe_file(number, "acme") for number in range(3)]
    mail, *files = hub.owe_mail(1), *(hub.owe_file(number, "bolt") for number in range(3))
    report = hub.deliver(messages_max=2, leave=["acme"] if is_known else [])
    assert hub.statuses(mail, *files) == [Status.SENT, Status.SENT, Status.SENT, Status.NEW]
    assert [attempt.id for attempt in report.failures] == stuck[: not is_known]
    assert list(hub.mailboxes["bolt"].files) == ["997-0.edi", "997-1.edi"]


def test_where_a_mailbox_is_down_one_file_counts_as_tried(scene: Callable[..., Scene]) -> None:
    hub = scene()
    files = [hub.owe_file(number, "acme") for number in range(3)]
    hub.mailboxes["acme"].error = TransportError("no connection")
    assert [attempt.id for attempt in hub.deliver().attempts] == files[:1]
    assert [hub.message(file).attempts for file in files] == [1, 0, 0]
    hub.mailboxes["acme"].error = None
    hub.clock.sleep(RETRY_SECONDS[0])
    assert {attempt.status for attempt in hub.deliver().attempts} == {Status.SENT}
    assert len(hub.mailboxes["acme"].files) == 3


def test_of_many_files_each_is_marked_as_it_went(scene: Callable[..., Scene]) -> None:
    hub = scene()
    hub.mailboxes["acme"].files = {"997-2.edi": b"of somebody else"}
    files = [hub.owe_file(number, "acme") for number in range(4)]
    hub.deliver()
    assert hub.statuses(*files) == [Status.SENT, Status.SENT, Status.REFUSED, Status.SENT]


def test_a_password_never_reaches_the_outbox(scene: Callable[..., Scene]) -> None:
    hub = scene(greeting="554 closed")
    hub.smtp = replace(hub.smtp, username="hub", password="canary-secret")
    mail = hub.owe_mail(1)
    hub.deliver()
    with hub.database.reading() as tx:
        stored = repr(rows(tx))
    assert "554" in stored
    assert "canary-secret" not in stored
    assert "canary-secret" not in hub.message(mail).error
