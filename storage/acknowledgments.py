"""What a seller's statements about one line add up to. Arithmetic only; whether it is allowed is in rules.

The statements are a split of the line's quantity, and partners mean different things by the same figures
(section 2.4): what adds up is read; what can be read two ways is a question for a person.
"""

from dataclasses import dataclass
from decimal import Decimal

from storage.commands import Answer, LineAnswer, Reason
from storage.orders import ZERO, LineState
from storage.outcomes import Choice, Question
from storage.quantities import in_line_unit, plain
from storage.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`declined` is what the seller declines in all, by this and earlier acknowledgments.

    `whole`: everything still open. `nothing_kept`: no unit was accepted, backordered or put on hold.
    `readings`: declined quantities by choice, when only a person can tell.
    """

    declined: Decimal = ZERO
    whole: bool = False
    nothing_kept: bool = False
    refusal: Refusal | None = None
    asked: Decimal | None = None
    question: Question | None = None
    readings: tuple[tuple[str, Decimal], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tally:
    """Sums by kind of answer, in the line's unit; `blank` are the kinds said without a quantity."""

    sums: dict[Answer, Decimal]
    blank: frozenset[Answer]
    said: str  # the statements as sent, for the question

    def __getitem__(self, answer: Answer) -> Decimal:
        return self.sums.get(answer, ZERO)

    def has(self, *answers: Answer) -> bool:
        return any(answer in self.sums or answer in self.blank for answer in answers)

    @property
    def accepted(self) -> Decimal:
        return self[Answer.ACCEPTED] + self[Answer.QUANTITY_CHANGED]

    @property
    def kept(self) -> Decimal:
        return self.accepted + self[Answer.BACKORDERED] + self[Answer.ON_HOLD]


def read_answers(line: LineState, answers: tuple[LineAnswer, ...]) -> Reading:
    """Add the statements up against what was ordered and not cancelled by somebody else."""
    tally = _add_up(line, answers)
    if isinstance(tally, Reading):
        return tally
    base = line.ordered - (line.cancelled - line.declined)
    if tally.has(Answer.REJECTED):
        return _rejecting(line, tally, base)
    if tally.has(Answer.QUANTITY_CHANGED):
        return _changing(line, tally, base)
    return _accepting(line, tally, base)


def reason_of(answers: tuple[LineAnswer, ...]) -> Reason:
    """The reason given with the statement that declines units; of several, the first."""
    for kind in (Answer.REJECTED, Answer.QUANTITY_CHANGED, Answer.ACCEPTED):
        for answer in answers:
            if answer.answer is kind and answer.reason.code:
                return answer.reason
    return Reason()


def _add_up(line: LineState, answers: tuple[LineAnswer, ...]) -> _Tally | Reading:
    sums: dict[Answer, Decimal] = {}
    blank: set[Answer] = set()
    for answer in answers:
        if answer.quantity is None:
            blank.add(answer.answer)
            continue
        quantity = in_line_unit(line, answer.quantity, answer.unit)
        if quantity is None:
            return Reading(refusal=Refusal.UNIT_MISMATCH, asked=answer.quantity)
        if quantity < ZERO:
            return Reading(refusal=Refusal.QUANTITY_NEGATIVE, asked=quantity)
        sums[answer.answer] = sums.get(answer.answer, ZERO) + quantity
    said = ", ".join(
        (a.code or a.answer.value) + ("" if a.quantity is None else f" {plain(a.quantity)}") for a in answers
    )
    return _Tally(sums=sums, blank=frozenset(blank), said=said)


