"""People who may sign in: added, given one-time links to set a password, locked out for a while, revoked.

What a password hashes to is made elsewhere; here it is only kept. Of a link and a session there is only the
SHA-256, which is as good as a slow hash, because both have 256 bits.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from storage import mail_choices
from storage.database import insert_new, lock_names
from storage.models import table
from storage.states import UserRole

TOKEN_BYTES = 32
FREE_FAILURES = 5  # in a row, before the next attempt has to wait
LOCK_SECONDS = 30  # after the first failure that is too many; twice as long after each other one
LOCK_SECONDS_MAX = 3600
SESSION_HOURS = 12  # somebody is signed in for, at most
IDLE_HOURS = 2  # after which nobody is taken to be still there
_SEEN_EVERY = timedelta(minutes=1)  # noting each page would make a write of every read

_USERS, _SESSIONS = table("app_user"), table("app_session")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, without password and link."""

    id: int
    email: str
    name: str
    role: UserRole
    partner: str  # "" for an operator
    has_password: bool
    failures: int
    locked_until: datetime | None
    link_expires_at: datetime | None
    created_at: datetime
    disabled_at: datetime | None
    signed_in_at: datetime | None

    @property
    def actor(self) -> str:
        """As timelines, mails and the log name this person."""
        return f"{self.name} ({self.email})" if self.name else self.email


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody tries to sign in: as whom, and what the password has to fit; "" when it must not be tried."""

    user: User
    password_hash: str


def add_user(
    tx: Connection, email: str, role: UserRole, at: datetime, *, partner: str = "", name: str = ""
) -> User | None:
    """Add a person, who has no password yet; None when the address has one already."""
    values: dict[str, Any] = {
        "email": normal(email),
        "name": name,
        "role": role.value,
        "partner": partner,
        "password_hash": "",
        "failures": 0,
        "link_hash": "",
        "created_at": at,
    }
    made = insert_new(tx, _USERS, values, key=("email",), returning="id")
    return None if made is None else get_user(tx, int(made))


def restore_user(tx: Connection, user_id: int, role: UserRole, partner: str, name: str) -> None:
    """Let a person in again who was revoked; the old password is gone."""
    mail_choices.forget(tx, user_id)  # it may be another company's person now
    values = {"role": role.value, "partner": partner, "name": name, "disabled_at": None}
    tx.execute(update(_USERS).where(_USERS.c.id == user_id).values(**values))


def normal(email: str) -> str:
    """An address as it is kept: small letters, no blanks around."""
    return email.strip().lower()


def get_user(tx: Connection, user_id: int) -> User | None:
    """A person by number."""
    row = tx.execute(select(_USERS).where(_USERS.c.id == user_id)).one_or_none()
    return None if row is None else _user(row)


def user_with(tx: Connection, email: str, *, alone: bool = False) -> User | None:
    """The person with this address, revoked or not. `alone`: nobody else changes it until we are done."""
    if alone:
        lock_names(tx, [_name(email)])
    row = tx.execute(select(_USERS).where(_USERS.c.email == normal(email))).one_or_none()
    return None if row is None else _user(row)


def list_users(tx: Connection, partner: str | None = None) -> tuple[User, ...]:
    """Everybody, or a partner's people ("" for operators), by address; who was revoked too."""
    query = select(_USERS).order_by(_USERS.c.email)
    if partner is not None:
        query = query.where(_USERS.c.partner == partner)
    return tuple(_user(row) for row in tx.execute(query))


def revoke_user(tx: Connection, user_id: int, at: datetime) -> User | None:
    """From now on this person does not get in, and is signed out everywhere; None: there is none."""
    gone = {"disabled_at": at, "password_hash": "", "link_hash": "", "link_expires_at": None}
    tx.execute(update(_USERS).where(_USERS.c.id == user_id, _USERS.c.disabled_at.is_(None)).values(**gone))
    tx.execute(delete(_SESSIONS).where(_SESSIONS.c.user_id == user_id))
    return get_user(tx, user_id)


