"""Write envelopes: our own interchange around what we send, out on a route or back as an answer.

What is echoed from a partner may hold our delimiters, which need not be theirs: it is cleaned first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from edi import limits
from edi.codes import RELEASES
from edi.delimiters import Delimiters
from edi.envelope import Address, FunctionalGroup, Interchange
from edi.releases import map_release


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNumbers:
    """Our numbers for one interchange of one group of one set: ISA13 (I12), GS06 (28), ST02 (329)."""

    interchange: int
    group: int
    set: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How we write one release: ISA11 (I10 or I65), ISA12 (I11), and our delimiters.

    `unfit` are the characters that cannot stand in an element: the delimiters and the control characters, C1
    too, which X12's extended character set does not have.
    """

    release: str
    standards: str
    version: str
    delimiters: Delimiters
    unfit: re.Pattern[str]


_FORM_4010 = Form(
    release="004010",
    standards="U",
    version="00401",
    delimiters=Delimiters(element="*", component=">", terminator="~"),
    unfit=re.compile(r"[*>~\x00-\x1f\x7f-\x9f]"),
)
_FORM_5010 = Form(
    release="005010",
    standards="^",
    version="00501",
    delimiters=Delimiters(element="*", component=">", terminator="~", repetition="^"),
    unfit=re.compile(r"[*>~^\x00-\x1f\x7f-\x9f]"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """From whom to whom we write: ISA05 to ISA08, GS02 (142) and GS03 (124), ISA15 (I14), GS08 (480).

    An empty GS02 or GS03 is the interchange's id. A version we have no maps for is written as 004010.
    """

    sender: Address
    receiver: Address
    group_sender: str
    group_receiver: str
    usage: str
    version: str

    @property
    def form(self) -> Form:
        """How we write this route's release."""
        return form_of(self.version[:6])


def route_back(interchange: Interchange, group: FunctionalGroup | None = None) -> Route:
    """The way back to whoever sent a group or interchange: its receiver (ISA07/08, GS03) is our sender."""
    form = form_of(group.release) if group else form_of_interchange(interchange.version)
    return Route(
        sender=interchange.receiver,
        receiver=interchange.sender,
        group_sender=group.receiver if group else "",
        group_receiver=group.sender if group else "",
        usage=interchange.usage,
        version=group.version if group else form.release,
    )


def form_of(release: str) -> Form:
    """The form that answers a release (first six characters of GS08, 480): that of the map that reads it."""
    return _FORM_5010 if map_release(release) == _FORM_5010.release else _FORM_4010


def form_of_interchange(version: str) -> Form:
    """The form that answers an interchange version (ISA12, I11): 00501 itself, else 00401."""
    return _FORM_5010 if version == _FORM_5010.version else _FORM_4010


def clean(value: str, form: Form, chars_max: int) -> str:
    """A value as it may stand in one of our elements: a blank for each unfit character, none at the end."""
    return form.unfit.sub(" ", value[:chars_max]).rstrip(" ")


def echo(value: str, form: Form, filler: str) -> str:
    """A mandatory element repeated so that its sender knows it again, wrong length and all, but not empty."""
    return clean(value, form, limits.bad_value_chars_max) or filler


def segment(tag: str, *elements: str) -> str:
    """A segment without its terminator; empty elements at the end are left out."""
    return "*".join((tag, *elements)).rstrip("*")


def number(value: int, width: int) -> str:
    """A control number of ours (I12, 28, 329), zero padded to `width`."""
    if not 0 <= value <= limits.control_number_max:
        raise ValueError(f"control number {value} has not one to nine digits")
    return f"{value:0{width}d}"


def write_interchange(
    route: Route, segments: Sequence[str], *, groups: int, control: int, at: datetime
) -> bytes:
    """ISA, the segments, IEA."""
    form, when = route.form, utc(at)
    isa = [
        "ISA", "00", " " * 10, "00", " " * 10,
        *_address(route.sender, form), *_address(route.receiver, form),
        when.strftime("%y%m%d"), when.strftime("%H%M"),
        form.standards, form.version, number(control, 9), "0",
        clean(route.usage, form, 1) or "P", form.delimiters.component,
    ]  # fmt: skip
    iea = segment("IEA", str(groups), number(control, 9))
    texts = ["*".join(isa), *segments, iea]
    return "".join([text + form.delimiters.terminator for text in texts]).encode("latin-1", "replace")


def write_set(
    route: Route,
    body: Sequence[str],
    *,
    functional_id: str,
    set_type: str,
    numbers: ControlNumbers,
    at: datetime,
) -> bytes:
    """An interchange of one group (GS01 `functional_id`) of one set (ST01, 143) around its `body`."""
    form, when = route.form, utc(at)
    sender = clean(route.group_sender, form, 15) or clean(route.sender.id, form, 15)
    receiver = clean(route.group_receiver, form, 15) or clean(route.receiver.id, form, 15)
    group_number, set_number = number(numbers.group, 1), number(numbers.set, 4)
    version = clean(route.version, form, 12) if route.version[:6] in RELEASES else form.release
    date, time = when.strftime("%Y%m%d"), when.strftime("%H%M")
    segments = [
        segment("GS", functional_id, sender, receiver, date, time, group_number, "X", version),
        segment("ST", set_type, set_number),
        *body,
        segment("SE", str(len(body) + 2), set_number),
        segment("GE", "1", group_number),
    ]
    return write_interchange(route, segments, groups=1, control=numbers.interchange, at=at)


def _address(address: Address, form: Form) -> tuple[str, str]:
    """Qualifier (I05) and id (I06, I07) at their fixed widths."""
    return f"{clean(address.qualifier, form, 2):<2}", f"{clean(address.id, form, 15):<15}"


def utc(at: datetime) -> datetime:
    """A time without zone is taken as UTC: the machine's zone never counts."""
    return at.astimezone(UTC) if at.tzinfo else at
