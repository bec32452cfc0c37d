"""The log: one event is one line, one id from file to mail, nothing twice, nothing forged."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline import journal
from pipeline.cli import run
from pipeline.journal import Format, Level
from tests.operations.hub import Hub
from tests.unit.pipeline.ledger_files import acknowledgment, cancellation, file_of, order

HOSTILE = (
    "a\n2026-01-01T00:00:00.000Z error file_failed file=f9",
    "tab\tand\rreturn\x00\x1b[31mred\x7f",
    "\u2028line\u2029paragraph\u0085next",
    "\u202egnp.exe\u2066",
    "${jndi:ldap://x/a}",
    "%s %(levelname)s {0}",
    'quote" and \\ backslash = equals',
    "x" * 500,
    "\ud800 half a letter",
)


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    journal.set_up(Level.OFF, Format.TEXT)


def events(text: str) -> list[dict[str, Any]]:
    """The lines of a log in JSON; a line that is none fails here."""
    return [json.loads(line) for line in text.splitlines()]


def test_one_id_follows_a_document_from_file_to_mail(hub: Hub) -> None:
    placed = file_of("850", order("PO-1", 5), number=1, sender="acme", receiver="globex")
    hub.acme.put("pickup", b"order.edi", placed)
    assert hub.run("poll") == 0
    cancel = file_of("850", cancellation("PO-1"), number=2, sender="acme", receiver="globex")
    hub.acme.put("pickup", b"cancel.edi", cancel)
    code, out, err = hub.said("poll", "--log-format", "json")
    assert code == 0
    found = events(err)
    kept = next(one for one in found if one["event"] == "file_kept")
    story = [one for one in found if one.get("file") == kept["file"]]
    told = [one["event"] for one in story]
    assert told[:3] == ["file_kept", "set_decided", "file_read"]
    assert sorted(told[3:]) == ["message_sent", "message_sent"]
    assert kept["name"] == kept["moved_to"] == "cancel.edi"
    decided = story[1]
    assert (decided["type"], decided["order"], decided["outcome"]) == ("850", "PO-1", "applied")
    assert {one["to"] for one in story[3:]} == {"acme", "desk@globex.example"}
    assert found[-1]["event"] == "round_done"
    assert (found[-1]["applied"], found[-1]["sent"], found[-1]["problems"]) == (1, 2, 0)
    assert "cancel.edi" in out  # the report stays where it is


def test_what_had_waited_is_logged_under_its_own_file(hub: Hub) -> None:
    early = file_of("855", acknowledgment("PO-2"), number=1, sender="globex", receiver="acme")
    hub.globex.put("pickup", b"early.edi", early)
    first = events(hub.said("poll", "--log-format", "json")[2])
    waiting = next(one["file"] for one in first if one["event"] == "file_kept")
    placed = file_of("850", order("PO-2", 5), number=1, sender="acme", receiver="globex")
    hub.acme.put("pickup", b"late.edi", placed)
    second = events(hub.said("poll", "--log-format", "json")[2])
    (decided,) = [one for one in second if one["event"] == "set_decided" and one.get("waited")]
    assert (decided["file"], decided["outcome"]) == (waiting, "applied")


@pytest.mark.parametrize("options", [[], ["--log-level", "error"]])
def test_problems_are_said_once(hub: Hub, options: list[str]) -> None:
    hub.globex.path("pickup").rename(hub.globex.path("gone"))
    try:
        code, out, err = hub.said("poll", *options)
    finally:
        hub.globex.path("gone").rename(hub.globex.path("pickup"))
    assert (code, out, err.count("does not exist")) == (2, "", 1)
    assert (" error mailbox_problem partner=globex " in err) is bool(options)


def test_a_round_without_anything_is_silent_and_errors_alone_are_asked_for(hub: Hub) -> None:
    assert hub.said("poll") == (0, "", "")
    assert hub.said("poll", "--log-level", "warning") == (0, "", "")


def test_every_command_takes_the_options_and_the_environment(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (["audit"], ["db", "current"], ["orders"]):
        assert run([*command, "--config", "no-such.toml", "--log-format", "json"]) == 2
        (said,) = events(capfd.readouterr().err)
        assert (said["event"], said["level"]) == ("command_failed", "error")
    monkeypatch.setenv("COUNTERMAND_LOG_LEVEL", "error")
    assert run(["outbox", "--config", "no-such.toml"]) == 2
    assert " error command_failed " in capfd.readouterr().err
    assert run(["outbox", "--config", "no-such.toml", "--log-level", "off"]) == 2
    assert capfd.readouterr().err.startswith("countermand: ")


@pytest.mark.parametrize("format", list(Format))
def test_no_text_can_forge_a_line(format: Format, capsys: pytest.CaptureFixture[str]) -> None:
    journal.set_up(Level.INFO, format)
    for text in HOSTILE:
        journal.event("file_kept", file=1, name=text, error=text)
    said = capsys.readouterr().err
    lines = said.split("\n")
    assert len(lines) == len(HOSTILE) + 1  # the last is what follows the last line end
    assert lines[-1] == ""
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert len(said.splitlines()) == len(HOSTILE)
    if format is Format.TEXT:
        assert all(line.split(" ")[1:4] == ["info", "file_kept", "file=f1"] for line in lines[:-1])
    else:
        assert [json.loads(line)["error"] for line in lines[:-1]] == list(HOSTILE)
    assert "x" * journal.VALUE_MAX + "[cut]" in said


def test_a_bug_is_one_line_too() -> None:
    program = (
        "from pipeline.cli import ledger, run\n"
        "def broken(*_):\n    raise RuntimeError('two\\nlines')\n"
        "ledger.open_application = broken\n"
        "raise SystemExit(run(['orders', '--log-format', 'json']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 3
    (said,) = events(ended.stderr)
    assert said["event"] == "bug"
    assert said["error"] == "RuntimeError: two\nlines"
    assert "broken" in said["trace"]
