"""The rules about requests to cancel: the seller's answer, and the end of the time for one. See rules."""

from dataclasses import replace

from storage.acknowledgments import one_question
from storage.commands import AnswerRequest, Command, Consent, LapseRequest
from storage.consents import read_consents
from storage.events import EventKind, Fact
from storage.lines import moved
from storage.orders import OrderState
from storage.refusals import Decision, Refusal, applied, duplicate, held, refuse, refuse_line, refused
from storage.requests import AGREED, about_nothing_asked, moment, overdue
from storage.rules_answers import answer_to


def decide_answer(order: OrderState, command: AnswerRequest) -> Decision | None:
    """The seller agrees to what the buyer asked to cancel, or refuses it (row 14).

    None: nothing was asked, and a person said that the order itself is rejected.
    """
    said = read_consents(order, command)
    if said.refusals:
        return refused(tuple(said.refusals))
    if said.questions:
        return held(one_question(tuple(said.questions)))
    if said.unasked and not command.source.type and (said.agreed or said.refused):
        # A document may speak of other lines in the same breath; a person who names them means this request.
        said.refusals += (
            refuse_line(Refusal.EXCEEDS_REQUESTED, one, None, "answer for") for one in said.unasked.values()
        )
        return refused(tuple(said.refusals))
    agreed = moved(order.lines, said.agreed, command.reason)
    own = moved(order.lines, said.declined, command.reason)
    kept = moved(order.lines, said.refused, command.reason)
    if agreed or own or kept:
        cancelled = Fact(kind=EventKind.LINES_CANCELLED, units=agreed, declined=True, notes=(AGREED,))
        declined = Fact(kind=EventKind.LINES_CANCELLED, units=own, declined=True)
        closed = Fact(kind=EventKind.REQUEST_REFUSED, units=kept)
        return applied(*(fact for fact in (cancelled, declined, closed) if fact.units))
    if order.lapsed:
        sentence = Refusal.REQUEST_LAPSED.sentence
        return refuse(Refusal.REQUEST_LAPSED, f"PO {order.key.po_number}: {sentence}; nothing was changed.")
    asked = about_nothing_asked(order.key.po_number, command)
    if not command.certain and (choice := answer_to(command, asked)) != "ignore":
        return None if choice == "cancel" else held(asked)
    refuses = {about.consent for about in command.lines} or {command.consent}
    if command.certain and Consent.REFUSED in refuses and not order.asked:  # said twice is no news
        sentence = Refusal.NOTHING_ASKED.sentence
        return refuse(Refusal.NOTHING_ASKED, f"PO {order.key.po_number}: {sentence}; nothing was changed.")
    note = "The seller answers a cancellation, and none was asked for."
    return applied(Fact(kind=EventKind.ORDER_ACKNOWLEDGED, notes=(note,)), notes=(note,))


def decide_lapse(order: OrderState, command: LapseRequest) -> Decision:
    """What waits of requests whose time is over is asked for no longer; silence never cancels."""
    late = overdue(order, command.at)
    if not late.units:
        return duplicate("Nothing that was asked for waits beyond its time.")
    note = f"The time for an answer ended at {moment(late.ended)}. The units stay open."
    units = moved(order.lines, late.units, command.reason)
    return applied(Fact(kind=EventKind.REQUEST_LAPSED, units=units, notes=(note,)), notes=(note,))


def promised(decision: Decision, command: Command) -> Decision:
    """What is only asked for keeps the moment it lapses: what is agreed later does not move it."""
    if command.answer_by is None:
        return decision
    note = f"It can be answered until {moment(command.answer_by)}; then it lapses, and the units stay open."
    facts = (
        replace(fact, answer_by=command.answer_by, notes=(*fact.notes, note))
        if fact.kind is EventKind.CANCELLATION_REQUESTED
        else fact
        for fact in decision.facts
    )
    return replace(decision, facts=tuple(facts))
