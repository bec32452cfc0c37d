"""The named points of the way of a document, and how a process is watched from outside to pass them.

The product has no hooks. A point is before or after something that cannot be taken back:

commit SITE: before | after          every COMMIT, named by the function that wrote
file lock: opened                    the file beside a SQLite database, opened to write
sftp KIND: before | sent | answered  every SFTP request, named by its type
smtp STEP: before | sent | answered  every command to the mail server, the message and its final dot

A point that is not listed here ends the process with a sentence: whoever adds a durable step adds its name.
"""

import ast
import inspect
import os
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

ROOT = Path(__file__).resolve().parents[2]

#: Each commit on the way of `countermand poll`, with its step of the way (docs/crash-points.md).
COMMITS = {
    "receiving.shelf.DatabaseShelf.keep": "the bytes of files are kept",
    "receiving.shelf.DatabaseShelf.moved": "it is known where the partner's copies were moved to",
    "receiving.shelf.DatabaseShelf.remember": "it is known which files stay in the mailbox, and why",
    "doors.RememberingDoor._remember": "it is known whether the mailbox could be used",
    "poll.tell_of_left": "support is told of files that stay in the mailbox",
    "waiting._Work._begin": "an attempt at reading each of some files is counted",
    "waiting._Work._commit": "files are read: receipts, events, counters, answers and mails at once",
    "waiting._forgive": "an attempt that failed for no fault of the file's is not counted",
    "waiting._record": "our own mistake over a file is counted",
    "waiting.expire_waiting": "what waited too long is refused",
    "lapsing._end": "requests that nobody answered in time lapse, of one order",
    "lapsing._remind": "a seller is reminded of a request",
    "telling.digests.gather": "what waited for an hour becomes one mail for each reader",
    "deliver._recovered": "what the last process left half sent is settled",
    "deliver._Courier.claim": "messages are taken to be sent",
    "deliver._Courier.committing": "the final dot of a mail is about to go",
    "deliver._Courier.settle": "what the other side made of messages",
    "deliver._Courier.rest": "other mails rest, because one that a server hung over is uncertain",
    "post_events.Poster.round": "webhooks that the last process had begun are owed again",
    "post_events.Poster._start": "a webhook is taken to be posted",
    "post_events.Poster._settle": "what an endpoint made of a webhook",
}
#: Requests of the SFTP protocol that the mailbox makes. The first row changes something on the other side.
CHANGING = ("rename", "posix-rename", "open to write", "write", "mkdir", "remove")
LOOKING = (
    "init",
    "opendir",
    "readdir",
    "lstat",
    "open to read",
    "fstat",
    "read",
    "close",
    "stat",
    "realpath",
)
#: What is said to a mail server; the message itself gets no answer.
STEPS = ("ehlo", "mail", "rcpt", "data", "message", "dot", "noop", "rset", "quit")

MOMENTS = ("before", "sent", "answered")
LOCK = "file lock: opened"
NAMES = (
    LOCK,
    *(f"commit {site}: {moment}" for site in COMMITS for moment in ("before", "after")),
    *(f"sftp {kind}: {moment}" for kind in (*CHANGING, *LOOKING) for moment in MOMENTS),
    *(
        f"smtp {step}: {moment}"
        for step in STEPS
        for moment in MOMENTS
        if (step, moment) != ("message", "answered")
    ),
)
_KNOWN = frozenset(NAMES)

#: Points that an undisturbed run does not pass, and what passes them.
IN_TROUBLE_ONLY = {
    **{
        f"commit waiting._record: {moment}": "a mistake of ours; test_kills.py makes one"
        for moment in ("before", "after")
    },
    **{
        f"commit waiting._forgive: {moment}": "a database that goes; tests/unit/storage/test_postgresql.py"
        for moment in ("before", "after")
    },
    **{
        f"commit lapsing.{site}: {moment}": "a deadline; tests/unit/pipeline/test_lapsing.py kills at these"
        for site in ("_end", "_remind")
        for moment in ("before", "after")
    },
    **{
        f"commit telling.digests.gather: {moment}": "a digest; tests/app/test_digests.py kills at these"
        for moment in ("before", "after")
    },
    **{
        f"commit deliver._Courier.rest: {moment}": "a server that hangs; tests/integration/test_deliver.py"
        for moment in ("before", "after")
    },
    **{
        f"commit post_events.Poster.{site}: {moment}": "an endpoint; tests/webhooks kills at these"
        for site in ("round", "_start", "_settle")
        for moment in ("before", "after")
    },
    **{
        f"sftp {kind}: {moment}": "a server that is full or cannot rename; tests/integration/test_mailbox.py"
        for kind in ("posix-rename", "remove")
        for moment in MOMENTS
    },
}

