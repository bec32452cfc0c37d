"""Every rule about placing, acknowledging, shipping and cancelling lives here. Nothing else may decide.

Read it top down: TABLE says for every state of an order and every command whether it is allowed at all; the
functions below are flat ladders, each rung one refusal. Everything is pure: an order and a command go in, a
Decision comes out. Section numbers are those of the X12 semantics specification.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique
from typing import Any

from storage.acknowledgments import read_answers, reason_of
from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    CancelLines,
    CancelOrder,
    Command,
    LineAnswer,
    Object,
    Objection,
    PartShipped,
    PlaceOrder,
    RecordShipment,
    Submission,
    Verdict,
)
from storage.events import EventKind, Fact, PlacedLine, Units
from storage.lines import find_line
from storage.orders import ZERO, LineState, OrderState, OrderStatus
from storage.outcomes import Choice, Outcome, Question
from storage.quantities import fits, in_line_unit, is_whole, plain
from storage.refusals import (
    Decision,
    Refusal,
    RefusedLine,
    line_figures,
    refuse,
    refuse_line,
    refuse_order,
    refused,
    unfound_line,
)

__all__ = [
    "TABLE",
    "Choice",
    "Decision",
    "Question",
    "Refusal",
    "RefusedLine",
    "Ruling",
    "decide",
    "decide_document",
]


@unique
class Ruling(Enum):
    """What the table says where it does not refuse outright."""

    BY_LINE = "by_line"  #: allowed as far as each line allows it
    CREATE = "create"  #: allowed; there is no order yet
    PARK = "park"  #: waits for its order
    COMPARE = "compare"  #: the same again is no news; anything else is refused
    NO_CHANGE = "no_change"  #: already so


#: Every state of an order (None: not known) against every command. No default: a missing pair is a bug.
TABLE: Mapping[OrderStatus | None, Mapping[type[Command], Ruling | Refusal]] = {
    None: {
        PlaceOrder: Ruling.CREATE,
        CancelOrder: Ruling.PARK,
        CancelLines: Ruling.PARK,
        AcknowledgeOrder: Ruling.PARK,
        RecordShipment: Ruling.PARK,
    },
    OrderStatus.OPEN: {
        PlaceOrder: Ruling.COMPARE,
        CancelOrder: Ruling.BY_LINE,
        CancelLines: Ruling.BY_LINE,
        AcknowledgeOrder: Ruling.BY_LINE,
        RecordShipment: Ruling.BY_LINE,
    },
    OrderStatus.PARTLY_FULFILLED: {
        PlaceOrder: Ruling.COMPARE,
        CancelOrder: Ruling.BY_LINE,
        CancelLines: Ruling.BY_LINE,
        AcknowledgeOrder: Ruling.BY_LINE,
        RecordShipment: Ruling.BY_LINE,
    },
    OrderStatus.FULFILLED: {
        PlaceOrder: Ruling.COMPARE,
        CancelOrder: Refusal.ORDER_FULFILLED,
        CancelLines: Ruling.BY_LINE,
        AcknowledgeOrder: Ruling.BY_LINE,
        RecordShipment: Ruling.BY_LINE,
    },
    OrderStatus.CANCELLED: {
        PlaceOrder: Refusal.ORDER_CANCELLED,
        CancelOrder: Ruling.NO_CHANGE,
        CancelLines: Ruling.BY_LINE,
        AcknowledgeOrder: Ruling.BY_LINE,
        RecordShipment: Refusal.ORDER_CANCELLED,
    },
    OrderStatus.COMPLETE: {
        PlaceOrder: Ruling.COMPARE,
        CancelOrder: Refusal.ORDER_COMPLETE,
        CancelLines: Ruling.BY_LINE,
        AcknowledgeOrder: Ruling.BY_LINE,
        RecordShipment: Ruling.BY_LINE,
    },
}


def decide_document(earlier_hash: str | None, submission: Submission) -> Decision | None:
    """What the business key alone decides; None: the commands must be decided (section 2.6).

    `earlier_hash` is the content of the document applied before under the same key, if any.
    """
    if earlier_hash is None or submission.document is None:
        return None
    if earlier_hash == submission.document.content_hash:
        return Decision(outcome=Outcome.DUPLICATE, notes=("This document was applied before.",))
    for command in submission.commands:
        if isinstance(command, RecordShipment):
            return refuse(
                Refusal.SHIPMENT_EXISTS,
                f"Shipment {command.shipment_id} was sent before with other content; nothing was changed.",
            )
    return None


def decide(found: tuple[OrderState, ...], command: Command) -> Decision:
    """Whether the command is allowed, and what it does. `found` are the orders it may mean."""
    if isinstance(command, Object):
        return _objected(command)
    if not _may_say(command):
        return refuse(
            Refusal.WRONG_PARTY, f"{command.by} may not send this about PO {command.order.po_number}."
        )
    chosen = [order for order in found if f"for-{order.key.buyer}" in answers_given(command)] or list(found)
    if len(chosen) > 1:
        return _which_order(chosen, command)
    order = chosen[0] if chosen else None
    ruling = _ruling(order, command)
    if isinstance(ruling, Refusal):
        return refuse_order(ruling, order, command)
    if ruling is Ruling.NO_CHANGE:
        return Decision(outcome=Outcome.DUPLICATE, notes=("The order is cancelled already.",))
    if ruling is Ruling.PARK:
        return _without_order(command)
    rule: Callable[[Any, Any], Decision] = _RULES[type(command)]
    return rule(order, command)


def answers_given(command: Command) -> frozenset[str]:
    """What a person answered when the command was held: choice names, separated by commas."""
    return frozenset(filter(None, command.resolution.split(",")))


def _ruling(order: OrderState | None, command: Command) -> Ruling | Refusal:
    """The table's word, but for the two cases where how the order came to its state matters."""
    ruling = TABLE[order.status if order else None][type(command)]
    if order is None:
        return ruling
    if isinstance(command, CancelOrder) and order.status is OrderStatus.COMPLETE and order.whole_cancelled:
        return Ruling.NO_CHANGE
    if isinstance(command, PlaceOrder) and command.repeat:
        return Ruling.COMPARE
    return ruling


