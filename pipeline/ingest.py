"""Ingest: one straight line from kept bytes to a report. Follow `ingest` to follow a document."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from edi.envelope import Interchange, TransactionSet, read
from edi.findings import Finding, FindingCode
from pipeline import journal
from pipeline.admission import Admitted, NotAdmitted, about_isa, admit, takes_short_isa
from pipeline.answering.answers import Answered, acknowledge_group, acknowledge_interchange, repeat_answers
from pipeline.partners import Partner
from pipeline.readers import found_fault
from pipeline.replies import take_ta1
from pipeline.report import FileReport, FoundFault, InterchangeReport, SetReport
from pipeline.sets import Arrival, Handled, Ration, handle_set
from pipeline.settings import Settings
from pipeline.telling.for_support import Unusable
from pipeline.telling.owing import tell_rejected, tell_support
from storage import receipts
from storage.commands import Source
from storage.interchanges import (
    InterchangeKey,
    StandingKind,
    close_interchange,
    open_interchange,
    standing,
)
from storage.outcomes import Outcome
from storage.receipts import ReceivedFile
from storage.states import Fate

# A control number is used up by an interchange of which anything was taken in; never by a failed attempt.
_TAKEN_IN = frozenset(Outcome) - {Outcome.FAULTY, Outcome.REFUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What every step of one file's way needs."""

    tx: Connection
    settings: Settings
    at: datetime
    received: ReceivedFile
    mailbox_of: str  # the partner whose mailbox it lay in; "" for a replay
    actor: str = ""  # the person who has it replayed
    ration: Ration = field(default_factory=Ration)


def ingest(
    tx: Connection, settings: Settings, received: ReceivedFile, at: datetime, *, mailbox_of: str,
    actor: str = "",
) -> FileReport:  # fmt: skip
    """Read one kept file and do what it says, in the caller's transaction. Raises for bugs only.

    `actor` is the person who has it replayed, for the events it makes.
    """
    file = _File(tx=tx, settings=settings, at=at, received=received, mailbox_of=mailbox_of, actor=actor)
    with journal.about(received.id):
        return _ingest(file)


def _ingest(file: _File) -> FileReport:
    tx, settings, received, at, mailbox_of = file.tx, file.settings, file.received, file.at, file.mailbox_of
    reading = read(receipts.content_of(tx, received.id), lenient_isa=takes_short_isa(settings, mailbox_of))
    findings = tuple(found_fault(finding) for finding in reading.findings)
    released: list[SetReport] = []
    reports = [
        _interchange(file, interchange, ordinal, released)
        for ordinal, interchange in enumerate(reading.interchanges, start=1)
    ]
    error = "" if reports else "no X12 interchange was found in it"
    if findings:
        _tell(file, Source(file=received.name), f"file:{received.partner}:{received.sha256}", findings)
    receipts.mark_done(tx, received.id, at=at, error=error)
    return FileReport(
        name=received.name,
        sha256=received.sha256,
        partner=received.partner,
        interchanges=tuple(reports),
        findings=findings,
        released=tuple(released),
        error=error,
        file_id=received.id,
    )


def _interchange(
    file: _File, interchange: Interchange, ordinal: int, released: list[SetReport]
) -> InterchangeReport:
    """Whose it is, whether it came before, and then set by set, in the order they stand."""
    admitted = admit(interchange, file.mailbox_of, file.settings)
    key = _key(file, interchange, admitted)
    interchange_id = open_interchange(
        file.tx,
        key,
        file_id=file.received.id,
        ordinal=ordinal,
        date=interchange.date,
        time=interchange.time,
        content_hash=interchange.content_hash,
    )
    broken = tuple(finding for finding in interchange.findings if finding.is_error)
    if isinstance(admitted, NotAdmitted):
        found = (admitted.finding, *broken)
        return _set_aside(file, interchange, interchange_id, Fate.QUARANTINED, found, admitted.sender)
    if broken:
        return _set_aside(file, interchange, interchange_id, Fate.FAULTY, broken, admitted.sender)
    days = admitted.sender.policy.isa13_reset_days
    before = standing(
        file.tx,
        key,
        interchange.content_hash,
        at=file.at,
        reuse_after=timedelta(days=days) if days else None,
    )
    if before.kind is StandingKind.CONFLICT:
        conflict = _conflict(interchange)
        return _set_aside(file, interchange, interchange_id, Fate.CONFLICT, (conflict,), admitted.sender)
    if before.kind is StandingKind.DUPLICATE and before.earlier is not None:
        repeat_answers(file.tx, before.earlier, file.at)
        close_interchange(file.tx, interchange_id, outcome=Fate.DUPLICATE)
        return _report(interchange, Fate.DUPLICATE, (), _untouched(interchange, Outcome.DUPLICATE))
    return _accept(file, interchange, interchange_id, key, admitted, released, replaces=before.earlier)


