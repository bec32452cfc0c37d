"""What is remembered of mailboxes between runs: how each one is, and what was left lying in it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_REASONS = "'not_a_file', 'empty', 'too_large', 'incomplete', 'unreadable', 'broken', 'unmoved'"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "mailbox",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("failed_at", instant, nullable=True),
        sa.Column("resume_at", instant, nullable=True),
        sa.Column("told_at", instant, nullable=True),
        sa.Column("served_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("partner", name="mailbox_pk"),
    )
    op.create_table(
        "left_file",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("name_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=True),
        sa.Column("regular", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("tried_at", instant, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(f"reason IN ({_REASONS})", name=op.f("left_file_reason_known")),
        sa.ForeignKeyConstraint(["file_id"], ["received_file.id"], name="left_file_file_id_fk"),
        sa.PrimaryKeyConstraint("partner", "name_bytes", name="left_file_pk"),
    )
    op.create_index("left_file_file_id_index", "left_file", ["file_id"])
