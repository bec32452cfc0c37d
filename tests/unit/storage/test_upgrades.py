"""A database that an earlier version wrote is brought up to date with everything in it."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, exc, inspect, text

from storage import held, interchanges, messages, order_lists, outbox
from storage.database import Database, DatabaseUnavailable
from storage.database.schema import MIGRATIONS
from storage.invariants import audit
from storage.models import METADATA
from storage.order_lists import Wanted
from storage.outcomes import Outcome
from storage.states import HeldStatus
from tests.unit.storage.build import AT, cut, figures, later, order, place, submit, withdraw

NOW = "2026-03-04 12:30:00.000000"
SHA256 = "0db3242e563e04a231ef6d7e42c8f22673afe9b6a56ca40915339cdf9e4f207d"  # of ISA*~

# Where the chain of the order below ends; a hash once written stands for ever, on every system.
LAST_HASH = "da5bd748ece461c96b934074df580e95cb5d0856a198c5eac78fc39865c83839"

# What the first schema's program left behind: an order shipped twice and cut, a held and a parked set.
WRITTEN: dict[str, list[tuple[Any, ...]]] = {
    "orders": [
        (1, "acme", "bolt", "4500012", "", "7", "partly_fulfilled", NOW, "2026-03-01", "as sent", False),
    ],
    "order_line": [
        (1000001, 1, 1, "1", True, "EA", "", 0, True, "Bolts", 10_000_000, 5_000_000, 2_000_000, 0),
        (1000002, 1, 2, "2", True, "EA", "", 0, True, "Nuts", 5_000_000, 0, 0, 0),
    ],
    "order_line_id": [(1000001, 1, "UP", "012345678901", "gtin")],
    "received_file": [
        (1, "acme", "acme", "drop.edi", b"drop.edi", SHA256, 5, b"ISA*~", NOW, NOW, "done", "done", 1, "",
         NOW),
    ],
    "interchange": [
        (1, 1, 1, "acme", "ZZ:ACME", "ZZ:HUB", "1", "P", "260304", "1230", "hash", "accepted",
         '["acme","ZZ:ACME","ZZ:HUB","1","P"]', "[]"),
    ],
    "transaction_set": [
        (1, 1, 1, "1", "PO", "0001", "850", "applied", 1, "4500012", "set", "[]", "[]", "{}", NOW),
        (2, 1, 2, "1", "PR", "0002", "855", "held", 1, "4500012", "set", "[]", "[]", "{}", NOW),
        (3, 1, 3, "1", "PC", "0003", "860", "parked", None, "77", "set", "[]", "[]", "{}", NOW),
    ],
    "document": [("acme", "850", "4500012", "as sent", 1, NOW)],
    "event": [
        (1, 1, 1, "order_placed", False, "acme", NOW, "", "", "", "[]", 1, 1, "", "drop.edi", "1", "1",
         "0001", "850"),
        (2, 1, 2, "lines_fulfilled", False, "bolt", NOW, "", "", "", '["Shipment S1."]', 1, None, "", "a.edi",
         "2", "1", "0001", "856"),
        (3, 1, 3, "lines_fulfilled", False, "bolt", NOW, "", "", "", '["Shipment S.2 (b)."]', 1, None, "",
         "b.edi", "3", "1", "0001", "856"),
        (4, 1, 4, "lines_cancelled", False, "acme", NOW, "", "", "", '["Shipment S1."]', 1, None, "", "c.edi",
         "4", "1", "0001", "860"),
    ],
    "event_line": [
        (1, 1000001, 10_000_000, "", ""),
        (1, 1000002, 5_000_000, "", ""),
        (2, 1000001, 4_000_000, "", ""),
        (3, 1000001, 1_000_000, "", ""),
        (4, 1000001, 2_000_000, "", ""),
    ],
    "held": [
        (1, None, None, "1", "bolt", "Which?", '[{"name": "ignore", "effect": "nothing"}]', "answered",
         "ignore", "ann", "", NOW, NOW),
        (7, 2, 1, "4500012", "acme", "Which?", '[{"name": "ignore", "effect": "nothing"}]', "open", "", "",
         "", NOW, None),
    ],
    "parked": [(1, 3, "acme", "acme", "bolt", "77", "", NOW, NOW, "waiting")],
    "outbox": [
        (1, "email", "", "a@b.example", "Cut", b"Two units.", "Two units.", "", "<1@hub>", "event:4:bolt", 4,
         1, None, "sent", 1, "", NOW, NOW, NOW, None),
        (2, "acknowledgment", "acme", "acme", "997", b"ISA", "ISA", "", "997_1.edi", "answer:1", None, None,
         1, "sent", 1, "", NOW, NOW, NOW, None),
        (3, "acknowledgment", "acme", "acme", "997", b"ISA", "ISA", "", "997_1.edi", "resend:2:1", None, None,
         1, "new", 0, "", NOW, NOW, None, 2),
    ],
    "sequence": [("interchange:acme", 1)],
}  # fmt: skip


@pytest.fixture(params=[("sqlite", "0001"), ("postgresql", "0001"), ("postgresql", "0002")], ids="-".join)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """The first schema, filled; not upgraded yet, or by one step."""
    system, revision = request.param
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if system == "postgresql":
        url = request.getfixturevalue("postgres_server").new_database("template0")
    engine = create_engine(url)
    with engine.begin() as tx:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = tx
        command.upgrade(config, "0001")
        mark = "?" if system == "sqlite" else "%s"
        if system == "postgresql":
            tx.exec_driver_sql("SET LOCAL timezone = 'UTC'")
        for table, rows in WRITTEN.items():
            for row in rows:
                tx.exec_driver_sql(f"INSERT INTO {table} VALUES ({', '.join([mark] * len(row))})", row)  # noqa: S608
            if system == "postgresql" and "id" in METADATA.tables[table].c:
                _count_on(tx, table, rows[-1][0])
        command.upgrade(config, revision)
    engine.dispose()
    database = Database(url)
    yield database
    database.close()


def _count_on(tx: Connection, table: str, last: int) -> None:
    """Numbers given by hand are not counted by PostgreSQL."""
    place = tx.execute(text(f"SELECT pg_get_serial_sequence('{table}', 'id')")).scalar_one()
    if place is not None:
        tx.execute(text("SELECT setval(CAST(:place AS regclass), :last)"), {"place": place, "last": last})


_DROPPED = (6, 7)  # the places of the outbox's body_text and body_html, whose words are in the payload


def kept(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """What today's schema still has of a row."""
    dropped = _DROPPED if table == "outbox" else ()
    return tuple(value for place, value in enumerate(row) if place not in dropped)


