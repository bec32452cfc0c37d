"""An endpoint's log is found by an index, however much else its partner gets."""

from alembic import op

from storage.database.columns import only_where

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "outbox_endpoint", "outbox", ["endpoint_id", "id"], **only_where("endpoint_id IS NOT NULL")
    )
