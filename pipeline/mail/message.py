"""A notice becomes one immutable RFC 5322 message: Jinja2 for the words, and proof of what came out."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from email.parser import BytesHeaderParser
from email.utils import format_datetime, getaddresses, parseaddr
from functools import cache, lru_cache
from shlex import quote
from typing import Any, Literal, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_environment
from jinja2.filters import do_wordwrap

from pipeline.amounts import amounts
from pipeline.mail import wire
from pipeline.notices import CONTEXTS
from pipeline.notices.contexts import Context, Notice, Total
from storage.quantities import plain

T = TypeVar("T")

TEXT_LENGTH_MAX = 500  # of one value anywhere; the longest free text of X12 (MSG01) has 264 characters
SUBJECT_VALUE_LENGTH_MAX = 60  # of one value in a subject; a purchase order number has at most 22
ADDRESSES_KEPT = 4096  # that were found good; a hub has some hundred
SUBJECT_LENGTH_MAX = 180  # three values and our own words
# 50 lines with 20 texts of 80 characters that all have to be escaped are 400,000, and HTML shows them twice.
RENDERED_CHARS_MAX = 2_000_000
HEADERS = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress",
    "MIME-Version", "Content-Type",
)  # fmt: skip

# What comes before the first boundary, and after each
_OPENINGS = (b"", b"\r\nContent-Type: text/plain;", b"\r\nContent-Type: text/html;", b"--\r\n")

# Unicode category -> what is shown instead: controls and separators break a line, format signs are invisible
_SHOWN = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": "\N{REPLACEMENT CHARACTER}"}

# What an address in the settings may look like. Narrower than RFC 5322: no quotes, no encoded words ("=?").
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=^_`{{|}}~-]{{1,64}}@(?:{_LABEL}\.)*{_LABEL}")


class UnwritableMessage(Exception):
    """The message cannot be made; the fact it would have told of stands all the same."""


class UnsafeMessage(UnwritableMessage):
    """The message does not have exactly the headers it should have; it was not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The words of a message."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one address. `payload` is what goes over the wire, however often it is tried."""

    sender: str  # bare address: the envelope's
    recipient: str
    subject: str
    text: str
    html: str
    message_id: str
    payload: bytes


def render(context: Context) -> Rendered:
    """The words of the context's template. Values are data only: they are never read as template source."""
    said = said_of(context)
    subject, body = _environment("subject"), _environment("body")
    return Rendered(
        subject=_flow(_filled(subject, f"{context.TEMPLATE}.subject.j2", said))[:SUBJECT_LENGTH_MAX],
        text=_filled(body, f"{context.TEMPLATE}.txt.j2", said).strip("\n") + "\n",
        html=_filled(body, f"{context.TEMPLATE}.html.j2", said).strip("\n") + "\n",
    )


def said_of(context: Context) -> dict[str, Any]:
    """The context's values as they are shown, and the phrases that both versions make of them, by name."""
    shown = presentable(context)
    values = {name: getattr(shown, name) for name in _names(type(shown))}
    phrases = _environment("body").get_template(f"{context.TEMPLATE}.words.j2").make_module(values)
    return values | {name: said for name, said in vars(phrases).items() if not name.startswith("_")}


def _filled(environment: Environment, name: str, values: Mapping[str, object]) -> str:
    """The template's text, piece by piece, so that one that goes on and on ends at the limit."""
    pieces: list[str] = []
    size = 0
    for piece in environment.get_template(name).generate(values):
        size += len(piece)
        if size > RENDERED_CHARS_MAX:
            raise UnsafeMessage(f"{name} makes more than {RENDERED_CHARS_MAX} characters")
        pieces.append(piece)
    return "".join(pieces)


def check_templates() -> tuple[str, ...]:
    """Render every template with its example; a broken one raises. For start-up and doctor."""
    for context in CONTEXTS:
        render(context.example())
    return tuple(context.TEMPLATE for context in CONTEXTS)


def message_id(about: str, sender: str) -> str:
    """The identity of what is written about this. Who may write of it twice names the time too."""
    digest = hashlib.sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"<{digest}@{bare_address(sender).rpartition('@')[2]}>"


@lru_cache(ADDRESSES_KEPT)
def bare_address(text: str) -> str:
    """The one address in "Name <address>" or "address". Raises ValueError for anything else."""
    found = getaddresses([text])
    address = found[0][1] if len(found) == 1 else ""
    whole = text == address or text.endswith(f"<{address}>")
    if not whole or len(address) > 254 or not _ADDRESS.fullmatch(address) or presentable(text) != text:
        raise ValueError(f"{text!r} is not an e-mail address this hub can use")
    return address


def compose(notice: Notice, *, sender: str, message_id: str, at: datetime) -> Message:
    """The message for a notice, complete. Replies go to the hub's support address when it has one.

    Raises UnwritableMessage for whatever goes wrong in a template; that is no reason to undo the fact.
    """
    try:
        words = render(notice.context)
    except Exception as error:  # a template is a program, and may raise what it likes
        said = f"{type(error).__name__}: {error}"
        raise UnwritableMessage(presentable(f"template {notice.template} failed: {said}")) from error
    recipient, support = bare_address(notice.to), notice.context.support
    headers = [
        wire.address_line("From", bare_address(sender), parseaddr(sender)[0]),
        wire.address_line("To", recipient),
        wire.address_line("Reply-To", bare_address(support)) if support else "",
        wire.header_line("Subject", words.subject),
        wire.header_line("Date", format_datetime(at.astimezone(UTC))),
        wire.header_line("Message-ID", message_id),
        "Auto-Submitted: auto-generated\r\n",  # RFC 3834: no out-of-office replies, please
        "X-Auto-Response-Suppress: All\r\n",  # the same for Exchange
    ]
    boundary = wire.boundary_of(message_id)
    payload = wire.message_bytes("".join(headers), boundary, words.text, words.html)
    expected = [name for name in HEADERS if support or name != "Reply-To"]
    _prove(payload, recipient, boundary, expected=expected)
    return Message(
        sender=bare_address(sender), recipient=recipient, message_id=message_id, payload=payload,
        subject=words.subject, text=words.text, html=words.html,
    )  # fmt: skip


