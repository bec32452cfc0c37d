"""Every law holds after an ordinary story, and every one can be seen to fail: its breach is planted."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection

from storage import held, interchanges, outbox, parked, receipts
from storage.commands import Consent, Submission
from storage.database import Database
from storage.database.triggers import trigger_names
from storage.evolve import LINES_MAX
from storage.invariants import INVARIANTS, REFERENCES, ROWS_MAX, audit
from storage.ledger import apply
from storage.outcomes import Choice, Outcome, Question
from storage.states import Fate
from tests.unit.storage.build import (
    AT,
    SELLER,
    answer,
    ask,
    cancel,
    change,
    interchange_key,
    later,
    locator,
    mail,
    opened_interchange,
    opened_set,
    place,
    raised,
    received,
    ship,
    submit,
    upload,
    withdraw,
)

# What breaks each law. The story: order 1 with lines 1000001 and 1000002, orders 2 and 3 with one line each;
# events 1 placed, 2 shipped, 3 cancelled; of order 3: 5 placed, 6 shipped, 7 withdrawn, 8 and 9 asked for,
# 10 refused, 11 raised, 12 asked for; sets 1 applied, 2 held, 3 parked; message 1 about event 3.
PLANTED = {
    "conservation": "UPDATE order_line SET fulfilled = ordered + 1 WHERE id = 1000001",
    "requested": "UPDATE order_line SET requested = ordered + 1 WHERE id = 1000001",
    "signs": "UPDATE order_line SET declined = -1 WHERE id = 1000001",
    "counters": "UPDATE order_line SET cancelled = cancelled - 1 WHERE id = 1000001",
    "settled": "UPDATE event_line SET settled = quantity WHERE event_id = 7",
    "shipments": "UPDATE event SET reference = 'S8' WHERE id = 7",
    "line_ids": "UPDATE order_line SET ordinal = 7 WHERE id = 2000001",
    "status": "UPDATE orders SET status = 'fulfilled' WHERE id = 1",
    "reopened": "UPDATE orders SET reopened_by = 'drop.edi|1' WHERE id = 3",
    "whole_cancelled": "UPDATE orders SET whole_cancelled = 0 WHERE id = 1",
    "sequence": "UPDATE event SET sequence = 5 WHERE id = 3",
    "placed_first": "UPDATE event SET kind = 'order_placed' WHERE id = 2",
    "event_kinds": "UPDATE event SET kind = 'order_forgotten' WHERE id = 2",
    "event_lines": "UPDATE event_line SET line_id = 2000001 WHERE event_id = 2 AND line_id = 1000001",
    "files_done": "INSERT INTO received_file (id, partner, mailbox, name, name_bytes, sha256, size, data,"
    " received_at, moved_at, moved_to, status, attempts, error, ingested_at)"
    " SELECT 9, partner, mailbox, 'lost', name_bytes, sha256, size, data, received_at, received_at, moved_to,"
    " 'done', 1, '', received_at FROM received_file",
    "interchanges_closed": "UPDATE interchange SET outcome = 'open'",
    "applied_once": "UPDATE interchange SET key = NULL",
    "applied_has_events": "UPDATE transaction_set SET order_id = 77 WHERE id = 1",
    "events_applied": "UPDATE transaction_set SET outcome = 'refused' WHERE id = 1",
    "held": "UPDATE held SET status = 'answered'",
    "parked": "UPDATE parked SET status = 'replayed'",
    "outbox_states": "UPDATE outbox SET status = 'sent' WHERE id = 1",
    "identities": "UPDATE outbox SET identity = '<same>' WHERE kind = 'email'",
    "cancellations_told": "UPDATE outbox SET event_id = NULL",
    "references": "UPDATE held SET order_id = 77",
}
MORE = [
    ("status", "UPDATE orders SET status = 'lost' WHERE id = 1"),
    ("whole_cancelled", "UPDATE orders SET whole_cancelled = 1 WHERE id = 2"),
    ("sequence", "DELETE FROM event WHERE order_id = 2"),
    ("sequence", "UPDATE event SET sequence = sequence + 10 WHERE order_id = 1"),
    ("counters", "UPDATE event_line SET quantity = quantity + 1 WHERE event_id = 1"),
    ("counters", "DELETE FROM event_line WHERE event_id = 3"),
    ("counters", "UPDATE event SET declined = 1 WHERE id = 3"),
    ("event_kinds", "UPDATE event SET kind = 'noted' WHERE id = 2"),
    ("event_lines", "DELETE FROM event WHERE id = 2"),
    ("interchanges_closed", "UPDATE transaction_set SET outcome = NULL WHERE id = 3"),
    ("applied_once", "UPDATE transaction_set SET outcome = 'applied', control_number = '0001'"),
    ("applied_once", "UPDATE interchange SET outcome = 'duplicate'"),
    ("events_applied", "UPDATE document SET set_id = 2"),
    ("held", "UPDATE transaction_set SET outcome = 'ignored' WHERE id = 2"),
    ("parked", "UPDATE transaction_set SET outcome = 'ignored' WHERE id = 3"),
    ("outbox_states", "UPDATE outbox SET status = 'failed', attempts = 1 WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET status = 'lost' WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET status = 'sending' WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET resend_of = id WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET verdict = 'rejected' WHERE id = 1"),
    ("outbox_states", "UPDATE outbox SET verdict = 'shrugged', verdict_at = created_at WHERE id = 1"),
    ("cancellations_told", "UPDATE outbox SET event_id = 3 WHERE event_id = 8"),
    ("signs", "UPDATE order_line SET requested = -1 WHERE id = 1000001"),
    ("signs", "UPDATE order_line SET withdrawn = -1 WHERE id = 1000001"),
    ("counters", "UPDATE order_line SET requested = requested + 1 WHERE id = 3000001"),
    ("counters", "UPDATE order_line SET withdrawn = withdrawn + 1 WHERE id = 3000001"),
    ("counters", "UPDATE order_line SET fulfilled = fulfilled + 1 WHERE id = 3000001"),
    ("counters", "UPDATE event_line SET quantity = quantity + 1 WHERE event_id = 11"),
    ("counters", "UPDATE event SET kind = 'lines_added' WHERE id = 8"),
    ("counters", "UPDATE event_line SET settled = 0 WHERE event_id = 10"),
    ("settled", "UPDATE event_line SET settled = quantity + 1 WHERE event_id = 2"),
    ("settled", "UPDATE event_line SET settled = -1 WHERE event_id = 2"),
    ("settled", "UPDATE event_line SET settled = 0 WHERE event_id = 10"),
    ("shipments", "UPDATE event SET reference = '' WHERE id IN (6, 7)"),
    ("shipments", "UPDATE event_line SET quantity = quantity + 1 WHERE event_id = 7"),
    ("reopened", "UPDATE orders SET reopened_by = '' WHERE id = 3"),
    ("reopened", "UPDATE orders SET reopened_by = 'late.edi|1' WHERE id = 1"),
    ("event_kinds", "UPDATE event SET kind = 'order_acknowledged' WHERE id = 8"),
]


@pytest.fixture
def story(database: Database) -> Database:
    """A little of everything, all in order."""
    with database.writing() as tx:
        file_id = received(tx)
        interchange_id = opened_interchange(tx, file_id)
        applied, on_hold, waiting = (opened_set(tx, interchange_id, n) for n in (1, 2, 3))
        apply(tx, Submission(commands=(place("10", "5"),)), set_id=applied)
        submit(tx, ship(line_1="4"), key="S1")
        submit(tx, cancel(note="why"))
        submit(tx, place("10", po="other"))
        grow_and_shrink(tx, "third")
        interchanges.close_set(tx, applied, outcome=Outcome.APPLIED, at=AT, order_id=1)
        held.put(
            tx,
            Question("?", (Choice("ignore", "nothing"),)),
            partner=SELLER,
            po_number="1",
            at=AT,
            set_id=on_hold,
        )
        interchanges.close_set(tx, on_hold, outcome=Outcome.HELD, at=AT)
        parked.park(tx, locator("77"), set_id=waiting, partner=SELLER, since=AT, expires_at=later(1))
        interchanges.close_set(tx, waiting, outcome=Outcome.PARKED, at=AT)
        interchanges.close_interchange(tx, interchange_id, outcome=Fate.ACCEPTED, key=interchange_key())
        receipts.mark_done(tx, file_id, at=AT)
        outbox.enqueue(tx, mail("support:1"), AT)
        outbox.enqueue(tx, upload("997:1", interchange_id=interchange_id), AT)
    return database


def grow_and_shrink(tx: Connection, po: str) -> None:
    """An order that is shipped, reopened, asked about, refused, raised, and asked about again."""
    submit(tx, place("10", po=po))
    submit(tx, ship(po, "S9", line_1="4"), key="S9")
    submit(tx, withdraw(po, "S9"), key="S9 withdrawn")
    submit(tx, ask("1", "3", po))
    submit(tx, ask("1", "2", po))
    submit(tx, answer(Consent.REFUSED, po))
    submit(tx, change(po, raised("1", "12")))
    submit(tx, ask("1", "5", po))


def plant(path: Path | None, statement: str) -> None:
    """Break a law behind the ledger's back: without triggers, constraints and references."""
    raw = sqlite3.connect(str(path))
    raw.execute("PRAGMA ignore_check_constraints = ON")
    for name in trigger_names():
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute("DROP INDEX outbox_message_id")
    assert raw.execute(statement).rowcount > 0, "nothing was planted"
    raw.commit()
    raw.close()


