"""Keys of partners' systems: made, found by their secret, revoked; and what was answered under which key.

The secret itself passes through here once, when a key is made, and is not kept: it has 256 bits, so its
SHA-256 is as good as a password's slow hash, and finding it by its hash tells nobody anything by the time it
takes.
"""

import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from storage.database import Prepared, insert_row, lock_names
from storage.models import table
from storage.states import Scope

PREFIX = "cmk_"  # by which a key that leaked is recognised, by people and by scanners
SECRET_BYTES = 32
_USED_EVERY = timedelta(minutes=1)  # noting each use would make a write of every read

_KEYS, _ANSWERS = table("api_key"), table("idempotency_key")

# Each request asks these; `_key` has its arguments in the order of the columns.
_KEY = select(
    *(_KEYS.c[name] for name in ("id", "partner", "name", "scopes")),
    *(_KEYS.c[name] for name in ("created_at", "expires_at", "revoked_at", "last_used_at")),
)
_BY_HASH = Prepared(_KEY.where(_KEYS.c.secret_hash == bindparam("secret_hash")), "secret_hash")
_ANSWER = ("request_hash", "status", "etag", "body")
_ANSWERED = Prepared(
    select(*(_ANSWERS.c[name] for name in _ANSWER)).where(
        _ANSWERS.c.partner == bindparam("of_partner"), _ANSWERS.c.key == bindparam("of_key")
    ),
    *("of_partner", "of_key"),
)
_KEEP = Prepared(insert(_ANSWERS), "partner", "key", *_ANSWER, "answered_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key, without its secret."""

    id: int
    partner: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None  # None: never
    revoked_at: datetime | None
    last_used_at: datetime | None  # to the minute

    def is_good(self, at: datetime) -> bool:
        """Whether it opens anything at that time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered to a request, and to which: `request_hash` is of its route and its body."""

    request_hash: str
    status: int
    etag: str
    body: str  # JSON


def add_key(
    tx: Connection,
    partner: str,
    scopes: Collection[Scope],
    at: datetime,
    *,
    name: str = "",
    expires_at: datetime | None = None,
) -> tuple[AccessKey, str]:
    """Make a key; it and its secret, which nobody can show again."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    values: dict[str, Any] = {
        "partner": partner,
        "name": name,
        "scopes": " ".join(sorted(scope.value for scope in scopes)),
        "secret_hash": _hash(secret),
        "created_at": at,
        "expires_at": expires_at,
    }
    key_id = insert_row(tx, _KEYS, values)
    made = get_key(tx, key_id)
    assert made is not None
    return made, secret


def key_of(tx: Connection, secret: str) -> AccessKey | None:
    """The key with this secret, good or not; None when there is none."""
    row = _BY_HASH.one(tx, _hash(secret))
    return None if row is None else _key(*row)


def get_key(tx: Connection, key_id: int) -> AccessKey | None:
    """A key by its number."""
    row = tx.execute(_KEY.where(_KEYS.c.id == key_id)).one_or_none()
    return None if row is None else _key(*row)


def list_keys(tx: Connection, partner: str = "", *, alone: bool = False) -> tuple[AccessKey, ...]:
    """All keys, or a partner's, in the order they were made; revoked and expired ones too.

    `alone`: nobody else who counts them adds one until we are done.
    """
    if alone:
        lock_names(tx, [f"keys:{partner}"])
    query = _KEY.order_by(_KEYS.c.id)
    if partner:
        query = query.where(_KEYS.c.partner == partner)
    return tuple(_key(*row) for row in tx.execute(query))


def revoke_key(tx: Connection, key_id: int, at: datetime) -> AccessKey | None:
    """From now on it opens nothing; one that was revoked stays so since then. None: there is no such key."""
    tx.execute(update(_KEYS).where(_KEYS.c.id == key_id, _KEYS.c.revoked_at.is_(None)).values(revoked_at=at))
    return get_key(tx, key_id)


def is_use_due(key: AccessKey, at: datetime) -> bool:
    """Whether this use is to be noted: the last one noted is more than a minute ago."""
    return key.last_used_at is None or at - key.last_used_at >= _USED_EVERY


def note_use(tx: Connection, key_id: int, at: datetime) -> None:
    """The key was used just now."""
    tx.execute(update(_KEYS).where(_KEYS.c.id == key_id).values(last_used_at=at))


def earlier_answer(tx: Connection, partner: str, key: str) -> Answer | None:
    """What a partner's key was answered before. Until this transaction ends, nobody else answers it."""
    lock_names(tx, [f"idempotency:{partner}:{key}"])
    row = _ANSWERED.one(tx, partner, key)
    return None if row is None else Answer(**dict(zip(_ANSWER, row, strict=True)))


def keep_answer(tx: Connection, partner: str, key: str, answer: Answer, at: datetime) -> None:
    """Answer the key so from now on, for ever: what it did cannot be undone, so it must not be done again."""
    said = (getattr(answer, name) for name in _ANSWER)
    _KEEP.run(tx, [(partner, key, *said, at)])


def made_before(tx: Connection, partner: str, key: str) -> int | None:
    """The number of what a form with this key made, which nobody else sends now; None when none did."""
    earlier = earlier_answer(tx, partner, key)
    return None if earlier is None else int(json.loads(earlier.body)["made"])


def keep_made(tx: Connection, partner: str, key: str, made: int, at: datetime) -> None:
    """A form with this key has made this, and makes nothing more."""
    body = json.dumps({"id": 0, "made": made})  # about no order
    keep_answer(tx, partner, key, Answer(request_hash="", status=201, etag="", body=body), at)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(
    id: int, partner: str, name: str, scopes: str,
    created_at: datetime, expires_at: datetime | None, revoked_at: datetime | None,
    last_used_at: datetime | None,
) -> AccessKey:  # fmt: skip
    return AccessKey(
        id=id, partner=partner, name=name,
        scopes=frozenset(Scope(word) for word in scopes.split(" ") if word),
        created_at=created_at, expires_at=expires_at, revoked_at=revoked_at, last_used_at=last_used_at,
    )  # fmt: skip
