"""Facts the ledger accepted. Once written they are never edited; counters are their sums."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, unique

from storage.commands import NO_REASON, NewLine, Reason, Source

EVENT_VERSION = 1  # of the shape below; stored with every event


@unique
class EventKind(Enum):
    """What happened."""

    ORDER_PLACED = "order_placed"  #: adds ordered units
    ORDER_CANCELLED = "order_cancelled"  #: the order as a whole was cancelled, as far as it was open
    LINES_CANCELLED = "lines_cancelled"  #: units of some lines were cancelled
    LINES_FULFILLED = "lines_fulfilled"  #: units left
    SHIPMENT_WITHDRAWN = "shipment_withdrawn"  #: units that did not leave after all are open again
    LINES_ADDED = "lines_added"  #: the buyer added lines
    UNITS_ADDED = "units_added"  #: the buyer raised the quantity of lines
    CANCELLATION_REQUESTED = "cancellation_requested"  #: the buyer asked for units to be cancelled
    REQUEST_WITHDRAWN = "request_withdrawn"  #: the buyer takes back what it asked for
    REQUEST_REFUSED = "request_refused"  #: the seller keeps units whose cancellation was asked for
    REQUEST_LAPSED = "request_lapsed"  #: the seller (`by`) did not answer in time; the units stay open
    ORDER_ACKNOWLEDGED = "order_acknowledged"  #: the seller answered; moves no units
    NOTED = "noted"  #: worth keeping in the timeline; moves no units


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Units of one line that an event moves, positive, in the line's unit."""

    line_id: int
    line: str
    quantity: Decimal
    reason: Reason = NO_REASON


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLine:
    """A line about to be created, with the name the ledger gives it."""

    line: str
    assigned: bool
    new: NewLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What a fact sets on the order itself; None leaves it as it is (fields as in OrderState)."""

    revision: str | None = None
    change_sequence: str | None = None
    seller_change_sequence: str | None = None
    restated_at: datetime | None = None
    reopened_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a decision wants written: one event, not yet numbered."""

    kind: EventKind
    units: tuple[Units, ...] = ()
    placed: tuple[PlacedLine, ...] = ()  # for ORDER_PLACED and LINES_ADDED
    declined: bool = False  # the cancelled units come from the seller's own statement (LineState.declined)
    notes: tuple[str, ...] = ()  # sentences for the timeline
    reference: str = ""  # the shipment id, for LINES_FULFILLED and SHIPMENT_WITHDRAWN
    marks: Marks = Marks()
    answer_by: datetime | None = None  # of a CANCELLATION_REQUESTED: it lapses then; None: never


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEvent:
    """An event as it stands in the ledger."""

    id: int
    order_id: int
    sequence: int  # 1, 2, 3 ... within the order
    kind: EventKind
    by: str  # partner id
    at: datetime
    reason: Reason
    note: str
    source: Source
    units: tuple[Units, ...]
    notes: tuple[str, ...] = ()
    reference: str = ""  # the shipment id
    answer_by: datetime | None = None  # until when the seller may answer what was asked for; None: for ever
