"""Deliver what is owed: the outbox's e-mails go to the SMTP server, its acknowledgments to the mailboxes."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from pipeline import logbook
from pipeline.clock import Clock
from pipeline.errors import CountermandError, NameTaken, OperatorError
from pipeline.mail import (
    Refused,
    Retry,
    Sent,
    SmtpSession,
    SmtpSettings,
    Transmission,
    Uncertain,
    bare_address,
    with_message_id,
)
from pipeline.ports import Mailbox
from pipeline.shares import shares
from pipeline.side_by_side import side_by_side
from storage import outbox
from storage.database import Database
from storage.due import mailboxes_due
from storage.messages import OutboxMessage, StaleMessage
from storage.states import Kind, Status

# Greylisting ends within minutes and a restart within the hour; after that, every four hours
RETRY_SECONDS = (60, 5 * 60, 15 * 60, 3600, 4 * 3600)
REST_SECONDS = 5 * 60  # of e-mails, after a server that hung left one uncertain: each next one may be, too
GIVE_UP_HOURS = 72  # as SMTP servers themselves: a weekend and a day
MESSAGES_MAX = 1000  # tried in one round by each server; the rest is due in the next
UPLOADS_AT_ONCE = 256  # enough to hide the round trips
UPLOAD_BYTES_AT_ONCE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of one message in this round."""

    id: int
    kind: Kind
    to: str  # the address, the partner whose mailbox it is for, or the endpoint's URL
    status: Status  # NEW: it will be tried again
    detail: str = ""  # the server's answer, or why not


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """One round of deliveries."""

    attempts: tuple[Attempt, ...] = ()
    uncertain: tuple[
        int, ...
    ] = ()  # mails a crashed run left in the moment of handing over; never sent again

    @property
    def failures(self) -> tuple[Attempt, ...]:
        """What did not go out in this round, whether it will be tried again or not."""
        return tuple(attempt for attempt in self.attempts if attempt.status is not Status.SENT)


def joined(reports: Iterable[DeliveryReport]) -> DeliveryReport:
    """Several rounds as one."""
    several = tuple(reports)
    return DeliveryReport(
        attempts=tuple(attempt for report in several for attempt in report.attempts),
        uncertain=tuple(message for report in several for message in report.uncertain),
    )


@contextmanager
def opened_once(open_mailbox: Callable[[str], Mailbox]) -> Iterator[Callable[[str], Mailbox]]:
    """What gives a partner's mailbox, opened when it is first asked for; all are closed at the end."""
    with ExitStack() as stack:
        mailboxes: dict[str, Mailbox] = {}

        def mailbox_of(partner_id: str) -> Mailbox:
            if partner_id not in mailboxes:
                mailboxes[partner_id] = stack.enter_context(open_mailbox(partner_id))
            return mailboxes[partner_id]

        yield mailbox_of


def deliver(
    database: Database, mail: Callable[[], SmtpSettings], mailboxes: Callable[[str], Mailbox], clock: Clock,
    *, messages_max: int = MESSAGES_MAX, leave: Collection[str] = (),
) -> DeliveryReport:  # fmt: skip
    """Send what is due, each message once, to all servers side by side.

    No transaction is open while a server is spoken to.

    `mail` gives the mail server, or raises an OperatorError, which is as if it did not answer.
    `mailboxes` gives a partner's mailbox by the partner's id, or raises a CountermandError; it stays open.
    A server that is down ends the round for what goes there, and for nothing else: e-mails and each partner
    have `messages_max` of their own. Partners in `leave` are known to be down: what is for their mailboxes
    waits, and is not counted as tried.
    """
    uncertain = _recovered(database)
    with database.reading() as tx:
        partners = [one for one in mailboxes_due(tx, clock.now()) if one not in leave]
    couriers = [_Courier(database, clock, messages_max) for _ in range(1 + len(partners))]
    by_mail, *uploading = couriers
    uploads = zip(uploading, partners, strict=True)
    send = [partial(_upload, courier, mailboxes, partner) for courier, partner in uploads]
    side_by_side([partial(_send_mail, by_mail, mail), *send])
    attempts = tuple(attempt for courier in couriers for attempt in courier.attempts)
    return DeliveryReport(attempts=attempts, uncertain=uncertain)


def deliver_mail(database: Database, mail: Callable[[], SmtpSettings], clock: Clock) -> DeliveryReport:
    """Send the e-mails that are due; for who alone sends e-mails, while others may leave documents."""
    uncertain = _recovered(database, kind=Kind.EMAIL)
    courier = _Courier(database, clock)
    _send_mail(courier, mail)
    return DeliveryReport(attempts=tuple(courier.attempts), uncertain=uncertain)


def deliver_to(
    database: Database, mailboxes: Callable[[str], Mailbox], partner: str, clock: Clock
) -> DeliveryReport:
    """Leave the documents that are due in one partner's mailbox; for who alone leaves any there."""
    _recovered(database, kind=Kind.ACKNOWLEDGMENT, partner=partner)
    courier = _Courier(database, clock)
    _upload(courier, mailboxes, partner)
    return DeliveryReport(attempts=tuple(courier.attempts))


def _recovered(database: Database, *, kind: Kind | None = None, partner: str = "") -> tuple[int, ...]:
    """Settle what a sender that died has left of what we alone send now; the mails nobody knows of."""
    with database.writing() as tx:
        uncertain = outbox.recover(tx, kind=kind, partner=partner)
    for message_id in uncertain:
        logbook.message_uncertain(message_id)
    return uncertain


