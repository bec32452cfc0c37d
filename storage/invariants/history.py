"""One walk over all events, order by order: the chain, and a recount of every line from nothing."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from storage import chain
from storage.evolve import LINES_MAX
from storage.invariants.law import Found, Invariant

CHAIN, COUNTERS, POSSIBLE = "chain", "counters", "possible"
LAWS = (
    Invariant(
        CHAIN, "G9", "Every event says what it said when it was written, and none was put in or taken out."
    ),
    Invariant(
        COUNTERS,
        "G4",
        "Every counter of a line is what its order's events, counted again from nothing, come to.",
    ),
    Invariant(
        POSSIBLE,
        "G5",
        "Every event could happen at its place in the order's history: it moved only units that were there.",
    ),
)

_PAGE = 500  # orders at a time
_ORDERS = f"""
    SELECT id, last_sequence, last_hash, {", ".join(chain.ORDER_COLUMNS)}
    FROM orders WHERE id > :after ORDER BY id LIMIT :page
"""  # noqa: S608 - column names of ours
_EVENTS = f"""
    SELECT order_id, id, hash, {", ".join(chain.EVENT_COLUMNS)}
    FROM event WHERE order_id BETWEEN :first AND :last ORDER BY order_id, sequence
"""  # noqa: S608
_MOVED = """
    SELECT m.event_id, m.line_id, m.quantity, m.reason_code, m.reason_text, m.settled
    FROM event e JOIN event_line m ON m.event_id = e.id
    WHERE e.order_id BETWEEN :first AND :last ORDER BY m.event_id, m.line_id
"""
_WORDS = [
    f"CAST({name} AS INTEGER)" if name in ("assigned", "discrete") else name for name in chain.LINE_COLUMNS
]
_LINES = f"""
    SELECT order_id, id, ordered, fulfilled, cancelled, declined, requested, withdrawn, {", ".join(_WORDS)}
    FROM order_line WHERE id BETWEEN :first_line AND :last_line
"""  # noqa: S608
_IDS = """
    SELECT line_id, qualifier, id, scheme
    FROM order_line_id WHERE line_id BETWEEN :first_line AND :last_line ORDER BY line_id, ordinal
