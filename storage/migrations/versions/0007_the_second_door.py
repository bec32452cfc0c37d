"""Who may come in by the second door, over HTTP: keys of partners' systems, people, and what was answered."""

import sqlalchemy as sa
from alembic import op

from storage.database.columns import ROW_ID, only_where

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("revoked_at", _INSTANT, nullable=True),
        sa.Column("last_used_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="api_key_pk"),
        sa.UniqueConstraint("secret_hash", name="api_key_secret_hash_key"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("answered_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("partner", "key", name="idempotency_key_pk"),
    )
    _people()
    _lists()


def _people() -> None:
    op.create_table(
        "app_user",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", _INSTANT, nullable=True),
        sa.Column("link_hash", sa.Text(), nullable=False),
        sa.Column("link_expires_at", _INSTANT, nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("disabled_at", _INSTANT, nullable=True),
        sa.Column("signed_in_at", _INSTANT, nullable=True),
        sa.CheckConstraint("role IN ('partner', 'operator')", name=op.f("app_user_role_known")),
        sa.PrimaryKeyConstraint("id", name="app_user_pk"),
        sa.UniqueConstraint("email", name="app_user_email_key"),
    )
    op.create_index("app_user_link", "app_user", ["link_hash"], unique=True, **only_where("link_hash <> ''"))
    op.create_table(
        "app_session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="app_session_user_id_fk"),
        sa.PrimaryKeyConstraint("token_hash", name="app_session_pk"),
    )
    op.create_index("app_session_user_id_index", "app_session", ["user_id"])


def _lists() -> None:
    """A party's orders are listed newest first, a page at a time, and looked for by item."""
    op.create_index("orders_of_buyer", "orders", ["buyer", "placed_at", "id"])
    op.create_index("orders_of_seller", "orders", ["seller", "placed_at", "id"])
    op.create_index("orders_placed", "orders", ["placed_at", "id"])
    op.drop_index("orders_status", "orders")
    op.create_index("orders_status", "orders", ["status", "placed_at", "id"])
    op.create_index("order_line_id_item", "order_line_id", ["id"])
