"""What arrived: files, interchanges, transaction sets, and documents that were applied."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field

from storage.database.columns import COMPACT, Instant, only_where
from storage.models.base import Row, one_of, refers_to, row_key
from storage.outcomes import Outcome
from storage.states import Fate, FileStatus


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
        Index("received_file_status", "status", "id"),
        # People look for files by these, newest first; a name by its beginning.
        Index("received_file_partner", "partner", "id"),
        Index("received_file_name", "name", postgresql_ops={"name": "text_pattern_ops"}),
        Index("received_file_error", "id", **only_where("error <> ''")),
    )

    id: int | None = row_key()
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
    pruned_at: datetime | None = Field(
        sa_type=Instant
    )  # since then `data` is empty, and all else is as it was


class InterchangeRow(Row, table=True):
    """One envelope ISA to IEA of a received file, and what became of it."""

    __tablename__ = "interchange"
    __table_args__ = (
        one_of("outcome", Fate),
        UniqueConstraint("file_id", "ordinal"),
        UniqueConstraint("key"),
        Index("interchange_control_number_index", "control_number"),
        Index("interchange_set_aside", "outcome", **only_where("outcome <> 'accepted'")),
    )

    id: int | None = row_key()
    file_id: int = refers_to("received_file.id")
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
    __table_args__ = (
        one_of("outcome", Outcome),
        UniqueConstraint("interchange_id", "ordinal"),
        # Of most sets the outcome is "applied"; those that are counted and looked for are the others.
        Index("transaction_set_outcome", "outcome", **only_where("outcome <> 'applied'")),
        # By its order a set is found where there is one; the others, and only they, by the number they name.
        Index(
            "transaction_set_without_order",
            "po_number",
            **only_where("order_id IS NULL AND po_number <> ''"),
        ),
    )

    id: int | None = row_key()
    interchange_id: int = refers_to("interchange.id")
    ordinal: int
    group_control_number: str = Field(sa_type=Text)
    functional_id: str = Field(sa_type=Text)
    control_number: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    outcome: str | None = Field(sa_type=Text)
    order_id: int | None = refers_to("orders.id", nullable=True, index=True)
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
    set_id: int | None = refers_to("transaction_set.id", nullable=True)
    at: datetime = Field(sa_type=Instant)
