"""The tables of who may come in over HTTP: keys, people and their sessions; and what was answered to whom.

No secret is kept: of a key, a session and a one-time link there is the SHA-256, of a password what argon2
makes of it. A session's CSRF token is made from the cookie's own token, so that there is none to keep.
"""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from storage.database.columns import Instant, only_where
from storage.models.base import Row, one_of, refers_to, row_key
from storage.states import UserRole


class ApiKeyRow(Row, table=True):
    """A key with which a partner's system speaks for it, as far as its scopes go."""

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("secret_hash"),)

    id: int | None = row_key()
    partner: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)  # for people: which system has it
    scopes: str = Field(sa_type=Text)  # with a blank between
    secret_hash: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(sa_type=Instant)
    last_used_at: datetime | None = Field(sa_type=Instant)  # to the minute


class IdempotencyKeyRow(Row, table=True):
    """What was answered to a request with an Idempotency-Key; the same key is answered so for ever."""

    __tablename__ = "idempotency_key"

    partner: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    request_hash: str = Field(sa_type=Text)  # of the route and the body
    status: int
    etag: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)  # as JSON
    answered_at: datetime = Field(sa_type=Instant)


class AppUserRow(Row, table=True):
    """A person who may sign in: for a partner, or for the hub itself."""

    __tablename__ = "app_user"
    __table_args__ = (
        one_of("role", UserRole),
        UniqueConstraint("email"),
        Index("app_user_partner", "partner"),
        Index("app_user_link", "link_hash", unique=True, **only_where("link_hash <> ''")),
    )

    id: int | None = row_key()
    email: str = Field(sa_type=Text)  # in small letters
    name: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    partner: str = Field(sa_type=Text)  # "" for an operator
    password_hash: str = Field(sa_type=Text)  # "" until one was set
    failures: int  # to sign in, in a row
    locked_until: datetime | None = Field(sa_type=Instant)
    link_hash: str = Field(sa_type=Text)  # of the one-time link by which a password is set; "" for none
    link_expires_at: datetime | None = Field(sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    disabled_at: datetime | None = Field(sa_type=Instant)
    signed_in_at: datetime | None = Field(sa_type=Instant)


class AppSessionRow(Row, table=True):
    """Somebody is signed in, in one browser."""

    __tablename__ = "app_session"

    token_hash: str = Field(primary_key=True, sa_type=Text)
    user_id: int = refers_to("app_user.id", index=True)
    created_at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
