"""What each e-mail template is given: one frozen, typed context per template, with an example of each."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from pipeline.notices.shapes import (
    AT,
    BENCH,
    CHAIR,
    COMMON,
    FINDINGS_MAX,
    LINES_MAX,
    NoticeLine,
    Party,
    Problem,
    Total,
    example_line,
    totals_of,
)

__all__ = [
    "FINDINGS_MAX",
    "LINES_MAX",
    "AnswerMissed",
    "AnswerRejected",
    "Cancellation",
    "CancellationRefused",
    "CancellationRequested",
    "Context",
    "DocumentRefused",
    "DocumentRejected",
    "LinesCancelled",
    "Notice",
    "NoticeLine",
    "OrderCancelled",
    "Party",
    "PasswordLink",
    "Problem",
    "RequestLapsed",
    "RequestRefused",
    "RequestWithdrawn",
    "Total",
    "totals_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(ABC):
    """What every message says of itself."""

    TEMPLATE: ClassVar[str]

    hub: str
    support: str  # the hub's address for questions; "" when it has none
    pass_on: str = ""  # set when there was no address for this party and the hub's support reads instead
    source: str  # the document or the person that said so
    at: datetime
    order_link: str = ""  # to the order in the app, for its parties; "" where there is none

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
            example_line("1", CHAIR, 48),
            example_line("2", BENCH, 12),
        )
        return cls(
            **COMMON, lines=lines, lines_left_out=0, lines_cancelled=2, totals=totals_of(lines),
            reason="Item discontinued [R9]", note="Range withdrawn for spring; no substitute wanted.",
            status="Cancelled: nothing is open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesCancelled(Cancellation):
    """Units of some lines were cancelled; only those lines are listed."""

    TEMPLATE: ClassVar[str] = "lines_cancelled"

    remaining: str  # what is open on the whole order, in words; "" when nothing is
    agreed: bool = False  # the reader had asked for it

    @classmethod
    def example(cls) -> "LinesCancelled":
        """A message as it could be."""
        lines = (example_line("1", CHAIR, 48, cut=18, fulfilled=20),)
        return cls(
            **COMMON, lines=lines, lines_left_out=0, totals=totals_of(lines), remaining="22 units",
            reason="", note="",
            status="Partly fulfilled: 20 units fulfilled, 18 units cancelled, 22 units open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequested(Cancellation):
    """The buyer asks for a cancellation that takes effect when the seller agrees; the seller reads this."""

    TEMPLATE: ClassVar[str] = "cancellation_requested"

    answer_by: datetime | None = None  # the request lapses then
    waiting: str = ""  # how many units of the order wait in all, in words; "" when it is these alone
    is_reminder: bool = False  # it was sent before, and half of that time is over

    @classmethod
    def example(cls) -> "CancellationRequested":
        """A message as it could be."""
        lines = (example_line("1", CHAIR, 48, cut=0, fulfilled=20, asked=28),)
        return cls(
            **COMMON, lines=lines, lines_left_out=0, totals=totals_of(lines),
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
        lines = (example_line("1", CHAIR, 48, cut=0, fulfilled=20, asked=28),)
        common = COMMON | {
            "by": COMMON["other"], "other": COMMON["by"],
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
        lines = (example_line("1", CHAIR, 48, cut=0, fulfilled=20, asked=8),)
        return cls(
            **COMMON, lines=lines, lines_left_out=0, totals=totals_of(lines), reason="", note="",
            status="Partly fulfilled: 20 units fulfilled, 28 units open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLapsed(Cancellation):
    """The seller (`by`) did not answer in time what the buyer asked to cancel; the buyer reads this."""

    TEMPLATE: ClassVar[str] = "request_lapsed"

    @classmethod
    def example(cls) -> "RequestLapsed":
        """A message as it could be."""
        return cls(**_lapsed())


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMissed(Cancellation):
    """The same, for the seller: it cannot agree any more."""

    TEMPLATE: ClassVar[str] = "answer_missed"

    @classmethod
    def example(cls) -> "AnswerMissed":
        """A message as it could be."""
        return cls(**_lapsed())


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
    requested: str  # what the other side was asked to agree to, in words; "" when nothing was
    status: str
    also: str = ""  # other orders that the same document names, of which nothing was applied either

    @classmethod
    def example(cls) -> "CancellationRefused":
        """A message as it could be."""
        refused = (
            example_line(
                "2", BENCH, 12, cut=0, fulfilled=12, why="12 of 12 EA had left and cannot be cancelled."
            ),
        )  # fmt: skip
        return cls(
            **COMMON, refused=refused, problems=(), lines_left_out=0,
            fulfilled="12 units", cancelled="48 units", requested="",
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
    also: str = ""  # other orders that the same document names, of which nothing was applied either

    @classmethod
    def example(cls) -> "DocumentRefused":
        """A message as it could be."""
        refused = (
            example_line(
                "1", CHAIR, 48, cut=0, fulfilled=20, asked=40, why="To ship 40 EA: more than is open."
            ),
        )  # fmt: skip
        common = COMMON | {
            "by": COMMON["other"], "other": COMMON["by"],
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
            source="X12 855, interchange 000000123, group 7, set 0001, file bolt-0815.edi", at=AT,
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
    was_read: bool = False  # by the partner's system, which refused what it says (an 824)

    @classmethod
    def example(cls) -> "AnswerRejected":
        """A message as it could be."""
        problem = Problem(
            place="Our 824, group 41",
            message="It was rejected (R): segment 5 (TED), element 1: 7 invalid code, value 141.",
            remedy="Look at the message with countermand outbox; correct the cause, and resend it.",
        )
        return cls(
            hub="Example Hub", support="edi-support@example.com", partner="Bolt Supply", at=AT,
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
            hub="Example Hub", support="edi-support@example.com", at=AT,
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


def _lapsed() -> dict[str, Any]:
    """The example of a request that was not answered in time."""
    lines = (example_line("1", CHAIR, 48, cut=0, fulfilled=20, asked=28),)
    by, other = COMMON["other"], COMMON["by"]
    said = {"by": by, "other": other, "source": "the clock of Example Hub: the time to answer was over"}
    return COMMON | said | {
        "lines": lines, "lines_left_out": 0, "totals": totals_of(lines), "reason": "", "note": "",
        "status": "Partly fulfilled: 20 units fulfilled, 28 units open",
    }  # fmt: skip
