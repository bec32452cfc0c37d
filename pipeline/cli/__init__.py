"""The command line: reads arguments, calls, prints, and turns what went wrong into an exit code."""

import sys

import typer

from pipeline import screen
from pipeline.cli import ledger, movement, reading
from pipeline.cli.options import ATTENTION, BUG, OPERATOR, err
from pipeline.errors import CountermandError, PartnerError
from storage.database import AlreadyRunning, DatabaseUnavailable
from storage.held import NotAChoice
from storage.outbox import StaleMessage

app = typer.Typer(
    help="Order cancellations between trading partners: X12 in, a ledger that decides, the other side told.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(movement.app)
app.add_typer(ledger.app)
app.add_typer(reading.app)

# Not bugs: a sentence for whom it concerns, never a traceback.
_SENTENCES = (CountermandError, DatabaseUnavailable, NotAChoice, StaleMessage, AlreadyRunning)


def run(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code. Usage errors are the operator's: 2."""
    try:
        typer.main.get_command(app)(args=arguments, prog_name="countermand")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OPERATOR
    except _SENTENCES as error:
        err.print(f"countermand: {screen.printable(str(error))}", soft_wrap=True)
        return ATTENTION if isinstance(error, PartnerError) else OPERATOR
    except Exception as error:
        screen.show_bug(err, error)
        return BUG
    return 0


def main() -> None:
    """The entry point `countermand`."""
    sys.exit(run())


__all__ = ["app", "main", "run"]
