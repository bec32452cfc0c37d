"""The model of acknowledgments: what the seller's figures about a line say, and what they cancel."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    Backorder,
    LineAnswer,
    ShortAccept,
    Verdict,
)
from tests.model.orders import (
    NONE,
    Hold,
    Line,
    Order,
    Refuse,
    Repeated,
    Unclear,
    cancel_rest,
    cancels,
    usable,
)

_ACCEPTING = (Answer.ACCEPTED, Answer.QUANTITY_CHANGED)


def acknowledge(command: AcknowledgeOrder, order: Order) -> None:
    answers = [one for line in command.lines for one in line.answers]
    match command.verdict:
        case Verdict.COUNTER_OFFER:
            raise Hold
        case Verdict.REJECTED:
            if any(_keeps(command, one) for one in answers):
                raise Refuse
            _reject(command, order)
            return
        case Verdict.REJECTED_BY_LINE if not any(_keeps(command, one) for one in answers):
            _reject(command, order)
            return
        case Verdict.WITHDRAWN if not any(one.answer is Answer.REJECTED for one in answers):
            raise Hold
    said: dict[str, tuple[AcknowledgedLine, ...]] = {}
    for named in command.lines:
        line = order.find(named.line)
        said[line.name] = (*said.get(line.name, ()), named)
    for one in answers:
        if one.quantity is not None:
            usable(one.quantity, zero=True)
    if order.all_cancelled and any(_keeps(command, one) for one in answers):
        raise Refuse
    before, held, unclear = order.figures(), False, False
    for name, places in said.items():
        line = order.lines[name]
        try:
            _line(command, line, _together(command, line, places))
        except Hold:
            held = True
        except Unclear:
            unclear = True
    if held and not unclear:
        raise Hold
    if any(order.figures()[name][2] > sums[2] for name, sums in before.items()):
        cancels(order, command.source.identity)
    if unclear:
        raise Unclear


def _keeps(command: AcknowledgeOrder, one: LineAnswer) -> bool:
    """Whether it speaks of units that are not rejected; backordered 0 means the rest."""
    if one.answer is Answer.BACKORDERED:
        return command.backorder is Backorder.KEEP
    return one.answer is Answer.ON_HOLD or (one.answer in _ACCEPTING and one.quantity != 0)


def _reject(command: AcknowledgeOrder, order: Order) -> None:
    if not order.sum("open"):
        if order.all_cancelled or order.whole:
            raise Repeated
        raise Refuse
    cancels(order, command.source.identity)
    for line in order.lines.values():
        line.cancel(line.open, declined=True)
    order.whole = True


def _together(
    command: AcknowledgeOrder, line: Line, places: tuple[AcknowledgedLine, ...]
) -> tuple[LineAnswer, ...]:
    """All that is said of a line. Each place says of how many units it speaks, and that may be a part."""
    answers = tuple(one for place in places for one in place.answers)
    counted = [place.quantity for place in places if place.quantity is not None]
    about = sum(counted, NONE)
    all_counted = len(counted) == len(places) and all(units >= 0 for units in counted)
    there = line.current + line.declined  # all but what the buyer cancelled
    refusing = [place for place in places if _refuses_all_it_speaks_of(command, place)]
    if len(refusing) == len(places):
        if not line.open or not counted or len(counted) < len(places) or not about or about >= there:
            return answers
        if not all_counted or (about not in (line.current, line.open) and about != line.declined):
            raise Hold
        if about == line.declined:
            if about in (line.current, line.open):
                raise Hold
            return ()  # said before
        return answers
    if len(places) > 1 and all_counted and about in (line.ordered, there):
        return tuple(one for place in places for one in _parted(place))
    if refusing:
        raise Hold
    return answers


def _refuses_all_it_speaks_of(command: AcknowledgeOrder, place: AcknowledgedLine) -> bool:
    """No unit is counted in it, and it is all rejected, or killed where what waits is."""
    gone = {Answer.REJECTED} | ({Answer.BACKORDERED} if command.backorder is Backorder.CANCEL else set())
    spoken = {one.answer for one in place.answers if one.quantity is None or one.answer not in _ACCEPTING}
    return bool(spoken) and spoken <= gone and not any(one.quantity for one in place.answers)


def _parted(place: AcknowledgedLine) -> tuple[LineAnswer, ...]:
    """A part of the line: what stands there without a figure is what is left of the part."""
    answers = place.answers or (LineAnswer(answer=Answer.ACCEPTED),)
    left = (place.quantity or NONE) - _sum(answers, *Answer)
    open_ended = [
        one for one in answers if one.quantity is None or (not one.quantity and one.answer not in _ACCEPTING)
    ]
    if left <= 0 or len(open_ended) != 1 or open_ended[0].answer is Answer.QUANTITY_CHANGED:
        return answers
    if open_ended[0].answer is Answer.REJECTED and _sum(answers, *Answer):
        return answers
    return tuple(replace(one, quantity=left) if one is open_ended[0] else one for one in answers)


def _sum(answers: Iterable[LineAnswer], *kinds: Answer) -> Decimal:
    return sum((one.quantity or NONE for one in answers if one.answer in kinds), NONE)


def _line(command: AcknowledgeOrder, line: Line, answers: tuple[LineAnswer, ...]) -> None:
    if not answers:
        return
    if any(one.answer is Answer.QUANTITY_CHANGED and one.quantity is None for one in answers):
        raise Hold
    kinds = {one.answer for one in answers}
    accepting = any(one.answer in _ACCEPTING and one.quantity != 0 for one in answers)
    accepted, held = _sum(answers, *_ACCEPTING), _sum(answers, Answer.ON_HOLD)
    later, rejected = _sum(answers, Answer.BACKORDERED), _sum(answers, Answer.REJECTED)
    if (
        not rejected
        and kinds <= {Answer.REJECTED, *_ACCEPTING}  # "changed to 0" says the same once more
        and Answer.REJECTED in kinds
        and not accepting
    ):
        _all_rejected(line, alone=kinds == {Answer.REJECTED})
        return
    if kinds == {Answer.REJECTED}:
        _only_rejected(line, answers, rejected)
        return
    open_rest = any(
        one.answer in (Answer.BACKORDERED, Answer.ON_HOLD) and not one.quantity for one in answers
    )
    killed = NONE
    if command.backorder is Backorder.CANCEL and Answer.BACKORDERED in kinds:
        if open_rest:
            killed = max(line.current - accepted - held - rejected - later, NONE)
        rejected, later, open_rest = rejected + later, NONE, False
    everything = any(one.quantity is None and one.answer is Answer.ACCEPTED for one in answers)
    total = accepted + later + held + rejected
    if accepted > line.ordered - line.declined:
        raise Unclear if rejected else Refuse
    if rejected:
        if rejected == total == line.ordered and line.current == line.open and not everything:
            line.cancel(line.open, declined=True)
            return
        if everything and (rejected - line.declined > line.open or rejected >= line.current):
            raise Unclear
        if total > line.current + line.declined:
            raise Unclear
        line.cancel(max(rejected - line.declined, NONE), declined=True)
    line.cancel(min(killed, line.open), declined=True)  # the rest of the line; what left is none of it
    rest = max(line.current - accepted - later - held, NONE)
    if not rest and not rejected and Answer.REJECTED in kinds:
        raise Unclear
    if everything or open_rest or not rest or not kinds & {*_ACCEPTING, Answer.REJECTED}:
        return
    if (
        Answer.QUANTITY_CHANGED in kinds and not kinds & {Answer.ACCEPTED, Answer.REJECTED} and not rejected
    ) or (
        command.short_accept is ShortAccept.CANCEL and kinds & {*_ACCEPTING} and (accepting or not rejected)
    ):
        line.cancel(rest, declined=True)
    elif not rejected and (
        Answer.REJECTED in kinds
        or kinds >= {*_ACCEPTING}  # "so many" and "changed to so many" are two statements
        or not kinds & {Answer.BACKORDERED, Answer.ON_HOLD}
    ):
        raise Hold if line.open else Unclear


def _all_rejected(line: Line, *, alone: bool) -> None:
    """A line rejected without a figure: all that is open, unless only what the buyer asked for is meant."""
    if not line.open and line.cancelled and (line.fulfilled or not alone):
        raise Unclear
    if NONE < line.requested < line.open:
        raise Hold
    cancel_rest(line, declined=True, asking=False)


def _only_rejected(line: Line, answers: tuple[LineAnswer, ...], rejected: Decimal) -> None:
    certain = all(one.certain for one in answers)  # then it counts all that is rejected by now
    if rejected == line.declined == line.requested and not certain:
        raise Hold
    if rejected == line.declined:
        return
    if rejected == line.requested:  # that many were asked for: the seller agrees
        line.cancel(rejected, declined=True)
        return
    if line.declined and rejected == line.current and not certain:
        raise Unclear
    if rejected == line.ordered and line.current == line.open:
        line.cancel(line.open, declined=True)
        return
    if certain or rejected == line.current + line.declined:
        line.cancel(max(rejected - line.declined, NONE), declined=True)
        return
    if line.cancelled > line.declined:
        raise Unclear
    if rejected > line.ordered:
        raise Refuse
    raise Hold
