"""Bodies: what an endpoint is told of an event, as JSON that is written once. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime

from pipeline.actors import seen_by
from pipeline.reasons import reason_words
from pipeline.report import Json, refusal_json
from storage.commands import Command
from storage.events import EventKind, LedgerEvent
from storage.quantities import plain
from storage.refusals import RefusedLine
from storage.states import Topic

#: The topic of an event that moved units; other events are told to nobody.
TOPICS = {
    EventKind.ORDER_PLACED: Topic.ORDER_PLACED,
    EventKind.ORDER_CANCELLED: Topic.ORDER_CANCELLED,
    EventKind.LINES_CANCELLED: Topic.ORDER_CANCELLED,
    EventKind.LINES_ADDED: Topic.ORDER_CHANGED,
    EventKind.UNITS_ADDED: Topic.ORDER_CHANGED,
    EventKind.LINES_FULFILLED: Topic.ORDER_FULFILLED,
    EventKind.SHIPMENT_WITHDRAWN: Topic.SHIPMENT_WITHDRAWN,
    EventKind.CANCELLATION_REQUESTED: Topic.CANCELLATION_REQUESTED,
    EventKind.REQUEST_WITHDRAWN: Topic.CANCELLATION_WITHDRAWN,
    EventKind.REQUEST_REFUSED: Topic.CANCELLATION_REFUSED,
    EventKind.REQUEST_LAPSED: Topic.CANCELLATION_REFUSED,
}


def topic_of(event: LedgerEvent) -> Topic | None:
    """What the event is for endpoints; None: nothing."""
    return TOPICS.get(event.kind) if event.units or event.kind is EventKind.ORDER_PLACED else None


def event_body(topic: Topic, event: LedgerEvent, order: Json, reader: str) -> bytes:
    """An event, and the order as it stood in the ledger when it was written down.

    `order` is the contract's JSON of it, for the partner that is the `reader`.
    """
    data: Json = {
        "order": order,
        "by": event.by,
        "actor": seen_by(reader, event.by, event.source).actor,
        "reason": event.reason.code,
        "reason_text": reason_words(event.reason),
        "note": event.note,
        "reference": event.reference,
        "whole_order": event.kind is EventKind.ORDER_CANCELLED,
        "lines": [
            {
                "line": units.line,
                "quantity": plain(units.quantity),
                "reason": units.reason.code,
                "reason_text": reason_words(units.reason),
            }
            for units in event.units
        ],
    }
    if topic is Topic.ORDER_CHANGED:
        data["change"] = event.kind.value
    if topic is Topic.CANCELLATION_REQUESTED:
        data["answer_by"] = event.answer_by.isoformat() if event.answer_by else None
    if topic is Topic.CANCELLATION_REFUSED:
        lapsed = event.kind is EventKind.REQUEST_LAPSED
        data |= {"refused_by": "deadline" if lapsed else "partner", "refusals": []}
    return _body(topic, event.at, data)


def refusal_body(command: Command, refusals: Sequence[RefusedLine], order: Json | None) -> bytes:
    """A cancellation that the rules refused, all of it or part; `order` as it stands, if it may be shown."""
    meant = command.order
    data: Json = {
        "order": order,
        "po_number": meant.po_number,
        "release": meant.release,
        "by": command.by,
        "actor": seen_by(command.by, command.by, command.source).actor,
        "reason": command.reason.code,
        "reason_text": reason_words(command.reason),
        "note": command.note,
        "refused_by": "hub",
        "refusals": [refusal_json(refusal) for refusal in refusals],
    }
    return _body(Topic.CANCELLATION_REFUSED, command.at, data)


def ping_body(endpoint_id: int, at: datetime) -> bytes:
    """Says nothing but that the hub can be heard."""
    return _written("ping", at, {"webhook": endpoint_id})


def _body(topic: Topic, at: datetime, data: Json) -> bytes:
    return _written(topic.value, at, data)


def _written(kind: str, at: datetime, data: Json) -> bytes:
    said = {"type": kind, "timestamp": at.isoformat(), "data": data}
    return json.dumps(said, separators=(",", ":")).encode("ascii")
