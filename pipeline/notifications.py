"""Who is told what: facts of the ledger and of what arrived become notices, one per address. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from pipeline.actors import seen_by, source_words
from pipeline.amounts import total
from pipeline.notices import (
    FINDINGS_MAX,
    LINES_MAX,
    AnswerMissed,
    AnswerRejected,
    Cancellation,
    CancellationRefused,
    CancellationRequested,
    Context,
    DocumentRefused,
    DocumentRejected,
    LinesCancelled,
    Notice,
    NoticeLine,
    OrderCancelled,
    Party,
    Problem,
    RequestLapsed,
    RequestRefused,
    RequestWithdrawn,
    totals_of,
)
from pipeline.reasons import named_reason
from storage.commands import Command, Reason, Source
from storage.events import EventKind, LedgerEvent, Units
from storage.messages import OutboxMessage
from storage.orders import ZERO, ItemId, LineState, OrderKey, OrderState, OrderStatus
from storage.outcomes import Outcome, Question
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

    def party(self, partner: str, role: str) -> Party:
        """The partner as a side of an order. One that left the settings keeps its id as its name."""
        contact = self.partners.get(partner)
        return Party(contact.name if contact else partner, role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Something that arrived and could not be used as it came; what the hub's support must know of it."""

    origin: str  # what it is, for the dedupe key: "set:12" or "file:7"
    at: datetime
    source: Source
    partner: str  # "" when nobody can tell
    outcome: Outcome  # FAULTY, HELD, REFUSED or PARKED (waited too long)
    quarantined: bool = False  # kept apart and not answered, because it may not be the partner's own
    problems: tuple[Problem, ...] = ()
    po_number: str = ""
    question: Question | None = None
    held: str = ""  # the id to answer under


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
    lines = tuple(
        _cancelled_line(line, moved.get(line.id), event.reason)
        for line in after.lines
        if whole or line.id in moved
    )
    said = _said(event.by, event.at, event.source, after.key, addressees, reader) | {
        "lines": lines[:LINES_MAX], "lines_left_out": max(0, len(lines) - LINES_MAX),
        "totals": totals_of(lines),
        "reason": reason_words(event.reason), "note": event.note, "status": status_words(after),
    }  # fmt: skip
    match event.kind:
        case EventKind.ORDER_CANCELLED:
            return OrderCancelled(**said, lines_cancelled=len(moved))
        case EventKind.LINES_CANCELLED:
            return LinesCancelled(**said, remaining=_figure(after, "open"), agreed=AGREED in event.notes)
        case EventKind.CANCELLATION_REQUESTED:
            return CancellationRequested(**said, answer_by=event.answer_by)
        case EventKind.REQUEST_WITHDRAWN:
            return RequestWithdrawn(**said)
        case EventKind.REQUEST_LAPSED:
            return AnswerMissed(**said) if reader == after.key.seller else RequestLapsed(**said)
        case _:
            return RequestRefused(**said)


def cancellation_refused_notices(
    origin: str, command: Command, refusals: Sequence[RefusedLine], after: OrderState | None,
    events: Sequence[LedgerEvent], addressees: Addressees,
) -> tuple[Notice, ...]:  # fmt: skip
    """Who asked for a cancellation is told what was not done. `origin` names the cause, as "set:12"."""
    units = {line.id: line.unit for line in after.lines} if after else {}

    def moved(*kinds: EventKind) -> str:
        found = (one for event in events if event.kind in kinds for one in event.units)
        return total((one.quantity, units.get(one.line_id, "")) for one in found)

    context = CancellationRefused(
        **_said(command.by, command.at, command.source, _key(command, after), addressees, command.by),
        **_refused(refusals, command.by, after),
        fulfilled=_figure(after, "fulfilled") if after and any(r.fulfilled for r in refusals) else "",
        cancelled=moved(EventKind.ORDER_CANCELLED, EventKind.LINES_CANCELLED),
        requested=moved(EventKind.CANCELLATION_REQUESTED),
    )
    return _addressed(context, command.by, context.by.name, origin, addressees)


def document_refused_notices(
    origin: str,
    command: Command,
    refusals: Sequence[RefusedLine],
    order: OrderState | None,
    addressees: Addressees,
) -> tuple[Notice, ...]:
    """The sender of a document that the ledger refused is told which, why, and what to do."""
    context = DocumentRefused(
        **_said(command.by, command.at, command.source, _key(command, order), addressees, command.by),
        **_refused(refusals, command.by, order),
        type=command.source.type,
        document=_DOCUMENTS.get(command.source.type, "document"),
    )
    return _addressed(context, command.by, context.by.name, origin, addressees)


