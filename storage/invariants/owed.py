"""Laws of what is owed to the outside."""

from storage.invariants.law import Invariant

LAWS = (
    Invariant(
        "outbox_states",
        "G6",
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
        "G6",
        "No two e-mails have the same Message-ID.",
        """
        SELECT identity, MIN(id) AS message_id FROM outbox WHERE kind = 'email' AND identity <> ''
        GROUP BY identity HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "cancellations_told",
        "G6",
        "Of every cancellation, done or asked for, somebody is told, or it is recorded why nobody can be.",
        """
        SELECT e.id AS event_id, e.order_id FROM event e
        WHERE e.kind IN ('order_cancelled', 'lines_cancelled', 'cancellation_requested')
            AND EXISTS (SELECT 1 FROM event_line m WHERE m.event_id = e.id AND m.quantity > 0)
            AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.event_id = e.id)
        """,
    ),
)
