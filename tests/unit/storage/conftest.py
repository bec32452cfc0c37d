"""A real database file for tests that are about SQLite alone; the others take `database` and run on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield made
    made.close()
