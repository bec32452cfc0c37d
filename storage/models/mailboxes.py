"""The tables that remember mailboxes between runs: how each one is, and what was left lying in it."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlmodel import Field

from storage.database.columns import Instant
from storage.models.base import Row, one_of, refers_to
from storage.states import Left


class MailboxRow(Row, table=True):
    """How a partner's mailbox is: when it was served, and what happened when it was not."""

    __tablename__ = "mailbox"

    partner: str = Field(primary_key=True, sa_type=Text)
    address: str = Field(sa_type=Text)  # a hash of how we reach it: when that changes, the past is past
    failures: int  # in a row
    refusals: int  # logins refused in a row
    error: str = Field(sa_type=Text)
    failed_at: datetime | None = Field(sa_type=Instant)
    resume_at: datetime | None = Field(sa_type=Instant)  # not tried before; NULL: at once
    told_at: datetime | None = Field(sa_type=Instant)  # when the error was last said
    served_at: datetime | None = Field(sa_type=Instant)  # the last look in which all went well


class LeftFileRow(Row, table=True):
    """Something that lies in a pickup folder and stays there, as it was when we looked."""

    __tablename__ = "left_file"
    __table_args__ = (one_of("reason", Left),)

    partner: str = Field(primary_key=True, sa_type=Text)
    name_bytes: bytes = Field(primary_key=True, sa_type=LargeBinary)
    name: str = Field(sa_type=Text)  # for people: escaped
    size: int = Field(sa_type=BigInteger)
    modified: int | None = Field(sa_type=BigInteger)  # by the server's clock
    regular: bool
    reason: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=Instant)  # seen like this first
    tried_at: datetime = Field(sa_type=Instant)
    tries: int
    told: bool
    file_id: int | None = refers_to(
        "received_file.id", nullable=True, index=True
    )  # kept, and could not be moved
