"""850 to commands: an order, its cancellation, or the whole order said anew (spec 1.8, 2.1, 2.2)."""

from dataclasses import replace

from edi.codes import RELEASE_ORDER_TYPES, words
from edi.documents import OrderLine, PurchaseOrder
from pipeline.items import line_reference, new_line
from pipeline.mapping.objections import cancel_all, held, refused_purpose
from pipeline.mapping.origin import Mapped, Origin, WithoutEffect, order_parts, statement
from pipeline.mapping.parties import buyers_order
from storage.commands import (
    CancelOrder,
    Change,
    ChangeOrder,
    LineChange,
    Locator,
    PlaceOrder,
    Submission,
)
from storage.outcomes import Choice

RETRY = "retry"  # asks for no more than to be read again


def purchase_order(document: PurchaseOrder, origin: Origin) -> Mapped:
    """Section 1.8, column BEG01; whatever is not listed needs a person."""
    purpose = origin.policy.purpose("850", document.purpose)
    if document.order_type == "IN" or purpose in ("06", "22"):
        said = words("353", document.purpose)
        return WithoutEffect(f"An 850 for information ({said}); nothing was ordered.")
    release = document.release if document.order_type in RELEASE_ORDER_TYPES else ""  # else a revision
    order = buyers_order(document.po_number, release, document.order_type, document.parties, origin)
    if purpose in ("01", "17") or (purpose in ("00", "04", "05") and _is_zeroed(document, origin)):
        return _cancellation(document, origin, order)
    if purpose in ("02", "03"):
        why = "it cancels with some partners and not with others. Send 01, or have 03 agreed with the hub."
        return refused_purpose(origin, order, "850", purpose, why if purpose == "03" else "send 05 instead.")
    if purpose in ("04", "05"):
        return _restatement(document, origin, order)
    if purpose in ("00", "07", "18"):
        return _place(document, origin, order, repeat=purpose == "07")
    said = (
        f"An 850 with purpose {purpose} ({words('353', purpose)}), PO {document.po_number}: it neither places"
        " nor cancels by rule. Make the change it asks for by hand, or leave it aside."
    )
    return held(origin, order, said)


def _is_zeroed(document: PurchaseOrder, origin: Origin) -> bool:
    """Every PO102 strictly 0, by agreement a cancellation; a quantity that is missing says nothing."""
    quantities = [line.quantity for line in document.lines]
    quantities += [store.quantity for line in document.lines for store in line.stores]
    return (
        origin.policy.zero_is_cancel and bool(quantities) and all(q is not None and not q for q in quantities)
    )


def _place(document: PurchaseOrder, origin: Origin, order: Locator, *, repeat: bool) -> Mapped:
    order = replace(order, seller=order.seller or origin.sender.default_counterparty)
    if not order.seller:
        said = (
            f"PO {document.po_number} names no seller this hub knows: its receiver is the hub, no N1*SE, SU"
            " or VN names a partner, and the buyer has no default_counterparty."
        )
        choice = Choice(RETRY, "read the document again, after the settings were completed")
        return held(origin, order, said, choice)
    command = PlaceOrder(
        **statement(origin, order),
        lines=tuple(new_line(line, origin.policy) for line in document.lines),
        content_hash=origin.order_hash or origin.content_hash,
        ordered_on=document.ordered_on,
        revision="" if order.release else document.release,
        repeat=repeat,
        blanket=document.order_type in RELEASE_ORDER_TYPES and not order.release,
    )
    return Submission(commands=(command,))


def _cancellation(document: PurchaseOrder, origin: Origin, order: Locator) -> Submission:
    command = CancelOrder(
        **statement(origin, order),
        part_shipped=origin.policy.cancel_part_shipped,
        effect=origin.policy.buyer_cancel,
        answer_by=origin.policy.answer_by(origin.at),
    )
    key = origin.key("850", *order_parts(order), document.release, document.purpose)
    return Submission(commands=(command,), document=key)


def _restatement(document: PurchaseOrder, origin: Origin, order: Locator) -> Submission:
    """The order as it is to be. A revision may be corrected under its number: the content is in the key."""
    if not document.lines:
        if origin.answered("cancel"):
            return _cancellation(document, origin, order)
        said = (
            f"An 850 that replaces PO {document.po_number} names no line: is everything cancelled, or"
            " did only the heading change?"
        )
        return held(origin, order, said, cancel_all(document.po_number))
    command = ChangeOrder(
        **statement(origin, order),
        lines=tuple(_restated_line(line, origin) for line in document.lines),
        restates=True,
        sequence="" if order.release else document.release,
        issued_at=origin.issued_at,
        content_hash=origin.content_hash,
        part_shipped=origin.policy.cancel_part_shipped,
        effect=origin.policy.buyer_cancel,
        answer_by=origin.policy.answer_by(origin.at),
    )
    key = origin.key("850", *order_parts(order), document.release, document.purpose, origin.content_hash)
    return Submission(commands=(command,), document=key)


def _restated_line(line: OrderLine, origin: Origin) -> LineChange:
    new = new_line(line, origin.policy)
    return LineChange(
        line=line_reference(line.number, line.ids, origin.policy),
        change=Change.SET,
        quantity=new.quantity,
        unit=new.unit,
        new=new,
        location_quantities=new.location_quantities,
    )
