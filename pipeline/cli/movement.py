"""Commands that move documents: init, poll, replay, check, deliver, doctor, db."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from pipeline import doctor, journal, metrics, screen, staff
from pipeline.check import check_file
from pipeline.cli.options import (
    BUG,
    DONE,
    OPERATOR,
    AsJson,
    Config,
    Paths,
    end,
    err,
    out,
    print_json,
)
from pipeline.cli.rounds import log_round, say_failed_round, show_deliveries, show_round
from pipeline.deliver import deliver, joined, opened_once
from pipeline.errors import OperatorError, PartnerError, TransportError
from pipeline.guides import guides_at
from pipeline.poll import PollReport, may_work
from pipeline.replay import replay as replay_files
from pipeline.replay import sources
from pipeline.report import FileReport, files_json, needs_attention
from pipeline.settings import example
from pipeline.side_by_side import AT_ONCE_MAX
from pipeline.telling.digests import gather
from pipeline.views import given_up_json
from pipeline.wiring import Application, open_application
from storage import queries
from storage.database import AlreadyRunning, DatabaseUnavailable, Guard, Hold, NotTheSame, TryAgain
from storage.states import FileStatus

PROGRESS_FILES_MIN = 20

app = typer.Typer()
db = typer.Typer(help="The database's schema.", no_args_is_help=True)
app.add_typer(db, name="db")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to.")] = Path(), as_json: AsJson = False,
    config: Config = None,
) -> None:  # fmt: skip
    """Write a commented countermand.toml to start from; never overwrites."""
    target = config or folder / "countermand.toml"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(example())
    except FileExistsError as error:
        raise OperatorError(f"{target} exists already; it was left as it is.") from error
    except OSError as error:
        raise OperatorError(f"{target} cannot be written: {error.strerror}.") from error
    if as_json:
        print_json({"written": str(target)})
    else:
        said = f"Wrote {target}. Edit it, then run: countermand doctor"
        out.print(screen.printable(said), soft_wrap=True)


@app.command()
def poll(
    config: Config = None,
    as_json: AsJson = False,
    every: Annotated[float, typer.Option(help="Go on, a round every so many seconds.", min=0)] = 0,
    metrics_file: Annotated[
        Path | None, typer.Option("--metrics", help="Write the metrics here after every round.")
    ] = None,
) -> None:
    """Receive, ingest and deliver, once or until stopped. Silent when nothing arrived and all is well."""
    application = open_application(config, threads=1 + AT_ONCE_MAX)
    try:
        with application.database.only_process() as hold:
            _poll(application, every, metrics_file, hold, as_json=as_json)
    except AlreadyRunning as error:
        err.print(screen.printable(str(error)))
        if as_json:
            print_json(files_json([]))
        raise typer.Exit(DONE) from error


def _poll(
    application: Application, every: float, metrics_file: Path | None, hold: Hold, *, as_json: bool
) -> None:
    """Rounds until stopped, or one. What is wrong at the start is a mistake in the settings and ends it, and
    so does another database in the place of ours at any time; anything else may pass before the next round.
    """
    poller, begun = application.poller(), False
    while True:
        began = application.clock.monotonic_seconds()
        try:
            hold.renew()  # a server that was restarted forgot that we are at work
            report = poller.round(wait=not every)
            log_round(report, application.clock.monotonic_seconds() - began)
            show_round(report, as_json=as_json, in_one_line=bool(every))
            if metrics_file is not None:
                page = metrics.metrics(application.settings, application.database, application.clock.now())
                metrics.write(metrics_file, page)
        except (DatabaseUnavailable, OperatorError) as error:
            if not every or not (begun or _may_pass(application, error)) or isinstance(error, NotTheSame):
                raise
            say_failed_round(error)
        else:
            if not every:
                _end_of_round(report)
        begun = True
        application.clock.sleep(every)


def _may_pass(application: Application, error: Exception) -> bool:
    """Whether it may pass by itself, although nothing has worked yet: others' locks, a server that starts."""
    on_server = application.database.path is None and isinstance(error, DatabaseUnavailable)
    return on_server or isinstance(error, TryAgain)


def _end_of_round(report: PollReport) -> None:
    if report.failed:
        raise typer.Exit(BUG)
    unreachable = any(isinstance(problem, (OperatorError, TransportError)) for _, problem in report.problems)
    unreachable = unreachable or report.is_any_paused
    if unreachable or report.deliveries.failures or report.deliveries.uncertain:
        raise typer.Exit(OPERATOR)
    refused = any(isinstance(problem, PartnerError) for _, problem in report.problems)
    end(attention=refused or bool(report.expired) or needs_attention(report.files))


