"""Deliver what is owed: the outbox's e-mails go to the SMTP server, its acknowledgments to the mailboxes."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from pipeline import logbook
from pipeline.clock import Clock
from pipeline.errors import CountermandError, NameTaken
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
from storage import outbox
from storage.database import Database
from storage.outbox import OutboxMessage, StaleMessage
from storage.states import Kind, Status

# Greylisting ends within minutes and a restart within the hour; after that, every four hours
RETRY_SECONDS = (60, 5 * 60, 15 * 60, 3600, 4 * 3600)
GIVE_UP_HOURS = 72  # as SMTP servers themselves: a weekend and a day
MESSAGES_MAX = 1000  # tried in one round; the rest is due in the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of one message in this round."""

    id: int
    kind: Kind
    to: str  # the address, or the partner whose mailbox it is for
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


def deliver(
    database: Database, mail: SmtpSettings, mailboxes: Callable[[str], Mailbox], clock: Clock,
    *, messages_max: int = MESSAGES_MAX, leave: Collection[str] = (),
) -> DeliveryReport:  # fmt: skip
    """Send what is due, each message once. No transaction is open while a server is spoken to.

    `mailboxes` gives a partner's mailbox by the partner's id, or raises a CountermandError. A server that
    is down ends the round for what goes there, and for nothing else. Partners in `leave` are known to be
    down: what is for their mailboxes waits, and is not counted as tried.
    """
    with database.writing() as tx:
        uncertain = outbox.recover(tx)
    for message_id in uncertain:
        logbook.message_uncertain(message_id)
    with database.reading() as tx:
        due = outbox.due(tx, clock.now(), messages_max)
    courier = _Courier(database, clock)
    _send_mail(courier, mail, [message for message in due if message.kind is Kind.EMAIL])
    uploads = [m for m in due if m.kind is Kind.ACKNOWLEDGMENT and m.partner not in leave]
    for partner in dict.fromkeys(message.partner for message in uploads):
        _upload(courier, mailboxes, partner, [message for message in uploads if message.partner == partner])
    return DeliveryReport(attempts=tuple(courier.attempts), uncertain=uncertain)


class _Courier:
    """Claims and marks, each in a short transaction of its own, and keeps the report."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.attempts: list[Attempt] = []

    def claim(self, message: OutboxMessage) -> OutboxMessage | None:
        """The message as ours; None when somebody else has taken it since it was read."""
        with self._database.writing() as tx:
            return outbox.claim(tx, message)

    def committing(self, message: OutboxMessage) -> None:
        with self._database.writing() as tx:
            outbox.mark_committing(tx, message)

    def mark(self, message: OutboxMessage, result: Transmission) -> None:
        """Write down what the SMTP server made of a message."""
        match result:
            case Sent(reply):
                self.sent(message, reply)
            case Retry(reason):
                self.failed(message, reason)
            case Refused(reason):
                self.refused(message, reason)
            case Uncertain(reason):
                with self._settling(message, Status.UNCERTAIN, reason) as tx:
                    outbox.mark_uncertain(tx, message, reason)

    def sent(self, message: OutboxMessage, detail: str = "") -> None:
        with self._settling(message, Status.SENT, detail) as tx:
            outbox.mark_sent(tx, message, self._clock.now())

    def failed(self, message: OutboxMessage, reason: str) -> None:
        """Not gone out; tried again until it is too late for it."""
        again = retry_at(message, self._clock.now())
        with self._settling(message, Status.NEW if again else Status.FAILED, reason) as tx:
            outbox.mark_failed(tx, message, reason, again)

    def refused(self, message: OutboxMessage, reason: str) -> None:
        with self._settling(message, Status.REFUSED, reason) as tx:
            outbox.mark_refused(tx, message, reason)

    @contextmanager
    def _settling(self, message: OutboxMessage, status: Status, detail: str) -> Iterator[Connection]:
        """Mark a message in the block, and report it, unless another process has taken it over."""
        with suppress(StaleMessage):
            with self._database.writing() as tx:
                yield tx
            self._note(message, status, detail)

    def _note(self, message: OutboxMessage, status: Status, detail: str) -> None:
        logbook.message_tried(message, status, detail)
        self.attempts.append(
            Attempt(id=message.id, kind=message.kind, to=message.to, status=status, detail=detail)
        )


def retry_at(message: OutboxMessage, now: datetime) -> datetime | None:
    """When to try a claimed message again after a failure at `now`; None when it is time to give up."""
    if now - message.created_at >= timedelta(hours=GIVE_UP_HOURS):
        return None
    return now + timedelta(seconds=RETRY_SECONDS[min(message.attempts, len(RETRY_SECONDS)) - 1])


def _send_mail(courier: _Courier, mail: SmtpSettings, messages: Iterable[OutboxMessage]) -> None:
    sender = bare_address(mail.sender)
    with SmtpSession(mail) as session:
        for message in filter(None, map(courier.claim, messages)):
            payload = with_message_id(message.payload, message.identity)
            try:
                result = session.send(sender, message.to, payload, partial(courier.committing, message))
            except CountermandError as error:  # no connection: nothing of this message went out
                courier.failed(message, str(error))
                return
            except StaleMessage:  # taken over while we were held up; the final dot was not sent
                continue
            courier.mark(message, result)


def _upload(
    courier: _Courier, mailboxes: Callable[[str], Mailbox], partner: str, messages: Iterable[OutboxMessage]
) -> None:
    """One session for one partner. A file that was uploaded already, before a crash, is found and left."""
    mailbox: Mailbox | None = None
    try:
        for message in filter(None, map(courier.claim, messages)):
            try:
                mailbox = mailbox or mailboxes(partner)
                mailbox.deliver(message.identity, message.payload)
            except NameTaken as error:  # about this file alone; only a person can tell which one is right
                courier.refused(message, str(error))
            except CountermandError as error:
                courier.failed(message, str(error))
                return
            else:
                courier.sent(message)
    finally:
        if mailbox is not None:
            mailbox.close()
