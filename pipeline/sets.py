"""One transaction set: validate, read, map, decide, tell. The middle of the straight line."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from edi import limits
from edi.documents import ApplicationAdvice, Document, FunctionalAcknowledgment, Reply
from edi.envelope import FunctionalGroup, Interchange, TransactionSet, content_hash_of_set, read
from edi.findings import Finding
from pipeline import journal
from pipeline.admission import Admitted, NotAdmitted, admit, takes_short_isa
from pipeline.answering.answers import Answered, answer_set
from pipeline.errors import CountermandError
from pipeline.guides import guides_of
from pipeline.mapping import Origin, WithoutEffect, order_number, orders_named, to_submission
from pipeline.notices.contexts import Problem
from pipeline.readers import found_fault, read_set
from pipeline.replies import take_reply
from pipeline.report import SetReport, refusal_json, with_result
from pipeline.settings import Settings
from pipeline.telling.for_support import Unusable
from pipeline.telling.owing import tell_rejected, tell_result, tell_support
from storage import held, ledger, parked
from storage.commands import Source
from storage.events import EventKind
from storage.interchanges import NewSet, SetReceipt, close_set, get_set, open_set
from storage.ledger import Entry, Result
from storage.outcomes import Given, Outcome
from storage.receipts import content_of

_ORIGINAL = "00"  # BEG01, element 353

#: Released at once by the order they wait for, first come first; the round decides the others after it. An
#: order has a handful. The limit keeps those of one partner from holding up the order of another.
RELEASED_PER_ORDER_MAX = 100

_GroupedSet = tuple[FunctionalGroup, TransactionSet]
_REPLIES = (FunctionalAcknowledgment, ApplicationAdvice)


class Ration:
    """How many findings about its sets a file may still show; beyond, one stands for all of a set."""

    def __init__(self) -> None:
        self._left = limits.set_findings_per_file_max

    def take(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """The findings, or the first error among them (else the first) when the file has used up its own."""
        if self._left <= 0 and findings:
            return (next((finding for finding in findings if finding.is_error), findings[0]),)
        self._left -= len(findings)
        return findings


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
    ration: Ration = field(default_factory=Ration)
    actor: str = ""  # the person who had it read or decided again; "" when nobody had to

    @property
    def answered(self) -> Answered:
        """Who is answered, and in which interchange."""
        return Answered(
            partner=self.parties.sender,
            interchange=self.interchange,
            interchange_id=self.interchange_id,
            at=self.at,
        )

    @property
    def issued_at(self) -> datetime | None:
        """When the interchange says it was made (ISA09, ISA10), taken as UTC; None when it says no time."""
        try:
            return datetime.strptime(f"{self.interchange.date}{self.interchange.time}+0000", "%y%m%d%H%M%z")
        except ValueError:
            return None

    def source(self, transaction_set: TransactionSet) -> Source:
        """Where a set's commands come from."""
        return Source(
            actor=self.actor,
            file=self.file,
            interchange=self.interchange.control_number,
            group=self.group.control_number,
            set=transaction_set.control_number,
            type=transaction_set.type,
        )

    def place(self, transaction_set: TransactionSet) -> str:
        """What was said, for dedupe keys: the same content is told of once, however often it is sent."""
        group = f"{self.group.functional_id}{self.group.control_number}"
        control = transaction_set.control_number
        return f"set:{self.parties.sender.id}:{self.interchange.content_hash}:{group}:{control}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """A set's report, its findings (for the acknowledgment), and sets that an order it placed let go on."""

    report: SetReport
    findings: tuple[Finding, ...]
    released: tuple[SetReport, ...] = ()


class UnreadableNow(CountermandError):
    """A set that waits cannot be read with today's settings; it goes on waiting."""


