"""On PostgreSQL: what triggers refuse is told as a broken law, and tables of facts cannot be emptied."""

import sqlalchemy as sa
from alembic import op

from storage.database.triggers import refuse_as_laws

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in refuse_as_laws(op.get_bind().dialect.name):
        op.execute(sa.text(statement))
