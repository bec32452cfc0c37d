"""What the tests of workers start from: a database with its queue, and servers for a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.work import queue, schema
from storage.database import Database
from tests.integration.sftp_server import OpenSshServer, running_openssh
from tests.postgres import PostgresServer
from tests.work.crew import Yard, yard


@pytest.fixture(scope="module")
def server() -> Iterator[OpenSshServer]:
    """One sshd for all partners."""
    with running_openssh() as one:
        yield one


@pytest.fixture
def queued(postgres_server: PostgresServer) -> Iterator[Database]:
    """A ledger whose transactions put jobs down."""
    url = postgres_server.new_database()
    database = Database(url)
    schema.upgrade(database)
    queue.attach(database)
    yield database
    database.close()
    postgres_server.drop(url)


@pytest.fixture
def place(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, server: OpenSshServer, tmp_path: Path
) -> Iterator[Yard]:
    """A hub with four partners' mailboxes; nothing works on it yet."""
    url = postgres_server.new_database()
    with yard(tmp_path, request.node.name, server, url) as made:
        yield made
    postgres_server.drop(url)
