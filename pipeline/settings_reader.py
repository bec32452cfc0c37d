"""Reading one table of the settings file: typed values, or one line that names the key and the fault."""

import difflib
import re
from collections.abc import Iterator, Mapping
from email.utils import getaddresses
from enum import Enum
from pathlib import Path
from typing import TypeVar

from pipeline.errors import OperatorError

Choice = TypeVar("Choice", bound=Enum)

TEXT_LENGTH_MAX = 1_000  # a host key of 16384-bit RSA is 2,800 characters and is read with a limit of its own
HOST_KEY_LENGTH_MAX = 4_000
EMAIL_LENGTH_MAX = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets

# Plain ASCII addresses without quoting and without "?" (so without an encoded word): what every SMTP server
# takes and no header can be broken with. Labels are matched one by one, which keeps the work linear.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")


class SettingsError(OperatorError):
    """Settings that cannot be used. One line: the file, the key, what is wrong and what to do."""


class Secret:
    """A password that is looked for only when it is needed, and never shown.

    A plain class on purpose: `dataclasses.asdict` and generated reprs stop at it.
    """

    __slots__ = ("_path", "_problem", "_value")

    def __init__(
        self, value: str = "", *, path: Path | None = None, problem: str = "the secret is empty"
    ) -> None:
        self._value = value
        self._path = path
        self._problem = problem

    def __repr__(self) -> str:
        return "***"

    @property
    def path(self) -> Path | None:
        """The file it is read from, if it is one."""
        return self._path

    def version(self) -> str:
        """Another text when the file it is read from has changed; says nothing about the secret."""
        try:
            return str(self._path.stat().st_mtime_ns) if self._path is not None else ""
        except OSError:
            return "missing"

    def reveal(self) -> str:
        """The secret itself; a SettingsError when it is not where the settings say."""
        value = self._value
        if self._path is not None:
            try:
                value = self._path.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{self._problem} ({_why(error)})") from None
        if not value:
            raise SettingsError(self._problem)
        return value


