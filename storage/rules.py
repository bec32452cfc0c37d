"""Every rule about placing, acknowledging, shipping and cancelling lives here. Nothing else may decide.

Read it top down: TABLE says for every state of an order and every command whether it is allowed at all; the
functions below are flat ladders, each rung one refusal. Everything is pure: an order and a command go in, a
Decision comes out. Section numbers are those of the X12 semantics specification.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum, unique

from storage.acknowledgments import (
    Reading,
    about_verdict,
    accepts,
    by_line,
    newly_declined,
    one_question,
    read_answers,
    reason_of,
)
from storage.commands import (
    AcknowledgeOrder,
    CancelLines,
    CancelOrder,
    Command,
    Object,
    Objection,
    PartShipped,
    PlaceOrder,
    RecordShipment,
    Submission,
    Verdict,
)
from storage.events import EventKind, Fact, PlacedLine, Units
from storage.lines import add_up, moved, name_lines
from storage.orders import ZERO, LineState, OrderState, OrderStatus
from storage.outcomes import Choice, Outcome, Question
from storage.refusals import (
    Decision,
    Refusal,
    RefusedLine,
    already_left,
    quantity_fault,
    refuse,
    refuse_line,
    refuse_new_line,
    refuse_order,
    refused,
)

__all__ = ["TABLE", "Decision", "Refusal", "Ruling", "answers_given", "decide", "decide_document"]


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


#: Given as the answer when a parked document has waited for its order as long as it may.
TOO_LATE = "too-late"


def decide_document(earlier_hash: str | None, submission: Submission) -> Decision | None:
    """What the business key alone decides; None: the commands must be decided (section 2.6).

    `earlier_hash` is the content of the document applied before under the same key, if any.
    """
    if earlier_hash is None or submission.document is None:
        return None
    if earlier_hash == submission.document.content_hash:
        return _duplicate("This document was applied before.")
    for command in submission.commands:
        if isinstance(command, RecordShipment):
            said = f"Shipment {command.shipment_id} was sent before with other content; nothing was changed."
            return refuse(Refusal.SHIPMENT_EXISTS, said)
    return None


def decide(found: tuple[OrderState, ...], command: Command) -> Decision:
    """Whether the command is allowed, and what it does. `found` are the orders it may mean."""
    if isinstance(command, Object):
        return _objected(command)
    if not _may_say(command):
        said = f"{command.by} may not send this about PO {command.order.po_number}."
        return refuse(Refusal.WRONG_PARTY, said)
    given = answers_given(command)
    chosen = [order for order in found if f"for-{order.key.other(command.by)}" in given] or list(found)
    if len(chosen) > 1:
        return _ignored() if "ignore" in given else _which_order(chosen, command)
    order = chosen[0] if chosen else None
    if (answered := _by_table(_ruling(order, command), order, command)) is not None:
        return answered
    match command, order:
        case PlaceOrder(), _:
            return _place(order, command)
        case CancelOrder(), OrderState():
            return _cancel_order(order, command)
        case CancelLines(), OrderState():
            return _cancel_lines(order, command)
        case AcknowledgeOrder(), OrderState():
            return _acknowledge(order, command)
        case RecordShipment(), OrderState():
            return _ship(order, command)
    raise ValueError(f"there is no rule for {type(command).__name__}")


def answers_given(command: Command) -> frozenset[str]:
    """What a person answered when the command was held: choice names, separated by commas."""
    return frozenset(filter(None, command.resolution.split(",")))


def _ruling(order: OrderState | None, command: Command) -> Ruling | Refusal:
    """The table's word, but for the two cases where how the order came to its state matters."""
    if order is not None and isinstance(command, CancelOrder):
        return _cancel_ruling(order)
    if order is not None and isinstance(command, PlaceOrder) and command.repeat:
        return Ruling.COMPARE
    return TABLE[order.status if order else None][type(command)]


def _cancel_ruling(order: OrderState) -> Ruling | Refusal:
    """The table's word on cancelling the whole order; when that was done before, nothing changes."""
    if order.status is OrderStatus.COMPLETE and order.whole_cancelled:
        return Ruling.NO_CHANGE
    return TABLE[order.status][CancelOrder]


def _by_table(ruling: Ruling | Refusal, order: OrderState | None, command: Command) -> Decision | None:
    """What the table decides alone; None: the ladders decide."""
    if isinstance(ruling, Refusal):
        return refuse_order(ruling, order, command)
    if ruling is Ruling.NO_CHANGE:
        return _duplicate("The order is cancelled already.")
    return _without_order(command) if ruling is Ruling.PARK else None


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
    others = sorted({order.key.other(command.by) for order in found})
    po, names = command.order.po_number, ", ".join(others)
    said = f"PO {po} exists with more than one partner ({names}): which is meant?"
    choices = tuple(Choice(f"for-{other}", f"apply it to the order with {other}") for other in others)
    return _held(said, *choices, Choice("ignore", "change nothing"))


