"""PostgreSQL's own ways: how long we wait for what, one hub at a time, and what its texts cannot hold."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, exc, text
from sqlalchemy.engine import URL

from storage.database.errors import AlreadyRunning, DatabaseUnavailable

CONNECT_SECONDS = 10  # a server that is there answers in milliseconds
POOL_SECONDS = 10  # for a connection of our own pool; only a mistake of ours makes anybody wait
POOL_SIZE = 5  # a process works on one thing at a time; a crowd would only take connections from others

# What the server is told for every connection; `options` in the address come later and win.
SESSION = {
    "statement_timeout": "120s",  # the audit of a million lines takes seconds; a hung statement holds locks
    "lock_timeout": "30s",  # as long as we wait for SQLite's lock
    # Between two statements we read at most one file (100 MB, under a minute). A stopped or frozen process
    # gives its locks back after this time, and its transaction is undone.
    "idle_in_transaction_session_timeout": "600s",
    "timezone": "UTC",  # the driver makes times of what the server says, and knows few zones by themselves
}

# A network that is cut in silence is noticed within about a minute, also while waiting for a reply.
_NETWORK = {
    "connect_timeout": str(CONNECT_SECONDS),
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "countermand",
}

_HUB = 0x434D4844  # "CMHD": our kind of lock among all of a database's advisory locks
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
_LOCK = text("SELECT pg_try_advisory_lock(:kind, hashtext(current_schema()))")
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_TRIAL_LOCK_SECONDS = 2  # a trial takes locks of the running hub's rows: it must not stand in line for them


def server_engine(url: URL, *, pooled: bool = True) -> Engine:
    """An engine on a server: bounded waits, READ COMMITTED, every commit durable."""
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pooled:
        pool = {
            "pool_size": POOL_SIZE,
            "max_overflow": 0,
            "pool_timeout": POOL_SECONDS,
            "pool_use_lifo": True,
        }
    try:
        engine = create_engine(
            _with_waits(url), isolation_level="READ COMMITTED", pool_pre_ping=pooled, **pool
        )
    except ModuleNotFoundError as error:
        raise DatabaseUnavailable(
            f"{error.name}, the driver for {url.get_backend_name()}, is missing:"
            " install countermand[postgres]."
        ) from error
    except exc.NoSuchModuleError as error:
        raise DatabaseUnavailable(
            f"countermand does not know the database system {url.get_backend_name()}."
        ) from error
    event.listen(engine, "connect", _configure)
    return engine


def _with_waits(url: URL) -> URL:
    """The address with our bounds, except where it names its own."""
    ours = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    said = url.query.get("options", os.environ.get("PGOPTIONS", ""))
    theirs = said if isinstance(said, str) else " ".join(said)
    return url.update_query_dict({**_NETWORK, **url.query, "options": f"{ours} {theirs}".strip()})


def _configure(connection: Any, _: Any) -> None:
    connection.autocommit = True
    connection.execute(_DURABLE)
    connection.autocommit = False
    connection.adapters.register_dumper(str, _text_dumper())


def storable(said: str) -> str:
    """What PostgreSQL's texts cannot hold is replaced: NUL, and halves of characters."""
    return _UNSTORABLE.sub("\ufffd", said)


def _text_dumper() -> type:
    """Partners may send any character; a text with one that cannot be kept must not stop the hub."""
    from psycopg import DataError
    from psycopg.types.string import StrDumper

    class Text(StrDumper):
        def dump(self, obj: str) -> Any:
            try:
                return super().dump(obj)
            except (DataError, UnicodeEncodeError):
                return super().dump(storable(obj))

    return Text


@contextmanager
def only_hub(url: URL, place: str) -> Iterator["Hold"]:
    """Hold the hub's lock of a database, on a connection of its own; AlreadyRunning when another holds it.

    The server frees it with the connection, however the process ends. Sessions may be idle for as long as a
    round takes, whatever the server allows others.
    """
    engine = server_engine(url, pooled=False)
    hold = Hold(engine, place)
    try:
        hold.take()
        yield hold
    finally:
        hold.give_back()
        engine.dispose()


class Hold:
    """The hub's lock. A server that was restarted forgot it: `renew` before each round."""

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._place = place
        self._session: Connection | None = None

    def take(self) -> None:
        """Take the lock on a new connection."""
        session = self._engine.connect()
        try:
            session.execute(text("SELECT set_config('idle_session_timeout', '0', false)"))
            if not session.execute(_LOCK, {"kind": _HUB}).scalar_one():
                raise AlreadyRunning(
                    f"Another countermand process is at work on {self._place};"
                    " this one leaves it to that one."
                )
        except BaseException:
            session.close()
            raise
        self._session = session

    def renew(self) -> None:
        """Make sure that the lock is still ours; AlreadyRunning when another has it by now."""
        if self._session is not None:
            try:
                self._session.execute(text("SELECT 1"))
                return
            except exc.DBAPIError:
                self.give_back()
        self.take()

    def give_back(self) -> None:
        """End the connection, and with it the lock."""
        if self._session is not None:
            self._session.close()
            self._session = None


def hurry(tx: Connection) -> None:
    """A trial does not wait long for what others hold."""
    tx.execute(text(f"SET LOCAL lock_timeout = '{_TRIAL_LOCK_SECONDS}s'"))
