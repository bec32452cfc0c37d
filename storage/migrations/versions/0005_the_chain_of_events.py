"""Every event carries a hash of itself and of the one before it; every order says where its chain ends."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage import chain
from storage.database.triggers import pause_facts

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PAGE = 500  # orders at a time
_LINES_MAX = 1_000_000  # of one order; a line's id is its order's id times this, and its place

_ORDERS = """
    SELECT id, buyer, seller, po_number, release, placed_at, ordered_on, content_hash
    FROM orders WHERE id > :after ORDER BY id LIMIT :page
"""
_EVENTS = """
    SELECT id, order_id, sequence, kind, declined, by_party, at, reason_code, reason_text, note, notes,
        version, set_id, source_actor, source_file, source_interchange, source_group, source_set, source_type,
        reference
    FROM event WHERE order_id BETWEEN :first AND :last ORDER BY order_id, sequence
"""
_MOVED = """
    SELECT m.event_id, m.line_id, m.quantity, m.reason_code, m.reason_text, m.settled
    FROM event e JOIN event_line m ON m.event_id = e.id
    WHERE e.order_id BETWEEN :first AND :last ORDER BY m.event_id, m.line_id
"""
_LINES = """
    SELECT id, line, assigned, unit, pack_unit, pack_size, discrete, description
    FROM order_line WHERE id BETWEEN :first_line AND :last_line
"""
_IDS = """
    SELECT line_id, qualifier, id, scheme
    FROM order_line_id WHERE line_id BETWEEN :first_line AND :last_line ORDER BY line_id, ordinal
"""


def upgrade() -> None:
    op.add_column("event", sa.Column("hash", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "orders", sa.Column("last_sequence", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("orders", sa.Column("last_hash", sa.Text(), nullable=False, server_default=""))
    allow, forbid = pause_facts("event", op.get_bind().dialect.name)
    op.execute(sa.text(allow))
    _chain_all()
    op.execute(sa.text(forbid))


def _chain_all() -> None:
    bind, last = op.get_bind(), 0
    while orders := bind.execute(sa.text(_ORDERS), {"after": last, "page": _PAGE}).all():
        first, last = orders[0].id, orders[-1].id
        lines = {"first_line": first * _LINES_MAX, "last_line": (last + 1) * _LINES_MAX}
        _chain(orders, {"first": first, "last": last}, lines)


def _chain(orders: Sequence[Any], page: Mapping[str, int], lines: Mapping[str, int]) -> None:
    """Write the hashes of the events of these orders."""
    bind = op.get_bind()
    ids: dict[int, list[Any]] = defaultdict(list)
    for line_id, *item in bind.execute(sa.text(_IDS), lines):
        ids[line_id].append(item)
    words = {
        line_id: [*map(chain.plain, rest), ids[line_id]]
        for line_id, *rest in bind.execute(sa.text(_LINES), lines)
    }
    moved: dict[int, list[Any]] = defaultdict(list)
    for event_id, line_id, *rest in bind.execute(sa.text(_MOVED), page):
        moved[event_id].append((line_id, rest))
    before: dict[int, Any] = {order.id: _placed(order[1:]) for order in orders}
    hashes, reached = [], {}
    for event_id, order_id, *said in bind.execute(sa.text(_EVENTS), page).all():
        new = said[1] in ("order_placed", "lines_added")
        moves = [
            [line_id % _LINES_MAX, *rest, *(words[line_id] if new else ())]
            for line_id, rest in moved[event_id]
        ]
        before[order_id] = digest = chain.link(before[order_id], _event(said), moves)
        hashes.append({"event": event_id, "digest": digest})
        reached[order_id] = {"order": order_id, "sequence": said[0], "digest": digest}
    bind.execute(sa.text("UPDATE event SET hash = :digest WHERE id = :event"), hashes)
    statement = "UPDATE orders SET last_sequence = :sequence, last_hash = :digest WHERE id = :order"
    bind.execute(sa.text(statement), [*reached.values()])


def _placed(values: Sequence[Any]) -> list[Any]:
    *key, placed_at, ordered_on, content_hash = values
    return [*key, _moment(placed_at), chain.plain(ordered_on), content_hash]


def _event(values: Sequence[Any]) -> list[Any]:
    said = [chain.plain(value) for value in values]
    said[4] = _moment(values[4])
    said[8] = json.loads(values[8]) if isinstance(values[8], str) else values[8]
    return said


def _moment(value: str | datetime) -> Any:
    """SQLite keeps moments as text, in UTC."""
    return value.replace(" ", "T") + "+00:00" if isinstance(value, str) else chain.plain(value)
