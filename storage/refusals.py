"""How the ledger says no: the closed list of refusals, their figures, and the decision that carries them."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique

from storage.commands import Command
from storage.events import Fact, PlacedLine
from storage.orders import ZERO, LineState, OrderState
from storage.outcomes import Choice, Outcome, Question
from storage.quantities import amount, are, fits, is_whole, plain


@unique
class Refusal(Enum):
    """Why not. Numbers are never reused or renumbered; where several apply, the lowest is named first."""

    WRONG_PARTY = (1, "this party may not say this about the order")
    PURPOSE_NOT_ALLOWED = (2, "the document's purpose is not one this hub takes")
    ORDER_UNKNOWN = (3, "no such order between these parties")
    ORDER_CANCELLED = (4, "the order is cancelled, and a cancellation cannot be undone")
    ORDER_FULFILLED = (5, "the order is fulfilled, and a fulfilled unit cannot be cancelled")
    ORDER_COMPLETE = (6, "nothing on the order is open")
    ORDER_EXISTS = (7, "an order with this number and other content exists")
    SHIPMENT_EXISTS = (8, "a shipment with this number and other content exists")
    PART_SHIPPED = (
        9,
        "part of the order is fulfilled, and what is asked for is all of it or nothing",
    )
    EMPTY_ORDER = (10, "the order has no lines")
    CONTRADICTORY = (11, "the document contradicts itself")
    LINE_UNKNOWN = (12, "no such line on the order")
    LINE_CONTRADICTED = (13, "the number and the items are not of one line")
    LINE_AMBIGUOUS = (14, "the item stands on several lines and no line number says which")
    UNIT_MISMATCH = (15, "the unit of measure is not the order's")
    QUANTITY_MISSING = (16, "the quantity is missing")
    QUANTITY_NEGATIVE = (17, "the quantity is negative")
    QUANTITY_ZERO = (18, "the quantity is zero")
    QUANTITY_OUT_OF_RANGE = (19, "the quantity has more digits than the ledger keeps")
    QUANTITY_FRACTION = (20, "the unit is counted in whole units")
    STORES_DO_NOT_ADD_UP = (21, "the quantities by store do not add up to the line's quantity")
    LINE_CANCELLED = (
        22,
        "the line is cancelled, and a cancelled unit can be neither fulfilled nor cancelled again",
    )
    LINE_FULFILLED = (23, "the line is fulfilled, and a fulfilled unit cannot be cancelled")
    EXCEEDS_OPEN = (24, "more than is open on the line")
    OVER_SHIPMENT = (25, "more was shipped than is open on the line")
    QUANTITY_RAISED = (26, "the seller cannot raise the quantity ordered")
    ACCEPTS_DECLINED = (27, "the seller declined these units before, and a cancellation cannot be undone")
    DOCUMENT_EXISTS = (28, "a document with this number and other content was applied before")
    STALE = (29, "a newer change of the order was applied before")
    SHIPMENT_UNKNOWN = (30, "no such shipment was recorded for the order")
    LINE_EXISTS = (31, "the order has this line already")
    QUANTITIES_DO_NOT_FIT = (
        32,
        "the quantities fit neither the kind of change nor what is current on the line",
    )
    REVIVES_CANCELLED = (33, "the line has cancelled units, and a cancellation cannot be undone")
    EXCEEDS_REQUESTED = (34, "more than the buyer asked to cancel")
    NOT_ANSWERED = (35, "what was meant could not be cleared up in time")
    REQUEST_LAPSED = (36, "the request to cancel was not answered in time, and the units stay open")
    NOTHING_ASKED = (37, "the seller refuses a change of the buyer's, and nothing waits for an answer")

    def __init__(self, number: int, sentence: str) -> None:
        self.number, self.sentence = number, sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """One refusal with its figures. `line` is "" when it is about the whole order."""

    refusal: Refusal
    message: str  # one sentence with the figures, for the partner and for support
    line: str = ""
    asked: Decimal | None = None
    ordered: Decimal | None = None
    fulfilled: Decimal | None = None
    cancelled: Decimal | None = None
    open: Decimal | None = None
    requested: Decimal | None = None  # of what is open: what the buyer asked to cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The rule's answer to one command.

    `refusals` with outcome APPLIED name what could not be done; with REFUSED, why nothing was.
    """

    outcome: Outcome
    facts: tuple[Fact, ...] = ()
    refusals: tuple[RefusedLine, ...] = ()
    question: Question | None = None
    notes: tuple[str, ...] = ()


