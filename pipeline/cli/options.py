"""What every command shares: its options, the two consoles, exit codes, JSON."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.errors import OperatorError
from pipeline.report import Json
from pipeline.sheet import csv_text
from pipeline.visible import json_text

DONE, ATTENTION, OPERATOR, BUG = 0, 1, 2, 3
PIPE_COLUMNS = 120  # where there is no terminal to ask

Config = Annotated[Path | None, typer.Option("--config", help="The settings file.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="A table for spreadsheets on standard output.")]
Paths = Annotated[list[str], typer.Argument(help="Files, folders or - for standard input.")]


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_COLUMNS
    # Without emoji: ":x:" in an order number is no picture. What is markup is ours alone (screen.printable).
    return Console(stderr=stderr, highlight=False, emoji=False, width=width)


out, err = _console(stderr=False), _console(stderr=True)


def print_json(value: Json, *, in_one_line: bool = False) -> None:
    """One JSON document, and nothing else, on standard output; rounds of a poll that goes on: a line each."""
    indent = None if in_one_line else 2
    sys.stdout.write(json_text(value, indent=indent) + "\n")
    sys.stdout.flush()


def say_cut(limit: int, what: str, filters: str) -> None:
    """A list that was cut says so, beside whatever form it has."""
    err.print(
        f"Only the newest {limit} {what} are listed, and there are more. Narrow the list with {filters}, or"
        " lengthen it with --limit.",
        soft_wrap=True,
    )


def check_one_form(*, as_json: bool, as_csv: bool) -> None:
    """An output has one form."""
    if as_json and as_csv:
        raise OperatorError("--csv and --json exclude each other. Give one of them.")


def print_csv(columns: Sequence[str], rows: Iterable[Json]) -> None:
    """A table as CSV, in UTF-8 whatever the terminal speaks, and nothing else, on standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(csv_text(columns, rows).encode("utf-8"))
    sys.stdout.buffer.flush()


def end(*, attention: bool) -> None:
    """End with exit code 1 when a person should look, else 0."""
    raise typer.Exit(ATTENTION if attention else DONE)
