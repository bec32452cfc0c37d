"""Which file a message comes from, what was pruned, backups that were put back, and counting fast."""

import sqlalchemy as sa
from alembic import op

from storage.database.columns import ROW_ID, only_where

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restoration",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("numbers_skipped", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="restoration_pk"),
    )
    op.add_column("received_file", sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True))
    # As SQL, because SQLite takes a reference with a name only so, without copying the table.
    op.execute(
        sa.text(
            "ALTER TABLE outbox ADD COLUMN file_id BIGINT"
            " CONSTRAINT outbox_file_id_fk REFERENCES received_file (id)"
        )
    )
    op.add_column("outbox", sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True))
    _change_indexes()


def _change_indexes() -> None:
    """Each status is counted in an index; a scan of the tables would read every byte ever received."""
    op.drop_index("received_file_new", "received_file")
    op.create_index("received_file_status", "received_file", ["status", "id"])
    op.create_index(
        "transaction_set_outcome", "transaction_set", ["outcome"], **only_where("outcome <> 'applied'")
    )
    op.create_index("orders_status", "orders", ["status"])
    op.create_index("held_open", "held", ["at"], **only_where("status = 'open'"))
    op.create_index("parked_waiting", "parked", ["since"], **only_where("status = 'waiting'"))
    op.drop_index("outbox_status_index", "outbox")
    op.create_index("outbox_status_index", "outbox", ["status", "due_at", "kind"])
