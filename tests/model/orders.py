"""The model of the ledger: orders as plain sums, and every rule about them written from the specification.

It shares no code with the ledger and was written by somebody who had not read its rules. A command is tried
on a copy of the order; what is refused or held raises, and the copy is thrown away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from storage.commands import (
    CancelLines,
    CancelOrder,
    CloseRest,
    LineReference,
    OverShip,
    PartShipped,
    PlaceOrder,
    RecordShipment,
    ShippedLine,
    WithdrawShipment,
)

NONE = Decimal(0)


class Refuse(Exception):
    """The ledger must say no."""


class Hold(Exception):
    """The ledger must ask a person."""


class Repeated(Exception):
    """The ledger must say that this is so already."""


class Unclear(Exception):
    """Figures that cannot be true together. Nothing of the line may move; how that is said is open."""


class NothingMoved(Exception):
    """No unit moves; the ledger may call that applied or said before."""


@dataclass(slots=True)
class Line:
    """The sums of one line, in units."""

    name: str
    item: str
    ordered: Decimal
    fulfilled: Decimal = NONE
    cancelled: Decimal = NONE
    declined: Decimal = NONE
    waits: tuple[tuple[Decimal, datetime | None], ...] = ()  # asked for, and until when; first to last
    asked: bool = False  # at some time
    lapsed: bool = False  # what was asked for last was not answered in time
    until: datetime | None = None  # when what is asked for now lapses

    @property
    def requested(self) -> Decimal:
        return sum((units for units, _ in self.waits), NONE)

    @requested.setter
    def requested(self, wanted: Decimal) -> None:
        """More is another request; what is settled is taken from the oldest."""
        settled = self.requested - wanted
        if settled < 0:
            self.waits, self.asked, self.lapsed = (*self.waits, (-settled, self.until)), True, False
            return
        left = []
        for units, until in self.waits:
            gone = min(settled, units)
            settled -= gone
            if units > gone:
                left.append((units - gone, until))
        self.waits = tuple(left)

    def lapse(self, at: datetime) -> bool:
        """What had to be answered by now is asked for no longer; whether anything was."""
        left = tuple((units, until) for units, until in self.waits if until is None or until > at)
        if left == self.waits:
            return False
        self.waits, self.lapsed = left, True
        return True

    @property
    def open(self) -> Decimal:
        return self.ordered - self.fulfilled - self.cancelled

    @property
    def current(self) -> Decimal:
        return self.ordered - self.cancelled

    def cancel(self, units: Decimal, *, declined: bool) -> None:
        """Units are cancelled; those that were asked for go first."""
        if units > self.open:
            raise Refuse
        self.cancelled += units
        self.declined += units if declined else NONE
        self.requested -= min(units, self.requested)

    def fulfil(self, units: Decimal) -> None:
        """Units left; a request shrinks to what is still open."""
        if units > self.open:
            raise Refuse
        self.fulfilled += units
        self.requested = min(self.requested, self.open)

    def ask(self, units: Decimal) -> None:
        """The buyer asks for more of the open units."""
        if self.requested + units > self.open:
            raise Refuse
        self.requested += units

    def copy(self) -> "Line":
        return Line(
            self.name,
            self.item,
            self.ordered,
            self.fulfilled,
            self.cancelled,
            self.declined,
            self.waits,
            self.asked,
            self.lapsed,
        )


@dataclass(slots=True)
class Order:
    """One order: its lines by name, and what was said of it before."""

    content: str
    lines: dict[str, Line]
    whole: bool = False  # it was cancelled as a whole
    sequences: dict[str, int] = field(default_factory=dict)  # last change applied, by party
    restated_at: object = None
    shipments: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    cancelled_in: frozenset[str] = frozenset()  # interchanges that cancelled
    reopened_in: str = ""  # the interchange that withdrew a shipment last

    def copy(self) -> "Order":
        return Order(
            self.content,
            {name: line.copy() for name, line in self.lines.items()},
            self.whole,
            dict(self.sequences),
            self.restated_at,
            {name: dict(units) for name, units in self.shipments.items()},
            self.cancelled_in,
            self.reopened_in,
        )

    def sum(self, counter: str) -> Decimal:
        return sum((getattr(line, counter) for line in self.lines.values()), NONE)

    @property
    def all_cancelled(self) -> bool:
        return self.sum("cancelled") == self.sum("ordered")

    def figures(self) -> Mapping[str, tuple[Decimal, ...]]:
        """ordered, fulfilled, cancelled, declined, requested by line."""
        return {
            line.name: (line.ordered, line.fulfilled, line.cancelled, line.declined, line.requested)
            for line in self.lines.values()
        }

    @property
    def status(self) -> str:
        fulfilled, cancelled = self.sum("fulfilled"), self.sum("cancelled")
        if self.sum("open"):
            return "partly_fulfilled" if fulfilled else "open"
        if fulfilled and cancelled:
            return "complete"
        return "fulfilled" if fulfilled else "cancelled"

    def asks_until(self, until: datetime | None) -> None:
        """The next command says until when it can be answered, should it only ask."""
        for line in self.lines.values():
            line.until = until

    def find(self, where: LineReference) -> Line:
        """The line a document means: by number, by item, and never by two that disagree."""
        by_number = self.lines.get(where.number)
        items = {item.id for item in where.ids}
        by_item = [line for line in self.lines.values() if line.item in items]
        if by_number and items and by_item != [by_number]:
            raise Refuse
        found = by_number or (by_item[0] if len(by_item) == 1 else None)
        if found is None:
            raise Refuse
        return found


def usable(quantity: Decimal | None, *, zero: bool = False) -> Decimal:
    """A quantity in whole units, positive (or zero where that means something)."""
    if quantity is None or quantity < 0 or quantity != int(quantity) or (not zero and quantity == 0):
        raise Refuse
    return quantity


def place(command: PlaceOrder, known: Order | None) -> Order:
    if known is not None:
        if command.repeat:
            raise Repeated
        if command.content_hash != known.content or known.all_cancelled or known.whole:
            raise Refuse
        raise Repeated
    if not command.lines:
        raise Refuse
    lines = {new.number: Line(new.number, new.ids[0].id, usable(new.quantity)) for new in command.lines}
    return Order(command.content_hash, lines)


def cancel_order(command: CancelOrder, order: Order, *, asking: bool) -> None:
    """Everything open, or nothing where part left and the partners agreed on that."""
    if not order.sum("open"):
        if order.all_cancelled or order.whole:
            raise Repeated
        raise Refuse
    if order.sum("fulfilled") and command.part_shipped is PartShipped.REFUSE:
        raise Refuse
    if asking:
        if order.sum("requested") == order.sum("open"):
            raise Repeated
        for line in order.lines.values():
            line.ask(line.open - line.requested)
        return
    cancels(order, command.source.identity)
    for line in order.lines.values():
        line.cancel(line.open, declined=False)
    order.whole = True


def cancels(order: Order, said_in: str) -> None:
    """An interchange that made units of the order open again may not cancel them."""
    if said_in and order.reopened_in == said_in:
        raise Refuse
    if said_in:
        order.cancelled_in |= {said_in}


def cancel_lines(command: CancelLines, order: Order, *, asking: bool) -> None:
    if asking:
        _ask_lines(command, order)
        return
    moved = False
    for wanted in command.lines:
        line = order.find(wanted.line)
        if wanted.new_total is not None:
            fewer = _fewer(line, wanted.new_total)
            line.cancel(fewer, declined=False)
            moved |= bool(fewer)
            continue
        if wanted.quantity is None:
            moved |= cancel_rest(line, declined=False, asking=False)
            continue
        line.cancel(usable(wanted.quantity), declined=False)
        moved = True
    if not moved:
        raise Repeated
    cancels(order, command.source.identity)


def _ask_lines(command: CancelLines, order: Order) -> None:
    """What a person says comes on top of what waits. A document's same figure again is the same request."""
    by_hand = not command.source.type
    wanted: dict[str, Decimal] = {}
    moved = False
    for one in command.lines:
        line = order.find(one.line)
        if one.new_total is not None:
            fewer = _fewer(line, one.new_total)
            if fewer > line.open:
                raise Refuse
            moved |= fewer != line.requested
            line.requested = fewer
            continue
        rest = line.open - line.requested if by_hand else line.open
        units = rest if one.quantity is None else usable(one.quantity)
        wanted[line.name] = wanted.get(line.name, NONE) + units
    for name, units in wanted.items():
        line = order.lines[name]
        if not line.open and line.fulfilled:
            raise Refuse
        if by_hand:
            line.ask(units)
            moved |= bool(units)
            continue
        if units == line.requested:  # the same figure again is the same request
            continue
        more = units - line.requested if units == line.open else units  # all of it, whatever was asked before
        line.ask(more)
        moved |= bool(more)
    if not moved:
        raise Repeated


