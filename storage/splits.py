"""What an acknowledgment says of one line, in all the places of the document that name it.

A place says of how many units it speaks (PO102), and partners mean different things by that too (section
2.4, item 1): the line as ordered, what they accept of it, or a part of it. The ledger's own quantity counts;
another one is noted, unless it makes a difference to what is declined: then a person is asked.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

from storage.acknowledgments import (
    WAITING,
    Reading,
    base_of,
    in_words,
    read_answers,
    tally_of,
    unclear,
)
from storage.commands import AcknowledgedLine, Answer, Backorder, LineAnswer, ShortAccept
from storage.lines import LineIndex, measure
from storage.orders import ZERO, LineState
from storage.quantities import amount, plain
from storage.refusals import Refusal, RefusedLine, unfound_line

PLACES_SHOWN_MAX = 5

_Read = Callable[[LineState, tuple[LineAnswer, ...]], Reading]


def by_line(
    lines: tuple[LineState, ...], said: tuple[AcknowledgedLine, ...], *, by_name: bool = False
) -> tuple[dict[int, tuple[AcknowledgedLine, ...]], list[RefusedLine]]:
    """The places that speak of each line, by line id; and what names no line.

    A line of which units are only told to be kept is not answered, so that it need not be ours either.
    """
    grouped: dict[int, list[AcknowledgedLine]] = {}
    refusals: list[RefusedLine] = []
    index = LineIndex(lines, by_name=by_name)
    for place in said:
        line = index.find(place.line)
        if isinstance(line, LineState):
            grouped.setdefault(line.id, []).append(place)
        elif not _only_keeps(place):
            refusals.append(unfound_line(line, place.line.number, None))
    answered = {
        line_id: tuple(places) for line_id, places in grouped.items() if not all(map(_only_keeps, places))
    }
    return answered, refusals


def read_places(
    line: LineState,
    places: tuple[AcknowledgedLine, ...],
    short_accept: ShortAccept = ShortAccept.HOLD,
    backorder: Backorder = Backorder.KEEP,
) -> Reading:
    """Add up what is said of the line; where that hangs on a quantity that is not ours, ask.

    Several places are a split of the line where they add up to it. That is exact, as it is for answers with
    quantities (item 4): it could only be by chance that the parts of something else come to what was ordered.
    """
    read: _Read = partial(read_answers, short_accept=short_accept, backorder=backorder)
    answers = tuple(answer for place in places for answer in place.answers)
    if all(_is_of_the_line(line, place) for place in places) and len(places) < 2:
        return read(line, answers)
    about = _about(line, places)
    declining = [place for place in places if _declines(place, backorder)]
    if declining and len(declining) == len(places):
        return _declining(line, places, about, read)
    if len(places) > 1 and about in (line.ordered, base_of(line)):
        return read(line, tuple(answer for place in places for answer in _filled(line, place)))
    if declining:
        return _between(line, places, declining)
    return _noted(line, places, about, read(line, answers))


def _only_keeps(place: AcknowledgedLine) -> bool:
    return bool(place.answers) and all(answer.answer is Answer.KEPT for answer in place.answers)


def _is_of_the_line(line: LineState, place: AcknowledgedLine) -> bool:
    """Whether the place speaks of the line as it was ordered, or does not say of what."""
    return place.quantity is None or (place.quantity == line.ordered and place.unit in ("", line.unit))


def _about(line: LineState, places: tuple[AcknowledgedLine, ...] | list[AcknowledgedLine]) -> Decimal | None:
    """The units that places speak of together; None where one does not say it in units of the line."""
    total = ZERO
    for place in places:
        units = None if place.quantity is None else measure(line, place.quantity, place.unit)
        if not isinstance(units, Decimal):
            return None
        total += units
    return total


def _declines(place: AcknowledgedLine, backorder: Backorder) -> bool:
    """Whether the place declines what it speaks of without a figure; 0 accepted is a placeholder."""
    kinds = {answer.answer for answer in place.answers if answer.quantity is None}
    kinds |= {answer.answer for answer in place.answers if answer.answer in WAITING}
    kinds |= {answer.answer for answer in place.answers if answer.answer is Answer.REJECTED}
    declining = {Answer.REJECTED} | ({Answer.BACKORDERED} if backorder is Backorder.CANCEL else set())
    return bool(kinds) and kinds <= declining and not any(answer.quantity for answer in place.answers)


def _declining(
    line: LineState, places: tuple[AcknowledgedLine, ...], about: Decimal | None, read: _Read
) -> Reading:
    """Item 5: declined without a figure. Of fewer units than there are, it may be these or the whole line."""
    answers = tuple(answer for place in places for answer in place.answers)
    if not line.open or any(place.quantity is None for place in places):
        return read(line, answers)
    if about is not None:
        again = about == line.declined != ZERO
        if about == ZERO or about >= base_of(line) or (about in (line.current, line.open) and not again):
            return _noted(line, places, about, read(line, answers))
        if again and about not in (line.current, line.open):
            said = f"Line {line.line}: {in_words(answers)}; these {plain(about)} were declined before."
            return Reading(declined=about, notes=(said,))
    readings: tuple[tuple[str, Decimal], ...] = (("cancel-line", line.declined + line.open),)
    if about is None:
        asked = f"it is said of {_places(places)}; is all that is open declined?"
        return unclear(line, in_words(answers), asked, readings)
    if ZERO < about - line.declined < line.open:
        readings = (("cancel", about), *readings)
    asked = f"is it the {plain(about)} it is said of, or all {plain(line.open)} open?"
    return unclear(line, in_words(answers), asked, readings)


def _between(
    line: LineState, places: tuple[AcknowledgedLine, ...], declining: list[AcknowledgedLine]
) -> Reading:
    """One place declines without a figure what another one keeps, and they do not add up to the line."""
    tally = tally_of(line, tuple(answer for place in places for answer in place.answers))
    if isinstance(tally, Reading):
        return tally
    about = _about(line, declining)
    named = ZERO if about is None else about + tally[Answer.REJECTED]
    readings = (("cancel", named),) if ZERO < named - line.declined <= line.open else ()
    asked = f"it is said of {_places(places)}, which is not how many there are; which are declined?"
    return unclear(line, tally.said, asked, readings)


def _filled(line: LineState, place: AcknowledgedLine) -> tuple[LineAnswer, ...]:
    """The answers of a part of the line, with the part's rest where one of them has no quantity.

    A part of which nothing is said is accepted as it is (item 9).
    """
    answers = place.answers or (LineAnswer(answer=Answer.ACCEPTED),)
    assert place.quantity is not None
    rest = measure(line, place.quantity, place.unit)
    without = [at for at, answer in enumerate(answers) if _is_without(answer)]
    for answer in answers:
        units = measure(line, answer.quantity or ZERO, answer.unit)
        if isinstance(rest, Refusal) or isinstance(units, Refusal):
            return answers
        rest -= units
    assert isinstance(rest, Decimal)
    if len(without) != 1 or rest <= ZERO:
        return answers
    at = without[0]
    rejects_beside = answers[at].answer is Answer.REJECTED and any(answer.quantity for answer in answers)
    if answers[at].answer is Answer.QUANTITY_CHANGED or rejects_beside:
        return answers
    return (*answers[:at], replace(answers[at], quantity=rest, unit=""), *answers[at + 1 :])


def _is_without(answer: LineAnswer) -> bool:
    """Whether it has no quantity; 0 backordered, on hold or rejected is none (section 0, item 6)."""
    return answer.quantity is None or (
        answer.quantity == ZERO and answer.answer in (*WAITING, Answer.REJECTED)
    )


def _noted(
    line: LineState, places: tuple[AcknowledgedLine, ...], about: Decimal | None, reading: Reading
) -> Reading:
    """Item 1: our quantity counts, and another one is worth a look, unless it is that of a report's item."""
    silent = any(place.quantity is None for place in places)
    reported = any(answer.certain for place in places for answer in place.answers)
    if silent or reported or about in (ZERO, line.ordered, base_of(line), line.current, line.open):
        return reading
    note = (
        f"Line {line.line}: the seller speaks of {_places(places)}, not of {amount(line.ordered, line.unit)}."
    )
    return replace(reading, notes=(*reading.notes, note))


def _places(places: tuple[AcknowledgedLine, ...]) -> str:
    """The quantities that the places speak of, as they were sent."""
    sent = [amount(place.quantity, place.unit) for place in places if place.quantity is not None]
    if not sent:
        return f"it in {len(places)} places"
    shown = " and ".join(sent[:PLACES_SHOWN_MAX])
    return shown if len(sent) <= PLACES_SHOWN_MAX else f"{shown}, and of {len(sent) - PLACES_SHOWN_MAX} more"
