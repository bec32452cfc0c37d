"""Commands: what a party asks of the ledger. Frozen; each says who, why and which document said so."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, unique

from storage.orders import ItemId
from storage.outcomes import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a command came from. All empty but `actor` for what a person entered."""

    actor: str = ""  # "staff", a user's address, or "" for a document
    file: str = ""  # the received file's name, as shown to people
    interchange: str = ""
    group: str = ""
    set: str = ""
    type: str = ""  # e.g. "850"; "" for a command entered by hand


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code of the channel that said it and in words."""

    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locator:
    """Which order is meant. A party left "" is not known to the sender; the other must be given."""

    buyer: str = ""
    seller: str = ""
    po_number: str
    release: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReference:
    """How a document points at a line: the assigned number, item ids, or both."""

    number: str = ""
    ids: tuple[ItemId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """A line of a new order. `quantity` is None when the document did not say it."""

    number: str = ""
    ids: tuple[ItemId, ...] = ()
    quantity: Decimal | None
    unit: str
    discrete: bool = True  # the unit is counted in whole units (EA, CA); False for weights and lengths
    location_quantities: tuple[Decimal, ...] = ()  # the split by store, which must add up to `quantity`
    pack_unit: str = ""
    pack_size: Decimal = Decimal(0)
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command carries. `by` is the partner the statement comes from."""

    order: Locator
    by: str
    at: datetime  # aware, UTC
    source: Source
    reason: Reason = Reason()
    note: str = ""
    resolution: str = ""  # a person's answer to what was held: one of the choices offered


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder(Command):
    """A new order; `repeat` marks a copy the sender calls a duplicate (no effect when the order is known)."""

    lines: tuple[NewLine, ...]
    content_hash: str
    ordered_on: date | None = None
    revision: str = ""
    repeat: bool = False


@unique
class PartShipped(Enum):
    """What a whole-order cancellation does when part of the order is fulfilled."""

    REST = "rest"  #: cancel what is open, say what could not be cancelled
    REFUSE = "refuse"  #: cancel nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder(Command):
    """Cancel everything still open."""

    part_shipped: PartShipped = PartShipped.REST


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCancellation:
    """Cancel `quantity` of a line, or all that is open when it is None."""

    line: LineReference
    quantity: Decimal | None = None
    unit: str = ""  # "" means the line's own


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelLines(Command):
    """Cancel parts of lines, all or nothing."""

    lines: tuple[LineCancellation, ...]


@unique
class Answer(Enum):
    """What a seller says about units of a line."""

    ACCEPTED = "accepted"  #: quantity None: all of it
    QUANTITY_CHANGED = "quantity_changed"  #: accepted with a new quantity; what is missing is declined
    BACKORDERED = "backordered"  #: comes later; None or 0: the rest
    ON_HOLD = "on_hold"
    REJECTED = "rejected"  #: None or 0 with nothing else said: the whole line


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAnswer:
    """One statement about some units of a line; `code` is the sender's own, for messages."""

    answer: Answer
    quantity: Decimal | None = None
    unit: str = ""
    code: str = ""
    reason: Reason = Reason()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgedLine:
    """All the statements about one line; together they are a split of its quantity."""

    line: LineReference
    answers: tuple[LineAnswer, ...] = ()


@unique
class Verdict(Enum):
    """What an acknowledgment says about the order as a whole."""

    LINES = "lines"  #: accepted; where lines say otherwise, the lines are followed
    REJECTED = "rejected"  #: the whole order; an accepting line contradicts it
    REJECTED_BY_LINE = "rejected_by_line"  #: the whole order, unless a line accepts
    ON_HOLD = "on_hold"  #: the seller has not decided
    COUNTER_OFFER = "counter_offer"  #: rejected with another offer: a person must decide
    WITHDRAWN = "withdrawn"  #: takes an earlier acknowledgment back; cancels only what it rejects itself


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeOrder(Command):
    """The seller's answer to an order."""

    verdict: Verdict
    lines: tuple[AcknowledgedLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedLine:
    """Units of one line in a shipment; the same line may stand in it many times (one per carton)."""

    line: LineReference
    quantity: Decimal
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordShipment(Command):
    """Units that left; they are fulfilled."""

    shipment_id: str
    lines: tuple[ShippedLine, ...]


@unique
class Objection(Enum):
    """A document understood but not usable as it stands, whatever the order says."""

    PURPOSE_NOT_ALLOWED = "purpose_not_allowed"  #: known, but this hub or partner does not take it
    NEEDS_A_PERSON = "needs_a_person"  #: unknown or ambiguous; held with a question


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Command):
    """A document whose purpose cannot be applied by rule. Held or refused, never guessed.

    `choices` are what a person may answer besides ignoring it; whoever maps the document acts on the answer.
    """

    objection: Objection
    statement: str  # one sentence: what was said and why it needs a person
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKey:
    """The business identity of a document: the first three name it, the hash says whether it is the same."""

    partner: str
    kind: str
    key: str
    content_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One document's commands (one per order it speaks of): applied together or not at all."""

    commands: tuple[Command, ...]
    document: DocumentKey | None = None  # None for what a person entered
