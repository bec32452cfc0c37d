"""Meanings: what a body says, as the command it stands for. Pure; whether it is allowed is the ledger's."""

import hashlib
import json
from collections.abc import Collection
from decimal import Decimal
from typing import Protocol

from pipeline.api import shapes
from pipeline.api.problems import ApiProblem
from pipeline.entering import Speaker, cancellation, consent, located
from pipeline.items import DISCRETE_UNITS, item_id
from pipeline.reasons import CancelReason
from pipeline.settings import Settings
from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    CancelLines,
    CancelOrder,
    Command,
    Consent,
    DocumentKey,
    LineAnswer,
    LineCancellation,
    LineConsent,
    LineReference,
    Locator,
    NewLine,
    PlaceOrder,
    Reason,
    RecordShipment,
    ShippedLine,
    Verdict,
)
from storage.orders import LineState, OrderKey
from storage.outcomes import Given

_VERDICTS = {
    shapes.Decision.ACCEPTED: Verdict.LINES,
    shapes.Decision.REJECTED: Verdict.REJECTED,
    shapes.Decision.ON_HOLD: Verdict.ON_HOLD,
}


class Known(Protocol):
    """What a meaning may need of the order it is about; `storage.orders.OrderState` is one."""

    @property
    def id(self) -> int: ...

    @property
    def key(self) -> OrderKey: ...

    @property
    def lines(self) -> tuple[LineState, ...]: ...

    @property
    def lapsed(self) -> Collection[int]: ...


def cancel(
    settings: Settings, said: shapes.CancelOrder, speaker: Speaker, order: Known
) -> CancelOrder | CancelLines:
    """The order as a whole, or units of lines."""
    cuts = tuple(_cut(cut, cut.line) for cut in said.lines or ())
    return cancellation(
        settings, speaker, order.key,
        lines=cuts, reason=_reason(said.reason), note=said.note, only_if_whole=not said.unfulfilled_only,
    )  # fmt: skip


def cancel_line(
    settings: Settings, said: shapes.CancelLine, line: str, speaker: Speaker, order: Known
) -> Command:
    """Units of one line."""
    cuts = (_cut(said, line),)
    return cancellation(settings, speaker, order.key, lines=cuts, reason=_reason(said.reason), note=said.note)


def _cut(said: shapes.Cut, name: str) -> LineCancellation:
    return LineCancellation(
        line=LineReference(number=name), quantity=said.quantity, new_total=said.new_quantity
    )


def answer_request(said: shapes.Answer, consents: Consent, speaker: Speaker, order: Known) -> Command:
    """The seller's yes or no to all that was asked; an ApiProblem when nothing is, and nothing lapsed."""
    if not any(line.requested for line in order.lines) and not order.lapsed:
        title = "Nothing of the order is asked to be cancelled, or it was answered."
        raise ApiProblem(409, "nothing-asked", title)
    lines = (said.lines or ()) if isinstance(said, shapes.Approve) else ()
    agreed = tuple(
        LineConsent(line=LineReference(number=one.line), consent=Consent.AGREED, quantity=one.quantity)
        for one in lines
    )
    to_the_rest = Consent.REFUSED if agreed else consents
    return consent(speaker, order.key, to_the_rest, _reason(said.reason), said.note, agreed)


def place(said: shapes.Place, seller: str, body: str, speaker: Speaker) -> Command:
    """A new order."""
    return PlaceOrder(
        order=Locator(
            buyer=speaker.partner.id, seller=seller, po_number=said.po_number, release=said.release or "",
            exact=True,
        ),
        by=speaker.partner.id, at=speaker.at, source=speaker.source,
        lines=tuple(_new_line(line) for line in said.lines),
        content_hash=_hash(body), ordered_on=said.ordered_on,
    )  # fmt: skip


def _new_line(said: shapes.Placed) -> NewLine:
    return NewLine(
        number=said.line or "",
        ids=tuple(item_id(qualifier, id) for qualifier, id in said.ids.items()),
        quantity=said.quantity,
        unit=said.unit,
        discrete=said.unit in DISCRETE_UNITS,
        description=said.description,
    )


def acknowledge(said: shapes.Acknowledge, speaker: Speaker, order: Known) -> Command:
    """The seller's answer to an order, read as agreed with the seller where it leaves something open."""
    policy = speaker.partner.policy
    return AcknowledgeOrder(
        order=located(order.key), by=speaker.partner.id, at=speaker.at, source=speaker.source,
        reason=_reason(said.reason), note=said.note,
        answers=(Given(choice=said.answer),) if said.answer else (),
        verdict=_VERDICTS[said.decision],
        lines=tuple(
            AcknowledgedLine(line=LineReference(number=line.line), answers=_answers(line))
            for line in said.lines
        ),
        short_accept=policy.short_accept, backorder=policy.backorder,
    )  # fmt: skip


def _answers(said: shapes.AcknowledgedLine) -> tuple[LineAnswer, ...]:
    """What is rejected is said as such: no doubt is possible what the number counts."""
    named = (
        (Answer.ACCEPTED, said.accepted), (Answer.BACKORDERED, said.backordered),
        (Answer.ON_HOLD, said.on_hold), (Answer.REJECTED, said.rejected),
    )  # fmt: skip
    return tuple(
        LineAnswer(answer=answer, quantity=quantity, reason=_reason(said.reason), certain=True)
        for answer, quantity in named
        if quantity or (answer is Answer.ACCEPTED and quantity is not None)
    )


def fulfil(said: shapes.Fulfil, body: str, speaker: Speaker, order: Known) -> tuple[Command, DocumentKey]:
    """A shipment, under the name that an 856 of it would have: it is not counted twice."""
    policy = speaker.partner.policy
    command = RecordShipment(
        order=located(order.key), by=speaker.partner.id, at=speaker.at, source=speaker.source,
        note=said.note, shipment_id=said.shipment_id,
        lines=tuple(
            ShippedLine(line=LineReference(number=line.line), quantity=line.quantity) for line in said.lines
        ),
        over_ship=policy.over_ship, over_percent=Decimal(policy.over_ship_percent),
        close_rest=policy.ship_and_close,
    )  # fmt: skip
    content = _hash(json.dumps([order.id, body]))
    return command, DocumentKey(
        partner=speaker.partner.id, kind="856", key=said.shipment_id, content_hash=content
    )


def _reason(said: CancelReason | None) -> Reason:
    return said.reason if said else Reason()


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
