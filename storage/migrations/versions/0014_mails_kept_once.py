"""The words of a message are kept once, in the bytes that go over the wire."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("body_text", "body_html"):
        op.drop_column("outbox", column)
