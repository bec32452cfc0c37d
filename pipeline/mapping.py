"""Documents to commands, under a partner's policy. Pure: the only place where X12 meets the ledger's words.

It translates what was said; whether it is allowed is the ledger's rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from edi.codes import RELEASE_ORDER_TYPES, STATUS_CLASS, StatusClass, words
from edi.documents import (
    AcknowledgedLine as SaidLine,
)
from edi.documents import (
    Document,
    Party,
    PurchaseOrder,
    PurchaseOrderAcknowledgment,
    ShipNotice,
    ShippedOrder,
)
from pipeline.items import line_reference, new_line
from pipeline.partners import Directory, Partner, Role
from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    BuyerCancel,
    CancelOrder,
    Command,
    DocumentKey,
    LineAnswer,
    Locator,
    Object,
    Objection,
    PlaceOrder,
    Reason,
    RecordShipment,
    ShippedLine,
    Source,
    Submission,
    Verdict,
)
from storage.outcomes import Choice

#: N101 codes that name the seller and the buyer of an order.
SELLER_ENTITIES = ("SE", "SU", "VN")
BUYER_ENTITIES = ("BY", "BT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a document came from. `resolution` is a person's answer, when it was held before."""

    sender: Partner
    receiver: Partner | None  # None: the hub itself
    source: Source
    at: datetime
    content_hash: str
    directory: Directory
    resolution: str = ""

    def answered(self, choice: str) -> bool:
        return choice in self.resolution.split(",")


@dataclass(frozen=True, slots=True)
class WithoutEffect:
    """A document that by its own word changes nothing here, and why."""

    reason: str


Mapped = Submission | WithoutEffect


def to_submission(document: Document, origin: Origin) -> Mapped:
    """The commands one document stands for."""
    match document:
        case PurchaseOrder():
            return _purchase_order(document, origin)
        case PurchaseOrderAcknowledgment():
            return _acknowledgment(document, origin)
        case ShipNotice():
            return _ship_notice(document, origin)


def order_number(document: Document) -> str:
    """The PO number a report names; of a shipment of several orders, the first."""
    if isinstance(document, ShipNotice):
        return document.orders[0].po_number if document.orders else ""
    return document.po_number


# 850


def _purchase_order(document: PurchaseOrder, origin: Origin) -> Mapped:
    """Section 1.8, column BEG01; whatever is not listed needs a person."""
    if document.order_type == "IN" or document.purpose in ("06", "22"):
        return WithoutEffect(
            f"An 850 for information ({words('353', document.purpose)}); nothing was ordered."
        )
    seller = _seller_of(document, origin)
    locator = Locator(
        buyer=origin.sender.id if origin.sender.role is Role.BUYER else "",
        seller=seller if origin.sender.role is Role.BUYER else origin.sender.id,
        po_number=document.po_number,
        release=document.release if document.order_type in RELEASE_ORDER_TYPES else "",
    )
    cancels = document.purpose in ("01", "17") or (document.purpose == "03" and origin.answered("cancel"))
    if cancels:
        return _cancel(document, origin, locator)
    if not locator.seller:
        return _held(
            origin,
            locator,
            f"PO {document.po_number} names no seller this hub knows: its receiver is the hub, no N1*SE,"
            " SU or VN names a partner, and the buyer has no default_counterparty.",
            Choice("retry", "read the document again, after the settings were completed"),
        )
    if document.purpose in ("00", "07", "18"):
        return Submission(commands=(_place(document, origin, locator),))
    choices = [Choice("cancel", f"cancel everything open on PO {document.po_number}")]
    return _held(
        origin,
        locator,
        f"An 850 with purpose {document.purpose} ({words('353', document.purpose)}), PO {document.po_number}:"
        " it neither places nor cancels by rule. Make the change it asks for by hand, or leave it aside.",
        *(choices if document.purpose == "03" else ()),
    )


def _place(document: PurchaseOrder, origin: Origin, locator: Locator) -> PlaceOrder:
    return PlaceOrder(
        order=locator,
        by=origin.sender.id,
        at=origin.at,
        source=origin.source,
        resolution=origin.resolution,
        lines=tuple(new_line(line) for line in document.lines),
        content_hash=origin.content_hash,
        ordered_on=document.ordered_on,
        revision="" if locator.release else document.release,
        repeat=document.purpose == "07",
    )


