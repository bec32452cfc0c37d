"""What partners send is data: no statement of SQL, no path, no settings and no template, by any name."""

import re
import tomllib
from pathlib import Path

import pytest

from pipeline.cli import run
from pipeline.mail import render
from pipeline.notices.contexts import OrderCancelled
from pipeline.settings import SettingsError, load
from storage import messages, order_lists, queries
from storage.invariants import audit
from storage.outcomes import Outcome
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import ITEM, settings_text, shipment

ROOT = Path(__file__).resolve().parents[2]
STATEMENTS = (
    "'; DROP TABLE event--", "' OR '1'='1", "\" OR 1=1 --", "') OR ('a'='a", "1; DELETE FROM x", "\\'; --",
    "%%", "_____", "$1", ":po_number", "%(po)s", "??", "' UNION SELECT 1--", "NULL", "0x27", "x'41'", "{0}",
)  # fmt: skip
PATHS = (
    b"../../outside.edi", b"/etc/cron.d/x", b"..", b"C:\\x.edi", b"a\x00b", b"countermand.toml", b"ledger.db",
    b"order_cancelled.txt.j2", b"acme-850.xml", b"-rf", b"$(id)", b"`id`", b"%s%n", b"CON", b"x" * 300,
)  # fmt: skip


@pytest.fixture
def house(tmp_path: Path, both_systems: None) -> House:
    return house_with(tmp_path, "")


def test_no_number_id_or_name_is_a_statement(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(house.settings.path)]
    for text in STATEMENTS:
        document = [f"BEG*00*SA*{text}**20260301", f"PO1*{text[:20]}*5*EA*1**{ITEM}*VN*{text}", "CTT*1"]
        assert house.buyer(document).outcome is Outcome.APPLIED
        noticed = house.seller("856", shipment(text, text, 2))
        assert noticed.outcome is Outcome.APPLIED
    with house.database.reading() as tx:
        for text in STATEMENTS:
            (found,) = queries.find_orders(tx, text)
            view = queries.get_order(tx, found.id)
            assert view is not None
            assert (view.lines[0].line, view.events[-1].reference) == (text[:20], text)
        assert audit(tx) == ()
        assert len(order_lists.list_orders(tx)) == len(STATEMENTS)
    for text in STATEMENTS:
        assert run(["order", "--json", *config, "--", text]) == 0
        assert run(["order", "--json", *config, "--", text + "'"]) == 2
        assert run(["cancel", "--by", "acme", "--note", text, *config, "--", text]) == 0
    capsys.readouterr()
    with house.database.reading() as tx:
        assert audit(tx) == ()
        assert {view.status.value for view in order_lists.list_orders(tx)} == {"complete"}


def test_statements_with_values_in_their_text_are_refused_by_the_linter() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "S608" in settings["tool"]["ruff"]["lint"]["select"]
    allowed = re.compile(r"noqa[^\n]*S608")
    named = [
        path.relative_to(ROOT).as_posix()
        for room in ("edi", "pipeline", "storage")
        for path in (ROOT / room).rglob("*.py")
        if allowed.search(path.read_text(encoding="utf-8"))
    ]
    assert named == ["storage/invariants/history.py"]  # it builds from column names of ours, at import


def test_a_file_is_never_written_read_or_run_under_the_name_it_has(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    house.drop(b"ISA", name="first.edi")
    before = {path: path.stat().st_size for path in tmp_path.rglob("*") if path.suffix == ".toml"}
    names = {path.name for path in tmp_path.iterdir()}
    usual = render(OrderCancelled.example())
    for name in PATHS:
        shown = name.decode("utf-8", "surrogateescape")
        for content in (b"[hub]\nname = 'Evil'\n", b"{{ 7 * 7 }}", b"<guide/>", b"#!/bin/sh\nexit\n"):
            assert house.drop(content, name=shown, partner="acme").outcome is Outcome.FAULTY
    assert {path.name for path in tmp_path.iterdir()} == names
    assert {path: path.stat().st_size for path in before} == before
    assert load(house.settings.path, {}).hub.name == "Example Hub"
    assert render(OrderCancelled.example()) == usual


def test_names_of_what_we_deliver_are_ours(house: House) -> None:
    for text in STATEMENTS:
        house.buyer([f"BEG*00*SA*{text}**20260301", f"PO1*1*5*EA*1**{ITEM}", "CTT*1"])
        house.seller("855", [f"BAK*00*RJ*{text}*20260301", "CTT*0"])
    with house.database.reading() as tx:
        documents = [message for message in messages.list_messages(tx) if message.set_type]
    assert documents
    assert all(re.fullmatch(r"[A-Z0-9]{3}_[0-9]{9}\.edi", message.identity) for message in documents)


@pytest.mark.parametrize(
    "id", ["../acme", "a/b", "a\\\\b", "..", ".acme", "-rf", "a b", "a\\u0000", "ac\u00e4", ""]
)
def test_a_partners_id_is_no_path(id: str, tmp_path: Path) -> None:
    path = tmp_path / "countermand.toml"
    path.write_text(settings_text().replace('id = "acme"', f'id = "{id}"'), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"partner .*id "):
        load(path, {})


def test_received_bytes_stay_in_the_database() -> None:
    """No module that handles them opens files to write; the demo, which plays both sides, apart."""
    writers = re.compile(r"\.write_(?:bytes|text)\(|open\([^)]*[\"'][wax]b?[\"']")
    named = [
        path.relative_to(ROOT).as_posix()
        for room in ("edi", "pipeline", "storage")
        for path in (ROOT / room).rglob("*.py")
        if "demo" not in path.parts and writers.search(path.read_text(encoding="utf-8"))
    ]
    assert sorted(named) == ["pipeline/cli/movement.py"]  # `init` writes the settings to start from
