"""Commands: all of them, and what went wrong in one turned into an exit code."""

import traceback
from collections.abc import Callable
from functools import cache
from importlib import metadata
from typing import Annotated

import typer

from pipeline import journal, screen
from pipeline.cli import ledger, movement, people, reading, serving, upkeep, webhooks, workers
from pipeline.cli.logs import with_log_options
from pipeline.cli.options import ATTENTION, BUG, OPERATOR, err
from pipeline.errors import CountermandError, PartnerError
from storage.database import AlreadyRunning, DatabaseUnavailable
from storage.held import NotAChoice
from storage.messages import StaleMessage

app = typer.Typer(
    help="Order cancellations between trading partners: X12 in, a ledger that decides, the other side told.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(movement.app)
app.add_typer(ledger.app)
app.add_typer(reading.app)
app.add_typer(upkeep.app)
app.add_typer(workers.app)
app.add_typer(serving.app)
app.add_typer(people.app)
app.add_typer(webhooks.app)
with_log_options(app)

TRACE_CALLS_MAX = 5  # in a log line; without a log the whole is printed

# Not bugs: a sentence for whom it concerns, never a traceback.
_SENTENCES = (CountermandError, DatabaseUnavailable, NotAChoice, StaleMessage, AlreadyRunning)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"countermand {metadata.version('countermand')}")
        raise typer.Exit


@app.callback(help=app.info.help)
def _whole(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Say the version and end.")
    ] = False,
) -> None:
    """What stands before a command."""


@cache
def _command() -> Callable[..., object]:
    """All commands, put together once: that takes as long as many a command itself."""
    return typer.main.get_command(app)


def run(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code. Usage errors are the operator's: 2."""
    try:
        _command()(args=arguments, prog_name="countermand")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OPERATOR
    except _SENTENCES as error:
        _say(error)
        return ATTENTION if isinstance(error, PartnerError) else OPERATOR
    except Exception as error:
        _say_bug(error)
        return BUG
    return 0


def _say(error: Exception) -> None:
    """What ended the command: a line of the log where there is one, else a sentence."""
    if journal.is_on():
        journal.event("command_failed", journal.ERROR, kind=type(error).__name__, error=str(error))
    else:
        err.print(f"countermand: {screen.printable(str(error))}", soft_wrap=True)


def _say_bug(error: Exception) -> None:
    if journal.is_on():
        trace = "".join(traceback.format_tb(error.__traceback__)[-TRACE_CALLS_MAX:])
        journal.event("bug", journal.ERROR, error=f"{type(error).__name__}: {error}", trace=trace)
    else:
        screen.show_bug(err, error)