class _Courier:
    """Finds, claims and marks, each in a short transaction of its own, and keeps the report."""

    def __init__(self, database: Database, clock: Clock, messages_max: int = MESSAGES_MAX) -> None:
        self._database = database
        self._clock = clock
        self._messages_max = messages_max
        self.attempts: list[Attempt] = []

    def due(self, kind: Kind, partner: str = "") -> tuple[OutboxMessage, ...]:
        """What is to go out in this round, oldest first."""
        with self._database.reading() as tx:
            return outbox.due(tx, self._clock.now(), self._messages_max, kind=kind, partner=partner)

    def claim(self, messages: Iterable[OutboxMessage]) -> list[OutboxMessage]:
        """The messages as ours, without those that somebody else has taken since they were read."""
        with self._database.writing() as tx:
            return [claimed for message in messages if (claimed := outbox.claim(tx, message))]

    def committing(self, message: OutboxMessage) -> None:
        """The final dot of a mail is about to go."""
        with self._database.writing() as tx:
            outbox.mark_committing(tx, message)

    def rest(self) -> None:
        """Try no more e-mails for a while."""
        with self._database.writing() as tx:
            outbox.put_off(tx, Kind.EMAIL, self._clock.now() + timedelta(seconds=REST_SECONDS))

    def settle(self, results: Iterable[tuple[OutboxMessage, Transmission]]) -> None:
        """Write down what the other side made of the messages, but for those another process took over."""
        settled: list[tuple[OutboxMessage, Attempt]] = []
        with self._database.writing() as tx:
            for message, result in results:
                with suppress(StaleMessage):
                    settled.append((message, self._mark(tx, message, result)))
        for message, attempt in settled:
            logbook.message_tried(message, attempt.status, attempt.detail)
            self.attempts.append(attempt)

    def _mark(self, tx: Connection, message: OutboxMessage, result: Transmission) -> Attempt:
        now = self._clock.now()
        match result:
            case Sent(reply):
                outbox.mark_sent(tx, message, now)
                return _attempt(message, Status.SENT, reply)
            case Retry(reason):  # until it is too late for it
                again = retry_at(message, now)
                outbox.mark_failed(tx, message, reason, again)
                return _attempt(message, Status.NEW if again else Status.FAILED, reason)
            case Refused(reason):
                outbox.mark_refused(tx, message, reason)
                return _attempt(message, Status.REFUSED, reason)
            case Uncertain(reason):
                outbox.mark_uncertain(tx, message, reason)
                return _attempt(message, Status.UNCERTAIN, reason)


def _attempt(message: OutboxMessage, status: Status, detail: str) -> Attempt:
    return Attempt(id=message.id, kind=message.kind, to=message.to, status=status, detail=detail)


def retry_at(message: OutboxMessage, now: datetime) -> datetime | None:
    """When to try a claimed message again after a failure at `now`; None when it is time to give up.

    However old it is, it has had every pause: time in which nobody tried, because we stood still or the
    backlog was long, does not count against it.
    """
    old = now - message.created_at >= timedelta(hours=GIVE_UP_HOURS)
    if old and message.attempts > len(RETRY_SECONDS):
        return None
    return now + timedelta(seconds=RETRY_SECONDS[min(message.attempts, len(RETRY_SECONDS)) - 1])


def _send_mail(courier: _Courier, mail: Callable[[], SmtpSettings]) -> None:
    messages = courier.due(Kind.EMAIL)
    try:
        settings = mail()
    except OperatorError as error:  # no password: it may be there again in the next round
        courier.settle([(message, Retry(str(error))) for message in courier.claim(messages[:1])])
        return
    sender = bare_address(settings.sender)
    with SmtpSession(settings) as session:
        for message in (claimed for due in messages for claimed in courier.claim([due])):
            payload = with_message_id(message.payload, message.identity)
            try:
                result = session.send(sender, message.to, payload, partial(courier.committing, message))
            except CountermandError as error:  # no connection: nothing of this message went out
                courier.settle([(message, Retry(str(error)))])
                return
            except StaleMessage:  # taken over while we were held up; the final dot was not sent
                continue
            courier.settle([(message, result)])
            if session.has_broken:  # and the next one would wait as long for the same
                if isinstance(result, Uncertain):
                    courier.rest()
                return


def _upload(courier: _Courier, mailboxes: Callable[[str], Mailbox], partner: str) -> None:
    """One session for one partner. A file that was uploaded already, before a crash, is found and left."""
    messages = courier.due(Kind.ACKNOWLEDGMENT, partner)
    # The first alone: where the server is down, it is the only one that counts as tried.
    first, rest = messages[:1], messages[1:]
    for batch in (first, *shares(rest, _size, UPLOADS_AT_ONCE, UPLOAD_BYTES_AT_ONCE)):
        claimed = courier.claim(batch)
        if not claimed:
            continue  # others were first: no reason to go there
        files = [(message.identity, message.payload) for message in claimed]
        try:
            outcomes = mailboxes(partner).deliver_many(files)
        except CountermandError as error:
            courier.settle([(message, Retry(str(error))) for message in claimed])
            return
        results = [_transmission(outcome) for outcome in outcomes]
        courier.settle(zip(claimed, results, strict=True))
        if any(isinstance(result, Retry) for result in results):
            return


def _size(message: OutboxMessage) -> int:
    return len(message.payload)


def _transmission(outcome: CountermandError | None) -> Transmission:
    if isinstance(outcome, NameTaken):  # about this file alone; only a person can tell which one is right
        return Refused(str(outcome))
    return Sent("") if outcome is None else Retry(str(outcome))
