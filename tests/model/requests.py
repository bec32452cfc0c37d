"""The model of requested cancellations and of the seller's answer to them."""

from storage.commands import AnswerRequest, Consent, LapseRequest
from tests.model.orders import Hold, Order, Refuse, Repeated, cancels, usable


def answer(command: AnswerRequest, order: Order) -> None:
    """What was asked for is cancelled, or kept; lines that are not named get the answer of the whole."""
    said = [
        (order.find(one.line), one.consent, None if one.quantity is None else usable(one.quantity))
        for one in command.lines
    ]
    if any(line.lapsed and not line.requested for line, _, _ in said):
        raise Refuse
    if not order.sum("requested"):
        if any(line.lapsed for line in order.lines.values()):
            raise Refuse
        if not command.certain:
            raise Hold
        refuses = {consent for _, consent, _ in said} or {command.consent}
        if Consent.REFUSED in refuses and not any(line.asked for line in order.lines.values()):
            raise Refuse
        return
    before = order.sum("cancelled")
    for line, consent, quantity in said:
        units = line.requested if quantity is None else quantity
        if units > line.requested > 0:
            raise Refuse
        units = min(units, line.requested)
        if consent is Consent.AGREED:
            line.cancel(units, declined=True)
        else:
            line.requested -= units
    named = {line.name for line, _, _ in said}
    for line in order.lines.values():
        if line.name in named:
            continue
        if command.consent is Consent.AGREED:
            line.cancel(line.requested, declined=True)
        line.requested *= 0
    if order.sum("cancelled") > before:
        cancels(order, command.source.identity)


def lapse(command: LapseRequest, order: Order) -> None:
    """What was not answered in time is open and nothing else: silence cancels nothing."""
    ended = [line.lapse(command.at) for line in order.lines.values()]
    if not any(ended):
        raise Repeated
