"""Acknowledging: the seller's answer to an order, line by line."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique

from storage.commands.command import NO_REASON, Command, LineReference, Reason


@unique
class Answer(Enum):
    """What a seller says about units of a line."""

    ACCEPTED = "accepted"  #: quantity None: all of it
    QUANTITY_CHANGED = "quantity_changed"  #: accepted with a new quantity; what is missing is declined
    BACKORDERED = "backordered"  #: comes later; None or 0: the rest
    ON_HOLD = "on_hold"
    PARTLY = (
        "partly"  #: some now, the balance later (BP); which of them a figure counts differs: none is read
    )
    REJECTED = "rejected"  #: None or 0 with nothing else said: the whole line
    KEPT = "kept"  #: told in passing (870: shipped, on order ...); it only says what is not rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAnswer:
    """One statement about some units of a line; `code` is the sender's own, for messages."""

    answer: Answer
    quantity: Decimal | None = None
    unit: str = ""
    code: str = ""
    reason: Reason = NO_REASON
    certain: bool = False  # the channel leaves no doubt what `quantity` counts (870: the units cancelled)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgedLine:
    """The statements about one line, in one place of the document; together they are a split of its quantity.

    `quantity` is what the place says it speaks of (PO102): the line as ordered, as accepted, or a part of it.
    """

    line: LineReference
    answers: tuple[LineAnswer, ...] = ()
    quantity: Decimal | None = None
    unit: str = ""


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
