"""Callers: whose key a request shows, what that key may do, and how often it may come."""

import hashlib
import math
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pipeline.api.problems import ApiProblem
from pipeline.clock import Clock
from pipeline.entering import Speaker
from pipeline.partners import Partner
from pipeline.wiring import Application
from storage import access_keys
from storage.access_keys import AccessKey
from storage.database import DatabaseUnavailable
from storage.states import Scope

KNOWN_SECONDS = (
    1  # a key that was good is not looked up again for so long; one that is revoked opens until then
)
KNOWN_MAX = 10_000  # keys
MARGIN_SECONDS = 0.1  # between two looks at the clock

_REALM = 'Bearer realm="countermand"'
_BEARER = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key that `countermand key add` printed."
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often one key may come: so many requests at once, and then so many a second."""

    burst: int = 200
    per_second: float = 50


@dataclass(frozen=True, slots=True)
class Caller:
    """A partner's system, by its key."""

    partner: Partner
    key: AccessKey

    @property
    def actor(self) -> str:
        """As timelines, mails and the log name it."""
        named = f" ({self.key.name})" if self.key.name else ""
        return f"API key {self.key.id}{named}"

    def speaks(self, at: datetime) -> Speaker:
        """Who says something now."""
        return Speaker(partner=self.partner, actor=self.actor, at=at)


class Rates:
    """A bucket of tokens for each key, in this process."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[int, tuple[float, float]] = {}  # tokens, and when they were counted

    def wait_seconds(self, key_id: int) -> float:
        """Take a token; 0.0, or how long to wait for the next one."""
        now = self._clock.monotonic_seconds()
        with self._lock:
            tokens, counted = self._buckets.get(key_id, (float(self._pace.burst), now))
            tokens = min(self._pace.burst, tokens + (now - counted) * self._pace.per_second)
            enough = tokens >= 1
            self._buckets[key_id] = (tokens - 1 if enough else tokens, now)
        return 0.0 if enough else (1 - tokens) / self._pace.per_second


class Door:
    """Lets in who shows a good key. What is wrong with a bad one is not said."""

    def __init__(self, application: Application, pace: Pace) -> None:
        self._application = application
        self._rates = Rates(pace, application.clock)
        self._known: dict[bytes, tuple[AccessKey, float]] = {}  # by the secret's hash; and until when

    def admit(self, secret: str | None, scope: Scope) -> Caller:
        """The caller; an ApiProblem 401, 429 or 403."""
        at = self._application.clock.now()
        key = self._key(secret, at) if secret else None
        partner = self._application.settings.directory.get(key.partner) if key else None
        if key is None or partner is None:
            what = "The key is not good: unknown, expired or revoked." if secret else "A key is needed."
            challenge = f'{_REALM}, error="invalid_token"' if secret else _REALM
            how = "" if secret else "Send it as Authorization: Bearer KEY."
            raise ApiProblem(401, "unauthorized", what, how, headers={"WWW-Authenticate": challenge})
        if wait := self._rates.wait_seconds(key.id):
            after = {"Retry-After": str(math.ceil(wait))}
            raise ApiProblem(429, "too-many-requests", "This key comes too often.", headers=after)
        if scope not in key.scopes:
            said = f"The key has not the scope {scope.value}."
            raise ApiProblem(403, "scope-missing", said, scope=scope.value)
        return Caller(partner, key)

    def knows(self, secret: str) -> bool:
        """Whether the key need not be looked up now; else `admit` waits for the database."""
        _, until = self._known.get(_digest(secret), (None, 0.0))
        return self._application.clock.monotonic_seconds() < until - MARGIN_SECONDS

    def _key(self, secret: str, at: datetime) -> AccessKey | None:
        """The good key with this secret. A system that comes often is not looked up each time."""
        now = self._application.clock.monotonic_seconds()
        shown = _digest(secret)
        known, until = self._known.get(shown, (None, 0.0))
        key = known if now < until else self._looked_up(secret, at)
        if key is None or not key.is_good(at):
            self._known.pop(shown, None)
            return None
        if key is not known:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[shown] = key, now + KNOWN_SECONDS
        return key

    def _looked_up(self, secret: str, at: datetime) -> AccessKey | None:
        database = self._application.database
        with database.reading() as tx:
            key = access_keys.key_of(tx, secret)
        if key is not None and key.is_good(at) and access_keys.is_use_due(key, at):
            with suppress(DatabaseUnavailable):  # nobody is sent away because this could not be noted
                database.run(lambda tx: access_keys.note_use(tx, key.id, at))
        return key


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def needs(scope: Scope) -> Any:
    """For a route's `caller`: who may do this."""

    async def admitted(
        request: Request,
        shown: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> Caller:
        door: Door = request.app.state.door
        secret = shown.credentials if shown else None
        if secret is None or door.knows(secret):
            caller = door.admit(secret, scope)
        else:
            caller = await run_in_threadpool(door.admit, secret, scope)
        request.state.actor, request.state.partner = caller.actor, caller.partner.id
        return caller

    admit: Callable[..., Awaitable[Caller]] = admitted
    return Depends(admit)