#: Transactions of commands that a person gives, one each; they are not on the way of a document by itself.
#: Nor are those of workers that only put jobs down: tests/work kills workers at random. Nor those of the
#: site, each of which is one request: tests/api kills its process.
BY_HAND = (
    "api.",
    "cli.",
    "demo.",
    "endpoints.",
    "post_events.Poster.ping",
    "replay.replay",
    "restore.",
    "staff.",
    "work.",
)


class UnlistedPoint(BaseException):
    """The process did something durable that no crash test knows of."""


class Passages:
    """Counts how often each point was passed, and acts at one of them."""

    def __init__(self, at: tuple[str, int] | None = None, act: Callable[[], None] = lambda: None) -> None:
        self.counts: Counter[str] = Counter()
        self.act = act
        self.connection: Any = None  #: of the commit that is passed
        self.last: list[str] = []  #: the last points, in order
        self._at = at

    def __call__(self, name: str) -> None:
        if name not in _KNOWN:
            raise UnlistedPoint(f"{name!r} is no point of tests/crash/points.py: list it there.")
        self.counts[name] += 1
        self.last = [*self.last[-9:], name]
        if self._at == (name, self.counts[name]):
            self.act()


def watch(passing: Passages) -> None:
    """Watch this process from now on, for good: it is a child made for one run."""
    _watch_files(passing)
    _watch_commits(passing)
    _watch_mail(passing)
    _watch_ssh(passing)


# Files


