"""Views: orders, held questions, messages and webhooks as the JSON of the contract. Read side only."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection

from pipeline.actors import seen_by
from pipeline.contents import html_of, text_of
from pipeline.report import Json
from storage.events import LedgerEvent
from storage.held import Held
from storage.interchanges import SetReceipt, get_set
from storage.lookups import MessageLine
from storage.messages import OutboxMessage
from storage.order_lists import Totals
from storage.orders import LineState
from storage.parked import Parked
from storage.quantities import plain
from storage.queries import OrderSummary, OrderView, mark_of
from storage.receipts import ReceivedFile
from storage.states import Status
from storage.webhooks import Endpoint, PostAttempt


def summary_json(order: OrderSummary, answer_by: datetime | None = None) -> Json:
    """An order without lines and events; `answer_by` is when the first of what is asked of it lapses."""
    return {
        "po_number": order.key.po_number,
        "release": order.key.release,
        "buyer": order.key.buyer,
        "seller": order.key.seller,
        "status": order.status.value,
        "placed_at": order.placed_at.isoformat(),
        "answer_by": answer_by.isoformat() if answer_by else None,
    }


def order_json(view: OrderView, reader: str) -> Json:
    """An order with its lines and its timeline, as a partner may know it, or the hub's own people."""
    return {
        **summary_json(view.summary, view.answer_by),
        "lines": [_line(line) for line in view.lines],
        "events": [_event(event, reader) for event in view.events],
    }


def row_json(order: OrderSummary, totals: Iterable[Totals], answer_by: datetime | None = None) -> Json:
    """An order as the API's lists show it, with its quantities by unit of measure."""
    return {
        "id": order.id,
        **summary_json(order, answer_by),
        "totals": [{"unit": one.unit, **_counters(one)} for one in totals],
    }


def _line(line: LineState) -> Json:
    return {
        "line": line.line,
        "ids": {item.qualifier: item.id for item in line.ids},
        "unit": line.unit,
        "description": line.description,
        **_counters(line),
    }


def _counters(counted: LineState | Totals) -> Json:
    return {
        name: plain(getattr(counted, name))
        for name in ("ordered", "fulfilled", "cancelled", "requested", "open")
    }


def _event(event: LedgerEvent, reader: str) -> Json:
    source = seen_by(reader, event.by, event.source)
    return {
        "at": event.at.isoformat(),
        "kind": event.kind.value,
        "by": event.by,
        "actor": source.actor,
        "reason": event.reason.code,
        "reason_text": event.reason.text,
        "note": event.note,
        "notes": list(event.notes),
        "reference": event.reference,
        "answer_by": event.answer_by.isoformat() if event.answer_by else None,
        "source": {name: getattr(source, name) for name in ("file", "interchange", "group", "set", "type")},
        "lines": [
            {"line": units.line, "quantity": plain(units.quantity), "reason": units.reason.code}
            for units in event.units
        ],
    }


def receipts_of(
    tx: Connection, questions: Iterable[Held], waiting: Iterable[Parked]
) -> dict[int, SetReceipt]:
    """The sets behind questions and parked documents, by id."""
    ids = {question.set_id for question in questions} | {parked.set_id for parked in waiting}
    found = (get_set(tx, set_id) for set_id in sorted(filter(None, ids)))
    return {receipt.id: receipt for receipt in found if receipt is not None}


def held_json(held: Held, receipt: SetReceipt | None) -> Json:
    """A question with its choices, and the document that raised it."""
    return {
        "id": held.id,
        "po_number": held.po_number,
        "partner": held.partner,
        "type": receipt.type if receipt else None,
        "file": receipt.file_name if receipt else None,
        "statement": held.statement,
        "choices": [{"name": choice.name, "effect": choice.effect} for choice in held.choices],
        "since": held.at.isoformat(),
        "expires_at": held.expires_at.isoformat() if held.expires_at else None,
    }


