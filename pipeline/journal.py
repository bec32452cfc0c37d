"""Journal: the log. One event is one line on standard error, and one id follows a document through them.

`f12` is the received file with the number 12, `m34` the outbox message 34; an event about a message also
names the file that made us owe it, so that searching for `f12` finds the whole way from mailbox to mail.
Whatever a partner wrote is cut, and nothing in it can end a line or begin another.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import Enum, unique

DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR
VALUE_MAX = 80  # characters of a value, which a partner may have written
SENTENCE_MAX = 1000  # characters of an error: our sentence, with a server's or the interpreter's words in it
_SENTENCES = ("error", "trace")
_IDS = {"file": "f", "message": "m"}  # what stands before a number, so that searching finds nothing else
_PLAIN = re.compile(r"[A-Za-z0-9_.,:;/@+<>()#%&!?*-]+", re.ASCII)
_LOG = logging.getLogger("countermand")
_LOG.propagate = False
_LOG.addHandler(logging.NullHandler())
_LOG.setLevel(logging.CRITICAL + 1)
_FILE: ContextVar[int | None] = ContextVar("file", default=None)

Fact = str | int | float | bool | Enum | None


@unique
class Level(Enum):
    """What is logged: this and what is graver. OFF: nothing, and problems are sentences on standard error."""

    OFF = "off"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


@unique
class Format(Enum):
    """How a line is written."""

    TEXT = "text"
    JSON = "json"


def set_up(level: Level, format: Format) -> None:
    """Log from now on as asked; called once, by the command line."""
    for handler in [*_LOG.handlers]:
        _LOG.removeHandler(handler)
    if level is Level.OFF:
        _LOG.addHandler(logging.NullHandler())
        _LOG.setLevel(logging.CRITICAL + 1)
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(format))
    _LOG.addHandler(handler)
    _LOG.setLevel(level.value.upper())


def is_on(level: int = ERROR) -> bool:
    """Whether events of this level are logged; where not, problems are said as sentences instead."""
    return _LOG.isEnabledFor(level)


def event(name: str, level: int = INFO, /, **facts: Fact) -> None:
    """Log one event. `file` and `message` are numbers; a fact that is None or "" is left out."""
    if not is_on(level):
        return
    if "file" not in facts:
        facts = {"file": _FILE.get(), **facts}
    _LOG.log(level, name, extra={"facts": {key: _shown(key, fact) for key, fact in facts.items()}})


@contextmanager
def about(file_id: int | None) -> Iterator[None]:
    """What happens inside comes from this received file."""
    token = _FILE.set(file_id)
    try:
        yield
    finally:
        _FILE.reset(token)


def current_file() -> int | None:
    """The received file that is being worked on, by `about`."""
    return _FILE.get()


def _shown(key: str, fact: Fact) -> str | int | float | bool | None:
    if isinstance(fact, Enum):
        return str(fact.value)
    if key in _IDS and isinstance(fact, int):
        return f"{_IDS[key]}{fact}"
    if isinstance(fact, str):
        bound = SENTENCE_MAX if key in _SENTENCES else VALUE_MAX
        return fact if len(fact) <= bound else fact[:bound] + "[cut]"
    return round(fact, 3) if isinstance(fact, float) else fact


class _Lines(logging.Formatter):
    """One record, one line of printable ASCII."""

    def __init__(self, format: Format) -> None:
        super().__init__()
        self._json = format is Format.JSON

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        facts = {k: v for k, v in getattr(record, "facts", {}).items() if v is not None and v != ""}
        name, level = record.getMessage(), record.levelname.lower()
        if self._json:
            return json.dumps({"at": at.replace("+00:00", "Z"), "level": level, "event": name, **facts})
        said = " ".join(f"{key}={_word(fact)}" for key, fact in facts.items())
        return f"{at.replace('+00:00', 'Z')} {level} {name} {said}".rstrip()


def _word(fact: str | int | float | bool) -> str:
    """A value that is one word stands as it is, any other as a JSON string: escapes, no line ends."""
    if isinstance(fact, str) and _PLAIN.fullmatch(fact):
        return fact
    return json.dumps(fact)
