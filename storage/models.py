"""The tables, shapes only: nothing here validates; the commands and the database's own constraints do.

Text columns that hold one of a closed list carry a CHECK with that list. A column that is "" means "not
said"; a column that is NULL means "not yet" or "none".
"""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from storage.database.columns import COMPACT, ROW_ID, Instant, Quantity, only_where, whole_numbers
from storage.events import EVENT_VERSION
from storage.orders import OrderStatus
from storage.outcomes import Outcome
from storage.states import Fate, FileStatus, HeldStatus, Kind, ParkedStatus, Reception, Status

# Constraints need names that are the same everywhere, or they can never be changed by a migration.
NAMES = {
    "pk": "%(table_name)s_pk",
    "fk": "%(table_name)s_%(column_0_name)s_fk",
    "uq": "%(table_name)s_%(column_0_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s",
    "ix": "%(table_name)s_%(column_0_name)s_index",
}


class Row(SQLModel):
    """The base of all tables."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


def one_of(column: str, words: type[Enum]) -> CheckConstraint:
    """The column holds one of the values of an enum."""
    values = ", ".join(f"'{member.value}'" for member in words)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")


def _key() -> Any:
    return Field(default=None, primary_key=True, sa_type=ROW_ID)


def _part_of_key(target: str) -> Any:
    return Field(primary_key=True, foreign_key=target, sa_type=BigInteger)


def _to(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    return Field(foreign_key=target, nullable=nullable, index=index, sa_type=BigInteger)


def _added(kind: Any, default: str = "''") -> Any:
    """A column that a migration added, and what it is in rows written before."""
    return Field(sa_type=kind, sa_column_kwargs={"server_default": text(default)})


class ReceivedFileRow(Row, table=True):
    """Our untouched copy of the bytes taken from a mailbox."""

    __tablename__ = "received_file"
    __table_args__ = (
        one_of("status", FileStatus),
        # The same content under the same name is the same file until it was moved away, then a new drop.
        Index(
            "received_file_waiting",
            "partner",
            "name_bytes",
            "sha256",
            unique=True,
            **only_where("moved_at IS NULL"),
        ),
        Index("received_file_new", "id", **only_where("status = 'new'")),
    )

    id: int | None = _key()
    partner: str = Field(sa_type=Text)
    mailbox: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)  # for people: escaped, never used as a path
    name_bytes: bytes = Field(sa_type=LargeBinary)
    sha256: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    data: bytes = Field(sa_type=LargeBinary)
    received_at: datetime = Field(sa_type=Instant)
    moved_at: datetime | None = Field(sa_type=Instant)
    moved_to: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    attempts: int
    error: str = Field(sa_type=Text)
    ingested_at: datetime | None = Field(sa_type=Instant)


class InterchangeRow(Row, table=True):
    """One envelope ISA to IEA of a received file, and what became of it."""

    __tablename__ = "interchange"
    __table_args__ = (
        one_of("outcome", Fate),
        UniqueConstraint("file_id", "ordinal"),
        UniqueConstraint("key"),
    )

    id: int | None = _key()
    file_id: int = _to("received_file.id")
    ordinal: int
    partner: str = Field(sa_type=Text)
    sender: str = Field(sa_type=Text)
    receiver: str = Field(sa_type=Text)
    control_number: str = Field(sa_type=Text)
    usage: str = Field(sa_type=Text)
    date: str = Field(sa_type=Text)
    time: str = Field(sa_type=Text)
    content_hash: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    key: str | None = Field(sa_type=Text)  # set only when it counts: a failed attempt never burns the key
    findings: Any = Field(sa_type=JSON)


class TransactionSetRow(Row, table=True):
    """The receipt of one set ST to SE."""

    __tablename__ = "transaction_set"
    __table_args__ = (one_of("outcome", Outcome), UniqueConstraint("interchange_id", "ordinal"))

    id: int | None = _key()
    interchange_id: int = _to("interchange.id")
    ordinal: int
    group_control_number: str = Field(sa_type=Text)
    functional_id: str = Field(sa_type=Text)
    control_number: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    outcome: str | None = Field(sa_type=Text)
    order_id: int | None = _to("orders.id", nullable=True, index=True)
    po_number: str = Field(sa_type=Text)
    content_hash: str = Field(sa_type=Text)
    findings: Any = Field(sa_type=JSON)
    refusals: Any = Field(sa_type=JSON)
    summary: Any = Field(sa_type=JSON)
    decided_at: datetime | None = Field(sa_type=Instant)


class DocumentRow(Row, table=True):
    """The business key of a document that was applied, and the hash of what it said. Never edited.

    The hash is part of the key: where the rule lets a document with other content pass, that one is
    remembered too, or its repetition would be applied a second time.
    """

    __tablename__ = "document"
    __table_args__ = COMPACT

    partner: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    content_hash: str = Field(primary_key=True, sa_type=Text)
    set_id: int | None = _to("transaction_set.id", nullable=True)
    at: datetime = Field(sa_type=Instant)


class OrderRow(Row, table=True):
    """An order between two parties. Buyer first in the key: databases can be split by buyer later."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of("status", OrderStatus),
        UniqueConstraint("buyer", "seller", "po_number", "release"),
    )

    id: int | None = _key()
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
    change_sequence: str = _added(Text)  # this and the next two: what came last, so that older is stale
    seller_change_sequence: str = _added(Text)
    restated_at: datetime | None = Field(sa_type=Instant)
    reopened_by: str = _added(Text)


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
    order_id: int = _to("orders.id")
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
    requested: Decimal = _added(Quantity, "0")  # open, and the buyer asked to cancel them; may fall
    withdrawn: Decimal = _added(Quantity, "0")  # no longer fulfilled: their shipment was withdrawn


