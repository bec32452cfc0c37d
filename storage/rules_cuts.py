"""The rules about cancelling parts of lines: by an amount, or down to a new quantity. See rules."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from storage.commands import CancelLines, LineCancellation
from storage.events import EventKind, Fact
from storage.lines import LineIndex, add_up, measure, movable, moved
from storage.orders import ZERO, LineState, OrderState
from storage.quantities import amount, amount_are
from storage.refusals import Decision, Refusal, RefusedLine, applied, duplicate, refuse_line, unfound_line
from storage.requests import asked_for, is_request, more_in_all, not_asked


def decide_cuts(order: OrderState, command: CancelLines) -> Decision:
    """Part of lines, all or nothing."""
    asks, by_hand = is_request(order, command), not command.source.type
    by_amount = tuple(cut for cut in command.lines if cut.new_total is None)
    all_of = not_asked if asks and by_hand else _open
    sums, refusals = add_up(order.lines, by_amount, "cancel", by_name=by_hand, all_of=all_of)
    more, faults = _down_to_totals(order, command, sums, asks=asks)
    fault_of = (_fault_on_top if by_hand else _fault_in_document) if asks else _cancel_fault
    sums_or_no = movable(order.lines, (sums, refusals + faults), fault_of, "cancel")
    if isinstance(sums_or_no, Decision):
        return sums_or_no
    again = asks and not by_hand
    for line in order.lines:
        if line.id in sums:
            more[line.id] = asked_for(line, sums[line.id]) if again else sums[line.id]
    return _moving(order, command, more, asks=asks)


def _moving(order: OrderState, command: CancelLines, more: Mapping[int, Decimal], *, asks: bool) -> Decision:
    """So many units more of each line; of what is below zero, so many are asked for no longer."""
    kind = EventKind.CANCELLATION_REQUESTED if asks else EventKind.LINES_CANCELLED
    units = {line_id: quantity for line_id, quantity in more.items() if quantity > ZERO}
    back = {line_id: -quantity for line_id, quantity in more.items() if quantity < ZERO}
    facts = (
        Fact(kind=EventKind.REQUEST_WITHDRAWN, units=moved(order.lines, back, command.reason)),
        Fact(kind=kind, units=moved(order.lines, units, command.reason)),
    )
    still = tuple(_left_alone(line, asks=asks) for line in order.lines if more.get(line.id) == ZERO)
    if units or back:
        return applied(*(fact for fact in facts if fact.units), notes=still)
    return duplicate(*still)


def _left_alone(line: LineState, *, asks: bool) -> str:
    """A line that was named and is so already."""
    if asks and line.requested:
        return f"Line {line.line}: {amount_are(line.requested, line.unit)} asked for already."
    if line.open or line.fulfilled:
        return f"Line {line.line}: its quantity is {amount(line.current, line.unit)} already."
    return f"Line {line.line} is cancelled already."


def _down_to_totals(
    order: OrderState, command: CancelLines, by_amount: Collection[int], *, asks: bool
) -> tuple[dict[int, Decimal], list[RefusedLine]]:
    """Units more, by line id, of the lines that are to have a new quantity; and why others cannot."""
    more: dict[int, Decimal] = {}
    faults: list[RefusedLine] = []
    totals = [cut for cut in command.lines if cut.new_total is not None]
    index = LineIndex(order.lines if totals else (), by_name=not command.source.type)
    for cut in totals:
        line = index.find(cut.line)
        if isinstance(line, Refusal):
            faults.append(unfound_line(line, cut.line.number, None))
        elif line.id in by_amount or line.id in more:
            said = "a new quantity, and another figure beside it"
            faults.append(refuse_line(Refusal.CONTRADICTORY, line, None, said=said))
        elif isinstance(units := _down_to(line, cut, asks=asks), RefusedLine):
            faults.append(units)
        else:
            more[line.id] = units
    return more, faults


def _down_to(line: LineState, cut: LineCancellation, *, asks: bool) -> Decimal | RefusedLine:
    """Units more until the line has its new quantity, none where it has (rows 7, 8, 13, 22)."""
    assert cut.new_total is not None
    total = measure(line, cut.new_total, cut.unit)
    if isinstance(total, Refusal):
        return refuse_line(total, line, cut.new_total, "leave", cut.unit)
    fewer = line.current - total
    if fewer < ZERO:
        return refuse_line(Refusal.QUANTITIES_DO_NOT_FIT, line, total, "leave")
    if fewer and (fault := _cancel_fault(line, fewer)):
        return refuse_line(fault, line, fewer, "cancel")
    return more_in_all(line, fewer) if asks else fewer


def _cancel_fault(line: LineState, asked: Decimal) -> Refusal | None:
    if asked <= line.open and (asked or line.open):
        return None
    if line.open:
        return Refusal.EXCEEDS_OPEN
    if line.fulfilled:
        return Refusal.LINE_FULFILLED
    return Refusal.LINE_CANCELLED if asked else None  # all that is open of it, and that was said before


def _fault_on_top(line: LineState, more: Decimal) -> Refusal | None:
    fault = _cancel_fault(line, more) if more or not line.open else None
    return fault or (Refusal.EXCEEDS_OPEN if more > not_asked(line) else None)


def _fault_in_document(line: LineState, asked: Decimal) -> Refusal | None:
    more = asked_for(line, asked)
    return _cancel_fault(line, asked) or (Refusal.EXCEEDS_OPEN if more > not_asked(line) else None)


def _open(line: LineState) -> Decimal:
    return line.open
