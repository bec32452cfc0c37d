"""Answers: X12 documents with their control numbers go into the outbox, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from edi import write_824, write_855, write_860, write_865, write_997, write_ta1
from edi.documents import (
    ApplicationAdvice,
    ChangeAcknowledgment,
    Document,
    PurchaseOrder,
    PurchaseOrderAcknowledgment,
    PurchaseOrderChange,
)
from edi.envelope import FunctionalGroup, Interchange, TransactionSet
from edi.findings import Finding
from edi.set_body import UnwritableError
from edi.write_envelope import ControlNumbers, Route, route_back
from pipeline import journal
from pipeline.answering.advice import advice
from pipeline.answering.speaking import answer_of
from pipeline.partners import Partner
from pipeline.policy import Acknowledge, RefusalAnswer
from storage import messages, outbox
from storage.database import savepoint
from storage.interchanges import answers_of
from storage.ledger import Result
from storage.messages import NewMessage
from storage.outcomes import Outcome
from storage.sequences import next_number
from storage.states import Kind, Status

Outgoing = ApplicationAdvice | PurchaseOrderAcknowledgment | PurchaseOrderChange | ChangeAcknowledgment


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an answer is about, and to whom it goes."""

    partner: Partner
    interchange: Interchange
    interchange_id: int
    at: datetime


def acknowledge_group(
    tx: Connection, to: Answered, group: FunctionalGroup, set_findings: Sequence[Sequence[Finding]]
) -> None:
    """One 997 for one received group; a group of acknowledgments is never acknowledged (spec 1.7)."""
    if group.functional_id == "FA" or to.partner.policy.acknowledge is Acknowledge.NONE:
        return
    numbers = _numbers(tx, to.partner)
    payload = write_997.write(to.interchange, group, set_findings, numbers=numbers, at=to.at)
    verdict = write_997.group_verdict(group, set_findings)
    said = f"997 {verdict} for group {group.control_number} of interchange {to.interchange.control_number}"
    _owe(tx, to.partner, "997", numbers, said, payload, to.at, interchange_id=to.interchange_id)


def acknowledge_interchange(tx: Connection, to: Answered, findings: Sequence[Finding]) -> None:
    """A TA1: asked for by ISA14, or because the interchange itself cannot be used."""
    numbers = _numbers(tx, to.partner)
    payload = write_ta1.write(to.interchange, numbers=numbers, at=to.at, findings=findings)
    said = f"TA1 for interchange {to.interchange.control_number}"
    _owe(tx, to.partner, "TA1", numbers, said, payload, to.at, interchange_id=to.interchange_id)


def answer_set(
    tx: Connection,
    to: Answered,
    group: FunctionalGroup,
    transaction_set: TransactionSet,
    document: Document,
    result: Result,
) -> None:
    """What the ledger decided about one set: an 824 for what it refused, an 865 or 855 where agreed.

    Where a refusal is to be answered in the seller's name and cannot be, the 824 says it.
    """
    refusals = tuple(r for entry in result.entries for r in entry.decision.refusals)
    refused = result.outcome is Outcome.REFUSED or (result.outcome is Outcome.APPLIED and bool(refusals))
    route, wants = route_back(to.interchange, group), to.partner.policy.answer_refusal
    spoken = None
    if isinstance(document, PurchaseOrder | PurchaseOrderChange):
        spoken = answer_of(document, result, to.partner.policy, to.at, refused=refused)
    po_number = result.entries[0].command.order.po_number if result.entries else ""
    if refused and (wants is RefusalAnswer.ADVICE or (wants is not RefusalAnswer.NONE and spoken is None)):
        numbers = _numbers(tx, to.partner)
        said = advice(
            document, group, transaction_set, refusals,
            in_part=result.outcome is Outcome.APPLIED, release=route.form.release,
            reference=f"{numbers.interchange:09d}", at=to.at,
        )  # fmt: skip
        _send(tx, to, route, said, numbers, transaction_set, po_number)
    if spoken is not None:
        _send(tx, to, route, spoken, _numbers(tx, to.partner), transaction_set, po_number)


