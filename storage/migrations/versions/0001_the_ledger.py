"""The ledger: receipts, orders, their events, and what is owed to the outside."""

import sqlalchemy as sa
from alembic import op

from storage.database.columns import COMPACT, ROW_ID, only_where, whole_numbers
from storage.database.triggers import create_triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_orders()
    _create_order_line()
    _create_order_line_id()
    _create_received_file()
    _create_interchange()
    _create_transaction_set()
    _create_document()
    _create_event()
    _create_event_line()
    _create_held()
    _create_parked()
    _create_outbox()
    _create_sequence()
    for statement in create_triggers(op.get_bind().dialect.name):
        op.execute(sa.text(statement))


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("seller", sa.Text(), nullable=False),
        sa.Column("po_number", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("whole_cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="orders_pk"),
        sa.CheckConstraint(
            "status IN ('open', 'partly_fulfilled', 'fulfilled', 'cancelled', 'complete')",
            name="orders_status_known",
        ),
        sa.UniqueConstraint("buyer", "seller", "po_number", "release", name="orders_buyer_key"),
    )
    op.create_index("orders_po_number_index", "orders", ["po_number"])


def _create_order_line() -> None:
    op.create_table(
        "order_line",
        sa.Column("id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("assigned", sa.Boolean(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("pack_unit", sa.Text(), nullable=False),
        sa.Column("pack_size", sa.BigInteger(), nullable=False),
        sa.Column("discrete", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("ordered", sa.BigInteger(), nullable=False),
        sa.Column("fulfilled", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("declined", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="order_line_pk"),
        sa.UniqueConstraint("order_id", "line", name="order_line_order_id_key"),
        sa.CheckConstraint("ordered >= 0", name="order_line_ordered_sign"),
        sa.CheckConstraint("fulfilled >= 0", name="order_line_fulfilled_sign"),
        sa.CheckConstraint("cancelled >= 0", name="order_line_cancelled_sign"),
        sa.CheckConstraint(
            "declined >= 0 AND declined <= cancelled", name="order_line_declined_within_cancelled"
        ),
        sa.CheckConstraint("fulfilled + cancelled <= ordered", name="order_line_conservation"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="order_line_order_id_fk"),
        *whole_numbers("order_line", "ordered", "fulfilled", "cancelled", "declined"),
    )


def _create_order_line_id() -> None:
    op.create_table(
        "order_line_id",
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("qualifier", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("line_id", "ordinal", name="order_line_id_pk"),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name="order_line_id_line_id_fk"),
        **COMPACT,
    )


def _create_received_file() -> None:
    op.create_table(
        "received_file",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_to", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("ingested_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="received_file_pk"),
        sa.CheckConstraint("status IN ('new', 'done', 'failed')", name="received_file_status_known"),
    )
    op.create_index(
        "received_file_new", "received_file", ["id"], unique=False, **only_where("status = 'new'")
    )
    op.create_index(
        "received_file_waiting",
        "received_file",
        ["partner", "name_bytes", "sha256"],
        unique=True,
        **only_where("moved_at IS NULL"),
    )


def _create_interchange() -> None:
    op.create_table(
        "interchange",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("control_number", sa.Text(), nullable=False),
        sa.Column("usage", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="interchange_pk"),
        sa.CheckConstraint(
            "outcome IN ('open', 'accepted', 'duplicate', 'conflict', 'quarantined', 'faulty', 'ignored')",
            name="interchange_outcome_known",
        ),
        sa.UniqueConstraint("file_id", "ordinal", name="interchange_file_id_key"),
        sa.UniqueConstraint("key", name="interchange_key_key"),
        sa.ForeignKeyConstraint(["file_id"], ["received_file.id"], name="interchange_file_id_fk"),
    )


def _create_transaction_set() -> None:
    op.create_table(
        "transaction_set",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("interchange_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("group_control_number", sa.Text(), nullable=False),
        sa.Column("functional_id", sa.Text(), nullable=False),
        sa.Column("control_number", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("po_number", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("refusals", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="transaction_set_pk"),
        sa.CheckConstraint(
            "outcome IN ('applied', 'duplicate', 'refused', 'held', 'parked', 'faulty', 'ignored')",
            name="transaction_set_outcome_known",
        ),
        sa.UniqueConstraint("interchange_id", "ordinal", name="transaction_set_interchange_id_key"),
        sa.ForeignKeyConstraint(
            ["interchange_id"], ["interchange.id"], name="transaction_set_interchange_id_fk"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="transaction_set_order_id_fk"),
    )
    op.create_index("transaction_set_order_id_index", "transaction_set", ["order_id"])


def _create_document() -> None:
    op.create_table(
        "document",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partner", "kind", "key", "content_hash", name="document_pk"),
        sa.ForeignKeyConstraint(["set_id"], ["transaction_set.id"], name="document_set_id_fk"),
        **COMPACT,
    )


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("declined", sa.Boolean(), nullable=False),
        sa.Column("by_party", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=True),
        sa.Column("source_actor", sa.Text(), nullable=False),
        sa.Column("source_file", sa.Text(), nullable=False),
        sa.Column("source_interchange", sa.Text(), nullable=False),
        sa.Column("source_group", sa.Text(), nullable=False),
        sa.Column("source_set", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="event_pk"),
        sa.UniqueConstraint("order_id", "sequence", name="event_order_id_key"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="event_order_id_fk"),
        sa.ForeignKeyConstraint(["set_id"], ["transaction_set.id"], name="event_set_id_fk"),
    )
    op.create_index("event_set_id_index", "event", ["set_id"])


def _create_event_line() -> None:
    op.create_table(
        "event_line",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "line_id", name="event_line_pk"),
        sa.CheckConstraint("quantity >= 0", name="event_line_quantity_sign"),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="event_line_event_id_fk"),
        sa.ForeignKeyConstraint(["line_id"], ["order_line.id"], name="event_line_line_id_fk"),
        *whole_numbers("event_line", "quantity"),
        **COMPACT,
    )


def _create_held() -> None:
    op.create_table(
        "held",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("po_number", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="held_pk"),
        sa.CheckConstraint("status IN ('open', 'answered')", name="held_status_known"),
        sa.ForeignKeyConstraint(["set_id"], ["transaction_set.id"], name="held_set_id_fk"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="held_order_id_fk"),
    )
    op.create_index("held_set_id_index", "held", ["set_id"])


def _create_parked() -> None:
    op.create_table(
        "parked",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("seller", sa.Text(), nullable=False),
        sa.Column("po_number", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="parked_pk"),
        sa.CheckConstraint("status IN ('waiting', 'replayed', 'expired')", name="parked_status_known"),
        sa.UniqueConstraint("set_id", "buyer", "seller", "po_number", "release", name="parked_set_id_key"),
        sa.ForeignKeyConstraint(["set_id"], ["transaction_set.id"], name="parked_set_id_fk"),
    )
    op.create_index("parked_po_number_index", "parked", ["po_number", "status"])


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("body_text", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("interchange_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resend_of", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="outbox_pk"),
        sa.CheckConstraint("kind IN ('email', 'acknowledgment')", name="outbox_kind_known"),
        sa.CheckConstraint(
            "status IN ('new', 'sending', 'committing', 'sent', 'uncertain', 'failed', 'refused')",
            name="outbox_status_known",
        ),
        sa.UniqueConstraint("dedupe_key", name="outbox_dedupe_key_key"),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="outbox_event_id_fk"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="outbox_order_id_fk"),
        sa.ForeignKeyConstraint(["interchange_id"], ["interchange.id"], name="outbox_interchange_id_fk"),
        sa.ForeignKeyConstraint(["resend_of"], ["outbox.id"], name="outbox_resend_of_fk"),
    )
    op.create_index("outbox_event_id_index", "outbox", ["event_id"])
    op.create_index("outbox_interchange_id_index", "outbox", ["interchange_id"])
    op.create_index(
        "outbox_message_id",
        "outbox",
        ["identity"],
        unique=True,
        **only_where("kind = 'email' AND identity <> ''"),
    )
    op.create_index("outbox_order_id_index", "outbox", ["order_id"])
    op.create_index("outbox_status_index", "outbox", ["status", "due_at"])


def _create_sequence() -> None:
    op.create_table(
        "sequence",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="sequence_pk"),
    )
