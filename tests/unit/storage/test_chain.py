"""The chain of events: its form never changes, and nothing can be changed behind it without being named."""

from datetime import date
from decimal import Decimal

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from storage import chain
from storage.commands import Reason
from storage.database.schema import MIGRATIONS
from storage.invariants import history
from storage.orders import ItemId, LineState
from tests.unit.storage import test_invariants
from tests.unit.storage.build import AT

MOVED_HASH = "a687ca645888067ee05439416f883215279588ac53ed940f4d842b136a36a0f0"
PLACED_HASH = "d7938fbfac91f570359d3a49504d58cda8b98186d88b0e41be64319cc9a838f3"

engine, story = test_invariants.engine, test_invariants.story

# Of the story in test_invariants.py: event 3 cancels order 1, whose lines event 1 placed.
EVENT = [
    *("kind = 'lines_cancelled'", "declined = NOT declined", "by_party = 'bolt'", "reason_code = '01'"),
    *("at = NULL", "reason_text = 'late'", "note = ''", "notes = '[\"all\"]'", "version = 2", "set_id = 1"),
    *("source_actor = 'ann'", "source_file = ''", "source_interchange = '2'", "source_group = '2'"),
    *("source_set = '2'", "source_type = '850'", "reference = 'S1'", "hash = 'ab'"),
]
ORDER = [
    *("buyer = 'bolt'", "seller = 'acme'", "po_number = '4'", "release = '1'", "content_hash = 'other'"),
    *("placed_at = NULL", "ordered_on = '2026-03-01'"),
]
LINE = [
    *("line = '9'", "assigned = NOT assigned", "unit = 'CA'", "pack_unit = 'CA'", "pack_size = 7"),
    *("discrete = NOT discrete", "description = 'Nuts'"),
]
MOVED = ["reason_code = '01'", "reason_text = 'late'", "quantity = quantity + 1", "settled = settled + 1"]
# A change, and the (order, event) that is named; None for the event: the order does not end where it says.
CHANGES = [
    *((f"UPDATE event SET {change} WHERE id = 3", (1, 3)) for change in EVENT),  # noqa: S608 - words of ours
    *((f"UPDATE orders SET {change} WHERE id = 1", (1, 1)) for change in ORDER),  # noqa: S608
    *((f"UPDATE order_line SET {change} WHERE id = 1000002", (1, 1)) for change in LINE),  # noqa: S608
    *(
        (f"UPDATE event_line SET {change} WHERE event_id = 3 AND line_id = 1000002", (1, 3))  # noqa: S608
        for change in MOVED
    ),
    ("DELETE FROM event_line WHERE event_id = 3 AND line_id = 1000002", (1, 3)),
    ("INSERT INTO event_line SELECT 3, 3000001, 0, '', '', 0 FROM orders WHERE id = 1", (1, 3)),
    ("UPDATE order_line_id SET id = '1' WHERE line_id = 1000002 AND ordinal = 1", (1, 1)),
    ("UPDATE order_line_id SET ordinal = 3 - ordinal WHERE line_id = 1000002", (1, 1)),
    ("DELETE FROM order_line_id WHERE line_id = 1000002 AND ordinal = 2", (1, 1)),
    ("DELETE FROM order_line WHERE id = 1000002", (1, 1)),
    ("DELETE FROM event WHERE id = 2", (1, 3)),
    ("DELETE FROM event WHERE id = 3", (1, None)),
    ("DELETE FROM event WHERE order_id = 2", (2, None)),
    ("UPDATE event SET sequence = sequence + 1 WHERE id = 3", (1, 3)),
    ("UPDATE event SET order_id = 2, sequence = 2 WHERE id = 3", (2, 3)),
    ("UPDATE orders SET last_hash = 'ab' WHERE id = 1", (1, None)),
    ("UPDATE orders SET last_sequence = 4 WHERE id = 1", (1, None)),
]  # fmt: skip


def test_whatever_was_changed_is_named(story: Connection) -> None:
    assert list(history.walk(story)) == []
    story.rollback()
    for statement, where in CHANGES:
        assert story.execute(text(statement)).rowcount > 0, statement
        assert where in named(story), statement
        story.rollback()


def test_a_hash_is_tied_to_the_one_before(story: Connection) -> None:
    story.execute(text("UPDATE event SET hash = 'ab' WHERE id = 2"))
    assert named(story) == [(1, 2), (1, 3)]


def test_the_form_never_changes() -> None:
    """Hashes in databases stand for ever: if this fails, the form needs a version of its own."""
    said = [2, "lines_cancelled", False, "acme", AT, "", "sold out", 'say "no"', ["a", "é"], 1, None]
    values = [chain.plain(value) for value in (*said, "", "drop.edi", "1", "1", "0001", "860", "S1")]
    assert len(values) == len(chain.EVENT_COLUMNS)
    lines = [chain.moved(1000001, Decimal("2.5"), Reason(code="01", text="late"), Decimal(1))]
    assert chain.link("ab", values, lines) == MOVED_HASH
    first = [chain.plain(value) for value in ("acme", "bolt", "4500012", "", AT, date(2026, 3, 1), "as sent")]
    new = LineState(
        id=-999999, line="1", assigned=True, ids=(ItemId("UP", "012345678905", "gtin"),), unit="EA",
        ordered=Decimal(10), fulfilled=Decimal(0), cancelled=Decimal(0), pack_size=Decimal("0.5"),
    )  # fmt: skip
    assert chain.link(first, values, [chain.placed(new)]) == PLACED_HASH


def test_a_ledger_from_before_the_chain_is_given_the_hashes_it_would_have(
    story: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The migration reads tables of its time and the ledger those of today: they must hash the same."""
    migration = ScriptDirectory(str(MIGRATIONS)).get_revision("0005").module
    monkeypatch.setattr(migration, "_PAGE", 2)  # three orders: the last page is another one
    written = hashes(story)
    story.execute(text("UPDATE event SET hash = ''"))
    story.execute(text("UPDATE orders SET last_sequence = 0, last_hash = ''"))
    with Operations.context(MigrationContext.configure(story)):
        migration._chain_all()
    assert hashes(story) == written
    assert list(history.walk(story)) == []


def hashes(tx: Connection) -> list[tuple[object, ...]]:
    """The hash of every event, and where every order says that it ends."""
    events = tx.execute(text("SELECT id, hash FROM event ORDER BY id"))
    ends = tx.execute(text("SELECT id, last_sequence, last_hash FROM orders ORDER BY id"))
    return [tuple(row) for row in (*events, *ends)]


def named(tx: Connection) -> list[tuple[object, object]]:
    """The order and the event of every breach of the chain."""
    return [(row["order_id"], row.get("event_id")) for name, row in history.walk(tx) if name == history.CHAIN]
