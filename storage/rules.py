"""The one door to the rules about placing, acknowledging, shipping and cancelling: all decisions begin here.

Read it top down: TABLE says for every state of an order and every command whether it is allowed at all; the
functions below are flat ladders, each rung one refusal; those about parts of lines, changes, requests,
shipments, persons' answers and documents that come again are next door, in rules_cuts, rules_changes,
rules_requests, rules_shipments, rules_answers and rules_again. What a document's words and figures come to,
and what cannot be meant by them, they ask of lines, acknowledgments, splits, changes, change_figures,
consents and requests; no other module decides. Everything is pure: an order and a command go in, a Decision
comes out. Section and row numbers are those of the X12 semantics specification.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, unique

from storage.acknowledgments import (
    Reading,
    about_verdict,
    accepts,
    newly_declined,
    one_question,
    reason_of,
)
from storage.changes import lateness, marks_of, same_sequence
from storage.commands import (
    AcknowledgeOrder,
    AnswerRequest,
    CancelLines,
    CancelOrder,
    ChangeOrder,
    Command,
    LapseRequest,
    Object,
    Objection,
    PartShipped,
    PlaceOrder,
    RecordShipment,
    Verdict,
    WithdrawShipment,
)
from storage.events import EventKind, Fact, Marks, Units
from storage.evolve import CANCELLING, evolve
from storage.lines import moved, name_lines
from storage.orders import LineState, OrderState, OrderStatus
from storage.outcomes import Outcome, Question
from storage.refusals import (
    Decision,
    Refusal,
    RefusedLine,
    already_left,
    applied,
    duplicate,
    held,
    ignored,
    new_line_fault,
    order_choice,
    refuse,
    refuse_line,
    refuse_order,
    refused,
    which_order,
)
from storage.requests import is_request, unanswered
from storage.rules_again import decide_document, is_again
from storage.rules_answers import answer_to, answered, is_late
from storage.rules_changes import decide_change
from storage.rules_cuts import decide_cuts
from storage.rules_requests import decide_answer, decide_lapse, promised
from storage.rules_shipments import decide_shipment, decide_withdrawal
from storage.splits import by_line, read_places

__all__ = ["TABLE", "Decision", "Refusal", "Ruling", "decide", "decide_document", "meant"]


@unique
class Ruling(Enum):
    """What the table says where it does not refuse outright."""

    BY_LINE = "by_line"  #: allowed as far as each line allows it
    CREATE = "create"  #: allowed; there is no order yet
    PARK = "park"  #: waits for its order
    COMPARE = "compare"  #: the same again is no news; anything else is refused
    NO_CHANGE = "no_change"  #: already so


_LINE, _PARK, _COMPARE = Ruling.BY_LINE, Ruling.PARK, Ruling.COMPARE
_GONE, _NOTHING_OPEN, _CANCELLED = Refusal.ORDER_FULFILLED, Refusal.ORDER_COMPLETE, Refusal.ORDER_CANCELLED
_STATES = (None, *OrderStatus)  # not known, open, partly fulfilled, fulfilled, cancelled, complete
_ROWS: Mapping[type[Command], tuple[Ruling | Refusal, ...]] = {
    PlaceOrder: (Ruling.CREATE, _COMPARE, _COMPARE, _COMPARE, _CANCELLED, _COMPARE),
    CancelOrder: (_PARK, _LINE, _LINE, _GONE, Ruling.NO_CHANGE, _NOTHING_OPEN),
    CancelLines: (_PARK, _LINE, _LINE, _LINE, _LINE, _LINE),
    ChangeOrder: (_PARK, _LINE, _LINE, _LINE, _LINE, _LINE),
    AnswerRequest: (_PARK, _LINE, _LINE, _LINE, _LINE, _LINE),
    LapseRequest: (Refusal.ORDER_UNKNOWN, _LINE, _LINE, _LINE, _LINE, _LINE),
    AcknowledgeOrder: (_PARK, _LINE, _LINE, _LINE, _LINE, _LINE),
    RecordShipment: (_PARK, _LINE, _LINE, _LINE, _CANCELLED, _LINE),
    WithdrawShipment: (_PARK, _LINE, _LINE, _LINE, _LINE, _LINE),
}
#: Every state of an order (None: not known) against every command. No default: a missing pair is a bug.
TABLE: Mapping[OrderStatus | None, Mapping[type[Command], Ruling | Refusal]] = {
    state: {command: rulings[at] for command, rulings in _ROWS.items()} for at, state in enumerate(_STATES)
}

_ALL_BUT_LEFT = "What had not left of the order is cancelled already."
_BUYERS_DOCUMENTS, _SELLERS_DOCUMENTS = ("850", "860"), ("855", "865", "870")
_NO_MARKS = Marks()


def decide(found: tuple[OrderState, ...], command: Command) -> Decision:
    """Whether the command is allowed, and what it does. `found` are the orders it may mean."""
    return promised(answered(command, lambda said: _decided(found, said)), command)


def meant(found: tuple[OrderState, ...], command: Command) -> OrderState | None:
    """The order the command is about; None: there is none, or nobody said yet which of these."""
    asked = which_order(found, command)
    choice = answer_to(command, asked) if asked else ""
    chosen = [order for order in found if not asked or order_choice(order, command) == choice]
    return chosen[0] if chosen else None


def _decided(found: tuple[OrderState, ...], command: Command) -> Decision:
    if isinstance(command, Object):
        return _objected(command)
    if not _may_say(command):
        said = f"{command.by} may not send this about PO {command.order.po_number}."
        return refuse(Refusal.WRONG_PARTY, said)
    order, asked = meant(found, command), which_order(found, command)
    if order is None and asked is not None:
        return ignored() if answer_to(command, asked) == "ignore" else held(asked)
    if (answered := _by_table(_ruling(order, command), order, command)) is not None:
        return answered
    if order is None:
        return _place(None, command) if isinstance(command, PlaceOrder) else _without_order(command)
    decision = _by_ladder(order, command)
    if _cancels_what_it_reopened(order, command, decision):
        said = (
            f"{command.source.file} withdraws a shipment of PO {order.key.po_number} and cancels its units."
        )
        return refuse(Refusal.CONTRADICTORY, said)
    return decision


def _by_ladder(order: OrderState, command: Command) -> Decision:
    match command:
        case PlaceOrder():
            return _place(order, command)
        case CancelOrder():
            return _cancel_order(order, command)
        case CancelLines():
            return decide_cuts(order, command)
        case ChangeOrder():
            return decide_change(order, command)
        case AnswerRequest():
            return _answer_request(order, command)
        case LapseRequest():
            return decide_lapse(order, command)
        case AcknowledgeOrder():
            return _acknowledge(order, command)
        case RecordShipment():
            return decide_shipment(order, command)
        case WithdrawShipment():
            return decide_withdrawal(order, command)
    raise ValueError(f"there is no rule for {type(command).__name__}")


def _ruling(order: OrderState | None, command: Command) -> Ruling | Refusal:
    """The table's word, but for the two cases where how the order came to its state matters."""
    if order is not None and isinstance(command, CancelOrder):
        return _cancel_ruling(order)
    if order is not None and isinstance(command, PlaceOrder) and command.repeat:
        return Ruling.COMPARE
    return TABLE[order.status if order else None][type(command)]


