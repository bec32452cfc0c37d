"""Laws of whose is what: nothing of one partner's moves or reaches what is another's."""

from storage.invariants.law import Invariant

LAWS = (
    Invariant(
        "interchange_partners",
        "G8",
        "An interchange is of the partner whose mailbox it lay in.",
        """
        SELECT i.id AS interchange_id, i.partner, f.partner AS mailbox_of
        FROM interchange i JOIN received_file f ON f.id = i.file_id
        WHERE f.partner <> '' AND i.partner <> f.partner
        """,
    ),
    Invariant(
        "set_partners",
        "G8",
        "A set names orders of its partner's only, and what waits for it is the same partner's.",
        """
        SELECT s.id AS set_id, i.partner, s.order_id FROM transaction_set s
        JOIN interchange i ON i.id = s.interchange_id
        LEFT JOIN orders o ON o.id = s.order_id
        WHERE (s.outcome = 'applied' AND i.partner NOT IN (o.buyer, o.seller))
            OR EXISTS (SELECT 1 FROM held h WHERE h.set_id = s.id AND h.partner <> i.partner)
            OR EXISTS (SELECT 1 FROM parked p WHERE p.set_id = s.id AND p.partner <> i.partner)
            OR EXISTS (SELECT 1 FROM document d WHERE d.set_id = s.id AND d.partner <> i.partner)
        """,
    ),
    Invariant(
        "event_parties",
        "G8",
        "Who moves an order is a party of it, and so is the partner whose set did.",
        """
        SELECT e.id AS event_id, e.order_id, e.by_party, i.partner
        FROM event e JOIN orders o ON o.id = e.order_id
        LEFT JOIN transaction_set s ON s.id = e.set_id LEFT JOIN interchange i ON i.id = s.interchange_id
        WHERE e.by_party NOT IN (o.buyer, o.seller) OR i.partner NOT IN (o.buyer, o.seller)
        """,
    ),
    Invariant(
        "event_sources",
        "G9",
        "Every event says who, when, and by which file or which of our people.",
        """
        SELECT id AS event_id, order_id FROM event
        WHERE by_party = '' OR at IS NULL OR (source_file = '' AND source_actor = '')
        """,
    ),
    Invariant(
        "messages_to_parties",
        "G8",
        "A document about an order goes to a party of it, and an answer to whom it answers.",
        """
        SELECT x.id AS message_id, x.partner, x.order_id, x.interchange_id FROM outbox x
        LEFT JOIN orders o ON o.id = x.order_id LEFT JOIN interchange i ON i.id = x.interchange_id
        WHERE x.partner <> '' AND (x.partner NOT IN (o.buyer, o.seller)
            OR (x.kind = 'acknowledgment' AND x.recipient <> x.partner)
            OR (x.kind = 'acknowledgment' AND i.partner <> '' AND x.partner <> i.partner))
        """,
    ),
    Invariant(
        "posted_to_own",
        "G8",
        "A webhook goes to an endpoint of the partner it is for, and has its id.",
        """
        SELECT x.id AS message_id, x.partner, x.endpoint_id FROM outbox x
        LEFT JOIN webhook_endpoint p ON p.id = x.endpoint_id
        WHERE (x.kind = 'webhook' AND (p.id IS NULL OR p.partner <> x.partner OR x.identity = ''))
            OR (x.kind <> 'webhook' AND x.endpoint_id IS NOT NULL)
        """,
    ),
    Invariant(
        "messages_about_events",
        "G8",
        "A message about an event of an order names that order.",
        """
        SELECT x.id AS message_id, x.event_id, x.order_id FROM outbox x JOIN event e ON e.id = x.event_id
        WHERE x.order_id <> e.order_id
        """,
    ),
)
