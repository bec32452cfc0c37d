"""What is owed to the outside, and the counters it is numbered by."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field

from storage.database.columns import Instant, only_where
from storage.models.base import Row, added, one_of, refers_to, row_key
from storage.states import Kind, Reception, Status


class OutboxRow(Row, table=True):
    """Something owed to the outside, committed with the fact."""

    __tablename__ = "outbox"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("status", Status),
        one_of("verdict", Reception),
        UniqueConstraint("dedupe_key"),
        # An upload may repeat its file name, which makes it harmless; a mail's Message-ID is its own.
        Index(
            "outbox_message_id", "identity", unique=True, **only_where("kind = 'email' AND identity <> ''")
        ),
        Index("outbox_status_index", "status", "due_at", "kind"),
        Index("outbox_recipient", "recipient", "id"),  # what went to somebody, newest first
        Index("outbox_resend_of", "resend_of", **only_where("resend_of IS NOT NULL")),
        Index("outbox_webhooks", "partner", "id", **only_where("kind = 'webhook'")),
        Index("outbox_endpoint", "endpoint_id", "id", **only_where("endpoint_id IS NOT NULL")),
        Index("outbox_group", "partner", "group_control_number", **only_where("group_control_number <> ''")),
    )

    id: int | None = row_key()
    kind: str = Field(sa_type=Text)
    partner: str = Field(sa_type=Text)
    recipient: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    payload: bytes = Field(sa_type=LargeBinary)
    identity: str = Field(sa_type=Text)
    dedupe_key: str = Field(sa_type=Text)
    event_id: int | None = refers_to("event.id", nullable=True, index=True)
    order_id: int | None = refers_to("orders.id", nullable=True, index=True)
    interchange_id: int | None = refers_to("interchange.id", nullable=True, index=True)
    status: str = Field(sa_type=Text)
    attempts: int
    error: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)
    sent_at: datetime | None = Field(sa_type=Instant)
    resend_of: int | None = refers_to("outbox.id", nullable=True)
    group_control_number: str = added(Text)  # by which the partner answers it; without leading zeros
    set_type: str = added(Text)
    verdict: str = added(Text)  # the partner's; "" and NULL: said nothing so far
    verdict_note: str = added(Text)
    verdict_at: datetime | None = Field(sa_type=Instant)
    verdict_set_id: int | None = refers_to("transaction_set.id", nullable=True, index=True)
    file_id: int | None = refers_to("received_file.id", nullable=True)  # whose reading made us owe it
    pruned_at: datetime | None = Field(sa_type=Instant)  # since then its content is empty; it stays as sent
    endpoint_id: int | None = refers_to("webhook_endpoint.id", nullable=True)  # of a webhook


class SequenceRow(Row, table=True):
    """A counter without gaps: a number taken in a transaction that is undone is given again."""

    __tablename__ = "sequence"

    name: str = Field(primary_key=True, sa_type=Text)
    value: int = Field(sa_type=BigInteger)


class RestorationRow(Row, table=True):
    """A backup was put back: what came and went after it was made is being found again until `ended_at`."""

    __tablename__ = "restoration"

    id: int | None = row_key()
    begun_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(sa_type=Instant)  # NULL: nothing is sent meanwhile
    numbers_skipped: int
