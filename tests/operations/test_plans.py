"""A document costs the same in a large ledger: nothing on its way looks through a table that grows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text

from pipeline.lapsing import lapse_requests
from pipeline.receiving.shelf import DatabaseShelf
from pipeline.waiting import expire_waiting, ingest_waiting
from storage import deadlines, held, lookups, messages, order_lists, outbox, parked, queries
from storage.database import Database
from storage.loading import load_order
from storage.lookups import FilesWanted, MessagesWanted
from storage.order_lists import Wanted
from storage.orders import OrderStatus
from storage.states import Kind, Status
from tests.bench import audit
from tests.crash.world import StoppedClock
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import acknowledgment, cancellation, file_of, order, shipment

NOW = datetime(2026, 3, 4, 13, tzinfo=UTC)
ORDERS = 4_000  # enough for PostgreSQL to prefer an index
GROWING = (
    "received_file", "interchange", "transaction_set", "document", "orders", "order_line", "order_line_id",
    "event", "event_line", "outbox",
)  # fmt: skip

#: What lists are asked for: the hub's people see everybody's.
ASKED = (
    Wanted(), Wanted(status=OrderStatus.OPEN), Wanted(buyer="acme"),
    Wanted(seller="globex", status=OrderStatus.OPEN), Wanted(buyer="acme", status=OrderStatus.CANCELLED),
    Wanted(asks=True), Wanted(buyer="acme", asks=True), Wanted(seller="bolt", asks=True),
)  # fmt: skip

#: Of these the ledger has thousands of rows; where there are a few, PostgreSQL rightly reads them all.
FULL = ("transaction_set", "orders", "order_line", "order_line_id", "event", "event_line")


@pytest.fixture
def house(tmp_path: Path, both_systems: None) -> House:
    made = house_with(tmp_path, "")
    made.database.upgrade()
    audit.build(made.database, ORDERS)
    if made.database.dialect == "postgresql":
        with made.database.writing() as tx:
            tx.execute(text("ANALYZE"))
    return made


def _way(house: House) -> None:
    """Every kind of document, from keeping to what is owed for it, and what is shown of it."""
    documents = [
        ("850", [order("PO-1", 5, 6)], "acme"),
        ("855", [acknowledgment("PO-1", "ACK*IA*5*EA")], "globex"),
        ("856", [shipment("S-1", "PO-1", 2)], "globex"),
        ("856", [shipment("S-2", "PO-9", 2)], "globex"),  # waits for its order
        ("850", [cancellation("PO-1")], "acme"),
        ("850", [order("PO-9", 5)], "acme"),
    ]
    clock = StoppedClock(NOW)
    shelf = DatabaseShelf(database=house.database, clock=clock, is_cut_off=lambda _: False)
    for number, (kind, said, sender) in enumerate(documents, start=500):
        receiver = "globex" if sender == "acme" else "acme"
        content = file_of(kind, *said, number=number, sender=sender, receiver=receiver)
        (kept,) = shelf.keep(sender, [(b"%d.edi" % number, content)])
        shelf.moved([(kept.file_id, b"%d.edi" % number)])
        (report,), failed = ingest_waiting(house.settings, house.database, clock.now)
        assert failed == []
        assert report.interchanges[0].sets[0].outcome.value in ("applied", "parked")
    shelf.unmoved("acme")
    expire_waiting(house.settings, house.database, clock.now())
    assert lapse_requests(house.settings, house.database, clock.now()) == ()
    with house.database.writing() as tx:
        owed = outbox.due(tx, clock.now())
        assert owed
        for message in owed:
            claimed = outbox.claim(tx, message)
            assert claimed is not None
            outbox.mark_committing(tx, claimed)
            outbox.mark_sent(tx, claimed, clock.now())
        outbox.recover(tx)
    with house.database.reading() as tx:
        first = order_lists.list_orders(tx, limit=50)
        assert len(first) == 50
        assert len(order_lists.totals_of(tx, [one.id for one in first])) == 50
        mine = order_lists.page_of_orders(tx, Wanted(buyer="acme"), limit=50)
        place = (mine[-1].placed_at, mine[-1].id)
        assert order_lists.page_of_orders(tx, Wanted(buyer="acme"), after=place, limit=50)
        assert order_lists.page_of_orders(tx, Wanted(seller="globex", placed_since=NOW), limit=50)
        for wanted in (*ASKED, Wanted(seller="bolt", item="V-3"), Wanted(buyer="acme", item="nowhere")):
            order_lists.page_of_orders(tx, wanted, limit=50)
        (found,) = queries.find_orders(tx, "PO-1")
        assert queries.get_order(tx, found.id) is not None
        assert queries.stuck_files(tx) == ()
        for own in (Wanted(), Wanted(buyer="acme"), Wanted(seller="globex")):
            assert order_lists.first_to_answer(tx, own, 51) == ()
        assert deadlines.next_of(tx, [one.id for one in first]) == {}
        loaded = load_order(tx, found.id)
        assert loaded is not None
        assert deadlines.with_requests(tx, loaded.order).asked == ()
        _look(tx, found.id)


def _look(tx: Connection, order_id: int) -> None:
    """What support looks for, by everything that it can be looked for by."""
    for wanted in (
        FilesWanted(), FilesWanted(partner="globex"), FilesWanted(name="drop-2"),
        FilesWanted(control_number="1"), FilesWanted(po_number="PO-1"),
        *(FilesWanted(verdict=verdict) for verdict in lookups.VERDICTS),
        FilesWanted(verdict="refused", partner="acme", po_number="PO-1"),
    ):  # fmt: skip
        files = lookups.list_files(tx, wanted, before_id=10**9, limit=51)
        assert len(files) <= 51
        lookups.verdicts_of(tx, files)
    for about in (
        MessagesWanted(), MessagesWanted(kind=Kind.EMAIL), MessagesWanted(po_number="PO-1"),
        MessagesWanted(recipients=["acme", "desk@acme.example"]),
        MessagesWanted(control_number="1", partners=["acme", "globex"]),
        *(MessagesWanted(status=status) for status in Status),
        MessagesWanted(status=Status.SENT, recipients=["acme"], kind=Kind.ACKNOWLEDGMENT),
    ):  # fmt: skip
        assert len(lookups.list_lines(tx, about, limit=51)) <= 51
    behind = lookups.files_behind(tx, order_id)
    assert behind
    assert lookups.list_lines(tx, MessagesWanted(files=behind.values()), limit=51)
    for kind in Kind:
        lookups.list_lines(tx, MessagesWanted(files=behind.values(), kind=kind), limit=51)
    assert lookups.moved_by(tx, next(iter(behind.values())))
    assert held.open_of(tx, [1, 2]) == {}
    assert messages.resends_of(tx, 1) == ()
    assert held.list_held(tx, limit=51) == held.settled(tx, limit=51) == held.held_for(tx, "PO-1") == ()
    assert parked.list_parked(tx, limit=51) == parked.list_parked(tx, po_number="PO-1", limit=51) == ()


def test_nothing_on_the_way_looks_through_a_table_that_grows(house: House) -> None:
    if house.database.dialect == "sqlite":
        house.database.close()  # so that its connections are new ones
        with _traced() as statements:
            _way(house)
        assert len(statements) > 100
        scans = _scans_on_sqlite(house.database, statements)
    else:
        _way(house)  # so that what a process does once is done
        before = _scans_on_postgresql(house.database)
        house.database.close()
        _again(house)
        after = _scans_on_postgresql(house.database)
        scans = {name for name in FULL if after[name] > before[name]}
    assert scans == set()


def _again(house: House) -> None:
    """The same way with other orders; on one ledger a way can be gone once."""
    content = file_of("850", order("PO-2", 5, 6), number=700, sender="acme", receiver="globex")
    house.drop(content, partner="acme")
    change = file_of("850", cancellation("PO-2"), number=701, sender="acme", receiver="globex")
    (said,) = house.drop(change, partner="acme").interchanges[0].sets
    assert said.outcome.value == "applied"


def test_lists_are_read_in_their_order_and_what_is_asked_for_is_not_looked_for(house: House) -> None:
    if house.database.dialect != "sqlite":
        pytest.skip("PostgreSQL's plans are looked at by what they read, above")
    house.database.close()
    read: dict[Wanted, str] = {}
    with _traced() as statements, house.database.reading() as tx:
        for wanted in ASKED:
            statements.clear()
            order_lists.page_of_orders(tx, wanted, limit=50)
            (read[wanted],) = statements
    for wanted, statement in read.items():
        with house.database.reading() as tx:
            plan = [str(step[3]) for step in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + statement)]
        if wanted.asks:  # few are, so that sorting them is nothing
            assert "SEARCH orders USING INTEGER PRIMARY KEY (rowid=?)" in plan
        else:
            assert "USE TEMP B-TREE FOR ORDER BY" not in plan
            by_party = bool(wanted.buyer or wanted.seller)
            assert by_party is any("orders_of_" in step for step in plan)


@contextmanager
def _traced() -> Iterator[set[str]]:
    """Every statement that SQLite is given, with its values in it."""
    statements: set[str] = set()

    def connected(connection: object, _: object) -> None:
        connection.set_trace_callback(statements.add)  # type: ignore[attr-defined]

    event.listen(Engine, "connect", connected)
    try:
        yield statements
    finally:
        event.remove(Engine, "connect", connected)


def _scans_on_sqlite(database: Database, statements: set[str]) -> set[str]:
    found = set()
    with database.reading() as tx:
        for statement in statements:
            if not re.match(r"\s*(SELECT|UPDATE|DELETE)", statement) or _is_first_page(statement):
                continue
            for step in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + statement.replace("%", "%%")):
                scan = re.match(r"SCAN (\w+)(?! USING)", str(step[3]))
                if scan and scan[1] in GROWING:
                    found.add(f"{step[3]}: {statement}")
    return found


def _is_first_page(statement: str) -> bool:
    """Without a condition, in the order of the rows themselves: reading ends at the limit."""
    return re.search(r"FROM (\w+) ORDER BY \1\.id( DESC)?\s+LIMIT \d+", statement) is not None


def _scans_on_postgresql(database: Database) -> dict[str, int]:
    with database.writing() as tx:
        tx.execute(text("SELECT pg_stat_force_next_flush()"))
    with database.reading() as tx:
        rows = tx.execute(text("SELECT relname, seq_scan FROM pg_stat_user_tables")).all()
        return {name: int(scans) for name, scans in rows}
