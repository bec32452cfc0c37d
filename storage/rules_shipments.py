"""The rules about shipments (856): the part of rules that grew too long for its file."""

from decimal import Decimal
from functools import partial

from storage.commands import CloseRest, OverShip, RecordShipment, WithdrawShipment
from storage.events import EventKind, Fact, Marks
from storage.evolve import evolve
from storage.lines import add_up, movable, moved
from storage.orders import LineState, OrderState
from storage.refusals import Decision, Refusal, applied, duplicate, refuse
from storage.shipments import closing, excess_fits, fulfilling, remarks, standing


def decide_shipment(order: OrderState, command: RecordShipment) -> Decision:
    """Sum the shipment by line, then fulfil what is open; more is refused or flagged (rows 16 to 19)."""
    fault_of = partial(_ship_fault, command=command)
    named = add_up(order.lines, command.lines, "ship", by_name=not command.source.type)
    sums = movable(order.lines, named, fault_of, "ship")
    if isinstance(sums, Decision):
        return sums
    units = fulfilling(order.lines, sums)
    if not units:
        return applied(notes=("The shipment names no units; nothing was fulfilled.",))
    notes = (f"Shipment {command.shipment_id}.", *remarks(order.lines, sums))
    left = Fact(kind=EventKind.LINES_FULFILLED, units=units, notes=notes, reference=command.shipment_id)
    closes = command.close_rest is not CloseRest.NEVER
    rest = closing(evolve(order, left).lines, sums, command.close_rest) if closes else ()
    closed = (Fact(kind=EventKind.LINES_CANCELLED, units=rest, declined=True),) if rest else ()
    return applied(left, *closed, notes=notes)


def _ship_fault(line: LineState, shipped: Decimal, command: RecordShipment | None = None) -> Refusal | None:
    if shipped <= line.open:
        return None
    if line.cancelled == line.ordered:
        return Refusal.LINE_CANCELLED
    if command and command.over_ship is OverShip.FLAG and excess_fits(line, shipped, command.over_percent):
        return None
    return Refusal.OVER_SHIPMENT


def decide_withdrawal(order: OrderState, command: WithdrawShipment) -> Decision:
    """A shipment that did not leave: its units are open again; what left instead is fulfilled (row 35)."""
    po, shipment = order.key.po_number, command.shipment_id
    before = standing(order, shipment)
    if before is None:
        return refuse(Refusal.SHIPMENT_UNKNOWN, f"Shipment {shipment} was not recorded for PO {po}.")
    if command.source.identity and command.source.identity in order.cancelled_by:
        said = f"{command.source.file} cancels units of PO {po} and withdraws a shipment of it."
        return refuse(Refusal.CONTRADICTORY, said)
    marks = Marks(reopened_by=command.source.identity)
    notes = (f"Shipment {shipment} did not leave.",)
    reopened = Fact(
        kind=EventKind.SHIPMENT_WITHDRAWN,
        units=moved(order.lines, before), reference=shipment, marks=marks, notes=notes,
    )  # fmt: skip
    after = evolve(order, reopened)
    sums = movable(after.lines, add_up(after.lines, command.lines, "ship"), _ship_fault, "ship")
    if isinstance(sums, Decision):
        return sums
    units = moved(after.lines, sums)
    if {unit.line_id: unit.quantity for unit in units} == before:
        return duplicate("The shipment stands so already.")
    left = Fact(
        kind=EventKind.LINES_FULFILLED, units=units, reference=shipment, notes=(f"Shipment {shipment}.",)
    )
    return applied(*(fact for fact in (reopened, left) if fact.units), notes=notes)