def _cancel_ruling(order: OrderState) -> Ruling | Refusal:
    """The table's word on cancelling the whole order; when that was done before, nothing changes."""
    done = order.status is OrderStatus.COMPLETE and order.whole_cancelled
    return Ruling.NO_CHANGE if done else TABLE[order.status][CancelOrder]


def _by_table(ruling: Ruling | Refusal, order: OrderState | None, command: Command) -> Decision | None:
    """What the table decides alone; None: the ladders decide."""
    if isinstance(ruling, Refusal):
        return refuse_order(ruling, order, command)
    if ruling is Ruling.NO_CHANGE:
        left = order is not None and order.status is OrderStatus.COMPLETE
        return duplicate(_ALL_BUT_LEFT if left else "The order is cancelled already.")
    return _without_order(command) if ruling is Ruling.PARK else None


def _may_say(command: Command) -> bool:
    """Buyers place, sellers answer and ship, either cancels or changes, each in its own documents (row 34).

    Staff speak for whom they name.
    """
    by_buyer, by_seller = command.by == command.order.buyer, command.by == command.order.seller
    match command:
        case PlaceOrder():
            return by_buyer
        case AcknowledgeOrder() | AnswerRequest() | RecordShipment() | WithdrawShipment():
            return by_seller
        case LapseRequest():  # no document says so: only the clock
            return by_seller and not command.source.type
    if command.source.type in _BUYERS_DOCUMENTS:
        return by_buyer
    return by_seller if command.source.type in _SELLERS_DOCUMENTS else by_buyer or by_seller