def written(tx: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table as far as the first schema knew its columns, which come first."""
    return {
        table: [
            tuple(map(_plain, tuple(row)[: len(kept(table, rows[0]))]))
            for row in tx.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608
        ]
        for table, rows in WRITTEN.items()
    }


def _plain(value: Any) -> Any:
    """A value as SQLite shows it, which has neither times nor JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, list | dict) else value


def test_nothing_is_lost_and_every_law_holds(database: Database) -> None:
    assert database.current() in ("0001", "0002")
    if database.dialect != "sqlite":
        with pytest.raises(DatabaseUnavailable, match="run `countermand db upgrade`"), database.reading():
            pass
        database.upgrade()
    with database.reading() as tx:
        assert written(tx) == {name: [kept(name, row) for row in rows] for name, rows in WRITTEN.items()}
        assert audit(tx) == ()
        assert tx.execute(text("SELECT last_sequence, last_hash FROM orders")).one() == (4, LAST_HASH)
        indexes = {index["name"] for index in inspect(tx).get_indexes("held")}
        assert indexes == {"held_set_id_index", "held_open"}
        assert not inspect(tx).has_table("_alembic_tmp_held")
    with pytest.raises(exc.IntegrityError, match="rows of event are facts"), database.writing() as tx:
        tx.execute(text("UPDATE event SET reference = 'other'"))


def test_shipments_recorded_before_have_their_names(database: Database) -> None:
    database.upgrade()
    with database.writing() as tx:
        assert [event.reference for event in order(tx).events] == ["", "S1", "S.2 (b)", ""]
        assert submit(tx, withdraw(shipment="S.2 (b)")).outcome is Outcome.APPLIED
        assert figures(tx) == {"1": (10, 4, 2, 0), "2": (5, 0, 0, 0)}
        assert submit(tx, withdraw(shipment="S3")).outcome is Outcome.REFUSED
        assert audit(tx) == ()


def test_work_goes_on_where_it_was_left(database: Database) -> None:
    database.upgrade()
    with database.writing() as tx:
        assert submit(tx, cut("2", "5")).outcome is Outcome.APPLIED
        assert submit(tx, place("1", po="new")).outcome is Outcome.APPLIED
        assert order(tx).summary.revision == "7"
        (question,) = held.list_held(tx)
        assert (question.id, question.expires_at) == (7, None)
        held.mark_expired(tx, 7, later(60))
        interchanges.close_set(tx, 2, outcome=Outcome.REFUSED, at=later(60))
        assert [one.id for one in held.list_held(tx, status=HeldStatus.EXPIRED)] == [7]
        outbox.mark_answered(tx, 2, verdict="rejected", note="", at=AT, set_id=1)
        assert [message.verdict for message in messages.list_messages(tx)][:3] == ["", "rejected", ""]
        assert order_lists.first_to_answer(tx, Wanted(), 50) == ()
        assert audit(tx) == ()
