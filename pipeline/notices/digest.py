"""What the template of a digest is given: one mail that tells of everything of an hour."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from pipeline.notices.contexts import Context, LinesCancelled, NoticeLine, OrderCancelled, Total
from storage.quantities import plain

_FIGURES = ("quantity", "ordered", "fulfilled", "cancelled", "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestItem:
    """One notice as a part of a digest, in the words of the e-mail it would have been by itself."""

    headline: str
    lead: str
    advice: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]  # label and value
    moved: str  # the heading over what was cancelled, or asked for
    lines: tuple[NoticeLine, ...]
    lines_left_out: int
    totals: tuple[Total, ...]
    problems: tuple[str, ...]
    link: str  # to the order in the app; "" when there is none


def content_of(item: DigestItem) -> str:
    """As it is kept until the digest is made."""
    return json.dumps(asdict(item), default=_plain, ensure_ascii=False, separators=(",", ":"))


def item_of(content: str) -> DigestItem:
    """What `content_of` kept."""
    said: dict[str, Any] = json.loads(content)
    return DigestItem(
        **{name: said[name] for name in ("headline", "lead", "moved", "lines_left_out", "link")},
        advice=tuple(said["advice"]),
        facts=tuple((label, value) for label, value in said["facts"]),
        lines=tuple(NoticeLine(**_exact(line) | {"items": tuple(line["items"])}) for line in said["lines"]),
        totals=tuple(Total(**_exact(total)) for total in said["totals"]),
        problems=tuple(said["problems"]),
    )


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    raise TypeError(f"{value!r} is nothing a digest holds")


def _exact(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: Decimal(value) if name in _FIGURES and value is not None else value
        for name, value in said.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest(Context):
    """Everything that one person is told of for an hour; the person chose so."""

    TEMPLATE: ClassVar[str] = "digest"

    company: str
    counted: str  # "2 cancellations and 1 refusal"
    items: tuple[DigestItem, ...]
    part: int  # of so many parts, where one mail cannot hold them all
    parts: int
    link: str  # where the reader chooses

    @classmethod
    def example(cls) -> "Digest":
        """A message as it could be."""
        part, whole = LinesCancelled.example(), OrderCancelled.example()
        common: dict[str, Any] = {"moved": "Cancelled now", "lines_left_out": 0, "problems": ()}
        first = DigestItem(
            **common, headline="Part of PO 4500012 is cancelled",
            lead="Acme Stores cancelled 18 units on 1 line of PO 4500012: do not pick, pack or ship any of"
            " these.",
            advice=("The rest of the order stands: 22 units still open.",),
            facts=(("Order now", part.status), ("When", "2026-11-23 14:05 UTC")),
            lines=part.lines, totals=part.totals, link="https://orders.hub.example/orders/12",
        )  # fmt: skip
        second = DigestItem(
            **common, headline="PO 4500019 is cancelled",
            lead="Acme Stores cancelled the whole of PO 4500019, 60 units on 2 lines: do not pick, pack or"
            " ship any of it.",
            advice=("This cannot be undone.",),
            facts=(("Reason", whole.reason), ("Their note", whole.note), ("Order now", whole.status)),
            lines=whole.lines, totals=whole.totals, link="https://orders.hub.example/orders/19",
        )  # fmt: skip
        return cls(
            hub="Example Hub", support="edi-support@example.com",
            at=datetime(2026, 11, 23, 15, 5, tzinfo=UTC), source="gathered for an hour, as you chose",
            company="Bolt Supply", counted="2 cancellations", items=(first, second), part=1, parts=1,
            link="https://orders.hub.example/company#mail",
        )  # fmt: skip
