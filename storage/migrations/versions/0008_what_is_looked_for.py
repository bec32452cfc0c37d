"""Received files and messages are looked for by partner, name, control number and order."""

from alembic import op

from storage.database.columns import only_where

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("received_file_partner", "received_file", ["partner", "id"])
    op.create_index(
        "received_file_name", "received_file", ["name"], postgresql_ops={"name": "text_pattern_ops"}
    )
    op.create_index("received_file_error", "received_file", ["id"], **only_where("error <> ''"))
    op.create_index("interchange_control_number_index", "interchange", ["control_number"])
    op.create_index(
        "interchange_set_aside", "interchange", ["outcome"], **only_where("outcome <> 'accepted'")
    )
    op.create_index(
        "transaction_set_without_order", "transaction_set", ["po_number"],
        **only_where("order_id IS NULL AND po_number <> ''"),
    )  # fmt: skip
    op.create_index("outbox_recipient", "outbox", ["recipient", "id"])
    op.create_index("outbox_resend_of", "outbox", ["resend_of"], **only_where("resend_of IS NOT NULL"))
