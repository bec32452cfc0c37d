"""The tables of who is told of what, and when: people's choices, and what waits for their next digest."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from storage.database.columns import COMPACT, Instant, only_where
from storage.models.base import Row, one_of, part_of_key, refers_to, row_key
from storage.states import MailPace, MailTopic


class MailChoiceRow(Row, table=True):
    """A person's choice for one topic; who made none has none."""

    __tablename__ = "mail_choice"
    __table_args__ = (one_of("topic", MailTopic), one_of("pace", MailPace), COMPACT)

    user_id: int = part_of_key("app_user.id")
    topic: str = Field(primary_key=True, sa_type=Text)
    pace: str = Field(sa_type=Text)


class DigestEntryRow(Row, table=True):
    """Something owed to one reader in a digest, committed with its fact."""

    __tablename__ = "digest_entry"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index("digest_entry_waiting", "partner", "recipient", "id", **only_where("message_id IS NULL")),
    )

    id: int | None = row_key()
    partner: str = Field(sa_type=Text)  # whose person it is
    recipient: str = Field(sa_type=Text)
    topic: str = Field(sa_type=Text)
    dedupe_key: str = Field(sa_type=Text)  # of the e-mail that would have been sent at once
    event_id: int | None = refers_to("event.id", nullable=True, index=True)
    order_id: int | None = refers_to("orders.id", nullable=True)
    content: str = Field(sa_type=Text)  # as JSON; "" once it is old and was sent
    created_at: datetime = Field(sa_type=Instant)
    message_id: int | None = refers_to("outbox.id", nullable=True, index=True)  # the digest; NULL: it waits
