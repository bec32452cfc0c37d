"""Entering: what a party says without a document - through staff, the API or the app - and what follows.

One path for all of them: the ledger decides, the other party is told as of a document, and documents that
waited for the order go on. All in the caller's transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pipeline.partners import Partner, Policy, Role
from pipeline.sets import release_parked
from pipeline.settings import Settings
from pipeline.telling.owing import tell_result
from storage import ledger
from storage.commands import (
    NO_REASON,
    AnswerRequest,
    BuyerCancel,
    CancelLines,
    CancelOrder,
    Command,
    Consent,
    DocumentKey,
    LineCancellation,
    LineConsent,
    Locator,
    PartShipped,
    Reason,
    Source,
    Submission,
)
from storage.ledger import Result
from storage.orders import OrderKey
from storage.outcomes import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """For which partner it is said, by whom, and when."""

    partner: Partner
    actor: str  # "staff", a key, a person: as timelines and mails name it
    at: datetime

    @property
    def source(self) -> Source:
        return Source(actor=self.actor)


def enter(
    tx: Connection, settings: Settings, command: Command, origin: str, document: DocumentKey | None = None
) -> Result:
    """Let the ledger decide, and tell who must know. `origin` names the cause, once for ever.

    What was refused is told by the caller to who said it; nobody else learns of it.
    """
    result = ledger.apply(tx, Submission(commands=(command,), document=document))
    if result.outcome is Outcome.APPLIED:
        tell_result(tx, settings, result, origin, command.at)
        release_parked(tx, settings, result, command.at)
    return result


def located(key: OrderKey) -> Locator:
    """This very order."""
    return Locator(
        buyer=key.buyer, seller=key.seller, po_number=key.po_number, release=key.release, exact=True
    )


def cancellation(
    settings: Settings,
    speaker: Speaker,
    order: OrderKey,
    *,
    lines: tuple[LineCancellation, ...] = (),
    reason: Reason = NO_REASON,
    note: str = "",
    only_if_whole: bool = False,
) -> CancelOrder | CancelLines:
    """Cancel the whole order, or units of lines; or ask for it, where that is agreed with the buyer.

    `only_if_whole`: nothing is cancelled when part of the order is fulfilled, whatever was agreed.
    """
    buys = speaker.partner.role is Role.BUYER
    effect = speaker.partner.policy.buyer_cancel if buys else BuyerCancel.EFFECTIVE
    answer_by = speaker.partner.policy.answer_by(speaker.at) if buys else None
    if lines:
        return CancelLines(
            order=located(order), by=speaker.partner.id, at=speaker.at, source=speaker.source,
            reason=reason, note=note, effect=effect, answer_by=answer_by, lines=lines,
        )  # fmt: skip
    part_shipped = PartShipped.REFUSE if only_if_whole else _policy_of(settings, order).cancel_part_shipped
    return CancelOrder(
        order=located(order), by=speaker.partner.id, at=speaker.at, source=speaker.source,
        reason=reason, note=note, effect=effect, answer_by=answer_by, part_shipped=part_shipped,
    )  # fmt: skip


def consent(
    speaker: Speaker,
    order: OrderKey,
    said: Consent,
    reason: Reason,
    note: str,
    agreed: tuple[LineConsent, ...] = (),
) -> AnswerRequest:
    """The seller's answer to all that its buyer asked to cancel.

    With `agreed`: yes to these units, whatever `said` is to what they leave of their lines.
    """
    rest = tuple(LineConsent(line=one.line, consent=said) for one in agreed)
    return AnswerRequest(
        order=located(order), by=speaker.partner.id, at=speaker.at, source=speaker.source,
        reason=reason, note=note, consent=said, lines=(*agreed, *rest),
    )  # fmt: skip


def _policy_of(settings: Settings, order: OrderKey) -> Policy:
    """What was agreed with the buyer counts, whoever cancels."""
    buyer = settings.directory.get(order.buyer)
    return buyer.policy if buyer else Policy()
