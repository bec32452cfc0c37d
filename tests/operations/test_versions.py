"""Fault 79: an older schema with data is upgraded; programs and schemas that do not fit refuse each other."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from pipeline.cli import run
from pipeline.clock import SystemClock
from pipeline.poll import Poller
from pipeline.settings import load
from pipeline.wiring import Application
from storage import queries
from storage.database import Database, DatabaseUnavailable
from storage.database.schema import MIGRATIONS, revisions
from storage.invariants import audit
from tests.integration.sftp_server import free_port
from tests.unit.pipeline.ledger_files import write_settings
from tests.unit.storage.test_upgrades import WRITTEN

NEWEST = revisions()[-1]

# What commands leave open to the end of a process is closed by gc only.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def test_the_program_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"{project['name']} {project['version']}\n"


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, system: str, tmp_path: Path) -> Iterator[str]:
    """An address without any schema, on either system."""
    if system == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    url = server.new_database("template0")
    yield url
    server.drop(url)


def written_by(url: str, revision: str) -> None:
    """What the first program left behind, brought to `revision` by that time's migrations."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0001")
        for table, rows in WRITTEN.items():
            columns = list(tx.execute(text(f"SELECT * FROM {table}")).keys())  # noqa: S608
            places = ", ".join(f":{name}" for name in columns)
            insert = text(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})")  # noqa: S608
            for row in rows:
                tx.execute(insert, dict(zip(columns, row, strict=True)))
        if url.startswith("postgresql"):
            for table in ("received_file", "interchange", "transaction_set", "event", "held", "outbox"):
                tx.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}")  # noqa: S608
                )
        if revision != "0001":
            command.upgrade(config, revision)
    engine.dispose()


def rows(database: Database) -> dict[str, int]:
    with database.reading() as tx:
        return {
            table: tx.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()  # noqa: S608
            for table in WRITTEN
        }


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_every_older_schema_is_upgraded_with_its_data(empty_url: str, revision: str) -> None:
    written_by(empty_url, revision)
    database = Database(empty_url)
    try:
        assert database.current() == revision
        assert database.upgrade() == NEWEST
        assert rows(database) == {table: len(found) for table, found in WRITTEN.items()}
        with database.reading() as tx:
            assert audit(tx) == ()
            (order,) = queries.find_orders(tx, "4500012")
            view = queries.get_order(tx, order.id)
        assert view is not None
        assert [event.reference for event in view.events] == ["", "S1", "S.2 (b)", ""]
        assert [str(line.open) for line in view.lines] == ["3", "5"]
    finally:
        database.close()


def test_a_server_is_upgraded_by_command_only_and_a_file_on_first_use(
    empty_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written_by(empty_url, "0002")
    path = write_settings(tmp_path)
    path.write_text(path.read_text().replace("sqlite:///ledger.db", empty_url))
    if empty_url.startswith("postgresql"):
        assert run(["orders", "--config", str(path)]) == 2
        assert "countermand db upgrade" in capsys.readouterr().err
        assert run(["db", "current", "--config", str(path)]) == 0
        assert capsys.readouterr().out.strip() == "0002"
        assert run(["db", "upgrade", "--config", str(path)]) == 0
    capsys.readouterr()
    assert run(["orders", "--config", str(path)]) == 0
    assert "4500012" in capsys.readouterr().out
    assert run(["db", "current", "--config", str(path)]) == 0
    assert capsys.readouterr().out.strip() == NEWEST
    assert run(["audit", "--config", str(path)]) == 0


def test_an_older_program_refuses_a_newer_schema(
    database: Database, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    path = write_settings(tmp_path)
    path.write_text(path.read_text().replace("sqlite:///ledger.db", database_url))
    for words in (["poll"], ["orders"], ["db", "upgrade"], ["audit"]):
        capsys.readouterr()
        assert run([*words, "--config", str(path)]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"has schema 9999, and this program knows none newer than {NEWEST}" in said
    with database.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": NEWEST})


def test_a_poll_that_goes_on_stops_when_the_schema_changes_under_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    path = write_settings(tmp_path, mail_port=free_port())
    path.write_text(path.read_text().replace("sqlite:///ledger.db", database_url))
    poller = _poller(path, database)
    assert poller.round(wait=False).failed == ()
    with database.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match="has schema 9999"):
        poller.round(wait=False)
    with database.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    with pytest.raises(DatabaseUnavailable, match="start again"):
        poller.round(wait=False)
    with database.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": NEWEST})
    assert poller.round(wait=False).failed == ()


def _poller(path: Path, database: Database) -> Poller:
    return Application(settings=load(path, {}), database=database, clock=SystemClock()).poller()


def test_another_file_under_the_same_name_is_noticed(tmp_path: Path) -> None:
    path = write_settings(tmp_path, mail_port=free_port())
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    poller = _poller(path, database)
    poller.round(wait=False)
    assert database.path is not None
    copy = database.path.with_name("copy")
    copy.write_bytes(database.path.read_bytes())
    copy.replace(database.path)
    with pytest.raises(DatabaseUnavailable, match="took the place"):
        poller.round(wait=False)
    database.close()