class TableReader:
    """One table of the file. Ask for every key it may have, then call `done`, which refuses the rest."""

    def __init__(
        self, values: Mapping[str, object], *, place: str, base: Path, environ: Mapping[str, str]
    ) -> None:
        self._values = values
        self._place = place  # "countermand.toml: hub." - what a key is written after
        self._base = base
        self._environ = environ
        self._known: list[str] = []

    def fail(self, key: str, problem: str) -> SettingsError:
        """The error to raise about a key; `problem` goes on after its name."""
        return SettingsError(f"{self._place}{key} {problem}")

    def has(self, key: str) -> bool:
        """Whether the file gives this key."""
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """The keys the file gives, for a table whose keys are not fixed."""
        return tuple(self._values)

    def text(self, key: str, default: str | None = None, *, limit: int = TEXT_LENGTH_MAX) -> str:
        """A string of one line; without a default it must be there and not be empty."""
        self._known.append(key)
        if key not in self._values:
            if default is None:
                raise self.fail(key, f"is missing; {self._near(key) or 'add it'}")
            return default
        text = self._line(key, self._values[key], limit)
        if not text and default is None:
            raise self.fail(key, "is empty; give it a value")
        return text

    def texts(self, key: str, *, limit: int = TEXT_LENGTH_MAX) -> tuple[str, ...]:
        """A list of different strings, none empty; a key that is not there is an empty list."""
        self._known.append(key)
        values = self._values.get(key, [])
        if not isinstance(values, list):
            raise self.fail(key, f'must be a list, such as {key} = ["..."], not {_kind(values)}')
        found: list[str] = []
        for value in values:
            text = self._line(key, value, limit)
            if not text or text in found:
                raise self.fail(
                    key, f"has {text!r} twice; remove one" if text else "has an empty entry; remove it"
                )
            found.append(text)
        return tuple(found)

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        self._known.append(key)
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fail(key, f"must be a whole number without quotes, not {_kind(value)}")
        if not low <= value <= high:
            raise self.fail(key, f"is {value}; it takes {low} to {high}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        self._known.append(key)
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, f"must be true or false without quotes, not {_kind(value)}")
        return value

    def seconds(self, key: str, default: float, low: float, high: float) -> float:
        """A number of seconds within bounds."""
        self._known.append(key)
        value = self._values.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.fail(key, f"must be a number of seconds without quotes, not {_kind(value)}")
        if not low <= value <= high:  # also refuses nan
            raise self.fail(key, f"is {value:g}; it takes {low:g} to {high:g} seconds")
        return float(value)

    def choice(self, key: str, choices: type[Choice], default: Choice | None = None) -> Choice:
        """One of an Enum's values."""
        text = self.text(key, None if default is None else str(default.value))
        for choice in choices:
            if choice.value == text:
                return choice
        names = [str(choice.value) for choice in choices]
        raise self.fail(key, f"is {text!r}; it takes {_either(names)}{_meant(text, names)}")

    def email(self, key: str, default: str | None = None) -> str:
        """One e-mail address, without a display name."""
        return self._checked_email(key, self.text(key, default))

    def emails(self, key: str) -> tuple[str, ...]:
        """A list of e-mail addresses, each without a display name."""
        return tuple(self._checked_email(key, text) for text in self.texts(key))

    def sender(self, key: str, default: str) -> str:
        """One e-mail address, with or without a display name: "Hub <edi@example.com>"."""
        text = self.text(key, default)
        found = getaddresses([text])
        if len(found) != 1:
            raise self.fail(key, f"is {text!r}; it takes one address, such as Hub <edi@example.com>")
        self._checked_email(key, found[0][1])
        return text

    def path(self, key: str) -> Path | None:
        """A path, seen from the settings file's folder; None when it is not given. It need not exist."""
        text = self.text(key, "")
        return self._base / Path(text).expanduser() if text else None

    def paths(self, key: str) -> tuple[Path, ...]:
        """A list of paths, each seen from the settings file's folder. They need not exist."""
        return tuple(self._base / Path(text).expanduser() for text in self.texts(key))

    def secret(self, key: str) -> Secret | None:
        """A secret by reference: KEY_env names an environment variable, KEY_file a file."""
        variable, path = self.text(f"{key}_env", ""), self.path(f"{key}_file")
        if variable and path:
            raise self.fail(f"{key}_env", f"and {key}_file are both given; keep one")
        if variable:
            unset = f"{self._place}{key}_env names {variable}, which is not set in the environment; set it"
            return Secret(self._environ.get(variable, ""), problem=unset)
        if path:
            unread = f"{self._place}{key}_file is {path}, which gives no password; put it there, on one line"
            return Secret(path=path, problem=unread)
        return None

    def table(self, key: str) -> "TableReader | None":
        """The table below this one with that name; None when it is not there."""
        self._known.append(key)
        if key not in self._values:
            return None
        value = self._values[key]
        if not isinstance(value, dict):
            raise self.fail(key, f"must be a table, not {_kind(value)}; write its keys below a line [{key}]")
        return TableReader(value, place=f"{self._place}{key}.", base=self._base, environ=self._environ)

    def tables(self, key: str, name: str) -> Iterator["TableReader"]:
        """The tables of a list of tables, each called by its `name` key in messages."""
        self._known.append(key)
        values = self._values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.fail(key, f"must be a list of tables; write [[{key}]] with two brackets before each")
        for number, value in enumerate(values, 1):
            called = value.get(name)
            label = f'"{called}"' if isinstance(called, str) and called.isprintable() else f"number {number}"
            yield TableReader(
                value, place=f"{self._place}{key} {label}: ", base=self._base, environ=self._environ
            )

    def done(self) -> None:
        """Refuse what nobody asked for: a misspelt key would otherwise be a setting silently ignored."""
        for key in self._values:
            if key in self._known:
                continue
            if f"{key}_env" in self._known:
                raise self.fail(
                    key, f"does not belong into a file; name its place with {key}_env or {key}_file"
                )
            raise self.fail(_shown(key), f"is not a setting{_meant(key, self._known) or '; remove it'}")

    def _near(self, key: str) -> str:
        """What a misspelt key of the file says about the key that is missing."""
        unknown = [given for given in self._values if given not in self._known]
        close = difflib.get_close_matches(key, unknown, n=1)
        return f"{_shown(close[0])} looks like it, misspelt" if close else ""

    def _line(self, key: str, value: object, limit: int) -> str:
        if not isinstance(value, str):
            raise self.fail(key, f'must be text in quotes, such as {key} = "...", not {_kind(value)}')
        if not value.isprintable():
            raise self.fail(key, "has a control character in it; keep it to one plain line")
        if len(value) > limit:
            raise self.fail(key, f"has {len(value)} characters; it takes at most {limit}")
        return value.strip(" ")

    def _checked_email(self, key: str, text: str) -> str:
        if len(text) > EMAIL_LENGTH_MAX or not EMAIL.fullmatch(text):
            raise self.fail(key, f"has {text!r}, which is not an e-mail address such as orders@example.com")
        return text


def _shown(key: str) -> str:
    """A key of the file, safe to print."""
    return key if key.isprintable() and key else repr(key)


def _kind(value: object) -> str:
    kinds = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a table",
    }
    return kinds.get(type(value), "a date or time")


def _either(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _meant(word: str, names: list[str]) -> str:
    close = difflib.get_close_matches(word.lower(), names, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _why(error: Exception) -> str:
    """The system's own words about a file, without its path."""
    return error.strerror or "unreadable" if isinstance(error, OSError) else "it is not UTF-8 text"
