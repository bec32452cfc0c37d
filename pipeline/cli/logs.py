"""--log-level and --log-format, which every command takes."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from pipeline import journal
from pipeline.journal import Format, Level

LogLevel = Annotated[
    Level | None,
    typer.Option(
        "--log-level",
        help="Log to standard error; off unless a format is asked for, then info.",
        envvar="COUNTERMAND_LOG_LEVEL",
        show_default=False,
    ),
]
LogFormat = Annotated[
    Format | None,
    typer.Option(
        "--log-format", help="How a line is written.", envvar="COUNTERMAND_LOG_FORMAT", show_default=False
    ),
]
_OPTIONS = {"log_level": LogLevel, "log_format": LogFormat}


def with_log_options(app: typer.Typer) -> None:
    """Every command of the app, and of the apps in it, gets both options."""
    for group in app.registered_groups:
        if group.typer_instance is not None:
            with_log_options(group.typer_instance)
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _logging(command.callback)


def _logging(command: Callable[..., None]) -> Callable[..., None]:
    @wraps(command)
    def run(*, log_level: Level | None = None, log_format: Format | None = None, **arguments: Any) -> None:
        usual = (
            Level.OFF if log_format is None else Level.INFO
        )  # who asks for a format wants to read something
        journal.set_up(log_level or usual, log_format or Format.TEXT)
        command(**arguments)

    own = inspect.signature(command)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _OPTIONS.items()
    ]
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    run.__annotations__ = {**get_type_hints(command, include_extras=True), **_OPTIONS}
    return run