def _may_say(command: Command) -> bool:
    """Buyers place, sellers acknowledge and ship, either cancels. Staff speak for the party they name."""
    match command:
        case PlaceOrder():
            return command.by == command.order.buyer
        case AcknowledgeOrder() | RecordShipment():
            return command.by == command.order.seller
        case _:
            return command.by in (command.order.buyer, command.order.seller)


def _which_order(found: list[OrderState], command: Command) -> Decision:
    buyers = sorted({order.key.buyer for order in found})
    return Decision(
        outcome=Outcome.HELD,
        question=Question(
            f"PO {command.order.po_number} exists for more than one buyer ({', '.join(buyers)}): which is meant?",
            (
                *(Choice(f"for-{buyer}", f"apply it to the order of {buyer}") for buyer in buyers),
                Choice("ignore", "change nothing"),
            ),
        ),
    )


def _without_order(command: Command) -> Decision:
    """A document may run ahead of its order; a person may not (section 2.7)."""
    if not command.source.type:
        return refuse(
            Refusal.ORDER_UNKNOWN, f"There is no PO {command.order.po_number} between these parties."
        )
    return Decision(
        outcome=Outcome.PARKED,
        notes=(f"PO {command.order.po_number} is not known yet; the document waits for it.",),
    )


def _objected(command: Object) -> Decision:
    if command.objection is Objection.PURPOSE_NOT_ALLOWED:
        return refuse(Refusal.PURPOSE_NOT_ALLOWED, command.statement)
    if "ignore" in answers_given(command):
        return Decision(outcome=Outcome.IGNORED, notes=("A person decided to leave this document aside.",))
    choices = (*command.choices, Choice("ignore", "change nothing"))
    return Decision(outcome=Outcome.HELD, question=Question(command.statement, choices))


def _place(order: OrderState | None, command: PlaceOrder) -> Decision:
    if order is not None:
        if command.repeat or command.content_hash == order.content_hash:
            return Decision(outcome=Outcome.DUPLICATE, notes=("The order is known; nothing changed.",))
        return refuse_order(Refusal.ORDER_EXISTS, order, command)
    if not command.lines:
        return refuse(
            Refusal.EMPTY_ORDER, f"PO {command.order.po_number} has no lines, so there is nothing to order."
        )
    placed = _name_lines(command)
    refusals = tuple(filter(None, (_line_fault(line) for line in placed)))
    if refusals:
        return refused(refusals)
    notes = ("Sent as a copy of an order that was not known here; it was placed.",) if command.repeat else ()
    return Decision(
        outcome=Outcome.APPLIED,
        facts=(Fact(kind=EventKind.ORDER_PLACED, placed=placed, notes=notes),),
        notes=notes,
    )


