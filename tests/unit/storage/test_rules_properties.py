"""Whatever anybody says, in whatever order: the rule breaks no order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from storage import commands as say
from storage.events import EventKind
from storage.evolve import evolve
from storage.orders import LineState, OrderKey, OrderState, ShippedBefore
from storage.outcomes import Given, Outcome
from storage.rules import Decision, decide
from tests.unit.storage.build import AT, BUYER, SELLER, locator, new_line, place, source

UNITS_MAX = 12  # small, so that quantities often meet
SHIPMENT = "S1"


def _units(low: int = 0) -> st.SearchStrategy[Decimal]:
    return st.integers(low, UNITS_MAX + 2).map(Decimal)


@st.composite
def lines(draw: st.DrawFn, number: int) -> LineState:
    """A line with any counters that may be."""
    ordered = draw(st.integers(1, UNITS_MAX))
    fulfilled = draw(st.integers(0, ordered))
    cancelled = draw(st.integers(0, ordered - fulfilled))
    declined = draw(st.integers(0, cancelled))
    requested = draw(st.integers(0, ordered - fulfilled - cancelled))
    return LineState(
        id=1_000_000 + number,
        line=str(number),
        assigned=True,
        ids=(),
        unit="EA",
        ordered=Decimal(ordered),
        fulfilled=Decimal(fulfilled),
        cancelled=Decimal(cancelled),
        declined=Decimal(declined),
        requested=Decimal(requested),
        pack_unit="CA",
        pack_size=Decimal(3),
    )


@st.composite
def orders(draw: st.DrawFn) -> OrderState:
    """An order of one or two lines; all that has left of it left in one shipment."""
    key = OrderKey(buyer=BUYER, seller=SELLER, po_number="4500012")
    some = (draw(lines(1)), draw(lines(2)))[: draw(st.integers(1, 2))]
    left = tuple((line.id, line.fulfilled) for line in some if line.fulfilled)
    return OrderState(
        id=1,
        key=key,
        lines=some,
        whole_cancelled=draw(st.booleans()),
        change_sequence=draw(st.sampled_from(["", "2"])),
        shipments=(ShippedBefore(SHIPMENT, left),),
    )


REFERENCES = st.sampled_from([say.LineReference(number=number) for number in ("1", "2", "001", "3")])
UNIT_NAMES = st.sampled_from(["", "EA", "CA", "BX"])
QUANTITIES = st.one_of(_units(), st.sampled_from([Decimal(text) for text in ("-1", "0.5", "1E+30", "NaN")]))
MAYBE = st.one_of(st.none(), QUANTITIES)
PARTIES = st.sampled_from([BUYER, SELLER, "stranger"])
ANSWERS = st.builds(
    say.LineAnswer,
    answer=st.sampled_from(say.Answer),
    quantity=MAYBE,
    unit=UNIT_NAMES,
    certain=st.booleans(),
)
ANSWERS_GIVEN = st.sampled_from(
    ["", "", "cancel", "cancel-rest", "cancel-line", "raise", "ignore", "cancel,ignore"]
).map(lambda names: tuple(Given(choice=name) for name in filter(None, names.split(","))))


def few(strategy: st.SearchStrategy[Any], size: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=size).map(tuple)


def built(kind: Callable[..., say.Command], type_: str, **more: Any) -> st.SearchStrategy[say.Command]:
    types = st.sampled_from([type_, "865", ""])
    common = {"order": st.just(locator()), "at": st.just(AT), "source": types.map(source), "by": PARTIES}
    return st.builds(kind, **{**common, "answers": ANSWERS_GIVEN, **more})


EFFECTS = st.sampled_from(say.BuyerCancel)
PART_SHIPPED = st.sampled_from(say.PartShipped)
ACKNOWLEDGMENTS = built(
    say.AcknowledgeOrder,
    "855",
    by=st.just(SELLER),
    verdict=st.sampled_from(say.Verdict),
    short_accept=st.sampled_from(say.ShortAccept),
    backorder=st.sampled_from(say.Backorder),
    lines=few(st.builds(say.AcknowledgedLine, line=REFERENCES, answers=few(ANSWERS))),
)
CANCELLATIONS = built(say.CancelOrder, "860", part_shipped=PART_SHIPPED, effect=EFFECTS)
CUTS = built(
    say.CancelLines,
    "860",
    effect=EFFECTS,
    lines=few(
        st.builds(say.LineCancellation, line=REFERENCES, quantity=MAYBE, unit=UNIT_NAMES)
        | st.builds(say.LineCancellation, line=REFERENCES, new_total=MAYBE, unit=UNIT_NAMES)
    ),
)
NEW_LINES = st.builds(new_line, st.sampled_from(["1", "3", "4"]), st.sampled_from(["5", "0", "7"]))
AMOUNTS = st.builds(say.ChangeAmounts, original=MAYBE, increase=MAYBE, decrease=MAYBE, revised=MAYBE)
LINE_CHANGES = st.builds(
    say.LineChange,
    line=REFERENCES,
    change=st.sampled_from(say.Change),
    quantity=MAYBE,
    second=MAYBE,
    amounts=st.one_of(st.none(), AMOUNTS),
    reading=st.sampled_from(say.QuantityReading),
    unit=UNIT_NAMES,
    new=st.one_of(st.none(), NEW_LINES),
    location_quantities=st.one_of(st.just(()), few(_units())),
    answers=st.one_of(st.just(()), few(ANSWERS, 2)),
)
CHANGES = built(
    say.ChangeOrder,
    "860",
    lines=few(LINE_CHANGES),
    restates=st.booleans(),
    sequence=st.sampled_from(["", "1", "2", "3", "x"]),
    issued_at=st.sampled_from([None, AT, AT + timedelta(hours=1)]),
    part_shipped=PART_SHIPPED,
    effect=EFFECTS,
)
CONSENTS = st.builds(
    say.LineConsent,
    line=REFERENCES,
    consent=st.sampled_from(say.Consent),
    quantity=MAYBE,
    unit=UNIT_NAMES,
)
ANSWERED_REQUESTS = built(
    say.AnswerRequest,
    "865",
    by=st.just(SELLER),
    consent=st.sampled_from(say.Consent),
    lines=few(CONSENTS),
    certain=st.booleans(),
)
SHIPPED = few(st.builds(say.ShippedLine, line=REFERENCES, quantity=QUANTITIES, unit=UNIT_NAMES))
SHIPMENTS = built(
    say.RecordShipment,
    "856",
    shipment_id=st.just(SHIPMENT),
    lines=SHIPPED,
    over_ship=st.sampled_from(say.OverShip),
    over_percent=st.sampled_from([Decimal(0), Decimal(10), Decimal(100)]),
    close_rest=st.sampled_from(say.CloseRest),
)
WITHDRAWALS = built(say.WithdrawShipment, "856", shipment_id=st.sampled_from([SHIPMENT, "S9"]), lines=SHIPPED)
PLACEMENTS = st.builds(place, st.just("5"), repeat=st.booleans())
ANY: st.SearchStrategy[say.Command] = st.one_of(
    ACKNOWLEDGMENTS,
    CANCELLATIONS,
    CUTS,
    CHANGES,
    CHANGES,
    ANSWERED_REQUESTS,
    SHIPMENTS,
    WITHDRAWALS,
    PLACEMENTS,
)


def evolved(order: OrderState, decision: Decision) -> OrderState:
    for fact in decision.facts:
        before, order = order, evolve(order, fact)
        for line_before, line_after in zip(before.lines, order.lines, strict=False):
            check_line(line_before, line_after, fact.kind)
    return order


def check_line(before: LineState, after: LineState, kind: EventKind) -> None:
    """The law, and which fact may do what."""
    assert Decimal(0) <= after.declined <= after.cancelled
    assert Decimal(0) <= after.fulfilled
    assert after.ordered == after.fulfilled + after.cancelled + after.open
    assert Decimal(0) <= after.requested <= after.open
    assert after.cancelled >= before.cancelled
    assert after.declined >= before.declined
    if kind is not EventKind.SHIPMENT_WITHDRAWN:
        assert after.fulfilled >= before.fulfilled
    if kind is not EventKind.UNITS_ADDED:
        assert after.ordered == before.ordered
    assert after.ordered >= before.ordered


def check_decision(decision: Decision) -> None:
    if decision.outcome is not Outcome.APPLIED:
        assert decision.facts == ()
    if decision.outcome is Outcome.HELD:
        assert decision.question is not None
        assert decision.question.choices
    if decision.outcome is Outcome.REFUSED:
        numbers = [refused.refusal.number for refused in decision.refusals]
        assert numbers
        assert numbers == sorted(numbers)


@given(orders(), ANY)
@settings(max_examples=600, deadline=None)
def test_no_decision_breaks_an_order(order: OrderState, command: say.Command) -> None:
    decision = decide((order,), command)
    check_decision(decision)
    evolved(order, decision)


@given(orders(), st.lists(ANY, min_size=2, max_size=12))
@settings(max_examples=500, deadline=None)
def test_no_story_breaks_an_order(order: OrderState, story: list[say.Command]) -> None:
    for command in story:
        decision = decide((order,), command)
        check_decision(decision)
        order = evolved(order, decision)


@given(ANY)
@settings(max_examples=200, deadline=None)
def test_without_an_order_only_an_order_changes_anything(command: say.Command) -> None:
    decision = decide((), command)
    placed = isinstance(command, say.PlaceOrder)
    assert bool(decision.facts) == (decision.outcome is Outcome.APPLIED) == placed


@given(orders(), st.one_of(ACKNOWLEDGMENTS, CANCELLATIONS))
@settings(max_examples=600, deadline=None)
def test_the_same_answer_again_cancels_nothing(order: OrderState, answer: say.Command) -> None:
    if any(line.requested for line in order.lines):
        answer = replace(answer, answers=())  # "the part asked for" is nothing the second time
    once = evolved(order, decide((order,), answer))
    again = evolved(once, decide((once,), answer))
    assert [line.cancelled for line in again.lines] == [line.cancelled for line in once.lines]


@given(orders(), CHANGES)
@settings(max_examples=600, deadline=None)
def test_a_total_wanted_again_changes_nothing(order: OrderState, change: say.ChangeOrder) -> None:
    """All ways to write a change but the amounts say where to end, so that twice is once."""
    totals = tuple(
        line for line in change.lines
        if line.reading is not say.QuantityReading.DELTA
        and line.change is not say.Change.ADD
        and line.amounts is None
        and not line.answers
    )  # fmt: skip
    change = replace(change, lines=totals, restates=False)
    once = evolved(order, decide((order,), change))
    again = evolved(once, decide((once,), change))
    assert again.lines == once.lines


@given(orders(), st.one_of(ACKNOWLEDGMENTS, CHANGES, ANSWERED_REQUESTS))
@settings(max_examples=600, deadline=None)
def test_every_choice_offered_leads_on(order: OrderState, command: say.Command) -> None:
    """A person's answer is never met with the same question."""
    asked = decide((order,), replace(command, answers=()))
    if asked.question is None:
        return
    for choice in asked.question.choices:
        said = Given(choice=choice.name, question=asked.question)
        answered = decide((order,), replace(command, answers=(said,)))
        assert answered.question is None or answered.question.statement != asked.question.statement


@given(orders(), CHANGES)
@settings(max_examples=600, deadline=None)
def test_only_the_buyer_adds_and_only_what_is_asked_for_waits(
    order: OrderState, change: say.ChangeOrder
) -> None:
    decision = decide((order,), change)
    kinds = {fact.kind for fact in decision.facts}
    if change.by == SELLER:
        assert not kinds & {EventKind.UNITS_ADDED, EventKind.LINES_ADDED, EventKind.CANCELLATION_REQUESTED}
    elif change.effect is say.BuyerCancel.REQUESTED:
        assert EventKind.LINES_CANCELLED not in kinds
    else:
        assert EventKind.CANCELLATION_REQUESTED not in kinds
