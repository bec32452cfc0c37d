"""Cancelling, asking for it, the answer to that, and its lapse."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique

from storage.commands.command import Command, LineReference


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseRequest(Command):
    """The time to answer what the buyer asked to cancel is over; `by` is the seller, who was silent."""
