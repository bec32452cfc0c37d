"""What a seller's statements about one line add up to. Arithmetic only; whether it is allowed is in rules.

The statements are a split of the line's quantity, and partners mean different things by the same figures
(section 2.4): what adds up is read; what can be read two ways is a question for a person.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    Backorder,
    LineAnswer,
    Reason,
    ShortAccept,
    Verdict,
)
from storage.lines import measure
from storage.orders import ZERO, LineState
from storage.outcomes import Choice, Question
from storage.quantities import amount, are, plain
from storage.refusals import Refusal

WAITING = (Answer.BACKORDERED, Answer.ON_HOLD, Answer.PARTLY)
KEEPING = (Answer.ACCEPTED, Answer.QUANTITY_CHANGED, *WAITING)
ALL = (Answer.ACCEPTED, Answer.QUANTITY_CHANGED, Answer.KEPT)  # of these, said without a quantity


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
    asked: Decimal | None = None  # what the refusal is about, in `unit` ("": the line's own)
    unit: str = ""
    question: Question | None = None
    readings: tuple[tuple[str, Decimal], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums by kind of answer, in the line's unit; `blank` are the kinds said without a quantity."""

    sums: dict[Answer, Decimal]
    blank: frozenset[Answer]
    said: str  # the statements as sent, for the question
    certain: bool = False  # no doubt what a rejected quantity counts

    def __getitem__(self, answer: Answer) -> Decimal:
        return self.sums.get(answer, ZERO)

    def has(self, *answers: Answer) -> bool:
        return any(answer in self.sums or answer in self.blank for answer in answers)

    @property
    def accepted(self) -> Decimal:
        return self[Answer.ACCEPTED] + self[Answer.QUANTITY_CHANGED]

    @property
    def waits(self) -> bool:
        """Whether some units wait, nobody says how many."""
        return not self.blank.isdisjoint(WAITING)

    @property
    def kept(self) -> Decimal:
        return self.accepted + self[Answer.BACKORDERED] + self[Answer.ON_HOLD] + self[Answer.KEPT]


def read_answers(
    line: LineState,
    answers: tuple[LineAnswer, ...],
    short_accept: ShortAccept = ShortAccept.HOLD,
    backorder: Backorder = Backorder.KEEP,
) -> Reading:
    """Add the statements up against what was ordered and not cancelled by somebody else."""
    tally = tally_of(line, answers)
    if isinstance(tally, Reading):
        return tally
    base = base_of(line)
    if backorder is Backorder.CANCEL and tally.has(Answer.BACKORDERED):
        tally = _killed(line, tally, base)
    if line.declined and line.ordered - line.declined < tally.accepted <= line.ordered:
        return Reading(refusal=Refusal.ACCEPTS_DECLINED, asked=tally.accepted)
    if short_accept is ShortAccept.CANCEL and _is_short(tally, base):
        return _short(line, tally, base)
    if tally.has(Answer.REJECTED):
        return _rejecting(line, tally, base) if tally[Answer.REJECTED] else _reject_blank(line, tally, base)
    if tally.has(Answer.QUANTITY_CHANGED):
        return _changing(line, tally, base)
    return _accepting(line, tally, base)


def base_of(line: LineState) -> Decimal:
    """What was ordered and not cancelled by somebody else: what a seller's statements are a split of."""
    return line.ordered - (line.cancelled - line.declined)


def newly_declined(line: LineState, reading: Reading, choice: str) -> Decimal | Question:
    """What is declined now and was not by earlier answers, or what only a person can tell (section 2.4)."""
    if reading.whole:
        return line.open
    chosen = [quantity for name, quantity in reading.readings if name == choice]
    if reading.question and not chosen:
        return reading.question
    quantity = max((chosen[0] if chosen else reading.declined) - line.declined, ZERO)
    if reading.nothing_kept and not line.fulfilled:
        return min(quantity, line.open)  # all of it is rejected; the other party cancelled some of it before
    return quantity


