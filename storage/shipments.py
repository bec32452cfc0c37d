"""What a shipment's units add up to: what is fulfilled, what is in excess, what is left. Arithmetic only."""

from collections.abc import Mapping
from decimal import Decimal

from storage.commands import CloseRest, Reason
from storage.events import Units
from storage.lines import moved
from storage.orders import ZERO, LineState, OrderState
from storage.quantities import amount

NOT_SHIPPED = Reason(text="not shipped; the seller ships and closes")


def excess_fits(line: LineState, shipped: Decimal, percent: Decimal) -> bool:
    """Whether what was shipped beyond what is open stays within so many percent of the quantity ordered.

    A line of which nothing is open has no room for more: its excess was counted before.
    """
    return line.open > ZERO and (shipped - line.open) * 100 <= line.ordered * percent


def fulfilling(lines: tuple[LineState, ...], shipped: Mapping[int, Decimal]) -> tuple[Units, ...]:
    """What the shipment fulfils: of each line no more than is open."""
    return moved(lines, {line.id: min(shipped[line.id], line.open) for line in lines if line.id in shipped})


def remarks(lines: tuple[LineState, ...], shipped: Mapping[int, Decimal]) -> tuple[str, ...]:
    """What is worth a look: units beyond the order, and units whose cancellation was asked for."""
    said = []
    for line in lines:
        units = shipped.get(line.id, ZERO)
        if units > line.open:
            beyond = "were open" if line.cancelled else "ordered"
            excess = amount(units - line.open, line.unit)
            said.append(f"Line {line.line}: {excess} more than {beyond} were shipped, and are not counted.")
        if (gone := line.requested - (line.open - min(units, line.open))) > ZERO and line.requested:
            left = amount(gone, line.unit)
            said.append(f"Line {line.line}: {left} whose cancellation was asked for have left.")
    return tuple(said)


def closing(
    lines: tuple[LineState, ...], shipped: Mapping[int, Decimal], close: CloseRest
) -> tuple[Units, ...]:
    """What the shipment leaves open and the seller's ship-and-close declines; `lines` are as after it."""
    if close is CloseRest.NEVER:
        return ()
    closed = (line for line in lines if close is CloseRest.ORDER or line.id in shipped)
    return moved(lines, {line.id: line.open for line in closed}, NOT_SHIPPED)


def standing(order: OrderState, shipment_id: str) -> dict[int, Decimal] | None:
    """The units of a recorded shipment that still stand, by line id; None when it was never recorded."""
    found = [dict(shipment.units) for shipment in order.shipments if shipment.shipment_id == shipment_id]
    return found[0] if found else None
