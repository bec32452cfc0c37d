"""What waits: for a person, or for an order."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Index,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field

from storage.database.columns import Instant, only_where
from storage.models.base import Row, one_of, refers_to, row_key
from storage.states import HeldStatus, ParkedStatus


class HeldRow(Row, table=True):
    """A question that waits for a person."""

    __tablename__ = "held"
    __table_args__ = (one_of("status", HeldStatus), Index("held_open", "at", **only_where("status = 'open'")))

    id: int | None = row_key()
    set_id: int | None = refers_to("transaction_set.id", nullable=True, index=True)
    order_id: int | None = refers_to("orders.id", nullable=True)
    po_number: str = Field(sa_type=Text)
    partner: str = Field(sa_type=Text)
    statement: str = Field(sa_type=Text)
    choices: Any = Field(sa_type=JSON)
    status: str = Field(sa_type=Text)
    answer: str = Field(sa_type=Text)
    answered_by: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Instant)
    answered_at: datetime | None = Field(sa_type=Instant)
    expires_at: datetime | None = Field(sa_type=Instant)  # NULL: waits as long as it takes


class ParkedRow(Row, table=True):
    """A set that waits for an order not known yet."""

    __tablename__ = "parked"
    __table_args__ = (
        one_of("status", ParkedStatus),
        UniqueConstraint("set_id", "buyer", "seller", "po_number", "release"),
        Index("parked_po_number_index", "po_number", "status"),
        Index("parked_waiting", "since", **only_where("status = 'waiting'")),
    )

    id: int | None = row_key()
    set_id: int = refers_to("transaction_set.id")
    partner: str = Field(sa_type=Text)
    buyer: str = Field(sa_type=Text)
    seller: str = Field(sa_type=Text)
    po_number: str = Field(sa_type=Text)
    release: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    status: str = Field(sa_type=Text)
