"""Commands for who keeps the program running: metrics, prune, restored."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from pipeline import metrics, screen
from pipeline.cli.ledger import MESSAGES_MAX
from pipeline.cli.options import OPERATOR, AsJson, Config, err, out, print_json
from pipeline.errors import OperatorError
from pipeline.report import Json
from pipeline.restore import NUMBERS_SKIPPED, NUMBERS_SKIPPED_MAX, RestoreReport
from pipeline.wiring import open_application
from storage import retention
from storage.database import Database, Guard

DAYS_MIN = 30  # partners ask about, and send again, what is some weeks old

_LOST = (
    "What partners' files said was found again. Not among it: what was entered by hand, and what came over"
    " HTTP (orders, shipments, cancellations, answers of the API and the app, with their Idempotency-Keys)."
    " Keys, users and webhooks are as they were when the backup was made: those revoked since are good again."
    " Look at countermand key list, user list and webhook list before serve starts."
)

app = typer.Typer()


@app.command()
def restored(
    config: Config = None,
    as_json: AsJson = False,
    since: Annotated[str, typer.Option(help="When the backup was made, in UTC: 2026-11-27T13:00.")] = "",
    skip_numbers: Annotated[
        int, typer.Option(help="Control numbers left out.", min=0, max=NUMBERS_SKIPPED_MAX)
    ] = NUMBERS_SKIPPED,
    without: Annotated[
        list[str] | None, typer.Option(help="A partner whose folders cannot be read any more.")
    ] = None,
) -> None:
    """After a backup was put back: read again what came after it; what may have gone out is not sent."""
    application = open_application(config)
    restorer = application.restorer(_moment(since), without or ())
    with application.database.only_process():
        report = restorer.run(skip_numbers)
        Guard(application.database).leave_mark()
    if as_json:
        print_json(_as_json(report))
    else:
        _show(report)
    if not report.ended or report.failed:
        raise typer.Exit(OPERATOR)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OperatorError(f"--since {text} is not a time such as 2026-11-27T13:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _show(report: RestoreReport) -> None:
    for found in report.found:
        where = f"{found.partner_id}, {found.folder.value}"
        said = f"{found.listed} files, {found.fetched} read, {found.kept} were not known here"
        out.print(screen.printable(f"{where}: {said}"), soft_wrap=True)
        if found.error:
            err.print(f"[red]{screen.printable(f'{where}: {found.error}')}[/]", soft_wrap=True)
    screen.show_files(out, report.files)
    for one in report.expired:
        out.print("Had waited:")
        screen.show_set(out, one)
    for failure in report.failed:
        err.print(f"[red]{screen.printable(failure)}[/]", soft_wrap=True)
    if report.doubtful:
        wide = f" --limit {len(report.doubtful)}" if len(report.doubtful) > MESSAGES_MAX else ""
        out.print(
            f"{len(report.doubtful)} messages may have gone out already and were not sent. Look at each:"
            f" countermand outbox --status uncertain{wide}; those that did not arrive: countermand resend ID",
            soft_wrap=True,
        )
    if report.ended:
        out.print(_LOST, soft_wrap=True)
    else:
        err.print("[red]Not complete: nothing is sent until it is. Mend the above and run it again.[/]")


def _as_json(report: RestoreReport) -> Json:
    return {
        "ended": report.ended,
        "folders": [
            {
                "partner": found.partner_id,
                "folder": found.folder.value,
                "listed": found.listed,
                "read": found.fetched,
                "kept": found.kept,
                "error": str(found.error) if found.error else None,
            }
            for found in report.found
        ],
        "files": [file.to_json() for file in report.files],
        "expired": [one.to_json() for one in report.expired],
        "failed": list(report.failed),
        "doubtful": list(report.doubtful),
    }


@app.command("metrics")
def show_metrics(
    config: Config = None,
    as_json: AsJson = False,
    output: Annotated[Path | None, typer.Option(help="Write to this file, in one step.")] = None,
) -> None:
    """Counts and ages for Prometheus: a page of text, or a file for node_exporter."""
    application = open_application(config)
    page = metrics.metrics(application.settings, application.database, application.clock.now())
    if output is not None:
        metrics.write(output, page)
    if as_json:
        print_json({"written": str(output) if output else None, "page": page})
    elif output is None:
        sys.stdout.write(page)


@app.command()
def prune(
    older_than: Annotated[int, typer.Option(help="Days since it was settled.", min=DAYS_MIN)],
    config: Config = None,
    as_json: AsJson = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it.")] = False,
) -> None:
    """Empty old, settled files and old, sent e-mails; without --apply only say how much it would be."""
    application = open_application(config)
    at = application.clock.now()
    before = at - timedelta(days=older_than)
    with application.database.reading() as tx:
        found = retention.prunable(tx, before)
    if apply:
        for empty in (retention.prune_files, retention.prune_mails):
            while _emptied(application.database, empty, before, at):
                pass
    if as_json:
        print_json({**asdict(found), "applied": apply})
        return
    said = "were emptied" if apply else "would be emptied; to do it: the same with --apply"
    out.print(
        f"{found.files} received files of {found.file_bytes} bytes and {found.mails} e-mails of"
        f" {found.mail_bytes} bytes, settled before {before:%Y-%m-%d}, {said}.",
        soft_wrap=True,
    )


def _emptied(
    database: Database, empty: Callable[[Connection, datetime, datetime], int], before: datetime, at: datetime
) -> int:
    with database.writing() as tx:
        return empty(tx, before, at)
