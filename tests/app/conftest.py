"""A site for each test of the app, on both database systems."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.site import Site, served


@pytest.fixture
def site(tmp_path: Path, both_systems: None) -> Iterator[Site]:
    """A served ledger, empty at first."""
    with served(tmp_path) as made:
        yield made


@pytest.fixture
def asking_site(tmp_path: Path, both_systems: None) -> Iterator[Site]:
    """The same, where a buyer's cancellation takes effect when the seller agrees."""
    with served(tmp_path, policy='buyer_cancel = "requested"') as made:
        yield made