class OrderLineIdRow(Row, table=True):
    """The product identifiers of a line, in the order the document gave them."""

    __tablename__ = "order_line_id"
    __table_args__ = COMPACT

    line_id: int = _part_of_key("order_line.id")
    ordinal: int = Field(primary_key=True)
    qualifier: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)
    scheme: str = Field(sa_type=Text)


class EventRow(Row, table=True):
    """A fact the ledger accepted. Never edited, never deleted."""

    __tablename__ = "event"
    # No CHECK on `kind`: the list of facts will grow, and SQLite would have to copy the whole history for it.
    __table_args__ = (UniqueConstraint("order_id", "sequence"),)

    id: int | None = _key()
    order_id: int = _to("orders.id")
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
    set_id: int | None = _to("transaction_set.id", nullable=True, index=True)
    source_actor: str = Field(sa_type=Text)
    source_file: str = Field(sa_type=Text)
    source_interchange: str = Field(sa_type=Text)
    source_group: str = Field(sa_type=Text)
    source_set: str = Field(sa_type=Text)
    source_type: str = Field(sa_type=Text)
    reference: str = _added(Text)  # the shipment id, of a shipment and of its withdrawal


class EventLineRow(Row, table=True):
    """The units of one line that an event moved."""

    __tablename__ = "event_line"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity_sign"),
        CheckConstraint("settled BETWEEN 0 AND quantity", name="settled_within_quantity"),
        *whole_numbers("event_line", "quantity", "settled"),
        COMPACT,
    )

    event_id: int = _part_of_key("event.id")
    line_id: int = _part_of_key("order_line.id")
    quantity: Decimal = Field(sa_type=Quantity)
    reason_code: str = Field(sa_type=Text)
    reason_text: str = Field(sa_type=Text)
    settled: Decimal = _added(Quantity, "0")  # how many requested units no longer wait for an answer


class HeldRow(Row, table=True):
    """A question that waits for a person."""

    __tablename__ = "held"
    __table_args__ = (one_of("status", HeldStatus),)

    id: int | None = _key()
    set_id: int | None = _to("transaction_set.id", nullable=True, index=True)
    order_id: int | None = _to("orders.id", nullable=True)
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
    )

    id: int | None = _key()
    set_id: int = _to("transaction_set.id")
    partner: str = Field(sa_type=Text)
    buyer: str = Field(sa_type=Text)
    seller: str = Field(sa_type=Text)
    po_number: str = Field(sa_type=Text)
    release: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    status: str = Field(sa_type=Text)


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
        Index("outbox_status_index", "status", "due_at"),
        Index("outbox_group", "partner", "group_control_number", **only_where("group_control_number <> ''")),
    )

    id: int | None = _key()
    kind: str = Field(sa_type=Text)
    partner: str = Field(sa_type=Text)
    recipient: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    payload: bytes = Field(sa_type=LargeBinary)
    body_text: str = Field(sa_type=Text)
    body_html: str = Field(sa_type=Text)
    identity: str = Field(sa_type=Text)
    dedupe_key: str = Field(sa_type=Text)
    event_id: int | None = _to("event.id", nullable=True, index=True)
    order_id: int | None = _to("orders.id", nullable=True, index=True)
    interchange_id: int | None = _to("interchange.id", nullable=True, index=True)
    status: str = Field(sa_type=Text)
    attempts: int
    error: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)
    sent_at: datetime | None = Field(sa_type=Instant)
    resend_of: int | None = _to("outbox.id", nullable=True)
    group_control_number: str = _added(Text)  # by which the partner answers it; without leading zeros
    set_type: str = _added(Text)
    verdict: str = _added(Text)  # the partner's; "" and NULL: said nothing so far
    verdict_note: str = _added(Text)
    verdict_at: datetime | None = Field(sa_type=Instant)
    verdict_set_id: int | None = _to("transaction_set.id", nullable=True, index=True)


class SequenceRow(Row, table=True):
    """A counter without gaps: a number taken in a transaction that is undone is given again."""

    __tablename__ = "sequence"

    name: str = Field(primary_key=True, sa_type=Text)
    value: int = Field(sa_type=BigInteger)


METADATA = Row.metadata


def table(name: str) -> Table:
    """The SQLAlchemy table behind a model, for Core statements."""
    return METADATA.tables[name]
