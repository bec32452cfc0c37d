"""Databases that can be put back, in milliseconds, to where every run begins."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from tests.postgres import PostgresServer

_RUNS_BETWEEN_VACUUMS = 200  # the server of the tests does not clean up by itself


class Store(Protocol):
    """A database that can be put back to where it was."""

    url: str
    is_filled: bool  #: it holds already what every run begins with

    def remember(self) -> None:
        """What it holds now is where every run begins."""

    def reset(self) -> None:
        """Back to there."""


class SqliteStore:
    """A file, and a copy of it."""

    def __init__(self, root: Path) -> None:
        self._file, self._copy = root / "ledger.db", root / "before.db"
        self.url = f"sqlite:///{self._file}"
        self.is_filled = False

    def remember(self) -> None:
        shutil.copyfile(self._file, self._copy)

    def reset(self) -> None:
        for ending in ("-wal", "-shm", "-journal", ".lock"):
            with suppress(FileNotFoundError):
                os.unlink(f"{self._file}{ending}")
        shutil.copyfile(self._copy, self._file)


class PostgresStore:
    """A database of a server, and a copy of its rows in a schema of their own."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self.server = server
        self.url = url
        self._tables: list[str] = []
        self._numbers: list[tuple[str, int | None]] = []
        self._resets = 0
        with self._admin() as admin:
            found = admin.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'before'").fetchone()
            self.is_filled = found is not None
            if self.is_filled:
                self._look(admin)

    def _admin(self) -> "psycopg.Connection[tuple[object, ...]]":
        return self.server.admin(self.url.rpartition("/")[2])

    def remember(self) -> None:
        with self._admin() as admin:
            admin.execute("CREATE SCHEMA before")
            admin.execute(
                "CREATE TABLE before.numbers AS SELECT sequencename::text AS name, last_value AS last"
                " FROM pg_sequences WHERE schemaname = 'public'"
            )
            self._look(admin)
            for name in self._tables:
                table = sql.Identifier(name)
                admin.execute(sql.SQL("CREATE TABLE before.{} AS TABLE public.{}").format(table, table))

    def _look(self, admin: "psycopg.Connection[tuple[object, ...]]") -> None:
        found = admin.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
        self._tables = [str(row[0]) for row in found if row[0] != "alembic_version"]
        numbers = admin.execute("SELECT name, last FROM before.numbers")
        self._numbers = [(str(name), last) for name, last in numbers]  # type: ignore[misc]

    def reset(self) -> None:
        with self._admin() as admin:
            self.cut_off(admin)
            admin.execute("SET session_replication_role = replica")  # triggers and references do not act
            with admin.transaction():
                for name in self._tables:
                    table = sql.Identifier(name)
                    admin.execute(sql.SQL("DELETE FROM public.{}").format(table))
                    admin.execute(
                        sql.SQL("INSERT INTO public.{} SELECT * FROM before.{}").format(table, table)
                    )
                for name, last in self._numbers:
                    admin.execute("SELECT setval(%s::regclass, %s, %s)", (name, last or 1, last is not None))
            self._resets += 1
            if self._resets % _RUNS_BETWEEN_VACUUMS == 0:
                admin.execute("VACUUM")

    @staticmethod
    def cut_off(admin: "psycopg.Connection[tuple[object, ...]]") -> int:
        """End every other connection to the database, and wait until they are gone; how many there were."""
        others = (
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        row = admin.execute(others).fetchone()
        assert row is not None
        return int(str(row[0]))

    def kill_backends(self) -> None:
        """End our process's connections from the server's side, as an administrator may."""
        with self._admin() as admin:
            self.cut_off(admin)

    def restart(self) -> None:
        """The server stops at once without a word to anybody, and starts again."""
        self.server.restart("immediate")