def applied(*facts: Fact, notes: tuple[str, ...] = (), refusals: tuple[RefusedLine, ...] = ()) -> Decision:
    """The facts are to be written; `refusals` name what could not be done."""
    return Decision(outcome=Outcome.APPLIED, facts=facts, notes=notes, refusals=refusals)


def duplicate(*notes: str) -> Decision:
    """Nothing is done, because it is so already."""
    return Decision(outcome=Outcome.DUPLICATE, notes=notes)


def held(question: Question) -> Decision:
    """Nothing is done until a person has answered."""
    return Decision(outcome=Outcome.HELD, question=question)


def ignored() -> Decision:
    """Nothing is done, because a person said so."""
    return Decision(outcome=Outcome.IGNORED, notes=("A person decided to leave this document aside.",))


def refused(refusals: tuple[RefusedLine, ...]) -> Decision:
    """Nothing is done; the gravest refusal first."""
    return Decision(outcome=Outcome.REFUSED, refusals=tuple(sorted(refusals, key=lambda r: r.refusal.number)))


def refuse(refusal: Refusal, message: str) -> Decision:
    """Nothing is done, for a reason that is about the document as a whole."""
    return refused((RefusedLine(refusal=refusal, message=message),))


def refuse_order(refusal: Refusal, order: OrderState | None, command: Command) -> Decision:
    """Nothing is done, because of the state the order is in; the figures of all its lines are added up."""
    message = f"PO {command.order.po_number}: {refusal.sentence}."
    if order is None:
        return refuse(refusal, message)
    ordered, fulfilled, cancelled, still_open, requested = (
        sum((getattr(line, name) for line in order.lines), ZERO)
        for name in ("ordered", "fulfilled", "cancelled", "open", "requested")
    )
    units = {line.unit for line in order.lines}
    whole = amount(ordered, units.pop() if len(units) == 1 else "")
    figures = f" Of {whole}, {are(fulfilled)} fulfilled and {plain(cancelled)} cancelled."
    return refused(
        (
            RefusedLine(
                refusal=refusal,
                message=message + figures,
                ordered=ordered,
                fulfilled=fulfilled,
                cancelled=cancelled,
                open=still_open,
                requested=requested,
            ),
        )
    )


def which_order(found: tuple[OrderState, ...], command: Command) -> Question | None:
    """Whose order of the number is meant, and which release of it; None: there is no doubt.

    What exists in releases only is not meant by a document that names none, not even if there is just one:
    the next may be on its way, and nothing was said of this one (section 6).
    """
    releases = [order.key.release for order in found if _left_out(order, command)]
    if len(found) < 2 and not releases:
        return None
    po, known = command.order.po_number, sorted(found, key=lambda order: order.key.other(command.by))
    if releases:
        names = ", ".join(_called(order, command) for order in known)
        said = f"PO {po} exists as {names}, and no release is named: which is meant?"
    else:
        names = ", ".join(order.key.other(command.by) for order in known)
        said = f"PO {po} exists with more than one partner ({names}): which is meant?"
    choices = tuple(
        Choice(order_choice(order, command), f"apply it to {_called(order, command)}") for order in known
    )
    return Question(said, (*choices, Choice("ignore", "change nothing")))


def order_choice(order: OrderState, command: Command) -> str:
    """The choice of which_order that means this order; each order has another one."""
    release = f":{order.key.release}" if _left_out(order, command) else ""
    return f"for-{order.key.other(command.by)}{release}"


