"""Preview: what a cancellation would do, by the very decision that would be made; nothing is written.

What cannot be cancelled is said with why, in the ledger's own words; and who would be told, and how.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from pipeline.api.answers import RefusalOut
from pipeline.entering import Speaker, cancellation
from pipeline.partners import Partner
from pipeline.policy import Tell
from pipeline.report import Json, refusal_json
from pipeline.settings import Settings
from pipeline.telling.company_mail import company_mail
from storage import ledger
from storage.commands import CancelLines, CancelOrder, LineCancellation, LineReference
from storage.digests import leaves_time
from storage.events import EventKind
from storage.ledger import Entry
from storage.orders import ZERO, LineState, OrderState
from storage.outcomes import Outcome
from storage.quantities import amount_are, plain
from storage.refusals import Decision
from storage.requests import is_request, moment
from storage.states import MailPace, MailTopic


class PreviewLine(BaseModel):
    """A line: what could be cancelled of it, what this would cancel, and why not more."""

    line: str
    unit: str
    ordered: str
    fulfilled: str
    cancelled: str
    requested: str
    open: str
    can_cancel: str = Field(description="At most, now.")
    would_cancel: str = Field(description="By this very request; asked for, where effect is `requested`.")
    would_withdraw: str = Field(description="Of what is asked for: what this would ask for no longer.")
    why_not: str | None = Field(description="Why units of it cannot be cancelled; null when all can.")


class ToldOut(BaseModel):
    """Somebody who would be told."""

    partner: str
    name: str
    by: list[str] = Field(
        description="`email`, `x12`; `digest`: by e-mail within the hour, as its people chose; `support`: the"
        " hub has no address of it, and its people pass it on."
    )


class PreviewOut(BaseModel):
    """What a cancellation would do. Nothing was done."""

    possible: bool
    effect: str = Field(
        description="`cancelled`, `requested` (the seller has to agree), `withdrawn` (less is asked for than"
        " before, and nothing more) or `nothing`."
    )
    cannot_be_undone: bool
    statement: str
    lines: list[PreviewLine]
    refusals: list[RefusalOut]
    told: list[ToldOut]


def preview(
    tx: Connection, settings: Settings, speaker: Speaker, order_id: int, command: CancelOrder | CancelLines
) -> Json:
    """The preview of a cancellation of an order that is there."""
    entry = ledger.foresee(tx, order_id, command)
    order = entry.before
    assert order is not None
    decision = entry.decision
    asks = is_request(order, command)
    back, units = _units(decision, back=True), _units(decision, back=False)
    effect = ("requested" if asks else "cancelled") if units else "withdrawn" if back else "nothing"
    why_not = _why_not(tx, settings, speaker, order_id, order)
    why_not |= {refusal.line: refusal.message for refusal in decision.refusals if refusal.line}
    other = settings.directory.get(order.key.other(speaker.partner.id))
    told = [_told(tx, settings, other, command, asks=asks)] if other and decision.facts else []
    return {
        "possible": bool(units or back),
        "effect": effect,
        "cannot_be_undone": effect == "cancelled",
        "statement": _statement(entry, effect, back, other, told),
        "lines": [_line(line, units, back, why_not.get(line.line), asks=asks) for line in order.lines],
        "refusals": [refusal_json(refusal) for refusal in decision.refusals],
        "told": told,
    }


def _why_not(
    tx: Connection, settings: Settings, speaker: Speaker, order_id: int, order: OrderState
) -> dict[str, str]:
    """Of lines of which nothing is open: the ledger's own refusal to cancel them."""
    closed = tuple(
        LineCancellation(line=LineReference(number=line.line), quantity=line.ordered)
        for line in order.lines
        if not line.open
    )
    if not closed:
        return {}
    command = cancellation(settings, speaker, order.key, lines=closed)
    return {
        refusal.line: refusal.message for refusal in ledger.foresee(tx, order_id, command).decision.refusals
    }


def _units(decision: Decision, *, back: bool) -> dict[int, Decimal]:
    """What would be cancelled or asked for, by line id; or with `back` what would be asked for no longer."""
    return {
        unit.line_id: unit.quantity
        for fact in decision.facts
        if (fact.kind is EventKind.REQUEST_WITHDRAWN) is back
        for unit in fact.units
    }


def _line(
    line: LineState, units: Mapping[int, Decimal], back: Mapping[int, Decimal], why_not: str | None, *,
    asks: bool,
) -> Json:  # fmt: skip
    counted = ("ordered", "fulfilled", "cancelled", "requested", "open")
    figures: Json = {name: plain(getattr(line, name)) for name in counted}
    return {
        "line": line.line, "unit": line.unit, **figures,
        "can_cancel": plain(line.open - line.requested if asks else line.open),
        "would_cancel": plain(units.get(line.id, ZERO)), "would_withdraw": plain(back.get(line.id, ZERO)),
        "why_not": why_not,
    }  # fmt: skip


def _statement(
    entry: Entry, effect: str, back: Mapping[int, Decimal], other: Partner | None, told: list[Json]
) -> str:
    whom = other.name if other else "the other party"
    if entry.decision.outcome is Outcome.REFUSED:
        return "Nothing would be cancelled: " + " ".join(r.message for r in entry.decision.refusals)
    if effect == "nothing":
        return " ".join(entry.decision.notes) or "Nothing would be cancelled."
    return " ".join((*_said(entry, effect, back, whom, told), *entry.decision.notes))


def _said(
    entry: Entry, effect: str, back: Mapping[int, Decimal], whom: str, told: list[Json]
) -> Iterator[str]:
    """What would come of it, sentence by sentence."""
    if effect == "withdrawn":
        yield f"Less is asked to be cancelled than before. {whom} is told."
    elif effect == "requested":
        yield f"{whom} is asked to agree; nothing is cancelled before it does."
        if by := entry.command.answer_by:
            yield f"It can answer until {moment(by)}; then the request lapses."
        for line in entry.before.lines if entry.before else ():
            if line.id in back:
                yield f"{amount_are(back[line.id], line.unit)} asked for no longer on line {line.line}."
    else:
        waits = any(one["by"] == ["digest"] for one in told)
        yield f"This cannot be undone. {whom} is told {'within the hour' if waits else 'at once'}."


def _told(
    tx: Connection, settings: Settings, other: Partner, command: CancelOrder | CancelLines, *, asks: bool
) -> Json:
    topic = MailTopic.REQUESTS if asks else MailTopic.CANCELLATIONS
    is_urgent = asks and not leaves_time(command.answer_by, command.at)
    by = ways_to(tx, settings, other, topic, is_urgent=is_urgent)
    return {"partner": other.id, "name": other.name, "by": by}


def ways_to(
    tx: Connection, settings: Settings, partner: Partner, topic: MailTopic, *, is_urgent: bool = False
) -> list[str]:
    """How a partner is told of something: as `ToldOut.by` names the ways."""
    company = company_mail(tx, settings, partner.id)
    paces = set(company.paces(topic).values()) if company else set()
    at_once = MailPace.AT_ONCE in paces or (is_urgent and paces)
    mail = "email" if at_once else "digest" if paces else "support"
    ways = {Tell.EMAIL: [mail], Tell.EDI: ["x12"], Tell.BOTH: [mail, "x12"]}
    return ways[partner.policy.tell] if partner.mailbox else [mail]  # X12 needs a place to be left in
