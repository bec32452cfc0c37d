"""860 to commands: a buyer's change of an order, or its cancellation (spec 1.8, 1.11, 2.1)."""

from edi.codes import words
from edi.documents import PurchaseOrderChange
from pipeline.mapping.change_lines import cancels_order, line_changes, others_choice
from pipeline.mapping.objections import cancel_all, held, held_doubts, refused_purpose
from pipeline.mapping.origin import Mapped, Origin, WithoutEffect, statement
from pipeline.mapping.parties import buyers_order
from storage.commands import (
    NO_REASON,
    CancelOrder,
    ChangeOrder,
    DocumentKey,
    LineChange,
    Locator,
    Reason,
    Submission,
)


def purchase_order_change(document: PurchaseOrderChange, origin: Origin) -> Mapped:
    """Section 1.8, column BCH01. A cancellation cancels whatever its lines say; most have none."""
    purpose = origin.policy.purpose("860", document.purpose)
    said = words("353", document.purpose)
    if document.order_type == "IN" or purpose in ("06", "07", "22"):
        return WithoutEffect(f"An 860 that calls itself a {said}; nothing is changed by it.")
    order = buyers_order(document.po_number, document.release, document.order_type, document.parties, origin)
    if purpose in ("01", "17"):
        return _cancellation(document, origin, order)
    if purpose in ("02", "03"):
        why = "say at each line what changes (AI, DI), or have this purpose agreed with the hub."
        return refused_purpose(origin, order, "860", purpose, why)
    if purpose not in ("00", "04", "05"):
        asked = (
            f"An 860 with purpose {purpose} ({said}), PO {document.po_number}: is the order to be changed?"
        )
        return held(origin, order, asked)
    return _lines(document, origin, order, restates=purpose == "05")


def _lines(document: PurchaseOrderChange, origin: Origin, order: Locator, *, restates: bool) -> Mapped:
    po_number = document.po_number
    whole = cancels_order(document.lines)
    if whole or (whole is None and origin.answered("cancel")):
        return _cancellation(document, origin, order, Reason("CF", words("670", "CF")))
    if whole is None:
        said = (
            f"An 860 cancels PO {po_number} as a whole (CF) and changes lines of it as well: what is meant?"
        )
        return held(origin, order, said, cancel_all(po_number))
    if restates and not document.lines:
        if origin.answered("cancel"):
            return _cancellation(document, origin, order)
        said = f"An 860 that replaces PO {po_number} names no line: is everything cancelled, or nothing?"
        return held(origin, order, said, cancel_all(po_number))
    changes, doubts = line_changes(document.lines, origin, restates=restates)
    if doubts:
        return held_doubts(origin, order, doubts, *others_choice(changes, restates=restates))
    if not changes:
        return WithoutEffect(f"An 860 for PO {po_number} that changes no line; nothing is changed by it.")
    return _change(document, origin, order, changes, restates=restates)


def _change(
    document: PurchaseOrderChange,
    origin: Origin,
    order: Locator,
    changes: tuple[LineChange, ...],
    *,
    restates: bool,
) -> Submission:
    command = ChangeOrder(
        **statement(origin, order),
        lines=changes,
        restates=restates,
        sequence=document.change_number,
        issued_at=origin.issued_at,
        content_hash=origin.content_hash,
        part_shipped=origin.policy.cancel_part_shipped,
        effect=origin.policy.buyer_cancel,
        answer_by=origin.policy.answer_by(origin.at),
    )
    return Submission(commands=(command,), document=_key(document, origin, order))


def _cancellation(
    document: PurchaseOrderChange, origin: Origin, order: Locator, reason: Reason = NO_REASON
) -> Submission:
    """A purpose (353) says what is done and not why; so it is no reason."""
    command = CancelOrder(
        **statement(origin, order),
        reason=reason,
        sequence=document.change_number,
        part_shipped=origin.policy.cancel_part_shipped,
        effect=origin.policy.buyer_cancel,
        answer_by=origin.policy.answer_by(origin.at),
    )
    return Submission(commands=(command,), document=_key(document, origin, order))


def _key(document: PurchaseOrderChange, origin: Origin, order: Locator) -> DocumentKey:
    changed_on = document.changed_on.isoformat() if document.changed_on else ""
    return origin.change_key("860", order, document.change_number, changed_on)
