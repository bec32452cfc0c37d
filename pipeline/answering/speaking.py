"""Speaking: the hub's answer in the seller's name to a buyer's order or change, where it was agreed. Pure."""

from datetime import date, datetime
from decimal import Decimal

from edi.documents import (
    AcknowledgedLine,
    ChangeAcknowledgment,
    ChangedLine,
    LineAcknowledgment,
    PurchaseOrder,
    PurchaseOrderAcknowledgment,
    PurchaseOrderChange,
)
from pipeline.answering.announcements import changed_line, product_ids
from pipeline.policy import ChangeAnswer, OrderAnswer, Policy, RefusalAnswer
from storage.commands import PlaceOrder
from storage.events import EventKind
from storage.ledger import Entry, Result
from storage.orders import ZERO, LineState
from storage.outcomes import Outcome

Spoken = ChangeAcknowledgment | PurchaseOrderAcknowledgment

_RESPONSE, _ORIGINAL = "11", "00"  # 353: BCA01, BAK01
_AS_ASKED, _WITH_DETAIL, _WITHOUT_DETAIL, _REJECTED = "AT", "AC", "AK", "RJ"  # 587: BCA02, BAK02
_PLACING = frozenset({"00", "07", "18"})  # BEG01 of an order that is placed; others change or cancel one


def answer_of(
    document: PurchaseOrder | PurchaseOrderChange,
    result: Result,
    policy: Policy,
    at: datetime,
    *,
    refused: bool,
) -> Spoken | None:
    """An 865 for a change or cancellation, an 855 for an order; None: none is agreed, or due yet.

    `policy` is the buyer's; `refused`: wholly or in part. Section 5, column "answer to sender": AT or AC with
    what was cancelled, RJ with what was refused.
    """
    if not _is_agreed(document, policy, refused=refused):
        return None
    if result.outcome not in (Outcome.APPLIED, Outcome.DUPLICATE, Outcome.REFUSED):
        return None
    entry = result.entries[0]
    rejected = result.outcome is Outcome.REFUSED
    if isinstance(document, PurchaseOrder) and _places(document):
        spoken_of = _speaks_of_it(entry, rejected=rejected)
        return _answered_order(document, entry, at, rejected=rejected) if spoken_of else None
    if any(event.kind is EventKind.CANCELLATION_REQUESTED for event in entry.events):
        return None  # the seller decides, and its own answer goes on
    lines = _refused_lines(entry) if rejected else _cancelled_lines(entry)
    accepted = _WITH_DETAIL if lines else _AS_ASKED
    return ChangeAcknowledgment(
        purpose=_RESPONSE,
        type=_REJECTED if rejected else accepted,
        po_number=document.po_number,
        release=document.release,
        change_number=document.change_number if isinstance(document, PurchaseOrderChange) else "",
        ordered_on=document.ordered_on or at.date(),
        acknowledged_on=at.date(),
        changed_on=_changed_on(document),
        lines=lines,
    )


def _is_agreed(document: PurchaseOrder | PurchaseOrderChange, policy: Policy, *, refused: bool) -> bool:
    """Whether the hub speaks for the seller about this buyer's document: always, or of what was refused."""
    if refused and policy.answer_refusal is RefusalAnswer.CHANGE_ACKNOWLEDGMENT:
        return True
    if _places(document):
        return policy.answer_order is OrderAnswer.ACKNOWLEDGMENT
    return policy.answer_change is ChangeAnswer.CHANGE_ACKNOWLEDGMENT


def _places(document: PurchaseOrder | PurchaseOrderChange) -> bool:
    return isinstance(document, PurchaseOrder) and document.purpose in _PLACING


def _speaks_of_it(entry: Entry, *, rejected: bool) -> bool:
    """Whether an 855 can answer this 850: it speaks of the order under the number, whichever 850 it answers.

    RJ rejects all of that order, AK accepts it as sent (section 1.9): so nothing is rejected where an order
    stands, and a copy is accepted only while the order is what the copy says.
    """
    command, order = entry.command, entry.before
    if not isinstance(command, PlaceOrder):
        return False  # its seller is not known, or a seller sent it
    if order is None:
        return True
    stands = [(line.ordered, line.cancelled) for line in order.lines]
    sent = [(line.quantity, ZERO) for line in command.lines]
    return not rejected and command.content_hash == order.content_hash and stands == sent


def _answered_order(
    document: PurchaseOrder, entry: Entry, at: datetime, *, rejected: bool
) -> PurchaseOrderAcknowledgment:
    by_name = {line.number: line for line in document.lines if line.number}
    lines = [
        AcknowledgedLine(
            number=line.number,
            quantity=line.quantity,
            unit=line.unit,
            ids=line.ids,
            acknowledgments=(LineAcknowledgment(status="IR", quantity=line.quantity, unit=line.unit),),
        )
        for refusal in entry.decision.refusals
        if (line := by_name.get(refusal.line)) is not None and line.quantity and line.quantity > 0
    ]
    return PurchaseOrderAcknowledgment(
        purpose=_ORIGINAL,
        type=_REJECTED if rejected else _WITHOUT_DETAIL,
        po_number=document.po_number,
        ordered_on=document.ordered_on or at.date(),
        release=document.release,
        acknowledged_on=at.date(),
        lines=tuple(lines),
    )


def _cancelled_lines(entry: Entry) -> tuple[ChangedLine, ...]:
    if entry.after is None:
        return ()
    moved: dict[int, Decimal] = {}
    for event in entry.events:
        if event.kind in (EventKind.ORDER_CANCELLED, EventKind.LINES_CANCELLED):
            moved |= {units.line_id: units.quantity for units in event.units}
    kind = EventKind.LINES_CANCELLED
    return tuple(
        changed_line(kind, line, moved[line.id], answered=True)
        for line in entry.after.lines
        if line.id in moved
    )


def _refused_lines(entry: Entry) -> tuple[ChangedLine, ...]:
    known = {line.line: line for line in entry.before.lines} if entry.before else {}
    return tuple(
        _refused_line(known[refusal.line]) for refusal in entry.decision.refusals if refusal.line in known
    )


def _refused_line(line: LineState) -> ChangedLine:
    """POC RC: the change of the line is refused (section 5, row 8). A quantity could be read as rejected."""
    return ChangedLine(
        number=line.line if line.assigned else "",
        change="RC",
        quantity=line.fulfilled + line.open,
        left_to_receive=line.open,
        unit=line.unit,
        ids=product_ids(line),
        acknowledgments=(LineAcknowledgment(status="IR"),),
    )


def _changed_on(document: PurchaseOrder | PurchaseOrderChange) -> date | None:
    return document.changed_on if isinstance(document, PurchaseOrderChange) else None
