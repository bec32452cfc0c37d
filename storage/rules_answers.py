"""The rule about a person's answers: each counts for the question it was given to, and for no other.

While a question waits the order goes on. When the answer comes, the document may raise another question, or
none: then nobody has said yet what is to be done, and a cancellation cannot be undone. See rules.
"""

from collections.abc import Callable
from dataclasses import replace

from storage.commands import Command
from storage.events import EventKind, Fact
from storage.outcomes import Choice, Given, Question
from storage.quantities import plain
from storage.refusals import Decision, Refusal, held, ignored, refuse

#: Given as the answer when a document has waited for its order, or for a person, as long as it may.
TOO_LATE = "too-late"

#: Given where a document came again whose effect was taken back: it is meant once more (rules_again).
AGAIN = "again"

_GO_ON, _IGNORE = "go-on", "ignore"
_VERBS = {
    EventKind.ORDER_PLACED: "order",
    EventKind.LINES_ADDED: "add",
    EventKind.ORDER_CANCELLED: "cancel",
    EventKind.LINES_CANCELLED: "cancel",
    EventKind.CANCELLATION_REQUESTED: "ask to cancel",
    EventKind.REQUEST_WITHDRAWN: "no longer ask to cancel",
    EventKind.REQUEST_REFUSED: "refuse to cancel",
    EventKind.LINES_FULFILLED: "fulfil",
}
_LINES_SHOWN_MAX = 10

_Decide = Callable[[Command], Decision]


def answer_to(command: Command, question: Question) -> str:
    """The name of the choice that a person made of this very question; "" when nobody did."""
    return next((given.choice for given in command.answers if given.fits(question)), "")


def is_late(command: Command) -> bool:
    """Whether nobody could say in time what the document means, or its order did not come."""
    return any(given.choice == TOO_LATE for given in command.answers)


def not_answered(question: Question) -> Decision:
    """Nobody said in time what was meant."""
    said = f"{question.statement} Nobody could say in time; nothing was changed."
    return refuse(Refusal.NOT_ANSWERED, said)


def answered(command: Command, decide: _Decide) -> Decision:
    """What `decide` makes of the command with the answers that still count, first to last.

    An answer whose question is not asked any more does not count. When the document would move units without
    it, a person is asked once more, with what it comes to now.
    """
    if not command.answers:
        return decide(command)
    counted: tuple[Given, ...] = ()
    left: Given | None = None
    for given in _about(command):
        asked = _asked(command, decide, counted, left)
        if given.question is None:  # given beside the statement, to whatever it raises
            counted = (*counted, given)
        elif given.question != asked.question or given.choice == TOO_LATE:
            left = given
        elif left is not None and asked.question == _about_left(command, decide, counted, left):
            return ignored() if given.choice == _IGNORE else decide(replace(command, answers=counted))
        else:
            counted, left = (*counted, given), None
    decision = _asked(command, decide, counted, left)
    if decision.question and is_late(command):
        return not_answered(decision.question)
    return decision


def _about(command: Command) -> tuple[Given, ...]:
    """The answers to questions about this order: a document may be about several."""
    return tuple(
        given
        for given in command.answers
        if given.po_number in ("", command.order.po_number) and given.choice != AGAIN
    )


def _asked(command: Command, decide: _Decide, counted: tuple[Given, ...], left: Given | None) -> Decision:
    """The decision with the answers that count; held where it does what `left` was not about."""
    question = None if left is None else _about_left(command, decide, counted, left)
    return held(question) if question else decide(replace(command, answers=counted))


def _about_left(
    command: Command, decide: _Decide, counted: tuple[Given, ...], left: Given
) -> Question | None:
    """What to ask when an answer has lost its question; None: no units would move."""
    moved = [words for fact in decide(replace(command, answers=counted)).facts for words in _moves(fact)]
    if not moved or left.question is None:
        return None
    more = f", and {len(moved) - _LINES_SHOWN_MAX} more" if len(moved) > _LINES_SHOWN_MAX else ""
    effect = "; ".join(moved[:_LINES_SHOWN_MAX]) + more
    statement = (
        f"PO {command.order.po_number} is not as it was when this was asked: {left.question.statement}"
        " Now the document can be read in one way only: is that to be done?"
    )
    return Question(statement, (Choice(_GO_ON, effect), Choice(_IGNORE, "change nothing")))


def _moves(fact: Fact) -> list[str]:
    verb = _VERBS.get(fact.kind, "record")
    placed = [f"{verb} line {line.line}" for line in fact.placed]
    return placed + [f"{verb} {plain(units.quantity)} of line {units.line}" for units in fact.units]