def announce(
    tx: Connection,
    partner: Partner,
    route: Route,
    document: Outgoing,
    event_id: int,
    order_id: int,
    at: datetime,
) -> bool:
    """Tell a partner by document, once for an event; False when it cannot be written or delivered."""
    if partner.mailbox is None:
        return False
    try:
        with savepoint(tx):  # the number of a document that cannot be written is given out again
            numbers = _numbers(tx, partner)
            payload = _write(document, route, numbers, at)
    except UnwritableError:
        return False
    kind = _TYPES[type(document)]
    said = f"{kind} about a cancellation{_of(document)}"
    key = f"event:{event_id}:{kind}:{partner.id}"
    _owe(tx, partner, kind, numbers, said, payload, at, order_id=order_id, dedupe_key=key)
    return True


def _of(document: Outgoing) -> str:
    return "" if isinstance(document, ApplicationAdvice) else f" of PO {document.po_number}"


def repeat_answers(tx: Connection, earlier: int, at: datetime) -> None:
    """An interchange came again: its stored answers go out once more, the same bytes under the same name."""
    for message_id in answers_of(tx, earlier):
        message = messages.get(tx, message_id)
        if message is not None and message.status is Status.SENT:
            outbox.resend(tx, message_id, at)


def _write(document: Outgoing, route: Route, numbers: ControlNumbers, at: datetime) -> bytes:
    """The document's bytes, ISA to IEA. UnwritableError when its release cannot say it."""
    match document:
        case ApplicationAdvice():
            return write_824.write(document, route, numbers=numbers, at=at)
        case PurchaseOrderAcknowledgment():
            return write_855.write(document, route, numbers=numbers, at=at)
        case PurchaseOrderChange():
            return write_860.write(document, route, numbers=numbers, at=at)
        case ChangeAcknowledgment():
            return write_865.write(document, route, numbers=numbers, at=at)


_TYPES: dict[type[Outgoing], str] = {
    ApplicationAdvice: "824",
    PurchaseOrderAcknowledgment: "855",
    PurchaseOrderChange: "860",
    ChangeAcknowledgment: "865",
}


def _send(
    tx: Connection,
    to: Answered,
    route: Route,
    document: Outgoing,
    numbers: ControlNumbers,
    about: TransactionSet,
    po_number: str,
) -> None:
    """Owe an answer; one that its release cannot say is recorded with the reason, for support."""
    kind = _TYPES[type(document)]
    said = f"{kind} for {about.type} {about.control_number}, PO {po_number}"
    try:
        payload = _write(document, route, numbers, to.at)
    except UnwritableError as error:
        _owe(
            tx, to.partner, kind, numbers, said, b"", to.at,
            interchange_id=to.interchange_id, problem=f"it cannot be written: {error}",
        )  # fmt: skip
        return
    _owe(tx, to.partner, kind, numbers, said, payload, to.at, interchange_id=to.interchange_id)


def _numbers(tx: Connection, partner: Partner) -> ControlNumbers:
    number = next_number(tx, f"interchange:{partner.id}")
    return ControlNumbers(interchange=number, group=number, set=1)


def _owe(
    tx: Connection,
    partner: Partner,
    kind: str,
    numbers: ControlNumbers,
    subject: str,
    payload: bytes,
    at: datetime,
    *,
    interchange_id: int | None = None,
    order_id: int | None = None,
    dedupe_key: str = "",
    problem: str = "",
) -> None:
    name = f"{kind}_{numbers.interchange:09d}.edi"
    message = NewMessage(
        kind=Kind.ACKNOWLEDGMENT,
        partner=partner.id,
        to=partner.id,
        subject=subject,
        payload=payload,
        identity=name,
        dedupe_key=dedupe_key or f"answer:{partner.id}:{name}",
        order_id=order_id,
        interchange_id=interchange_id,
        group_control_number=str(numbers.group),
        set_type=kind,
        file_id=journal.current_file(),
    )
    if partner.mailbox is None:
        problem = problem or "the partner has no mailbox to leave it in"
    if problem:
        outbox.enqueue_refused(tx, message, at, error=problem)
    else:
        outbox.enqueue(tx, message, at)
