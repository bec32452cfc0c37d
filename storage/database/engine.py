"""Database: one address, transactions that read or write, and a schema that is right before the first."""

import random
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, NestedTransaction, exc, make_url

from storage.database import hub, in_doubt, notes, postgresql, schema, sqlite
from storage.database.errors import DatabaseUnavailable, InDoubt, LedgerBug, TryAgain, trouble
from storage.database.identity import Identity, NoPlace, SameFile, SameTables
from storage.database.in_doubt import Ending
from storage.database.lock import only_process
from storage.database.mark import check_there

WORK_ATTEMPTS_MAX = 5
WORK_PAUSE_SECONDS = 0.05  # doubled each time, and a random part of it: two that collided must part

_Result = TypeVar("_Result")
#: Is told what a transaction noted, inside it, just before it commits.
BeforeCommit = Callable[[Connection, frozenset[Hashable]], None]


class Hold(Protocol):
    """The right to be the only process at work."""

    def renew(self) -> None:
        """Make sure of it again, before each round; AlreadyRunning when another has it by now."""


def savepoint(tx: Connection) -> NestedTransaction:
    """A part of a transaction that is undone alone when the block raises: `with savepoint(tx): ...`."""
    return tx.begin_nested()


class Database:
    """The ledger's database. SQLite is created and upgraded on first use; others by `upgrade` only."""

    def __init__(self, url: str, *, engine: Engine | None = None, threads: int = 1) -> None:
        """`engine` replaces the one the address stands for; `scratch_copy` gives it.

        `threads` is how many use it at once.
        """
        try:
            self._url = make_url(url)
        except (exc.ArgumentError, ValueError) as error:
            raise DatabaseUnavailable(
                "The database address cannot be understood; it is not shown, it may hold a password."
            ) from error
        self.dialect = self._url.get_backend_name()
        name = self._url.database
        in_file = self.dialect == "sqlite" and name not in (None, "", ":memory:")
        self.path = Path(str(name)) if in_file else None  # None: in memory, or on a server
        self.place = str(self.path) if self.path else self._shown()
        self.before_commit: BeforeCommit | None = None
        self.same = self._own_identity(engine)
        self._engine = engine or self._own_engine(threads)
        # Who forgets to close gives the connections back all the same.
        self._end = weakref.finalize(self, self._engine.dispose)
        self._writer = self._engine.execution_options(**{sqlite.WRITING: True})
        self._scratch: Connection | None = None
        self._ready = False

    def _shown(self) -> str:
        """The address for people: without password and options."""
        return self._url.set(query={}).render_as_string(hide_password=True)

    def _own_engine(self, threads: int) -> Engine:
        if self.path:
            return sqlite.file_engine(self._url)
        if self.dialect == "sqlite":
            return sqlite.memory_engine(lambda _: None)
        return postgresql.server_engine(self._url, threads=threads)

    def _own_identity(self, engine: Engine | None) -> Identity:
        if engine is not None or self.dialect == "sqlite":
            return SameFile(self.path) if self.path else NoPlace()
        return SameTables(self.place)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end of the block, undone when it raises."""
        with self._translated():
            self._prepare()
            began = time.monotonic()
            if self._scratch is not None:
                with self._scratch.begin_nested():
                    yield self._scratch
            elif self.dialect == "sqlite":
                with self._writer.begin() as tx:
                    notes.begin(tx, wanted=self.before_commit is not None)
                    yield tx
                    self._pass_on(tx)
                    self.same.prove(tx, began)
            else:
                with self._writer.connect() as tx:
                    yield from self._committed(tx, began)

    def _committed(self, tx: Connection, began: float) -> Iterator[Connection]:
        """A transaction on a server, which may fall silent just when it was told to commit."""
        with tx.begin() as transaction:
            notes.begin(tx, wanted=self.before_commit is not None)
            yield tx
            if not transaction.is_active:  # undone by the caller
                return
            self._pass_on(tx)
            self.same.prove(tx, began)
            # Also fails here when an earlier error was swallowed: a server would undo all without a word.
            ticket = in_doubt.ticket(tx)
            try:
                transaction.commit()
            except exc.DBAPIError as error:
                if ticket is None or not in_doubt.is_lost(error):
                    raise
                ending = in_doubt.ending(self._engine, ticket)
                if ending is not Ending.COMMITTED:
                    raise self._lost(ending) from error

    def _pass_on(self, tx: Connection) -> None:
        noted = notes.taken(tx)
        if noted and self.before_commit is not None:
            self.before_commit(tx, noted)

    def _lost(self, ending: Ending) -> DatabaseUnavailable:
        lost = f"The connection to the database {self.place} was lost while it was told to commit"
        if ending is Ending.ABORTED:
            return DatabaseUnavailable(f"{lost}; nothing was written, try again.")
        return InDoubt(
            f"{lost}, and it cannot be found out what became of that: it may or may not have been written."
            " `poll` finds out by itself. What was entered by hand: look with `countermand order` and"
            " `countermand outbox` before it is entered again."
        )

    def run(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do a unit of work in a transaction that may write, and again when others were in its way.

        At most WORK_ATTEMPTS_MAX times; the last TryAgain is let through. `work` must do nothing but write to
        the transaction, for what it did is undone before it is called again.
        """
        for attempt in range(1, WORK_ATTEMPTS_MAX):
            try:
                with self.writing() as tx:
                    return work(tx)
            except TryAgain:
                time.sleep(random.uniform(0, WORK_PAUSE_SECONDS * 2**attempt))
        with self.writing() as tx:
            return work(tx)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads, and sees one moment of the database."""
        with self._translated():
            self._prepare()
            if self._scratch is not None:
                with self._scratch.begin_nested() as part:
                    yield self._scratch
                    part.rollback()
                return
            with self._engine.connect() as tx:
                if self.dialect != "sqlite":
                    tx.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                with tx.begin() as whole:
                    if self.dialect != "sqlite":
                        self.same.prove(tx, time.monotonic())
                    yield tx
                    if self.dialect == "sqlite":  # elsewhere it makes the driver forget what it has prepared
                        whole.rollback()

    def upgrade(self) -> str:
        """Bring the schema up to date; the version it has then."""
        if self.path:
            check_there(self.path)
        with self._translated(), self._writer.begin() as tx:
            if self.dialect != "sqlite":
                schema.lock_for_upgrade(tx)
            if not schema.is_current(tx, self.place):
                schema.upgrade(tx)
        self._ready = True
        return schema.revisions()[-1]

    def current(self) -> str | None:
        """The version of the schema; None for a database that is empty or not there yet."""
        if self.path and not self.path.exists():
            return None
        with self._translated(), self._engine.connect() as tx:
            return schema.stored_revision(tx)

    def scratch_copy(self) -> "Database":
        """A private copy to try things out on: the same class, and nothing done to it is kept.

        Used by one thread, one transaction at a time. On SQLite it lives in memory; elsewhere it is a
        transaction that is undone by `close`: close it soon, it holds locks of rows it changed.
        """
        if self._scratch is not None:
            raise LedgerBug(
                "a copy that is a transaction cannot be copied again: nobody else can see into it"
            )
        with self._translated():
            if self.dialect != "sqlite":
                return self._transaction_to_undo()
            if self.path:
                return Database("sqlite://", engine=sqlite.memory_engine(sqlite.copy_of(self.path)))
            with self._engine.connect() as source:
                driver = source.connection.driver_connection
                assert driver is not None
                return Database("sqlite://", engine=sqlite.memory_engine(driver.backup))

    def _transaction_to_undo(self) -> "Database":
        self._prepare()
        copy = Database(self._url.render_as_string(hide_password=False))
        copy._ready = True
        copy._scratch = copy._engine.connect()
        copy._scratch.begin()
        postgresql.hurry(copy._scratch)
        return copy

    @contextmanager
    def only_process(self) -> Iterator[Hold]:
        """Be the only process at work on this database; AlreadyRunning when another one is.

        SQLite: a lock on a file beside it. PostgreSQL: a lock in the database, for hubs on any machine. Both
        are freed with the process, however it ends. Who is alone finds by itself what is due, so that nobody
        is told.
        """
        told, self.before_commit = self.before_commit, None
        try:
            if self.path:
                with only_process(self.path):
                    yield _File()
            elif self.dialect == "sqlite":
                yield _File()
            else:
                with self._translated(), hub.only_hub(self._url, self.place) as hold:
                    yield hold
        finally:
            self.before_commit = told

    @contextmanager
    def one_of_many(self) -> Iterator[hub.Holding]:
        """Be one of any number of processes at work on a server; AlreadyRunning when one must be alone."""
        with self._translated(), hub.one_of_many(self._url, self.place) as hold:
            yield hold

    def crew(self) -> hub.Crew:
        """Who is at work on a server just now, on any machine."""
        with self.reading() as tx:
            return hub.crew(tx)

    def driver_arguments(self) -> dict[str, Any]:
        """How the driver connects to a server, with our waits: for who needs connections of its own kind."""
        return postgresql.driver_arguments(self._url)

    def close(self) -> None:
        """Give all connections back."""
        if self._scratch is not None:
            self._scratch.close()  # what was not committed is undone
            self._scratch = None
        self._engine.dispose()
        self.same.forget()

    def _prepare(self) -> None:
        if self._ready:
            self.same.look()
            return
        if self.path:
            check_there(self.path)
        with self._engine.connect() as tx:
            current = schema.is_current(tx, self.place)
        if not current and self.dialect != "sqlite":
            raise DatabaseUnavailable(
                f"The schema of the database {self.place} is not up to date: run `countermand db upgrade`."
            )
        if not current:
            self.upgrade()
        self._ready = True
        self.same.look()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The database's own trouble becomes one sentence; what our statements caused stays what it is."""
        try:
            yield
        except exc.TimeoutError as error:
            raise DatabaseUnavailable(
                f"This process holds too many connections to the database {self.place} at once: none became"
                f" free in {postgresql.POOL_SECONDS} seconds."
            ) from error
        except exc.DBAPIError as error:
            found = trouble(error, self.place, self.dialect)
            if found is None:
                raise
            raise found from error


class _File:
    """The lock of a file stays ours as long as the process lives."""

    def renew(self) -> None:
        """Nothing to do."""