def parked_json(parked: Parked, receipt: SetReceipt | None) -> Json:
    """A document that waits for its order."""
    return {
        "set": parked.set_id,
        "partner": parked.partner,
        "type": receipt.type if receipt else None,
        "file": receipt.file_name if receipt else None,
        "po_number": parked.po_number,
        "release": parked.release,
        "since": parked.since.isoformat(),
        "expires_at": parked.expires_at.isoformat(),
    }


def waiting_rows(held: Iterable[Json], parked: Iterable[Json]) -> Iterator[Json]:
    """What waits as rows of one table: for a person (with its number and choices), or for its order."""
    for one in held:
        choices = one["choices"]
        assert isinstance(choices, list)
        yield {**one, "waits_for": "a person", "choices": [choice["name"] for choice in choices]}
    for one in parked:
        yield {**one, "waits_for": "its order"}


def given_up_json(file: ReceivedFile) -> Json:
    """A file that was given up, or is to be read again."""
    return {
        "id": file.id,
        "partner": file.partner,
        "name": file.name,
        "status": file.status.value,
        "error": file.error or None,
        "received_at": file.received_at.isoformat(),
    }


def line_json(line: MessageLine) -> Json:
    """A message without its content."""
    return _message(line, line.order)


def message_json(tx: Connection, message: OutboxMessage, *, is_secret: bool) -> Json:
    """An outbox message; the payload as text, byte for byte in latin-1. Of what is secret no content."""
    order = mark_of(tx, message.order_id) if message.order_id else None
    return {
        **_message(message, order.key.po_number if order else ""),
        "is_secret": is_secret,
        "body_text": None if is_secret else text_of(message),
        "body_html": None if is_secret else html_of(message),
        "payload": None if is_secret else message.payload.decode("latin-1"),
    }


def _message(message: MessageLine | OutboxMessage, order: str) -> Json:
    return {
        "id": message.id,
        "kind": message.kind.value,
        "to": message.to,
        "subject": message.subject,
        "status": message.status.value,
        "error": message.error or None,
        "set_type": message.set_type or None,
        "verdict": message.verdict or None,
        "verdict_note": message.verdict_note or None,
        "order": order or None,
        "identity": message.identity,
        "created_at": message.created_at.isoformat(),
        "sent_at": message.sent_at.isoformat() if message.sent_at else None,
        "resend_of": message.resend_of,
    }


def endpoint_json(endpoint: Endpoint, last: PostAttempt | None) -> Json:
    """A webhook, without its secret, and what came of the last attempt."""
    return {
        "id": endpoint.id,
        "partner": endpoint.partner,
        "url": endpoint.url,
        "topics": sorted(topic.value for topic in endpoint.topics),
        "enabled": endpoint.is_on,
        "created_at": endpoint.created_at.isoformat(),
        "disabled_at": endpoint.disabled_at.isoformat() if endpoint.disabled_at else None,
        "disabled_why": endpoint.disabled_why or None,
        "last_attempt": _attempt(last) if last else None,
    }


def posting_json(message: OutboxMessage, attempts: Iterable[PostAttempt]) -> Json:
    """A webhook's delivery: what is or was posted, and what came of each attempt."""
    return {
        "id": message.id,
        "webhook": message.endpoint_id,
        "webhook_id": message.identity,
        "topic": message.subject,
        "order": message.order_id,
        "status": message.status.value,
        "error": message.error or None,
        "created_at": message.created_at.isoformat(),
        "due_at": message.due_at.isoformat() if message.status is Status.NEW else None,
        "sent_at": message.sent_at.isoformat() if message.sent_at else None,
        "resend_of": message.resend_of,
        "attempts": [_attempt(one) for one in attempts],
    }


def _attempt(attempt: PostAttempt) -> Json:
    return {
        "at": attempt.at.isoformat(),
        "status": attempt.status,
        "error": attempt.error or None,
        "answer": attempt.excerpt,
        "duration_ms": attempt.duration_ms,
    }