def _fewer(line: Line, total: Decimal) -> Decimal:
    """How many units go, in all, where so many are to be left; it cannot be more than there are."""
    fewer = line.current - usable(total, zero=True)
    if fewer < 0:
        raise Refuse
    return fewer


def cancel_rest(line: Line, *, declined: bool, asking: bool) -> bool:
    """All that is open of a line; whether anything was. A line that left as a whole cannot be cancelled."""
    if not line.open:
        if line.fulfilled:
            raise Refuse
        return False
    if asking:
        more = line.open - line.requested
        line.ask(more)
        return bool(more)
    line.cancel(line.open, declined=declined)
    return True


def shipped(order: Order, lines: Iterable[ShippedLine]) -> dict[str, Decimal]:
    """Units by line; a line may stand in a shipment many times."""
    units: dict[str, Decimal] = {}
    for one in lines:
        line, quantity = order.find(one.line), usable(one.quantity, zero=True)
        units[line.name] = units.get(line.name, NONE) + quantity
    return units


def ship(command: RecordShipment, order: Order) -> None:
    if order.all_cancelled:
        raise Refuse
    units = shipped(order, command.lines)
    for name, quantity in units.items():
        line = order.lines[name]
        excess = max(quantity - line.open, NONE)
        if excess and (command.over_ship is OverShip.REFUSE or not line.open):
            raise Refuse
        if excess * 100 > line.ordered * command.over_percent:
            raise Refuse
        line.fulfil(quantity - excess)
        units[name] = quantity - excess
    if not any(units.values()):
        return
    order.shipments[command.shipment_id] = {name: count for name, count in units.items() if count}
    closing = {CloseRest.NEVER: set(), CloseRest.LINES: set(units), CloseRest.ORDER: set(order.lines)}
    closed = [order.lines[name] for name in closing[command.close_rest] if order.lines[name].open]
    if closed:
        cancels(order, command.source.identity)
    for line in closed:
        line.cancel(line.open, declined=True)


def withdraw(command: WithdrawShipment, order: Order) -> None:
    """The shipment's units are open again, but for those that left all the same."""
    before = order.shipments.get(command.shipment_id)
    if before is None:
        raise Refuse
    left = shipped(order, command.lines)
    if command.source.identity in order.cancelled_in:
        raise Refuse
    if {name: units for name, units in left.items() if units} == before:
        raise Repeated
    for name, units in before.items():
        order.lines[name].fulfilled -= units
    for name, units in left.items():
        order.lines[name].fulfil(units)
    order.shipments[command.shipment_id] = {name: units for name, units in left.items() if units}
    order.reopened_in = command.source.identity