def accepts(line: AcknowledgedLine, backorder: Backorder) -> bool:
    """Whether units of the line are kept. Backordered 0 is the rest, unless all is said to be rejected."""
    rejects = any(a.answer is Answer.REJECTED for a in line.answers)
    kept = (a for a in line.answers if backorder is Backorder.KEEP or a.answer is not Answer.BACKORDERED)
    return any(
        a.answer in KEEPING and (a.quantity != ZERO or (a.answer in WAITING and not rejects)) for a in kept
    )


def reason_of(answers: tuple[LineAnswer, ...]) -> Reason:
    """The reason given with the statement that declines units; of several, the first."""
    for kind in (Answer.REJECTED, Answer.QUANTITY_CHANGED, Answer.ACCEPTED):
        for answer in answers:
            if answer.answer is kind and answer.reason.code:
                return answer.reason
    return Reason()


def about_verdict(po: str, command: AcknowledgeOrder) -> Question | None:
    """What to ask when the acknowledgment as a whole says neither yes nor no; None: nothing."""
    ignore = Choice("ignore", "keep the order as it is, and follow what the lines say")
    if command.verdict is Verdict.COUNTER_OFFER:
        said = f"The seller rejects PO {po} with a counter offer ({command.reason.code}): cancel it or go on?"
        return Question(said, (Choice("cancel", f"cancel everything open on PO {po}"), ignore))
    rejects = any(answer.answer is Answer.REJECTED for line in command.lines for answer in line.answers)
    if command.verdict is not Verdict.WITHDRAWN or rejects:
        return None
    said = f"The seller takes back an earlier acknowledgment of PO {po} and rejects nothing: what is meant?"
    return Question(said, (ignore,))


def one_question(asked: tuple[Question, ...]) -> Question:
    """One question for the document: a choice is offered when it answers every line's question."""
    offered = [{choice.name: choice.effect for choice in question.choices} for question in asked]
    names = [name for name in offered[0] if all(name in effects for effects in offered)]
    choices = tuple(Choice(name, "; ".join(effects[name] for effects in offered)) for name in names)
    return Question(" ".join(question.statement for question in asked), choices)


def tally_of(line: LineState, answers: tuple[LineAnswer, ...]) -> Tally | Reading:
    sums: dict[Answer, Decimal] = {}
    blank: set[Answer] = set()
    for answer in answers:
        if answer.quantity is None or (answer.answer in WAITING and answer.quantity == ZERO):
            blank.add(answer.answer)
            continue
        quantity = measure(line, answer.quantity, answer.unit)
        if isinstance(quantity, Refusal):
            return Reading(refusal=quantity, asked=answer.quantity, unit=answer.unit)
        sums[answer.answer] = sums.get(answer.answer, ZERO) + quantity
    certain = all(a.certain for a in answers if a.answer is Answer.REJECTED)
    return Tally(sums=sums, blank=frozenset(blank), said=in_words(answers), certain=certain)


def in_words(answers: tuple[LineAnswer, ...]) -> str:
    """The statements as they were sent, for a question or a note."""
    return ", ".join(
        (a.code or a.answer.value) + ("" if a.quantity is None else f" {plain(a.quantity)}") for a in answers
    )


def _killed(line: LineState, tally: Tally, base: Decimal) -> Tally:
    """Fill or kill: what is backordered is rejected; without a quantity, what is left and not spoken of."""
    sums: dict[Answer, Decimal] = {
        kind: units for kind, units in tally.sums.items() if kind is not Answer.BACKORDERED
    }
    rejected = tally[Answer.REJECTED] + tally[Answer.BACKORDERED]
    blank = tally.blank - {Answer.BACKORDERED}
    if Answer.BACKORDERED in tally.blank and not blank:
        not_spoken_of = base - tally.kept - tally[Answer.REJECTED]
        rejected += max(min(not_spoken_of, line.declined + line.open - rejected), ZERO)
    if rejected:
        sums[Answer.REJECTED] = rejected
    return replace(tally, sums=sums, blank=blank, certain=True)


