"""Shipping: what left, and what did not after all."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique

from storage.commands.command import Command, LineReference


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