def document_rejected_notices(unusable: Unusable, addressees: Addressees) -> tuple[Notice, ...]:
    """The hub's support is told of what could not be used, and of what waits for an answer."""
    source, question = unusable.source, unusable.question
    contact = addressees.partners.get(unusable.partner)
    what = "the file"
    if source.set:
        what = f"the {source.type or 'document'} (set {source.set})"
    elif source.interchange:
        what = f"interchange {source.interchange}"
    context = DocumentRejected(
        hub=addressees.hub, support=addressees.support, at=unusable.at,
        source=source_words(source, addressees.hub, contact.name if contact else unusable.partner),
        file=source.file, partner=contact.name if contact else unusable.partner, what=what,
        became="was quarantined" if unusable.quarantined else _BECAME[unusable.outcome],
        quarantined=unusable.quarantined,
        po_number=unusable.po_number, problems=unusable.problems[:FINDINGS_MAX],
        problems_left_out=max(0, len(unusable.problems) - FINDINGS_MAX), held=unusable.held,
        question=question.statement if question else "",
        choices=tuple((choice.name, choice.effect) for choice in question.choices) if question else (),
    )  # fmt: skip
    return (_notice(context, addressees.support, unusable.origin),)


def answer_rejected_notices(unusable: Unusable, addressees: Addressees) -> tuple[Notice, ...]:
    """The hub's support is told that a partner did not take documents of ours; the problems say which."""
    contact = addressees.partners.get(unusable.partner)
    context = AnswerRejected(
        hub=addressees.hub, support=addressees.support, at=unusable.at,
        source=source_words(unusable.source, addressees.hub, ""),
        partner=contact.name if contact else unusable.partner,
        problems=unusable.problems[:FINDINGS_MAX],
        problems_left_out=max(0, len(unusable.problems) - FINDINGS_MAX),
    )  # fmt: skip
    return (_notice(context, addressees.support, unusable.origin),)


def reason_words(reason: Reason) -> str:
    """The reason in words with the code in brackets."""
    if named_reason(reason.code):
        return reason.text  # of our own list, whose names are for machines
    if not reason.text:
        return f"Code {reason.code}" if reason.code else ""
    return f"{reason.text} [{reason.code}]" if reason.code else reason.text


def item_words(item: ItemId) -> str:
    """A product id with what kind of id it is."""
    return f"{_ITEMS.get(item.qualifier, item.qualifier)} {item.id}".strip()


def status_words(order: OrderState) -> str:
    """The order's status with the figures that make it so."""
    counted = [(name, _figure(order, name)) for name in ("fulfilled", "cancelled", "open")]
    match order.status:
        case OrderStatus.CANCELLED:
            return "Cancelled: nothing is open"
        case OrderStatus.FULFILLED:
            return "Fulfilled: everything ordered was fulfilled"
        case OrderStatus.COMPLETE:
            return "Complete, nothing is open: " + ", ".join(
                f"{said} {name}" for name, said in counted if said
            )
        case status:
            word = "Open" if status is OrderStatus.OPEN else "Partly fulfilled"
            return f"{word}: " + ", ".join(f"{said} {name}" for name, said in counted if said)


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
        return tuple(_notice(context, to, origin) for to in notify)
    return (_notice(replace(context, pass_on=name), addressees.support, origin),)


def _notice(context: Context, to: str, origin: str) -> Notice:
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


def _refused(refusals: Sequence[RefusedLine], by: str, order: OrderState | None) -> dict[str, Any]:
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
    }  # fmt: skip


def _line(line: LineState, quantity: Decimal | None, why: str) -> NoticeLine:
    items = tuple(map(item_words, line.ids))
    return NoticeLine(
        line=line.line, unit=line.unit, quantity=quantity, ordered=line.ordered, fulfilled=line.fulfilled,
        cancelled=line.cancelled, open=line.open, items=items, description=line.description, why=why,
    )  # fmt: skip


def _figure(order: OrderState, counter: str) -> str:
    """One counter of the whole order in words; "" when it is nought."""
    return total((getattr(line, counter), line.unit) for line in order.lines)


_BECAME = {
    Outcome.FAULTY: "could not be read",
    Outcome.HELD: "is held",
    Outcome.REFUSED: "was refused",
    Outcome.PARKED: "waited in vain for its order",
}

_DOCUMENTS = {
    "850": "purchase order", "855": "purchase order acknowledgment", "856": "ship notice",
    "860": "purchase order change", "865": "purchase order change acknowledgment",
    "870": "order status report",
}  # fmt: skip

# X12 element 235, the codes met in orders; any other is shown as it is
_ITEMS = {
    "BP": "Buyer part", "IN": "Buyer item", "PI": "Buyer item", "CB": "Buyer catalog no.",
    "IT": "Buyer style", "BO": "Colour", "IZ": "Size", "VP": "Seller part", "VN": "Seller item",
    "VC": "Seller catalog no.", "VA": "Seller style", "VE": "Seller colour", "SZ": "Seller size",
    "SK": "SKU", "UP": "UPC", "UI": "UPC", "UK": "GTIN", "UA": "UPC case", "EN": "EAN", "EO": "EAN",
    "IB": "ISBN", "MG": "Maker part", "ST": "Style",
}  # fmt: skip
