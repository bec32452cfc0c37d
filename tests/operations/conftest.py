"""Installations for tests of operating: on both systems, or on a file where that is the matter."""

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.sftp_server import OpenSshServer
from tests.operations.hub import Hub, both_servers, hub_on


@pytest.fixture(autouse=True)
def _give_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """A command's connections end with its process; here they would end at some later test's expense."""
    yield
    if "ledgers" in request.fixturenames:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[OpenSshServer, OpenSshServer]]:
    with both_servers() as both:
        yield both


@pytest.fixture
def hub(
    servers: tuple[OpenSshServer, OpenSshServer],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    database_url: str,
) -> Iterator[Hub]:
    """On SQLite, and on PostgreSQL."""
    with hub_on(servers, tmp_path, capfd, url=database_url) as made:
        yield made


@pytest.fixture
def file_hub(
    servers: tuple[OpenSshServer, OpenSshServer], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Iterator[Hub]:
    """On SQLite, for what happens to its file; there is none yet."""
    with hub_on(servers, tmp_path, capfd) as made:
        yield made