def _name_lines(command: PlaceOrder) -> tuple[PlacedLine, ...]:
    """The buyer's line number where it is there and unique, else a name made from the line's place."""
    numbers = [line.number for line in command.lines]
    any_assigned = any(numbers)
    placed = []
    for ordinal, line in enumerate(command.lines, start=1):
        assigned = bool(line.number) and numbers.count(line.number) == 1
        made = f"#{ordinal}" if any_assigned else str(ordinal)
        placed.append(PlacedLine(line=line.number if assigned else made, assigned=assigned, new=line))
    return tuple(placed)


def quantity_fault(quantity: Decimal | None, *, discrete: bool) -> Refusal | None:
    """What is wrong with a quantity whatever the line; zero is left to the caller."""
    if quantity is None:
        return Refusal.QUANTITY_MISSING
    if not fits(quantity):
        return Refusal.QUANTITY_OUT_OF_RANGE
    if quantity < ZERO:
        return Refusal.QUANTITY_NEGATIVE
    return Refusal.QUANTITY_FRACTION if discrete and not is_whole(quantity) else None


def _line_fault(placed: PlacedLine) -> RefusedLine | None:
    new, name = placed.new, placed.line
    fault = quantity_fault(new.quantity, discrete=new.discrete)
    if fault is None and new.quantity is not None and new.quantity == ZERO:
        fault = Refusal.QUANTITY_ZERO
    if fault is None and new.location_quantities and sum(new.location_quantities, ZERO) != new.quantity:
        fault = Refusal.STORES_DO_NOT_ADD_UP
    if fault is None:
        return None
    said = "" if new.quantity is None else f" ({plain(new.quantity)} {new.unit})".rstrip()
    return RefusedLine(
        refusal=fault, line=name, asked=new.quantity, message=f"Line {name}: {fault.sentence}{said}."
    )


def _cancel_order(order: OrderState, command: CancelOrder) -> Decision:
    fulfilled = any(line.fulfilled for line in order.lines)
    if fulfilled and command.part_shipped is PartShipped.REFUSE:
        return refuse_order(Refusal.PART_SHIPPED, order, command)
    return _cancel_whole(order, declined=False, command=command)


def _cancel_whole(order: OrderState, *, declined: bool, command: Command) -> Decision:
    """Cancel everything open; name what is fulfilled and stays (section 5, rows 1 and 2)."""
    units = tuple(
        Units(line_id=line.id, line=line.line, quantity=line.open, reason=command.reason)
        for line in order.lines
        if line.open
    )
    kept = tuple(
        line_figures(
            Refusal.LINE_FULFILLED,
            line,
            f"Line {line.line}: {plain(line.fulfilled)} of {plain(line.ordered)} {line.unit} had left already"
            " and cannot be cancelled.",
        )
        for line in order.lines
        if line.fulfilled
    )
    fact = Fact(kind=EventKind.ORDER_CANCELLED, units=units, declined=declined)
    return Decision(outcome=Outcome.APPLIED, facts=(fact,), refusals=kept)


def _cancel_lines(order: OrderState, command: CancelLines) -> Decision:
    """Part of lines, all or nothing."""
    units: dict[int, Units] = {}
    refusals: list[RefusedLine] = []
    for wanted in command.lines:
        line = find_line(order.lines, wanted.line, by_name=not command.source.type)
        if isinstance(line, Refusal):
            refusals.append(unfound_line(line, wanted.line.number, wanted.quantity))
            continue
        taken = units[line.id].quantity if line.id in units else ZERO
        asked = (
            line.open - taken if wanted.quantity is None else in_line_unit(line, wanted.quantity, wanted.unit)
        )
        fault = Refusal.UNIT_MISMATCH if asked is None else quantity_fault(asked, discrete=line.discrete)
        if fault is None and asked is not None:
            fault = _cancel_fault(line, asked + taken, whole=wanted.quantity is None)
        if fault is not None or asked is None:
            refusals.append(refuse_line(fault or Refusal.UNIT_MISMATCH, line, asked, "cancel"))
        elif asked:
            units[line.id] = Units(
                line_id=line.id, line=line.line, quantity=asked + taken, reason=command.reason
            )
    if refusals:
        return refused(tuple(refusals))
    if not units:
        return Decision(outcome=Outcome.DUPLICATE, notes=("These units are cancelled already.",))
    return Decision(
        outcome=Outcome.APPLIED, facts=(Fact(kind=EventKind.LINES_CANCELLED, units=tuple(units.values())),)
    )


def _cancel_fault(line: LineState, asked: Decimal, *, whole: bool) -> Refusal | None:
    if whole:
        return Refusal.LINE_FULFILLED if not line.open and line.fulfilled else None
    if asked == ZERO:
        return Refusal.QUANTITY_ZERO
    if asked <= line.open:
        return None
    if line.open:
        return Refusal.EXCEEDS_OPEN
    return Refusal.LINE_FULFILLED if line.fulfilled else Refusal.LINE_CANCELLED


