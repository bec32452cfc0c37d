"""Typed documents: what a purchase order, change, acknowledgment or ship notice says, in X12's own terms.

Quantities are Decimal and unconverted; codes stay codes (see `edi.codes` for their names). `position` is the
segment's place in its set, counted from ST = 1, so that whoever refuses something can say where it stood.
What a file holds by the hundred thousand (lines, ids, stores) are named tuples, made in a fifth of the time.
"""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import NamedTuple


class ProductId(NamedTuple):
    """One qualifier and id pair (235, 234) of a PO1, LIN or ACK."""

    qualifier: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """N1: an entity (98) with its name (93) and identification (66, 67)."""

    entity: str
    name: str = ""
    qualifier: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """PO4: units per pack (356) and inner packs (810); zero when not sent."""

    units: int = 0
    inner: int = 0


class StoreQuantity(NamedTuple):
    """One location (67) and quantity (380) of an SDQ."""

    location: str
    quantity: Decimal
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledQuantity:
    """SCH: quantity (380) for a date (373) with its meaning (374)."""

    quantity: Decimal
    unit: str = ""
    date_qualifier: str = ""
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """SLN: a subline's relationship (662), quantity (380) and ids; information only in a prepack."""

    number: str
    relationship: str
    quantity: Decimal | None = None
    unit: str = ""
    ids: tuple[ProductId, ...] = ()


class OrderLine(NamedTuple):
    """PO1 loop of an 850. `number` is PO101 as sent, often empty; `quantity` is None without PO102."""

    number: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    price: Decimal | None = None
    ids: tuple[ProductId, ...] = ()
    description: str = ""
    pack: Pack = Pack()
    stores: tuple[StoreQuantity, ...] = ()
    schedule: tuple[ScheduledQuantity, ...] = ()
    components: tuple[Component, ...] = ()
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrder:
    """850. `release` is BEG04 as sent; whether it names an order of its own is up to `order_type` (BEG02)."""

    purpose: str  # BEG01, element 353
    order_type: str  # BEG02, element 92
    po_number: str  # BEG03, element 324
    release: str = ""  # BEG04, element 328
    ordered_on: date | None = None  # BEG05
    acknowledgment_wanted: str = ""  # BEG07, element 587
    parties: tuple[Party, ...] = ()
    references: tuple[tuple[str, str], ...] = ()  # heading REF: (128, 127)
    dates: tuple[tuple[str, date], ...] = ()  # heading DTM: (374, 373)
    lines: tuple[OrderLine, ...] = ()


class LineAcknowledgment(NamedTuple):
    """ACK: status (668), quantity (380) or None when absent, unit (355), and a date."""

    status: str
    quantity: Decimal | None = None
    unit: str = ""
    date_qualifier: str = ""
    on: date | None = None
    ids: tuple[ProductId, ...] = ()
    position: int = 0


class AcknowledgedLine(NamedTuple):
    """PO1 loop of an 855 with all its ACKs, in the order sent; those of sublines (SLN) apart."""

    number: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    price: Decimal | None = None
    ids: tuple[ProductId, ...] = ()
    pack: Pack = Pack()
    acknowledgments: tuple[LineAcknowledgment, ...] = ()
    component_acknowledgments: tuple[LineAcknowledgment, ...] = ()
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrderAcknowledgment:
    """855."""

    purpose: str  # BAK01, element 353
    type: str  # BAK02, element 587
    po_number: str  # BAK03, element 324
    ordered_on: date | None = None  # BAK04
    release: str = ""  # BAK05, element 328
    seller_order_number: str = ""  # BAK08, element 127
    acknowledged_on: date | None = None  # BAK09
    parties: tuple[Party, ...] = ()
    lines: tuple[AcknowledgedLine, ...] = ()


