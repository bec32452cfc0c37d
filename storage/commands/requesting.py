"""The answer to a request to cancel, and its lapse."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique

from storage.commands.changing import LineChange
from storage.commands.command import Command, LineReference


@unique
class Consent(Enum):
    """The seller's answer to a requested cancellation or to a change."""

    AGREED = "agreed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineConsent:
    """The seller's answer about one line; `quantity` None: all that was asked for.

    `change` is what the seller agrees to as it says it back: what that leaves of the line is what counts.
    """

    line: LineReference
    consent: Consent
    quantity: Decimal | None = None
    unit: str = ""
    change: LineChange | None = None


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
