"""Telling: notices are composed and owed through the outbox, in the transaction of their fact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from pipeline import journal
from pipeline.answering.announcing import told_by_document
from pipeline.mail import UnwritableMessage, compose, message_id
from pipeline.notices.contexts import Notice
from pipeline.settings import Settings
from pipeline.telling import digests
from pipeline.telling.company_mail import CompanyMail, Paces, company_mail, topic_of
from pipeline.telling.for_support import Unusable, answer_rejected_notices, document_rejected_notices
from pipeline.telling.notifications import (
    Addressees,
    cancellation_notices,
    cancellation_refused_notices,
    document_refused_notices,
    reader_of,
    readers_of,
    reminder_notices,
)
from pipeline.webhooks.owing import owe_events, owe_refusal
from storage import messages, outbox, queries
from storage.commands import CancelLines, CancelOrder
from storage.digests import Reader, gathered, is_owed, leaves_time
from storage.events import LedgerEvent
from storage.ledger import Entry, Result
from storage.loading import load_order
from storage.messages import NewMessage, OutboxMessage, StaleMessage
from storage.orders import OrderState
from storage.outcomes import Outcome
from storage.states import Kind, MailPace, MailTopic


def addressees_of(settings: Settings) -> Addressees:
    """Everybody a notice may go to."""
    return Addressees(
        partners={partner.id: partner for partner in settings.partners},
        hub=settings.hub.name,
        support=settings.hub.support_email,
        site=settings.site.public,
    )


def tell_result(
    tx: Connection, settings: Settings, result: Result, origin: str, at: datetime,
    named: Sequence[tuple[str, str]] = (),
) -> None:  # fmt: skip
    """The other party is told of what was cancelled; who asked is told of what was not done.

    Beside that both parties' endpoints are owed what happened. `named` are the document's orders by number
    and release: none of them is applied where one is refused.
    """
    addressees = addressees_of(settings)
    for place, entry in enumerate(result.entries, start=1):
        order = entry.after or entry.before
        for event in entry.events:
            if entry.after is not None:
                parties = readers_of(event, entry.after.key)
                told = told_by_document(tx, settings, event, entry.after, parties, at)
                for party in parties:
                    if party not in told:
                        _tell_party(tx, settings, addressees, event, entry.after, party, at)
        owe_events(tx, entry, at)
        refused = result.outcome is Outcome.REFUSED
        if entry.decision.refusals and (refused or result.outcome is Outcome.APPLIED):
            company = company_mail(tx, settings, entry.command.by)
            readers = _Readers.of(company, MailTopic.REFUSALS)
            # A document may be about several orders. The first keeps the key that what was told before has.
            cause = origin if place == 1 else f"{origin}:{place}"
            notices = _refusal_notices(entry, cause, readers.among(addressees), refused, named)
            _owe(tx, settings, notices, at, order, readers)
            owe_refusal(tx, entry, origin, place, at)


def _tell_party(
    tx: Connection, settings: Settings, addressees: Addressees, event: LedgerEvent, after: OrderState,
    party: str, at: datetime, *, by_hand: bool = False,
) -> list[int]:  # fmt: skip
    """Those of one party who chose to be told of the event; the ids of the e-mails that go at once.

    What is sent again `by_hand`, or must be answered soon, waits for no digest.
    """
    readers = _Readers.of(company_mail(tx, settings, party), topic_of(event.kind, party, after.key))
    if by_hand or not leaves_time(event.answer_by, at):
        readers = readers.at_once()
    notices = _notices_for(party, event, after, readers.among(addressees))
    return _owe(tx, settings, notices, at, after, readers, event.id)


def _notices_for(
    party: str, event: LedgerEvent, after: OrderState, addressees: Addressees
) -> tuple[Notice, ...]:
    others = [other for other in readers_of(event, after.key) if other != party]
    return cancellation_notices(event, after, addressees, but=others)


@dataclass(frozen=True, slots=True)
class _Readers:
    """Who of a company is told of one thing, and when."""

    company: CompanyMail | None
    topic: MailTopic
    paces: Paces

    @classmethod
    def of(cls, company: CompanyMail | None, topic: MailTopic) -> "_Readers":
        """Nobody has chosen anything: the addresses of the settings alone, as they stand there."""
        if company is None or not company.choosers:
            return cls(None, topic, {})
        return cls(company, topic, company.paces(topic))

    def at_once(self) -> "_Readers":
        """The same, none of whom waits for a digest."""
        return replace(self, paces=dict.fromkeys(self.paces, MailPace.AT_ONCE))

    def among(self, addressees: Addressees) -> Addressees:
        """The addressees, with these for their company."""
        return self.company.among(addressees, self.paces) if self.company else addressees

    def digest_of(self, to: str) -> Reader | None:
        """In whose digest something for this address is owed; None when it goes at once."""
        hourly = self.company is not None and self.paces.get(to) is MailPace.HOURLY
        return Reader(partner=self.company.partner, to=to) if self.company and hourly else None


def _refusal_notices(
    entry: Entry, origin: str, addressees: Addressees, refused: bool, named: Sequence[tuple[str, str]]
) -> tuple[Notice, ...]:
    refusals, command = entry.decision.refusals, entry.command
    about = (command.order.po_number, command.order.release)
    others = tuple(dict.fromkeys(one for one in named if one != about)) if refused else ()
    if refused and not isinstance(command, (CancelOrder, CancelLines)):
        return document_refused_notices(origin, command, refusals, entry.before, addressees, others)
    order = entry.after or entry.before
    return cancellation_refused_notices(origin, command, refusals, order, entry.events, addressees, others)


def tell_support(tx: Connection, settings: Settings, unusable: Unusable, at: datetime) -> None:
    """The hub's support is told of what a person must look at."""
    _owe(tx, settings, document_rejected_notices(unusable, addressees_of(settings)), at, None)