def make_link(tx: Connection, user_id: int, expires_at: datetime) -> str:
    """A new token of a one-time link, in place of any earlier one."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {"link_hash": _hash(token), "link_expires_at": expires_at}
    tx.execute(update(_USERS).where(_USERS.c.id == user_id).values(**values))
    return token


def user_of_link(tx: Connection, token: str, at: datetime) -> User | None:
    """Whose link it is; None when it was used, replaced, or is too old."""
    if not token:
        return None
    row = tx.execute(select(_USERS).where(_USERS.c.link_hash == _hash(token))).one_or_none()
    good = row is not None and row.disabled_at is None and row.link_expires_at and at < row.link_expires_at
    return _user(row) if row is not None and good else None


def set_password(tx: Connection, token: str, password_hash: str, at: datetime) -> User | None:
    """Set the password by a link, which is used up; sessions and a lock end. None: no good link."""
    user = user_of_link(tx, token, at)
    if user is None:
        return None
    values = {
        "password_hash": password_hash, "link_hash": "", "link_expires_at": None,
        "failures": 0, "locked_until": None,
    }  # fmt: skip
    used = tx.execute(
        update(_USERS).where(_USERS.c.id == user.id, _USERS.c.link_hash == _hash(token)).values(**values)
    )
    if used.rowcount != 1:  # somebody else used it at the same time
        return None
    tx.execute(delete(_SESSIONS).where(_SESSIONS.c.user_id == user.id))
    return get_user(tx, user.id)


def attempt(tx: Connection, email: str, at: datetime) -> Attempt | None:
    """Somebody tries to sign in. It counts as failed until `sign_in`, so that many tries at once all count.

    None when there is nobody with this address and a password. While the account is locked the answer has
    nothing to fit, and does not count.
    """
    lock_names(tx, [_name(email)])
    row = tx.execute(select(_USERS).where(_USERS.c.email == normal(email))).one_or_none()
    if row is None or row.disabled_at is not None or not row.password_hash:
        return None
    if row.locked_until is not None and at < row.locked_until:
        return Attempt(user=_user(row), password_hash="")
    failures = row.failures + 1
    until = at + timedelta(seconds=lock_seconds(failures)) if lock_seconds(failures) else None
    tx.execute(update(_USERS).where(_USERS.c.id == row.id).values(failures=failures, locked_until=until))
    return Attempt(user=_user(row), password_hash=row.password_hash)


def lock_seconds(failures: int) -> int:
    """How long the next attempt has to wait after so many failures in a row."""
    over = failures - FREE_FAILURES
    return min(LOCK_SECONDS * 2 ** min(over, 16), LOCK_SECONDS_MAX) if over >= 0 else 0


def sign_in(tx: Connection, tried: Attempt, at: datetime, *, password_hash: str = "") -> str | None:
    """What was tried fits: a new session's token. `password_hash` replaces the one that is kept.

    None when the password was replaced, or the person revoked, while it was compared.
    """
    values: dict[str, Any] = {"failures": 0, "locked_until": None, "signed_in_at": at}
    if password_hash:
        values["password_hash"] = password_hash
    still = (_USERS.c.password_hash == tried.password_hash) & _USERS.c.disabled_at.is_(None)
    if tx.execute(update(_USERS).where(_USERS.c.id == tried.user.id, still).values(**values)).rowcount != 1:
        return None
    tx.execute(delete(_SESSIONS).where(_SESSIONS.c.expires_at <= at))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session = {
        "token_hash": _hash(token), "user_id": tried.user.id, "created_at": at, "seen_at": at,
        "expires_at": at + timedelta(hours=SESSION_HOURS),
    }  # fmt: skip
    tx.execute(insert(_SESSIONS).values(**session))
    return token


def signed_in(tx: Connection, token: str, at: datetime) -> tuple[User, bool] | None:
    """Whose session it is, and whether to note that it is in use; None when it ended or never was."""
    query = (
        select(_USERS, _SESSIONS.c.seen_at, _SESSIONS.c.expires_at)
        .join(_SESSIONS, _SESSIONS.c.user_id == _USERS.c.id)
        .where(_SESSIONS.c.token_hash == _hash(token))
    )
    row = tx.execute(query).one_or_none()
    if row is None or row.disabled_at is not None or at >= row.expires_at:
        return None
    if at - row.seen_at >= timedelta(hours=IDLE_HOURS):
        return None
    return _user(row), at - row.seen_at >= _SEEN_EVERY


def note_seen(tx: Connection, token: str, at: datetime) -> None:
    """The session is in use just now."""
    tx.execute(update(_SESSIONS).where(_SESSIONS.c.token_hash == _hash(token)).values(seen_at=at))


def sign_out(tx: Connection, token: str) -> None:
    """End a session."""
    tx.execute(delete(_SESSIONS).where(_SESSIONS.c.token_hash == _hash(token)))


def _name(email: str) -> str:
    """What is locked of a person."""
    return f"user:{normal(email)}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        role=UserRole(row.role),
        partner=row.partner,
        has_password=bool(row.password_hash),
        failures=row.failures,
        locked_until=row.locked_until,
        link_expires_at=row.link_expires_at,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        signed_in_at=row.signed_in_at,
    )
