"""Commands: what a party asks of the ledger. Frozen; each says who, why and which document said so."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, unique

from storage.orders import ItemId
from storage.outcomes import Choice, Given, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a command came from. All empty but `actor` for what a person entered."""

    actor: str = ""  # "staff", a user's address, or "" for a document
    file: str = ""  # the received file's name, as shown to people
    interchange: str = ""
    group: str = ""
    set: str = ""
    type: str = ""  # e.g. "850"; "" for a command entered by hand

    @property
    def identity(self) -> str:
        """The interchange this came in, by its file; "" for what a person entered."""
        return f"{self.file}|{self.interchange}" if self.file else ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code of the channel that said it and in words."""

    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locator:
    """Which order is meant. A party left "" is not known to the sender; the other must be given.

    `exact`: the release is part of the order's name; else a document may mean the order without one.
    """

    buyer: str = ""
    seller: str = ""
    po_number: str
    release: str = ""
    exact: bool = False


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
    answers: tuple[Given, ...] = ()  # a person's, to what was held, first to last
    answer_by: datetime | None = None  # what it only asks for lapses then, unless the seller has answered


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


@unique
class BuyerCancel(Enum):
    """What a buyer's cancellation is."""

    EFFECTIVE = "effective"  #: done when the ledger accepts it
    REQUESTED = "requested"  #: done when the seller agrees


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder(Command):
    """Cancel everything still open, or ask the seller for it."""

    part_shipped: PartShipped = PartShipped.REST
    effect: BuyerCancel = BuyerCancel.EFFECTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCancellation:
    """Cancel `quantity` of a line, or all but `new_total`, or all that is open; never both figures."""

    line: LineReference
    quantity: Decimal | None = None
    new_total: Decimal | None = None  # of what is ordered and not cancelled, fulfilled or not
    unit: str = ""  # "" means the line's own


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelLines(Command):
    """Cancel parts of lines, or ask the seller for it; all or nothing."""

    lines: tuple[LineCancellation, ...]
    effect: BuyerCancel = BuyerCancel.EFFECTIVE


@unique
class QuantityReading(Enum):
    """How a partner means the two quantities of a change (POC03 and POC04 of an 860; section 2.3)."""

    NEW_TOTAL = "new_total"  #: the first is the line's new quantity, as the standard has it
    DELTA = "delta"  #: the first is the amount of the change
    OLD_NEW = "old_new"  #: the first is the quantity before, the second the one after
    COMPOSITE = "composite"  #: the first is the quantity before; a composite names the change


@unique
class Change(Enum):
    """What is to become of a line."""

    CANCEL = "cancel"  #: nothing open of it is wanted any more; a quantity beside it is not read
    DECREASE = "decrease"
    INCREASE = "increase"
    SET = "set"  #: the quantity is to be so much, whichever way that goes
    ADD = "add"  #: a line the order does not have yet
    CONFIRM = "confirm"  #: nothing changes; a quantity beside it must be the current one
    NOTE = "note"  #: price, date, terms: no units move, whatever the quantity beside it
    REFUSE = "refuse"  #: the other party's change of this line is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAmounts:
    """The parts of a composite quantity (C063 of later releases): None where one was not sent."""

    original: Decimal | None = None
    increase: Decimal | None = None
    decrease: Decimal | None = None
    revised: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChange:
    """One line of a change, its quantities as sent; what they mean depends on `reading` and the ledger."""

    line: LineReference
    change: Change
    quantity: Decimal | None = None
    second: Decimal | None = None
    amounts: ChangeAmounts | None = None
    reading: QuantityReading = QuantityReading.NEW_TOTAL
    unit: str = ""
    code: str = ""  # the sender's own word for the change, for messages
    new: NewLine | None = None  # the line as it should be, where the document adds or restates it
    location_quantities: tuple[Decimal, ...] = ()  # the split by store, which must add up to the new quantity
    answers: tuple["LineAnswer", ...] = ()  # what the seller says about the line in the same breath (865)
    reason: Reason = Reason()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOrder(Command):
    """A change of an order by either party, all or nothing: what is taken away is cancelled.

    `restates`: the lines are the whole order, so that one left out is cancelled (850, 860 with purpose 05).
    `sequence` counts the sender's changes of this order (BCH05, BCA05, or BEG04 of a restated order) and
    `issued_at` is when the document says it was made: an older one than was applied is stale (section 2.7).
    """

    lines: tuple[LineChange, ...]
    restates: bool = False
    sequence: str = ""
    issued_at: datetime | None = None
    content_hash: str = ""
    part_shipped: PartShipped = PartShipped.REST
    effect: BuyerCancel = BuyerCancel.EFFECTIVE


