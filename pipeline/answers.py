"""Answers: acknowledgments with their control numbers go into the outbox, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from edi import write_997, write_ta1
from edi.envelope import FunctionalGroup, Interchange
from edi.findings import Finding
from edi.write_envelope import ControlNumbers
from pipeline.partners import Acknowledge, Partner
from storage import outbox
from storage.interchanges import answers_of
from storage.outbox import NewMessage
from storage.sequences import next_number
from storage.states import Kind, Status


def acknowledge_group(
    tx: Connection,
    partner: Partner,
    interchange: Interchange,
    interchange_id: int,
    group: FunctionalGroup,
    set_findings: Sequence[Sequence[Finding]],
    at: datetime,
) -> None:
    """One 997 for one received group; a group of acknowledgments is never acknowledged (spec 1.7)."""
    if group.functional_id == "FA" or partner.policy.acknowledge is Acknowledge.NONE:
        return
    numbers = _numbers(tx, partner)
    payload = write_997.write(interchange, group, set_findings, numbers=numbers, at=at)
    verdict = write_997.group_verdict(group, set_findings)
    said = f"997 {verdict} for group {group.control_number} of interchange {interchange.control_number}"
    _owe(tx, partner, interchange_id, f"997_{numbers.interchange:09d}.edi", said, payload, at)


def acknowledge_interchange(
    tx: Connection,
    partner: Partner,
    interchange: Interchange,
    interchange_id: int,
    findings: Sequence[Finding],
    at: datetime,
) -> None:
    """A TA1: asked for by ISA14, or because the interchange itself cannot be used."""
    numbers = _numbers(tx, partner)
    payload = write_ta1.write(interchange, numbers=numbers, at=at, findings=findings)
    said = f"TA1 for interchange {interchange.control_number}"
    _owe(tx, partner, interchange_id, f"TA1_{numbers.interchange:09d}.edi", said, payload, at)


def repeat_answers(tx: Connection, earlier: int, at: datetime) -> None:
    """An interchange came again: its stored answers go out once more, the same bytes under the same name."""
    for message_id in answers_of(tx, earlier):
        message = outbox.get(tx, message_id)
        if message is not None and message.status is Status.SENT:
            outbox.resend(tx, message_id, at)


def _numbers(tx: Connection, partner: Partner) -> ControlNumbers:
    number = next_number(tx, f"interchange:{partner.id}")
    return ControlNumbers(interchange=number, group=number, set=1)


def _owe(
    tx: Connection,
    partner: Partner,
    interchange_id: int,
    name: str,
    subject: str,
    payload: bytes,
    at: datetime,
) -> None:
    message = NewMessage(
        kind=Kind.ACKNOWLEDGMENT,
        partner=partner.id,
        to=partner.id,
        subject=subject,
        payload=payload,
        body_text=payload.decode("latin-1"),
        identity=name,
        dedupe_key=f"answer:{partner.id}:{name}",
        interchange_id=interchange_id,
    )
    if partner.mailbox is None:
        outbox.enqueue_refused(tx, message, at, error="the partner has no mailbox to leave it in")
    else:
        outbox.enqueue(tx, message, at)
