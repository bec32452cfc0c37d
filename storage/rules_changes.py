"""The rules about changes (860, 865, a restated 850): the part of rules that grew too long for its file."""

from collections.abc import Mapping
from decimal import Decimal

from storage.acknowledgments import one_question
from storage.change_figures import Wish, read_change, refuse_change, settled
from storage.changes import (
    LEFT_OUT,
    LineOutcome,
    about_left_out,
    contradictory,
    facts_of,
    lateness,
    marks_of,
    name_changes,
    reason_for,
    said_backwards,
)
from storage.commands import Change, ChangeOrder, LineChange, PartShipped
from storage.events import EventKind, Fact, PlacedLine
from storage.evolve import evolve
from storage.orders import ZERO, LineState, OrderState, OrderStatus
from storage.quantities import fits
from storage.refusals import (
    Decision,
    Refusal,
    RefusedLine,
    already_left,
    applied,
    duplicate,
    held,
    ignored,
    new_line_fault,
    refuse,
    refuse_new_line,
    refuse_order,
    refused,
)
from storage.requests import asked_for, is_request, more_in_all
from storage.rules_answers import answer_to


def decide_change(order: OrderState, command: ChangeOrder) -> Decision:
    """Either party's change, all or nothing: what is taken away is cancelled (sections 2.2 and 2.3)."""
    if late := lateness(order, command):
        return refuse(Refusal.STALE, f"PO {command.order.po_number}: {late}; nothing was changed.")
    named = name_changes(order.lines, command)
    left_out = (LEFT_OUT,) if command.restates else ()
    changes = ((line, named.by_line.get(line.id, left_out)) for line in order.lines)
    outcomes = [_change_line(order, line, said, command) for line, said in changes if said]
    refusals = [*named.refusals, *(outcome.refusal for outcome in outcomes if outcome.refusal)]
    refusals += filter(None, (_added_fault(order, placed, command) for placed in named.added))
    if any(refusal.refusal is Refusal.ORDER_CANCELLED for refusal in refusals):
        return refuse_order(Refusal.ORDER_CANCELLED, order, command)
    if refusals:
        return refused(tuple(refusals))
    questions = tuple(outcome.question for outcome in outcomes if outcome.question)
    if questions:
        return held(one_question(questions))
    question = about_left_out(order, command, named)
    if question and (choice := answer_to(command, question)) != "cancel":
        return ignored() if choice == "ignore" else held(question)
    return _changed(order, command, outcomes, named.added)


def _changed(
    order: OrderState, command: ChangeOrder, outcomes: list[LineOutcome], added: tuple[PlacedLine, ...]
) -> Decision:
    """A change that nothing speaks against; one that changes nothing is remembered when it is newer."""
    kept = tuple(outcome.kept for outcome in outcomes if outcome.kept)
    marks = marks_of(order, command)
    facts = facts_of(outcomes, added, marks, declined=command.by == order.key.seller)
    newer = evolve(order, Fact(kind=EventKind.NOTED, marks=marks)) != order
    if kept and not facts:
        return refused(kept)
    if not facts and not newer:
        return duplicate("The order is as the change wants it already.")
    facts = facts or (Fact(kind=EventKind.NOTED, marks=marks, notes=("A change that moved no units.",)),)
    return applied(*facts, notes=facts[0].notes, refusals=kept)


def _change_line(
    order: OrderState, line: LineState, changes: tuple[LineChange, ...], command: ChangeOrder
) -> LineOutcome:
    """All changes of one line, in turn; they must come to the same in any other order (section 6)."""
    outcome = _in_turn(order, line, changes, command)
    if len(changes) == 1 or outcome.refusal or outcome.question:
        return outcome
    backwards = _in_turn(order, line, said_backwards(changes), command)
    return outcome if backwards.line == outcome.line else contradictory(line, changes)


