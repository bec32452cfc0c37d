"""Who is told of what, and when: people's choices, and what waits for their next digest."""

import sqlalchemy as sa
from alembic import op

from storage.database.columns import COMPACT, ROW_ID, only_where

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("app_user_partner", "app_user", ["partner"])  # whose choices are looked at by each notice
    op.create_table(
        "mail_choice",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("pace", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "topic IN ('cancellations', 'requests', 'refusals')", name="mail_choice_topic_known"
        ),
        sa.CheckConstraint("pace IN ('at_once', 'hourly', 'none')", name="mail_choice_pace_known"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="mail_choice_user_id_fk"),
        sa.PrimaryKeyConstraint("user_id", "topic", name="mail_choice_pk"),
        **COMPACT,
    )
    op.create_table(
        "digest_entry",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="digest_entry_event_id_fk"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="digest_entry_order_id_fk"),
        sa.ForeignKeyConstraint(["message_id"], ["outbox.id"], name="digest_entry_message_id_fk"),
        sa.PrimaryKeyConstraint("id", name="digest_entry_pk"),
        sa.UniqueConstraint("dedupe_key", name="digest_entry_dedupe_key_key"),
    )
    op.create_index("digest_entry_event_id_index", "digest_entry", ["event_id"])
    op.create_index("digest_entry_message_id_index", "digest_entry", ["message_id"])
    op.create_index(
        "digest_entry_waiting", "digest_entry", ["partner", "recipient", "id"],
        **only_where("message_id IS NULL"),
    )  # fmt: skip
