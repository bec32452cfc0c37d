"""What commands that run in this process leave open is given back after each test."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _give_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """A command's connections end with its process; here they would end at some later test's expense."""
    yield
    if "database_url" in request.fixturenames:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