def _rejecting(line: LineState, tally: _Tally, base: Decimal) -> Reading:
    """Items 4 and 5: IR, ID, R1 to R8, alone or beside others."""
    rejected, kept = tally[Answer.REJECTED], tally.kept
    others = tally.has(Answer.ACCEPTED, Answer.QUANTITY_CHANGED, Answer.BACKORDERED, Answer.ON_HOLD)
    open_ended = bool(tally.blank - {Answer.REJECTED})
    nothing_kept = kept == ZERO and not open_ended
    if rejected == ZERO:
        if nothing_kept:
            return Reading(whole=True, nothing_kept=True)
        if kept in (base, line.ordered) or open_ended:
            return Reading(notes=(f"Line {line.line}: {tally.said}; nothing is left to reject.",))
        return _unclear(
            line, tally, f"are the other {plain(base - kept)} rejected?", (("cancel", base - kept),)
        )
    if kept + rejected in (base, line.ordered):
        return Reading(declined=rejected, nothing_kept=nothing_kept)
    if rejected > max(base, line.ordered):
        return Reading(refusal=Refusal.EXCEEDS_OPEN, asked=rejected)
    if not others:
        asked = f"{plain(rejected)} rejected or {plain(rejected)} accepted?"
        return _unclear(line, tally, asked, (("cancel", rejected), ("cancel-rest", base - rejected)))
    if kept + rejected > line.ordered:
        return _unclear(
            line, tally, "that is more than was ordered; what is rejected?", (("cancel", rejected),)
        )
    silent = (
        f"Line {line.line}: {tally.said} of {plain(base)} {line.unit}; the rest, not mentioned, stays open."
    )
    return Reading(declined=rejected, notes=(silent,))


def _changing(line: LineState, tally: _Tally, base: Decimal) -> Reading:
    """Item 6: IQ names what is accepted; what is missing and not backordered or on hold is declined."""
    if tally.accepted > line.ordered:
        return Reading(refusal=Refusal.QUANTITY_RAISED, asked=tally.accepted)
    if Answer.QUANTITY_CHANGED in tally.blank:
        return _unclear(line, tally, "the new quantity is missing; what is accepted?", ())
    later = f"Line {line.line}: {tally.said}; what is backordered or on hold stays open."
    if tally.blank:
        return Reading(notes=(later,))
    gap = base - tally.kept
    if gap <= ZERO:
        return Reading(notes=(later,) if tally.has(Answer.BACKORDERED, Answer.ON_HOLD) else ())
    if tally.has(Answer.ACCEPTED):
        return _unclear(line, tally, f"are the other {plain(gap)} declined?", (("cancel", gap),))
    return Reading(declined=gap, nothing_kept=tally.kept == ZERO)


def _accepting(line: LineState, tally: _Tally, base: Decimal) -> Reading:
    """Items 7 and 8: nothing is rejected in words; short confirmation is not a cancellation."""
    accepted = tally.accepted
    if accepted > line.ordered:
        return Reading(refusal=Refusal.QUANTITY_RAISED, asked=accepted)
    if line.declined and accepted > line.ordered - line.declined:
        return Reading(refusal=Refusal.ACCEPTS_DECLINED, asked=accepted)
    if tally.has(Answer.BACKORDERED, Answer.ON_HOLD):
        return Reading(notes=(f"Line {line.line}: {tally.said}; what is backordered or on hold stays open.",))
    if not tally.has(Answer.ACCEPTED) or Answer.ACCEPTED in tally.blank or accepted == base - line.declined:
        return Reading()
    if accepted >= base:
        said = f"Line {line.line}: accepts {plain(accepted)}, of which {plain(line.cancelled)} are cancelled already."
        return Reading(notes=(said,))
    gap = base - accepted
    return _unclear(line, tally, f"are the other {plain(gap)} declined or still to come?", (("cancel", gap),))


def _unclear(
    line: LineState, tally: _Tally, asked: str, readings: tuple[tuple[str, Decimal], ...]
) -> Reading:
    statement = (
        f"Line {line.line}: {tally.said} on {plain(line.ordered)} {line.unit} ordered".rstrip() + f": {asked}"
    )
    effects = tuple(
        (
            name,
            quantity,
            f"cancel {plain(max(quantity - line.declined, ZERO))} {line.unit} of line {line.line}",
        )
        for name, quantity in readings
    )
    choices = tuple(Choice(name, effect) for name, _, effect in effects)
    ignore = Choice("ignore", f"leave {plain(line.open)} {line.unit} of line {line.line} open")
    return Reading(
        question=Question(statement, (*choices, ignore)),
        readings=(*((name, quantity) for name, quantity, _ in effects), ("ignore", ZERO)),
    )
