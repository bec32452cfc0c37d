"""Changing an order, by lines or by restating it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, unique

from storage.commands.acknowledging import LineAnswer
from storage.commands.cancelling import BuyerCancel, PartShipped
from storage.commands.command import NO_REASON, Command, LineReference, Reason
from storage.commands.placing import NewLine


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
    answers: tuple[LineAnswer, ...] = ()  # what the seller says about the line in the same breath (865)
    may_refuse: bool = False  # what it says may be its no to this change, which the buyer asked for
    reason: Reason = NO_REASON


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