def with_message_id(payload: bytes, message_id: str) -> bytes:
    """The same message under this identity: what a person sends again on purpose is a message of its own.

    A server that has seen the first one would else be free to throw the second away.
    """
    line = f"\r\nMessage-ID: {message_id}\r\n".encode("ascii")
    return re.sub(rb"\r\nMessage-ID:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n", lambda _: line, payload, count=1)


def presentable(value: T) -> T:
    """The same value with every text in it made one line without control characters, and not too long.

    Partners write these texts. A line break could pass for a section of ours, a bidirectional override can
    show another number than it holds, a lone surrogate (from a file name) cannot be sent at all.
    """
    made: Any = value
    if isinstance(value, str):
        made = _one_line(value)
    elif isinstance(value, tuple):
        made = tuple(map(presentable, value))
    elif is_dataclass(value) and not isinstance(value, type):
        was = {name: getattr(value, name) for name in _names(type(value))}
        changed = {name: new for name, old in was.items() if (new := presentable(old)) != old}
        made = replace(value, **changed) if changed else value
    return made  # type: ignore[no-any-return]


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _one_line(text: str) -> str:
    if len(text) <= TEXT_LENGTH_MAX and text.isprintable() and text == text.strip() and "  " not in text:
        return text  # as nearly every one is; no printable sign is of a category below
    kept = text[: 4 * TEXT_LENGTH_MAX]  # enough for any white space to be squeezed; bounds the work
    shown = " ".join("".join(_SHOWN.get(unicodedata.category(sign), sign) for sign in kept).split())
    return (
        shown if len(shown) <= TEXT_LENGTH_MAX else shown[: TEXT_LENGTH_MAX - 1] + "\N{HORIZONTAL ELLIPSIS}"
    )


def _prove(payload: bytes, recipient: str, boundary: str, *, expected: list[str]) -> None:
    """Read the bytes back: no header more or less than meant, one recipient, two parts.

    Python before 3.11.10 lets an encoded word in a header grow new lines (CVE-2024-6923), so what was set
    is no proof of what was written.
    """
    head, blank, body = payload.partition(b"\r\n\r\n")
    names = [
        line.partition(b":")[0].decode("latin-1")
        for line in re.split(rb"\r\n(?![ \t])|\r(?!\n)|(?<!\r)\n", head)
    ]
    read = BytesHeaderParser().parsebytes(
        head + blank
    )  # by the old parser on purpose: not the code that wrote it
    if sorted(names) != sorted(expected) or sorted(read.keys()) != sorted(expected):
        raise UnsafeMessage(f"headers {names} instead of {expected}")
    if [parseaddr(str(value))[1] for value in read.get_all("To", [])] != [recipient]:
        raise UnsafeMessage(f"recipients {read.get_all('To')} instead of {recipient}")
    types = [
        part[: len(opening)] == opening
        for part, opening in zip(body.split(f"--{boundary}".encode()), _OPENINGS, strict=False)
    ]
    if read.get_boundary() != boundary or types != [True] * 4 or body.count(boundary.encode()) != 3:
        raise UnsafeMessage("other parts than one text and one HTML version")


def subject_value(value: object) -> str:
    """A value as a subject may show it: letters, digits and a few signs; anything else becomes "_"."""
    text = "".join(sign if sign.isalnum() or sign in " ._/#-,()&'" else "_" for sign in str(value))
    return text if len(text) <= SUBJECT_VALUE_LENGTH_MAX else text[: SUBJECT_VALUE_LENGTH_MAX - 3] + "..."


def _sums(totals: Iterable[Total], counter: str) -> str:
    return amounts((sum_, total.unit) for total in totals if (sum_ := getattr(total, counter)))


@pass_environment
def _wrapped(environment: Environment, text: str, width: int) -> str:
    """As jinja2 wraps; most is one short line, for which jinja2 would take as long."""
    fits = len(text) <= width and text.isprintable()
    return text.rstrip() if fits else do_wordwrap(environment, text, width)


def _figure(value: Decimal | None) -> str:
    """A quantity in a table; a dash where there is none."""
    return "-" if value is None else plain(value)


def _flow(text: str) -> str:
    """Text of several template lines as one paragraph."""
    return " ".join(text.split())


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@cache
def _environment(kind: Literal["subject", "body"]) -> Environment:
    """Templates, which are the program's own, compiled once per process.

    Only HTML is escaped; in a subject every value is restricted.
    """
    environment = Environment(
        loader=PackageLoader("templates", "email"),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        finalize=subject_value if kind == "subject" else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"amounts": _sums, "figure": _figure, "flow": _flow, "utc": _utc, "shell": quote}
    environment.filters["wordwrap"] = _wrapped
    return environment
