"""Until when what was asked for can be answered."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from storage.database.columns import Instant, only_where
from storage.models.base import Row, part_of_key, refers_to


class RequestDeadlineRow(Row, table=True):
    """The moment a request to cancel lapses, as it was promised; a request without one has no row."""

    __tablename__ = "request_deadline"
    __table_args__ = (
        Index("request_deadline_open", "answer_by", **only_where("closed_at IS NULL")),
        Index(
            "request_deadline_unreminded",
            "remind_at",
            **only_where("reminded_at IS NULL AND closed_at IS NULL"),
        ),
    )

    event_id: int = part_of_key("event.id")
    order_id: int = refers_to("orders.id", index=True)
    answer_by: datetime = Field(sa_type=Instant)
    remind_at: datetime = Field(sa_type=Instant)
    reminded_at: datetime | None = Field(
        sa_type=Instant
    )  # looked at then; the seller, if it had not answered
    closed_at: datetime | None = Field(sa_type=Instant)  # nothing of it waits: it was settled, or lapsed
