"""What a seller's answer to a request comes to, line by line. Arithmetic only; whether it counts is in rules.

A yes is as good as its figures: where the answer says how many units of a line are left, that decides how
many of those asked for are cancelled, and the others are kept (sections 1.9 to 1.11).
"""

from dataclasses import dataclass, field
from decimal import Decimal

from storage.change_figures import read_change, refuse_change, said, settled
from storage.commands import AnswerRequest, Change, Consent, LineChange, LineConsent, LineReference
from storage.lines import LineIndex, measure
from storage.orders import ZERO, LineState, OrderState
from storage.outcomes import Choice, Question
from storage.quantities import amount
from storage.refusals import Refusal, RefusedLine, refuse_line, unfound_line
from storage.rules_answers import answer_to


@dataclass(slots=True)
class Consents:
    """What is agreed and what is refused, by line id; and what cannot be understood."""

    agreed: dict[int, Decimal] = field(default_factory=dict)
    refused: dict[int, Decimal] = field(default_factory=dict)
    declined: dict[int, Decimal] = field(default_factory=dict)  # cancelled though nothing was asked for
    refusals: list[RefusedLine] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    unasked: dict[int, LineState] = field(default_factory=dict)  # answered, but nothing was asked for


def read_consents(order: OrderState, command: AnswerRequest) -> Consents:
    """The seller's answer by line; lines it does not name get its answer as a whole."""
    consents = Consents()
    index = LineIndex(order.lines, by_name=not command.source.type)
    named: dict[int, list[LineConsent]] = {}
    unfound: set[LineReference] = set()  # a yes to some units of a line and a no to the rest name it twice
    for about in command.lines:
        line = index.find(about.line)
        if isinstance(line, Refusal):
            if about.line not in unfound:
                consents.refusals.append(unfound_line(line, about.line.number, about.quantity))
            unfound.add(about.line)
        else:
            named.setdefault(line.id, []).append(about)
    for line in order.lines:
        if line.id in named:
            _answer(consents, order, line, named[line.id], command)
        elif line.requested:
            answered = consents.agreed if command.consent is Consent.AGREED else consents.refused
            answered[line.id] = line.requested
    return consents


def _answer(
    consents: Consents, order: OrderState, line: LineState, named: list[LineConsent], command: AnswerRequest
) -> None:
    if line.id in order.lapsed and not line.requested:
        consents.refusals.append(refuse_line(Refusal.REQUEST_LAPSED, line, named[0].quantity, "answer for"))
        return
    for about in named:
        if about.change is None:
            _count(consents, line, about, by_hand=not command.source.type)
    changes = [about.change for about in named if about.change is not None]
    # A quantity beside a price or a date is often an old one; it counts where there is no other.
    changes = [change for change in changes if change.change is not Change.NOTE] or changes
    left = {kept for change in changes if (kept := _left(consents, line, change, command)) is not None}
    if len(left) > 1:
        words = " and ".join(said(change) for change in changes)
        consents.refusals.append(refuse_line(Refusal.CONTRADICTORY, line, None, said=words))
    elif left:
        _leave(consents, line, left.pop(), changes[0], command)


def _count(consents: Consents, line: LineState, about: LineConsent, *, by_hand: bool) -> None:
    """So many units agreed to or refused, or all that was asked for. By hand none is a slip."""
    waits = _waits(consents, line)
    units = waits if about.quantity is None else measure(line, about.quantity, about.unit)
    if isinstance(units, Refusal):
        consents.refusals.append(refuse_line(units, line, about.quantity, "answer for", about.unit))
    elif about.quantity is not None and not units and by_hand:
        consents.refusals.append(refuse_line(Refusal.QUANTITY_ZERO, line, units, "answer for"))
    elif not line.requested:
        consents.unasked[line.id] = line
    elif units > waits:
        consents.refusals.append(refuse_line(Refusal.EXCEEDS_REQUESTED, line, units, "answer for"))
    else:
        answered = consents.agreed if about.consent is Consent.AGREED else consents.refused
        answered[line.id] = answered.get(line.id, ZERO) + units


def _waits(consents: Consents, line: LineState) -> Decimal:
    """What of the request is not answered yet."""
    return line.requested - consents.agreed.get(line.id, ZERO) - consents.refused.get(line.id, ZERO)


def _left(consents: Consents, line: LineState, change: LineChange, command: AnswerRequest) -> Decimal | None:
    """How many units the line has after the change; None when that cannot be told."""
    wish = read_change(line, change)
    if wish.question:
        wish = settled(wish, answer_to(command, wish.question))
    if wish.question:
        consents.questions.append(wish.question)
    elif wish.refusal:
        consents.refusals.append(refuse_change(wish.refusal, line, change, wish))
    elif wish.delete:
        return line.current - line.open
    elif wish.total is not None:
        return wish.total
    elif change.quantity is None or change.change not in (Change.CONFIRM, Change.NOTE):
        return line.current
    else:
        kept = measure(line, change.quantity, change.unit)
        if not isinstance(kept, Refusal):
            return kept
        consents.refusals.append(refuse_line(kept, line, change.quantity, "keep", change.unit))
    return None


def _leave(
    consents: Consents, line: LineState, left: Decimal, change: LineChange, command: AnswerRequest
) -> None:
    """Of what was asked for, so much is agreed to that this is left; the rest is refused."""
    fewer, waits = line.current - left, _waits(consents, line)
    if fewer < ZERO:
        consents.refusals.append(refuse_line(Refusal.QUANTITY_RAISED, line, left, "keep"))
    elif not line.requested:
        _cut(consents, line, fewer, change, command)
    elif fewer > line.requested:
        consents.refusals.append(refuse_line(Refusal.EXCEEDS_REQUESTED, line, fewer, "answer for"))
    else:
        consents.agreed[line.id] = min(fewer, waits)
        consents.refused[line.id] = waits - min(fewer, waits)


def _cut(
    consents: Consents, line: LineState, fewer: Decimal, change: LineChange, command: AnswerRequest
) -> None:
    """An answer that keeps fewer units than there are, and nothing was asked for: the seller's own cut?"""
    if not fewer:
        consents.unasked[line.id] = line
        return
    some = amount(fewer, line.unit)
    statement = (
        f"Line {line.line}: the seller answers {said(change)} on {amount(line.current, line.unit)} current,"
        f" and no cancellation was asked for: does it cancel {some} itself?"
    )
    cancel = Choice("cancel", f"cancel {some} of line {line.line}")
    asked = Question(statement, (cancel, Choice("ignore", f"leave line {line.line} as it is")))
    choice = answer_to(command, asked)
    if choice == "cancel":
        consents.declined[line.id] = fewer
    elif choice == "ignore":
        consents.unasked[line.id] = line
    else:
        consents.questions.append(asked)
