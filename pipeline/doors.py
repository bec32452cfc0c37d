"""Doors: how long a mailbox that failed is left alone, remembered in the database.

Under cron every run is a new process. Without a memory a wrong password would be tried every minute, and
servers lock accounts for less.
"""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from pipeline.clock import Clock
from pipeline.errors import CountermandError, LoginRefused, MailboxPaused
from pipeline.partners import MailboxSettings
from storage import mailboxes
from storage.database import Database
from storage.mailboxes import MailboxState

PAUSE_SECONDS_FIRST = 30.0
PAUSE_SECONDS_MAX = 1800.0  # a server that is down is tried 50 times a day at most
JITTER = 0.25  # of a pause, up or down, so that what failed together does not come back together
LOGINS_REFUSED_MAX = 3  # servers lock accounts after 5 or more; with key and password, a try counts as two
REMINDER = timedelta(days=1)
ERROR_CHARS_MAX = 500


@dataclass(slots=True, kw_only=True)
class RememberingDoor:
    """The Door port over the database."""

    partner_id: str
    settings: MailboxSettings
    database: Database
    clock: Clock
    by_hand: bool = False  #: a person tries it: never paused, and what comes of it counts
    chance: Callable[[], float] = random.random  #: 0 to 1
    _counted: CountermandError | None = None

    def check(self) -> None:
        """Raises MailboxPaused when it may not be tried."""
        state = self._state()
        if self.by_hand:
            return
        host = f"{self.settings.host}:{self.settings.port}"
        if state.refusals >= LOGINS_REFUSED_MAX:
            raise MailboxPaused(
                f"{host}: our login was refused {state.refusals} times and is not tried any more, so that the"
                " account is not locked. When the partner or you have mended it, run: countermand doctor."
                f" Last answer: {state.error}"
            )
        left_seconds = self._left_seconds(state)
        if left_seconds > 0:
            raise MailboxPaused(
                f"{host}: left alone for another {left_seconds:.0f} seconds, because it failed"
                f" {state.failures} times in a row. Last: {state.error}"
            )

    def entered(self) -> None:
        """The server has let us in."""
        state = self._state()
        if state.refusals or self.by_hand:
            self._remember(replace(state, refusals=0, resume_at=None))

    def failed(self, error: CountermandError) -> None:
        """It could not be used: leave it alone for a while, longer each time."""
        if isinstance(error, MailboxPaused) or error is self._counted:
            return  # the one was no try; the other has come through several hands
        self._counted = error
        state, now = self._state(), self.clock.now()
        credentials = (self.settings.key_file is not None) + (self.settings.password is not None)
        refused = max(1, credentials) if isinstance(error, LoginRefused) else 0
        pause = min(PAUSE_SECONDS_FIRST * 2 ** min(state.failures, 10), PAUSE_SECONDS_MAX)
        pause *= 1 - JITTER + 2 * JITTER * self.chance()
        self._remember(
            replace(
                state,
                failures=state.failures + 1,
                refusals=state.refusals + refused,
                error=str(error)[:ERROR_CHARS_MAX],
                failed_at=now,
                resume_at=now + timedelta(seconds=pause),
                told_at=now,
            )
        )

    def served(self) -> None:
        """A whole look went well."""
        state = MailboxState(partner=self.partner_id, address=self._address(), served_at=self.clock.now())
        self._remember(state)

    def remind(self) -> bool:
        """True once a day while the mailbox is not tried any more."""
        state, now = self._state(), self.clock.now()
        stopped = state.refusals >= LOGINS_REFUSED_MAX
        due = stopped and (state.told_at is None or abs(now - state.told_at) >= REMINDER)
        if due:
            self._remember(replace(state, told_at=now))
        return due

    def _left_seconds(self, state: MailboxState) -> float:
        if state.resume_at is None:
            return 0.0
        left_seconds = (state.resume_at - self.clock.now()).total_seconds()
        # A clock that was set back must not make a pause of a day.
        return left_seconds if left_seconds <= PAUSE_SECONDS_MAX * (1 + JITTER) else 0.0

    def _state(self) -> MailboxState:
        with self.database.reading() as tx:
            state = mailboxes.state_of(tx, self.partner_id)
        fresh = MailboxState(partner=self.partner_id, address=self._address())
        if state is None:
            return fresh
        # Somebody has changed how it is reached: what failed before says nothing any more.
        return state if state.address == fresh.address else replace(fresh, served_at=state.served_at)

    def _remember(self, state: MailboxState) -> None:
        with self.database.writing() as tx:
            mailboxes.set_state(tx, state)

    def _address(self) -> str:
        """A hash of everything by which we reach the mailbox, but of no secret."""
        one = self.settings
        key = _version(one) if one.key_file is not None else ""
        password = one.password.version() if one.password is not None else ""
        parts = (one.host, one.port, one.username, one.key_file, key, password, one.host_keys, one.pickup)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def _version(settings: MailboxSettings) -> str:
    try:
        about = settings.key_file.stat() if settings.key_file is not None else None
    except OSError:
        return "missing"
    return "" if about is None else f"{about.st_mtime_ns}:{about.st_size}"
