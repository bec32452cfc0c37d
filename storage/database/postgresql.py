"""PostgreSQL's own ways: how long we wait for what, and what its texts cannot hold."""

import os
import re
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, exc, text
from sqlalchemy.engine import URL

from storage.database.errors import DatabaseUnavailable

CONNECT_SECONDS = 10  # a server that is there answers in milliseconds
POOL_SECONDS = 10  # for a connection of our own pool; only a mistake of ours makes anybody wait
POOL_SIZE = 5  # and one for each further thread; a crowd would only take connections from others

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

# Said on every connection: each commit is durable, and long texts are packed by lz4 where the server has it.
_TOLD = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    " UNION ALL SELECT set_config(name, 'lz4', false) FROM pg_settings"
    " WHERE name = 'default_toast_compression' AND source = 'default' AND 'lz4' = ANY(enumvals)"
)
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_TRIAL_LOCK_SECONDS = 2  # a trial takes locks of the running hub's rows: it must not stand in line for them


def server_engine(url: URL, *, pooled: bool = True, threads: int = 1) -> Engine:
    """An engine on a server: bounded waits, READ COMMITTED, every commit durable."""
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pooled:
        pool = {
            "pool_size": POOL_SIZE + threads - 1,
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


def driver_arguments(url: URL) -> dict[str, Any]:
    """What psycopg's own `connect` is given for this address, with our bounds."""
    waits = _with_waits(url)
    _, arguments = waits.get_dialect()().create_connect_args(waits)
    return dict(arguments)


def _configure(connection: Any, _: Any) -> None:
    connection.autocommit = True
    connection.execute(_TOLD)
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


def hurry(tx: Connection) -> None:
    """A trial does not wait long for what others hold."""
    tx.execute(text(f"SET LOCAL lock_timeout = '{_TRIAL_LOCK_SECONDS}s'"))
