"""The command line: reads arguments, calls, prints. Decides nothing."""

import gc
import sys


def run(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    from pipeline.cli import commands

    return commands.run(arguments)


def main() -> None:
    """The entry point `countermand`."""
    # What is loaded stays as long as the process: looking through it again and again while it grows takes an
    # eighth of the start.
    gc.disable()
    from pipeline.cli import commands

    gc.freeze()
    gc.enable()
    sys.exit(commands.run())