@app.command()
def replay(
    paths: Paths,
    config: Config = None,
    as_json: AsJson = False,
    apply: Annotated[bool, typer.Option("--apply", help="Keep what it does.")] = False,
    partner: Annotated[str, typer.Option("--as", help="As if from this partner's mailbox.")] = "",
) -> None:
    """Show what files would do to the ledger, line by line; keeps nothing unless --apply."""
    application = open_application(config)
    files = list(sources(paths))
    database = application.database if apply else application.database.scratch_copy()
    with Progress(console=err, transient=True, disable=not _wants_progress(len(files))) as progress:
        task = progress.add_task("Replaying", total=len(files))

        def advance(_: FileReport) -> None:
            progress.advance(task)

        try:
            reports = replay_files(
                files, application.settings, database, application.clock.now, partner=partner,
                progress=advance,
            )  # fmt: skip
        finally:
            database.close()  # a trial holds locks on a server until it is undone
    if as_json:
        print_json(files_json(reports))
    else:
        screen.show_files(out, reports)
        if not apply:
            out.print("Nothing was kept. To keep it: the same with --apply", style="dim")
    end(attention=needs_attention(reports))


@app.command()
def retry(
    file_id: Annotated[int | None, typer.Argument(help="Its number; without one they are listed.")] = None,
    config: Config = None,
    as_json: AsJson = False,
    by: Annotated[str, typer.Option(help="Who decides.")] = staff.STAFF,
) -> None:
    """Have a file that was given up after three tries read again, by the next poll or a worker."""
    application = open_application(config)
    if file_id is not None:
        file = staff.retry(application, file_id, by)
        if as_json:
            print_json(given_up_json(file))
        else:
            said = f"{file.name} of {file.partner} is read again with the next round."
            out.print(screen.printable(said), soft_wrap=True)
        return
    with application.database.reading() as tx:
        found = [file for file in queries.stuck_files(tx) if file.status is FileStatus.FAILED]
    if as_json:
        print_json({"files": [given_up_json(file) for file in found]})
        return
    for file in found:
        said = f"{file.id}: {file.name} of {file.partner}, {file.received_at:%Y-%m-%d %H:%M} UTC"
        out.print(screen.printable(f"{said}: {file.error}"), soft_wrap=True)


def _wants_progress(files: int) -> bool:
    return files >= PROGRESS_FILES_MIN and err.is_terminal


@app.command()
def check(
    paths: Paths, as_json: AsJson = False,
    config: Config = None,
    guide: Annotated[list[Path] | None, typer.Option(help="A companion guide to check against.")] = None,
) -> None:  # fmt: skip
    """Check syntax only: findings in words, with place, excerpt and remedy."""
    del config  # every command takes it; the syntax does not depend on it
    guides = guides_at(guide or ())
    checked = [check_file(source.name, source.content, guides) for source in sources(paths)]
    if as_json:
        print_json({"files": [file.to_json() for file in checked]})
    else:
        screen.show_checked(out, checked)
    end(attention=any(file.is_faulty for file in checked))


@app.command("deliver")
def deliver_due(config: Config = None, as_json: AsJson = False) -> None:
    """Send what is due now."""
    application = open_application(config, threads=1 + AT_ONCE_MAX)
    try:
        with (
            application.database.only_process(),
            opened_once(application.open_mailbox) as mailbox_of,
        ):
            may_work(application.database, Guard(application.database))
            gather(application.settings, application.database, application.clock)
            sent_now = deliver(application.database, application.smtp, mailbox_of, application.clock)
            report = joined((sent_now, application.poster().round()))
    except AlreadyRunning as error:
        err.print(screen.printable(str(error)))
        if as_json:
            print_json({"sent": 0, "attempts": [], "uncertain": []})
        raise typer.Exit(DONE) from error
    if not journal.is_on():
        show_deliveries(report)
    sent = len(report.attempts) - len(report.failures)
    if as_json:
        attempts = [
            {"id": a.id, "to": a.to, "status": a.status.value, "detail": a.detail} for a in report.attempts
        ]
        print_json({"sent": sent, "attempts": attempts, "uncertain": list(report.uncertain)})
    elif report.attempts:
        out.print(f"{sent} of {len(report.attempts)} messages were sent.")
    if report.failures:
        raise typer.Exit(OPERATOR)


@app.command("doctor")
def doctor_command(config: Config = None, as_json: AsJson = False) -> None:
    """Try all that poll needs, and look at what lies too long; one line each, with what to do."""
    results = doctor.examine(open_application(config))
    if as_json:
        print_json({"checks": [{"what": r.what, "ok": r.ok, "detail": r.detail} for r in results]})
    for result in results if not as_json else ():
        mark = "[green]ok[/]  " if result.ok else "[red]FAIL[/]"
        out.print(
            f"{mark} {screen.printable(result.what)}: {screen.printable(result.detail)}", soft_wrap=True
        )
    if not all(result.ok for result in results):
        raise typer.Exit(OPERATOR)


@db.command("upgrade")
def db_upgrade(config: Config = None, as_json: AsJson = False) -> None:
    """Bring the schema up to date; on a server also the queue's, for workers."""
    application = open_application(config)
    version = application.database.upgrade()
    queue = application.upgrade_queue()
    if as_json:
        print_json({"version": version, "queue": queue})
    else:
        out.print(f"The schema is at {version}{f', the queue at {queue}' if queue else ''}.")


@db.command("current")
def db_current(config: Config = None, as_json: AsJson = False) -> None:
    """The schema's version."""
    version = open_application(config).database.current()
    print_json({"version": version}) if as_json else out.print(version or "There is no database yet.")
