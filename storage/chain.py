"""The chain of an order's events: each carries a hash of what it says and of the event before it.

What is hashed is JSON, so that no two facts are written alike, and made of plain values that are the same on
every database system: whole numbers (quantities in millionths), text, and moments in UTC to the microsecond.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from storage.commands import Reason
from storage.database.columns import millionths
from storage.evolve import LINES_MAX
from storage.orders import ZERO, LineState

# A hash once written stands for ever, so the form belongs to the version of the event: another form takes
# another version beside this one, and never replaces it.
VERSIONS = (1,)

#: The columns of an event that its hash covers, in this order; its lines follow.
EVENT_COLUMNS = (
    *("sequence", "kind", "declined", "by_party", "at", "reason_code", "reason_text", "note", "notes"),
    *("version", "set_id", "source_actor", "source_file", "source_interchange", "source_group"),
    *("source_set", "source_type", "reference"),
)
#: The columns of an order that never change; the hash of its first event covers them.
ORDER_COLUMNS = ("buyer", "seller", "po_number", "release", "placed_at", "ordered_on", "content_hash")
#: The words of a line that never change; the hash of the event that placed it covers them, and its ids.
LINE_COLUMNS = ("line", "assigned", "unit", "pack_unit", "pack_size", "discrete", "description")

_encoded = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class End:
    """Where the chain of an order ends: the number of its last event, and that one's hash."""

    sequence: int = 0
    hash: str = ""


def link(before: str | Sequence[object], event: Iterable[object], lines: Sequence[Sequence[object]]) -> str:
    """The hash of an event; all values are plain.

    `before` is the hash of the event before it, or of the first event's order the ORDER_COLUMNS; `event` are
    the EVENT_COLUMNS; `lines` have, in the order of the places, place, quantity, reason code and text, and
    settled units, and when the event placed the line also its LINE_COLUMNS and the list of its ids.
    """
    return sha256(_encoded([before, *event, lines]).encode("ascii")).hexdigest()


def plain(value: Any) -> Any:
    """A value of a row as it is hashed."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return millionths(value)
    return int(value) if isinstance(value, bool) else value


def moved(line_id: int, quantity: Decimal, reason: Reason, settled: Decimal = ZERO) -> tuple[object, ...]:
    """A line of an event."""
    return line_id % LINES_MAX, millionths(quantity), reason.code, reason.text, millionths(settled)


def placed(line: LineState) -> tuple[object, ...]:
    """A line of the event that placed it: as `moved`, then its LINE_COLUMNS, and its ids."""
    return (
        line.id % LINES_MAX,
        millionths(line.ordered),
        "",
        "",
        0,
        line.line,
        int(line.assigned),
        line.unit,
        line.pack_unit,
        millionths(line.pack_size),
        int(line.discrete),
        line.description,
        [(item.qualifier, item.id, item.scheme) for item in line.ids],
    )