def _cancel(document: PurchaseOrder, origin: Origin, locator: Locator) -> Submission:
    """Where a buyer's cancellation is only a request, a person must bring the seller's answer."""
    if origin.sender.policy.buyer_cancel is BuyerCancel.REQUESTED and not origin.answered("cancel"):
        return _held(
            origin,
            locator,
            f"{origin.sender.name} asks to cancel PO {document.po_number}; by agreement the seller decides."
            " Does the seller agree?",
            Choice("cancel", f"cancel everything open on PO {document.po_number}"),
        )
    command = CancelOrder(
        order=locator,
        by=origin.sender.id,
        at=origin.at,
        source=origin.source,
        resolution=origin.resolution,
        reason=Reason(document.purpose, words("353", document.purpose)),
        part_shipped=origin.sender.policy.cancel_part_shipped,
    )
    key = f"{document.po_number}|{document.release}|{document.purpose}"
    return Submission(commands=(command,), document=_key(origin, "850", key))


# 855


#: BAK02 (587) to what it says about the order as a whole (section 1.9).
VERDICTS: Mapping[str, Verdict] = {
    **dict.fromkeys(("AC", "AD", "AE", "AK", "AP", "AT", "NA"), Verdict.LINES),
    **dict.fromkeys(("RF", "RJ", "RN", "RV"), Verdict.REJECTED),
    "RD": Verdict.REJECTED_BY_LINE,
    "RO": Verdict.COUNTER_OFFER,
    "AH": Verdict.ON_HOLD,
}


#: Where the header itself declines, its code is the reason; elsewhere the lines give theirs.
DECLINING = (Verdict.REJECTED, Verdict.REJECTED_BY_LINE, Verdict.COUNTER_OFFER)


def _acknowledgment(document: PurchaseOrderAcknowledgment, origin: Origin) -> Mapped:
    if document.purpose in ("07", "22"):
        said = words("353", document.purpose)
        return WithoutEffect(f"An 855 that calls itself a {said}; the first one counts.")
    locator = _sellers_locator(document.po_number, document.release, document.parties, origin)
    if document.purpose in ("02", "03"):
        return _refused_purpose(origin, locator, "855", document.purpose)
    verdict = VERDICTS.get(document.type)
    if origin.answered("lines"):
        verdict = Verdict.LINES
    unknown = {ack.status for line in document.lines for ack in line.acknowledgments} - STATUS_CLASS.keys()
    if verdict is None or unknown or document.purpose not in ("00", "01", "04", "05", "06"):
        code = document.type if verdict is None else ", ".join(sorted(unknown)) or document.purpose
        return _held(
            origin,
            locator,
            f"An 855 for PO {document.po_number} uses {code}, which has no fixed meaning: what is said?",
            *(() if unknown else (Choice("lines", "follow what its lines say"),)),
        )
    if document.purpose == "01" and verdict not in (Verdict.REJECTED, Verdict.REJECTED_BY_LINE):
        verdict = Verdict.WITHDRAWN
    command = AcknowledgeOrder(
        order=locator,
        by=origin.sender.id,
        at=origin.at,
        source=origin.source,
        resolution=origin.resolution,
        reason=Reason(document.type, words("587", document.type)) if verdict in DECLINING else Reason(),
        verdict=verdict,
        lines=tuple(_acknowledged_line(line) for line in document.lines),
    )
    said_on = document.acknowledged_on.isoformat() if document.acknowledged_on else ""
    key = f"{document.po_number}|{document.seller_order_number}|{said_on}|{origin.content_hash}"
    return Submission(commands=(command,), document=_key(origin, "855", key))


_ANSWERS: Mapping[StatusClass, Answer] = {
    StatusClass.ACCEPT: Answer.ACCEPTED,
    StatusClass.REDUCE: Answer.QUANTITY_CHANGED,
    StatusClass.OPEN: Answer.BACKORDERED,
    StatusClass.MIXED: Answer.BACKORDERED,
    StatusClass.HOLD: Answer.ON_HOLD,
    StatusClass.CANCEL: Answer.REJECTED,
}


def _acknowledged_line(line: SaidLine) -> AcknowledgedLine:
    answers = []
    for ack in line.acknowledgments:
        status = STATUS_CLASS[ack.status]
        quantity = ack.quantity
        waits = status in (StatusClass.OPEN, StatusClass.HOLD)
        if status is StatusClass.MIXED or (waits and quantity == 0):
            quantity = None  # partners differ on what BP counts; zero backordered or held means the rest
        answers.append(
            LineAnswer(
                answer=_ANSWERS[status],
                quantity=quantity,
                unit=ack.unit,
                code=ack.status,
                reason=Reason(ack.status, words("668", ack.status)),
            )
        )
    return AcknowledgedLine(line=line_reference(line.number, line.ids), answers=tuple(answers))


