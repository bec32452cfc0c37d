"""Laws of what arrived: files, interchanges, sets, and what waits."""

from storage.invariants.law import Invariant

LAWS = (
    Invariant(
        "files_done",
        "G1",
        "A file that was read has an interchange, or says why it has none.",
        """
        SELECT f.id AS file_id, f.name FROM received_file f
        WHERE f.status = 'done' AND f.error = ''
            AND NOT EXISTS (SELECT 1 FROM interchange i WHERE i.file_id = f.id)
        """,
    ),
    Invariant(
        "interchanges_closed",
        "G1",
        "Every interchange has an outcome, and so has each of its sets.",
        """
        SELECT i.id AS interchange_id, s.id AS set_id
        FROM interchange i LEFT JOIN transaction_set s ON s.interchange_id = i.id AND s.outcome IS NULL
        WHERE i.outcome = 'open' OR s.id IS NOT NULL
        """,
    ),
    Invariant(
        "applied_once",
        "G2",
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
        "G2",
        "The order of a set that was applied has events.",
        """
        SELECT s.id AS set_id, s.order_id FROM transaction_set s
        WHERE s.outcome = 'applied' AND s.order_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM event e WHERE e.order_id = s.order_id)
        """,
    ),
    Invariant(
        "events_applied",
        "G2",
        "What names a set as its source was applied by it: events, and documents not to be applied again.",
        """
        SELECT s.id AS set_id, s.outcome FROM transaction_set s
        WHERE (s.outcome IS NULL OR s.outcome <> 'applied')
            AND (EXISTS (SELECT 1 FROM event e WHERE e.set_id = s.id)
                OR EXISTS (SELECT 1 FROM document d WHERE d.set_id = s.id))
        """,
    ),
    Invariant(
        "set_orders",
        "G2",
        "A set that is about one order names the order it moved.",
        """
        SELECT s.id AS set_id, s.order_id, e.id AS event_id FROM event e
        JOIN transaction_set s ON s.id = e.set_id
        WHERE s.type IN ('850', '855', '860', '865') AND s.order_id <> e.order_id
        """,
    ),
    Invariant(
        "held",
        "G1",
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
        "G1",
        "A set is parked exactly while it waits for an order.",
        """
        SELECT s.id AS set_id, s.outcome FROM transaction_set s
        WHERE CASE WHEN s.outcome = 'parked' THEN 1 ELSE 0 END <> CASE WHEN EXISTS (
            SELECT 1 FROM parked p WHERE p.set_id = s.id AND p.status = 'waiting'
        ) THEN 1 ELSE 0 END
        """,
    ),
    Invariant(
        "file_states",
        "G1",
        "A file was read, or was given up and says why, or waits; and its row tells one story.",
        """
        SELECT f.id AS file_id, f.name, f.status FROM received_file f
        WHERE f.status NOT IN ('new', 'done', 'failed')
            OR CASE WHEN f.status = 'done' THEN 1 ELSE 0 END
                <> CASE WHEN f.ingested_at IS NULL THEN 0 ELSE 1 END
            OR (f.status = 'failed' AND f.error = '')
            OR (f.status <> 'done' AND (f.pruned_at IS NOT NULL
                OR EXISTS (SELECT 1 FROM interchange i WHERE i.file_id = f.id)))
            OR (f.moved_at IS NULL AND f.moved_to <> '')
        """,
    ),
    Invariant(
        "attempts",
        "G10",
        "No file is tried again and again: after its attempts it is given up.",
        """
        SELECT id AS file_id, name, attempts FROM received_file WHERE status = 'new' AND attempts > 3
        """,
    ),
    Invariant(
        "interchange_keys",
        "G2",
        "No two interchanges count under the same key, and one that does not count has none.",
        """
        SELECT key, MIN(id) AS interchange_id, COUNT(*) AS interchanges FROM interchange
        WHERE key IS NOT NULL GROUP BY key
        HAVING COUNT(*) > 1 OR MIN(CASE WHEN outcome IN ('accepted', 'ignored') THEN 1 ELSE 0 END) = 0
        """,
    ),
    Invariant(
        "orders_once",
        "G3",
        "There is one order of a number and release between two parties.",
        """
        SELECT buyer, seller, po_number, release, MIN(id) AS order_id, COUNT(*) AS orders FROM orders
        GROUP BY buyer, seller, po_number, release HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "documents_once",
        "G3",
        "The same content is remembered once under the key of its document.",
        """
        SELECT partner, kind, key, content_hash, COUNT(*) AS documents FROM document
        GROUP BY partner, kind, key, content_hash HAVING COUNT(*) > 1
        """,
    ),
)
