"""Telling: notices are composed and owed through the outbox, in the transaction of their fact."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from edi.codes import Entity
from edi.documents import Party
from edi.envelope import Address
from edi.write_envelope import Route
from pipeline import journal
from pipeline.announcements import announcement
from pipeline.answers import announce
from pipeline.mail import UnwritableMessage, compose, message_id
from pipeline.notices import Notice
from pipeline.notifications import (
    Addressees,
    Unusable,
    answer_rejected_notices,
    cancellation_notices,
    cancellation_refused_notices,
    document_refused_notices,
    document_rejected_notices,
    readers_of,
    reminder_notices,
)
from pipeline.partners import Partner
from pipeline.policy import Tell
from pipeline.settings import Settings
from pipeline.webhooks.owing import owe_events, owe_refusal
from storage import outbox, queries
from storage.commands import CancelLines, CancelOrder
from storage.events import LedgerEvent
from storage.ledger import Entry, Result
from storage.loading import load_order
from storage.orders import OrderState
from storage.outbox import NewMessage, OutboxMessage, StaleMessage
from storage.outcomes import Outcome
from storage.states import Kind


def addressees_of(settings: Settings) -> Addressees:
    """Everybody a notice may go to."""
    return Addressees(
        partners={partner.id: partner for partner in settings.partners},
        hub=settings.hub.name,
        support=settings.hub.support_email,
    )


def tell_result(tx: Connection, settings: Settings, result: Result, origin: str, at: datetime) -> None:
    """The other party is told of what was cancelled; who asked is told of what was not done.

    Beside that both parties' endpoints are owed what happened.
    """
    addressees = addressees_of(settings)
    for place, entry in enumerate(result.entries, start=1):
        order = entry.after or entry.before
        order_id = order.id if order else None
        for event in entry.events:
            if entry.after is not None:
                told = _told_by_document(tx, settings, event, entry.after, at)
                notices = cancellation_notices(event, entry.after, addressees, but=told)
                _owe(tx, settings, notices, at, order_id)
        owe_events(tx, entry, at)
        refused = result.outcome is Outcome.REFUSED
        if entry.decision.refusals and (refused or result.outcome is Outcome.APPLIED):
            _owe(tx, settings, _refusal_notices(entry, origin, addressees, refused=refused), at, order_id)
            owe_refusal(tx, entry, origin, place, at)


def _told_by_document(
    tx: Connection, settings: Settings, event: LedgerEvent, after: OrderState, at: datetime
) -> frozenset[str]:
    """Leave a document for whoever is told by one; those of them who want no e-mail beside it."""
    readers = (settings.directory.get(reader) for reader in readers_of(event, after.key))
    told = [
        reader
        for reader in readers
        if reader is not None
        and reader.policy.tell is not Tell.EMAIL
        and _announced(tx, settings, event, after, reader, at)
    ]
    return frozenset(reader.id for reader in told if reader.policy.tell is Tell.EDI)


def _announced(
    tx: Connection, settings: Settings, event: LedgerEvent, after: OrderState, reader: Partner, at: datetime
) -> bool:
    view = queries.get_order(tx, after.id)
    assert view is not None
    ordered_on = view.summary.ordered_on or view.summary.placed_at.date()
    document = announcement(event, after, ordered_on, _named(settings, after), reader.id)
    route = Route(
        sender=Address(settings.hub.isa.qualifier, settings.hub.isa.id),
        receiver=Address(reader.isa[0].qualifier, reader.isa[0].id),
        group_sender=settings.hub.gs,
        group_receiver=reader.gs[0],
        usage=settings.hub.usage.value,
        version=reader.policy.release.value,
    )
    return announce(tx, reader, route, document, event.id, after.id, at)


def _named(settings: Settings, order: OrderState) -> tuple[Party, ...]:
    """N1 of buyer and seller, as their envelopes name them."""
    parties = ((Entity.BUYER, order.key.buyer), (Entity.SELLER, order.key.seller))
    return tuple(
        Party(entity=entity.value, name=partner.name, qualifier="ZZ", id=partner.isa[0].id)
        for entity, name in parties
        if (partner := settings.directory.get(name)) is not None
    )


def _refusal_notices(
    entry: Entry, origin: str, addressees: Addressees, *, refused: bool
) -> tuple[Notice, ...]:
    refusals, command = entry.decision.refusals, entry.command
    if refused and not isinstance(command, (CancelOrder, CancelLines)):
        return document_refused_notices(origin, command, refusals, entry.before, addressees)
    cancelled = [units for event in entry.events for units in event.units]
    order = entry.after or entry.before
    return cancellation_refused_notices(origin, command, refusals, order, cancelled, addressees)


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
    """The seller is reminded, once, of a request it has not answered; by e-mail, however it is told else."""
    _owe(tx, settings, reminder_notices(request, order, addressees_of(settings)), at, order.id)


def tell_again(
    tx: Connection, settings: Settings, message: OutboxMessage, at: datetime, identity: str
) -> tuple[int, ...]:
    """Send an e-mail about an event again; the ids of the new messages.

    The same words to the same address, written anew where they could not be written before. When the settings
    do not have that address any more, everybody whom they name instead and who was not told before is told.
    """
    assert message.event_id is not None
    assert message.order_id is not None
    loaded = load_order(tx, message.order_id)
    assert loaded is not None
    (event,) = (one for one in queries.events_of(tx, message.order_id) if one.id == message.event_id)
    notices = cancellation_notices(event, loaded.order, addressees_of(settings))
    same = next((notice for notice in notices if notice.to and notice.to == message.to), None)
    if same is None:
        return tuple(_owe(tx, settings, notices, at, message.order_id))
    if message.payload:
        return (outbox.resend(tx, message.id, at, identity=identity),)
    anew, problem = _written(settings, same, identity, at, message.order_id)
    if problem:
        raise StaleMessage(f"Message {message.id} still cannot be sent: {problem}.")
    return (outbox.resend(tx, message.id, at, anew=anew),)


def _owe(
    tx: Connection,
    settings: Settings,
    notices: Sequence[Notice] | Iterable[Notice],
    at: datetime,
    order_id: int | None,
) -> list[int]:
    """Owe the notices, each once; the ids of those that were not owed before and will be sent."""
    owed = []
    for notice in notices:
        # With the time: where a backup was put back, another event may come to the same number.
        identity = message_id(f"{notice.dedupe_key} {at.isoformat()}", settings.mail.sender)
        message, problem = _written(settings, notice, identity, at, order_id)
        if problem:
            outbox.enqueue_refused(tx, message, at, error=problem)
        elif (made := outbox.enqueue(tx, message, at)) is not None:
            owed.append(made)
    return owed


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
    return replace(
        blank, subject=mail.subject, payload=mail.payload, body_text=mail.text, body_html=mail.html
    ), ""
