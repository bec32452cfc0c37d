"""Worlds for crash tests: two for each database, so that both processors of a small machine have work."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.conftest import require
from tests.crash.campaign import Worlds
from tests.crash.stores import PostgresStore
from tests.crash.world import World, world
from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def sqlite_worlds() -> list[Worlds]:
    """Makers of worlds on SQLite."""
    return [partial(world, require("sftp-server"))] * 2


@pytest.fixture(scope="session")
def postgres_worlds(postgres_server: PostgresServer) -> Iterator[list[Worlds]]:
    """Makers of worlds on PostgreSQL, each for a database of its own."""
    urls = [postgres_server.new_database() for _ in range(2)]

    def on(url: str) -> Worlds:
        return partial(world, require("sftp-server"), store=lambda _: PostgresStore(postgres_server, url))

    yield [on(url) for url in urls]
    for url in urls:
        postgres_server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def worlds(request: pytest.FixtureRequest) -> list[Worlds]:
    """Makers of worlds on each database system."""
    found = request.getfixturevalue("sqlite_worlds" if request.param == "sqlite" else "postgres_worlds")
    assert isinstance(found, list)
    return found


@pytest.fixture(scope="module")
def sqlite_world(sqlite_worlds: list[Worlds]) -> Iterator[World]:
    """One world on SQLite that has learnt what an undisturbed run ends with."""
    with sqlite_worlds[0]() as made:
        made.learn()
        yield made