def tell_rejected(tx: Connection, settings: Settings, unusable: Unusable, at: datetime) -> None:
    """The hub's support is told that a partner did not take documents of ours."""
    _owe(tx, settings, answer_rejected_notices(unusable, addressees_of(settings)), at, None)


def tell_person(tx: Connection, settings: Settings, notice: Notice, at: datetime) -> None:
    """One person is told something that is about no order."""
    _owe(tx, settings, (notice,), at, None)


def remind(tx: Connection, settings: Settings, request: LedgerEvent, order: OrderState, at: datetime) -> None:
    """The seller is reminded, once, of a request it has not answered; by an e-mail of its own, at once."""
    readers = _Readers.of(company_mail(tx, settings, order.key.seller), MailTopic.REQUESTS).at_once()
    notices = reminder_notices(request, order, readers.among(addressees_of(settings)))
    _owe(tx, settings, notices, at, order, readers)


def tell_again(
    tx: Connection, settings: Settings, message: OutboxMessage, at: datetime, identity: str
) -> tuple[int, ...]:
    """Send an e-mail about an event again; the ids of the new messages.

    The same words to the same address, written anew where they could not be written before. When the settings
    do not have that address any more, everybody whom they name instead and who was not told before is told.
    """
    assert message.event_id is not None
    assert message.order_id is not None
    event, order = _happened(tx, message.event_id, message.order_id)
    addressees, party = addressees_of(settings), reader_of(event, order.key, message)
    company = company_mail(tx, settings, party)
    anybody = company.among(addressees) if company else addressees
    notices = _notices_for(party, event, order, anybody)
    same = next((notice for notice in notices if notice.to and notice.to == message.to), None)
    if same is None:
        return tuple(_tell_party(tx, settings, addressees, event, order, party, at, by_hand=True))
    if message.payload:
        return (outbox.resend(tx, message.id, at, identity=identity),)
    anew, problem = _written(settings, same, identity, at, message.order_id)
    if problem:
        raise StaleMessage(f"Message {message.id} still cannot be sent: {problem}.")
    return (outbox.resend(tx, message.id, at, anew=anew),)


def _happened(tx: Connection, event_id: int, order_id: int) -> tuple[LedgerEvent, OrderState]:
    """An event, and its order as it stands."""
    loaded = load_order(tx, order_id)
    assert loaded is not None
    (event,) = (one for one in queries.events_of(tx, order_id) if one.id == event_id)
    return event, loaded.order


def tell_digest_again(
    tx: Connection, settings: Settings, message: OutboxMessage, at: datetime, identity: str
) -> tuple[int, ...]:
    """Send a digest again; the ids of the new messages. As `tell_again`: the same words to the same reader,
    written anew where they could not be; where that reader is gone, to whom the company has instead."""
    messages.check_not_emptied(message)
    entries = gathered(tx, message.id)
    company = company_mail(tx, settings, entries[0].reader.partner) if entries else None
    if company is not None and not company.has(message.to):
        return digests.tell_others(tx, settings, entries, company.paces, at)
    if message.payload:
        return (outbox.resend(tx, message.id, at, identity=identity),)
    anew = digests.written_again(tx, settings, message, identity, at)
    return (outbox.resend(tx, message.id, at, anew=anew),)


def _owe(
    tx: Connection, settings: Settings, notices: Iterable[Notice], at: datetime, order: OrderState | None,
    readers: _Readers | None = None, event_id: int | None = None,
) -> list[int]:  # fmt: skip
    """Owe the notices, each once, at once or in a digest; the ids of e-mails that were not owed before."""
    owed = []
    order_id = order.id if order else None
    for notice in notices:
        if _in_digest(tx, settings, notice, readers, at, order, event_id):
            continue
        # With the time: where a backup was put back, another event may come to the same number.
        identity = message_id(f"{notice.dedupe_key} {at.isoformat()}", settings.mail.sender)
        message, problem = _written(settings, notice, identity, at, order_id)
        if problem:
            outbox.enqueue_refused(tx, message, at, error=problem)
        elif (made := outbox.enqueue(tx, message, at)) is not None:
            owed.append(made)
    return owed


def _in_digest(
    tx: Connection, settings: Settings, notice: Notice, readers: _Readers | None, at: datetime,
    order: OrderState | None, event_id: int | None,
) -> bool:  # fmt: skip
    """Whether a reader is told in a digest, now or already; what cannot be said there goes the other way."""
    if readers is None or readers.company is None:
        return False  # nobody there chose anything
    reader = readers.digest_of(notice.to)
    if reader is None:
        return is_owed(tx, notice.dedupe_key)
    is_party = order is not None and reader.partner in (order.key.buyer, order.key.seller)
    try:
        digests.owe(
            tx, settings, notice, reader, readers.topic, at,
            event_id=event_id, order_id=order.id if order else None, is_party=is_party,
        )  # fmt: skip
    except UnwritableMessage:
        return False
    return True


def _written(
    settings: Settings, notice: Notice, identity: str, at: datetime, order_id: int | None
) -> tuple[NewMessage, str]:
    """The e-mail of a notice; or an empty one and why there is none."""
    blank = NewMessage(
        kind=Kind.EMAIL,
        partner="",
        to=notice.to,
        identity=identity,
        dedupe_key=notice.dedupe_key,
        order_id=order_id,
        file_id=journal.current_file(),
    )
    if not notice.to:
        return blank, "no address"
    try:
        mail = compose(notice, sender=settings.mail.sender, message_id=identity, at=at)
    except UnwritableMessage as error:
        return blank, str(error)
    return replace(blank, subject=mail.subject, payload=mail.payload), ""