"""

_AT, _NOTES = chain.EVENT_COLUMNS.index("at"), chain.EVENT_COLUMNS.index("notes")
_VERSION = chain.EVENT_COLUMNS.index("version")
_PLACED_AT = chain.ORDER_COLUMNS.index("placed_at")

# What one unit adds to a line's counters, as _LINES has them. A settled unit is no longer requested.
_NOTHING = (0, 0, 0, 0, 0, 0)
_PLACING = ("order_placed", "lines_added")
_CANCELLING = ("order_cancelled", "lines_cancelled")
_EFFECTS = {
    "order_placed": (1, 0, 0, 0, 0, 0),
    "lines_added": (1, 0, 0, 0, 0, 0),
    "units_added": (1, 0, 0, 0, 0, 0),
    "lines_fulfilled": (0, 1, 0, 0, 0, 0),
    "shipment_withdrawn": (0, -1, 0, 0, 0, 1),
    "order_cancelled": (0, 0, 1, 0, 0, 0),
    "lines_cancelled": (0, 0, 1, 0, 0, 0),
    "cancellation_requested": (0, 0, 0, 0, 1, 0),
}
_DECLINED = (0, 0, 1, 1, 0, 0)  # cancelled by the seller's own statement

Counters = tuple[int, ...]
# Rows as the driver gives them: of many millions, each object more would be felt.
Row = tuple[Any, ...]


def walk(tx: Connection) -> Iterator[Found]:
    """Every breach of LAWS, in the order of orders."""
    last = 0
    while orders := _rows(tx, _ORDERS, {"after": last, "page": _PAGE}):
        first, last = orders[0][0], orders[-1][0]
        page = _read(tx, first, last)
        for order in orders:
            yield from page.check(*order)


@dataclass(slots=True)
class _Page:
    """The lines and events of some orders, as rows of the queries above."""

    lines: dict[int, list[Row]]  # by order id
    words: dict[int, Row]  # the LINE_COLUMNS and the ids of a line, by its id
    events: dict[int, list[Row]]  # by order id, in their sequence
    moved: dict[int, list[Row]]  # by event id

    def check(self, order_id: int, last_sequence: int, last_hash: str, *words: Any) -> Iterator[Found]:
        """Every breach in one order."""
        before: str | list[Any] = _placed(words)
        sequence = 0
        counted: dict[int, Counters] = {}
        for _, event_id, digest, *said in self.events.get(order_id, ()):
            moved, kind = self.moved.get(event_id, []), said[1]
            place = {"order_id": order_id, "event_id": event_id, "sequence": said[0]}
            known = said[_VERSION] in chain.VERSIONS
            if not known or chain.link(before, _said(said), self._hashed(kind, moved)) != digest:
                yield CHAIN, place
            for _, line_id, quantity, _, _, settled in moved:
                line = counted.get(line_id)
                counted[line_id] = after = _counted(line, kind, said[2], quantity, settled)
                placed = (line is None) == (kind in _PLACING)
                if not (placed and 0 <= settled <= quantity and _possible(after)):
                    yield POSSIBLE, {**place, "kind": kind, "line_id": line_id}
            before, sequence = digest, said[0]
        if (sequence, before) != (last_sequence, last_hash):
            yield CHAIN, {"order_id": order_id, "sequence": last_sequence, "last": "missing, or another"}
        for line in self.lines.get(order_id, ()):
            if counted.get(line[1], _NOTHING) != line[2:8]:
                yield COUNTERS, {"order_id": order_id, "line": line[8]}

    def _hashed(self, kind: str, moved: list[Row]) -> list[Row]:
        """The lines of an event as its hash covers them."""
        if kind not in _PLACING:
            return [(line[1] % LINES_MAX, *line[2:]) for line in moved]
        return [(line[1] % LINES_MAX, *line[2:], *self.words.get(line[1], ())) for line in moved]


def _read(tx: Connection, first: int, last: int) -> _Page:
    orders = {"first": first, "last": last}
    lines = {"first_line": first * LINES_MAX, "last_line": (last + 1) * LINES_MAX}
    page = _Page(defaultdict(list), {}, defaultdict(list), defaultdict(list))
    ids: dict[int, list[Row]] = defaultdict(list)
    for row in _rows(tx, _IDS, lines):
        ids[row[0]].append(row[1:])
    for row in _rows(tx, _LINES, lines):
        page.lines[row[0]].append(row)
        page.words[row[1]] = (*row[8:], ids.get(row[1], ()))
    for row in _rows(tx, _MOVED, orders):
        page.moved[row[0]].append(row)
    for row in _rows(tx, _EVENTS, orders):
        page.events[row[0]].append(row)
    return page


def _rows(tx: Connection, query: str, values: Mapping[str, int]) -> list[Row]:
    """All rows, past SQLAlchemy's own row objects."""
    with tx.execute(text(query), values) as result:
        cursor: Any = result.cursor
        rows: list[Row] = cursor.fetchall()
    return rows


def _counted(line: Counters | None, kind: str, declined: bool, quantity: int, settled: int) -> Counters:
    """The counters of a line after an event."""
    if line is None and kind in _PLACING:
        return (quantity, 0, 0, 0, 0, 0)
    effect = _DECLINED if declined and kind in _CANCELLING else _EFFECTS.get(kind, _NOTHING)
    counters = [had + quantity * more for had, more in zip(line or _NOTHING, effect, strict=True)]
    counters[4] -= settled
    return tuple(counters)


def _possible(line: Counters) -> bool:
    ordered, fulfilled, cancelled, declined, requested, _ = line
    return min(line) >= 0 and fulfilled + cancelled + requested <= ordered and declined <= cancelled


def _placed(words: Sequence[Any]) -> list[Any]:
    """The ORDER_COLUMNS as they are hashed."""
    plain = [chain.plain(word) for word in words]
    plain[_PLACED_AT] = _moment(words[_PLACED_AT])
    return plain


def _said(values: Sequence[Any]) -> list[Any]:
    """The EVENT_COLUMNS as they are hashed."""
    said = [*values]
    said[2] = int(values[2])
    said[_AT] = _moment(values[_AT])
    if isinstance(values[_NOTES], str):
        said[_NOTES] = json.loads(values[_NOTES]) if values[_NOTES] != "[]" else []
    return said


def _moment(value: str | datetime) -> Any:
    """SQLite keeps moments as text, in UTC."""
    return f"{value.replace(' ', 'T')}+00:00" if isinstance(value, str) else chain.plain(value)
