"""Documents to commands, under the partners' policies: the only place where X12 meets the ledger's words.

Pure. It translates what was said; whether it is allowed is the ledger's rule. One module for each kind of
document.
"""

from dataclasses import replace

from edi.documents import (
    ChangeAcknowledgment,
    Document,
    OrderStatusReport,
    PurchaseOrder,
    PurchaseOrderAcknowledgment,
    PurchaseOrderChange,
    ShipNotice,
)
from pipeline.mapping.acknowledgment import purchase_order_acknowledgment
from pipeline.mapping.change import purchase_order_change
from pipeline.mapping.change_acknowledgment import change_acknowledgment
from pipeline.mapping.objections import wrong_party
from pipeline.mapping.origin import Mapped, Origin, WithoutEffect
from pipeline.mapping.purchase_order import RETRY, purchase_order
from pipeline.mapping.ship_notice import ship_notice
from pipeline.mapping.status_report import order_status_report
from pipeline.partners import Role
from storage.commands import Object
from storage.outcomes import Given

__all__ = ["Mapped", "Origin", "WithoutEffect", "order_number", "orders_named", "to_submission"]


def to_submission(document: Document, origin: Origin) -> Mapped:
    """The commands one document stands for; a document of the other side's kind stands for none.

    Answers to what the document asks by its words alone are acted on here, as long as it asks just that; the
    others go on with the commands, for the rule to see whether they still count.
    """
    own: tuple[Given, ...] = ()
    others: tuple[Given, ...] = ()
    for given in origin.answers:
        mapped = _mapped(document, replace(origin, answers=own))
        commands = () if isinstance(mapped, WithoutEffect) else mapped.commands
        asked = {command.question for command in commands if isinstance(command, Object)}
        if given.question is None or given.question in asked:
            own = (*own, given)
        if given.question is None or (given.question not in asked and given.choice != RETRY):
            others = (*others, given)
    mapped = _mapped(document, replace(origin, answers=own))
    if not origin.answers or isinstance(mapped, WithoutEffect):
        return mapped
    return replace(
        mapped,
        commands=tuple(
            replace(one, answers=(*own, *others) if isinstance(one, Object) else others)
            for one in mapped.commands
        ),
    )


def _mapped(document: Document, origin: Origin) -> Mapped:
    buyers = isinstance(document, PurchaseOrder | PurchaseOrderChange)
    if origin.sender.role is not (Role.BUYER if buyers else Role.SELLER):
        return wrong_party(origin, order_number(document))
    match document:
        case PurchaseOrder():
            return purchase_order(document, origin)
        case PurchaseOrderChange():
            return purchase_order_change(document, origin)
        case PurchaseOrderAcknowledgment():
            return purchase_order_acknowledgment(document, origin)
        case ChangeAcknowledgment():
            return change_acknowledgment(document, origin)
        case ShipNotice():
            return ship_notice(document, origin)
        case OrderStatusReport():
            return order_status_report(document, origin)


def order_number(document: Document) -> str:
    """The PO number a report names; of a document about several orders, the first."""
    return next((po_number for po_number, _ in orders_named(document)), "")


def orders_named(document: Document) -> tuple[tuple[str, str], ...]:
    """The PO number and the release of each order a document names."""
    if isinstance(document, ShipNotice | OrderStatusReport):
        return tuple((order.po_number, order.release) for order in document.orders)
    return ((document.po_number, document.release),)