def _acknowledge(order: OrderState, command: AcknowledgeOrder) -> Decision:
    """The header first, then the lines: line codes outrank a soft header, a hard one outranks silence."""
    accepts = any(_accepts(line) for line in command.lines)
    rejects = any(answer.answer is Answer.REJECTED for line in command.lines for answer in line.answers)
    given = answers_given(command)
    if command.verdict is Verdict.REJECTED and accepts:
        return refuse(
            Refusal.CONTRADICTORY,
            f"The acknowledgment rejects PO {order.key.po_number} as a whole and accepts units of it.",
        )
    whole = command.verdict is Verdict.REJECTED or (
        command.verdict is Verdict.REJECTED_BY_LINE and not accepts
    )
    if whole or (command.verdict is Verdict.COUNTER_OFFER and "cancel" in given):
        return _decline_whole(order, command)
    undecided = command.verdict is Verdict.COUNTER_OFFER or (
        command.verdict is Verdict.WITHDRAWN and not rejects
    )
    if undecided and "ignore" not in given:
        return _ask_about(order, command)
    return _acknowledge_lines(order, command)


def _accepts(line: AcknowledgedLine) -> bool:
    keeping = (Answer.ACCEPTED, Answer.QUANTITY_CHANGED, Answer.BACKORDERED, Answer.ON_HOLD)
    return any(a.answer in keeping and (a.quantity is None or a.quantity > ZERO) for a in line.answers)


def _decline_whole(order: OrderState, command: AcknowledgeOrder) -> Decision:
    if order.status is OrderStatus.CANCELLED:
        return Decision(outcome=Outcome.DUPLICATE, notes=("The order is cancelled already.",))
    if order.status in (OrderStatus.FULFILLED, OrderStatus.COMPLETE):
        ruling = TABLE[order.status][CancelOrder]
        assert isinstance(ruling, Refusal)
        return refuse_order(ruling, order, command)
    return _cancel_whole(order, declined=True, command=command)


def _ask_about(order: OrderState, command: AcknowledgeOrder) -> Decision:
    po = order.key.po_number
    if command.verdict is Verdict.COUNTER_OFFER:
        said = f"The seller rejects PO {po} with a counter offer ({command.reason.code}): cancel it or go on?"
        choices: tuple[Choice, ...] = (Choice("cancel", f"cancel everything open on PO {po}"),)
    else:
        said = (
            f"The seller takes back an earlier acknowledgment of PO {po} and rejects nothing: what is meant?"
        )
        choices = ()
    ignore = Choice("ignore", "keep the order as it is, and follow what the lines say")
    return Decision(outcome=Outcome.HELD, question=Question(said, (*choices, ignore)))


def _acknowledge_lines(order: OrderState, command: AcknowledgeOrder) -> Decision:
    grouped: dict[int, AcknowledgedLine] = {}
    refusals: list[RefusedLine] = []
    for said in command.lines:
        line = find_line(order.lines, said.line)
        if isinstance(line, Refusal):
            refusals.append(unfound_line(line, said.line.number, None))
            continue
        earlier = grouped[line.id].answers if line.id in grouped else ()
        grouped[line.id] = AcknowledgedLine(line=said.line, answers=earlier + said.answers)
    rulings = [
        _answer(line, grouped[line.id].answers, answers_given(command))
        for line in order.lines
        if line.id in grouped
    ]
    refusals += [ruling for ruling in rulings if isinstance(ruling, RefusedLine)]
    if refusals:
        return refused(tuple(refusals))
    if order.status is OrderStatus.CANCELLED and any(_accepts(line) for line in command.lines):
        return refuse_order(Refusal.ORDER_CANCELLED, order, command)
    asked = tuple(ruling for ruling in rulings if isinstance(ruling, Question))
    if asked:
        return Decision(outcome=Outcome.HELD, question=_one_question(asked))
    answered = [ruling for ruling in rulings if isinstance(ruling, _Answered)]
    return _acknowledged(command, answered)


@dataclass(frozen=True, slots=True)
class _Answered:
    """A line whose statements were understood: what they decline now, and what is worth keeping."""

    units: Units | None
    notes: tuple[str, ...]


