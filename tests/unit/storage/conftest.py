"""A real database file for every test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield made
    made.close()
