"""The database keeps the law by itself: every constraint and trigger is seen to bite, by raw SQL."""

# ruff: noqa: S608 (the tables and columns named in statements are this file's own)

import pytest
from sqlalchemy import exc, text

from storage import outbox
from storage.database import Database
from storage.database.triggers import APPEND_ONLY
from tests.postgres import PostgresServer
from tests.unit.storage.build import AT, place, ship, submit, upload

# What each system says of a broken law, just before the law's name.
CHECKED = '(CHECK constraint failed: |violates check constraint ")'
REFERRED = "(FOREIGN KEY constraint failed|violates foreign key constraint)"
UNIQUE = "(UNIQUE constraint failed|violates unique constraint)"


def refuse(database: Database, statement: str, match: str) -> None:
    """The statement fails with these words."""
    with database.writing() as tx:
        submit(tx, place("10"), key="850")
        submit(tx, ship(line_1="4"), key="856")
        outbox.enqueue(tx, upload("997:1"), AT)
    with pytest.raises(exc.IntegrityError, match=match), database.writing() as tx:
        tx.execute(text(statement))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("cancelled = cancelled + 6000001", "conservation|requested_open"),
        ("fulfilled = fulfilled + 6000001", "conservation|requested_open"),
        ("cancelled = 1000000, declined = 1000001", "declined_within_cancelled"),
        ("requested = 6000001", "requested_open"),
        ("requested = 6000000, cancelled = 1", "requested_open"),
        ("requested = -1", "requested_open"),
    ],
)
def test_counters_keep_the_law(database: Database, change: str, constraint: str) -> None:
    refuse(database, f"UPDATE order_line SET {change}", f"{CHECKED}order_line_({constraint})")


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE order_line SET cancelled = 'ten'", "conservation|cancelled_whole"),
        ("UPDATE order_line SET ordered = 20000000.5", "ordered_whole"),
        ("UPDATE order_line SET fulfilled = fulfilled + 0.5", "fulfilled_whole"),
        ("UPDATE order_line SET cancelled = 1000000, declined = 0.5", "declined_whole"),
        ("UPDATE order_line SET requested = 0.5", "requested_whole"),
        (
            "UPDATE order_line SET fulfilled = fulfilled - 0.5, withdrawn = 0.5",
            "fulfilled_whole|withdrawn_whole",
        ),
        ("INSERT INTO event_line VALUES (2, 1000001, 0.5, '', '', 0)", "quantity_whole"),
        ("INSERT INTO event_line VALUES (2, 1000001, 1, '', '', 0.5)", "settled_whole"),
    ],
)
def test_sqlite_keeps_whole_numbers_only(sqlite_database: Database, statement: str, constraint: str) -> None:
    """PostgreSQL's type for them has no other."""
    refuse(sqlite_database, statement, f"{CHECKED}\\w+_({constraint})")


COUNTERS = ("ordered", "fulfilled", "cancelled", "declined", "requested", "withdrawn")


@pytest.mark.parametrize("counter", COUNTERS)
def test_no_counter_is_negative(database: Database, counter: str) -> None:
    figures = ", ".join("-1" if name == counter else "0" for name in COUNTERS)
    refuse(
        database,
        "INSERT INTO order_line SELECT 1000099, order_id, 99, '99', assigned, unit, pack_unit, pack_size,"
        f" discrete, description, {figures} FROM order_line",
        f"{CHECKED}order_line_",
    )


@pytest.mark.parametrize("counter", ["ordered", "fulfilled"])
def test_no_counter_falls(database: Database, counter: str) -> None:
    refuse(database, f"UPDATE order_line SET {counter} = {counter} - 1", "never falls")


@pytest.mark.parametrize("counter", ["cancelled", "declined"])
def test_a_cancellation_is_not_undone(database: Database, counter: str) -> None:
    with database.writing() as tx:
        submit(tx, place("10", po="other"))
        tx.execute(text("UPDATE order_line SET cancelled = 2000000, declined = 2000000"))
    refuse(database, f"UPDATE order_line SET {counter} = {counter} - 1 WHERE cancelled > 0", "never falls")