def _answer(
    line: LineState, answers: tuple[LineAnswer, ...], given: frozenset[str]
) -> _Answered | RefusedLine | Question:
    """One line of an acknowledgment; a new one declines only what earlier ones did not (section 2.4)."""
    reading = read_answers(line, answers)
    if reading.refusal:
        return refuse_line(reading.refusal, line, reading.asked, "answer for")
    chosen = [quantity for name, quantity in reading.readings if name in given]
    if reading.question and not chosen:
        return reading.question
    declined = chosen[0] if chosen else reading.declined
    fault = quantity_fault(declined, discrete=line.discrete)
    if fault:
        return refuse_line(fault, line, declined, "decline")
    if reading.whole:
        if not line.open and line.fulfilled:
            return refuse_line(Refusal.LINE_FULFILLED, line, None, "decline")
        quantity = line.open
    else:
        quantity = max(declined - line.declined, ZERO)
    if quantity > line.open:
        if line.fulfilled or not reading.nothing_kept:
            return refuse_line(Refusal.EXCEEDS_OPEN, line, quantity, "decline")
        quantity = line.open  # all of it is rejected, and the other party cancelled some of it before
    if not quantity:
        return _Answered(None, reading.notes)
    reason = reason_of(answers)
    return _Answered(Units(line_id=line.id, line=line.line, quantity=quantity, reason=reason), reading.notes)


def _acknowledged(command: AcknowledgeOrder, answered: list[_Answered]) -> Decision:
    notes = tuple(note for ruling in answered for note in ruling.notes)
    if command.verdict is Verdict.ON_HOLD:
        notes = ("The seller has put the order on hold.", *notes)
    units = tuple(ruling.units for ruling in answered if ruling.units)
    facts = [Fact(kind=EventKind.LINES_CANCELLED, units=units, declined=True)] if units else []
    if notes or not units:
        facts.insert(0, Fact(kind=EventKind.ORDER_ACKNOWLEDGED, notes=notes))
    return Decision(outcome=Outcome.APPLIED, facts=tuple(facts), notes=notes)


def _one_question(asked: tuple[Question, ...]) -> Question:
    """One question for the document: a choice is offered when it answers every line's question."""
    names = [choice.name for choice in asked[0].choices if all(choice.name in _names(q) for q in asked)]
    effects = {
        name: "; ".join(c.effect for q in asked for c in q.choices if c.name == name) for name in names
    }
    return Question(
        " ".join(q.statement for q in asked), tuple(Choice(name, effects[name]) for name in names)
    )


def _names(question: Question) -> tuple[str, ...]:
    return tuple(choice.name for choice in question.choices)


def _ship(order: OrderState, command: RecordShipment) -> Decision:
    """Sum the shipment by line, then fulfil what is open; more than that is refused (rows 16 to 19)."""
    shipped: dict[int, Decimal] = {}
    refusals: list[RefusedLine] = []
    for item in command.lines:
        line = find_line(order.lines, item.line)
        if isinstance(line, Refusal):
            refusals.append(unfound_line(line, item.line.number, item.quantity))
            continue
        quantity = in_line_unit(line, item.quantity, item.unit)
        fault = (
            Refusal.UNIT_MISMATCH if quantity is None else quantity_fault(quantity, discrete=line.discrete)
        )
        if fault is not None or quantity is None:
            refusals.append(refuse_line(fault or Refusal.UNIT_MISMATCH, line, item.quantity, "ship"))
            continue
        shipped[line.id] = shipped.get(line.id, ZERO) + quantity
    by_id = {line.id: line for line in order.lines}
    for line_id, quantity in shipped.items():
        line = by_id[line_id]
        if quantity > line.open:
            fault = Refusal.LINE_CANCELLED if line.cancelled == line.ordered else Refusal.OVER_SHIPMENT
            refusals.append(refuse_line(fault, line, quantity, "ship"))
    if refusals:
        return refused(tuple(refusals))
    units = tuple(
        Units(line_id=line_id, line=by_id[line_id].line, quantity=quantity)
        for line_id, quantity in shipped.items()
        if quantity
    )
    if not units:
        return Decision(
            outcome=Outcome.APPLIED, notes=("The shipment names no units; nothing was fulfilled.",)
        )
    notes = (f"Shipment {command.shipment_id}.",)
    return Decision(
        outcome=Outcome.APPLIED, facts=(Fact(kind=EventKind.LINES_FULFILLED, units=units, notes=notes),)
    )


_RULES: Mapping[type[Command], Callable[[Any, Any], Decision]] = {
    PlaceOrder: _place,
    CancelOrder: _cancel_order,
    CancelLines: _cancel_lines,
    AcknowledgeOrder: _acknowledge,
    RecordShipment: _ship,
}
