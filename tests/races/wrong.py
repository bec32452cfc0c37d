"""Wrong ledgers, kept so that the races can be seen to find what they are for: each must fail them.

Each stands in for `submit` on the same tables. What each proves is said at its function.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select, update

from storage import ledger, loading
from storage.commands import CancelLines, Command, RecordShipment
from storage.database import Prepared, sqlite
from storage.events import EVENT_VERSION, EventKind
from storage.ledger import Result
from storage.models import table
from storage.outcomes import Outcome
from tests.unit.storage.build import submit

THINKS_LONG = 20  # pauses

Pause = Callable[[], None]
Submit = Callable[..., Result]

_ORDERS, _LINES = table("orders"), table("order_line")
_EVENTS, _MOVES = table("event"), table("event_line")


def without_locks(pause: Pause) -> Submit:
    """Our ledger, but orders and names are not locked: two decide on the same figures.

    Proves that the locks are needed: the second to write is stopped by the guard or by the numbering of
    events, so that a process fails that ours would have made wait.
    """
    original = loading._candidates

    def unlocked(parties: tuple[str, ...]) -> Any:
        locking = original(parties)
        statement: Any = locking._statement
        query = statement.order_by()  # a copy
        query._for_update_arg = None
        return Prepared(query, *locking._names)

    vars(ledger)["lock_names"] = lambda tx, names: None
    vars(loading)["_candidates"] = unlocked
    return submit


def deferred(pause: Pause) -> Submit:
    """Our ledger on SQLite, but a transaction takes the write lock only when it writes.

    Proves that BEGIN IMMEDIATE is needed: what was read is old by then, and SQLite refuses to write at once,
    however long it may wait.
    """
    vars(sqlite)["_begin"] = lambda connection: connection.exec_driver_sql("BEGIN")
    return submit


def read_then_write(pause: Pause) -> Submit:
    """Reads the counters, thinks, and writes what they must be: no lock, no guard.

    Proves that the oracle sees lost updates: of two changes one is gone, and the events say there were two.
    On SQLite without any transaction, as its driver reads when nothing else is said.
    """
    vars(sqlite)["_begin"] = lambda connection: None

    def apply(tx: Connection, command: Command, key: str = "") -> Result:
        move = _move_of(tx, command)
        if move is None:
            return _REFUSED
        pause()
        values = {move.counter: move.before + move.units}
        tx.execute(update(_LINES).where(_LINES.c.id == move.line_id).values(values))
        return _recorded(tx, command, move)

    return apply


def unguarded(pause: Pause) -> Submit:
    """Looks whether so many are open, and adds: no lock, no guard; the table's CHECK is off as well.

    Proves that the oracle sees units that were moved though they were not open.
    """
    vars(sqlite)["_begin"] = lambda connection: connection.exec_driver_sql(
        "PRAGMA ignore_check_constraints = ON"
    )

    def apply(tx: Connection, command: Command, key: str = "") -> Result:
        move = _move_of(tx, command)
        if move is None:
            return _REFUSED
        for _ in range(THINKS_LONG):  # so that many have looked before the first adds
            pause()
        column = _LINES.c[move.counter]
        values = {move.counter: column + move.units}
        tx.execute(update(_LINES).where(_LINES.c.id == move.line_id).values(values))
        return _recorded(tx, command, move)

    return apply


VARIANTS: dict[str, Callable[[Pause], Submit]] = {
    "without locks": without_locks,
    "deferred": deferred,
    "read then write": read_then_write,
    "unguarded": unguarded,
}

_REFUSED = Result(outcome=Outcome.REFUSED, entries=())


@dataclass(frozen=True, slots=True)
class _Move:
    order_id: int
    line_id: int
    counter: str
    before: Decimal
    units: Decimal


def _move_of(tx: Connection, command: Command) -> _Move | None:
    """What a shipment or a cancellation of one line would move; None when it may not, or is another."""
    if not isinstance(command, RecordShipment | CancelLines):
        return None
    one = command.lines[0]
    query = (
        select(_LINES)
        .join(_ORDERS, _ORDERS.c.id == _LINES.c.order_id)
        .where(_ORDERS.c.po_number == command.order.po_number, _LINES.c.line == one.line.number)
    )
    line = tx.execute(query).one_or_none()
    units = one.quantity or Decimal(1)
    if line is None or line.fulfilled + line.cancelled + units > line.ordered:
        return None
    counter = "fulfilled" if isinstance(command, RecordShipment) else "cancelled"
    return _Move(line.order_id, line.id, counter, getattr(line, counter), units)


def _recorded(tx: Connection, command: Command, move: _Move) -> Result:
    """The event of a move. Its number is any: counting would be a lock, and hide what is looked for."""
    kind = EventKind.LINES_FULFILLED if move.counter == "fulfilled" else EventKind.LINES_CANCELLED
    source = command.source
    values: dict[str, Any] = {
        "order_id": move.order_id, "sequence": random.randrange(2, 2**31), "kind": kind.value,
        "declined": False, "by_party": command.by, "at": command.at, "reason_code": "", "reason_text": "",
        "note": "", "notes": [], "version": EVENT_VERSION, "set_id": None, "source_actor": "",
        "source_file": source.file, "source_interchange": "1", "source_group": "1", "source_set": "1",
        "source_type": source.type, "reference": getattr(command, "shipment_id", ""),
    }  # fmt: skip
    event_id = tx.execute(insert(_EVENTS).values(values).returning(_EVENTS.c.id)).scalar_one()
    moved = {"event_id": event_id, "line_id": move.line_id, "quantity": move.units}
    tx.execute(insert(_MOVES).values({**moved, "reason_code": "", "reason_text": "", "settled": Decimal(0)}))
    return Result(outcome=Outcome.APPLIED, entries=())