def _held(statement: str, *choices: Choice) -> Decision:
    return Decision(outcome=Outcome.HELD, question=Question(statement, choices))


def _applied(*facts: Fact, notes: tuple[str, ...] = ()) -> Decision:
    return Decision(outcome=Outcome.APPLIED, facts=facts, notes=notes)


def _duplicate(note: str) -> Decision:
    return Decision(outcome=Outcome.DUPLICATE, notes=(note,))


def _ignored() -> Decision:
    return Decision(outcome=Outcome.IGNORED, notes=("A person decided to leave this document aside.",))


def _without_order(command: Command) -> Decision:
    """A document may run ahead of its order for a while; a person may not (section 2.7)."""
    po = command.order.po_number
    if not command.source.type or TOO_LATE in answers_given(command):
        return refuse(Refusal.ORDER_UNKNOWN, f"There is no PO {po} between these parties.")
    note = f"PO {po} is not known yet; the document waits for it."
    return Decision(outcome=Outcome.PARKED, notes=(note,))


def _objected(command: Object) -> Decision:
    if command.objection is Objection.PURPOSE_NOT_ALLOWED:
        return refuse(Refusal.PURPOSE_NOT_ALLOWED, command.statement)
    if "ignore" in answers_given(command):
        return _ignored()
    return _held(command.statement, *command.choices, Choice("ignore", "change nothing"))


def _place(order: OrderState | None, command: PlaceOrder) -> Decision:
    if order is not None:
        if command.repeat or command.content_hash == order.content_hash:
            return _duplicate("The order is known; nothing changed.")
        return refuse_order(Refusal.ORDER_EXISTS, order, command)
    if not command.lines:
        said = f"PO {command.order.po_number} has no lines, so there is nothing to order."
        return refuse(Refusal.EMPTY_ORDER, said)
    placed = name_lines(command.lines)
    refusals = tuple(filter(None, (_line_fault(line) for line in placed)))
    if refusals:
        return refused(refusals)
    notes = ("Sent as a copy of an order that was not known here; it was placed.",) if command.repeat else ()
    return _applied(Fact(kind=EventKind.ORDER_PLACED, placed=placed, notes=notes), notes=notes)


def _line_fault(placed: PlacedLine) -> RefusedLine | None:
    new = placed.new
    fault = quantity_fault(new.quantity, discrete=new.discrete)
    if fault is None and new.quantity is not None and new.quantity == ZERO:
        fault = Refusal.QUANTITY_ZERO
    if fault is None and new.location_quantities and sum(new.location_quantities, ZERO) != new.quantity:
        fault = Refusal.STORES_DO_NOT_ADD_UP
    if fault is None:
        return None
    return refuse_new_line(fault, placed)


def _cancel_order(order: OrderState, command: CancelOrder) -> Decision:
    if command.part_shipped is PartShipped.REFUSE and any(line.fulfilled for line in order.lines):
        return refuse_order(Refusal.PART_SHIPPED, order, command)
    return _cancel_whole(order, declined=False, command=command)


def _cancel_whole(order: OrderState, *, declined: bool, command: Command) -> Decision:
    """Cancel everything open; name what is fulfilled and stays (section 5, rows 1 and 2)."""
    kept = tuple(already_left(line) for line in order.lines if line.fulfilled)
    units = moved(order.lines, {line.id: line.open for line in order.lines}, command.reason)
    fact = Fact(kind=EventKind.ORDER_CANCELLED, units=units, declined=declined)
    return Decision(outcome=Outcome.APPLIED, facts=(fact,), refusals=kept)


def _cancel_lines(order: OrderState, command: CancelLines) -> Decision:
    """Part of lines, all or nothing."""
    named = add_up(order.lines, command.lines, "cancel", by_name=not command.source.type)
    sums = _movable(order, named, _cancel_fault, "cancel")
    if isinstance(sums, Decision):
        return sums
    units = moved(order.lines, sums, command.reason)
    fact = Fact(kind=EventKind.LINES_CANCELLED, units=units)
    return _applied(fact) if units else _duplicate("These units are cancelled already.")


def _cancel_fault(line: LineState, asked: Decimal) -> Refusal | None:
    if asked <= line.open and (asked or line.open):
        return None
    if line.open:
        return Refusal.EXCEEDS_OPEN
    if line.fulfilled:
        return Refusal.LINE_FULFILLED
    return Refusal.LINE_CANCELLED if asked else None  # all that is open of it, and that was said before