def breached(database: Database) -> dict[str, int]:
    with database.reading() as tx:
        return {breach.invariant: len(breach.rows) for breach in audit(tx)}


def test_an_ordinary_story_breaks_no_law(story: Database) -> None:
    assert breached(story) == {}


@pytest.mark.parametrize("name", [invariant.name for invariant in INVARIANTS] + [REFERENCES[0]])
def test_every_law_can_be_seen_to_fail(story: Database, name: str) -> None:
    plant(story.path, PLANTED[name])
    assert name in breached(story)


@pytest.mark.parametrize(("name", "statement"), MORE)
def test_a_law_fails_in_each_of_its_ways(story: Database, name: str, statement: str) -> None:
    plant(story.path, statement)
    assert name in breached(story)


def test_a_breach_names_its_rows(story: Database) -> None:
    plant(story.path, PLANTED["counters"])
    with story.reading() as tx:
        (breach,) = [found for found in audit(tx) if found.invariant == "counters"]
    assert breach.sentence == "Every counter of a line is the sum of the events that moved its units."
    assert [dict(row) for row in breach.rows] == [{"order_id": 1, "line": "1"}]


def test_a_report_ends(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place(*["1"] * (ROWS_MAX + 20)))
    plant(database.path, "UPDATE order_line SET fulfilled = 2000000")
    assert breached(database)["conservation"] == ROWS_MAX


def test_the_queries_know_how_line_ids_are_made() -> None:
    (query,) = [invariant.query for invariant in INVARIANTS if invariant.name == "line_ids"]
    assert f"order_id * {LINES_MAX} + ordinal" in query
