"""Who is told what: facts of the ledger and of what arrived become notices, one per address. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from pipeline.actors import seen_by, source_words
from pipeline.amounts import total
from pipeline.notices.contexts import (
    LINES_MAX,
    AnswerMissed,
    Cancellation,
    CancellationRefused,
    CancellationRequested,
    Context,
    DocumentRefused,
    LinesCancelled,
    Notice,
    NoticeLine,
    OrderCancelled,
    Party,
    RequestLapsed,
    RequestRefused,
    RequestWithdrawn,
    totals_of,
)
from pipeline.reasons import reason_words
from pipeline.telling.words import figure, item_words, status_words
from storage.commands import NO_REASON, Command, Reason, Source
from storage.events import EventKind, LedgerEvent, Units
from storage.messages import OutboxMessage
from storage.orders import ZERO, LineState, OrderKey, OrderState
from storage.refusals import RefusedLine
from storage.requests import AGREED

#: Events that the other party is told of, by e-mail or by document.
TOLD = frozenset(
    {
        EventKind.ORDER_CANCELLED,
        EventKind.LINES_CANCELLED,
        EventKind.CANCELLATION_REQUESTED,
        EventKind.REQUEST_REFUSED,
        EventKind.REQUEST_WITHDRAWN,
        EventKind.REQUEST_LAPSED,
    }
)

_NAMED_MAX = 10  # orders in one sentence


class Contact(Protocol):
    """What a message needs to know of a partner; `pipeline.partners.Partner` is one."""

    @property
    def name(self) -> str: ...

    @property
    def notify(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressees:
    """Everybody a message may go to or speak of: the partners by id, and the hub itself."""

    partners: Mapping[str, Contact]
    hub: str
    support: str  # "" when the hub has no address
    site: str = ""  # the app's address; "" where partners have none

    def link_of(self, order: OrderState | None) -> str:
        """An order in the app; "" where there is none."""
        return f"{self.site}/orders/{order.id}" if self.site and order else ""

    def party(self, partner: str, role: str) -> Party:
        """The partner as a side of an order. One that left the settings keeps its id as its name."""
        contact = self.partners.get(partner)
        return Party(contact.name if contact else partner, role)


def readers_of(event: LedgerEvent, key: OrderKey) -> tuple[str, ...]:
    """The parties that are told of an event: the other one; of what the clock did both. Nobody of others."""
    if event.kind not in TOLD or not event.units:
        return ()
    return (key.buyer, key.seller) if event.kind is EventKind.REQUEST_LAPSED else (key.other(event.by),)


def reader_of(event: LedgerEvent, key: OrderKey, message: OutboxMessage) -> str:
    """Which of the parties that are told of an event a message is for."""
    missed = message.set_type == "860" or f":{AnswerMissed.TEMPLATE}:" in message.dedupe_key
    sellers = event.kind is EventKind.REQUEST_LAPSED and missed
    return key.seller if sellers else key.other(event.by)


def cancellation_notices(
    event: LedgerEvent, after: OrderState, addressees: Addressees, *, but: Collection[str] = ()
) -> tuple[Notice, ...]:
    """Who is to be told of units cancelled or asked for, once per event; `but` those told by document."""
    readers = [reader for reader in readers_of(event, after.key) if reader not in but]
    return tuple(
        notice
        for reader in readers
        for notice in _addressed(
            _cancellation(event, after, addressees, reader),
            reader,
            addressees.party(reader, "").name,
            f"event:{event.id}",
            addressees,
        )
    )


def reminder_notices(request: LedgerEvent, after: OrderState, addressees: Addressees) -> tuple[Notice, ...]:
    """The seller is reminded of a request of whose time half is over. `request` has the units that wait."""
    seller = after.key.seller
    context = _cancellation(request, after, addressees, seller)
    assert isinstance(context, CancellationRequested)
    reminder = replace(context, is_reminder=True)
    origin = f"event:{request.id}:reminder"
    return _addressed(reminder, seller, context.other.name, origin, addressees)


def _cancellation(event: LedgerEvent, after: OrderState, addressees: Addressees, reader: str) -> Cancellation:
    moved = {units.line_id: units for units in event.units}
    whole = event.kind is EventKind.ORDER_CANCELLED
    reason, reason_said = _shared_reason(event)
    lines = tuple(
        _cancelled_line(line, moved.get(line.id), reason) for line in after.lines if whole or line.id in moved
    )
    said = _said(event.by, event.at, event.source, after.key, addressees, reader) | {
        "lines": lines[:LINES_MAX], "lines_left_out": max(0, len(lines) - LINES_MAX),
        "totals": totals_of(lines),
        "reason": reason_said, "note": event.note, "status": status_words(after),
        "order_link": addressees.link_of(after),
    }  # fmt: skip
    match event.kind:
        case EventKind.ORDER_CANCELLED:
            return OrderCancelled(**said, lines_cancelled=len(moved))
        case EventKind.LINES_CANCELLED:
            return LinesCancelled(**said, remaining=figure(after, "open"), agreed=AGREED in event.notes)
        case EventKind.CANCELLATION_REQUESTED:
            in_all = figure(after, "requested")
            asked = total((line.quantity or ZERO, line.unit) for line in lines)
            waiting = in_all if in_all != asked else ""
            return CancellationRequested(**said, answer_by=event.answer_by, waiting=waiting)
        case EventKind.REQUEST_WITHDRAWN:
            return RequestWithdrawn(**said)
        case EventKind.REQUEST_LAPSED:
            return AnswerMissed(**said) if reader == after.key.seller else RequestLapsed(**said)
        case _:
            return RequestRefused(**said)


def _shared_reason(event: LedgerEvent) -> tuple[Reason, str]:
    """The reason given for all of it, as such or with each of its lines, and how it is said."""
    given = {units.reason for units in event.units}
    if event.reason == NO_REASON and len(given) > 1:
        return NO_REASON, "Given with each line"
    shared = given.pop() if event.reason == NO_REASON and given else event.reason
    return shared, reason_words(shared)


def cancellation_refused_notices(
    origin: str, command: Command, refusals: Sequence[RefusedLine], after: OrderState | None,
    events: Sequence[LedgerEvent], addressees: Addressees, others: Sequence[tuple[str, str]] = (),
) -> tuple[Notice, ...]:  # fmt: skip
    """Who asked for a cancellation is told what was not done. `origin` names the cause, as "set:12".

    `others` are the orders, by number and release, that were refused because they stand in the same document.
    """
    units = {line.id: line.unit for line in after.lines} if after else {}

    def moved(*kinds: EventKind) -> str:
        found = (one for event in events if event.kind in kinds for one in event.units)
        return total((one.quantity, units.get(one.line_id, "")) for one in found)

    context = CancellationRefused(
        **_said(command.by, command.at, command.source, _key(command, after), addressees, command.by),
        **_refused(refusals, command.by, after, addressees),
        fulfilled=figure(after, "fulfilled") if after and any(r.fulfilled for r in refusals) else "",
        cancelled=moved(EventKind.ORDER_CANCELLED, EventKind.LINES_CANCELLED),
        requested=moved(EventKind.CANCELLATION_REQUESTED),
        also=_named(others),
    )
    return _addressed(context, command.by, context.by.name, origin, addressees)


def document_refused_notices(
    origin: str,
    command: Command,
    refusals: Sequence[RefusedLine],
    order: OrderState | None,
    addressees: Addressees,
    others: Sequence[tuple[str, str]] = (),
) -> tuple[Notice, ...]:
    """The sender of a document that the ledger refused is told which, why, and what to do.

    `others` are as for a cancellation.
    """
    context = DocumentRefused(
        **_said(command.by, command.at, command.source, _key(command, order), addressees, command.by),
        **_refused(refusals, command.by, order, addressees),
        type=command.source.type,
        document=_DOCUMENTS.get(command.source.type, "document"),
        also=_named(others),
    )
    return _addressed(context, command.by, context.by.name, origin, addressees)


def _named(orders: Sequence[tuple[str, str]]) -> str:
    names = [f"PO {po} (release {release})" if release else f"PO {po}" for po, release in orders[:_NAMED_MAX]]
    if more := len(orders) - len(names):
        names.append(f"{more} more")
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _said(
    by: str, at: datetime, source: Source, key: OrderKey, addressees: Addressees, reader: str
) -> dict[str, Any]:
    """The fields that say who spoke, about which order, when and by which document, to this reader."""
    buyer, seller = addressees.party(key.buyer, "buyer"), addressees.party(key.seller, "seller")
    if by in (key.buyer, key.seller):
        party, other = (buyer, seller) if by == key.buyer else (seller, buyer)
    else:  # a third party; what it may learn of the order is its number, which it said itself
        party, other = addressees.party(by, "partner"), Party("", "")
    said = source_words(seen_by(reader, by, source), addressees.hub, party.name)
    return {
        "hub": addressees.hub, "support": addressees.support, "source": said, "at": at,
        "by": party, "other": other, "po_number": key.po_number, "release": key.release,
    }  # fmt: skip


def _addressed(
    context: Context, partner: str, name: str, origin: str, addressees: Addressees
) -> tuple[Notice, ...]:
    """One notice per address; without any, one to the hub's support, which is asked to pass it on."""
    contact = addressees.partners.get(partner)
    notify = tuple(dict.fromkeys(contact.notify)) if contact else ()
    if notify:
        return tuple(notice_of(context, to, origin) for to in notify)
    return (notice_of(replace(context, pass_on=name), addressees.support, origin),)


