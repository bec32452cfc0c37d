"""Cancellations that were asked for: how many units that is, and what the seller answers. Arithmetic only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from storage.commands import (
    AnswerRequest,
    BuyerCancel,
    CancelLines,
    CancelOrder,
    ChangeOrder,
    Consent,
)
from storage.orders import ZERO, AskedBefore, LineState, OrderState
from storage.outcomes import Choice, Question
from storage.quantities import amount

AGREED = "The buyer had asked for this, and the seller agreed."  # a note of what is cancelled so


@dataclass(frozen=True, slots=True)
class Overdue:
    """Requested units that wait beyond their time, by line id, and when the last of that time ended."""

    units: Mapping[int, Decimal]
    ended: datetime


def is_request(order: OrderState, command: CancelOrder | CancelLines | ChangeOrder) -> bool:
    """Whether what the command cancels is only asked for; the seller's word is final."""
    return command.effect is BuyerCancel.REQUESTED and command.by == order.key.buyer


def not_asked(line: LineState) -> Decimal:
    """The open units whose cancellation is not asked for yet."""
    return line.open - line.requested


def asked_for(line: LineState, quantity: Decimal) -> Decimal:
    """How many units more a document asks for: none when it is the same again; of all open, the others.

    A document may come twice under two numbers. What a person or a program says of an amount comes on top,
    whatever the figure: a repetition has the key of the request before.
    """
    if quantity == line.requested:
        return ZERO
    return not_asked(line) if quantity == line.open else quantity


def more_in_all(line: LineState, fewer: Decimal) -> Decimal:
    """How many units more are asked for where `fewer` are in all; below zero, so many are no longer."""
    return fewer - line.requested


def waiting(
    asked: Iterable[AskedBefore], requested: Mapping[int, Decimal]
) -> tuple[tuple[AskedBefore, dict[int, Decimal]], ...]:
    """What of each request still waits, by line id, first to last; those of which nothing does are left out.

    `requested` is how much waits in all, by line id. Of what did not lapse, what waits was asked for last: an
    answer is taken to be about what was asked first.
    """
    left = dict(requested)
    found: list[tuple[AskedBefore, dict[int, Decimal]]] = []
    for one in reversed(_standing(asked)):
        units = {
            line_id: min(quantity, left[line_id]) for line_id, quantity in one.units if left.get(line_id)
        }
        for line_id, quantity in units.items():
            left[line_id] -= quantity
        if units:
            found.append((one, units))
    return tuple(reversed(found))


def requested_of(lines: Iterable[LineState]) -> dict[int, Decimal]:
    """How many units of each line wait for an answer, by line id."""
    return {line.id: line.requested for line in lines if line.requested}


def _standing(asked: Iterable[AskedBefore]) -> list[AskedBefore]:
    """The requests that did not lapse, as far as they did not."""
    standing: list[AskedBefore] = []
    for one in asked:
        if one.lapsed_at is None:
            standing.append(one)
            continue
        ended, over = {line_id for line_id, _ in one.units}, one.lapsed_at
        standing = [
            replace(before, units=tuple(unit for unit in before.units if unit[0] not in ended))
            if before.answer_by is not None and before.answer_by <= over
            else before
            for before in standing
        ]
    return standing


def overdue(order: OrderState, at: datetime) -> Overdue:
    """What still waits of requests that had to be answered by `at`."""
    units: dict[int, Decimal] = {}
    ended = []
    for one, left in waiting(order.asked, requested_of(order.lines)):
        if one.answer_by is not None and one.answer_by <= at:
            ended.append(one.answer_by)
            for line_id, quantity in left.items():
                units[line_id] = units.get(line_id, ZERO) + quantity
    return Overdue(units, max(ended, default=at))


def moment(at: datetime) -> str:
    """A moment in a sentence."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def about_nothing_asked(po: str, command: AnswerRequest) -> Question:
    """What to ask when an answer may be one and nothing was asked for (section 1.9)."""
    code = f" ({command.reason.code})" if command.reason.code else ""
    word = "agrees" if command.consent is Consent.AGREED else "refuses"
    statement = (
        f"The seller {word}{code} about PO {po}, and no cancellation was asked for: is the order itself"
        " rejected?"
    )
    cancel = Choice("cancel", f"cancel everything open on PO {po}")
    return Question(statement, (cancel, Choice("ignore", "keep the order as it is")))


def unanswered(line: LineState) -> str:
    """A request that an acknowledgment passes over."""
    asked = amount(line.requested, line.unit)
    return f"Line {line.line}: the cancellation of {asked} that was asked for is not answered."
