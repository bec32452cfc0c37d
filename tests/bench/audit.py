"""How long an audit takes: a ledger of many orders, built in bulk with every law kept, and audited.

    python -m tests.bench.audit sqlite:///big.db --orders 100000
    python -m tests.bench.audit postgresql+psycopg://me@127.0.0.1/big --orders 100000

The database must be empty; one that holds the orders already is only audited.
"""

import argparse
import hashlib
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, text

from storage import chain
from storage.database import Database
from storage.evolve import LINES_MAX
from storage.invariants import INVARIANTS, audit, history, kept
from storage.models import METADATA

LINES = 10
TOGETHER = 2000  # orders in one transaction, and in one file
UNIT = 1_000_000  # a quantity of one
BEGIN = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)

Rows = dict[str, list[dict[str, Any]]]


def main() -> None:
    """Build what is missing, audit, and print the seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--orders", type=int, default=100_000)
    given = parser.parse_args()
    database = Database(given.url)
    database.upgrade()
    with database.reading() as tx:
        there = tx.execute(text("SELECT COUNT(*) FROM orders")).scalar_one()
    if not there:
        build(database, given.orders)
    measure(database)


def build(database: Database, orders: int) -> None:
    """Fill the database; the seconds it took are printed."""
    begun = time.perf_counter()
    last_event = 0
    for first in range(1, orders + 1, TOGETHER):
        rows = _batch(first, min(first + TOGETHER, orders + 1), last_event)
        last_event = rows["event"][-1]["id"]
        with database.writing() as tx:
            for table in METADATA.sorted_tables:
                _write(tx, table.name, rows.get(table.name, []))
    with database.writing() as tx:
        _count_on(tx)
    print(f"built in {time.perf_counter() - begun:.1f} s")


def measure(database: Database) -> None:
    """Print how long the whole audit takes, each walk, and the slowest queries."""
    with database.reading() as tx:
        for table in ("orders", "order_line", "event", "event_line"):
            count = tx.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()  # noqa: S608
            print(f"{table}: {count:,} rows")
        seconds = {}
        for name, walk in (("history", history.walk), ("kept", kept.walk)):
            begun = time.perf_counter()
            found = list(walk(tx))
            seconds[f"walk {name}"] = time.perf_counter() - begun
            print(*found[:3])
        for invariant in INVARIANTS:
            if invariant.query:
                begun = time.perf_counter()
                tx.execute(text(invariant.query)).all()
                seconds[invariant.name] = time.perf_counter() - begun
        for name, took in sorted(seconds.items(), key=lambda item: -item[1])[:12]:
            print(f"  {name}: {took:.2f} s")
    begun, worked = time.perf_counter(), time.process_time()
    with database.reading() as tx:
        breaches = audit(tx)
    took, own = time.perf_counter() - begun, time.process_time() - worked
    print(f"audit: {took:.1f} s, of which {own:.1f} s in this process; breaches: {len(breaches)}")
    for breach in breaches:
        print(breach.invariant, breach.rows[:2])


def _batch(first: int, end: int, last_event: int) -> Rows:
    """The rows of these orders: every fifth order is part shipped, every tenth cut by the buyer."""
    rows: Rows = {table.name: [] for table in METADATA.sorted_tables}
    _receive(rows, first, end)
    for order_id in range(first, end):
        at = BEGIN + timedelta(seconds=order_id)
        events = [("order_placed", "acme", [(line, 12 * UNIT) for line in range(1, LINES + 1)])]
        if order_id % 5 == 0:
            events.append(("lines_fulfilled", "bolt", [(1, 12 * UNIT), (2, 4 * UNIT)]))
        if order_id % 10 == 0:
            events.append(("lines_cancelled", "acme", [(2, 8 * UNIT), (3, 12 * UNIT)]))
        last_event = _order(rows, order_id, at, events, last_event)
    return rows


def _receive(rows: Rows, first: int, end: int) -> None:
    """One file with one interchange with a set for each order."""
    number = (first - 1) // TOGETHER + 1
    data = f"ISA*{number}~".encode() * 1000
    name = f"drop-{number}.edi"
    stamp = _stamp(BEGIN)
    rows["received_file"].append(
        {
            "id": number, "partner": "acme", "mailbox": "acme", "name": name, "name_bytes": name.encode(),
            "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "data": data, "received_at": stamp,
            "moved_at": stamp, "moved_to": name, "status": "done", "attempts": 1, "error": "",
            "ingested_at": stamp,
        }
    )  # fmt: skip
    rows["interchange"].append(
        {
            "id": number, "file_id": number, "ordinal": 1, "partner": "acme", "sender": "ZZ:ACME",
            "receiver": "ZZ:HUB", "control_number": f"{number:09}", "usage": "P", "date": "260304",
            "time": "1230", "content_hash": name, "outcome": "accepted", "key": name, "findings": "[]",
        }
    )  # fmt: skip
    rows["transaction_set"].extend(
        {
            "id": order_id, "interchange_id": number, "ordinal": at, "group_control_number": "1",
            "functional_id": "PO", "control_number": f"{at:04}", "type": "850", "outcome": "applied",
            "order_id": order_id, "po_number": str(order_id), "content_hash": str(order_id), "findings": "[]",
            "refusals": "[]", "summary": "{}", "decided_at": stamp,
        }
        for at, order_id in enumerate(range(first, end), 1)
    )  # fmt: skip


def _order(
    rows: Rows,
    order_id: int,
    at: datetime,
    events: Sequence[tuple[str, str, list[tuple[int, int]]]],
    last: int,
) -> int:
    """An order with its lines and events; the id of its last event."""
    counted = {line: [12 * UNIT, 0, 0] for line in range(1, LINES + 1)}
    key = ["acme", "bolt", str(order_id), "", at, None, str(order_id)]
    words = ["EA", "", 0, 1, "Bolts, M8, zinc plated"]
    before: Any = [chain.plain(value) for value in key]
    for sequence, (kind, by, moved) in enumerate(events, 1):
        last += 1
        said: list[Any] = [
            *(sequence, kind, False, by, at, "", "", "", [], 1, order_id if sequence == 1 else None, ""),
            *(f"drop-{order_id}.edi", "000000001", "1", "0001", "850", "S1" if by == "bolt" else ""),
        ]
        lines = []
        for line, quantity in moved:
            placed = [str(line), 1, *words, _ids(line)] if sequence == 1 else []
            lines.append([line, quantity, "", "", 0, *placed])
            counted[line][1] += quantity if kind == "lines_fulfilled" else 0
            counted[line][2] += quantity if kind == "lines_cancelled" else 0
        before = chain.link(before, map(chain.plain, said), lines)
        values = dict(zip(chain.EVENT_COLUMNS, said, strict=True))
        values.update(id=last, order_id=order_id, at=_stamp(at), notes="[]", hash=before)
        rows["event"].append(values)
        rows["event_line"].extend(_moved(last, order_id * LINES_MAX + line, q) for line, q in moved)
        if kind == "lines_cancelled":
            rows["outbox"].append(_mail(last, order_id, _stamp(at)))
    status = "partly_fulfilled" if len(events) > 1 else "open"
    header = dict(zip(chain.ORDER_COLUMNS, key, strict=True))
    header.update(id=order_id, placed_at=_stamp(at), status=status, revision="", whole_cancelled=False)
    rows["orders"].append({**header, "last_sequence": len(events), "last_hash": before})
    for line, counters in counted.items():
        _line(rows, order_id, line, counters)
    return last


def _ids(line: int) -> list[list[str]]:
    return [["UP", f"01234567890{line}", "gtin"], ["VN", f"V-{line}", ""]]


def _line(rows: Rows, order_id: int, line: int, counters: list[int]) -> None:
    line_id = order_id * LINES_MAX + line
    ordered, fulfilled, cancelled = counters
    rows["order_line"].append(
        {
            "id": line_id, "order_id": order_id, "ordinal": line, "line": str(line), "assigned": True,
            "unit": "EA", "pack_unit": "", "pack_size": 0, "discrete": True,
            "description": "Bolts, M8, zinc plated", "ordered": ordered, "fulfilled": fulfilled,
            "cancelled": cancelled, "declined": 0,
        }
    )  # fmt: skip
    rows["order_line_id"].extend(
        {"line_id": line_id, "ordinal": at, "qualifier": qualifier, "id": item, "scheme": scheme}
        for at, (qualifier, item, scheme) in enumerate(_ids(line), 1)
    )


def _moved(event_id: int, line_id: int, quantity: int) -> dict[str, Any]:
    return {
        "event_id": event_id, "line_id": line_id, "quantity": quantity, "reason_code": "", "reason_text": "",
    }  # fmt: skip


def _mail(event_id: int, order_id: int, at: str) -> dict[str, Any]:
    return {
        "kind": "email", "partner": "", "recipient": "orders@bolt.example", "subject": "Cancelled",
        "payload": b"Subject: Cancelled\r\n\r\nTwenty units.\r\n" * 20,
        "identity": f"<{event_id}@hub.example>", "dedupe_key": f"event:{event_id}:bolt",
        "event_id": event_id, "order_id": order_id, "status": "sent", "attempts": 1, "error": "",
        "created_at": at, "due_at": at, "sent_at": at,
    }  # fmt: skip


def _stamp(at: datetime) -> str:
    """As SQLite keeps it; PostgreSQL's session is told that it is UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def _write(tx: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    if tx.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
        tx.exec_driver_sql(statement, [tuple(row.values()) for row in rows])
        return
    tx.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
    driver = tx.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
        for row in _plain(rows):
            copy.write_row(row)


def _count_on(tx: Connection) -> None:
    """What PostgreSQL numbers itself goes on behind the rows that brought their numbers with them."""
    if tx.dialect.name == "sqlite":
        return  # it looks at the largest number there is
    for table in METADATA.sorted_tables:
        name = {"table": table.name}
        if "id" not in table.c or not isinstance(table.c.id.type, Integer):
            continue
        sequence = tx.execute(text("SELECT pg_get_serial_sequence(:table, 'id')"), name).scalar_one()
        if sequence is not None:
            last = f"SELECT setval(:sequence, (SELECT COALESCE(MAX(id), 0) + 1 FROM {table.name}), false)"  # noqa: S608
            tx.execute(text(last), {"sequence": sequence})


def _plain(rows: list[dict[str, Any]]) -> Iterator[list[Any]]:
    for row in rows:
        yield list(row.values())


if __name__ == "__main__":
    main()