def notice_of(context: Context, to: str, origin: str) -> Notice:
    template = context.TEMPLATE
    return Notice(template=template, context=context, to=to, dedupe_key=f"{origin}:{template}:{to}")


def _key(command: Command, order: OrderState | None) -> OrderKey:
    if order:
        return order.key
    meant = command.order
    return OrderKey(buyer=meant.buyer, seller=meant.seller, po_number=meant.po_number, release=meant.release)


def _cancelled_line(line: LineState, moved: Units | None, shared: Reason) -> NoticeLine:
    why = reason_words(moved.reason) if moved and moved.reason != shared else ""
    return _line(line, moved.quantity if moved else ZERO, why)


def _refused(
    refusals: Sequence[RefusedLine], by: str, order: OrderState | None, addressees: Addressees
) -> dict[str, Any]:
    """The fields that say what was refused: by line where the order has the line, else as a sentence."""
    if order and by not in (order.key.buyer, order.key.seller):
        order = None  # nothing of the order is shown to a third party
    known = {line.line: line for line in order.lines} if order else {}
    lines, problems = [], []
    for refusal in refusals:
        if line := known.get(refusal.line):
            message = refusal.message.removeprefix(f"Line {refusal.line}: ")
            lines.append(_line(line, refusal.asked, message[:1].upper() + message[1:]))
        else:
            problems.append(refusal.message)
    return {
        "refused": tuple(lines[:LINES_MAX]), "lines_left_out": max(0, len(lines) - LINES_MAX),
        "problems": tuple(problems[:LINES_MAX]), "status": status_words(order) if order else "",
        "order_link": addressees.link_of(order),
    }  # fmt: skip


def _line(line: LineState, quantity: Decimal | None, why: str) -> NoticeLine:
    items = tuple(map(item_words, line.ids))
    return NoticeLine(
        line=line.line, unit=line.unit, quantity=quantity, ordered=line.ordered, fulfilled=line.fulfilled,
        cancelled=line.cancelled, open=line.open, items=items, description=line.description, why=why,
    )  # fmt: skip


_DOCUMENTS = {
    "850": "purchase order", "855": "purchase order acknowledgment", "856": "ship notice",
    "860": "purchase order change", "865": "purchase order change acknowledgment",
    "870": "order status report",
}  # fmt: skip