def handle_set(tx: Connection, arrival: Arrival, transaction_set: TransactionSet, ordinal: int) -> Handled:
    """Syntax first; only what is clean is read, and only what is read is decided."""
    guides = guides_of(arrival.parties.sender, arrival.parties.receiver)
    document, findings = read_set(arrival.group, transaction_set, guides)
    findings = arrival.ration.take(findings)
    usage = arrival.settings.hub.usage.value
    receipt = NewSet(
        ordinal=ordinal,
        group_control_number=arrival.group.control_number,
        functional_id=arrival.group.functional_id,
        control_number=transaction_set.control_number,
        type=transaction_set.type,
        content_hash=content_hash_of_set(transaction_set),
        po_number=order_number(document) if document and not isinstance(document, _REPLIES) else "",
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
    elif isinstance(document, _REPLIES):
        report = _take_reply(tx, arrival, transaction_set, document, report)
    elif document is not None:
        report, released = decide_set(tx, arrival, transaction_set, document, report)
        return Handled(report=report, findings=findings, released=released)
    _close(tx, report, None, arrival.at)
    return Handled(report=report, findings=findings)


def _take_reply(
    tx: Connection, arrival: Arrival, transaction_set: TransactionSet, document: Reply, report: SetReport
) -> SetReport:
    """What the partner says of documents we sent it; support is told of those it did not take."""
    sender = arrival.parties.sender.id
    taken = take_reply(tx, document, sender, report.set_id, arrival.at)
    if taken.problems:
        unusable = Unusable(
            origin=arrival.place(transaction_set),
            at=arrival.at,
            source=arrival.source(transaction_set),
            partner=sender,
            outcome=taken.outcome,
            problems=taken.problems,
        )
        tell_rejected(tx, arrival.settings, unusable, arrival.at)
    return replace(report, outcome=taken.outcome, notes=taken.notes)


def decide_set(
    tx: Connection,
    arrival: Arrival,
    transaction_set: TransactionSet,
    document: Document,
    report: SetReport,
    answers: tuple[Given, ...] = (),
) -> tuple[SetReport, tuple[SetReport, ...]]:
    """Map and decide; write what follows from the decision, and let parked sets go on."""
    origin = Origin(
        sender=arrival.parties.sender,
        receiver=arrival.parties.receiver,
        source=arrival.source(transaction_set),
        at=arrival.at,
        issued_at=arrival.issued_at,
        content_hash=content_hash_of_set(transaction_set),
        order_hash=content_hash_of_set(transaction_set, purpose=_ORIGINAL) if report.type == "850" else "",
        directory=arrival.settings.directory,
        answers=answers,
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
    tell_result(tx, arrival.settings, result, place, arrival.at, orders_named(document))
    answer_set(tx, arrival.answered, arrival.group, transaction_set, document, result)
    _tell_support(tx, arrival, origin, result, report, place)
    orders = [entry.after for entry in result.entries if entry.after is not None]
    _close(tx, report, orders[0].id if orders else None, arrival.at)
    return report, release_parked(tx, arrival.settings, result, arrival.at)


def _keep_waiting(tx: Connection, arrival: Arrival, result: Result, report: SetReport) -> SetReport:
    """A held set gets its question, a parked one its place in the queue."""
    sender = arrival.parties.sender
    if result.outcome is not Outcome.PARKED:
        parked.mark_replayed(tx, report.set_id)
    if result.outcome is Outcome.HELD:
        asking = _asking(result)
        assert asking.decision.question is not None
        held_id = held.put(
            tx,
            asking.decision.question,
            partner=sender.id,
            po_number=asking.command.order.po_number,
            at=arrival.at,
            set_id=report.set_id,
            expires_at=arrival.at + timedelta(hours=hours) if (hours := sender.policy.hold_hours) else None,
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


def _asking(result: Result) -> Entry:
    """What raises the first question; a set that raises a second is asked it after the first was answered."""
    return next(entry for entry in result.entries if entry.decision.question)


def _tell_support(
    tx: Connection, arrival: Arrival, origin: Origin, result: Result, report: SetReport, place: str
) -> None:
    if result.outcome not in (Outcome.HELD, Outcome.REFUSED):
        return
    problems = tuple(
        Problem(
            place=f"PO {entry.command.order.po_number}", message=r.message, remedy="",
            code=r.refusal.name.lower(),
        )
        for entry in result.entries
        for r in entry.decision.refusals
    )  # fmt: skip
    unusable = Unusable(
        origin=f"{place}:{report.held_id}",
        at=arrival.at,
        source=origin.source,
        partner=arrival.parties.sender.id,
        outcome=result.outcome,
        problems=problems,
        po_number=report.order,
        question=_asking(result).decision.question if result.outcome is Outcome.HELD else None,
        held=str(report.held_id) if report.held_id else "",
    )
    tell_support(tx, arrival.settings, unusable, arrival.at)


def release_parked(tx: Connection, settings: Settings, result: Result, at: datetime) -> tuple[SetReport, ...]:
    """What waited for an order that was just placed is decided now, in the order it came (spec 2.7)."""
    released: list[SetReport] = []
    readings = Readings()
    for entry in result.entries:
        placed = any(event.kind is EventKind.ORDER_PLACED for event in entry.events)
        if placed and entry.after is not None:
            for waiting in parked.waiting_for(tx, entry.after.key)[:RELEASED_PER_ORDER_MAX]:
                with suppress(UnreadableNow), tx.begin_nested():
                    if parked.claim(tx, waiting.set_id):  # else another decided it since we looked
                        released.append(decide_again(tx, settings, waiting.set_id, at, readings=readings))
    return tuple(released)


class Readings:
    """The interchange that was read last, with its sets: those that wait often came in one file together."""

    def __init__(self) -> None:
        self._last: tuple[tuple[int, int, bool], Interchange, list[_GroupedSet]] | None = None

    def of(
        self, tx: Connection, receipt: SetReceipt, *, lenient_isa: bool
    ) -> tuple[Interchange, FunctionalGroup, TransactionSet]:
        """A set that was received, read from its kept bytes."""
        place = (receipt.file_id, receipt.interchange_ordinal, lenient_isa)
        if self._last is None or self._last[0] != place:
            reading = read(content_of(tx, receipt.file_id), lenient_isa=lenient_isa)
            interchange = reading.interchanges[receipt.interchange_ordinal - 1]
            sets = [(group, found) for group in interchange.groups for found in group.sets]
            self._last = place, interchange, sets
        return (self._last[1], *self._last[2][receipt.ordinal - 1])


def decide_again(
    tx: Connection,
    settings: Settings,
    set_id: int,
    at: datetime,
    also: Given | None = None,
    *,
    readings: Readings | None = None,
    actor: str = "",
) -> SetReport:
    """Decide a held or parked set again, read from its kept bytes, with a person's answers so far.

    `actor` is the person who had it done, for the events it makes.
    Raises UnreadableNow, and the caller must undo what it did about the set.
    """
    receipt = get_set(tx, set_id)
    assert receipt is not None
    lenient = takes_short_isa(settings, receipt.partner)
    interchange, group, transaction_set = (readings or Readings()).of(tx, receipt, lenient_isa=lenient)
    parties = admit(interchange, "", settings)
    guides = () if isinstance(parties, NotAdmitted) else guides_of(parties.sender, parties.receiver)
    document, _ = read_set(group, transaction_set, guides)
    report = SetReport(
        type=receipt.type,
        control_number=receipt.control_number,
        outcome=Outcome.HELD,
        set_id=set_id,
        file_id=receipt.file_id,
        order=receipt.po_number,
    )
    if isinstance(parties, NotAdmitted) or document is None or isinstance(document, _REPLIES):
        raise UnreadableNow(
            f"{receipt.type} {receipt.control_number} of {receipt.file_name} cannot be read any more: the"
            " settings or a guide changed since it came. It waits as before; undo the change, and try again."
        )
    arrival = Arrival(
        settings=settings,
        at=at,
        file=receipt.file_name,
        parties=parties,
        interchange=interchange,
        interchange_id=receipt.interchange_id,
        group=group,
        actor=actor,
    )
    answers = (*held.answers_so_far(tx, set_id), *filter(None, [also]))
    with journal.about(receipt.file_id):
        report, released = decide_set(tx, arrival, transaction_set, document, report, answers)
    notes = tuple(f"Then {later.type} {later.control_number}: {later.outcome.value}." for later in released)
    return replace(report, notes=report.notes + notes)


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
