"""Database: one address, transactions that read or write, and a schema that is right before the first."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, NestedTransaction, create_engine, exc, make_url

from storage.database import schema, sqlite
from storage.database.errors import DatabaseUnavailable, unavailable
from storage.database.guard import check_there
from storage.database.lock import only_process


def savepoint(tx: Connection) -> NestedTransaction:
    """A part of a transaction that is undone alone when the block raises: `with savepoint(tx): ...`."""
    return tx.begin_nested()


class Database:
    """The ledger's database. SQLite is created and upgraded on first use; others by `upgrade` only."""

    def __init__(self, url: str, *, engine: Engine | None = None) -> None:
        """`engine` replaces the one the address stands for; `scratch_copy` gives it."""
        try:
            self._url = make_url(url)
        except exc.ArgumentError as error:
            raise DatabaseUnavailable(
                "The database address cannot be understood; it is not shown, it may hold a password."
            ) from error
        self.dialect = self._url.get_backend_name()
        name = self._url.database
        in_file = self.dialect == "sqlite" and name not in (None, "", ":memory:")
        self.path = Path(str(name)) if in_file else None  # None: in memory, or on a server
        self.place = str(self.path) if self.path else self._url.render_as_string(hide_password=True)
        self._engine = engine or self._own_engine()
        self._writer = self._engine.execution_options(**{sqlite.WRITING: True})
        self._scratch: Connection | None = None
        self._ready = False

    def _own_engine(self) -> Engine:
        if self.path:
            return sqlite.file_engine(self._url)
        if self.dialect == "sqlite":
            return sqlite.memory_engine(lambda _: None)
        try:
            return create_engine(self._url, isolation_level="READ COMMITTED", pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise DatabaseUnavailable(
                f"{error.name}, the driver for {self.dialect}, is missing: install countermand[postgres]."
            ) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end of the block, undone when it raises."""
        with self._translated():
            self._prepare()
            if self._scratch is not None:
                with self._scratch.begin_nested():
                    yield self._scratch
                return
            with self._writer.begin() as tx:
                yield tx

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads, and sees one moment of the database."""
        with self._translated():
            self._prepare()
            if self._scratch is not None:
                yield self._scratch
                return
            with self._engine.connect() as tx:
                if self.dialect != "sqlite":
                    tx.execution_options(isolation_level="REPEATABLE READ")
                with tx.begin() as whole:
                    yield tx
                    whole.rollback()

    def upgrade(self) -> str:
        """Bring the schema up to date; the version it has then."""
        if self.path:
            check_there(self.path)
        with self._translated(), self._writer.begin() as tx:
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
        transaction that is undone by `close`.
        """
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
        return copy

    def only_process(self) -> AbstractContextManager[None]:
        """Hold the lock of a SQLite file (AlreadyRunning when it is held); other systems need none."""
        return only_process(self.path) if self.path else nullcontext()

    def close(self) -> None:
        """Give all connections back."""
        if self._scratch is not None:
            self._scratch.rollback()
            self._scratch.close()
        self._engine.dispose()

    def _prepare(self) -> None:
        if self._ready:
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

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The database's own trouble becomes one sentence; what our statements caused stays what it is."""
        try:
            yield
        except exc.OperationalError as error:
            raise unavailable(error, self.place) from error
        except exc.DatabaseError as error:
            if type(error) is exc.DatabaseError:  # not a subclass: "file is not a database", "malformed"
                raise unavailable(error, self.place) from error
            raise
