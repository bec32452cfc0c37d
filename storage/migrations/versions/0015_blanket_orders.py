"""An order may be a frame that is ordered from by releases; of those placed before it is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    no = sa.text("false")
    op.add_column("orders", sa.Column("blanket", sa.Boolean(), nullable=False, server_default=no))
