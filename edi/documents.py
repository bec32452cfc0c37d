"""Typed documents: what a purchase order, acknowledgment or ship notice says, in X12's own terms.

Quantities are Decimal and unconverted; codes stay codes (see `edi.codes` for their names). `position` is the
segment's place in its set, counted from ST = 1, so that whoever refuses something can say where it stood.
"""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ProductId:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreQuantity:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAcknowledgment:
    """ACK: status (668), quantity (380) or None when absent, unit (355), and a date."""

    status: str
    quantity: Decimal | None = None
    unit: str = ""
    date_qualifier: str = ""
    on: date | None = None
    ids: tuple[ProductId, ...] = ()
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgedLine:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedItem:
    """One HL at item level: LIN identity and SN1 quantity. `line_status` is SN108, a note only."""

    number: str = ""
    quantity: Decimal
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


Document = PurchaseOrder | PurchaseOrderAcknowledgment | ShipNotice