def _cancels_what_it_reopened(order: OrderState, command: Command, decision: Decision) -> bool:
    """Units that a file opened again it may not cancel, only ask for: they may have left (section 2.5)."""
    if not order.reopened_by or order.reopened_by != command.source.identity:
        return False
    return any(fact.kind in CANCELLING for fact in decision.facts)


def _without_order(command: Command) -> Decision:
    """A document may run ahead of its order for a while; a person may not (section 2.7)."""
    po = command.order.po_number
    if not command.source.type or is_late(command):
        return refuse(Refusal.ORDER_UNKNOWN, f"There is no PO {po} between these parties.")
    note = f"PO {po} is not known yet; the document waits for it."
    return Decision(outcome=Outcome.PARKED, notes=(note,))


def _objected(command: Object) -> Decision:
    if command.objection is Objection.WRONG_PARTY:
        return refuse(Refusal.WRONG_PARTY, command.statement)
    if command.objection is Objection.PURPOSE_NOT_ALLOWED:
        return refuse(Refusal.PURPOSE_NOT_ALLOWED, command.statement)
    return ignored() if answer_to(command, command.question) == "ignore" else held(command.question)


def _place(order: OrderState | None, command: PlaceOrder) -> Decision:
    if order is not None:
        if not command.repeat and command.content_hash != order.content_hash:
            return refuse_order(Refusal.ORDER_EXISTS, order, command)
        if not command.repeat and order.whole_cancelled:
            return refuse_order(Refusal.ORDER_CANCELLED, order, command)
        return duplicate("The order is known; nothing changed.")
    if not command.lines:
        said = f"PO {command.order.po_number} has no lines, so there is nothing to order."
        return refuse(Refusal.EMPTY_ORDER, said)
    placed = name_lines(command.lines)
    refusals = tuple(filter(None, (new_line_fault(line) for line in placed)))
    if refusals:
        return refused(refusals)
    notes = ("Sent as a copy of an order that was not known here; it was placed.",) if command.repeat else ()
    marks = Marks(revision=command.revision or None)
    return applied(Fact(kind=EventKind.ORDER_PLACED, placed=placed, notes=notes, marks=marks), notes=notes)


def _cancel_order(order: OrderState, command: CancelOrder) -> Decision:
    if command.part_shipped is PartShipped.REFUSE and any(line.fulfilled for line in order.lines):
        return refuse_order(Refusal.PART_SHIPPED, order, command)
    asks, po = is_request(order, command), order.key.po_number
    units = moved(order.lines, {line.id: line.open - line.requested for line in order.lines}, command.reason)
    if asks and not units:
        return duplicate("The cancellation was asked for already.")
    if late := lateness(order, command):
        return refuse(Refusal.STALE, f"PO {po}: {late}; nothing was changed.")
    if same_sequence(order, command) and not is_again(command):
        said = (
            f"Change {command.sequence} of PO {po} was sent before with other content; nothing was changed."
        )
        return refuse(Refusal.DOCUMENT_EXISTS, said)
    marks = marks_of(order, command)
    if not asks:
        return _cancel_whole(order, declined=False, command=command, marks=marks)
    fact = Fact(kind=EventKind.CANCELLATION_REQUESTED, units=units, marks=marks)
    return applied(fact, refusals=_kept(order, fact))


def _cancel_whole(
    order: OrderState, *, declined: bool, command: Command, marks: Marks = _NO_MARKS
) -> Decision:
    """Cancel everything open; name what is fulfilled and stays (rows 1 and 2)."""
    units = moved(order.lines, {line.id: line.open for line in order.lines}, command.reason)
    fact = Fact(kind=EventKind.ORDER_CANCELLED, units=units, declined=declined, marks=marks)
    return applied(fact, refusals=_kept(order, fact))