def _in_turn(
    order: OrderState, line: LineState, changes: tuple[LineChange, ...], command: ChangeOrder
) -> LineOutcome:
    outcome = LineOutcome(line=line)
    for change in changes:
        now = outcome.line
        wish = read_change(now, change)
        if wish.question:
            wish = settled(wish, answer_to(command, wish.question))
        if wish.question:
            return LineOutcome(line=line, question=wish.question)
        units = wish.refusal or _moves(order, now, change, wish, command)
        if isinstance(units, Refusal):
            return LineOutcome(line=line, refusal=refuse_change(units, now, change, wish))
        outcome.notes += wish.notes
        outcome.move(units, reason_for(change, command))
        if wish.delete and now.fulfilled:
            outcome.kept = already_left(outcome.line)
    return outcome


def _moves(
    order: OrderState, line: LineState, change: LineChange, wish: Wish, command: ChangeOrder
) -> Mapping[EventKind, Decimal] | Refusal:
    """The units a change of one line moves, if it may (rows 5 to 9, 13, 14, 22, 29, 30)."""
    asks, by_seller = is_request(order, command), command.by == order.key.seller
    if change.change is Change.REFUSE and by_seller:
        return {EventKind.REQUEST_REFUSED: line.requested}
    if wish.delete:
        if not line.open and line.fulfilled and change is not LEFT_OUT:
            return Refusal.LINE_FULFILLED
        if line.fulfilled and command.part_shipped is PartShipped.REFUSE:
            return Refusal.PART_SHIPPED
        if asks:
            return {EventKind.CANCELLATION_REQUESTED: line.open - line.requested}
        return {EventKind.LINES_CANCELLED: line.open}
    if wish.total is None:
        return {}
    fewer = line.current - wish.total
    if fewer > line.open:
        return Refusal.EXCEEDS_OPEN
    if fewer > ZERO and change.change is Change.INCREASE and not asks:  # it begins after what is requested
        return Refusal.QUANTITY_RAISED if by_seller else Refusal.QUANTITIES_DO_NOT_FIT
    if fewer >= ZERO:
        return _request_moves(line, fewer, wish) if asks else {EventKind.LINES_CANCELLED: fewer}
    if by_seller:
        return Refusal.QUANTITY_RAISED
    if _cancelled_as_a_whole(order):
        return Refusal.ORDER_CANCELLED
    if line.cancelled and not wish.anew:
        return Refusal.REVIVES_CANCELLED
    if not fits(line.ordered - fewer):
        return Refusal.QUANTITY_OUT_OF_RANGE
    taken_back = line.requested if asks and not wish.relative else ZERO
    return {EventKind.REQUEST_WITHDRAWN: taken_back, EventKind.UNITS_ADDED: -fewer}


def _request_moves(line: LineState, fewer: Decimal, wish: Wish) -> Mapping[EventKind, Decimal] | Refusal:
    """What is asked for is so much in all, or by a difference so much more; asked again it is no news."""
    more = asked_for(line, fewer) if wish.relative else more_in_all(line, fewer)
    if more > line.open - line.requested:
        return Refusal.EXCEEDS_OPEN
    kind = EventKind.CANCELLATION_REQUESTED if more > ZERO else EventKind.REQUEST_WITHDRAWN
    return {kind: abs(more)}


def _added_fault(order: OrderState, placed: PlacedLine, command: ChangeOrder) -> RefusedLine | None:
    """Only the buyer adds lines, and not to an order that is cancelled as a whole."""
    if command.by == order.key.seller:
        return refuse_new_line(Refusal.QUANTITY_RAISED, placed)
    if _cancelled_as_a_whole(order):
        return refuse_new_line(Refusal.ORDER_CANCELLED, placed)
    return new_line_fault(placed)


def _cancelled_as_a_whole(order: OrderState) -> bool:
    """Also when a shipment was withdrawn after that, and units are open again."""
    return order.whole_cancelled or order.status is OrderStatus.CANCELLED
