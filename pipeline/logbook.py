"""Logbook: which events each stage of a document's way leaves in the log, and with which facts."""

from collections.abc import Iterable

from pipeline import journal
from pipeline.ports import printable
from pipeline.receiving.receive import ReceiveReport
from pipeline.report import FileReport, SetReport, summary
from storage.messages import OutboxMessage
from storage.states import Status

_DELIVERY_LEVELS = {
    Status.SENT: journal.INFO,
    Status.NEW: journal.WARNING,
    Status.UNCERTAIN: journal.ERROR,
    Status.FAILED: journal.ERROR,
    Status.REFUSED: journal.ERROR,
}


def files_taken(reports: Iterable[ReceiveReport]) -> None:
    """What was kept and moved; what was looked for in vain is told at the end of the round."""
    for report in reports:
        for taken in report.taken:
            journal.event(
                "file_kept",
                file=taken.file_id,
                partner=report.partner_id,
                name=printable(taken.name),
                bytes=taken.size,
                known=taken.known or None,
                moved_to=printable(taken.moved_to or b""),
            )


def file_read(report: FileReport) -> None:
    """What became of a file and of each set in it."""
    for one in report.all_sets:
        _set_decided(one, report.file_id, waited=one in report.released)
    journal.event(
        "file_read",
        file=report.file_id,
        partner=report.partner,
        name=report.name,
        sha256=report.sha256[:12],
        outcome=report.outcome,
        interchanges=len(report.interchanges),
        sets=len(report.all_sets),
        error=report.error,
    )


def set_expired(report: SetReport) -> None:
    """A set waited too long, and its sender is told."""
    _set_decided(report, None, waited=True)


def _set_decided(report: SetReport, file_id: int | None, *, waited: bool) -> None:
    first = report.refusals[0].refusal.name if report.refusals else ""
    journal.event(
        "set_decided",
        file=report.file_id or file_id,
        set=report.set_id or None,
        type=report.type,
        control_number=report.control_number,
        order=report.order,
        outcome=report.outcome,
        refusal=first,
        held=report.held_id or None,
        waited=waited or None,
    )


def file_failed(file_id: int, partner: str, error: str) -> None:
    """Reading a file made the program fail."""
    journal.event("file_failed", journal.ERROR, file=file_id, partner=partner, error=error)


def message_tried(message: OutboxMessage, status: Status, detail: str) -> None:
    """What became of a message in this attempt; `new` means that it is tried again."""
    said = "retried_later" if status is Status.NEW else status.value
    journal.event(
        f"message_{said}",
        _DELIVERY_LEVELS.get(status, journal.INFO),
        file=message.file_id,
        message=message.id,
        kind=message.kind,
        type=message.set_type,
        to=message.to,
        order=message.order_id,
        identity=message.identity,
        attempt=message.attempts,
        error="" if status is Status.SENT else detail,
    )


def message_uncertain(message_id: int) -> None:
    """A run that ended in the moment of handing over left this one."""
    journal.event("message_uncertain", journal.ERROR, message=message_id, error="the last run ended over it")


def mailbox_failed(partner: str, error: Exception) -> None:
    """A mailbox, or one file of it, could not be served."""
    journal.event(
        "mailbox_problem", journal.ERROR, partner=partner, kind=type(error).__name__, error=str(error)
    )


def round_done(files: Iterable[FileReport], seconds: float, **counts: int) -> None:
    """One round of a poll."""
    found = {key: value for key, value in summary(list(files)).items() if isinstance(value, int)}
    journal.event("round_done", **{**found, **counts}, seconds=seconds)
