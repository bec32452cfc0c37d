"""The metrics page: its form, its figures, its escapes, and its speed on a ledger of a million orders."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import metrics as page
from pipeline.cli import run
from pipeline.settings import load
from storage import mailboxes, outbox
from storage.database import Database
from storage.gauges import gauges
from storage.mailboxes import LeftFile, MailboxState
from storage.states import Left
from tests.integration.sftp_server import nowhere
from tests.unit.pipeline.house import House
from tests.unit.pipeline.ledger_files import acknowledgment, order, write_settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*)\})? (-?[0-9]+(?:\.[0-9]+)?)')


def samples(text: str) -> dict[str, float]:
    """Every sample, `name{labels}` to its value; each belongs to a family with HELP and TYPE before it."""
    found: dict[str, float] = {}
    family = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {family} gauge"
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] == family
            key = f"{match[1]}{{{match[2]}}}" if match[2] else match[1]
            assert key not in found
            found[key] = float(match[3])
    return found


@pytest.fixture
def house(tmp_path: Path, database: Database) -> House:
    """A hub whose acme has a mailbox that is never opened here."""
    settings = load(write_settings(tmp_path, mailboxes={"acme": nowhere(key_file=tmp_path / "key")}), {})
    return House(settings, database)


def collected(house: House) -> dict[str, float]:
    text = page.metrics(house.settings, house.database, house.now)
    assert text.endswith("\n")
    return samples(text)


def test_an_empty_ledger_has_every_sample_and_every_one_is_zero(house: House) -> None:
    found = collected(house)
    counts = {key: value for key, value in found.items() if not re.search("info|timestamp", key)}
    assert set(counts.values()) == {0}
    assert 'countermand_messages{kind="email",status="uncertain"}' in found
    assert 'countermand_files{status="failed"}' in found
    assert found['countermand_mailbox_served_timestamp_seconds{partner="acme"}'] == 0
    assert any(key.startswith("countermand_info{") and 'schema="0' in key for key in found)


def test_figures_and_ages_are_those_of_the_ledger(house: House) -> None:
    house.buyer(order("PO-1", 9))
    house.seller("855", acknowledgment("PO-1", "ACK*IA*4*EA"))  # 5 of 9 not mentioned: held
    house.seller("855", acknowledgment("PO-9"))  # waits for its order
    with house.database.writing() as tx:
        waiting = outbox.due(tx, house.now)
        assert waiting
    house.now += timedelta(hours=3)
    found = collected(house)
    assert found['countermand_orders{status="open"}'] == 1
    assert found['countermand_sets{outcome="applied"}'] == 1
    assert found['countermand_sets{outcome="held"}'] == 1
    assert found['countermand_files{status="done"}'] == 3
    assert found["countermand_held_open"] == found["countermand_parked_waiting"] == 1
    assert found['countermand_messages{kind="acknowledgment",status="refused"}'] >= 1  # globex has no mailbox
    for what in ("held", "parked", "unsent_message"):
        assert found[f'countermand_oldest_seconds{{what="{what}"}}'] == 3 * 3600
    assert found['countermand_oldest_seconds{what="unread_file"}'] == 0


def test_mailboxes_of_the_settings_say_when_they_were_served(house: House) -> None:
    state = MailboxState(partner="acme", address="x", failures=4, error="no", failed_at=NOW, served_at=NOW)
    left = LeftFile(
        partner="acme", name_bytes=b"big", size=9, modified=None, regular=True, reason=Left.TOO_LARGE,
        since=NOW, tried_at=NOW,
    )  # fmt: skip
    with house.database.writing() as tx:
        mailboxes.set_state(tx, state)
        mailboxes.set_state(tx, MailboxState(partner="gone", address="x"))
        mailboxes.remember_left(tx, "acme", (), [left])
    found = collected(house)
    assert found['countermand_mailbox_served_timestamp_seconds{partner="acme"}'] == NOW.timestamp()
    assert found['countermand_mailbox_failures{partner="acme"}'] == 4
    assert found['countermand_left_files{partner="acme",reason="too_large"}'] == 1
    assert not [key for key in found if "gone" in key]


def test_a_label_cannot_break_a_line() -> None:
    said = page._family("countermand_x", "help", [({"partner": 'a"} 1\n# HELP b\\'}, 2.5)])
    assert said.count("\n") == 3
    assert samples(said)['countermand_x{partner="a\\"} 1\\n# HELP b\\\\"}'] == 2.5


def test_the_file_is_replaced_in_one_step(
    tmp_path: Path, both_systems: None, capsys: pytest.CaptureFixture[str]
) -> None:
    config, target = str(write_settings(tmp_path)), tmp_path / "prom" / "countermand.prom"
    assert run(["metrics", "--config", config]) == 0
    printed = capsys.readouterr().out
    assert run(["metrics", "--config", config, "--output", str(target)]) == 2  # there is no such folder
    target.parent.mkdir()
    target.write_text("old")
    assert run(["metrics", "--config", config, "--output", str(target)]) == 0
    assert samples(target.read_text()).keys() == samples(printed).keys()
    assert [path.name for path in target.parent.iterdir()] == ["countermand.prom"]
    assert target.stat().st_mode & 0o777 == 0o644


def test_poll_refreshes_the_file(tmp_path: Path, both_systems: None) -> None:
    config, target = str(write_settings(tmp_path)), tmp_path / "countermand.prom"
    assert run(["poll", "--config", config, "--metrics", str(target)]) == 0
    assert 'countermand_files{status="new"}' in samples(target.read_text())


@pytest.fixture
def large(database: Database) -> Database:
    """Twenty thousand orders."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
    # PostgreSQL wants INSERT before WITH, SQLite takes both.
    insert = (
        "INSERT INTO orders (buyer, seller, po_number, release, revision, status, placed_at, content_hash,"
        " whole_cancelled) "
    )
    values = " SELECT 'acme', 'globex', CAST(i AS TEXT), '', '', 'open', CURRENT_TIMESTAMP, '', FALSE FROM n"
    with database.writing() as tx:
        tx.exec_driver_sql(insert + numbers + values)
    return database


def test_no_table_that_only_grows_is_scanned(large: Database) -> None:
    """The plan on SQLite names an index for every table; the figure for a million is in the runbook."""
    began = time.monotonic()
    with large.reading() as tx:
        assert gauges(tx).orders == {"open": 20000}
        if large.dialect != "sqlite":
            return
        queries: list[str] = []
        raw = tx.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(queries.append)
        gauges(tx)
        raw.set_trace_callback(None)
        asked = [query for query in queries if query.lstrip().startswith("SELECT")]
        assert len(asked) >= 10
        for query in asked:
            for step in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + query):
                said = str(step[3])
                grows = re.search(r"SCAN (received_file|transaction_set|orders|outbox|order_line)\b", said)
                assert not grows or "INDEX" in said, (query, said)
    assert time.monotonic() - began < 30
