"""Laws of lines and their counters."""

from storage.invariants.law import Invariant

LAWS = (
    Invariant(
        "conservation",
        "G4",
        "Of every line, what is fulfilled and what is cancelled add up to no more than was ordered.",
        """
        SELECT order_id, line FROM order_line WHERE fulfilled + cancelled > ordered
        """,
    ),
    Invariant(
        "requested",
        "G4",
        "No more units of a line wait for the seller's answer than are open.",
        """
        SELECT order_id, line FROM order_line WHERE requested > ordered - fulfilled - cancelled
        """,
    ),
    Invariant(
        "signs",
        "G4",
        "No counter of a line is negative, and no more was declined than was cancelled.",
        """
        SELECT order_id, line FROM order_line
        WHERE ordered < 0 OR fulfilled < 0 OR cancelled < 0 OR declined < 0 OR declined > cancelled
            OR requested < 0 OR withdrawn < 0
        """,
    ),
    Invariant(
        "settled",
        "G5",
        "A request is settled by what cancels, fulfils or keeps its units, takes it back, or lets it lapse.",
        """
        SELECT m.event_id, m.line_id FROM event_line m JOIN event e ON e.id = m.event_id
        WHERE m.settled < 0 OR m.settled > m.quantity
            OR (e.kind IN ('request_refused', 'request_withdrawn', 'request_lapsed')
                AND m.settled <> m.quantity)
            OR (m.settled > 0 AND e.kind NOT IN ('order_cancelled', 'lines_cancelled', 'lines_fulfilled',
                'request_refused', 'request_withdrawn', 'request_lapsed'))
        """,
    ),
    Invariant(
        "shipments",
        "G5",
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
        "G4",
        "A line's id is made of its order's id and its place in the order.",
        """
        SELECT id, order_id, line FROM order_line WHERE id <> order_id * 1000000 + ordinal
        """,
    ),
)
