"""Events posted to partners' endpoints: a third kind of message in the outbox, endpoints, and a log."""

import sqlalchemy as sa
from alembic import op

from storage.database.columns import ROW_ID, only_where

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_BEFORE = "kind IN ('email', 'acknowledgment')"
_AFTER = "kind IN ('email', 'acknowledgment', 'webhook')"


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=False),
        sa.Column("old_secret_until", _INSTANT, nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("disabled_at", _INSTANT, nullable=True),
        sa.Column("disabled_why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="webhook_endpoint_pk"),
    )
    op.create_index("webhook_endpoint_partner", "webhook_endpoint", ["partner"])
    op.create_table(
        "webhook_attempt",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoint.id"], name="webhook_attempt_endpoint_id_fk"
        ),
        sa.ForeignKeyConstraint(["message_id"], ["outbox.id"], name="webhook_attempt_message_id_fk"),
        sa.PrimaryKeyConstraint("id", name="webhook_attempt_pk"),
    )
    op.create_index("webhook_attempt_endpoint", "webhook_attempt", ["endpoint_id", "id"])
    op.create_index("webhook_attempt_message_id_index", "webhook_attempt", ["message_id"])
    _change_outbox()


def _change_outbox() -> None:
    column = "endpoint_id BIGINT CONSTRAINT outbox_endpoint_id_fk REFERENCES webhook_endpoint (id)"
    op.execute(sa.text(f"ALTER TABLE outbox ADD COLUMN {column}"))
    op.create_index("outbox_webhooks", "outbox", ["partner", "id"], **only_where("kind = 'webhook'"))
    if op.get_bind().dialect.name == "sqlite":
        _widen_on_sqlite()
    else:
        op.execute(sa.text("ALTER TABLE outbox DROP CONSTRAINT outbox_kind_known"))
        op.execute(sa.text(f"ALTER TABLE outbox ADD CONSTRAINT outbox_kind_known CHECK ({_AFTER})"))


def _widen_on_sqlite() -> None:
    """SQLite changes a constraint by copying the table, which rows that refer to it would not survive.

    A constraint that allows more needs no row to be looked at; for that case SQLite describes this way
    (https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
    """
    bind = op.get_bind()
    version = bind.execute(sa.text("PRAGMA schema_version")).scalar_one()
    bind.execute(sa.text("PRAGMA writable_schema = ON"))
    changed = bind.execute(
        sa.text("UPDATE sqlite_master SET sql = replace(sql, :before, :after) WHERE name = 'outbox'"),
        {"before": _BEFORE, "after": _AFTER},
    )
    assert changed.rowcount == 1
    bind.execute(sa.text(f"PRAGMA schema_version = {int(version) + 1}"))
    bind.execute(sa.text("PRAGMA writable_schema = OFF"))
    found = bind.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = 'outbox'")).scalar_one()
    if _AFTER not in found:
        raise RuntimeError("the outbox's constraint is not as the migrations before wrote it")
