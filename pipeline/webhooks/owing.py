"""Owing: events are owed to the endpoints of both parties, in the transaction of their fact."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pipeline import journal
from pipeline.report import Json
from pipeline.views import order_json
from pipeline.webhooks.bodies import event_body, refusal_body, topic_of
from storage import outbox, queries, webhooks
from storage.commands import CancelLines, CancelOrder
from storage.ledger import Entry
from storage.messages import NewMessage
from storage.orders import OrderState
from storage.states import Kind, Topic
from storage.webhooks import Endpoint

ID_BYTES = 18


@dataclass(frozen=True, slots=True)
class _Said:
    """One event, with a body for each partner that may listen: they may not know the same of it."""

    topic: Topic
    bodies: Mapping[str, bytes]  # by partner
    origin: str  # once for ever; "event:12"
    order_id: int | None


def owe_events(tx: Connection, entry: Entry, at: datetime) -> None:
    """Both parties' endpoints are owed what happened to the order."""
    order = entry.after
    told = [(event, topic) for event in entry.events if (topic := topic_of(event)) is not None]
    if order is None or not told:
        return
    listening = webhooks.listening(tx, order.key.buyer, order.key.seller)
    wanted = frozenset(topic for endpoint in listening for topic in endpoint.topics)
    if wanted.isdisjoint(topic for _, topic in told):
        return
    shown = {reader: _shown(tx, order, reader) for reader in {endpoint.partner for endpoint in listening}}
    for event, topic in told:
        bodies = {reader: event_body(topic, event, said, reader) for reader, said in shown.items()}
        said = _Said(topic, bodies, f"event:{event.id}", order.id)
        _owe(tx, listening, said, at)


def owe_refusal(tx: Connection, entry: Entry, origin: str, place: int, at: datetime) -> None:
    """Who asked for a cancellation is told at its own endpoints what the rules refused of it.

    `place` is the command's among those of `origin`.
    """
    command, order = entry.command, entry.after or entry.before
    if not isinstance(command, (CancelOrder, CancelLines)):
        return
    listening = webhooks.listening(tx, command.by, command.by)
    if not any(Topic.CANCELLATION_REFUSED in endpoint.topics for endpoint in listening):
        return
    # Nothing of an order is shown to who is no party to it.
    own = order if order is not None and command.by in (order.key.buyer, order.key.seller) else None
    shown = _shown(tx, own, command.by) if own else None
    bodies = {command.by: refusal_body(command, entry.decision.refusals, shown)}
    said = _Said(Topic.CANCELLATION_REFUSED, bodies, f"refused:{origin}:{place}", own.id if own else None)
    _owe(tx, listening, said, at)


def _owe(tx: Connection, listening: Iterable[Endpoint], said: _Said, at: datetime) -> None:
    # By chance and not by the event's number: where a backup was put back, another event may come to that.
    identity = f"msg_{secrets.token_urlsafe(ID_BYTES)}"
    for endpoint in listening:
        if said.topic not in endpoint.topics:
            continue
        message = NewMessage(
            kind=Kind.WEBHOOK, partner=endpoint.partner, to=endpoint.url, subject=said.topic.value,
            payload=said.bodies[endpoint.partner], identity=identity,
            dedupe_key=f"{said.origin}:webhook:{endpoint.id}",
            order_id=said.order_id, file_id=journal.current_file(), endpoint_id=endpoint.id,
        )  # fmt: skip
        outbox.enqueue(tx, message, at)


def _shown(tx: Connection, order: OrderState, reader: str) -> Json:
    view = queries.get_order(tx, order.id)
    assert view is not None
    return {"id": order.id, **order_json(view, reader)}
