"""What staff read on a terminal: requests on an order, what `answer` did, what waits, what a partner said."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.cli import run
from storage import outbox
from storage.messages import NewMessage
from storage.states import Kind
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import ITEM

pytestmark = pytest.mark.usefixtures("both_systems")

ORDER = ["BEG*00*SA*PO-1**20260301", f"PO1*1*100*EA*9**{ITEM}"]
CUT = ["BCH*04*SA*PO-1***20260301", f"POC*1*QD*60**EA*9**{ITEM}"]
UNCLEAR = ["BAK*00*AC*PO-1*20260301", f"PO1*1*100*EA*9**{ITEM}", "ACK*IR*3*EA"]
NOT_YET = ["BAK*00*RJ*PO-9*20260301"]

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """A command against the hub in tmp_path: its exit code, and both its outputs."""

    def command(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run([*arguments, "--config", str(tmp_path / "countermand.toml")])
        said = capsys.readouterr()
        return code, said.out + said.err

    return command


def asked(folder: Path) -> House:
    """A hub at which the buyer has asked to cancel 40 of 100 units."""
    house = house_with(folder, 'buyer_cancel = "requested"')
    house.buyer(ORDER)
    house.say("860", CUT, sender="acme", receiver="globex")
    return house


def row(text: str) -> list[str]:
    """The cells of the table's first row, without the frame."""
    line = next(line for line in text.split("\n") if line.startswith("│"))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_an_order_shows_what_is_asked_to_be_cancelled_and_how_to_answer(tmp_path: Path, say: Say) -> None:
    asked(tmp_path)
    _, text = say("order", "PO-1")
    assert row(text)[-5:] == ["100", "0", "0", "40", "100"]
    assert "countermand answer PO-1 --by globex --agree (or --refuse)" in text
    assert "cancellation requested by acme: line 1: 40 (quantity decreased)" in text


def test_an_order_without_requests_says_nothing_of_them(tmp_path: Path, say: Say) -> None:
    house_with(tmp_path, "").buyer(ORDER)
    _, text = say("order", "PO-1")
    assert row(text)[-4:] == ["100", "0", "0", "100"]
    assert "equested" not in text
    assert "countermand answer" not in text


ANSWERS = [
    ("--agree", "line 1: 40 cancelled", ("cancelled", 40)),
    ("--refuse", "line 1: 40 kept; the seller does not agree to cancel them", ("kept", 40)),
]


@pytest.mark.parametrize(("answer", "sentence", "moved"), ANSWERS)
def test_an_answer_says_what_it_did(
    tmp_path: Path, say: Say, answer: str, sentence: str, moved: tuple[str, int]
) -> None:
    asked(tmp_path)
    code, text = say("answer", "PO-1", "--by", "globex", answer)
    assert code == 0
    assert text.startswith("PO PO-1: applied\n")
    assert sentence in text


@pytest.mark.parametrize(("answer", "sentence", "moved"), ANSWERS)
def test_an_answer_says_it_in_json_too(
    tmp_path: Path, say: Say, answer: str, sentence: str, moved: tuple[str, int]
) -> None:
    asked(tmp_path)
    _, text = say("answer", "PO-1", "--by", "globex", answer, "--json")
    how, quantity = moved
    assert json.loads(text)[how] == [{"line": "1", "quantity": str(quantity)}]


@pytest.mark.parametrize("both", [["--agree", "--refuse"], ["--refuse", "--agree"], []])
def test_an_answer_is_yes_or_no(tmp_path: Path, say: Say, both: list[str]) -> None:
    house = asked(tmp_path)
    code, text = say("answer", "PO-1", "--by", "globex", *both)
    assert (code, "either --agree or --refuse" in " ".join(text.split())) == (2, True)
    assert house.line("PO-1")[2] == "0"


