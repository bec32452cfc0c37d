"""What each e-mail template is given: one frozen, typed context per template, with an example of each."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from storage.orders import ZERO

LINES_MAX = 50  # shown in one message: webmails cut HTML off at 102 kB, and a line takes 1.1 kB
FINDINGS_MAX = 20  # shown in one message; `countermand check FILE` names them all


@dataclass(frozen=True, slots=True)
class Party:
    """Who, as people call it, and on which side of the order: buyer or seller."""

    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """A line of the order with its counters; `quantity` is what was cancelled now, or asked for."""

    line: str
    unit: str
    quantity: Decimal | None  # None: not said
    ordered: Decimal
    fulfilled: Decimal
    cancelled: Decimal
    open: Decimal
    items: tuple[str, ...] = ()  # in words: "Buyer item 12345"
    description: str = ""
    why: str = ""  # the reason, where the lines do not share one; or why it was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sum over lines of one unit of measure; units of different measure are never added up."""

    unit: str
    quantity: Decimal = ZERO
    ordered: Decimal = ZERO
    fulfilled: Decimal = ZERO
    cancelled: Decimal = ZERO
    open: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding in words, with its place and what to do about it."""

    place: str
    message: str
    remedy: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(ABC):
    """What every message says of itself."""

    TEMPLATE: ClassVar[str]

    hub: str
    support: str  # the hub's address for questions; "" when it has none
    pass_on: str = ""  # set when there was no address for this party and the hub's support reads instead
    source: str  # the document or the person that said so
    at: datetime

    @classmethod
    @abstractmethod
    def example(cls) -> "Context":
        """Values that show what the template can do; rendered at start-up and kept as a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation(Context, ABC):
    """Units were cancelled by one side; the other reads this."""

    by: Party
    other: Party
    po_number: str
    release: str
    lines: tuple[NoticeLine, ...]
    lines_left_out: int  # not shown for length; the totals count them
    totals: tuple[Total, ...]  # of the lines listed, and of those left out
    reason: str
    note: str
    status: str  # the order's, after


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(Cancellation):
    """The order as a whole was cancelled, as far as it was open. All its lines are listed."""

    TEMPLATE: ClassVar[str] = "order_cancelled"

    lines_cancelled: int  # how many of the lines lost units now

    @classmethod
    def example(cls) -> "OrderCancelled":
        """A message as it could be."""
        lines = (
            _line("1", _CHAIR, 48),
            _line("2", _BENCH, 12),
        )
        return cls(
            **_COMMON, lines=lines, lines_left_out=0, lines_cancelled=2, totals=totals_of(lines),
            reason="Item discontinued [R9]", note="Range withdrawn for spring; no substitute wanted.",
            status="Cancelled: nothing is open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesCancelled(Cancellation):
    """Units of some lines were cancelled; only those lines are listed."""

    TEMPLATE: ClassVar[str] = "lines_cancelled"

    remaining: str  # what is open on the whole order, in words; "" when nothing is

    @classmethod
    def example(cls) -> "LinesCancelled":
        """A message as it could be."""
        lines = (_line("1", _CHAIR, 48, cut=18, fulfilled=20),)
        return cls(
            **_COMMON, lines=lines, lines_left_out=0, totals=totals_of(lines), remaining="22 units",
            reason="", note="",
            status="Partly fulfilled: 20 units fulfilled, 18 units cancelled, 22 units open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequested(Cancellation):
    """The buyer asks for a cancellation that takes effect when the seller agrees; the seller reads this."""

    TEMPLATE: ClassVar[str] = "cancellation_requested"

    @classmethod
    def example(cls) -> "CancellationRequested":
        """A message as it could be."""
        lines = (_line("1", _CHAIR, 48, cut=0, fulfilled=20, asked=28),)
        return cls(
            **_COMMON, lines=lines, lines_left_out=0, totals=totals_of(lines),
            reason="Item deleted [DI]", note="",
            status="Partly fulfilled: 20 units fulfilled, 28 units open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused(Cancellation):
    """The seller does not agree to cancel what the buyer asked for; the buyer reads this."""

    TEMPLATE: ClassVar[str] = "request_refused"

    @classmethod
    def example(cls) -> "RequestRefused":
        """A message as it could be."""
        lines = (_line("1", _CHAIR, 48, cut=0, fulfilled=20, asked=28),)
        common = _COMMON | {
            "by": _COMMON["other"], "other": _COMMON["by"],
            "source": "X12 865, interchange 000000078, group 13, set 0001, file bolt-change-78.edi",
        }  # fmt: skip
        return cls(
            **common, lines=lines, lines_left_out=0, totals=totals_of(lines),
            reason="Rejected [RJ]", note="The goods are packed and wait for the truck.",
            status="Partly fulfilled: 20 units fulfilled, 28 units open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawn(Cancellation):
    """The buyer no longer asks for units to be cancelled, before the answer; the seller reads this."""

    TEMPLATE: ClassVar[str] = "request_withdrawn"

    @classmethod
    def example(cls) -> "RequestWithdrawn":
        """A message as it could be."""
        lines = (_line("1", _CHAIR, 48, cut=0, fulfilled=20, asked=8),)
        return cls(
            **_COMMON, lines=lines, lines_left_out=0, totals=totals_of(lines), reason="", note="",
            status="Partly fulfilled: 20 units fulfilled, 28 units open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRefused(Context):
    """A cancellation could not be carried out, or only in part; the side that asked reads this."""

    TEMPLATE: ClassVar[str] = "cancellation_refused"

    by: Party
    other: Party
    po_number: str
    release: str
    refused: tuple[NoticeLine, ...]  # lines with figures, and why not
    problems: tuple[str, ...]  # why not, where it is not about one line
    lines_left_out: int
    fulfilled: str  # what cannot be cancelled because it was fulfilled, in words; "" when that is not why
    cancelled: str  # what was cancelled all the same, in words; "" when nothing was
    status: str

    @classmethod
    def example(cls) -> "CancellationRefused":
        """A message as it could be."""
        refused = (
            _line("2", _BENCH, 12, cut=0, fulfilled=12, why="12 of 12 EA had left and cannot be cancelled."),
        )  # fmt: skip
        return cls(
            **_COMMON, refused=refused, problems=(), lines_left_out=0,
            fulfilled="12 units", cancelled="48 units",
            status="Complete, nothing is open: 12 units fulfilled, 48 units cancelled",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRefused(Context):
    """The ledger refused a partner's document; its sender reads this."""

    TEMPLATE: ClassVar[str] = "document_refused"

    by: Party
    other: Party
    po_number: str
    release: str
    type: str  # "855"; "" for what was entered by hand
    document: str  # "purchase order acknowledgment"
    refused: tuple[NoticeLine, ...]
    problems: tuple[str, ...]
    lines_left_out: int
    status: str  # "" when there is no such order

    @classmethod
    def example(cls) -> "DocumentRefused":
        """A message as it could be."""
        refused = (
            _line("1", _CHAIR, 48, cut=0, fulfilled=20, asked=40, why="To ship 40 EA: more than is open."),
        )  # fmt: skip
        common = _COMMON | {
            "by": _COMMON["other"], "other": _COMMON["by"],
            "source": "X12 856, interchange 000000077, group 12, set 0003, file bolt-asn-77.edi",
        }  # fmt: skip
        return cls(
            **common, type="856", document="ship notice", refused=refused, problems=(), lines_left_out=0,
            status="Partly fulfilled: 20 units fulfilled, 40 units open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRejected(Context):
    """Something a partner sent needs the hub's own support: it could not be used as it came."""

    TEMPLATE: ClassVar[str] = "document_rejected"

    file: str
    partner: str  # "" when nobody can tell
    what: str  # "the file", "interchange 000000123", "the 855 (set 0001)"
    became: str  # "could not be read", "is held", "was refused"
    quarantined: bool
    po_number: str
    problems: tuple[Problem, ...]
    problems_left_out: int
    question: str  # what a person must answer, for what is held
    choices: tuple[tuple[str, str], ...]  # the answers offered: word, what it does
    held: str  # the id to answer under; "" when nothing is held

    @classmethod
    def example(cls) -> "DocumentRejected":
        """A message as it could be."""
        problem = Problem(
            place="Set 0001, segment 7 (ACK), element 1",
            message='"IR" with 6 of 48 units and nothing else.',
            remedy="Send what is rejected and what is accepted, adding up to what was ordered.",
            code="ambiguous_rejection",
        )
        return cls(
            hub="Example Hub", support="edi-support@example.com", file="bolt-0815.edi", partner="Bolt Supply",
            source="X12 855, interchange 000000123, group 7, set 0001, file bolt-0815.edi", at=_AT,
            what="the 855 (set 0001)", became="is held", quarantined=False, po_number="4500012",
            problems=(problem,), problems_left_out=0, held="17",
            question="Does the seller reject 6 units of line 1, or accept only 6?",
            choices=(("cancel-6", "cancel 6 units of line 1"), ("ignore", "change nothing")),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRejected(Context):
    """A partner says that it did not take documents of ours; the hub's support reads this."""

    TEMPLATE: ClassVar[str] = "answer_rejected"

    partner: str
    problems: tuple[Problem, ...]  # one for each document, with what the partner said
    problems_left_out: int

    @classmethod
    def example(cls) -> "AnswerRejected":
        """A message as it could be."""
        problem = Problem(
            place="Our 824, group 41",
            message="It was rejected (R): segment 5 (TED), element 1: 7 invalid code, value 141.",
            remedy="Look at the message with countermand outbox; correct the cause, and resend it.",
        )
        return cls(
            hub="Example Hub", support="edi-support@example.com", partner="Bolt Supply", at=_AT,
            source="X12 997, interchange 000000124, group 8, set 0001, file bolt-997-124.edi",
            problems=(problem,), problems_left_out=0,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordLink(Context):
    """Somebody may set a password by a link that is good once; only this person reads it."""

    TEMPLATE: ClassVar[str] = "password_link"

    name: str  # of the person; "" when it is not known
    email: str
    company: str  # for whom this person signs in
    link: str
    good_until: datetime
    is_new: bool  # the first password, or another one

    @classmethod
    def example(cls) -> "PasswordLink":
        """A message as it could be."""
        return cls(
            hub="Example Hub", support="edi-support@example.com", at=_AT,
            source="entered by staff of Example Hub",
            name="Ada Baker", email="ada@acme.example", company="Acme Stores",
            link="https://orders.hub.example/password?link=3q2Yk0Wn0H8Jm1xQ6u5rTzB7cVdEfGhIjKlMnOpQrSt",
            good_until=datetime(2026, 11, 26, 14, 5, tzinfo=UTC), is_new=True,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message owed to one address; the same `dedupe_key` is the same message."""

    template: str
    context: Context
    to: str  # "" when neither the party nor the hub's support has an address
    dedupe_key: str


def totals_of(lines: tuple[NoticeLine, ...]) -> tuple[Total, ...]:
    """The sums per unit of measure, in the order the units first appear."""
    sums: dict[str, Total] = {}
    for line in lines:
        total = sums.get(line.unit, Total(unit=line.unit))
        sums[line.unit] = Total(
            unit=line.unit,
            quantity=total.quantity + (line.quantity or ZERO),
            ordered=total.ordered + line.ordered,
            fulfilled=total.fulfilled + line.fulfilled,
            cancelled=total.cancelled + line.cancelled,
            open=total.open + line.open,
        )
    return tuple(sums.values())


_CHAIR = ("Oak dining chair, natural oil finish", "30114", "0614141000012")
_BENCH = ("Oak bench 140 cm, natural oil finish", "30120", "0614141000029")
_AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
_COMMON: dict[str, Any] = {
    "hub": "Example Hub",
    "support": "edi-support@example.com",
    "by": Party("Acme Stores", "buyer"),
    "other": Party("Bolt Supply", "seller"),
    "po_number": "4500012",
    "release": "",
    "source": "X12 850, interchange 000000123, group 7, set 0001, file acme-0815.edi",
    "at": _AT,
}


def _line(
    line: str, article: tuple[str, str, str], ordered: int, *,
    cut: int | None = None, fulfilled: int = 0, asked: int | None = None, why: str = "",
) -> NoticeLine:  # fmt: skip
    """A line of an example: `cut` is cancelled now (everything when None), `asked` what was asked in vain."""
    cancelled = ordered if cut is None else cut
    description, item, upc = article
    return NoticeLine(
        line=line, description=description, items=(f"Buyer item {item}", f"UPC {upc}"), unit="EA", why=why,
        quantity=Decimal(asked) if asked is not None else Decimal(cancelled) if cancelled else None,
        ordered=Decimal(ordered), fulfilled=Decimal(fulfilled), cancelled=Decimal(cancelled),
        open=Decimal(ordered - fulfilled - cancelled),
    )  # fmt: skip
