"""Announcements: units cancelled or asked for, as the X12 document that tells the other party. Pure."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from edi.documents import (
    AcknowledgedLine,
    ChangeAcknowledgment,
    ChangedLine,
    LineAcknowledgment,
    Party,
    ProductId,
    PurchaseOrderAcknowledgment,
    PurchaseOrderChange,
)
from pipeline.reasons import named_reason
from storage.events import EventKind, LedgerEvent
from storage.orders import LineState, OrderState

Announcement = PurchaseOrderChange | ChangeAcknowledgment | PurchaseOrderAcknowledgment

_DELETE, _DECREASE, _CHANGED_LINE, _REFUSED_CHANGE = "DI", "QD", "CA", "RC"  # POC02, element 670
_ACCEPTED, _REJECTED, _DELETED, _CHANGED = "IA", "IR", "ID", "IQ"  # ACK01, element 668


def announcement(
    event: LedgerEvent, after: OrderState, ordered_on: date, parties: tuple[Party, ...], reader: str
) -> Announcement:
    """An 860 to the seller, an 865 to the buyer, an 855 where the seller said it in one.

    `event` is one of TOLD, with units; `ordered_on` the order's date (BCH06, BCA06, BAK04). `after` is the
    order as its whole command left it: new totals of a line are then the same in every document about it,
    and true in whatever order they are read. X12 has no word for a request that lapsed: to the seller it is
    one that was taken back, to the buyer one that was not agreed to.
    """
    lapsed = event.kind is EventKind.REQUEST_LAPSED
    if reader == after.key.seller:
        event = replace(event, kind=EventKind.REQUEST_WITHDRAWN) if lapsed else event
        return _change(event, after, ordered_on, parties)
    event = replace(event, kind=EventKind.REQUEST_REFUSED) if lapsed else event
    if event.source.type == "855":
        return _acknowledgment(event, after, ordered_on, parties)
    return _answer(event, after, ordered_on, parties)


def _change(
    event: LedgerEvent, after: OrderState, ordered_on: date, parties: tuple[Party, ...]
) -> PurchaseOrderChange:
    """A whole cancellation names no line (section 2.1, first row); parts of lines are DI or QD."""
    whole = event.kind is EventKind.ORDER_CANCELLED or _asks_for_everything(event, after)
    return PurchaseOrderChange(
        purpose="01" if whole else "04",
        order_type="SA",
        po_number=after.key.po_number,
        release=after.key.release,
        change_number=str(event.sequence),
        ordered_on=ordered_on,
        changed_on=event.at.date(),
        parties=parties,
        lines=() if whole else _changed_lines(event, after, answered=False),
    )


def _answer(
    event: LedgerEvent, after: OrderState, ordered_on: date, parties: tuple[Party, ...]
) -> ChangeAcknowledgment:
    refused = event.kind is EventKind.REQUEST_REFUSED
    whole = event.kind is EventKind.ORDER_CANCELLED
    purpose = "11" if refused else "01" if whole else "04"
    return ChangeAcknowledgment(
        purpose=purpose,
        type="RJ" if refused else "AC",
        po_number=after.key.po_number,
        release=after.key.release,
        change_number=str(event.sequence),
        ordered_on=ordered_on,
        acknowledged_on=event.at.date(),
        changed_on=event.at.date(),
        parties=parties,
        lines=() if whole else _changed_lines(event, after, answered=True),
    )


def _acknowledgment(
    event: LedgerEvent, after: OrderState, ordered_on: date, parties: tuple[Party, ...]
) -> PurchaseOrderAcknowledgment:
    """What the seller declines, as a split of what was ordered and not taken away by others (section 2.4)."""
    whole = event.kind is EventKind.ORDER_CANCELLED
    moved = {units.line_id for units in event.units}
    lines = () if whole else tuple(_acknowledged(line) for line in after.lines if line.id in moved)
    return PurchaseOrderAcknowledgment(
        purpose="00",
        type="RJ" if whole else "AC",
        po_number=after.key.po_number,
        ordered_on=ordered_on,
        release=after.key.release,
        acknowledged_on=event.at.date(),
        parties=parties,
        lines=lines,
    )


def _asks_for_everything(event: LedgerEvent, after: OrderState) -> bool:
    return event.kind is EventKind.CANCELLATION_REQUESTED and all(
        line.requested == line.open for line in after.lines
    )


def _changed_lines(event: LedgerEvent, after: OrderState, *, answered: bool) -> tuple[ChangedLine, ...]:
    moved = {units.line_id: units for units in event.units}
    return tuple(
        changed_line(
            event.kind, line, moved[line.id].quantity, answered=answered, reason=moved[line.id].reason.code
        )
        for line in after.lines
        if line.id in moved
    )


def changed_line(
    kind: EventKind,
    line: LineState,
    quantity: Decimal,
    *,
    answered: bool,
    reason: str = "",
) -> ChangedLine:
    """POC03 is the line's new quantity and POC04 what is left of it (section 2.3, reading A).

    A line that is dropped has the status of its reason (`pipeline.reasons`), where it is of our own list.
    """
    named = named_reason(reason)
    dropped = named.meaning.acknowledged if named else _DELETED
    left = line.open
    if kind in (EventKind.CANCELLATION_REQUESTED, EventKind.REQUEST_WITHDRAWN):
        left -= line.requested
    total = line.fulfilled + left
    change = _DELETE if total == 0 else _DECREASE
    acknowledgment = LineAcknowledgment(status=dropped, quantity=quantity, unit=line.unit)
    if kind is EventKind.REQUEST_WITHDRAWN:
        change = _CHANGED_LINE
    elif kind is EventKind.REQUEST_REFUSED:
        change, acknowledgment = (
            _REFUSED_CHANGE,
            LineAcknowledgment(status=_ACCEPTED, quantity=total, unit=line.unit),
        )
    elif total:
        acknowledgment = LineAcknowledgment(status=_CHANGED, quantity=total, unit=line.unit)
    return ChangedLine(
        number=line.line if line.assigned else "",
        change=change,
        quantity=line.ordered if change == _DELETE else total,
        left_to_receive=left,
        unit=line.unit,
        ids=product_ids(line),
        description=line.description,
        acknowledgments=(acknowledgment,) if answered else (),
    )


def _acknowledged(line: LineState) -> AcknowledgedLine:
    """What the seller declined in all and what is left beside it; what others cancelled is neither.

    The two are the whole of PO102, which leaves a reader nothing to ask (section 2.4, item 4).
    """
    kept = line.ordered - line.cancelled
    said = ((_ACCEPTED, kept), (_REJECTED, line.declined))
    return AcknowledgedLine(
        number=line.line if line.assigned else "",
        quantity=kept + line.declined,
        unit=line.unit,
        ids=product_ids(line),
        acknowledgments=tuple(
            LineAcknowledgment(status=status, quantity=quantity, unit=line.unit)
            for status, quantity in said
            if quantity
        ),
    )


def product_ids(line: LineState) -> tuple[ProductId, ...]:
    """The line's ids in X12's terms."""
    return tuple(ProductId(item.qualifier, item.id) for item in line.ids)
