"""Advice: the ledger's no, as the 824 that tells a document's sender. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from edi.advice_codes import Situation, advice_code
from edi.documents import (
    AdviceError,
    AdvisedTransaction,
    ApplicationAdvice,
    Document,
    OrderStatusReport,
    ShipNotice,
)
from edi.envelope import FunctionalGroup, TransactionSet
from storage.refusals import Refusal, RefusedLine

_RESPONSE = "11"  # BGN01, element 353
_REFUSED, _IN_PART = "TR", "TP"  # OTI01, element 110
_ORDER_REFERENCE, _SHIPMENT_REFERENCE = "PO", "SI"  # OTI02, element 128

#: Each refusal with the situation an 824 names (section 1.7); the words say the rest.
SITUATIONS: Mapping[Refusal, Situation] = {
    Refusal.WRONG_PARTY: Situation.NOT_AUTHORISED,
    Refusal.PURPOSE_NOT_ALLOWED: Situation.PURPOSE_NOT_ALLOWED,
    Refusal.ORDER_UNKNOWN: Situation.ORDER_UNKNOWN,
    Refusal.ORDER_CANCELLED: Situation.ORDER_CANCELLED,
    Refusal.ORDER_FULFILLED: Situation.ORDER_COMPLETE,
    Refusal.ORDER_COMPLETE: Situation.ORDER_COMPLETE,
    Refusal.ORDER_EXISTS: Situation.DUPLICATE_ORDER,
    Refusal.SHIPMENT_EXISTS: Situation.DUPLICATE_SHIPMENT,
    Refusal.PART_SHIPPED: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.EMPTY_ORDER: Situation.OTHER,
    Refusal.CONTRADICTORY: Situation.CONTRADICTORY,
    Refusal.LINE_UNKNOWN: Situation.LINE_UNKNOWN,
    Refusal.LINE_CONTRADICTED: Situation.LINE_UNKNOWN,
    Refusal.LINE_AMBIGUOUS: Situation.LINE_UNKNOWN,
    Refusal.UNIT_MISMATCH: Situation.UNIT_MISMATCH,
    Refusal.QUANTITY_MISSING: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.QUANTITY_NEGATIVE: Situation.QUANTITY_NEGATIVE,
    Refusal.QUANTITY_ZERO: Situation.QUANTITY_ZERO,
    Refusal.QUANTITY_OUT_OF_RANGE: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.QUANTITY_FRACTION: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.STORES_DO_NOT_ADD_UP: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.LINE_CANCELLED: Situation.ORDER_CANCELLED,
    Refusal.LINE_FULFILLED: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.EXCEEDS_OPEN: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.OVER_SHIPMENT: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.QUANTITY_RAISED: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.ACCEPTS_DECLINED: Situation.ORDER_CANCELLED,
    Refusal.DOCUMENT_EXISTS: Situation.OTHER,
    Refusal.STALE: Situation.OTHER,
    Refusal.SHIPMENT_UNKNOWN: Situation.OTHER,
    Refusal.LINE_EXISTS: Situation.ACTION_NOT_ALLOWED,
    Refusal.QUANTITIES_DO_NOT_FIT: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.REVIVES_CANCELLED: Situation.ORDER_CANCELLED,
    Refusal.EXCEEDS_REQUESTED: Situation.QUANTITY_OUT_OF_RANGE,
    Refusal.NOT_ANSWERED: Situation.OTHER,
    Refusal.REQUEST_LAPSED: Situation.OTHER,
    Refusal.NOTHING_ASKED: Situation.OTHER,
}


def advice(
    document: Document,
    group: FunctionalGroup,
    transaction_set: TransactionSet,
    refusals: Sequence[RefusedLine],
    *,
    in_part: bool,
    release: str,
    reference: str,
    at: datetime,
) -> ApplicationAdvice:
    """One OTI for the set, one TED for each refusal (BGN02 is our `reference`).

    `in_part`: the set was applied, and the refusals are what of it could not be (section 5, rows 2 and 6).
    """
    po_numbers = _po_numbers(document)
    if isinstance(document, ShipNotice):
        qualifier, named = _SHIPMENT_REFERENCE, document.shipment_id
    else:
        qualifier, named = _ORDER_REFERENCE, "".join(po_numbers[:1])
    transaction = AdvisedTransaction(
        verdict=_IN_PART if in_part else _REFUSED,
        qualifier=qualifier,
        reference=named,
        group_sender=group.sender,
        group_receiver=group.receiver,
        group_control_number=group.control_number,
        set_control_number=transaction_set.control_number,
        set_type=transaction_set.type,
        references=tuple((_ORDER_REFERENCE, number) for number in po_numbers if number != named),
        errors=tuple(
            AdviceError(code=advice_code(SITUATIONS[refusal.refusal], release), text=refusal.message)
            for refusal in refusals
        ),
    )
    return ApplicationAdvice(
        purpose=_RESPONSE,
        reference=reference,
        created_on=at.date(),
        created_at=at.time().replace(second=0, microsecond=0),
        transactions=(transaction,),
    )


def _po_numbers(document: Document) -> tuple[str, ...]:
    if isinstance(document, ShipNotice | OrderStatusReport):
        return tuple(order.po_number for order in document.orders)
    return (document.po_number,)
