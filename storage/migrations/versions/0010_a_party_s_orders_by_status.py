"""A party's orders of one status are found by an index, however rare it is."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for party in ("buyer", "seller"):
        op.create_index(f"orders_of_{party}_by_status", "orders", [party, "status", "placed_at", "id"])
