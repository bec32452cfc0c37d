"""How a change's figures are read: in four ways, down to the total wanted of a line. Arithmetic only.

Partners write the two quantities of a change in four ways (section 2.3). Whatever the way, they are held
against what is current on the line, ordered and not cancelled; whether the change is allowed is in rules.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from storage.acknowledgments import Reading, read_answers, tally_of
from storage.commands import Answer, Change, ChangeAmounts, LineChange, QuantityReading
from storage.lines import measure
from storage.orders import ZERO, LineState
from storage.outcomes import Choice, Question
from storage.quantities import amount, plain
from storage.refusals import Refusal, RefusedLine, refuse_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a change wants of one line; `total` is how many units in all, None: as many as there are.

    `delete`: nothing open is wanted any more. `anew`: more units, said in so many words, so that they are new
    ones whatever was cancelled. `relative`: said as a difference. `readings`: totals by choice, when only a
    person can tell.
    """

    total: Decimal | None = None
    delete: bool = False
    anew: bool = False
    relative: bool = False
    refusal: Refusal | None = None
    asked: Decimal | None = None  # what the refusal is about, in `unit` ("": the line's own)
    unit: str = ""
    question: Question | None = None
    readings: tuple[tuple[str, Decimal | None], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Figures:
    """The quantities of a change in the line's unit; None where one was not sent."""

    first: Decimal | None = None
    second: Decimal | None = None
    original: Decimal | None = None
    increase: Decimal | None = None
    decrease: Decimal | None = None
    revised: Decimal | None = None


def read_change(line: LineState, change: LineChange) -> Wish:
    """What the figures of one change of a line mean, by the sender's way of writing them."""
    wish = _read(line, change)
    return _with_answers(line, change, wish) if change.answers and not wish.refusal else wish


def settled(wish: Wish, choice: str) -> Wish:
    """The wish after a person's answer, if one was given that fits the question."""
    chosen = [total for name, total in wish.readings if name == choice]
    return replace(wish, total=chosen[0], question=None, readings=()) if chosen else wish


def said(change: LineChange) -> str:
    """The change as it was sent: QD 60, 20."""
    figures = [figure for figure in (change.quantity, change.second) if figure is not None]
    words = change.code or change.change.value
    if change.amounts is not None:
        parts = change.amounts
        signs = (("", parts.original), ("+", parts.increase), ("-", parts.decrease), ("=", parts.revised))
        words += "".join(f" {sign}{plain(figure)}" for sign, figure in signs if figure is not None)
    return f"{words} {', '.join(map(plain, figures))}".strip()


def refuse_change(refusal: Refusal, line: LineState, change: LineChange, wish: Wish) -> RefusedLine:
    """A refusal of one change of a line: by its figures when they are at fault, else by what they come to."""
    if wish.refusal or wish.total is None:
        return refuse_line(refusal, line, wish.asked, unit=wish.unit, said=said(change))
    if wish.relative and wish.total < line.current:
        return refuse_line(refusal, line, line.current - wish.total, "cancel")
    return refuse_line(refusal, line, wish.total, "change to")


def _read(line: LineState, change: LineChange) -> Wish:
    figures = _measured(line, change)
    match change.change:
        case Change.CANCEL:
            return Wish(delete=True, notes=_beside_deletion(line, change, figures))
        case Change.NOTE:
            return Wish(notes=_beside_note(line, change, figures))
        case Change.REFUSE:
            return Wish(notes=(f"Line {line.line}: {said(change)}; the other side's change is refused.",))
    if isinstance(figures, Wish):
        return figures
    if change.change is Change.CONFIRM:
        known = figures.first in (None, line.current, line.current - line.requested)
        return Wish() if known else _misfit(figures.first)
    return _split_by_store(line, change, _READINGS[change.reading](line, change, figures))


def _measured(line: LineState, change: LineChange) -> _Figures | Wish:
    parts = change.amounts or ChangeAmounts()
    sent = (change.quantity, change.second, parts.original, parts.increase, parts.decrease, parts.revised)
    figures: list[Decimal | None] = []
    for quantity in sent:
        own = None if quantity is None else measure(line, quantity, change.unit)
        if isinstance(own, Refusal):
            return Wish(refusal=own, asked=quantity, unit=change.unit)
        figures.append(own)
    return _Figures(*figures)


def _towards(line: LineState, change: LineChange, total: Decimal) -> Wish:
    """A total in the direction the change says; to where it is already means that it was said before."""
    kind, current = change.change, line.current
    if (kind is Change.DECREASE and total > current) or (kind is Change.INCREASE and total < current):
        return _misfit(total)
    if kind is Change.DECREASE and total == current:
        return Wish()
    return Wish(total=total, anew=kind is Change.INCREASE)


def _new_total(line: LineState, change: LineChange, figures: _Figures) -> Wish:
    """Reading A, the standard's: the new quantity, and what of it is left to receive."""
    total, left = figures.first, figures.second
    if total is None:
        return Wish(refusal=Refusal.QUANTITY_MISSING)
    fits = left is None or total - line.fulfilled <= left <= total
    if left is not None and total == line.current and _may_be_old_and_new(line, change, left, fits=fits):
        return _old_or_new(line, change, left)
    if total < line.fulfilled or fits:
        return _towards(line, change, total)
    return _misfit(total)


def _may_be_old_and_new(line: LineState, change: LineChange, left: Decimal, *, fits: bool) -> bool:
    """Whether "what is current, another figure" may mean "from so many to so many" (reading C)."""
    if left < line.fulfilled:
        return False
    match change.change:
        case Change.DECREASE:
            return left < line.current
        case Change.INCREASE:
            return left > line.current
    return not fits


def _old_or_new(line: LineState, change: LineChange, new: Decimal) -> Wish:
    current, unit = line.current, line.unit
    statement = (
        f"Line {line.line}: {said(change)} on {amount(current, unit)} current: from {plain(current)} to"
        f" {plain(new)}, or {plain(current)} in all as before with {plain(new)} still to come?"
    )
    name, verb = ("cancel", "cancel") if new < current else ("raise", "add")
    effect = f"{verb} {amount(abs(current - new), unit)} of line {line.line}"
    ignore = Choice("ignore", f"leave line {line.line} as it is")
    return Wish(
        anew=new > current,
        question=Question(statement, (Choice(name, effect), ignore)),
        readings=((name, new), ("ignore", None)),
    )


def _delta(line: LineState, change: LineChange, figures: _Figures) -> Wish:
    """Reading B: the amount of the change. A second figure lies between what is left and the larger total."""
    units, second = figures.first, figures.second
    if units is None or units == ZERO:
        return Wish(refusal=Refusal.QUANTITY_MISSING if units is None else Refusal.QUANTITY_ZERO, asked=units)
    fewer, more = line.current - units, line.current + units
    if change.change is Change.SET:
        return _fewer_or_more(line, change, units)
    total = fewer if change.change is Change.DECREASE else more
    low, high = min(line.open, total - line.fulfilled), max(line.current, total)
    if second is not None and not low <= second <= high and total >= line.fulfilled:
        return _misfit(second)
    return replace(_towards(line, change, total), relative=True)


def _fewer_or_more(line: LineState, change: LineChange, units: Decimal) -> Wish:
    some = amount(units, line.unit)
    statement = f"Line {line.line}: {said(change)} is an amount of change: {some} less, or more?"
    choices = (
        Choice("cancel", f"cancel {some} of line {line.line}"),
        Choice("raise", f"add {some} to line {line.line}"),
        Choice("ignore", f"leave line {line.line} as it is"),
    )
    totals = (("cancel", line.current - units), ("raise", line.current + units), ("ignore", None))
    return Wish(anew=True, relative=True, question=Question(statement, choices), readings=totals)


def _old_new(line: LineState, change: LineChange, figures: _Figures) -> Wish:
    """Reading C: the quantity before and the quantity after."""
    if figures.first is None or figures.second is None:
        return Wish(refusal=Refusal.QUANTITY_MISSING)
    return _from_to(line, change, figures.first, figures.second)


def _composite(line: LineState, change: LineChange, figures: _Figures) -> Wish:
    """Reading E: the quantity before, and how many more or fewer, and how many then (C063)."""
    stated = (figures.increase, figures.decrease)
    if figures.revised is None and stated == (None, None):
        return Wish(refusal=Refusal.QUANTITY_MISSING)
    before = figures.first if figures.first is not None else figures.original
    net = (figures.increase or ZERO) - (figures.decrease or ZERO)
    after = figures.revised
    if after is None:
        after = (line.current if before is None else before) + net
    elif before is not None and stated != (None, None) and before + net != after:
        return _misfit(after)
    if after < ZERO:
        return _misfit(before)
    explicit = figures.increase is not None and figures.decrease is None
    if before is None:
        wish = replace(_towards(line, change, after), relative=figures.revised is None)
    else:
        wish = _from_to(line, change, before, after)
    return replace(wish, anew=wish.anew or explicit)


def _from_to(line: LineState, change: LineChange, before: Decimal, after: Decimal) -> Wish:
    """From what is current (or will be, when the seller agrees) to so many; arrived already: said before."""
    kind = change.change
    if (kind is Change.DECREASE and after > before) or (kind is Change.INCREASE and after < before):
        return _misfit(after)
    if after == line.current and (after != before or kind is Change.DECREASE):
        return Wish()
    if before not in (line.current, line.current - line.requested):
        return _misfit(before)
    return Wish(total=after, anew=kind is Change.INCREASE)


_READINGS = {
    QuantityReading.NEW_TOTAL: _new_total,
    QuantityReading.DELTA: _delta,
    QuantityReading.OLD_NEW: _old_new,
    QuantityReading.COMPOSITE: _composite,
}


def _split_by_store(line: LineState, change: LineChange, wish: Wish) -> Wish:
    """The quantities by store add up to the new total, or to the amount of the change where that was said."""
    if not change.location_quantities or wish.refusal or wish.question:
        return wish
    stores = measure(line, sum(change.location_quantities, ZERO), change.unit)
    if isinstance(stores, Refusal):
        return Wish(refusal=stores, asked=sum(change.location_quantities, ZERO), unit=change.unit)
    total = line.current if wish.total is None else wish.total
    differs = stores != total and not (wish.relative and stores == abs(total - line.current))
    return Wish(refusal=Refusal.STORES_DO_NOT_ADD_UP, asked=stores) if differs else wish


def _with_answers(line: LineState, change: LineChange, wish: Wish) -> Wish:
    """What the seller says of the line in the same breath: it must agree with the change, or says it all."""
    if change.change in (Change.CONFIRM, Change.NOTE, Change.REFUSE):
        return _perhaps_refused(line, change, _answered(line, change, wish))
    tally = tally_of(line, change.answers)
    if isinstance(tally, Reading):
        return Wish(refusal=tally.refusal, asked=tally.asked, unit=tally.unit)
    total = line.fulfilled if wish.delete else wish.total
    total = line.current if total is None else total
    kept = tally.kept not in (ZERO, total) or (total < line.current and tally.kept == total and tally.waits)
    gone = tally[Answer.REJECTED] not in (ZERO, line.current - total, line.ordered - total)
    if not wish.question and (kept or gone):
        return Wish(refusal=Refusal.CONTRADICTORY)
    return _perhaps_refused(line, change, wish)


def _perhaps_refused(line: LineState, change: LineChange, wish: Wish) -> Wish:
    """Rejected may be the units, or the change itself, which the buyer asked for (sections 1.9 and 1.11)."""
    buyers = line.requested or change.change in (Change.NOTE, Change.INCREASE)
    if not change.may_refuse or not buyers or wish.refusal or wish.question:
        return wish
    total = line.fulfilled if wish.delete else wish.total
    fewer = ZERO if total is None else max(line.current - total, ZERO)
    words = ", ".join(answer.code or answer.answer.value for answer in change.answers)
    statement = (
        f"Line {line.line}: {said(change)} with {words}: are units rejected, or the change that the buyer"
        " asked for?"
    )
    ignore = Choice("ignore", f"leave line {line.line} as it is")
    if not fewer:
        return replace(wish, question=Question(statement, (ignore,)), readings=(("ignore", None),))
    cancel = Choice("cancel", f"cancel {amount(fewer, line.unit)} of line {line.line}")
    readings = (("cancel", total), ("ignore", None))
    return replace(wish, delete=False, question=Question(statement, (cancel, ignore)), readings=readings)


def _answered(line: LineState, change: LineChange, wish: Wish) -> Wish:
    """The change itself moves nothing; the answers beside it are read as in an acknowledgment."""
    reading = read_answers(line, change.answers)
    notes = (*wish.notes, *reading.notes)
    if reading.refusal:
        return Wish(refusal=reading.refusal, asked=reading.asked, unit=reading.unit)
    if reading.whole:
        return Wish(delete=True, notes=notes)
    declined = max(reading.declined - line.declined, ZERO)
    totals = tuple(
        (name, line.current - max(units - line.declined, ZERO) if units else None)
        for name, units in reading.readings
    )
    return Wish(
        total=line.current - declined if declined else None,
        question=reading.question,
        readings=totals,
        notes=notes,
    )


def _misfit(figure: Decimal | None) -> Wish:
    return Wish(refusal=Refusal.QUANTITIES_DO_NOT_FIT, asked=figure)


def _beside_deletion(line: LineState, change: LineChange, figures: _Figures | Wish) -> tuple[str, ...]:
    """A quantity beside a deletion is not read; one that could mean a part is worth a look."""
    if change.quantity is None:
        return ()
    first = None if isinstance(figures, Wish) else figures.first
    if first in (ZERO, line.current, line.ordered):
        return ()
    return (f"Line {line.line}: {said(change)} deletes all that is open; its quantity is not read.",)


def _beside_note(line: LineState, change: LineChange, figures: _Figures | Wish) -> tuple[str, ...]:
    first = None if isinstance(figures, Wish) else figures.first
    differs = change.quantity is not None and first != line.current
    what = f"; the quantity is not the {amount(line.current, line.unit)} current" if differs else ""
    return (f"Line {line.line}: {said(change)}; no units are moved{what}.",)
