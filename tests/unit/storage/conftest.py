"""A real database file for tests that are about SQLite alone; the others take `database` and run on both."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database


@pytest.fixture
def sqlite_database(tmp_path: Path, ledger_file: Path) -> Iterator[Database]:
    shutil.copy(ledger_file, tmp_path / "ledger.db")
    made = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield made
    made.close()


@pytest.fixture
def absent_database(tmp_path: Path) -> Iterator[Database]:
    """As `sqlite_database`, where no file is yet."""
    made = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield made
    made.close()
