"""The database systems a walk can be made on, each with a new ledger in a moment."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import event, make_url

from storage.database import Database, sqlite


class System(Protocol):
    """Gives out empty ledgers; `opened` opens one of them, as often as it is asked."""

    name: str

    def new(self) -> str:
        """The address of an empty ledger."""

    def opened(self, url: str) -> Callable[[], Database]:
        """What opens it."""

    def drop(self, url: str) -> None:
        """The ledger is not needed any more."""


@dataclass(slots=True)
class Sqlite:
    """Files in a folder, copied from one that was migrated once. No walk needs a disk to be safe."""

    folder: Path
    name: str = "sqlite"
    made: int = 0

    def new(self) -> str:
        template = self.folder / "template.db"
        if not template.exists():
            database = Database(f"sqlite:///{template}")
            database.upgrade()
            database.close()
        self.made += 1
        shutil.copyfile(template, self.folder / f"walk-{self.made}.db")
        return f"sqlite:///{self.folder / f'walk-{self.made}.db'}"

    def opened(self, url: str) -> Callable[[], Database]:
        def opened() -> Database:
            engine = sqlite.file_engine(make_url(url))
            event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA synchronous = OFF"))
            return Database(url, engine=engine)

        return opened

    def drop(self, url: str) -> None:
        for file in self.folder.glob(f"{Path(url.removeprefix('sqlite:///')).name}*"):
            file.unlink()


class _Server(Protocol):
    def new_database(self) -> str: ...
    def drop(self, url: str) -> None: ...


@dataclass(slots=True)
class Postgresql:
    """Databases of a server of the tests' own."""

    server: _Server
    name: str = "postgresql"

    def new(self) -> str:
        return self.server.new_database()

    def opened(self, url: str) -> Callable[[], Database]:
        return lambda: Database(url)

    def drop(self, url: str) -> None:
        self.server.drop(url)
