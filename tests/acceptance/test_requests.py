"""Requested cancellations through the command line: asked by document, answered by the seller's word."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo.command import CommandFailed, Countermand
from pipeline.demo.world import settings_text
from storage.requests import AGREED

STORY = Path(__file__).resolve().parents[2] / "samples" / "stories" / "by-agreement"


@pytest.fixture
def countermand(tmp_path: Path, database_url: str) -> Countermand:
    """A hub where Acme has asked to cancel 40 of 100 plates and all 50 napkins."""
    config = tmp_path / "countermand.toml"
    policies = {"acme": {"buyer_cancel": "requested"}}
    config.write_text(settings_text(policies=policies, url=database_url), encoding="utf-8")
    hub = Countermand(config)
    for name in ("01-acme-orders.edi", "02-acme-asks.edi"):
        assert hub.ask("replay", str(STORY / name), "--apply", "--as", "acme").code == 0
    return hub


def lines(hub: Countermand) -> list[dict[str, Any]]:
    counters = ("cancelled", "open", "requested")
    found = hub.ask("order", "4500501").value["lines"]
    return [{name: line[name] for name in counters} for line in found]


def test_what_is_asked_for_is_open_and_shown(countermand: Countermand) -> None:
    assert lines(countermand) == [
        {"cancelled": "0", "open": "100", "requested": "40"},
        {"cancelled": "0", "open": "50", "requested": "50"},
    ]


def test_the_seller_agrees_by_telephone(countermand: Countermand) -> None:
    answer = countermand.ask("answer", "4500501", "--by", "globex", "--agree", "--note", "Ms Okafor")
    assert answer.code == 0
    assert answer.value["cancelled"] == [{"line": "1", "quantity": "40"}, {"line": "2", "quantity": "50"}]
    assert lines(countermand) == [
        {"cancelled": "40", "open": "60", "requested": "0"},
        {"cancelled": "50", "open": "0", "requested": "0"},
    ]
    owed = countermand.ask("outbox").value["messages"]
    mails = {one["subject"]: " ".join(one["body_text"].split()) for one in owed if one["kind"] == "email"}
    told = mails["Cancelled in part: PO 4500501, 90 units - Globex Supply"]
    assert "Globex Supply agreed to cancel 90 units on 2 lines of PO 4500501, which you had asked for" in told
    *_, happened = countermand.ask("order", "4500501").value["events"]
    assert happened["notes"] == [AGREED]
    assert countermand.ask("audit").code == 0


def test_the_seller_refuses_by_telephone_and_the_buyer_is_told(countermand: Countermand) -> None:
    assert countermand.ask("answer", "4500501", "--by", "globex", "--refuse").code == 0
    assert [line["requested"] for line in lines(countermand)] == ["0", "0"]
    mails = [one["subject"] for one in countermand.ask("outbox").value["messages"] if one["kind"] == "email"]
    assert "Request refused: PO 4500501, 90 units - Globex Supply" in mails


@pytest.mark.parametrize("note", ["\x1b[2J", "half\x07", "x" * 501])
def test_a_note_that_no_mail_could_show_is_refused(countermand: Countermand, note: str) -> None:
    with pytest.raises(CommandFailed, match=r"ended with 2.* The note (has|is longer)"):
        countermand.ask("answer", "4500501", "--by", "globex", "--agree", "--note", note)
    assert [line["requested"] for line in lines(countermand)] == ["40", "50"]


def test_only_the_seller_is_asked(countermand: Countermand) -> None:
    answer = countermand.ask("answer", "4500501", "--by", "acme", "--agree")
    assert (answer.code, answer.value["refusal"]) == (1, "WRONG_PARTY"), json.dumps(answer.value)
    assert lines(countermand)[0]["cancelled"] == "0"


def test_staff_cancel_for_the_buyer_only_asks_and_for_the_seller_it_is_done(countermand: Countermand) -> None:
    more = countermand.ask("cancel", "4500501", "--by", "acme", "--line", "1", "--quantity", "60")
    assert more.value["cancelled"] == []
    assert lines(countermand)[0] == {"cancelled": "0", "open": "100", "requested": "100"}
    done = countermand.ask("cancel", "4500501", "--by", "globex", "--line", "1", "--quantity", "70")
    assert done.value["cancelled"] == [{"line": "1", "quantity": "70"}]
    assert lines(countermand)[0] == {"cancelled": "70", "open": "30", "requested": "30"}