def _kept(order: OrderState, fact: Fact) -> tuple[RefusedLine, ...]:
    """What has left and stays, with the figures that the fact leaves."""
    return tuple(already_left(line) for line in evolve(order, fact).lines if line.fulfilled)


def _answer_request(order: OrderState, command: AnswerRequest) -> Decision:
    decision = decide_answer(order, command)
    return (
        decision
        or _by_table(_cancel_ruling(order), order, command)
        or _cancel_whole(order, declined=True, command=command)
    )


def _acknowledge(order: OrderState, command: AcknowledgeOrder) -> Decision:
    """The header first, then the lines: line codes outrank a soft header, a hard one outranks silence."""
    keeps = any(accepts(line, command.backorder) for line in command.lines)
    question = about_verdict(order.key.po_number, command)
    choice = answer_to(command, question) if question else ""
    if command.verdict is Verdict.REJECTED and keeps:
        said = f"The acknowledgment rejects PO {order.key.po_number} as a whole and accepts units of it."
        return refuse(Refusal.CONTRADICTORY, said)
    whole = command.verdict is Verdict.REJECTED or (command.verdict is Verdict.REJECTED_BY_LINE and not keeps)
    if whole or (command.verdict is Verdict.COUNTER_OFFER and choice == "cancel"):
        answered = _by_table(_cancel_ruling(order), order, command)
        return answered or _cancel_whole(order, declined=True, command=command)
    if question and choice != "ignore":
        return held(question)
    return _acknowledge_lines(order, command, keeps=keeps)


def _acknowledge_lines(order: OrderState, command: AcknowledgeOrder, *, keeps: bool) -> Decision:
    grouped, refusals = by_line(order.lines, command.lines, by_name=not command.source.type)
    units: list[Units] = []
    notes = ["The seller has put the order on hold."] if command.verdict is Verdict.ON_HOLD else []
    questions: list[Question] = []
    for line in order.lines:
        places = grouped.get(line.id, ())
        if not places and command.lines:
            continue
        reading = read_places(line, places, command.short_accept, command.backorder)
        declined = _declined(line, reading, command)
        if isinstance(declined, RefusedLine):
            refusals.append(declined)
        elif isinstance(declined, Question):
            questions.append(declined)
        elif declined:
            reason = reason_of(tuple(answer for place in places for answer in place.answers))
            units.append(Units(line_id=line.id, line=line.line, quantity=declined, reason=reason))
        elif line.requested:
            notes.append(unanswered(line))
        notes += reading.notes
    if refusals:
        return refused(tuple(refusals))
    if order.status is OrderStatus.CANCELLED and keeps:
        return refuse_order(Refusal.ORDER_CANCELLED, order, command)
    if questions:
        return held(one_question(tuple(questions)))
    return _acknowledged(tuple(units), tuple(notes))


def _declined(line: LineState, reading: Reading, command: Command) -> Decimal | RefusedLine | Question:
    """What an answer declines now, if it may (rows 11 and 12)."""
    if reading.refusal:
        return refuse_line(reading.refusal, line, reading.asked, "answer for", reading.unit)
    choice = answer_to(command, reading.question) if reading.question else ""
    quantity = newly_declined(line, reading, choice)
    if isinstance(quantity, Question):
        return quantity
    if reading.whole and not line.open and line.fulfilled and not line.declined:
        return refuse_line(Refusal.LINE_FULFILLED, line, None, "decline")
    return refuse_line(Refusal.EXCEEDS_OPEN, line, quantity, "decline") if quantity > line.open else quantity


def _acknowledged(units: tuple[Units, ...], notes: tuple[str, ...]) -> Decision:
    facts = [Fact(kind=EventKind.LINES_CANCELLED, units=units, declined=True)] if units else []
    if notes or not units:
        facts.insert(0, Fact(kind=EventKind.ORDER_ACKNOWLEDGED, notes=notes))
    return applied(*facts, notes=notes)
