"""Wording: what the ledger says of orders, in the words of the app's pages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain

from sqlalchemy import Connection

from pipeline.actors import seen_by, source_words
from pipeline.amounts import amounts, total
from pipeline.reasons import reason_words
from pipeline.screen import HOURS_SHOWN_MAX
from pipeline.telling.notifications import reader_of
from pipeline.telling.words import item_words
from storage.digests import DigestPart, told_in_digests
from storage.events import EventKind, LedgerEvent, Units
from storage.messages import OutboxMessage, list_messages
from storage.order_lists import Totals
from storage.orders import LineState, OrderStatus
from storage.queries import OrderView
from storage.states import Kind, Status

#: A partner's name by its id.
Named = Callable[[str], str]

STATUSES = {
    OrderStatus.OPEN: "Open",
    OrderStatus.PARTLY_FULFILLED: "Partly fulfilled",
    OrderStatus.FULFILLED: "Fulfilled",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.COMPLETE: "Complete",
}
_HAPPENED = {
    EventKind.ORDER_PLACED: "{by} placed the order",
    EventKind.ORDER_CANCELLED: "{by} cancelled the order, as far as it was open",
    EventKind.LINES_CANCELLED: "{by} cancelled units",
    EventKind.LINES_FULFILLED: "{by} shipped",
    EventKind.SHIPMENT_WITHDRAWN: "{by} took a shipment back; its units are open again",
    EventKind.LINES_ADDED: "{by} added lines",
    EventKind.UNITS_ADDED: "{by} ordered more",
    EventKind.CANCELLATION_REQUESTED: "{by} asked to cancel",
    EventKind.REQUEST_WITHDRAWN: "{by} took back its request to cancel",
    EventKind.REQUEST_REFUSED: "{by} did not agree to cancel",
    EventKind.REQUEST_LAPSED: "{by} did not answer in time; the request to cancel lapsed",
    EventKind.ORDER_ACKNOWLEDGED: "{by} answered the order",
    EventKind.NOTED: "{by} said something about the order",
}
_KINDS = {
    EventKind.ORDER_CANCELLED: "cancelled",
    EventKind.LINES_CANCELLED: "cancelled",
    EventKind.LINES_FULFILLED: "fulfilled",
    EventKind.CANCELLATION_REQUESTED: "requested",
    EventKind.REQUEST_REFUSED: "requested",
    EventKind.REQUEST_LAPSED: "requested",
    EventKind.REQUEST_WITHDRAWN: "requested",
}
_MINUTES_SHOWN_MAX = 120  # beyond, hours say enough
_BAR_UNITS = 100  # the width of a bar


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line's bar, in hundredths of its width."""

    kind: str
    start: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as pages show it; quantities as decimals."""

    line: str
    description: str
    items: tuple[str, ...]
    unit: str
    ordered: Decimal
    fulfilled: Decimal
    cancelled: Decimal
    requested: Decimal
    open: Decimal
    bar: tuple[Part, ...]

    @property
    def said(self) -> str:
        """The bar, for who cannot see it."""
        return _said(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event of the timeline in words."""

    at: datetime
    kind: str  # for its colour
    title: str
    units: tuple[str, ...]
    amount: str  # of them all
    reason: str
    note: str
    notes: tuple[str, ...]
    reference: str
    document: str
    event_id: int = 0
    actor: str = ""  # for support: who had the document decided


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of an order's units of one measure, with its bar."""

    totals: Totals
    bar: tuple[Part, ...]

    @property
    def said(self) -> str:
        """The bar, for who cannot see it."""
        return _said(self.totals)


def counted_of(totals: Iterable[Totals]) -> list[Counted]:
    """The quantities of an order in a list."""
    return [Counted(one, _bar(one)) for one in totals]


def _said(of: "Line | Totals") -> str:
    counted = (("fulfilled", of.fulfilled), ("cancelled", of.cancelled), ("open", of.open))
    figures = ", ".join(f"{amounts([(quantity, of.unit)])} {word}" for word, quantity in counted if quantity)
    return f"Of {amounts([(of.ordered, of.unit)])}: {figures or 'nothing'}"


def line_of(line: LineState) -> Line:
    """A line with its bar."""
    return Line(
        line=line.line, description=line.description, items=tuple(map(item_words, line.ids)), unit=line.unit,
        ordered=line.ordered, fulfilled=line.fulfilled, cancelled=line.cancelled,
        requested=line.requested, open=line.open, bar=_bar(line),
    )  # fmt: skip


def _bar(line: LineState | Totals) -> tuple[Part, ...]:
    counted = (
        ("fulfilled", line.fulfilled), ("cancelled", line.cancelled),
        ("requested", line.requested), ("open", line.open - line.requested),
    )  # fmt: skip
    parts, start = [], Decimal(0)
    for kind, quantity in counted:
        if quantity > 0 and line.ordered:
            width = quantity * _BAR_UNITS / line.ordered
            parts.append(Part(kind, f"{start:.3f}", f"{width:.3f}"))
            start += width
    return tuple(parts)


