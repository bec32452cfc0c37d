"""Changes of orders, requested cancellations, withdrawn shipments, and partners' verdicts on what we sent."""

import sqlalchemy as sa
from alembic import op

from storage.database.columns import only_where
from storage.database.triggers import allow_withdrawals, pause_facts

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PAGE = 1000


def upgrade() -> None:
    _change_orders()
    _change_order_line()
    _change_event()
    _change_event_line()
    _change_held()
    _change_outbox()


def _add_text(table: str, *names: str) -> None:
    for name in names:
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))


def _add(table: str, column: str, kind: str, *constraints: str) -> None:
    """A column with its constraints.

    Both systems check a constraint of a new column against its table; SQLite could add it later only by
    copying the table, which what refers to the table would not survive.
    """
    parts = " ".join(f"CONSTRAINT {table}_{constraint}" for constraint in constraints)
    op.execute(sa.text(f"ALTER TABLE {table} ADD COLUMN {column} {kind} {parts}"))


def _add_quantity(table: str, column: str, constraint: str) -> None:
    whole = [f"{column}_whole CHECK (typeof({column}) = 'integer')"] if _on("sqlite") else []
    _add(table, column, "BIGINT DEFAULT 0 NOT NULL", constraint, *whole)


def _on(dialect: str) -> bool:
    return op.get_bind().dialect.name == dialect


def _run(*statements: str) -> None:
    for statement in statements:
        op.execute(sa.text(statement))


def _change_orders() -> None:
    _add_text("orders", "change_sequence", "seller_change_sequence")
    op.add_column("orders", sa.Column("restated_at", sa.DateTime(timezone=True), nullable=True))
    _add_text("orders", "reopened_by")


def _change_order_line() -> None:
    _add_quantity(
        "order_line",
        "requested",
        "requested_open CHECK (requested BETWEEN 0 AND ordered - fulfilled - cancelled)",
    )
    _add_quantity("order_line", "withdrawn", "withdrawn_sign CHECK (withdrawn >= 0)")
    op.create_index("order_line_requested", "order_line", ["order_id"], **only_where("requested > 0"))
    _run(*allow_withdrawals(op.get_bind().dialect.name))


def _change_event() -> None:
    _add_text("event", "reference")
    allow, forbid = pause_facts("event", op.get_bind().dialect.name)
    _run(allow)
    _name_shipments()
    _run(forbid)


def _name_shipments() -> None:
    """Shipments recorded so far said their id in their only note: "Shipment X."."""
    event = sa.table(
        "event", *(sa.column(name) for name in ("id", "kind", "reference")), sa.column("notes", sa.JSON)
    )
    page = (
        sa.select(event.c.id, event.c.notes)
        .where(event.c.kind == "lines_fulfilled", event.c.id > sa.bindparam("after"))
        .order_by(event.c.id)
        .limit(_PAGE)
    )
    name = (
        sa.update(event)
        .where(event.c.id == sa.bindparam("event"))
        .values(reference=sa.bindparam("shipment", type_=sa.Text))
    )
    bind, last = op.get_bind(), 0
    while rows := bind.execute(page, {"after": last}).all():
        last = rows[-1].id
        named = [
            {"event": row.id, "shipment": row.notes[0].removeprefix("Shipment ").removesuffix(".")}
            for row in rows
            if len(row.notes) == 1 and row.notes[0].startswith("Shipment ")
        ]
        if named:
            bind.execute(name, named)


def _change_event_line() -> None:
    _add_quantity("event_line", "settled", "settled_within_quantity CHECK (settled BETWEEN 0 AND quantity)")


def _change_held() -> None:
    # Nothing refers to this table, so that SQLite can copy it to let the constraint know another word.
    with op.batch_alter_table("held") as held:
        held.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
        held.drop_constraint("held_status_known", type_="check")
        held.create_check_constraint("held_status_known", "status IN ('open', 'answered', 'expired')")


def _change_outbox() -> None:
    _add_text("outbox", "group_control_number", "set_type")
    _add(
        "outbox",
        "verdict",
        "TEXT DEFAULT '' NOT NULL",
        "verdict_known CHECK"
        " (verdict IN ('', 'accepted', 'accepted_with_errors', 'partly_accepted', 'rejected'))",
    )
    _add_text("outbox", "verdict_note")
    op.add_column("outbox", sa.Column("verdict_at", sa.DateTime(timezone=True), nullable=True))
    _add("outbox", "verdict_set_id", "BIGINT", "verdict_set_id_fk REFERENCES transaction_set (id)")
    op.create_index("outbox_verdict_set_id_index", "outbox", ["verdict_set_id"])
    op.create_index(
        "outbox_group",
        "outbox",
        ["partner", "group_control_number"],
        **only_where("group_control_number <> ''"),
    )
