"""A person's answer counts for the question it was given to; when the order went on, it is asked anew."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from storage import commands as say
from storage.events import EventKind
from storage.evolve import evolve
from storage.orders import LineState, OrderKey, OrderState
from storage.outcomes import Given, Outcome, Question
from storage.refusals import Decision, Refusal
from storage.rules import decide
from storage.rules_answers import TOO_LATE

AT = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
PO = "4500012"


def order(seller: str = "bolt", po: str = PO, **counters: int) -> OrderState:
    """An order with one line of 48, or of other counters."""
    counted = {"ordered": 48, "fulfilled": 0, "cancelled": 0, "requested": 0, **counters}
    figures: Any = {name: Decimal(value) for name, value in counted.items()}
    line = LineState(id=1_000_001, line="1", assigned=True, ids=(), unit="EA", **figures)
    key = OrderKey(buyer="acme", seller=seller, po_number=po)
    return OrderState(id=1 if seller == "bolt" else 2, key=key, lines=(line,))


def acknowledged(quantity: int | None, po: str = PO, **more: Any) -> say.AcknowledgeOrder:
    """An 855 that rejects so many of line 1; None: without a quantity."""
    units = None if quantity is None else Decimal(quantity)
    said = say.LineAnswer(answer=say.Answer.REJECTED, quantity=units, unit="EA", code="IR")
    values: dict[str, Any] = {
        "order": say.Locator(buyer="acme", seller="bolt", po_number=po),
        "by": "bolt",
        "at": AT,
        "source": say.Source(file="a.edi", interchange="1", type="855"),
        "verdict": say.Verdict.LINES,
        "lines": (say.AcknowledgedLine(line=say.LineReference(number="1"), answers=(said,)),),
    }
    return say.AcknowledgeOrder(**(values | more))


def asked(found: OrderState, command: say.Command) -> Question:
    decision = decide((found,), command)
    assert decision.outcome is Outcome.HELD
    assert decision.question is not None
    return decision.question


def answering(
    command: say.AcknowledgeOrder, question: Question, choice: str
) -> say.AcknowledgeOrder:  # fmt: skip
    given = Given(choice=choice, question=question, po_number=PO)
    return replace(command, answers=(*command.answers, given))


def cancelled(found: OrderState, decision: Decision) -> Decimal:
    for fact in decision.facts:
        found = evolve(found, fact)
    return found.lines[0].cancelled


def test_an_answer_to_what_is_still_asked_counts() -> None:
    command = acknowledged(6)
    question = asked(order(), command)
    for choice, units in (("cancel", 6), ("cancel-rest", 42), ("ignore", 0)):
        decision = decide((order(),), answering(command, question, choice))
        assert cancelled(order(), decision) == units


def test_an_answer_to_what_is_not_asked_any_more_cancels_nothing() -> None:
    """5 were asked for when IR came. That was refused, and IR alone is the whole line: nobody said so."""
    command = acknowledged(None)
    question = asked(order(ordered=10, requested=5), command)
    now = order(ordered=10)
    assert cancelled(now, decide((now,), command)) == 10
    for choice in ("cancel", "cancel-line", "ignore"):
        again = asked(now, answering(command, question, choice))
        assert question.statement in again.statement
        assert [one.name for one in again.choices] == ["go-on", "ignore"]
        assert again.choices[0].effect == "cancel 10 of line 1"


def test_the_same_when_the_units_were_asked_for_after_the_question() -> None:
    command = acknowledged(6)
    question = asked(order(), command)
    assert cancelled(order(requested=6), decide((order(requested=6),), command)) == 6
    for choice in ("cancel", "cancel-rest", "ignore"):
        again = asked(order(requested=6), answering(command, question, choice))
        assert again.choices[0].effect == "cancel 6 of line 1"


def test_what_is_asked_once_more_can_be_done_or_left() -> None:
    now = order(requested=6)
    command = answering(acknowledged(6), asked(order(), acknowledged(6)), "ignore")
    question = asked(now, command)
    done = decide((now,), answering(command, question, "go-on"))
    assert done.outcome is Outcome.APPLIED
    assert cancelled(now, done) == 6
    left = decide((now,), answering(command, question, "ignore"))
    assert (left.outcome, left.facts) == (Outcome.IGNORED, ())


def test_what_was_to_be_done_counts_for_just_that() -> None:
    first = asked(order(ordered=10, requested=5), acknowledged(None))
    command = answering(acknowledged(None), first, "cancel")
    second = asked(order(ordered=10), command)
    third = asked(order(ordered=10, cancelled=2), answering(command, second, "go-on"))
    assert [one.choices[0].effect for one in (second, third)] == ["cancel 10 of line 1", "cancel 8 of line 1"]


def test_another_question_is_asked_as_such() -> None:
    command = acknowledged(6)
    question = asked(order(), command)
    now = order(cancelled=10)
    assert asked(now, answering(command, question, "cancel-rest")) == asked(now, command) != question


def test_what_moves_nothing_need_not_be_asked() -> None:
    command = acknowledged(6)
    question = asked(order(), command)
    now = order(cancelled=48, declined=6)
    decision = decide((now,), answering(command, question, "cancel-rest"))
    assert decision.outcome is Outcome.APPLIED
    assert cancelled(now, decision) == 48


def test_a_second_question_is_asked_though_the_first_was_answered_by_the_same_name() -> None:
    command = acknowledged(6, verdict=say.Verdict.COUNTER_OFFER, reason=say.Reason("AH"))
    first = asked(order(), command)
    second = asked(order(), answering(command, first, "ignore"))
    assert second != first
    assert second == asked(order(), acknowledged(6))
    decision = decide((order(),), answering(answering(command, first, "ignore"), second, "cancel"))
    assert cancelled(order(), decision) == 6


def test_an_answer_about_one_order_says_nothing_of_another() -> None:
    """An 870 is about many; the same words about two of them are two questions."""
    other = order(po="77")
    question = asked(order(), acknowledged(6))
    assert asked(other, answering(acknowledged(6, po="77"), question, "cancel")) == question


def test_who_answered_too_late_answers_nothing_whatever_became_of_the_order() -> None:
    command = acknowledged(6)
    question = asked(order(), command)
    for now in (order(), order(requested=6), order(cancelled=10)):
        decision = decide((now,), answering(command, question, TOO_LATE))
        assert [one.refusal for one in decision.refusals] == [Refusal.NOT_ANSWERED]
        assert decision.facts == ()


def test_a_buyer_may_mean_either_seller() -> None:
    found = (order(), order(seller="cog"))
    command = say.CancelOrder(
        order=say.Locator(buyer="acme", po_number=PO), by="acme", at=AT, source=say.Source(type="850")
    )
    question = decide(found, command).question
    assert question is not None
    assert [one.name for one in question.choices] == ["for-bolt", "for-cog", "ignore"]
    decision = decide(found, replace(command, answers=(Given(choice="for-cog", question=question),)))
    assert [fact.kind for fact in decision.facts] == [EventKind.ORDER_CANCELLED]