def writes(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an audit event of the interpreter is a file being opened to write."""
    return event == "open" and len(arguments) > 2 and bool(int(arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))


def _watch_files(passing: Passages) -> None:
    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if writes(event, arguments) and str(arguments[0]).endswith(".lock"):
            passing(LOCK)

    sys.addaudithook(look)


# Commits


def transactions() -> Iterator[tuple[str, int, str]]:
    """Module, line and name of every place in the program that opens a transaction to write.

    The name is the function's; if it opens several, with their place among them.
    """
    for path in sorted([*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "storage").rglob("*.py")]):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if module.startswith("storage.database"):
            continue
        found: dict[str, list[int]] = {}
        for name, line in _openings(ast.parse(path.read_text(encoding="utf-8")), ""):
            found.setdefault(name, []).append(line)
        for name, lines in found.items():
            whole = f"{module.partition('.')[2]}.{name}"
            for place, line in enumerate(sorted(lines), start=1):
                yield module, line, whole if len(lines) == 1 else f"{whole} {place}"


def _openings(node: ast.AST, inside: str) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        name = inside
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            name = f"{inside}.{child.name}".lstrip(".")
        if isinstance(child, ast.With):
            calls = [item.context_expr for item in child.items if isinstance(item.context_expr, ast.Call)]
            functions = [call.func for call in calls if isinstance(call.func, ast.Attribute)]
            if any(function.attr == "writing" for function in functions):
                yield inside, child.lineno
        if isinstance(child, ast.Call) and ast.unparse(child.func).endswith("database.run"):
            yield inside, child.lineno  # a unit of work that may be done again
        yield from _openings(child, name)


@cache
def names_by_line() -> dict[tuple[str, int], str]:
    return {(module, line): name for module, line, name in transactions()}


def _site() -> str:
    """Who commits: the innermost function of the program outside the database's own module.

    A block made with contextlib (a generator) stands for the function that uses it.
    """
    frame = sys._getframe(2)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module == "tests.crash.world":
            return ""  # the test itself
        ours = module.startswith(("pipeline.", "storage.")) and not module.startswith("storage.database")
        if ours and not frame.f_code.co_flags & inspect.CO_GENERATOR:
            by_line = names_by_line().get((module, frame.f_lineno))
            qualified = frame.f_code.co_qualname.replace(".<locals>", "")
            return by_line or f"{module.partition('.')[2]}.{qualified}"
        frame = frame.f_back  # type: ignore[assignment]
    return "nobody"


def _watch_commits(passing: Passages) -> None:
    from sqlalchemy.engine.default import DefaultDialect

    commit: Callable[[Any, Any], None] = DefaultDialect.do_commit

    def do_commit(self: Any, connection: Any) -> None:
        site = _site()
        reads = getattr(connection, "read_only", False)  # a look at a server: its end keeps nothing
        if not site or reads:
            commit(self, connection)
            return
        passing.connection = connection
        passing(f"commit {site}: before")
        commit(self, connection)
        passing(f"commit {site}: after")

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


# SFTP

_KINDS = {
    1: "init", 4: "close", 5: "read", 6: "write", 7: "lstat", 8: "fstat", 11: "opendir", 12: "readdir",
    13: "remove", 14: "mkdir", 16: "realpath", 17: "stat", 18: "rename",
}  # fmt: skip
_OPEN, _EXTENDED, _VERSION = 3, 200, 2
_TO_WRITE = 0x2


class Wire:
    """The two directions of one SFTP channel, cut into frames so that each request is a point of its own."""

    def __init__(self, passing: Passages) -> None:
        self._passing = passing
        self._out, self._in = bytearray(), bytearray()
        self._asked: dict[bytes, str] = {}

    def sendall(self, send: Callable[[bytes], object], data: bytes) -> None:
        """Send what was given, a request at a time."""
        self._out += data
        for frame in _frames(self._out):
            kind = _kind(frame)
            self._asked[b"" if kind == "init" else frame[5:9]] = kind
            self._passing(f"sftp {kind}: before")
            send(frame)
            self._passing(f"sftp {kind}: sent")

    def received(self, data: bytes) -> bytes:
        """Pass the point of every answer that is complete with this."""
        self._in += data
        for frame in _frames(self._in):
            kind = self._asked.pop(b"" if frame[4] == _VERSION else frame[5:9])
            self._passing(f"sftp {kind}: answered")
        return data


def _frames(buffer: bytearray) -> Iterator[bytes]:
    while len(buffer) >= 4 and len(buffer) >= 4 + (length := struct.unpack_from(">I", buffer)[0]):
        frame = bytes(buffer[: 4 + length])
        del buffer[: 4 + length]
        yield frame


def _kind(frame: bytes) -> str:
    if frame[4] == _EXTENDED:
        (length,) = struct.unpack_from(">I", frame, 9)
        return frame[13 : 13 + length].decode().partition("@")[0]
    if frame[4] == _OPEN:
        (length,) = struct.unpack_from(">I", frame, 9)
        (flags,) = struct.unpack_from(">I", frame, 13 + length)
        return "open to write" if flags & _TO_WRITE else "open to read"
    return _KINDS.get(frame[4], f"request {frame[4]}")


def _watch_ssh(passing: Passages) -> None:
    import paramiko

    sendall, recv = paramiko.Channel.sendall, paramiko.Channel.recv
    wires: WeakKeyDictionary[paramiko.Channel, Wire] = WeakKeyDictionary()

    def sending(self: paramiko.Channel, data: bytes) -> None:
        wires.setdefault(self, Wire(passing)).sendall(lambda frame: sendall(self, frame), data)

    def receiving(self: paramiko.Channel, nbytes: int) -> bytes:
        return wires.setdefault(self, Wire(passing)).received(recv(self, nbytes))

    paramiko.Channel.sendall = sending  # type: ignore[method-assign,assignment]
    paramiko.Channel.recv = receiving  # type: ignore[method-assign]


# SMTP


def _watch_mail(passing: Passages) -> None:
    import smtplib

    send, getreply = smtplib.SMTP.send, smtplib.SMTP.getreply
    asked: WeakKeyDictionary[smtplib.SMTP, str] = WeakKeyDictionary()

    def sending(self: smtplib.SMTP, s: Any) -> None:
        data = s if isinstance(s, bytes) else str(s).encode()
        word = data.split()[0].lower().decode("ascii", "replace") if len(data) < 1000 else ""
        step = "dot" if data == b".\r\n" else word if word in STEPS else "message"
        asked[self] = step
        passing(f"smtp {step}: before")
        send(self, s)
        passing(f"smtp {step}: sent")

    def answered(self: smtplib.SMTP) -> tuple[int, bytes]:
        reply = getreply(self)
        step = asked.pop(self, "")
        if step:  # else it is the greeting
            passing(f"smtp {step}: answered")
        return reply

    smtplib.SMTP.send = sending  # type: ignore[method-assign]
    smtplib.SMTP.getreply = answered  # type: ignore[method-assign]