class ShippedItem(NamedTuple):
    """One HL at item level: LIN identity and SN1 quantity. `line_status` is SN108, a note only."""

    quantity: Decimal
    number: str = ""
    unit: str = ""
    ids: tuple[ProductId, ...] = ()
    line_status: str = ""
    pack: Pack = Pack()
    position: int = 0  # of the SN1


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedOrder:
    """All items whose nearest PRF upward names this purchase order and release."""

    po_number: str  # PRF01
    release: str = ""  # PRF02
    items: tuple[ShippedItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipNotice:
    """856, read by HL parent pointers; one notice may ship several orders."""

    purpose: str  # BSN01, element 353
    shipment_id: str  # BSN02, element 396
    shipped_on: date | None = None  # BSN03
    shipped_at: time | None = None  # BSN04
    structure: str = ""  # BSN05, element 1005; never drives the reading
    parties: tuple[Party, ...] = ()
    orders: tuple[ShippedOrder, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeQuantities:
    """POC04 as a composite, C063 of later releases, by its components in order."""

    original: Decimal | None = None
    increase: Decimal | None = None
    decrease: Decimal | None = None
    revised: Decimal | None = None
    received: Decimal | None = None
    left: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLine:
    """POC loop of an 860 or 865. Partners fill POC03 and POC04 in several ways (spec 2.3): both as sent."""

    number: str = ""  # POC01, element 350
    change: str  # POC02, element 670
    quantity: Decimal | None = None  # POC03, element 330
    left_to_receive: Decimal | None = None  # POC04, element 671, when it is one number
    quantities: ChangeQuantities | None = None  # POC04 when it is a composite
    unit: str = ""  # POC05-1, element 355
    price: Decimal | None = None  # POC06
    ids: tuple[ProductId, ...] = ()
    description: str = ""
    pack: Pack = Pack()
    stores: tuple[StoreQuantity, ...] = ()
    schedule: tuple[ScheduledQuantity, ...] = ()
    components: tuple[Component, ...] = ()
    acknowledgments: tuple[LineAcknowledgment, ...] = ()  # 865 only
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrderChange:
    """860, a buyer's change of an order."""

    purpose: str  # BCH01, element 353
    order_type: str  # BCH02, element 92
    po_number: str  # BCH03, element 324
    release: str = ""  # BCH04, element 328
    change_number: str = ""  # BCH05, element 327
    ordered_on: date | None = None  # BCH06
    seller_order_number: str = ""  # BCH09, element 127
    changed_on: date | None = None  # BCH11
    parties: tuple[Party, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    dates: tuple[tuple[str, date], ...] = ()
    lines: tuple[ChangedLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAcknowledgment:
    """865, a seller's answer to an 860 or its own change of an order."""

    purpose: str  # BCA01, element 353
    type: str = ""  # BCA02, element 587, optional
    po_number: str  # BCA03, element 324
    release: str = ""  # BCA04
    change_number: str = ""  # BCA05, element 327
    ordered_on: date | None = None  # BCA06
    seller_order_number: str = ""  # BCA09, element 127
    acknowledged_on: date | None = None  # BCA10
    changed_on: date | None = None  # BCA11
    parties: tuple[Party, ...] = ()
    lines: tuple[ChangedLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStatus:
    """ISR: status (368) and date; the quantity is that of a QTY below it, None without one.

    `quantity_qualifier` says what the quantity counts: 01 the units that have the status, others something
    else (38 ordered, 39 shipped).
    """

    code: str
    on: date | None = None
    quantity: Decimal | None = None
    quantity_qualifier: str = ""  # QTY01, element 673
    unit: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedLine:
    """PO1 loop of an 870, with the statuses of its own item level where there is one."""

    number: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    ids: tuple[ProductId, ...] = ()
    statuses: tuple[ItemStatus, ...] = ()
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedOrder:
    """All that an 870 says under one PRF; `statuses` are about the order as a whole."""

    po_number: str
    release: str = ""
    statuses: tuple[ItemStatus, ...] = ()
    lines: tuple[ReportedLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatusReport:
    """870."""

    report: str  # BSR01, element 850
    items: str  # BSR02, element 847
    reference: str  # BSR03, element 127
    reported_on: date | None = None  # BSR04
    parties: tuple[Party, ...] = ()
    orders: tuple[ReportedOrder, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredSet:
    """AK2 to AK5 of a 997 (IK5 of a 999): the verdict (717) on one set, and each fault in words."""

    type: str  # AK201
    control_number: str  # AK202
    verdict: str  # AK501
    faults: tuple[str, ...] = ()  # 'segment 4 (PO1), element 3: 7 not a valid code, value "XX"'


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionalAcknowledgment:
    """997 or 999 received: what a partner says about the syntax of a group we sent."""

    functional_id: str  # AK101, GS01 of the group
    group_control_number: str  # AK102, GS06 of the group
    verdict: str  # AK901, element 715
    sets: tuple[AnsweredSet, ...] = ()
    faults: tuple[str, ...] = ()  # AK905 to AK909 in words


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceError:
    """TED and its notes: one thing wrong with the transaction advised on."""

    code: str  # TED01, element 647
    text: str = ""  # TED02, and the NTE02 below it
    segment: str = ""  # TED03
    position: int = 0  # TED04
    value: str = ""  # TED07


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedTransaction:
    """OTI loop of an 824: the verdict on one transaction, or on one item of it."""

    verdict: str  # OTI01, element 110
    qualifier: str  # OTI02, element 128
    reference: str  # OTI03, element 127
    group_sender: str = ""  # OTI04
    group_receiver: str = ""  # OTI05
    group_control_number: str = ""  # OTI08
    set_control_number: str = ""  # OTI09
    set_type: str = ""  # OTI10
    references: tuple[tuple[str, str], ...] = ()  # REF below it: (128, 127)
    errors: tuple[AdviceError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationAdvice:
    """824: what became of transactions that could be read, for business reasons."""

    purpose: str  # BGN01, element 353
    reference: str  # BGN02, element 127
    created_on: date | None = None  # BGN03
    created_at: time | None = None  # BGN04
    parties: tuple[Party, ...] = ()
    transactions: tuple[AdvisedTransaction, ...] = ()


#: What partners say about orders.
Document = (
    PurchaseOrder
    | PurchaseOrderAcknowledgment
    | ShipNotice
    | PurchaseOrderChange
    | ChangeAcknowledgment
    | OrderStatusReport
)
#: What partners say about documents of ours.
Reply = FunctionalAcknowledgment | ApplicationAdvice
