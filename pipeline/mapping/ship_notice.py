"""856 to commands: units that left, by order (spec 2.5). Shipping short cancels only where agreed."""

from decimal import Decimal

from edi.codes import words
from edi.documents import ShipNotice, ShippedOrder
from pipeline.items import line_reference
from pipeline.mapping.objections import held, refused_purpose
from pipeline.mapping.origin import Mapped, Origin, WithoutEffect, statement
from pipeline.mapping.parties import sellers_order
from pipeline.policy import AsnWithdraw
from storage.commands import Command, Locator, RecordShipment, ShippedLine, Submission, WithdrawShipment
from storage.outcomes import Choice


def ship_notice(document: ShipNotice, origin: Origin) -> Mapped:
    """Section 1.8, column BSN01. One command for each order; together they are applied or not at all."""
    purpose = origin.policy.purpose("856", document.purpose)
    said = words("353", document.purpose)
    if purpose in ("07", "22"):
        return WithoutEffect(f"An 856 that calls itself a {said}; nothing was shipped by it.")
    orders = [sellers_order(o.po_number, o.release, document.parties, origin) for o in document.orders]
    first = orders[0] if orders else sellers_order("", "", document.parties, origin)
    withdraws = purpose in ("01", "04", "05")
    if purpose in ("02", "03", "06") or (withdraws and origin.policy.asn_withdraw is AsnWithdraw.REFUSE):
        why = "what is fulfilled cannot be taken back by sending the notice again."
        return refused_purpose(origin, first, "856", purpose, why)
    if not orders:
        asked = (
            f"An 856 with purpose {purpose} ({said}), shipment {document.shipment_id}, names no order: which?"
        )
        return held(origin, first, asked)
    if withdraws:
        return _withdrawal(document, orders, origin, replaced=purpose != "01")
    if purpose != "00" and not origin.answered("ship"):
        asked = (
            f"An 856 with purpose {purpose} ({said}), shipment {document.shipment_id}: did these units leave?"
        )
        return held(origin, first, asked, Choice("ship", "record the shipment as fulfilled"))
    commands = tuple(
        _shipment(document.shipment_id, shipped, order, origin)
        for shipped, order in zip(document.orders, orders, strict=True)
    )
    return Submission(commands=commands, document=origin.key("856", document.shipment_id))


def _shipment(shipment_id: str, shipped: ShippedOrder, order: Locator, origin: Origin) -> Command:
    return RecordShipment(
        **statement(origin, order),
        shipment_id=shipment_id,
        lines=_lines(shipped, origin),
        over_ship=origin.policy.over_ship,
        over_percent=Decimal(origin.policy.over_ship_percent),
        close_rest=origin.policy.ship_and_close,
    )


def _withdrawal(document: ShipNotice, orders: list[Locator], origin: Origin, *, replaced: bool) -> Submission:
    """By agreement: the units are open again, and of a replaced notice its own units left instead."""
    commands = tuple(
        WithdrawShipment(
            **statement(origin, order),
            shipment_id=document.shipment_id,
            lines=_lines(shipped, origin) if replaced else (),
        )
        for shipped, order in zip(document.orders, orders, strict=True)
    )
    key = origin.key("856", document.shipment_id, document.purpose, origin.content_hash)
    return Submission(commands=commands, document=key)


def _lines(shipped: ShippedOrder, origin: Origin) -> tuple[ShippedLine, ...]:
    return tuple(
        ShippedLine(
            line=line_reference(item.number, item.ids, origin.policy),
            quantity=item.quantity,
            unit=origin.policy.unit_aliases.of(item.unit),
        )
        for item in shipped.items
    )