@pytest.mark.parametrize(
    "change",
    [
        "fulfilled = fulfilled - 1000000",
        "fulfilled = fulfilled - 1000000, withdrawn = withdrawn + 999999",
        "fulfilled = fulfilled - 1000000, withdrawn = withdrawn + 1000001",
        "withdrawn = withdrawn + 1000000",
        "withdrawn = withdrawn - 1",
        "fulfilled = fulfilled + 1, withdrawn = withdrawn + 1",
    ],
)
def test_fulfilled_units_fall_only_into_withdrawn_ones(database: Database, change: str) -> None:
    with database.writing() as tx:
        submit(tx, place("10", po="other"))
        submit(tx, ship("other", line_1="4"))
        tx.execute(text("UPDATE order_line SET fulfilled = fulfilled - 3000000, withdrawn = 3000000"))
    refuse(database, f"UPDATE order_line SET {change} WHERE order_id = 1", "never falls|withdrawn_sign")


@pytest.mark.parametrize("change", ["ordered = ordered + 1000000", "requested = 3000000", "requested = 0"])
def test_an_order_may_grow_and_a_request_may_be_settled(database: Database, change: str) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        tx.execute(text("UPDATE order_line SET requested = 5000000"))
        assert tx.execute(text(f"UPDATE order_line SET {change}")).rowcount == 1


@pytest.mark.parametrize("table", ["event", "event_line", "document"])
def test_facts_are_neither_changed_nor_deleted(database: Database, table: str) -> None:
    column = {"event": "note", "event_line": "reason_text", "document": "content_hash"}[table]
    refuse(database, f"UPDATE {table} SET {column} = 'other'", f"rows of {table} are facts")
    refuse(database, f"DELETE FROM {table}", f"rows of {table} are facts")


def test_tables_of_facts_cannot_be_emptied(postgres_server: PostgresServer) -> None:
    """SQLite has no TRUNCATE."""
    url = postgres_server.borrow()
    database = Database(url)
    for table in APPEND_ONLY:
        refuse(database, f"TRUNCATE {table} CASCADE", "are facts: never changed, never deleted")
        with database.writing() as tx:
            tx.execute(text("UPDATE orders SET po_number = po_number || '+'"))
    database.close()
    postgres_server.give_back(url)


@pytest.mark.parametrize("table", ["orders", "order_line"])
def test_what_has_events_cannot_be_deleted(database: Database, table: str) -> None:
    refuse(database, f"DELETE FROM {table}", REFERRED)


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("UPDATE orders SET status = 'shipped'", "orders_status_known"),
        ("UPDATE outbox SET verdict = 'shrugged'", "outbox_verdict_known"),
        ("UPDATE outbox SET verdict_set_id = 77", REFERRED),
        ("INSERT INTO event_line VALUES (1, 1000099, 1, '', '', 0)", REFERRED),
        (
            "INSERT INTO event_line VALUES (2, 1000001, -1, '', '', 0)",
            "quantity_sign|settled_within_quantity",
        ),
        ("INSERT INTO event_line VALUES (2, 1000001, 1, '', '', 2)", "settled_within_quantity"),
        ("INSERT INTO event_line VALUES (1, 1000001, 1, '', '', 0)", UNIQUE),
        ("INSERT INTO document SELECT partner, kind, key, content_hash, set_id, at FROM document", UNIQUE),
    ],
)
def test_rows_are_of_known_kinds_and_belong_together(database: Database, statement: str, match: str) -> None:
    refuse(database, statement, match)


def test_an_order_number_is_used_once_between_two_parties(database: Database) -> None:
    refuse(
        database,
        "INSERT INTO orders (id, buyer, seller, po_number, release, revision, status, placed_at,"
        " content_hash, whole_cancelled) SELECT 99, buyer, seller, po_number, release, revision, status,"
        " placed_at, content_hash, whole_cancelled FROM orders",
        UNIQUE,
    )
