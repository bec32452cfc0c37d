"""What a fact does to an order, in memory: the sums the database keeps, before they are written."""

from dataclasses import replace
from decimal import Decimal

from storage.events import EventKind, Fact, PlacedLine
from storage.orders import ZERO, LineState, OrderState

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
        order = replace(order, lines=_moved(order.lines, fact))
    return replace(order, whole_cancelled=True) if fact.kind is EventKind.ORDER_CANCELLED else order


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
    return tuple(_counted(line, fact, moved[line.id]) if line.id in moved else line for line in lines)


def _counted(line: LineState, fact: Fact, quantity: Decimal) -> LineState:
    if quantity < ZERO:
        raise ValueError(f"line {line.line}: a fact moves {quantity} units")
    if fact.kind is EventKind.LINES_FULFILLED:
        return replace(line, fulfilled=line.fulfilled + quantity)
    if fact.kind not in CANCELLING:
        raise ValueError(f"a fact of kind {fact.kind.value} moves no units")
    declined = line.declined + quantity if fact.declined else line.declined
    return replace(line, cancelled=line.cancelled + quantity, declined=declined)
