"""Audits over the whole database: each law is one query for the rows that break it.

The queries are plain SQL that every database understands, so that they can also be run by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, text

from storage.database import broken_references

ROWS_MAX = 100  # of one breach; the first ones tell the story, and the report must end


@dataclass(frozen=True, slots=True)
class Invariant:
    """A law in one sentence, and the query that finds the rows that break it."""

    name: str
    sentence: str
    query: str


@dataclass(frozen=True, slots=True)
class Breach:
    """A law that does not hold, and the rows where it does not (the first ROWS_MAX)."""

    invariant: str
    sentence: str
    rows: tuple[Mapping[str, object], ...]


def audit(tx: Connection) -> tuple[Breach, ...]:
    """Check every invariant; nothing is returned when all hold."""
    breaches = []
    for invariant in INVARIANTS:
        with tx.execute(text(invariant.query)) as found:
            rows = tuple(dict(row) for row in islice(found.mappings(), ROWS_MAX))
        if rows:
            breaches.append(Breach(invariant.name, invariant.sentence, rows))
    dangling = tuple({"table": table, "missing": missing} for table, missing in broken_references(tx))
    if dangling:
        breaches.append(Breach(*REFERENCES, dangling[:ROWS_MAX]))
    return tuple(breaches)


REFERENCES = ("references", "Every row that refers to another refers to one that is there.")

_LINES = (
    Invariant(
        "conservation",
        "Of every line, what is fulfilled and what is cancelled add up to no more than was ordered.",
        """
        SELECT order_id, line FROM order_line WHERE fulfilled + cancelled > ordered
        """,
    ),
    Invariant(
        "requested",
        "No more units of a line wait for the seller's answer than are open.",
        """
        SELECT order_id, line FROM order_line WHERE requested > ordered - fulfilled - cancelled
        """,
    ),
    Invariant(
        "signs",
        "No counter of a line is negative, and no more was declined than was cancelled.",
        """
        SELECT order_id, line FROM order_line
        WHERE ordered < 0 OR fulfilled < 0 OR cancelled < 0 OR declined < 0 OR declined > cancelled
            OR requested < 0 OR withdrawn < 0
        """,
    ),
    Invariant(
        "counters",
        "Every counter of a line is the sum of the events that moved its units.",
        """
        SELECT l.order_id, l.line
        FROM order_line l
        LEFT JOIN (
            SELECT m.line_id,
                SUM(CASE WHEN e.kind IN ('order_placed', 'lines_added', 'units_added')
                    THEN m.quantity ELSE 0 END) AS ordered,
                SUM(CASE e.kind WHEN 'lines_fulfilled' THEN m.quantity
                    WHEN 'shipment_withdrawn' THEN -m.quantity ELSE 0 END) AS fulfilled,
                SUM(CASE WHEN e.kind = 'shipment_withdrawn' THEN m.quantity ELSE 0 END) AS withdrawn,
                SUM(CASE WHEN e.kind IN ('order_cancelled', 'lines_cancelled')
                    THEN m.quantity ELSE 0 END) AS cancelled,
                SUM(CASE WHEN e.kind IN ('order_cancelled', 'lines_cancelled') AND e.declined
                    THEN m.quantity ELSE 0 END) AS declined,
                SUM(CASE WHEN e.kind = 'cancellation_requested' THEN m.quantity ELSE 0 END - m.settled)
                    AS requested
            FROM event_line m JOIN event e ON e.id = m.event_id
            GROUP BY m.line_id
        ) s ON s.line_id = l.id
        WHERE l.ordered <> COALESCE(s.ordered, 0) OR l.fulfilled <> COALESCE(s.fulfilled, 0)
            OR l.cancelled <> COALESCE(s.cancelled, 0) OR l.declined <> COALESCE(s.declined, 0)
            OR l.requested <> COALESCE(s.requested, 0) OR l.withdrawn <> COALESCE(s.withdrawn, 0)
        """,
    ),
    Invariant(
        "settled",
        "A request is settled by what cancels, fulfils or keeps its units, or takes it back.",
        """
        SELECT m.event_id, m.line_id FROM event_line m JOIN event e ON e.id = m.event_id
        WHERE m.settled < 0 OR m.settled > m.quantity
            OR (e.kind IN ('request_refused', 'request_withdrawn') AND m.settled <> m.quantity)
            OR (m.settled > 0 AND e.kind NOT IN ('order_cancelled', 'lines_cancelled', 'lines_fulfilled',
                'request_refused', 'request_withdrawn'))
        """,
    ),
    Invariant(
        "shipments",
        "What is withdrawn names its shipment, and no more of it is withdrawn than it brought.",
        """
        SELECT e.order_id, e.reference, m.line_id
        FROM event e JOIN event_line m ON m.event_id = e.id
        WHERE e.kind IN ('lines_fulfilled', 'shipment_withdrawn')
        GROUP BY e.order_id, e.reference, m.line_id
        HAVING SUM(CASE e.kind WHEN 'lines_fulfilled' THEN m.quantity ELSE -m.quantity END) < 0
            OR (e.reference = '' AND MAX(CASE e.kind WHEN 'shipment_withdrawn' THEN 1 ELSE 0 END) = 1)
        """,
    ),
    Invariant(
        "line_ids",
        "A line's id is made of its order's id and its place in the order.",
        """
        SELECT id, order_id, line FROM order_line WHERE id <> order_id * 1000000 + ordinal
        """,
    ),
)

_ORDERS = (
    Invariant(
        "status",
        "The status of an order follows from its lines' counters.",
        """
        SELECT o.id AS order_id, o.po_number, o.status
        FROM orders o
        LEFT JOIN (
            SELECT order_id, MAX(CASE WHEN ordered <> fulfilled + cancelled THEN 1 ELSE 0 END) AS has_open,
                MAX(fulfilled) AS fulfilled, MAX(cancelled) AS cancelled
            FROM order_line GROUP BY order_id
        ) s ON s.order_id = o.id
        WHERE o.status <> CASE
            WHEN COALESCE(s.has_open, 1) = 1
                THEN CASE WHEN COALESCE(s.fulfilled, 0) > 0 THEN 'partly_fulfilled' ELSE 'open' END
            WHEN s.fulfilled > 0 AND s.cancelled > 0 THEN 'complete'
            WHEN s.fulfilled > 0 THEN 'fulfilled'
            ELSE 'cancelled' END
        """,
    ),
    Invariant(
        "reopened",
        "An order says which interchange of which file withdrew a shipment of it last.",
        """
        SELECT o.id AS order_id, o.po_number FROM orders o
        WHERE o.reopened_by <> COALESCE((
            SELECT CASE WHEN e.source_file = '' THEN '' ELSE e.source_file || '|' || e.source_interchange END
            FROM event e WHERE e.order_id = o.id AND e.kind = 'shipment_withdrawn'
            ORDER BY e.sequence DESC LIMIT 1
        ), '')
        """,
    ),
    Invariant(
        "whole_cancelled",
        "An order is marked as cancelled as a whole exactly when an event says so.",
        """
        SELECT o.id AS order_id, o.po_number FROM orders o
        WHERE CASE WHEN o.whole_cancelled THEN 1 ELSE 0 END <> CASE WHEN EXISTS (
            SELECT 1 FROM event e WHERE e.order_id = o.id AND e.kind = 'order_cancelled'
        ) THEN 1 ELSE 0 END
        """,
    ),
    Invariant(
        "sequence",
        "The events of every order are numbered 1, 2, 3 and so on.",
        """
        SELECT o.id AS order_id, o.po_number FROM orders o LEFT JOIN event e ON e.order_id = o.id
        GROUP BY o.id, o.po_number
        HAVING COUNT(e.id) = 0 OR MIN(e.sequence) <> 1 OR MAX(e.sequence) <> COUNT(e.id)
            OR COUNT(DISTINCT e.sequence) <> COUNT(e.id)
        """,
    ),
    Invariant(
        "placed_first",
        "An order is placed by its first event and by no other.",
        """
        SELECT id AS event_id, order_id FROM event
        WHERE CASE WHEN kind = 'order_placed' THEN 1 ELSE 0 END <> CASE WHEN sequence = 1 THEN 1 ELSE 0 END
        """,
    ),
    Invariant(
        "event_kinds",
        "Every event is of a kind this program knows, and only kinds that move units have lines.",
        """
        SELECT e.id AS event_id, e.kind FROM event e
        WHERE e.kind NOT IN ('order_placed', 'order_cancelled', 'lines_cancelled', 'lines_fulfilled',
                'shipment_withdrawn', 'lines_added', 'units_added', 'cancellation_requested',
                'request_refused', 'request_withdrawn', 'order_acknowledged', 'noted')
            OR (e.kind IN ('order_acknowledged', 'noted')
                AND EXISTS (SELECT 1 FROM event_line m WHERE m.event_id = e.id))
        """,
    ),
    Invariant(
        "event_lines",
        "An event moves units of its own order's lines only.",
        """
        SELECT m.event_id, m.line_id
        FROM event_line m LEFT JOIN event e ON e.id = m.event_id LEFT JOIN order_line l ON l.id = m.line_id
        WHERE e.id IS NULL OR l.id IS NULL OR l.order_id <> e.order_id
        """,
    ),
)

_RECEIPTS = (
    Invariant(
        "files_done",
        "A file that was read has an interchange, or says why it has none.",
        """
        SELECT f.id AS file_id, f.name FROM received_file f
        WHERE f.status = 'done' AND f.error = ''
            AND NOT EXISTS (SELECT 1 FROM interchange i WHERE i.file_id = f.id)
        """,
    ),
    Invariant(
        "interchanges_closed",
        "Every interchange has an outcome, and so has each of its sets.",
        """
        SELECT i.id AS interchange_id, s.id AS set_id
        FROM interchange i LEFT JOIN transaction_set s ON s.interchange_id = i.id AND s.outcome IS NULL
        WHERE i.outcome = 'open' OR s.id IS NOT NULL
        """,
    ),
    Invariant(
        "applied_once",
        "A set is applied once, in an interchange that counts.",
        """
        SELECT i.id AS interchange_id, MIN(s.id) AS set_id
        FROM transaction_set s JOIN interchange i ON i.id = s.interchange_id
        WHERE s.outcome = 'applied'
        GROUP BY i.id, i.key, i.outcome, s.group_control_number, s.control_number, s.type
        HAVING COUNT(*) > 1 OR i.key IS NULL OR i.outcome <> 'accepted'
        """,
    ),
    Invariant(
        "applied_has_events",
        "The order of a set that was applied has events.",
        """
        SELECT s.id AS set_id, s.order_id FROM transaction_set s
        WHERE s.outcome = 'applied' AND s.order_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM event e WHERE e.order_id = s.order_id)
        """,
    ),
    Invariant(
        "events_applied",
        "What names a set as its source was applied by it: events, and documents not to be applied again.",
        """
        SELECT s.id AS set_id, s.outcome FROM transaction_set s
        WHERE (s.outcome IS NULL OR s.outcome <> 'applied')
            AND (EXISTS (SELECT 1 FROM event e WHERE e.set_id = s.id)
                OR EXISTS (SELECT 1 FROM document d WHERE d.set_id = s.id))
        """,
    ),
    Invariant(
        "held",
        "A set is held exactly while a question about it is open.",
        """
        SELECT s.id AS set_id, s.outcome FROM transaction_set s
        WHERE CASE WHEN s.outcome = 'held' THEN 1 ELSE 0 END <> CASE WHEN EXISTS (
            SELECT 1 FROM held h WHERE h.set_id = s.id AND h.status = 'open'
        ) THEN 1 ELSE 0 END
        """,
    ),
    Invariant(
        "parked",
        "A set is parked exactly while it waits for an order.",
        """
        SELECT s.id AS set_id, s.outcome FROM transaction_set s
        WHERE CASE WHEN s.outcome = 'parked' THEN 1 ELSE 0 END <> CASE WHEN EXISTS (
            SELECT 1 FROM parked p WHERE p.set_id = s.id AND p.status = 'waiting'
        ) THEN 1 ELSE 0 END
        """,
    ),
)

_OUTBOX = (
    Invariant(
        "outbox_states",
        "A message is in a known state, and its row tells the same story.",
        """
        SELECT id AS message_id, status FROM outbox
        WHERE status NOT IN ('new', 'sending', 'committing', 'sent', 'uncertain', 'failed', 'refused')
            OR kind NOT IN ('email', 'acknowledgment')
            OR CASE WHEN status = 'sent' THEN 1 ELSE 0 END <> CASE WHEN sent_at IS NULL THEN 0 ELSE 1 END
            OR (status IN ('uncertain', 'failed', 'refused') AND error = '')
            OR (status IN ('sending', 'committing', 'sent', 'uncertain', 'failed') AND attempts < 1)
            OR resend_of >= id
            OR verdict NOT IN ('', 'accepted', 'accepted_with_errors', 'partly_accepted', 'rejected')
            OR CASE WHEN verdict = '' THEN 0 ELSE 1 END <> CASE WHEN verdict_at IS NULL THEN 0 ELSE 1 END
        """,
    ),
    Invariant(
        "identities",
        "No two e-mails have the same Message-ID.",
        """
        SELECT identity, MIN(id) AS message_id FROM outbox WHERE kind = 'email' AND identity <> ''
        GROUP BY identity HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "cancellations_told",
        "Of every cancellation, done or asked for, somebody is told, or it is recorded why nobody can be.",
        """
        SELECT e.id AS event_id, e.order_id FROM event e
        WHERE e.kind IN ('order_cancelled', 'lines_cancelled', 'cancellation_requested')
            AND EXISTS (SELECT 1 FROM event_line m WHERE m.event_id = e.id AND m.quantity > 0)
            AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.event_id = e.id)
        """,
    ),
)

INVARIANTS: tuple[Invariant, ...] = (*_LINES, *_ORDERS, *_RECEIPTS, *_OUTBOX)
