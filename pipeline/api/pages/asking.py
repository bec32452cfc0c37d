"""Asking: what of a buyer's requests to cancel waits for the seller, request by request, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.amounts import amounts, total
from pipeline.api.pages.wording import time_left
from pipeline.reasons import reason_words
from storage.events import LedgerEvent
from storage.orders import LineState


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request of which something waits, as the seller's page shows it."""

    at: datetime
    amount: str
    lines: tuple[str, ...]
    reason: str
    note: str
    answer_by: datetime | None
    time_left: str  # "" when it waits for ever


def requests_of(asking: Iterable[LedgerEvent], lines: dict[int, LineState], now: datetime) -> list[Request]:
    """The requests that wait, first to last. `asking` have the units that do, and those alone."""
    return [
        Request(
            at=event.at,
            amount=total([(units.quantity, lines[units.line_id].unit) for units in event.units]),
            lines=tuple(_line(units.quantity, lines[units.line_id]) for units in event.units),
            reason=reason_words(event.reason),
            note=event.note,
            answer_by=event.answer_by,
            time_left=time_left(event.answer_by, now) if event.answer_by else "",
        )
        for event in asking
    ]


def _line(quantity: Decimal, line: LineState) -> str:
    """How many units of a line, of how many that are open."""
    name = f"Line {line.line}" + (f", {line.description}" if line.description else "")
    asked, left = amounts([(quantity, line.unit)]), amounts([(line.open, line.unit)])
    return f"{name}: {asked} of {left} that {'is' if line.open == 1 else 'are'} open"
