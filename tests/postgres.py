"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, on a free loopback port.

    with running_postgres() as server:
        database = Database(server.new_database())

New databases have the schema already: they are clones of one that was migrated once. The hub's user owns them
and may do nothing else, as in a real installation; `admin` is who may do everything. Nothing is synced to the
disk: killing the server's processes loses nothing all the same, only a power cut would.

A clone takes a tenth of a second, emptying a used one a tenth of that: `borrow` and `give_back` use databases
again as long as nobody touched their schema.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from storage.database import Database
from tests.integration.sftp_server import free_port

START_SECONDS_MAX = 60.0
USER, ADMIN = "countermand", "postgres"
TEMPLATE = "countermand_template"

# As small and as quick as it gets, with nothing left out that the hub relies on.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    "log_checkpoints": "off",
    "restart_after_crash": "on",
    "deadlock_timeout": "200ms",
    "timezone": "America/St_Johns",  # as far from UTC as the tests own zone is
}

# What is still connected is cut off. On a replica triggers and references do not act: facts can be deleted.
_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
DO $$ DECLARE made record; BEGIN
  FOR made IN SELECT oid::regclass AS name, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace
      AND relkind IN ('r', 'S') AND relname <> 'alembic_version' LOOP
    IF made.relkind = 'S' THEN PERFORM setval(made.name, 1, false);
    ELSE EXECUTE format('DELETE FROM %s', made.name); END IF;
  END LOOP;
END $$;
"""

# Every change of a schema makes new rows in these, or takes some away.
_CATALOGS = ("pg_class", "pg_attribute", "pg_trigger", "pg_constraint", "pg_proc", "alembic_version")


@dataclass(slots=True, kw_only=True)
class PostgresServer:
    """A cluster and the postmaster that runs it, when it runs."""

    programs: Path  # the folder of initdb and postgres
    root: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    _started_by: int = 0  # the process that it is a child of
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _empty: list[str] = field(default_factory=list)
    _schemas: dict[str, tuple[object, ...]] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.root / "data"

    @property
    def log(self) -> str:
        """What the server said so far."""
        return (self.root / "server.log").read_text(errors="replace")

    def url(self, name: str, user: str = USER) -> str:
        """The address of a database, for `Database` and for settings."""
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{name}"

    def by_socket(self, url: str) -> str:
        """The same address over the socket in the data folder, where one was asked for in _SETTINGS."""
        return f"postgresql+psycopg://{USER}@/{_name(url)}?host={self.data}&port={self.port}"

    def admin(self, name: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """A connection that may do everything and commits each statement by itself."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=ADMIN, dbname=name, autocommit=True, connect_timeout=10
        )

    def new_database(self, template: str = TEMPLATE) -> str:
        """The address of a new database with the whole schema; template "template0" gives an empty one."""
        name = f"test_{next(self._numbers)}"
        create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy").format(
            *(sql.Identifier(word) for word in (name, USER, template))
        )
        with self.admin() as connection:
            connection.execute(create)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name(url)))
        with self.admin() as connection:
            connection.execute(drop)

    def borrow(self) -> str:
        """As `new_database`, and quicker where a used one can be had; for `give_back`."""
        if self._empty:
            return self._empty.pop()
        url = self.new_database()
        with self.admin(_name(url)) as connection:
            self._schemas[url] = _schema(connection)
        return url

    def give_back(self, url: str) -> None:
        """Empty a borrowed database for the next one; one whose schema was touched is dropped."""
        with self.admin(_name(url)) as connection:
            connection.execute(_EMPTY)
            untouched = _schema(connection) == self._schemas[url]
        if untouched:
            self._empty.append(url)
        else:
            self.drop(url)

    def create(self) -> None:
        """Make the cluster, start it, and make the user and the template of every database."""
        # ICU: texts are sorted as people sort them, which is not how SQLite sorts bytes.
        self._run("initdb", "-U", ADMIN, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync",
                  "--locale-provider=icu", "--icu-locale=en-US")  # fmt: skip
        rules = self.data / "pg_hba.conf"
        rules.write_text("host all guarded 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        self.start()
        with self.admin() as connection:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(USER)))
            connection.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(*map(sql.Identifier, (TEMPLATE, USER)))
            )
        database = Database(self.url(TEMPLATE))
        database.upgrade()
        database.close()

    def start(self) -> None:
        """Start it and wait until it answers. On the main thread only: it ends with the thread it is from."""
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        user, group = _owner()
        self._started_by = os.getpid()
        with (self.root / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_tied(), str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port),
                 *settings],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root, user=user, group=group,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            with suppress(psycopg.OperationalError), self.admin():
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL does not start:\n{self.log}")
            time.sleep(0.02)

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: "fast" ends transactions and writes everything, "immediate" is as a crash."""
        self._end({"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])

    def kill(self) -> None:
        """kill -9 of the postmaster; its children notice and end by themselves."""
        self._end(signal.SIGKILL)

    def restart(self, mode: str = "fast") -> None:
        """Stop, and start again on the same port."""
        self.stop(mode)
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        # Popen takes a process for ended that is not its own, and sends nothing.
        assert self._started_by == os.getpid(), "only the process that started the server can end it"
        children = _children(self.process.pid)
        with suppress(ProcessLookupError):
            self.process.send_signal(how)
        self.process.wait(timeout=START_SECONDS_MAX)
        self.process = None
        deadline = time.monotonic() + START_SECONDS_MAX
        # A backend that outlives its postmaster would keep the shared memory, and the next start would fail.
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < deadline, "a process of PostgreSQL's outlives it"
            time.sleep(0.02)

    def _run(self, program: str, *arguments: str) -> None:
        user, group = _owner()
        done = subprocess.run(
            [str(self.programs / program), "-D", str(self.data), *arguments],
            check=False, capture_output=True, cwd=self.root, user=user, group=group,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"{program} failed: {done.stderr.decode(errors='replace')}")


@contextmanager
def running_postgres(postgres: Path) -> Iterator[PostgresServer]:
    """A server from its program `postgres`; everything is gone afterwards."""
    root = Path(tempfile.mkdtemp(prefix="countermand-postgres-"))
    user, group = _owner()
    if user is not None and group is not None:
        os.chown(root, user, group)
    server = PostgresServer(programs=postgres.resolve().parent, root=root, port=free_port())
    try:
        server.create()
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(root, ignore_errors=True)


def _name(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


def _schema(connection: "psycopg.Connection[tuple[object, ...]]") -> tuple[object, ...]:
    """What changes whenever the schema does."""
    counted = sql.SQL(", ").join(
        sql.SQL("(SELECT (count(*), max(xmin::text::bigint))::text FROM {})").format(sql.Identifier(name))
        for name in _CATALOGS
    )
    row = connection.execute(sql.SQL("SELECT {}").format(counted)).fetchone()
    assert row is not None
    return row


def _owner() -> tuple[int | None, int | None]:
    """PostgreSQL refuses to run as root: then it runs as its own user, or as nobody."""
    if os.geteuid() != 0:
        return None, None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    raise AssertionError("there is no user that PostgreSQL could run as")


def _tied() -> list[str]:
    """What makes the server end with the tests even when those are killed; Linux only."""
    return [tied, "--pdeathsig", "QUIT"] if (tied := shutil.which("setpriv")) else []


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []  # no such folder on this system, or no such process any more
