"""Placing an order."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from storage.commands.command import Command
from storage.orders import ItemId


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
class PlaceOrder(Command):
    """A new order; `repeat` marks a copy the sender calls a duplicate (no effect when the order is known).

    `blanket`: what names a release of it means an order of its own, here already or not (section 6).
    """

    lines: tuple[NewLine, ...]
    content_hash: str
    ordered_on: date | None = None
    revision: str = ""
    repeat: bool = False
    blanket: bool = False