def _is_short(tally: Tally, base: Decimal) -> bool:
    """Whether units are accepted, fewer than there are, and nothing is said of the others."""
    named = tally.kept + tally[Answer.REJECTED]
    accepting = tally.accepted or (tally.has(Answer.ACCEPTED) and not tally.has(Answer.REJECTED))
    return bool(accepting) and not tally.blank - {Answer.REJECTED} and named < base


def _short(line: LineState, tally: Tally, base: Decimal) -> Reading:
    """The partner's accepting less declines the rest, and what was declined before counts."""
    note = f"Line {line.line}: {tally.said} of {amount(base, line.unit)}; what is not mentioned is declined."
    return Reading(declined=base - tally.kept, nothing_kept=tally.kept == ZERO, notes=(note,))


def _reject_blank(line: LineState, tally: Tally, base: Decimal) -> Reading:
    """Item 5: IR, ID, R1 to R8 with 0 or without quantity. Alone: the whole line, or what was asked for."""
    rest_kept = bool(tally.blank - {Answer.REJECTED})
    if tally.kept == ZERO and not rest_kept:
        if ZERO < line.requested < line.open and not tally.certain:
            asked = f"the {plain(line.requested)} the buyer asked to cancel, or all {plain(line.open)} open?"
            both = (("cancel", line.declined + line.requested), ("cancel-line", line.declined + line.open))
            return unclear(line, tally.said, asked, both)
        return Reading(whole=True, nothing_kept=True)
    if tally.accepted > line.ordered:
        return Reading(refusal=Refusal.QUANTITY_RAISED, asked=tally.accepted)
    gap = base - tally.kept
    if Answer.KEPT in tally.blank:
        cancel_line = ("cancel-line", line.declined + line.open)
        return unclear(line, tally.said, "which of its units are cancelled?", (cancel_line,))
    if rest_kept or gap <= ZERO:
        return Reading(notes=(f"Line {line.line}: {tally.said}; nothing is left to reject.",))
    return unclear(line, tally.said, f"{_others(gap)} rejected?", (("cancel", gap),))


def _rejecting(line: LineState, tally: Tally, base: Decimal) -> Reading:
    """Items 4 and 5: a number of units is rejected, alone or beside others."""
    rejected, total = tally[Answer.REJECTED], tally.kept + tally[Answer.REJECTED]
    alone = not tally.has(*KEEPING, Answer.KEPT)
    if alone and rejected == line.requested and not tally.certain:
        if rejected == line.declined:
            asked = (
                f"the {plain(rejected)} the buyer asked to cancel, or the {plain(rejected)} declined before?"
            )
            return unclear(line, tally.said, asked, (("cancel", line.declined + rejected),))
        return Reading(declined=line.declined + rejected)  # exactly what the buyer asked for
    exact = total in (base, line.ordered)
    # "accepted" without a quantity is all of it; when everything is rejected, one of the two is wrong
    contradicted = exact and not tally.blank.isdisjoint(ALL)
    if exact and not contradicted and (total == base or tally.kept == ZERO):
        nothing = tally.kept == ZERO
        return Reading(declined=rejected, nothing_kept=nothing, notes=_before(line, tally, total - base))
    if rejected > line.ordered:
        return Reading(refusal=Refusal.EXCEEDS_OPEN, asked=rejected)
    if rejected == line.declined or (rejected < line.declined and (tally.certain or not alone)):
        return Reading(declined=rejected)  # said before
    taken = min(rejected, base)
    if alone and tally.certain:
        return Reading(declined=rejected)
    if alone:
        both = (("cancel", taken), ("cancel-rest", base - taken))
        asked = f"{plain(rejected)} rejected or {plain(rejected)} accepted?"
        return unclear(line, tally.said, asked, tuple(reading for reading in both if reading[1]))
    if contradicted or total > line.ordered:
        asked = "that is more than was ordered; what is rejected?"
        return unclear(line, tally.said, asked, (("cancel", taken),))
    if total > base:
        return _crossing(line, tally, base)
    rest = "the rest stays open" if tally.blank else "the rest, not mentioned, stays open"
    silent = f"Line {line.line}: {tally.said} of {amount(base, line.unit)}; {rest}."
    return Reading(declined=rejected, notes=(silent,))