def _accept(
    file: _File,
    interchange: Interchange,
    interchange_id: int,
    key: InterchangeKey,
    admitted: Admitted,
    released: list[SetReport],
    *,
    replaces: int | None,
) -> InterchangeReport:
    """Handle every set, answer every group, and close the interchange."""
    reports: list[SetReport] = []
    faulty: list[FoundFault] = []
    for group in interchange.groups:
        arrival = Arrival(
            settings=file.settings,
            at=file.at,
            file=file.received.name,
            parties=admitted,
            interchange=interchange,
            interchange_id=interchange_id,
            group=group,
            ration=file.ration,
            actor=file.actor,
        )
        handled: list[Handled] = []
        for transaction_set in group.sets:
            handled.append(handle_set(file.tx, arrival, transaction_set, len(reports) + 1))
            reports.append(handled[-1].report)
            released += handled[-1].released
            if handled[-1].report.outcome is Outcome.FAULTY:
                faulty += handled[-1].report.findings
        faulty += [found_fault(finding, group) for finding in group.findings]
        findings = [one.findings for one in handled]
        acknowledge_group(file.tx, arrival.answered, group, findings)
    for segment in interchange.ta1:
        _take_ta1(file, interchange, segment, admitted.sender.id)
    if interchange.acknowledgment_requested:
        to = _answered(file, admitted.sender, interchange, interchange_id)
        acknowledge_interchange(file.tx, to, interchange.findings)
    if faulty:
        source = Source(file=file.received.name, interchange=interchange.control_number)
        _tell(file, source, _place(file, interchange), tuple(faulty), admitted.sender.id)
    counts = any(report.outcome in _TAKEN_IN for report in reports)
    usage = file.settings.hub.usage.value
    fate = Fate.ACCEPTED if interchange.usage == usage else Fate.IGNORED
    close_interchange(file.tx, interchange_id, outcome=fate, key=key if counts else None, replaces=replaces)
    said = (
        interchange.findings
        if fate is Fate.ACCEPTED
        else (*interchange.findings, _other_usage(interchange, usage))
    )
    return _report(interchange, fate, said, tuple(reports))


def _set_aside(
    file: _File,
    interchange: Interchange,
    interchange_id: int,
    fate: Fate,
    findings: Sequence[Finding],
    sender: Partner | None,
) -> InterchangeReport:
    """Nothing of it is used. A known sender gets a TA1; support is told in every case."""
    faults = tuple(found_fault(finding) for finding in findings)
    if sender is not None:
        acknowledge_interchange(file.tx, _answered(file, sender, interchange, interchange_id), findings)
    source = Source(file=file.received.name, interchange=interchange.control_number)
    partner = sender.id if sender else file.mailbox_of
    _tell(file, source, _place(file, interchange), faults, partner, quarantined=sender is None)
    close_interchange(file.tx, interchange_id, outcome=fate, findings=[fault.to_json() for fault in faults])
    return _report(interchange, fate, findings, _untouched(interchange, Outcome.FAULTY))


def _take_ta1(file: _File, interchange: Interchange, segment: str, partner: str) -> None:
    """A TA1 of the partner's is about an interchange of ours; support is told when it was not taken."""
    elements = segment.split(interchange.delimiters.element)
    taken = take_ta1(file.tx, elements, partner, file.at)
    if taken.problems:
        unusable = Unusable(
            origin=_place(file, interchange),
            at=file.at,
            source=Source(file=file.received.name, interchange=interchange.control_number, type="TA1"),
            partner=partner,
            outcome=taken.outcome,
            problems=taken.problems,
        )
        tell_rejected(file.tx, file.settings, unusable, file.at)


def _answered(file: _File, sender: Partner, interchange: Interchange, interchange_id: int) -> Answered:
    return Answered(partner=sender, interchange=interchange, interchange_id=interchange_id, at=file.at)


def _tell(
    file: _File,
    source: Source,
    origin: str,
    faults: Sequence[FoundFault],
    partner: str = "",
    *,
    quarantined: bool = False,
) -> None:
    unusable = Unusable(
        origin=origin,
        at=file.at,
        source=source,
        partner=partner or file.received.partner,
        outcome=Outcome.FAULTY,
        quarantined=quarantined,
        problems=tuple(fault.to_problem() for fault in faults),
    )
    tell_support(file.tx, file.settings, unusable, file.at)


def _key(file: _File, interchange: Interchange, admitted: Admitted | NotAdmitted) -> InterchangeKey:
    return InterchangeKey(
        partner=admitted.sender.id if isinstance(admitted, Admitted) else file.mailbox_of,
        sender=str(interchange.sender),
        receiver=str(interchange.receiver),
        control_number=interchange.control_number,
        usage=interchange.usage,
    )


def _place(file: _File, interchange: Interchange) -> str:
    """What was said, for dedupe keys: support is told once of the same content, however often it is sent."""
    return f"interchange:{file.received.partner}:{interchange.content_hash}"


def _conflict(interchange: Interchange) -> Finding:
    number = interchange.control_number
    said = f"Interchange {number} came before with other content; it was not used."
    return about_isa(FindingCode.INTERCHANGE_CONFLICT, said, "13", interchange, number)


def _other_usage(interchange: Interchange, usage: str) -> Finding:
    said = f"ISA15 is {interchange.usage}, this installation takes {usage}: checked, not applied."
    return about_isa(FindingCode.USAGE_MISMATCH, said, "15", interchange, interchange.usage)


def _untouched(interchange: Interchange, outcome: Outcome) -> tuple[SetReport, ...]:
    """Reports of sets that were not looked into."""
    sets: list[TransactionSet] = [found for group in interchange.groups for found in group.sets]
    return tuple(SetReport(type=s.type, control_number=s.control_number, outcome=outcome) for s in sets)


def _report(
    interchange: Interchange, fate: Fate, findings: Sequence[Finding], sets: tuple[SetReport, ...]
) -> InterchangeReport:
    groups = tuple(found_fault(f, group) for group in interchange.groups for f in group.findings)
    return InterchangeReport(
        sender=str(interchange.sender),
        receiver=str(interchange.receiver),
        control_number=interchange.control_number,
        outcome=fate,
        findings=tuple(found_fault(finding) for finding in findings) + groups,
        sets=sets,
    )
