"""Requests to cancel that lapse: until when each can be answered, and when the seller is reminded."""

import sqlalchemy as sa
from alembic import op

from storage.database.columns import only_where

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "request_deadline",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("answer_by", _INSTANT, nullable=False),
        sa.Column("remind_at", _INSTANT, nullable=False),
        sa.Column("reminded_at", _INSTANT, nullable=True),
        sa.Column("closed_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="request_deadline_event_id_fk"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="request_deadline_order_id_fk"),
        sa.PrimaryKeyConstraint("event_id", name="request_deadline_pk"),
    )
    op.create_index("request_deadline_order_id_index", "request_deadline", ["order_id"])
    op.create_index(
        "request_deadline_open", "request_deadline", ["answer_by"], **only_where("closed_at IS NULL")
    )
    op.create_index(
        "request_deadline_unreminded", "request_deadline", ["remind_at"],
        **only_where("reminded_at IS NULL AND closed_at IS NULL"),
    )  # fmt: skip