def _crossing(line: LineState, tally: Tally, base: Decimal) -> Reading:
    """The answer counts units that somebody else cancelled: to cancel more leaves less than it accepts."""
    gone = line.cancelled - line.declined
    asked = (
        f"{are(gone)} cancelled already, and to cancel as many as are rejected leaves less than is accepted;"
        " are they the same units?"
    )
    return unclear(line, tally.said, asked, (("cancel", min(tally[Answer.REJECTED], base)),))


def _before(line: LineState, tally: Tally, gone: Decimal) -> tuple[str, ...]:
    """The answer speaks of units that somebody else cancelled before; worth a look."""
    if gone <= ZERO:
        return ()
    return (f"Line {line.line}: {tally.said}, of which {are(gone)} cancelled already.",)


def _changing(line: LineState, tally: Tally, base: Decimal) -> Reading:
    """Item 6: IQ names what is accepted; what is missing and not backordered or on hold is declined."""
    if tally.accepted > line.ordered:
        return Reading(refusal=Refusal.QUANTITY_RAISED, asked=tally.accepted)
    if Answer.QUANTITY_CHANGED in tally.blank:
        return unclear(line, tally.said, "the new quantity is missing; what is accepted?", ())
    gap = base - tally.kept
    if tally.blank or gap <= ZERO:
        return Reading(notes=_later(line, tally))
    if tally.has(Answer.ACCEPTED):
        return unclear(line, tally.said, f"{_others(gap)} declined?", (("cancel", gap),))
    return Reading(declined=gap, nothing_kept=tally.kept == ZERO, notes=_later(line, tally))


def _accepting(line: LineState, tally: Tally, base: Decimal) -> Reading:
    """Items 7 and 8: nothing is rejected in words; short confirmation is not a cancellation."""
    accepted = tally.accepted
    if accepted > line.ordered:
        return Reading(refusal=Refusal.QUANTITY_RAISED, asked=accepted)
    if tally.has(*WAITING):
        return Reading(notes=_later(line, tally))
    gap = base - line.declined - accepted
    if not tally.has(Answer.ACCEPTED) or Answer.ACCEPTED in tally.blank or gap == ZERO:
        return Reading()
    if gap < ZERO:
        return Reading(notes=_before(line, tally, -gap))
    return unclear(
        line, tally.said, f"{_others(gap)} declined or still to come?", (("cancel", base - accepted),)
    )


def _later(line: LineState, tally: Tally) -> tuple[str, ...]:
    if not tally.has(*WAITING):
        return ()
    return (f"Line {line.line}: {tally.said}; what is backordered or on hold stays open.",)


def _others(gap: Decimal) -> str:
    return f"{'is' if gap == 1 else 'are'} the other {plain(gap)}"


def unclear(line: LineState, said: str, asked: str, readings: tuple[tuple[str, Decimal], ...]) -> Reading:
    """A question about the line, and what is declined in all by each of its choices."""
    statement = f"Line {line.line}: {said} on {amount(line.ordered, line.unit)} ordered: {asked}"
    choices = tuple(
        Choice(name, f"cancel {amount(max(quantity - line.declined, ZERO), line.unit)} of line {line.line}")
        for name, quantity in readings
    )
    ignore = Choice("ignore", f"leave {amount(line.open, line.unit)} of line {line.line} open")
    return Reading(question=Question(statement, (*choices, ignore)), readings=(*readings, ("ignore", ZERO)))
