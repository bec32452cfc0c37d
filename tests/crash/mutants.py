"""The safeties, each switched off: done to a process before it begins, to see that the checker sees."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from storage.orders import ZERO, OrderState


def move_before_keeping() -> None:
    """The bytes are kept only when the remote file has been moved."""
    from pipeline.receiving.shelf import DatabaseShelf

    keep, moved = DatabaseShelf.keep, DatabaseShelf.moved
    waiting: list[tuple[Any, ...]] = []

    def keep_later(self: DatabaseShelf, partner_id: str, files: Sequence[tuple[bytes, bytes]]) -> Any:
        from pipeline.receiving.taking import Kept

        waiting.extend((partner_id, [file]) for file in files)
        first = len(waiting) - len(files) + 1
        return [Kept(file_id=first + at, suffix="0badcafe") for at in range(len(files))]

    def keep_now(self: DatabaseShelf, moves: Sequence[tuple[int, bytes]]) -> None:
        moved(self, [(keep(self, *waiting[number - 1])[0].file_id, target) for number, target in moves])

    DatabaseShelf.keep = keep_later  # type: ignore[method-assign]
    DatabaseShelf.moved = keep_now  # type: ignore[method-assign]


def keep_without_looking() -> None:
    """The same file is kept as often as it is fetched: its unique key holds for files not moved yet."""
    from storage import receipts

    keep = receipts.keep

    def keep_again(tx: Connection, **what: Any) -> Any:
        tx.execute(text("UPDATE received_file SET moved_at = received_at WHERE moved_at IS NULL"))
        return keep(tx, **what)

    vars(receipts).update(keep=keep_again)


def forget_control_numbers() -> None:
    """An interchange that was taken in does not use up its key."""
    from pipeline import ingest

    close = vars(ingest)["close_interchange"]

    def close_without_key(tx: Connection, interchange_id: int, **what: Any) -> None:
        close(tx, interchange_id, **what | {"key": None})

    vars(ingest).update(close_interchange=close_without_key)


def send_without_committing() -> None:
    """It is not written down that the last byte of a mail is about to go."""
    from storage import messages, outbox

    def mark_sent(tx: Connection, claimed: messages.OutboxMessage, at: datetime) -> None:
        sent = text("UPDATE outbox SET status = 'sent', error = '', sent_at = created_at WHERE id = :id")
        tx.execute(sent, {"id": claimed.id})

    vars(outbox).update(mark_committing=lambda *_, **__: None, mark_sent=mark_sent)


def read_stale_orders() -> None:
    """What was shipped and cancelled is not seen by who decides, as if it had happened since he read."""
    from storage import ledger

    find = vars(ledger)["find_orders"]

    def find_stale(*arguments: Any) -> Any:
        found = find(*arguments)
        return tuple(replace(one, order=_untouched(one.order)) for one in found)

    vars(ledger).update(find_orders=find_stale)


def _untouched(order: OrderState) -> OrderState:
    lines = tuple(replace(line, fulfilled=ZERO, cancelled=ZERO, declined=ZERO) for line in order.lines)
    return replace(order, lines=lines, whole_cancelled=False)


def update_without_guard() -> None:
    """Counters are written without asking whether so many units are open; SQLite's own check is off, too."""
    from storage import writing

    guarded = writing._moving

    class Unguarded:
        def __init__(self, *counters: str) -> None:
            self._update = guarded(*counters)

        def run(self, tx: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
            tx.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            nothing_taken = [(*row[:-2], Decimal(-1_000_000), row[-1]) for row in rows]
            return self._update.run(tx, nothing_taken)

    vars(writing).update(_moving=Unguarded)
