"""Announcing: who is told of cancellations by document is left one, in the transaction of the fact."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from edi.codes import Entity
from edi.documents import Party
from edi.envelope import Address
from edi.write_envelope import Route
from pipeline.answering.announcements import announcement
from pipeline.answering.answers import announce
from pipeline.partners import Partner
from pipeline.policy import Tell
from pipeline.settings import Settings
from storage import queries
from storage.events import LedgerEvent
from storage.orders import OrderState


def told_by_document(
    tx: Connection, settings: Settings, event: LedgerEvent, after: OrderState, readers: Iterable[str],
    at: datetime,
) -> frozenset[str]:  # fmt: skip
    """Leave a document for those `readers` who are told by one; whoever of them wants no e-mail beside it."""
    told = [
        reader
        for reader in map(settings.directory.get, readers)
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
