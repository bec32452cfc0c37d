"""The tables of webhooks: partners' endpoints, and what each of them answered.

What is owed to an endpoint is in the outbox, as everything that leaves. A secret is kept as it is, because
every delivery is signed with it; nothing but the signature ever shows it.
"""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from storage.database.columns import Instant
from storage.models.base import Row, refers_to, row_key


class WebhookEndpointRow(Row, table=True):
    """An address of a partner's to which events are posted."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (Index("webhook_endpoint_partner", "partner"),)

    id: int | None = row_key()
    partner: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)  # never another one: who wants that makes another endpoint
    topics: str = Field(sa_type=Text)  # with a blank between
    secret: str = Field(sa_type=Text)  # the key of the signatures
    old_secret: str = Field(sa_type=Text)  # the one before; "" for none
    old_secret_until: datetime | None = Field(sa_type=Instant)  # so long it signs too
    created_at: datetime = Field(sa_type=Instant)
    disabled_at: datetime | None = Field(sa_type=Instant)
    disabled_why: str = Field(sa_type=Text)


class WebhookAttemptRow(Row, table=True):
    """One attempt to post something, and what the endpoint made of it."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (Index("webhook_attempt_endpoint", "endpoint_id", "id"),)

    id: int | None = row_key()
    endpoint_id: int = refers_to("webhook_endpoint.id")
    message_id: int | None = refers_to("outbox.id", nullable=True, index=True)  # NULL: a ping
    at: datetime = Field(sa_type=Instant)
    duration_ms: int
    status: int | None  # of HTTP; NULL: there was no answer
    error: str = Field(sa_type=Text)  # "" when it was taken
    excerpt: str = Field(sa_type=Text)  # the beginning of the answer, made visible
