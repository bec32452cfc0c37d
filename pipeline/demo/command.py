"""The command line, called as cron or a person would: a settings file, arguments, JSON or text, an exit code.

In this process: forty commands would otherwise spend most of a minute on starting Python.
"""

import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from pipeline import cli

_ENDED_WELL = (0, 1)  # 1: done, and a document was refused, held or faulty
_SAID_MAX = 2000  # characters of what went wrong: the end of a long story says most


class CommandFailed(Exception):
    """A command did not do its work; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said with --json, and its exit code."""

    code: int
    value: Any


@dataclass(frozen=True, slots=True)
class Countermand:
    """`countermand`, with one settings file."""

    config: Path

    def ask(self, *arguments: str) -> Answer:
        """Run with --json; what it says for people on standard error counts only when it fails."""
        said, complaints = StringIO(), StringIO()
        with redirect_stdout(said), redirect_stderr(complaints):
            code = cli.run([*arguments, "--config", str(self.config), "--json"])
        if code not in _ENDED_WELL:
            raise _failed(arguments, f"ended with {code}", complaints.getvalue())
        try:
            return Answer(code, json.loads(said.getvalue()))
        except json.JSONDecodeError:
            raise _failed(arguments, "did not answer in JSON", said.getvalue()) from None

    def show(self, *arguments: str) -> int:
        """Run for people: it writes on our own standard output. Returns the exit code."""
        sys.stdout.flush()
        code = cli.run([*arguments, "--config", str(self.config)])
        if code not in _ENDED_WELL:
            raise _failed(arguments, f"ended with {code}", "")
        return code


def _failed(arguments: tuple[str, ...], what: str, said: str) -> CommandFailed:
    return CommandFailed(f"countermand {' '.join(arguments)} {what}. {said.strip()[-_SAID_MAX:]}".strip())
