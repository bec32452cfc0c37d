"""One transaction set: validate, read, map, decide, tell. The middle of the straight line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from edi import read_850, read_855, read_856
from edi.documents import Document
from edi.envelope import FunctionalGroup, Interchange, TransactionSet, content_hash_of_set, read
from edi.findings import Finding, FindingCode
from edi.guide import check
from pipeline.admission import Admitted, admit
from pipeline.mapping import Origin, WithoutEffect, order_number, to_submission
from pipeline.notices import Problem
from pipeline.notifications import Unusable
from pipeline.report import FoundFault, SetReport, refusal_json, with_result
from pipeline.settings import Settings
from pipeline.telling import tell_result, tell_support
from storage import held, ledger, parked
from storage.commands import Source
from storage.events import EventKind
from storage.interchanges import NewSet, close_set, get_set, open_set
from storage.ledger import Result
from storage.outcomes import Outcome, Question
from storage.receipts import content_of

Reader = Callable[[TransactionSet], tuple[Document | None, tuple[Finding, ...]]]

#: The sets that become commands. Others with a map are checked, acknowledged and left without effect.
READERS: Mapping[str, Reader] = {"850": read_850.read, "855": read_855.read, "856": read_856.read}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Everything around a set that its handling needs."""

    settings: Settings
    at: datetime
    file: str
    parties: Admitted
    interchange: Interchange
    interchange_id: int
    group: FunctionalGroup

    def place(self, transaction_set: TransactionSet) -> str:
        """What was said, for dedupe keys: the same content is told of once, however often it is sent."""
        group, control = self.group.control_number, transaction_set.control_number
        return f"set:{self.parties.sender.id}:{self.interchange.content_hash}:{group}:{control}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """A set's report, its findings (for the acknowledgment), and sets that an order it placed let go on."""

    report: SetReport
    findings: tuple[Finding, ...]
    released: tuple[SetReport, ...] = ()


def handle_set(tx: Connection, arrival: Arrival, transaction_set: TransactionSet, ordinal: int) -> Handled:
    """Syntax first; only what is clean is read, and only what is read is decided."""
    document, findings = read_set(arrival.group, transaction_set)
    usage = arrival.settings.hub.usage.value
    receipt = NewSet(
        ordinal=ordinal,
        group_control_number=arrival.group.control_number,
        functional_id=arrival.group.functional_id,
        control_number=transaction_set.control_number,
        type=transaction_set.type,
        content_hash=content_hash_of_set(transaction_set),
        po_number=order_number(document) if document else "",
    )
    set_id = open_set(tx, arrival.interchange_id, receipt)
    report = SetReport(
        type=transaction_set.type,
        control_number=transaction_set.control_number,
        outcome=Outcome.IGNORED,
        set_id=set_id,
        order=receipt.po_number,
        findings=tuple(found_fault(finding, arrival.group, transaction_set) for finding in findings),
    )
    if any(finding.is_error for finding in (*findings, *arrival.group.findings)):
        report = replace(report, outcome=Outcome.FAULTY)
    elif arrival.interchange.usage != usage:
        note = f"ISA15 is {arrival.interchange.usage}; this installation takes {usage} only."
        report = replace(report, notes=(note,))
    elif document is not None:
        report, released = decide_set(tx, arrival, transaction_set, document, report)
        return Handled(report=report, findings=findings, released=released)
    _close(tx, report, None, arrival.at)
    return Handled(report=report, findings=findings)


def read_set(
    group: FunctionalGroup, transaction_set: TransactionSet
) -> tuple[Document | None, tuple[Finding, ...]]:
    """The document of a set, None when it has none or cannot be used, and every finding about the set."""
    findings = transaction_set.findings
    if any(finding.code is FindingCode.VERSION_UNSUPPORTED for finding in group.findings):
        return None, findings
    findings += check(transaction_set, group.release)
    reader = READERS.get(transaction_set.type)
    if reader is None or any(finding.is_error for finding in findings):
        return None, findings
    document, more = reader(transaction_set)
    findings += more
    return (None if any(finding.is_error for finding in more) else document), findings


def decide_set(
    tx: Connection,
    arrival: Arrival,
    transaction_set: TransactionSet,
    document: Document,
    report: SetReport,
    resolution: str = "",
) -> tuple[SetReport, tuple[SetReport, ...]]:
    """Map and decide; write what follows from the decision, and let parked sets go on."""
    source = Source(
        file=arrival.file,
        interchange=arrival.interchange.control_number,
        group=arrival.group.control_number,
        set=transaction_set.control_number,
        type=transaction_set.type,
    )
    origin = Origin(
        sender=arrival.parties.sender,
        receiver=arrival.parties.receiver,
        source=source,
        at=arrival.at,
        content_hash=content_hash_of_set(transaction_set),
        directory=arrival.settings.directory,
        resolution=resolution,
    )
    mapped = to_submission(document, origin)
    if isinstance(mapped, WithoutEffect):
        report = replace(report, outcome=Outcome.IGNORED, notes=(mapped.reason,))
        _close(tx, report, None, arrival.at)
        return report, ()
    result = ledger.apply(tx, mapped, set_id=report.set_id)
    report = with_result(report, result)
    report = _keep_waiting(tx, arrival, result, report)
    place = arrival.place(transaction_set)
    tell_result(tx, arrival.settings, result, place, arrival.at)
    _tell_support(tx, arrival, origin, result, report, place)
    orders = [entry.after for entry in result.entries if entry.after is not None]
    _close(tx, report, orders[0].id if orders else None, arrival.at)
    return report, _release_parked(tx, arrival.settings, result, arrival.at)


