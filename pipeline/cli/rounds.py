"""What a round of work did, on the screen and in the log: for poll, deliver and workers."""

from pipeline import journal, logbook, screen
from pipeline.cli.options import err, out, print_json
from pipeline.deliver import DeliveryReport
from pipeline.poll import PollReport
from pipeline.report import files_json


def log_round(report: PollReport, seconds: float) -> None:
    for partner, problem in report.problems:
        logbook.mailbox_failed(partner, problem)
    tried, failed = len(report.deliveries.attempts), len(report.deliveries.failures)
    counts = {"problems": len(report.problems), "sent": tried - failed, "unsent": failed}
    logbook.round_done(report.files, seconds, expired=len(report.expired), **counts)


def say_failed_round(error: Exception) -> None:
    """A round that ended before its time; the next one comes all the same."""
    if journal.is_on():
        journal.event("round_failed", journal.ERROR, kind=type(error).__name__, error=str(error))
    else:
        err.print(screen.printable(f"countermand: {error}"), soft_wrap=True)


def show_round(report: PollReport, *, as_json: bool, in_one_line: bool) -> None:
    if not journal.is_on():  # what is in the log is not said a second time
        _show_problems(report)
    if as_json:
        expired = [one.to_json() for one in report.expired]
        print_json({**files_json(report.files), "expired": expired}, in_one_line=in_one_line)
    else:
        screen.show_files(out, report.files)
        for one in report.expired:
            out.print("Had waited:")
            screen.show_set(out, one)


def _show_problems(report: PollReport) -> None:
    for partner, problem in report.problems:
        err.print(f"[red]{screen.printable(f'{partner}: {problem}')}[/]", soft_wrap=True)
    for said in report.failed:
        err.print(f"[red]{screen.printable(said)}[/]")
    show_deliveries(report.deliveries)


def show_deliveries(report: DeliveryReport) -> None:
    for attempt in report.failures:
        said = f"Message {attempt.id} to {attempt.to} was not sent ({attempt.status.value}): {attempt.detail}"
        err.print(screen.printable(said), soft_wrap=True)
    for message_id in report.uncertain:
        said = f"Message {message_id} may or may not have gone out"
        err.print(f"{said}; see: countermand outbox --status uncertain", soft_wrap=True)
