"""Commands that read files and keep nothing: show."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import AsJson, Config, end
from pipeline.errors import OperatorError
from pipeline.replay import sources
from pipeline.show import Show

app = typer.Typer()


@app.command("show")
def show(
    file: Annotated[str, typer.Argument(help="A file, or - for standard input.")],
    as_json: AsJson = False,
    config: Config = None,
    as_xml: Annotated[bool, typer.Option("--xml", help="XML instead of an outline.")] = False,
) -> None:
    """Print any X12 file as a readable outline, with the names of its segments and elements, or as XML."""
    del config  # every command takes it; what a file holds does not depend on it
    if as_xml and as_json:
        raise OperatorError("--xml and --json exclude each other. Give one of them.")
    if Path(file).is_dir():
        raise OperatorError(f"{file} is a folder. Name one file in it.")
    for source in sources([file]):
        _print(Show(source.name, source.content), as_json=as_json, as_xml=as_xml)


def _print(shown: Show, *, as_json: bool, as_xml: bool) -> None:
    try:
        if as_xml:
            shown.write_xml(sys.stdout.buffer)
        else:
            # Nothing unprintable is left; a letter that the terminal does not have is shown by its number.
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
            (shown.write_json if as_json else shown.write_text)(sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough. Python flushes once more at its end, into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    end(attention=shown.has_errors)