@unique
class Consent(Enum):
    """The seller's answer to a requested cancellation or to a change."""

    AGREED = "agreed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineConsent:
    """The seller's answer about one line; `quantity` None: all that was asked for."""

    line: LineReference
    consent: Consent
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest(Command):
    """The seller's answer to what the buyer asked for (865 that answers an 860, or a person's word).

    `consent` is about everything asked for that `lines` do not name. `certain`: the document says of itself
    that it is an answer; when nothing was asked for and it is not certain, it is held.
    """

    consent: Consent
    lines: tuple[LineConsent, ...] = ()
    certain: bool = True


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
    certain: bool = False  # the channel leaves no doubt what `quantity` counts (870: the units cancelled)


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


@unique
class ShortAccept(Enum):
    """What accepting less than was ordered, the rest not mentioned, does to the rest."""

    HOLD = "hold"  #: a person is asked
    CANCEL = "cancel"  #: the seller declines it


@unique
class Backorder(Enum):
    """What becomes of units that the seller calls backordered."""

    KEEP = "keep"  #: they stay open
    CANCEL = "cancel"  #: fill or kill: what cannot be delivered now is declined


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeOrder(Command):
    """The seller's answer to an order."""

    verdict: Verdict
    lines: tuple[AcknowledgedLine, ...] = ()
    short_accept: ShortAccept = ShortAccept.HOLD
    backorder: Backorder = Backorder.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedLine:
    """Units of one line in a shipment; the same line may stand in it many times (one per carton)."""

    line: LineReference
    quantity: Decimal
    unit: str = ""


@unique
class OverShip(Enum):
    """What a shipment of more than is open does."""

    REFUSE = "refuse"  #: nothing of it is recorded
    FLAG = "flag"  #: what is open is fulfilled, and the excess noted outside the ordered units


@unique
class CloseRest(Enum):
    """What a shipment does to the units it leaves open."""

    NEVER = "never"  #: they stay open
    LINES = "lines"  #: ship and close: the rest of the lines it names is declined by the seller
    ORDER = "order"  #: the rest of the whole order is


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordShipment(Command):
    """Units that left; they are fulfilled. An excess over `over_percent` of a line is always refused."""

    shipment_id: str
    lines: tuple[ShippedLine, ...]
    over_ship: OverShip = OverShip.REFUSE
    over_percent: Decimal = Decimal(0)
    close_rest: CloseRest = CloseRest.NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawShipment(Command):
    """A shipment that did not leave after all: its units are open again, never cancelled (section 2.5).

    Only where the partners agreed to it; `lines` are what left instead, empty when nothing did.
    """

    shipment_id: str
    lines: tuple[ShippedLine, ...] = ()


@unique
class Objection(Enum):
    """A document understood but not usable as it stands, whatever the order says."""

    WRONG_PARTY = "wrong_party"  #: this side of an order does not send such documents
    PURPOSE_NOT_ALLOWED = "purpose_not_allowed"  #: known, but this hub or partner does not take it
    NEEDS_A_PERSON = "needs_a_person"  #: unknown or ambiguous; held with a question


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Command):
    """A document whose purpose cannot be applied by rule. Held or refused, never guessed."""

    objection: Objection
    statement: str  # one sentence: what was said and why it needs a person
    choices: tuple[Choice, ...] = ()  # beside "ignore"; whoever maps the document acts on the answer

    @property
    def question(self) -> Question:
        """What a person is asked."""
        return Question(self.statement, (*self.choices, Choice("ignore", "change nothing")))


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
