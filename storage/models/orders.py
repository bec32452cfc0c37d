"""Orders, their lines, and the facts that moved units."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field

from storage.database.columns import COMPACT, ROW_ID, Instant, Quantity, only_where, whole_numbers
from storage.events import EVENT_VERSION
from storage.models.base import Row, added, one_of, part_of_key, refers_to, row_key
from storage.orders import OrderStatus


class OrderRow(Row, table=True):
    """An order between two parties. Buyer first in the key: databases can be split by buyer later."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of("status", OrderStatus),
        UniqueConstraint("buyer", "seller", "po_number", "release"),
        Index("orders_status", "status", "placed_at", "id"),
        Index("orders_of_buyer", "buyer", "placed_at", "id"),  # a party's own, newest first, by pages
        Index("orders_of_seller", "seller", "placed_at", "id"),
        Index("orders_of_buyer_by_status", "buyer", "status", "placed_at", "id"),
        Index("orders_of_seller_by_status", "seller", "status", "placed_at", "id"),
        Index("orders_placed", "placed_at", "id"),  # everybody's, for the hub's own people
    )

    id: int | None = row_key()
    buyer: str = Field(sa_type=Text)
    seller: str = Field(sa_type=Text)
    po_number: str = Field(sa_type=Text, index=True)
    release: str = Field(sa_type=Text)
    revision: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)  # derived from the lines' counters, kept for lists
    placed_at: datetime = Field(sa_type=Instant)
    ordered_on: date | None
    content_hash: str = Field(sa_type=Text)
    whole_cancelled: bool
    change_sequence: str = added(Text)  # this and the next two: what came last, so that older is stale
    seller_change_sequence: str = added(Text)
    restated_at: datetime | None = Field(sa_type=Instant)
    reopened_by: str = added(Text)
    blanket: bool = added(Boolean, "false")
    last_sequence: int = added(Integer, "0")  # of its events; one that is removed is missed
    last_hash: str = added(Text)  # the hash of that event


class OrderLineRow(Row, table=True):
    """A line and its counters. Its id is made of its order's and its place: `storage.evolve.line_id`."""

    __tablename__ = "order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "line"),
        CheckConstraint("ordered >= 0", name="ordered_sign"),
        CheckConstraint("fulfilled >= 0", name="fulfilled_sign"),
        CheckConstraint("cancelled >= 0", name="cancelled_sign"),
        CheckConstraint("declined >= 0 AND declined <= cancelled", name="declined_within_cancelled"),
        CheckConstraint("fulfilled + cancelled <= ordered", name="conservation"),
        CheckConstraint("requested BETWEEN 0 AND ordered - fulfilled - cancelled", name="requested_open"),
        CheckConstraint("withdrawn >= 0", name="withdrawn_sign"),
        *whole_numbers(
            "order_line", "ordered", "fulfilled", "cancelled", "declined", "requested", "withdrawn"
        ),
        Index("order_line_requested", "order_id", **only_where("requested > 0")),
    )

    id: int = Field(primary_key=True, sa_type=ROW_ID, sa_column_kwargs={"autoincrement": False})
    order_id: int = refers_to("orders.id")
    ordinal: int
    line: str = Field(sa_type=Text)
    assigned: bool
    unit: str = Field(sa_type=Text)
    pack_unit: str = Field(sa_type=Text)
    pack_size: Decimal = Field(sa_type=Quantity)
    discrete: bool
    description: str = Field(sa_type=Text)
    ordered: Decimal = Field(sa_type=Quantity)
    fulfilled: Decimal = Field(sa_type=Quantity)
    cancelled: Decimal = Field(sa_type=Quantity)
    declined: Decimal = Field(sa_type=Quantity)
    requested: Decimal = added(Quantity, "0")  # open, and the buyer asked to cancel them; may fall
    withdrawn: Decimal = added(Quantity, "0")  # no longer fulfilled: their shipment was withdrawn


class OrderLineIdRow(Row, table=True):
    """The product identifiers of a line, in the order the document gave them."""

    __tablename__ = "order_line_id"
    __table_args__ = (Index("order_line_id_item", "id"), COMPACT)  # orders are looked for by item

    line_id: int = part_of_key("order_line.id")
    ordinal: int = Field(primary_key=True)
    qualifier: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)
    scheme: str = Field(sa_type=Text)


class EventRow(Row, table=True):
    """A fact the ledger accepted. Never edited, never deleted."""

    __tablename__ = "event"
    # No CHECK on `kind`: the list of facts will grow, and SQLite would have to copy the whole history for it.
    __table_args__ = (UniqueConstraint("order_id", "sequence"),)

    id: int | None = row_key()
    order_id: int = refers_to("orders.id")
    sequence: int  # 1, 2, 3 ... within the order
    kind: str = Field(sa_type=Text)
    declined: bool  # the cancelled units come from the seller's acknowledgment
    by_party: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Instant)
    reason_code: str = Field(sa_type=Text)
    reason_text: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    notes: Any = Field(sa_type=JSON)
    version: int = EVENT_VERSION
    set_id: int | None = refers_to("transaction_set.id", nullable=True, index=True)
    source_actor: str = Field(sa_type=Text)
    source_file: str = Field(sa_type=Text)
    source_interchange: str = Field(sa_type=Text)
    source_group: str = Field(sa_type=Text)
    source_set: str = Field(sa_type=Text)
    source_type: str = Field(sa_type=Text)
    reference: str = added(Text)  # the shipment id, of a shipment and of its withdrawal
    hash: str = added(Text)  # of what it says and of the event before it: `storage.chain`


class EventLineRow(Row, table=True):
    """The units of one line that an event moved."""

    __tablename__ = "event_line"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity_sign"),
        CheckConstraint("settled BETWEEN 0 AND quantity", name="settled_within_quantity"),
        *whole_numbers("event_line", "quantity", "settled"),
        COMPACT,
    )

    event_id: int = part_of_key("event.id")
    line_id: int = part_of_key("order_line.id")
    quantity: Decimal = Field(sa_type=Quantity)
    reason_code: str = Field(sa_type=Text)
    reason_text: str = Field(sa_type=Text)
    settled: Decimal = added(Quantity, "0")  # how many requested units no longer wait for an answer