def _keep_waiting(tx: Connection, arrival: Arrival, result: Result, report: SetReport) -> SetReport:
    """A held set gets its question, a parked one its place in the queue."""
    sender = arrival.parties.sender
    if result.outcome is not Outcome.PARKED:
        parked.mark_replayed(tx, report.set_id)
    if result.outcome is Outcome.HELD:
        question = _question(result)
        held_id = held.put(
            tx, question, partner=sender.id, po_number=report.order, at=arrival.at, set_id=report.set_id
        )
        return replace(report, held_id=held_id)
    if result.outcome is Outcome.PARKED:
        expires_at = arrival.at + timedelta(hours=sender.policy.park_hours)
        for entry in result.entries:
            if entry.decision.outcome is Outcome.PARKED:
                parked.park(
                    tx,
                    entry.command.order,
                    set_id=report.set_id,
                    partner=sender.id,
                    since=arrival.at,
                    expires_at=expires_at,
                )
    return report


def _question(result: Result) -> Question:
    """The first question; a set that raises a second is asked it after the first was answered."""
    return next(entry.decision.question for entry in result.entries if entry.decision.question)


def _tell_support(
    tx: Connection, arrival: Arrival, origin: Origin, result: Result, report: SetReport, place: str
) -> None:
    if result.outcome not in (Outcome.HELD, Outcome.REFUSED):
        return
    place_of_order = f"PO {report.order}"
    problems = tuple(
        Problem(place=place_of_order, message=r.message, remedy="", code=r.refusal.name.lower())
        for r in report.refusals
    )
    unusable = Unusable(
        origin=f"{place}:{report.held_id}",
        at=arrival.at,
        source=origin.source,
        partner=arrival.parties.sender.id,
        outcome=result.outcome,
        problems=problems,
        po_number=report.order,
        question=_question(result) if result.outcome is Outcome.HELD else None,
        held=str(report.held_id) if report.held_id else "",
    )
    tell_support(tx, arrival.settings, unusable, arrival.at)


def _release_parked(
    tx: Connection, settings: Settings, result: Result, at: datetime
) -> tuple[SetReport, ...]:
    """What waited for an order that was just placed is decided now, in the order it came (spec 2.7)."""
    released: list[SetReport] = []
    for entry in result.entries:
        placed = any(event.kind is EventKind.ORDER_PLACED for event in entry.events)
        if placed and entry.after is not None:
            for waiting in parked.waiting_for(tx, entry.after.key):
                released.append(decide_again(tx, settings, waiting.set_id, at))
    return tuple(released)


def decide_again(tx: Connection, settings: Settings, set_id: int, at: datetime, also: str = "") -> SetReport:
    """Decide a held or parked set again, read from its kept bytes, with a person's answers so far."""
    receipt = get_set(tx, set_id)
    assert receipt is not None
    reading = read(content_of(tx, receipt.file_id))
    interchange = reading.interchanges[receipt.interchange_ordinal - 1]
    pairs = [(group, found) for group in interchange.groups for found in group.sets]
    group, transaction_set = pairs[receipt.ordinal - 1]
    parties = admit(interchange, "", settings)
    document, _ = read_set(group, transaction_set)
    report = SetReport(
        type=receipt.type,
        control_number=receipt.control_number,
        outcome=Outcome.HELD,
        set_id=set_id,
        order=receipt.po_number,
    )
    if isinstance(parties, Finding) or document is None:
        note = "The settings or the maps changed, and the set can no longer be read as it was."
        return replace(report, outcome=receipt.outcome or Outcome.FAULTY, notes=(note,))
    arrival = Arrival(
        settings=settings,
        at=at,
        file=receipt.file_name,
        parties=parties,
        interchange=interchange,
        interchange_id=receipt.interchange_id,
        group=group,
    )
    answers = [*held.answers_so_far(tx, set_id), *filter(None, [also])]
    report, released = decide_set(tx, arrival, transaction_set, document, report, ",".join(answers))
    notes = tuple(f"Then {later.type} {later.control_number}: {later.outcome.value}." for later in released)
    return replace(report, notes=report.notes + notes)


def found_fault(
    finding: Finding, group: FunctionalGroup | None = None, transaction_set: TransactionSet | None = None
) -> FoundFault:
    """A finding for reports, with its place in words."""
    named = (
        ("group", finding.group or (group.control_number if group else "")),
        ("set", finding.set or (transaction_set.control_number if transaction_set else "")),
        ("segment", f"{finding.position} ({finding.segment})" if finding.position else finding.segment),
        ("element", finding.element),
    )
    return FoundFault(
        code=finding.code.slug,
        level=finding.level.value,
        segment=finding.segment,
        position=finding.position,
        element=finding.element,
        value=finding.value,
        message=finding.message,
        remedy=finding.code.remedy,
        place=", ".join(f"{word} {value}" for word, value in named if value),
    )


def _close(tx: Connection, report: SetReport, order_id: int | None, at: datetime) -> None:
    close_set(
        tx,
        report.set_id,
        outcome=report.outcome,
        at=at,
        order_id=order_id,
        findings=[finding.to_json() for finding in report.findings],
        refusals=[refusal_json(refusal) for refusal in report.refusals],
        summary={"cancelled": list(report.cancelled), "fulfilled": list(report.fulfilled)},
    )
