"""Cancelling, or asking for it."""

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
    """Cancel everything still open, or ask the seller for it. `sequence` is as of a ChangeOrder."""

    sequence: str = ""
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
