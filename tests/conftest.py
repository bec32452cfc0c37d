"""What every test starts from: a clean environment, a foreign time zone, and the real parts it asked for."""

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.small_disk import may_mount

if TYPE_CHECKING:  # nothing of ours is imported before pytest_configure has cleaned the environment
    from storage.database import Database
    from tests.postgres import PostgresServer

# Daemons lie outside an ordinary user's search path; Debian keeps each version of PostgreSQL in its own.
SEARCH_PATH = os.pathsep.join(
    (
        os.environ.get("PATH", os.defpath),
        "/usr/sbin",
        "/sbin",
        "/usr/lib/openssh",
        *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), key=len, reverse=True),
    )
)

# What a person or a CI service sets for itself and tests must not see: our settings, and colours.
SCRUBBED = ("COUNTERMAND_", "PYTHON_COLORS", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS")

# Nothing is late because a machine is busy: what is slow is measured by benchmarks.
hypothesis.settings.register_profile("countermand", deadline=None)
hypothesis.settings.load_profile("countermand")

MEMORY_BYTES_MIN = 2 * 1024**3  # a worker's own at a time are some hundred megabytes


@dataclass(frozen=True, slots=True)
class Part:
    """Something real that a test needs. An optional part may be absent in CI too."""

    programs: tuple[str, ...]  # any one of them will do
    package: str  # what to install, in Debian's names
    optional: bool = False
    is_allowed: Callable[[], bool] = lambda: True  # what is installed can still be forbidden


PARTS = {
    "sshd": Part(("sshd",), "openssh-server"),
    "postgres": Part(("postgres",), "postgresql"),
    "sftp-server": Part(("sftp-server",), "openssh-sftp-server"),
    "strace": Part(("strace",), "strace"),
    "ssh-keygen": Part(("ssh-keygen",), "openssh-client"),
    "curl": Part(("curl",), "curl"),
    "setpriv": Part(("setpriv",), "util-linux"),
    # Containers forbid it; what is shown on a mounted disk is shown in another way too, which none forbids.
    "mount": Part(("mount",), "mount", optional=True, is_allowed=may_mount),
    "soffice": Part(("soffice", "libreoffice"), "libreoffice-calc", optional=True),
    "chromium": Part(("chromium", "chromium-browser", "google-chrome"), "chromium"),
}


def find_part(name: str) -> Path | None:
    """The program of a part, or None when the machine has none."""
    for program in PARTS[name].programs:
        found = shutil.which(program, path=SEARCH_PATH)
        if found:
            return Path(found)
    return None


def pytest_configure() -> None:
    """Before anything is imported: no settings of this machine, and a zone where local time is wrong."""
    for name in list(os.environ):
        if name.startswith(SCRUBBED):
            del os.environ[name]
    memory = Path("/dev/shm")  # no test loses its power: waiting for a disk shows nothing here
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > MEMORY_BYTES_MIN:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))
    gc.set_threshold(100_000, 20, 100)  # compiled maps are large, and looking through them finds nothing
    os.environ["COLUMNS"] = "120"
    os.environ["TZ"] = "NST3:30"  # in POSIX form, which needs no zone files: 3.5 hours behind UTC
    time.tzset()


def pytest_xdist_auto_num_workers() -> int:
    """With `-n auto`: half as many again as there are cores, for a fifth of the time a test only waits."""
    cores = os.cpu_count() or 1
    return cores + cores // 2


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Act on `@pytest.mark.needs("sshd")`: skip, saying what is missing; in CI that is a failure."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            require(name)


def require(name: str) -> Path:
    """The program of a part; ends the test when there is none. For fixtures, where marks do not reach."""
    if name not in PARTS:
        pytest.fail(f"no part is called {name!r}; tests/conftest.py knows {', '.join(PARTS)}", pytrace=False)
    found = find_part(name)
    part = PARTS[name]
    if found is not None and part.is_allowed():
        return found
    message = f"needs {part.programs[0]}, which is not here (Debian: apt-get install {part.package})"
    if found is not None:
        message = f"needs the right to use {part.programs[0]}, which root of a machine has"
    if os.environ.get("CI") == "true" and not part.optional:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(autouse=True)
def _clean_environment() -> Iterator[None]:
    """What one test sets for countermand, the next does not see."""
    yield
    for name in list(os.environ):
        if name.startswith("COUNTERMAND_"):
            del os.environ[name]


@pytest.fixture(scope="session")
def postgres_server() -> "Iterator[PostgresServer]":
    """One PostgreSQL for all tests; who stops it starts it again."""
    from tests.postgres import running_postgres

    with running_postgres(require("postgres")) as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def system(request: pytest.FixtureRequest) -> str:
    """The database system; what asks for it, itself or through a fixture, runs on every one."""
    return str(request.param)


@pytest.fixture(scope="session")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite ledger to be copied, as PostgreSQL's are: migrating takes longer than most tests."""
    from storage.database import Database

    path = tmp_path_factory.mktemp("empty") / "ledger.db"
    made = Database(f"sqlite:///{path}")
    made.upgrade()
    made.close()
    return path


@contextmanager
def _ledgers(system: str, request: pytest.FixtureRequest) -> Iterator[Callable[[Path], str]]:
    """What answers the address of an installation's ledger, by its folder; each is empty at first."""
    urls: dict[Path, str] = {}
    server: PostgresServer | None = None
    if system == "postgresql":
        server = request.getfixturevalue("postgres_server")

    def url_for(folder: Path) -> str:
        if folder not in urls and server is not None:
            urls[folder] = server.borrow()
        elif folder not in urls:
            shutil.copy(request.getfixturevalue("ledger_file"), folder / "ledger.db")
            urls[folder] = f"sqlite:///{folder / 'ledger.db'}"
        return urls[folder]

    yield url_for
    if server is not None:
        for url in urls.values():
            server.give_back(url)


@contextmanager
def _settings_name(url_for: Callable[[Path], str]) -> Iterator[None]:
    """Settings written by `ledger_files.write_settings` name these ledgers."""
    from tests.unit.pipeline import ledger_files

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_files, "url_for", url_for)
        yield


@pytest.fixture
def ledgers(system: str, request: pytest.FixtureRequest) -> Iterator[Callable[[Path], str]]:
    """The address of an empty ledger for each folder; the test runs on every system."""
    with _ledgers(system, request) as url_for:
        yield url_for


@pytest.fixture
def database_url(ledgers: Callable[[Path], str], tmp_path: Path) -> str:
    """The address of an empty ledger of this test's own; the test runs on every system."""
    return ledgers(tmp_path)


@pytest.fixture
def both_systems(ledgers: Callable[[Path], str]) -> Iterator[None]:
    """Settings written by `ledger_files.write_settings` name `ledgers`; the test runs on every system.

    A second folder in one test is a second installation, with a ledger of its own.
    """
    with _settings_name(ledgers):
        yield


@pytest.fixture(scope="module")
def module_on_both_systems(system: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """As `both_systems`, for a module whose tests share a ledger."""
    with _ledgers(system, request) as url_for, _settings_name(url_for):
        yield


@pytest.fixture
def database(database_url: str) -> "Iterator[Database]":
    """The ledger at `database_url`."""
    from storage.database import Database

    made = Database(database_url)
    yield made
    made.close()
