"""What an order is at one moment: frozen snapshots the rule reads. Shapes and derived words only."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum, unique

ZERO = Decimal(0)


@unique
class OrderStatus(Enum):
    """Derived from the counters of all lines, never set by hand."""

    OPEN = "open"  #: nothing fulfilled, something open
    PARTLY_FULFILLED = "partly_fulfilled"  #: something fulfilled, something still open
    FULFILLED = "fulfilled"  #: everything ordered was fulfilled
    CANCELLED = "cancelled"  #: everything ordered was cancelled
    COMPLETE = "complete"  #: nothing open; part fulfilled, part cancelled


@dataclass(frozen=True, slots=True)
class ItemId:
    """One product id. `scheme` groups qualifiers that can prove identity; "" means: for display only."""

    qualifier: str
    id: str
    scheme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKey:
    """The identity of an order between two parties."""

    buyer: str
    seller: str
    po_number: str
    release: str = ""

    def other(self, party: str) -> str:
        """The other side of the order."""
        return self.seller if party == self.buyer else self.buyer


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """One line's counters, in the order's own unit. `line` is its name for people and never changes."""

    id: int
    line: str
    assigned: bool  # True when the buyer sent this line number and it is unique in the order
    ids: tuple[ItemId, ...]
    unit: str
    ordered: Decimal
    fulfilled: Decimal
    cancelled: Decimal
    declined: Decimal = ZERO  # the part of `cancelled` that the seller's own statements caused
    requested: Decimal = (
        ZERO  # open units whose cancellation the buyer asked for and the seller did not answer
    )
    pack_unit: str = ""  # a unit that holds `pack_size` of `unit`; "" when the order named no pack
    pack_size: Decimal = ZERO
    discrete: bool = True  # counted in whole units
    description: str = ""

    @property
    def open(self) -> Decimal:
        return self.ordered - self.fulfilled - self.cancelled

    @property
    def current(self) -> Decimal:
        """What is ordered and not cancelled, fulfilled or not: the quantity a change speaks of."""
        return self.ordered - self.cancelled


@dataclass(frozen=True, slots=True)
class ShippedBefore:
    """A recorded shipment, and its units by line id that still stand: none once it was withdrawn."""

    shipment_id: str
    units: tuple[tuple[int, Decimal], ...]


@dataclass(frozen=True, slots=True)
class AskedBefore:
    """A request to cancel: units by line id as they were asked for, and until when it could be answered.

    With `lapsed_at` it is none, but the end, at that moment, of those whose time was over.
    """

    event_id: int
    units: tuple[tuple[int, Decimal], ...]
    answer_by: datetime | None = None
    lapsed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """An order with its lines, as loaded for a decision.

    The fields that are not compared are loaded only for who needs them: a WithdrawShipment, or a LapseRequest
    and an AnswerRequest. "file|interchange" is what `Source.identity` says of a document.
    """

    id: int
    key: OrderKey
    lines: tuple[LineState, ...]
    content_hash: str = ""  # of the document that placed it
    whole_cancelled: bool = False  # an earlier statement cancelled the order as a whole
    revision: str = ""  # BEG04 of the last order or restated order applied
    change_sequence: str = ""  # BCH05 of the buyer's last change applied
    seller_change_sequence: str = ""  # BCA05 of the seller's last change applied
    restated_at: datetime | None = None  # when the last restated order applied says it was issued
    reopened_by: str = ""  # "file|interchange" of the last document that withdrew a shipment
    blanket: bool = False  # a frame that is ordered from by releases, each an order of its own
    shipments: tuple[ShippedBefore, ...] = field(default=(), compare=False)
    cancelled_by: tuple[str, ...] = field(
        default=(), compare=False
    )  # "file|interchange" of each cancellation
    asked: tuple[AskedBefore, ...] = field(default=(), compare=False)  # requests and lapses, first to last

    @property
    def status(self) -> OrderStatus:
        return status_of(self.lines)

    @property
    def lapsed(self) -> frozenset[int]:
        """The lines of which what was asked for last lapsed."""
        last = {line_id: one.lapsed_at for one in self.asked for line_id, _ in one.units}
        return frozenset(line_id for line_id, lapsed_at in last.items() if lapsed_at is not None)


def status_of(lines: tuple[LineState, ...]) -> OrderStatus:
    """The status that follows from the counters (an order without lines is open)."""
    fulfilled = any(line.fulfilled for line in lines)
    cancelled = any(line.cancelled for line in lines)
    if not lines or any(line.open for line in lines):
        return OrderStatus.PARTLY_FULFILLED if fulfilled else OrderStatus.OPEN
    if fulfilled and cancelled:
        return OrderStatus.COMPLETE
    return OrderStatus.FULFILLED if fulfilled else OrderStatus.CANCELLED
