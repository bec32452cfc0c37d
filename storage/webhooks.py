"""Webhooks: partners' endpoints, their secrets, and the log of what each answered.

An endpoint as everybody sees it has no secret; who signs asks for the secrets by themselves.
"""

import base64
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from storage.database import Prepared, insert_row, lock_names, word
from storage.models import table
from storage.states import Kind, Status, Topic

PREFIX = "whsec_"  # as Standard Webhooks has it; what follows is base64
SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)  # so long the secret before signs beside the new one
TWICE = timedelta(minutes=1)  # in which nobody has put a new secret to use: a second one takes its place
ENDPOINTS_MAX = 20  # of one partner, not counting those disabled

_ENDPOINTS, _ATTEMPTS, _OUTBOX = (table(name) for name in ("webhook_endpoint", "webhook_attempt", "outbox"))
_SHOWN = ("id", "partner", "url", "topics", "created_at", "disabled_at", "disabled_why")
_SHOWN_COLUMNS = select(*(_ENDPOINTS.c[name] for name in _SHOWN))
# Every transaction with events asks this.
_LISTENING = Prepared(
    _SHOWN_COLUMNS.where(
        _ENDPOINTS.c.partner.in_([bindparam("one"), bindparam("other")]), _ENDPOINTS.c.disabled_at.is_(None)
    ).order_by(_ENDPOINTS.c.id),
    *("one", "other"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a partner wants events to be posted; without its secret."""

    id: int
    partner: str
    url: str
    topics: frozenset[Topic]
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str

    @property
    def is_on(self) -> bool:
        """Whether anything is posted to it."""
        return self.disabled_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAttempt:
    """One attempt to post something to an endpoint."""

    endpoint_id: int
    message_id: int | None  # None: a ping
    at: datetime
    duration_ms: int
    status: int | None  # of HTTP; None: there was no answer
    error: str  # "" when it was taken
    excerpt: str  # of the answer, made visible


def add_endpoint(
    tx: Connection, partner: str, url: str, topics: Collection[Topic], at: datetime
) -> tuple[Endpoint, str]:
    """Make an endpoint; it and its secret, which is not shown again. `url` was checked by the caller."""
    secret = _new_secret()
    values: dict[str, Any] = {
        "partner": partner,
        "url": url,
        "topics": " ".join(sorted(topic.value for topic in topics)),
        "secret": secret,
        "old_secret": "",
        "old_secret_until": None,
        "created_at": at,
        "disabled_at": None,
        "disabled_why": "",
    }
    made = get_endpoint(tx, insert_row(tx, _ENDPOINTS, values))
    assert made is not None
    return made, secret


def rotate_secret(tx: Connection, endpoint_id: int, at: datetime) -> str:
    """A new secret for an endpoint that is there; the one before signs too, for OVERLAP.

    A second time within TWICE it stays the one that was in use: a double click must not make that worthless.
    """
    secret, mine = _new_secret(), _ENDPOINTS.c.id == endpoint_id
    until = tx.execute(select(_ENDPOINTS.c.old_secret_until).where(mine)).scalar_one()
    values: dict[str, Any] = {"secret": secret}
    if until is None or until - OVERLAP + TWICE <= at:
        values |= {"old_secret": _ENDPOINTS.c.secret, "old_secret_until": at + OVERLAP}
    tx.execute(update(_ENDPOINTS).where(mine).values(values))
    return secret


def secrets_of(tx: Connection, endpoint_id: int, at: datetime) -> tuple[str, ...]:
    """What to sign with now: the secret, and the one before it while that is good. Never to be shown."""
    columns = (_ENDPOINTS.c.secret, _ENDPOINTS.c.old_secret, _ENDPOINTS.c.old_secret_until)
    secret, old, until = tx.execute(select(*columns).where(_ENDPOINTS.c.id == endpoint_id)).one()
    return (secret, old) if old and until is not None and at < until else (secret,)


def get_endpoint(tx: Connection, endpoint_id: int, partner: str = "") -> Endpoint | None:
    """An endpoint by its number; a partner's own."""
    query = _SHOWN_COLUMNS.where(_ENDPOINTS.c.id == endpoint_id)
    if partner:
        query = query.where(_ENDPOINTS.c.partner == partner)
    row = tx.execute(query).one_or_none()
    return None if row is None else _endpoint(*row)


def list_endpoints(tx: Connection, partner: str = "", *, alone: bool = False) -> tuple[Endpoint, ...]:
    """All endpoints, or a partner's, in the order they were made; disabled ones too.

    `alone`: nobody else who counts them adds one until we are done.
    """
    if alone:
        lock_names(tx, [f"endpoints:{partner}"])
    query = _SHOWN_COLUMNS.order_by(_ENDPOINTS.c.id)
    if partner:
        query = query.where(_ENDPOINTS.c.partner == partner)
    return tuple(_endpoint(*row) for row in tx.execute(query))


def listening(tx: Connection, one: str, other: str) -> tuple[Endpoint, ...]:
    """The endpoints of two partners to which something is posted."""
    return tuple(_endpoint(*row) for row in _LISTENING.all(tx, one, other))


def disable_endpoint(tx: Connection, endpoint_id: int, at: datetime, why: str) -> None:
    """Post nothing more to it; what waits for it is refused. One that was disabled stays as it was."""
    values = {"disabled_at": at, "disabled_why": why}
    still_on = (_ENDPOINTS.c.id == endpoint_id) & _ENDPOINTS.c.disabled_at.is_(None)
    tx.execute(update(_ENDPOINTS).where(still_on).values(values))
    waits = (_OUTBOX.c.endpoint_id == endpoint_id) & (_OUTBOX.c.status == word(Status.NEW))
    refused = {"status": Status.REFUSED.value, "error": f"The endpoint is disabled: {why}"}
    tx.execute(update(_OUTBOX).where(waits, _OUTBOX.c.kind == word(Kind.WEBHOOK)).values(refused))


def enable_endpoint(tx: Connection, endpoint_id: int) -> None:
    """Post to it again, from now on: what it missed is posted only where it is sent again."""
    values = {"disabled_at": None, "disabled_why": ""}
    tx.execute(update(_ENDPOINTS).where(_ENDPOINTS.c.id == endpoint_id).values(values))


def note_attempt(tx: Connection, attempt: PostAttempt) -> None:
    """Keep what came of one."""
    insert_row(tx, _ATTEMPTS, {name: getattr(attempt, name) for name in _NOTED})


def last_attempts(tx: Connection, endpoints: Iterable[int]) -> dict[int, PostAttempt]:
    """The last attempt at each endpoint that was ever tried."""
    found: dict[int, PostAttempt] = {}
    for endpoint_id in endpoints:  # one by one, each from its end of the index: the log of one is long
        last = _LOG.where(_ATTEMPTS.c.endpoint_id == endpoint_id).order_by(_ATTEMPTS.c.id.desc()).limit(1)
        row = tx.execute(last).one_or_none()
        if row is not None:
            found[endpoint_id] = PostAttempt(**row._mapping)
    return found


def attempts_of(tx: Connection, messages: Iterable[int]) -> dict[int, list[PostAttempt]]:
    """The attempts at each of these messages, first to last."""
    found: dict[int, list[PostAttempt]] = {}
    rows = tx.execute(_LOG.where(_ATTEMPTS.c.message_id.in_(tuple(messages))).order_by(_ATTEMPTS.c.id))
    for row in rows:
        found.setdefault(row.message_id, []).append(PostAttempt(**row._mapping))
    return found


_NOTED = ("endpoint_id", "message_id", "at", "duration_ms", "status", "error", "excerpt")
_LOG = select(*(_ATTEMPTS.c[name] for name in _NOTED))


def _new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def _endpoint(
    id: int, partner: str, url: str, topics: str,
    created_at: datetime, disabled_at: datetime | None, disabled_why: str,
) -> Endpoint:  # fmt: skip
    return Endpoint(
        id=id, partner=partner, url=url, topics=frozenset(map(Topic, topics.split())),
        created_at=created_at, disabled_at=disabled_at, disabled_why=disabled_why,
    )  # fmt: skip