def _ship(order: OrderState, command: RecordShipment) -> Decision:
    """Sum the shipment by line, then fulfil what is open; more than that is refused (rows 16 to 19)."""
    sums = _movable(order, add_up(order.lines, command.lines, "ship"), _ship_fault, "ship")
    if isinstance(sums, Decision):
        return sums
    units = moved(order.lines, sums)
    if not units:
        return _applied(notes=("The shipment names no units; nothing was fulfilled.",))
    notes = (f"Shipment {command.shipment_id}.",)
    return _applied(Fact(kind=EventKind.LINES_FULFILLED, units=units, notes=notes))


def _ship_fault(line: LineState, shipped: Decimal) -> Refusal | None:
    if shipped <= line.open:
        return None
    return Refusal.LINE_CANCELLED if line.cancelled == line.ordered else Refusal.OVER_SHIPMENT


def _movable(
    order: OrderState,
    named: tuple[dict[int, Decimal], list[RefusedLine]],
    fault_of: Callable[[LineState, Decimal], Refusal | None],
    verb: str,
) -> dict[int, Decimal] | Decision:
    """The units a document names, by line id, when all of them may be moved."""
    sums, refusals = named
    for line in order.lines:
        fault = fault_of(line, sums[line.id]) if line.id in sums else None
        if fault:
            refusals.append(refuse_line(fault, line, sums[line.id] or None, verb))
    return refused(tuple(refusals)) if refusals else sums


def _acknowledge(order: OrderState, command: AcknowledgeOrder) -> Decision:
    """The header first, then the lines: line codes outrank a soft header, a hard one outranks silence."""
    keeps = any(accepts(line) for line in command.lines)
    given = answers_given(command)
    if command.verdict is Verdict.REJECTED and keeps:
        said = f"The acknowledgment rejects PO {order.key.po_number} as a whole and accepts units of it."
        return refuse(Refusal.CONTRADICTORY, said)
    whole = command.verdict is Verdict.REJECTED or (command.verdict is Verdict.REJECTED_BY_LINE and not keeps)
    if whole or (command.verdict is Verdict.COUNTER_OFFER and "cancel" in given):
        answered = _by_table(_cancel_ruling(order), order, command)
        return answered or _cancel_whole(order, declined=True, command=command)
    question = about_verdict(order.key.po_number, command)
    if question and "ignore" not in given:
        return Decision(outcome=Outcome.HELD, question=question)
    return _acknowledge_lines(order, command, keeps=keeps)


def _acknowledge_lines(order: OrderState, command: AcknowledgeOrder, *, keeps: bool) -> Decision:
    grouped, refusals = by_line(order.lines, command.lines)
    units: list[Units] = []
    notes = ["The seller has put the order on hold."] if command.verdict is Verdict.ON_HOLD else []
    questions: list[Question] = []
    for line in order.lines:
        if line.id not in grouped:
            continue
        reading = read_answers(line, grouped[line.id])
        declined = _declined(line, reading, answers_given(command))
        if isinstance(declined, RefusedLine):
            refusals.append(declined)
        elif isinstance(declined, Question):
            questions.append(declined)
        elif declined:
            reason = reason_of(grouped[line.id])
            units.append(Units(line_id=line.id, line=line.line, quantity=declined, reason=reason))
        notes += reading.notes
    if refusals:
        return refused(tuple(refusals))
    if order.status is OrderStatus.CANCELLED and keeps:
        return refuse_order(Refusal.ORDER_CANCELLED, order, command)
    if questions:
        return Decision(outcome=Outcome.HELD, question=one_question(tuple(questions)))
    return _acknowledged(tuple(units), tuple(notes))


def _declined(line: LineState, reading: Reading, given: frozenset[str]) -> Decimal | RefusedLine | Question:
    """What an answer declines now, if it may (rows 11 and 12)."""
    if reading.refusal:
        return refuse_line(reading.refusal, line, reading.asked, "answer for", reading.unit)
    quantity = newly_declined(line, reading, given)
    if isinstance(quantity, Question):
        return quantity
    if reading.whole and not line.open and line.fulfilled and not line.declined:
        return refuse_line(Refusal.LINE_FULFILLED, line, None, "decline")
    return refuse_line(Refusal.EXCEEDS_OPEN, line, quantity, "decline") if quantity > line.open else quantity


def _acknowledged(units: tuple[Units, ...], notes: tuple[str, ...]) -> Decision:
    facts = [Fact(kind=EventKind.LINES_CANCELLED, units=units, declined=True)] if units else []
    if notes or not units:
        facts.insert(0, Fact(kind=EventKind.ORDER_ACKNOWLEDGED, notes=notes))
    return _applied(*facts, notes=notes)