def happening(
    event: LedgerEvent, lines: dict[int, LineState], named: Named, hub: str, reader: str
) -> Happening:
    """An event in words, with the document or the person behind it as far as this party may know."""
    source = seen_by(reader, event.by, event.source)
    return Happening(
        at=event.at,
        kind=_KINDS.get(event.kind, "other"),
        title=_HAPPENED[event.kind].format(by=named(event.by)),
        units=tuple(_units(units, event, lines) for units in event.units),
        amount=total((units.quantity, _unit(units, lines)) for units in event.units),
        reason=reason_words(event.reason),
        note=event.note,
        notes=event.notes,
        reference="" if any(event.reference in note for note in event.notes) else event.reference,
        document=source_words(source, hub, named(event.by)),
        event_id=event.id,
        actor=source.actor,
    )


def _units(units: Units, event: LedgerEvent, lines: dict[int, LineState]) -> str:
    unit = _unit(units, lines)
    why = reason_words(units.reason) if units.reason != event.reason else ""
    return f"{amounts([(units.quantity, unit)])} of line {units.line}" + (f": {why}" if why else "")


def _unit(units: Units, lines: dict[int, LineState]) -> str:
    line = lines.get(units.line_id)
    return line.unit if line else ""


def time_left(answer_by: datetime, now: datetime) -> str:
    """How long a request can still be answered, in the unit that says enough."""
    minutes = int((answer_by - now).total_seconds()) // 60
    if minutes < 0:
        return "lapses now"
    if minutes < _MINUTES_SHOWN_MAX:
        return f"{minutes} min left"
    hours = minutes // 60
    return f"{hours} h left" if hours < HOURS_SHOWN_MAX else f"{hours // 24} days left"


def ways(by: Iterable[str]) -> str:
    """How somebody is told, in words."""
    return " and ".join(_WAYS[way] for way in by)


_WAYS = {
    "email": "by e-mail",
    "digest": "by e-mail within the hour",
    "x12": "by an X12 document",
    "support": "by the hub's staff, for no address is known",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message about an event, as both parties may know of it."""

    id: int | None  # None: a digest, of which this event is a part
    name: str  # of the partner who is told
    is_mail: bool
    set_type: str  # of a document; "" for a mail
    state: str
    is_sent: bool
    at: datetime | None


_STATES = {
    Status.NEW: "waits to be sent", Status.SENDING: "is being sent", Status.COMMITTING: "is being sent",
    Status.SENT: "sent", Status.UNCERTAIN: "may or may not have been sent; the hub is looking",
    Status.FAILED: "could not be sent; the hub is looking",
    Status.REFUSED: "could not be sent; the hub is looking",
}  # fmt: skip
_MESSAGES_MAX = 200  # of one order, the newest


def told_of(tx: Connection, named: Named, view: OrderView) -> dict[int, tuple[Told, ...]]:
    """Who was told of what, by event: the other party of whoever caused it. Webhooks have their own log."""
    events = {event.id: event for event in view.events}
    told: dict[int, list[Told]] = {}
    found = (
        list_messages(tx, kind=kind, order_id=view.summary.id, limit=_MESSAGES_MAX, with_payload=False)
        for kind in (Kind.EMAIL, Kind.ACKNOWLEDGMENT)
    )
    for message in sorted(chain.from_iterable(found), key=lambda message: message.id):
        event = events.get(message.event_id or 0)
        if event is not None:
            told.setdefault(event.id, []).append(told_by(message, event, named, view))
    for part in told_in_digests(tx, tuple(events)):
        told.setdefault(part.event_id, []).append(_told_in_digest(part, named(part.partner)))
    return {event_id: tuple(messages) for event_id, messages in told.items()}


def _told_in_digest(part: DigestPart, name: str) -> Told:
    """A digest is its reader's own: it may tell of other orders too, so nobody else is shown it."""
    return Told(
        id=None, name=name, is_mail=True, set_type="",
        state=_STATES[part.status] if part.status else "waits for the hour to end",
        is_sent=part.status is Status.SENT, at=part.sent_at,
    )  # fmt: skip


def told_by(message: OutboxMessage, event: LedgerEvent, named: Named, view: OrderView) -> Told:
    """A message about an event of an order."""
    name = named(reader_of(event, view.summary.key, message))
    return Told(
        id=message.id, name=name, is_mail=message.kind is Kind.EMAIL, set_type=message.set_type,
        state=_STATES[message.status], is_sent=message.status is Status.SENT, at=message.sent_at,
    )  # fmt: skip