def _left_out(order: OrderState, command: Command) -> bool:
    """Whether the order is a release and the document names none."""
    return bool(order.key.release) and not command.order.release


def _called(order: OrderState, command: Command) -> str:
    what = f"release {order.key.release}" if _left_out(order, command) else "the order"
    return f"{what} with {order.key.other(command.by)}"


def line_figures(
    refusal: Refusal, line: LineState, message: str, asked: Decimal | None = None
) -> RefusedLine:
    """A refusal about one line, with its counters."""
    return RefusedLine(
        refusal=refusal,
        message=message,
        line=line.line,
        asked=asked,
        ordered=line.ordered,
        fulfilled=line.fulfilled,
        cancelled=line.cancelled,
        open=line.open,
        requested=line.requested,
    )


def refuse_line(
    refusal: Refusal,
    line: LineState,
    asked: Decimal | None,
    verb: str = "",
    unit: str = "",
    *,
    said: str = "",
) -> RefusedLine:
    """A refusal about one line in one sentence: what was asked, why not, and the counters.

    `unit` is the unit asked in, when it is not the line's. `said` is what was sent, where that says more.
    """
    wanted = f"{said}: " if said else ""
    if not said and asked is not None:
        wanted = f"to {verb} {amount(asked, unit or line.unit)}: "
    still = f"{plain(line.open)} open"
    if line.requested:
        still += f", {plain(line.requested)} of them asked to be cancelled"
    message = (
        f"Line {line.line}: {wanted}{refusal.sentence}. Of {amount(line.ordered, line.unit)} ordered,"
        f" {are(line.fulfilled)} fulfilled, {plain(line.cancelled)} cancelled, {still}."
    )
    return line_figures(refusal, line, message, asked)


def refuse_new_line(refusal: Refusal, placed: PlacedLine) -> RefusedLine:
    """A refusal about a line of a new order, which has no counters yet."""
    asked = placed.new.quantity
    said = "" if asked is None else f" ({amount(asked, placed.new.unit)})"
    message = f"Line {placed.line}: {refusal.sentence}{said}."
    return RefusedLine(refusal=refusal, line=placed.line, asked=asked, message=message)


def new_line_fault(placed: PlacedLine) -> RefusedLine | None:
    """What is wrong with a line that is to be created."""
    new = placed.new
    fault = quantity_fault(new.quantity, discrete=new.discrete)
    if fault is None and new.quantity is not None and new.quantity == ZERO:
        fault = Refusal.QUANTITY_ZERO
    if fault is None and new.location_quantities and sum(new.location_quantities, ZERO) != new.quantity:
        fault = Refusal.STORES_DO_NOT_ADD_UP
    return refuse_new_line(fault, placed) if fault else None


def already_left(line: LineState) -> RefusedLine:
    """What a cancellation leaves as it is on one line; `line` is the line after it, for the figures."""
    left = f"{plain(line.fulfilled)} of {amount(line.ordered, line.unit)}"
    message = f"Line {line.line}: {left} had left already and cannot be cancelled."
    return line_figures(Refusal.LINE_FULFILLED, line, message)


def unfound_line(refusal: Refusal, number: str, asked: Decimal | None) -> RefusedLine:
    """A refusal because the line meant cannot be told."""
    named = f"Line {number}" if number else "A line without number"
    return RefusedLine(refusal=refusal, message=f"{named}: {refusal.sentence}.", line=number, asked=asked)


def quantity_fault(quantity: Decimal | None, *, discrete: bool) -> Refusal | None:
    """What is wrong with a quantity whatever the line; zero is left to the caller."""
    if quantity is None:
        return Refusal.QUANTITY_MISSING
    if not fits(quantity):
        return Refusal.QUANTITY_OUT_OF_RANGE
    if quantity < ZERO:
        return Refusal.QUANTITY_NEGATIVE
    return Refusal.QUANTITY_FRACTION if discrete and not is_whole(quantity) else None
