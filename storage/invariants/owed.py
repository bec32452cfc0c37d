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
            OR kind NOT IN ('email', 'acknowledgment', 'webhook')
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
        "Of every cancellation, done, asked for or lapsed, somebody is told, or it is kept why nobody is.",
        """
        SELECT e.id AS event_id, e.order_id FROM event e
        WHERE e.kind IN ('order_cancelled', 'lines_cancelled', 'cancellation_requested', 'request_lapsed')
            AND EXISTS (SELECT 1 FROM event_line m WHERE m.event_id = e.id AND m.quantity > 0)
            AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.event_id = e.id AND x.kind <> 'webhook')
            AND NOT EXISTS (SELECT 1 FROM digest_entry d WHERE d.event_id = e.id)
        """,
    ),
    Invariant(
        "told_one_way",
        "G6",
        "A reader is told of a thing at once or in a digest, never both.",
        """
        SELECT d.id AS entry_id, x.id AS message_id FROM digest_entry d
        JOIN outbox x ON x.dedupe_key = d.dedupe_key
        """,
    ),
    Invariant(
        "digests",
        "G6",
        "What went into a digest is told by an e-mail to its reader; its words stay until that is old.",
        """
        SELECT d.id AS entry_id, d.message_id FROM digest_entry d JOIN outbox x ON x.id = d.message_id
        WHERE x.kind <> 'email' OR x.recipient <> d.recipient OR x.resend_of IS NOT NULL
            OR x.dedupe_key NOT LIKE 'digest:%'
            OR (d.content = '' AND x.pruned_at IS NULL)
        """,
    ),
    Invariant(
        "debts",
        "G6",
        "The same debt is owed once; what repeats it on purpose is a debt of its own.",
        """
        SELECT dedupe_key, MIN(id) AS message_id, COUNT(*) AS messages FROM outbox
        GROUP BY dedupe_key HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "resends",
        "G6",
        "What is sent again repeats an older message: a document its bytes and name, a webhook bytes and id.",
        """
        SELECT x.id AS message_id, x.resend_of FROM outbox x LEFT JOIN outbox o ON o.id = x.resend_of
        WHERE x.resend_of IS NOT NULL AND (
            o.id IS NULL OR o.id >= x.id OR o.kind <> x.kind OR o.partner <> x.partner
            OR (x.kind = 'email' AND x.identity = o.identity)
            OR (x.kind = 'webhook' AND (x.identity <> o.identity OR x.endpoint_id <> o.endpoint_id
                OR (o.payload <> x.payload AND o.pruned_at IS NULL AND x.pruned_at IS NULL)))
            OR (x.kind = 'acknowledgment' AND (o.payload <> x.payload OR o.identity <> x.identity
                OR o.group_control_number <> x.group_control_number)))
        """,
    ),
    Invariant(
        "posted_once",
        "G6",
        "An event is owed to an endpoint once; what repeats it is a re-sending of that.",
        """
        SELECT event_id, endpoint_id, MIN(id) AS message_id FROM outbox
        WHERE kind = 'webhook' AND resend_of IS NULL AND event_id IS NOT NULL
        GROUP BY event_id, endpoint_id HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "acknowledged_once",
        "G7",
        "A received group is acknowledged by one 997, which is kept as it was written.",
        """
        SELECT x.interchange_id, x.subject, MIN(x.id) AS message_id FROM outbox x
        WHERE x.kind = 'acknowledgment' AND x.set_type = '997' AND x.resend_of IS NULL
        GROUP BY x.interchange_id, x.subject
        HAVING COUNT(*) > 1 AND COUNT(*) > (
            SELECT COUNT(DISTINCT s.functional_id) FROM transaction_set s
            WHERE s.interchange_id = x.interchange_id
                AND MIN(x.subject) LIKE '% for group ' || s.group_control_number || ' of %')
        """,
    ),
    Invariant(
        "kept_documents",
        "G7",
        "The bytes of every document we owe are kept, unless it could not be written.",
        """
        SELECT id AS message_id, status FROM outbox
        WHERE kind = 'acknowledgment' AND LENGTH(payload) = 0 AND status <> 'refused'
        """,
    ),
    Invariant(
        "kept_mails",
        "G6",
        "The words of every e-mail are kept, unless it could not be written or was emptied as old.",
        """
        SELECT id AS message_id, status FROM outbox
        WHERE kind = 'email' AND LENGTH(payload) = 0 AND pruned_at IS NULL AND status <> 'refused'
        """,
    ),
)