# 856


def _ship_notice(document: ShipNotice, origin: Origin) -> Mapped:
    """One command per order; an earlier notice is neither withdrawn nor restated (section 2.5)."""
    if document.purpose in ("07", "22"):
        said = words("353", document.purpose)
        return WithoutEffect(f"An 856 that calls itself a {said}; nothing was shipped by it.")
    locators = [_sellers_locator(o.po_number, o.release, document.parties, origin) for o in document.orders]
    if document.purpose in ("01", "02", "03", "04", "05", "06"):
        return _refused_purpose(origin, locators[0], "856", document.purpose)
    if document.purpose != "00":
        statement = (
            f"An 856 with purpose {document.purpose} ({words('353', document.purpose)}), shipment"
            f" {document.shipment_id}: did these units leave or not?"
        )
        if not origin.answered("ship"):
            return _held(origin, locators[0], statement, Choice("ship", "record the shipment as fulfilled"))
    commands = tuple(
        _shipment(document.shipment_id, order, locator, origin)
        for order, locator in zip(document.orders, locators, strict=True)
    )
    return Submission(commands=commands, document=_key(origin, "856", document.shipment_id))


def _shipment(shipment_id: str, order: ShippedOrder, locator: Locator, origin: Origin) -> RecordShipment:
    lines = tuple(
        ShippedLine(line=line_reference(item.number, item.ids), quantity=item.quantity, unit=item.unit)
        for item in order.items
    )
    return RecordShipment(
        order=locator,
        by=origin.sender.id,
        at=origin.at,
        source=origin.source,
        resolution=origin.resolution,
        shipment_id=shipment_id,
        lines=lines,
    )


# Parties, lines and keys


def _seller_of(document: PurchaseOrder, origin: Origin) -> str:
    """The receiver of the interchange, else the party named in N1, else the buyer's default."""
    if origin.receiver is not None:
        return origin.receiver.id
    named = _partner_named(document.parties, SELLER_ENTITIES, origin, Role.SELLER)
    return named or origin.sender.default_counterparty


def _sellers_locator(po_number: str, release: str, parties: tuple[Party, ...], origin: Origin) -> Locator:
    """Seller's documents: the buyer is the receiver, else the party named in N1, else not known."""
    other = origin.receiver.id if origin.receiver is not None else ""
    if origin.sender.role is Role.BUYER:
        return Locator(buyer=origin.sender.id, seller=other, po_number=po_number, release=release)
    buyer = other or _partner_named(parties, BUYER_ENTITIES, origin, Role.BUYER)
    return Locator(buyer=buyer, seller=origin.sender.id, po_number=po_number, release=release)


def _partner_named(parties: tuple[Party, ...], entities: tuple[str, ...], origin: Origin, role: Role) -> str:
    for entity in entities:
        for party in parties:
            if party.entity == entity and party.id:
                partner = origin.directory.by_party_id(party.id, role)
                if partner is not None:
                    return partner.id
    return ""


def _key(origin: Origin, kind: str, key: str) -> DocumentKey:
    return DocumentKey(partner=origin.sender.id, kind=kind, key=key, content_hash=origin.content_hash)


def _held(origin: Origin, locator: Locator, statement: str, *choices: Choice) -> Submission:
    return _objection(origin, locator, Objection.NEEDS_A_PERSON, statement, choices)


def _refused_purpose(origin: Origin, locator: Locator, kind: str, purpose: str) -> Submission:
    statement = (
        f"Purpose {purpose} ({words('353', purpose)}) is not taken on an {kind}: what is fulfilled or"
        " accepted cannot be taken back by sending the document again."
    )
    return _objection(origin, locator, Objection.PURPOSE_NOT_ALLOWED, statement, ())


def _objection(
    origin: Origin, locator: Locator, objection: Objection, statement: str, choices: tuple[Choice, ...]
) -> Submission:
    command: Command = Object(
        order=locator,
        by=origin.sender.id,
        at=origin.at,
        source=origin.source,
        resolution=origin.resolution,
        objection=objection,
        statement=statement,
        choices=choices,
    )
    return Submission(commands=(command,))
