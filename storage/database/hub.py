"""A server's locks of the hub: one process alone or any number of workers, and one at a time for each thing.

All are a session's own, on one connection: the server frees them with it, however the process ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock

from sqlalchemy import Connection, Engine, exc, text
from sqlalchemy.engine import URL

from storage.database.errors import AlreadyRunning, DatabaseUnavailable, trouble
from storage.database.postgresql import server_engine

LEASE_SECONDS = 60  # a worker that is stopped for longer than this has lost what it held

_HUB = 0x434D4844  # "CMHD": our kind of lock among all of a database's advisory locks
_ALONE = text("SELECT pg_try_advisory_lock(:kind, hashtext(current_schema()))")
_SHARED = text("SELECT pg_try_advisory_lock_shared(:kind, hashtext(current_schema()))")
# PostgreSQL 13 does not know it, and ends no session that is idle.
_IDLE = text(
    "SELECT set_config('idle_session_timeout', :limit, false)"
    " WHERE current_setting('server_version_num')::integer >= 140000"
)
_KEY = "hashtextextended('worker:' || :name, hashtext(current_schema()))"
_TAKE = text(f"SELECT pg_backend_pid(), pg_try_advisory_lock({_KEY})")
_GIVE_BACK = text(f"SELECT pg_advisory_unlock({_KEY})")
_HELD = text(
    "WITH wanted AS (SELECT hashtextextended('worker:' || :name, hashtext(current_schema())) AS key)"
    " SELECT count(*) FROM pg_locks, wanted WHERE locktype = 'advisory' AND granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()) AND objsubid = 1 AND pid = :pid"
    " AND classid::bigint = ((key >> 32) & 4294967295) AND objid::bigint = (key & 4294967295)"
)
_CREW = text(
    "SELECT mode, count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()) AND objsubid = 2"
    " AND classid::bigint = :kind AND objid::bigint = (hashtext(current_schema())::bigint & 4294967295)"
    " GROUP BY mode"
)


@dataclass(frozen=True, slots=True)
class Crew:
    """Who is at work: one process that must be alone, or so many workers."""

    alone: bool
    workers: int


def crew(tx: Connection) -> Crew:
    """Who holds the hub's lock just now, and how."""
    modes = {str(mode): int(count) for mode, count in tx.execute(_CREW, {"kind": _HUB})}
    return Crew("ExclusiveLock" in modes, modes.get("ShareLock", 0))


@contextmanager
def only_hub(url: URL, place: str) -> Iterator["Holding"]:
    """Hold the hub's lock alone; AlreadyRunning when anybody else holds it.

    The session may be idle for as long as a round takes, whatever the server allows others.
    """
    with _holding(Holding(_engine(url), place, alone=True)) as hold:
        yield hold


@contextmanager
def one_of_many(url: URL, place: str) -> Iterator["Holding"]:
    """Hold the hub's lock together with other workers; AlreadyRunning when somebody holds it alone.

    Who does so says so again and again, by `renew`: a worker that falls silent for LEASE_SECONDS loses its
    session and all it holds, so that others can go on.
    """
    with _holding(Holding(_engine(url), place, alone=False)) as hold:
        yield hold


def _engine(url: URL) -> Engine:
    return server_engine(url, pooled=False)


@contextmanager
def _holding(hold: "Holding") -> Iterator["Holding"]:
    try:
        hold.take()
        yield hold
    finally:
        hold.close()


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to do one thing alone, as long as the session that holds it lives."""

    name: str
    pid: int  # of the server's process behind the session

    def check(self, tx: Connection) -> None:
        """Raise when the right was lost: what this transaction did must not be committed."""
        if not tx.execute(_HELD, {"name": self.name, "pid": self.pid}).scalar_one():
            raise DatabaseUnavailable(
                f"This process was silent for too long and lost its right to work on {self.name};"
                " another may have taken over. Nothing was written."
            )


class Holding:
    """The hub's lock, and what this process does alone. A server that was restarted forgot it: `renew`."""

    def __init__(self, engine: Engine, place: str, *, alone: bool) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._place = place
        self._alone = alone
        self._session: Connection | None = None
        self._turn = RLock()  # a session answers one question at a time
        self._names: set[str] = set()  # a session may take the same lock twice; we do not

    def take(self) -> None:
        """Take the lock on a new connection."""
        session = self._engine.connect()
        try:
            session.execute(_IDLE, {"limit": "0" if self._alone else f"{LEASE_SECONDS}s"})
            if not session.execute(_ALONE if self._alone else _SHARED, {"kind": _HUB}).scalar_one():
                raise AlreadyRunning(self._refusal(crew(session)))
        except BaseException:
            session.close()
            raise
        self._session = session

    def _refusal(self, found: Crew) -> str:
        if not self._alone:
            return (
                f"A process that must be alone is at work on {self._place}: countermand poll, deliver or"
                " restored. Workers start when it has ended; take poll out of cron, they do all it does."
            )
        if found.workers:
            return (
                f"{found.workers} countermand workers are at work on {self._place} and do all this one would;"
                " this one leaves it to them."
            )
        return f"Another countermand process is at work on {self._place}; this one leaves it to that one."

    def renew(self) -> None:
        """Make sure that the lock is still ours; AlreadyRunning when another has it by now.

        What was held by name on a session that was lost is lost.
        """
        with self._turn, self._sentences():
            if self._session is not None:
                try:
                    self._session.execute(text("SELECT 1"))
                    return
                except exc.DBAPIError:
                    self.give_back()
            self.take()

    @contextmanager
    def alone(self, name: str) -> Iterator[Fence | None]:
        """The only one of all processes and threads to work on this; None when another is at it."""
        fence = self._fence(name)
        if fence is None:
            yield None
            return
        try:
            yield fence
        finally:
            self._leave(fence)

    def _fence(self, name: str) -> Fence | None:
        with self._turn, self._sentences():
            if name in self._names:
                return None
            self.renew()
            assert self._session is not None  # it was just renewed
            pid, taken = self._session.execute(_TAKE, {"name": name}).one()
            if not taken:
                return None
            self._names.add(name)
            return Fence(name, int(pid))

    def _leave(self, fence: Fence) -> None:
        with self._turn:
            self._names.discard(fence.name)
            if self._session is None:
                return
            try:
                if self._session.execute(text("SELECT pg_backend_pid()")).scalar_one() == fence.pid:
                    self._session.execute(_GIVE_BACK, {"name": fence.name})
            except exc.DBAPIError:
                self.give_back()  # and with it the lock

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            found = trouble(error, self._place, "postgresql")
            if found is None:
                raise
            raise found from error

    def give_back(self) -> None:
        """End the connection, and with it the lock."""
        with self._turn:
            if self._session is not None:
                self._session.close()
                self._session = None

    def close(self) -> None:
        """Give back everything for good."""
        self.give_back()
        self._engine.dispose()
