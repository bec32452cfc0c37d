"""Laws of orders and their events."""

from storage.invariants.law import Invariant

LAWS = (
    Invariant(
        "status",
        "G4",
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
        "G9",
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
        "G5",
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
        "G9",
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
        "G9",
        "An order is placed by its first event and by no other.",
        """
        SELECT id AS event_id, order_id FROM event
        WHERE CASE WHEN kind = 'order_placed' THEN 1 ELSE 0 END <> CASE WHEN sequence = 1 THEN 1 ELSE 0 END
        """,
    ),
    Invariant(
        "event_kinds",
        "G9",
        "Every event is of a kind this program knows, and only kinds that move units have lines.",
        """
        SELECT e.id AS event_id, e.kind FROM event e
        WHERE e.kind NOT IN ('order_placed', 'order_cancelled', 'lines_cancelled', 'lines_fulfilled',
                'shipment_withdrawn', 'lines_added', 'units_added', 'cancellation_requested',
                'request_refused', 'request_withdrawn', 'request_lapsed', 'order_acknowledged', 'noted')
            OR (e.kind IN ('order_acknowledged', 'noted')
                AND EXISTS (SELECT 1 FROM event_line m WHERE m.event_id = e.id))
        """,
    ),
    Invariant(
        "event_lines",
        "G4",
        "An event moves units of its own order's lines only.",
        """
        SELECT m.event_id, m.line_id
        FROM event_line m LEFT JOIN event e ON e.id = m.event_id LEFT JOIN order_line l ON l.id = m.line_id
        WHERE e.id IS NULL OR l.id IS NULL OR l.order_id <> e.order_id
        """,
    ),
)
