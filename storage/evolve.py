"""What a fact does to an order, in memory: the sums the database keeps, before they are written."""

from dataclasses import fields, replace
from decimal import Decimal

from storage.events import EventKind, Fact, Marks, PlacedLine
from storage.orders import ZERO, LineState, OrderState, ShippedBefore

LINES_MAX = 1_000_000  # of one order; the longest file we take holds fewer lines than this

CANCELLING = frozenset({EventKind.ORDER_CANCELLED, EventKind.LINES_CANCELLED})


def line_id(order_id: int, ordinal: int) -> int:
    """A line's id: its order's id and its place, so that a line can be written without asking for one.

    With 64 bits there is room for nine million million orders.
    """
    if not 1 <= ordinal < LINES_MAX:
        raise ValueError(f"an order has at most {LINES_MAX - 1} lines, not {ordinal}")
    return order_id * LINES_MAX + ordinal


def evolve(order: OrderState, fact: Fact) -> OrderState:
    """The order after the fact. A new order starts as an OrderState without lines."""
    if fact.placed:
        placed = tuple(
            _line(order.id, at, line) for at, line in enumerate(fact.placed, start=len(order.lines) + 1)
        )
        order = replace(order, lines=order.lines + placed)
    if fact.units:
        order = replace(order, lines=_moved(order.lines, fact), shipments=_standing(order, fact))
    if fact.kind is EventKind.ORDER_CANCELLED:
        order = replace(order, whole_cancelled=True)
    return _marked(order, fact.marks)


def units_by_line(fact: Fact) -> dict[int, Decimal]:
    """How many units the fact moves, by line id."""
    moved: dict[int, Decimal] = {}
    for units in fact.units:
        moved[units.line_id] = moved.get(units.line_id, ZERO) + units.quantity
    return moved


def _line(order_id: int, ordinal: int, placed: PlacedLine) -> LineState:
    new = placed.new
    if new.quantity is None:
        raise ValueError(f"line {placed.line} was placed without a quantity")
    return LineState(
        id=line_id(order_id, ordinal),
        line=placed.line,
        assigned=placed.assigned,
        ids=new.ids,
        unit=new.unit,
        ordered=new.quantity,
        fulfilled=ZERO,
        cancelled=ZERO,
        pack_unit=new.pack_unit,
        pack_size=new.pack_size,
        discrete=new.discrete,
        description=new.description,
    )


def _moved(lines: tuple[LineState, ...], fact: Fact) -> tuple[LineState, ...]:
    moved = units_by_line(fact)
    if unknown := moved.keys() - {line.id for line in lines}:
        raise ValueError(f"a fact moves units of lines {sorted(unknown)}, which the order does not have")
    return tuple(counted(line, fact, moved[line.id]) if line.id in moved else line for line in lines)


def counted(line: LineState, fact: Fact, quantity: Decimal) -> LineState:
    """The line after the fact moved so many of its units."""
    if quantity < ZERO:
        raise ValueError(f"line {line.line}: a fact moves {quantity} units")
    match fact.kind:
        case EventKind.LINES_FULFILLED:
            requested = min(line.requested, max(line.open - quantity, ZERO))
            return replace(line, fulfilled=line.fulfilled + quantity, requested=requested)
        case EventKind.SHIPMENT_WITHDRAWN:
            return replace(line, fulfilled=line.fulfilled - quantity)
        case EventKind.ORDER_CANCELLED | EventKind.LINES_CANCELLED:
            return replace(
                line,
                cancelled=line.cancelled + quantity,
                declined=line.declined + (quantity if fact.declined else ZERO),
                requested=max(line.requested - quantity, ZERO),
            )
        case EventKind.UNITS_ADDED:
            return replace(line, ordered=line.ordered + quantity)
        case EventKind.CANCELLATION_REQUESTED:
            return replace(line, requested=line.requested + quantity)
        case EventKind.REQUEST_REFUSED | EventKind.REQUEST_WITHDRAWN | EventKind.REQUEST_LAPSED:
            return replace(line, requested=line.requested - quantity)
    raise ValueError(f"a fact of kind {fact.kind.value} moves no units")


def _standing(order: OrderState, fact: Fact) -> tuple[ShippedBefore, ...]:
    """The shipments that were loaded, with what of them stands after the fact."""
    change = {EventKind.LINES_FULFILLED: 1, EventKind.SHIPMENT_WITHDRAWN: -1}.get(fact.kind, 0)
    return tuple(
        ShippedBefore(shipment.shipment_id, _summed(dict(shipment.units), fact, change))
        if change and shipment.shipment_id == fact.reference
        else shipment
        for shipment in order.shipments
    )


def _summed(standing: dict[int, Decimal], fact: Fact, change: int) -> tuple[tuple[int, Decimal], ...]:
    for line, quantity in units_by_line(fact).items():
        standing[line] = standing.get(line, ZERO) + change * quantity
    return tuple((line, quantity) for line, quantity in standing.items() if quantity)


def _marked(order: OrderState, marks: Marks) -> OrderState:
    given = {field.name: getattr(marks, field.name) for field in fields(marks)}
    changed = {name: value for name, value in given.items() if value is not None}
    return replace(order, **changed) if changed else order