def test_nothing_is_written_by_an_answer_to_nothing(tmp_path: Path, say: Say) -> None:
    house_with(tmp_path, "").buyer(ORDER)
    code, text = say("answer", "PO-1", "--by", "globex", "--agree")
    assert code == 2
    assert "Nothing of PO PO-1 is asked to be cancelled" in text
    _, timeline = say("order", "PO-1")
    assert "acknowledged" not in timeline


@pytest.mark.parametrize(
    ("policy", "limit"),
    [("", "no time limit"), ("hold_hours = 2", "its sender is told no after 2026-03-01 14:00")],
)
def test_a_question_shows_its_document_its_age_and_its_limit(
    tmp_path: Path, say: Say, policy: str, limit: str
) -> None:
    house = house_with(tmp_path, policy)
    house.buyer(ORDER)
    house.seller("855", UNCLEAR)
    _, text = say("held")
    assert "1  PO PO-1: 855 0001 in 04.edi from globex" in text
    assert "since 2026-03-01 12:00, " in text
    assert limit in text
    _, text = say("held", "--json")
    found = json.loads(text)["held"][0]
    assert (found["type"], found["file"]) == ("855", "04.edi")


def test_what_waits_for_its_order_shows_its_document(tmp_path: Path, say: Say) -> None:
    house_with(tmp_path, "").seller("855", NOT_YET)
    _, text = say("held")
    assert (
        "parked: PO PO-9 is not known here; 855 0001 in 02.edi from globex waits for it since"
        " 2026-03-01 12:00, until 2026-03-02 12:00"
    ) in text


def test_the_outbox_shows_what_a_partner_said_of_a_document(tmp_path: Path, say: Say) -> None:
    house = house_with(tmp_path, "")
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    message = NewMessage(
        kind=Kind.ACKNOWLEDGMENT, partner="globex", to="globex", subject="860 for PO-1", set_type="860",
        identity="860_1.edi", dedupe_key="one", group_control_number="1",
    )  # fmt: skip
    with house.database.writing() as tx:
        number = outbox.enqueue(tx, message, at)
        assert number is not None
    _, before = say("outbox")
    assert "partner says" not in before
    with house.database.writing() as tx:
        outbox.mark_answered(tx, number, verdict="rejected", note="AK5 3", at=at)
    _, after = say("outbox")
    assert row(after) == [str(number), "860", "globex", "860 for PO-1", "new", "rejected: AK5 3"]


def test_a_list_that_was_cut_says_so_and_can_be_narrowed(tmp_path: Path, say: Say) -> None:
    house = house_with(tmp_path, "")
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with house.database.writing() as tx:
        for number in range(4):
            message = NewMessage(
                kind=Kind.EMAIL, partner="acme", to=f"{number}@acme.example", payload=b"x",
                identity=f"<{number}@x>", dedupe_key=f"{number}",
            )  # fmt: skip
            if number:
                outbox.enqueue(tx, message, at)
            else:
                outbox.enqueue_refused(tx, message, at, error="no address")
    _, text = say("outbox", "--limit", "3")
    assert "0@acme.example" not in text
    assert "Only the newest 3 messages are listed, and there are more" in text
    assert "1@acme.example" in text
    _, text = say("outbox", "--limit", "4")
    assert "Only" not in text
    _, text = say("outbox", "--status", "refused", "--status", "failed", "--json")
    found = json.loads(text)
    assert ([one["to"] for one in found["messages"]], found["cut"]) == (["0@acme.example"], False)
    _, text = say("outbox", "--kind", "acknowledgment")
    assert "Nothing in the outbox is like that." in text


def test_a_cut_list_of_orders_says_so(tmp_path: Path, say: Say) -> None:
    house = house_with(tmp_path, "")
    house.buyer(ORDER)
    house.buyer([line.replace("PO-1", "PO-2") for line in ORDER])
    code, text = say("orders", "--limit", "1")
    assert (code, "Only the newest 1 orders are listed" in text) == (0, True)
    _, text = say("orders", "--json")
    assert json.loads(text)["cut"] is False
