"""POC loops to what is to become of lines (spec 1.11, 2.3), for an 860 and an 865.

The quantities go on as sent: what they mean depends on the partner's habit and on the ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from edi.codes import CHANGE_CLASS, ChangeClass, words
from edi.documents import ChangedLine
from pipeline.items import line_reference, location_quantities, new_line
from pipeline.mapping.answers import line_answer, may_refuse
from pipeline.mapping.objections import Doubt
from pipeline.mapping.origin import Origin
from storage.commands import Change, ChangeAmounts, LineChange, NewLine, QuantityReading, Reason
from storage.orders import ZERO
from storage.outcomes import Choice

#: What a change type asks for. A class that is not here needs a person: one line for another, a line to
#: another place, or the no to a change (which makes an 865 an answer, see change_answers).
CHANGES: Mapping[ChangeClass, Change] = {
    ChangeClass.DELETE: Change.CANCEL,
    ChangeClass.DECREASE: Change.DECREASE,
    ChangeClass.INCREASE: Change.INCREASE,
    ChangeClass.QUANTITY_CHANGE: Change.SET,
    ChangeClass.SET: Change.SET,
    ChangeClass.ADD: Change.ADD,
    ChangeClass.CONFIRM: Change.CONFIRM,
    ChangeClass.NOTE: Change.NOTE,
    ChangeClass.IGNORE: Change.NOTE,
}

_WITH_QUANTITY = (Change.DECREASE, Change.INCREASE, Change.SET, Change.ADD, Change.CANCEL)


def line_changes(
    lines: Iterable[ChangedLine], origin: Origin, *, restates: bool = False
) -> tuple[tuple[LineChange, ...], list[Doubt]]:
    """The changes that are clear, and what is not. Where they restate the order, every line is kept."""
    changes: list[LineChange] = []
    doubts: list[Doubt] = []
    for line in lines:
        found = line_change(line, origin, restates=restates)
        if isinstance(found, Doubt):
            doubts.append(found)
        elif restates or CHANGE_CLASS[line.change] is not ChangeClass.IGNORE:
            changes.append(found)
    if origin.answered("others") and not restates:
        return tuple(changes), []
    return tuple(changes), doubts


def others_choice(changes: tuple[LineChange, ...], *, restates: bool) -> tuple[Choice, ...]:
    """Leaving the doubtful lines aside; where lines restate the order, to leave one out would cancel it."""
    if not changes or restates:
        return ()
    return (Choice("others", "leave these lines as they are, and apply the others"),)


def cancels_order(lines: Iterable[ChangedLine]) -> bool | None:
    """Whether lines cancel the order as a whole (CF); None when some do and others do something else."""
    found = {CHANGE_CLASS.get(line.change) is ChangeClass.CANCEL_ORDER for line in lines}
    return None if len(found) > 1 else found == {True}


def called(line: ChangedLine) -> str:
    """How a person finds the line: by its number, else by its place."""
    return f"Line {line.number}" if line.number else f"The line at segment {line.position}"


def line_change(line: ChangedLine, origin: Origin, *, restates: bool = False) -> LineChange | Doubt:
    """What one POC loop says is to become of a line, its quantities as sent."""
    kind = CHANGE_CLASS.get(line.change)
    change = CHANGES.get(kind) if kind else None
    if change is None:
        said = words("670", line.change) if kind else "a change code without a fixed meaning"
        return Doubt(f"{called(line)}: {line.change} ({said}): what is to become of it?")
    quantity = line.quantity
    if line.stores and quantity is None and change in _WITH_QUANTITY:
        if not origin.answered("total"):
            return _about_stores(line, change, origin)
        quantity = sum(location_quantities(line, origin.policy), ZERO)
    if line.change == "CA" and quantity is None and line.quantities is None:
        change = Change.NOTE  # something of the line is changed, and a quantity not said is not it
    composite = kind is ChangeClass.QUANTITY_CHANGE or line.quantities is not None
    reading = QuantityReading.COMPOSITE if composite else origin.policy.poc_quantity
    policy = origin.policy
    new = _wanted(line, quantity, reading, origin) if restates or change is Change.ADD else None
    return LineChange(
        line=line_reference(line.number, line.ids, policy),
        change=change,
        quantity=quantity,
        second=line.left_to_receive,
        amounts=_amounts(line),
        reading=reading,
        unit=policy.unit_aliases.of(line.unit),
        code=line.change,
        new=new,
        location_quantities=location_quantities(line, policy),
        answers=tuple(line_answer(ack, policy) for ack in line.acknowledgments),
        may_refuse=may_refuse(line.acknowledgments),
        reason=Reason(line.change, words("670", line.change)),
    )


def _about_stores(line: ChangedLine, change: Change, origin: Origin) -> Doubt:
    """Stores without a total: all there are, or those that change? Their sum is no new total by itself."""
    total = sum(location_quantities(line, origin.policy), ZERO)
    said = (
        f"{called(line)}: {line.change} names {len(line.stores)} stores with {total:f} units together, and no"
        " quantity of the line: are these all its stores, or only those that change?"
    )
    effect = (
        "cancel what is open of the line"
        if change is Change.CANCEL
        else f"{total:f} is the line's new quantity"
    )
    return Doubt(said, (Choice("total", f"these are all its stores: {effect}"),))


def _amounts(line: ChangedLine) -> ChangeAmounts | None:
    sent = line.quantities
    if sent is None:
        return None
    return ChangeAmounts(
        original=sent.original, increase=sent.increase, decrease=sent.decrease, revised=sent.revised
    )


def _wanted(line: ChangedLine, quantity: Decimal | None, reading: QuantityReading, origin: Origin) -> NewLine:
    """The line as it should be, for an order that does not have it yet."""
    if reading is QuantityReading.OLD_NEW and line.left_to_receive is not None:
        quantity = line.left_to_receive
    if reading is QuantityReading.COMPOSITE and line.quantities and line.quantities.revised is not None:
        quantity = line.quantities.revised
    return replace(new_line(line, origin.policy), quantity=quantity)
