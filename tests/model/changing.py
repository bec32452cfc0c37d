"""The model of changes: what the quantities of a change mean, and of an order that is restated."""

from contextlib import suppress
from decimal import Decimal

from storage.commands import Change, ChangeOrder, LineChange, LineReference, PartShipped, QuantityReading
from tests.model.orders import (
    NONE,
    Hold,
    Line,
    NothingMoved,
    Order,
    Refuse,
    Unclear,
    cancel_rest,
    cancels,
    usable,
)


class TooLate(Exception):
    """Units of the line have left and are not cancelled; a change that does nothing else is refused."""


def change(command: ChangeOrder, order: Order, *, by_seller: bool, asking: bool) -> None:
    """All of it, or nothing: lines in the order in which they stand, then those a restated order left out."""
    _in_order(command, order)
    before, unclear, too_late = order.figures(), False, False
    closed = order.whole or order.all_cancelled
    questionable = command.restates and _questionable(command, order, by_seller=by_seller)
    said = _all(command, order)
    if _depends_on_order(command, order, said, by_seller=by_seller, asking=asking, closed=closed):
        raise Refuse
    for one in said:
        try:
            _line(command, one, order, by_seller=by_seller, asking=asking, closed=closed)
        except Hold:
            unclear = True
        except TooLate:
            too_late = True
    if too_late and order.figures() == before:
        raise Unclear if asking else Refuse
    if unclear or questionable:
        raise Hold
    after = order.figures()
    if any(after[name][2] > sums[2] for name, sums in before.items()):
        cancels(order, command.source.identity)
    if before == after:
        raise NothingMoved


def _depends_on_order(
    command: ChangeOrder,
    order: Order,
    said: tuple[LineChange, ...],
    *,
    by_seller: bool,
    asking: bool,
    closed: bool,
) -> bool:
    """Whether a line is changed twice, and it matters which change is made first."""
    lines = [order.find(one.line).name for one in said if one.change is not Change.ADD]
    if len(set(lines)) == len(lines):
        return False
    ends = []
    for sequence in (said, said[::-1]):
        trial = order.copy()
        for one in sequence:
            with suppress(TooLate):  # whether anything else is done is seen at the end
                _line(command, one, trial, by_seller=by_seller, asking=asking, closed=closed)
        ends.append(trial.figures())
    return ends[0] != ends[1]


def _in_order(command: ChangeOrder, order: Order) -> None:
    """A change that is older than one applied before is stale."""
    if command.sequence:
        number = int(command.sequence)
        if number < order.sequences.get(command.by, 0):
            raise Refuse
        order.sequences[command.by] = number


def _questionable(command: ChangeOrder, order: Order, *, by_seller: bool) -> bool:
    """A restated order without any line of the order's; or lines that a seller leaves out."""
    named = {one.line.number for one in command.lines}
    left_out = any(line.open for line in order.lines.values() if line.name not in named)
    old = {one.line.number for one in command.lines if one.change is not Change.ADD}
    return left_out and (by_seller or not old & order.lines.keys())


def _all(command: ChangeOrder, order: Order) -> tuple[LineChange, ...]:
    """The lines of the change; in a restated order also those it leaves out, and new ones as additions."""
    if not command.restates:
        return command.lines
    named = {one.line.number for one in command.lines}
    said = tuple(one if one.line.number in order.lines else _addition(one) for one in command.lines)
    left_out = tuple(
        LineChange(line=LineReference(number=line.name), change=Change.CANCEL)
        for line in order.lines.values()
        if line.name not in named
    )
    return said + left_out


def _addition(one: LineChange) -> LineChange:
    return LineChange(line=one.line, change=Change.ADD, quantity=one.quantity, new=one.new)


def _line(
    command: ChangeOrder, one: LineChange, order: Order, *, by_seller: bool, asking: bool, closed: bool
) -> None:
    if one.change is Change.ADD:
        if by_seller or closed or one.new is None or one.new.number in order.lines:
            raise Refuse
        new = one.new
        order.lines[new.number] = Line(new.number, new.ids[0].id, usable(new.quantity))
        return
    line = order.find(one.line)
    match one.change:
        case Change.NOTE:
            pass
        case Change.CANCEL:
            if line.fulfilled and command.part_shipped is PartShipped.REFUSE:
                raise Refuse
            if line.fulfilled and not line.open and one not in command.lines:
                raise TooLate
            cancel_rest(line, declined=by_seller, asking=asking)
            if line.fulfilled:
                raise TooLate
        case Change.CONFIRM:
            if one.second is not None:
                usable(one.second, zero=True)
            if one.quantity not in (None, line.current, line.current - line.requested):
                raise Refuse
        case _:
            asked = NONE if by_seller else line.requested
            wanted = _wanted(one, line, asked)
            if wanted is not None:
                _set(line, wanted, one, asked, by_seller=by_seller, asking=asking, closed=closed)


def _wanted(one: LineChange, line: Line, asked: Decimal) -> Decimal | None:
    """The line's new quantity in all; None when it has that already.

    What either calls current may be without the units that the buyer asked to cancel; `asked` are those
    that the sender asked for.
    """
    sign = {Change.DECREASE: -1, Change.INCREASE: 1}.get(one.change, 0)
    delta = one.reading is QuantityReading.DELTA
    quantity = usable(one.quantity, zero=not delta)
    second = None if one.second is None else usable(one.second, zero=True)
    if delta:
        if not sign:
            raise Hold
        if sign > 0:
            return line.current + quantity
        again = asked and quantity in (asked, line.open)  # said twice, or all of it now
        return line.current - (quantity if again else quantity + asked)
    if one.reading is QuantityReading.OLD_NEW:
        if second is None or sign * (second - quantity) < 0:
            raise Refuse
        begins = line.current in (quantity, quantity + line.requested)
        if not begins and line.current != second:
            raise Refuse
        return second if begins else None
    if second is None:
        return quantity
    # The buyer counts what it received, which may be less than has left.
    fits = quantity - line.fulfilled <= second <= quantity
    was = quantity == line.current  # then the second may be what is wanted
    short = sign < 0 and quantity - line.fulfilled < second < quantity
    if was and second >= line.fulfilled and sign * (second - quantity) >= 0 and (short or not fits):
        raise Hold
    if not fits:
        raise Refuse
    return quantity


def _set(
    line: Line,
    wanted: Decimal,
    one: LineChange,
    asked: Decimal,
    *,
    by_seller: bool,
    asking: bool,
    closed: bool,
) -> None:
    if one.change is Change.DECREASE and wanted > line.current:
        raise Refuse
    least = line.current - (asked if asking and one.reading is QuantityReading.OLD_NEW else NONE)
    if one.change is Change.INCREASE and wanted < least:
        raise Refuse
    if wanted < line.fulfilled:
        raise Refuse
    more = wanted - line.current
    if more <= 0:
        if asking:
            line.requested = -more if more or one.change is not Change.DECREASE else line.requested
        else:
            line.cancel(-more, declined=by_seller)
        return
    if by_seller or closed:
        raise Refuse
    if one.change is Change.SET and line.cancelled:
        raise Refuse
    line.requested *= one.reading is QuantityReading.DELTA
    line.ordered += more
