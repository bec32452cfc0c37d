"""No command shows a partner's text as anything but text: no line forged, no cursor moved, no colour set."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.cli import run
from pipeline.mailbox.login import translate
from pipeline.visible import json_text, visible
from storage import messages, outbox, receipts
from storage.messages import NewMessage
from storage.states import Kind
from tests.security.hostile_texts import FOR_TERMINALS, FORGED, one_byte
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import ITEM, file_of, order, shipment

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def documents(text: str, number: int) -> list[bytes]:
    """Files with the text in every place that comes back to a screen: clean, faulty, refused, parked."""
    cut = text[:18]
    said = {
        "850": [f"BEG*00*SA*{cut}**20260301", f"PO1*{cut[:6]}*10*EA*5**{ITEM}*VN*{text[:40]}",
                f"PID*F****{text}", "CTT*1"],
        "860": [f"BCH*04*SA*{cut}***20260301", f"POC*{cut[:6]}*QD*4**EA*9**{ITEM}", f"MSG*{text}", "CTT*1"],
        "855": [f"BAK*00*AC*{cut}*20260301", f"PO1*1*10*EA*9**{ITEM}", "ACK*IR*3*EA", f"N9*L1*{cut}"],
        "856": shipment(text[:30], f"{cut}2", 3),
        "997": [f"AK1*PO*{number}", f"AK2*850*{cut[:9]}", "AK5*R*5", "AK9*R*1*1*0"],
        "824": [f"BGN*11*{text[:30]}*20260301", f"OTI*TR*PO*{text[:30]}", f"TED*024*{text[:60]}"],
    }  # fmt: skip
    files = [
        file_of(kind, document, number=number + place, sender=_sender(kind), receiver=_receiver(kind))
        for place, (kind, document) in enumerate(said.items())
    ]
    return [*files, files[0].replace(b"*20260301~", b"*2026030x~"), text.encode("latin-1") + files[0][:150]]


def _sender(kind: str) -> str:
    return "acme" if kind in ("850", "860") else "globex"


def _receiver(kind: str) -> str:
    return "globex" if kind in ("850", "860") else "acme"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, module_on_both_systems: None) -> Path:
    """A hub that was sent everything of the corpus, under file names that are hostile too."""
    place = tmp_path_factory.mktemp("hub")
    house = house_with(place, "")
    house.buyer(order("PO-1", 5))
    for number, text in enumerate(FOR_TERMINALS):
        for file in documents(one_byte(text), 100 + 10 * number):
            house.drop(file, name=f"{text}.edi")
        _owe(house, text, number)
    return place


def _owe(house: House, text: str, number: int) -> None:
    """Answers of servers and partners, as they are kept beside a message."""
    message = NewMessage(
        kind=Kind.ACKNOWLEDGMENT, partner="acme", to="acme", subject=one_byte(text), set_type="860",
        identity=f"{number}.edi", dedupe_key=f"k{number}", group_control_number=str(number),
    )  # fmt: skip
    said = text.encode("utf-8", "replace").decode()
    with house.database.writing() as tx:
        message_id = outbox.enqueue(tx, message, AT)
        assert message_id is not None
        owed = messages.get(tx, message_id)
        assert owed is not None
        claimed = outbox.claim(tx, owed)
        assert claimed is not None
        outbox.mark_failed(tx, claimed, str(translate(OSError(said), "sftp.acme.example")) + said, AT)
        outbox.mark_answered(tx, message_id, verdict="rejected", note=said, at=AT)


def check_is_plain(text: str) -> None:
    acting = {character for character in text if not character.isprintable()} - {"\n"}
    assert acting == set()
    assert not any(line.lstrip(" ").startswith(FORGED) for line in text.split("\n") if len(line) < 60)


COMMANDS = [
    ["orders"], ["held"], ["outbox"], ["audit"], ["doctor"], ["deliver"], ["db", "current"],
    ["order", "PO-1"], ["orders", "--partner", "nobody\x1b[31m"], ["orders", "--status", "x\x1b[31m"],
    ["order", "PO\x1b[31m\u202e"], ["cancel", "PO-1", "--by", "acme\x9b", "--note", "n\x1b[31m"],
    ["cancel", "PO-1", "--by", "acme", "--note", f"n\x1b[31m\n{FORGED}"],
    ["cancel", "PO-1", "--by", "acme", "--note", "n\udce9"],
    ["release", "1", "--as", "nothing\x1b[31m"], ["resend", "1"],
]  # fmt: skip


@pytest.mark.parametrize("as_json", [False, True], ids=["people", "json"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: "-".join(command[:1]))
def test_what_a_command_prints_is_plain(
    command: list[str], as_json: bool, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*command, "--config", str(folder / "countermand.toml"), *(["--json"] if as_json else [])]
    assert run(arguments) in (0, 1, 2)
    said = capsys.readouterr()
    check_is_plain(said.out)
    check_is_plain(said.err)
    if as_json and said.out:
        json.loads(said.out)
    assert said.out or said.err


def test_every_order_of_the_corpus_is_shown_as_it_is_called(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(folder / "countermand.toml")]
    assert run(["orders", "--json", *config]) == 0
    numbers = {found["po_number"] for found in json.loads(capsys.readouterr().out)["orders"]}
    assert {"[red]A[/red]", "[/]", "A\\", ":warning: :x:"} <= numbers
    assert run(["orders", *config]) == 0
    listed = capsys.readouterr().out
    for number in numbers - {"PO-1"}:
        assert run(["order", number, *config]) == 0
        said = capsys.readouterr().out
        check_is_plain(said)
        if number.isprintable():
            assert f"PO {number}" in said
            assert number in listed


def test_reading_files_says_nothing_but_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    paths = []
    for number, text in enumerate(FOR_TERMINALS):
        name = text.replace("\0", "0").replace("/", "|")
        for place, content in enumerate(documents(one_byte(text), 5000 + 10 * number)):
            paths.append(tmp_path / f"{name}{place}.edi")
            paths[-1].write_bytes(content)
    config = ["--config", str(folder / "countermand.toml")]
    for command, some in (
        (["check"], 0),
        (["check", "--json"], 1),
        (["replay"], 0),
        (["replay", "--json"], 1),
    ):
        assert run([*command, *map(str, paths[some::2]), *config]) == 1
        said = capsys.readouterr()
        check_is_plain(said.out + said.err)
    for path in paths[::11]:
        for option in ([], ["--json"]):
            run(["show", str(path), *option])
            said = capsys.readouterr()
            check_is_plain(said.out + said.err)


def test_a_poll_says_nothing_but_text(
    tmp_path: Path, both_systems: None, capsys: pytest.CaptureFixture[str]
) -> None:
    house = house_with(tmp_path, "")
    with house.database.writing() as tx:
        for number, text in enumerate(FOR_TERMINALS):
            content = documents(one_byte(text), 100 + 10 * number)[number % 7]
            name = text.encode("utf-8", "replace")
            receipts.keep(tx, partner="acme", mailbox="acme", name=name, content=content, at=AT)
    for option in ([], ["--json"]):
        run(["poll", "--config", str(tmp_path / "countermand.toml"), *option])
        said = capsys.readouterr()
        assert said.out
        check_is_plain(said.out + said.err)


@pytest.mark.parametrize("text", FOR_TERMINALS, ids=ascii)
def test_a_bug_over_a_partners_text_shows_it_as_text(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError(f"cannot read {text}")

    monkeypatch.setattr(cli.reading, "sources", fails)
    assert run(["show", "x.edi"]) == 3
    said = capsys.readouterr().err
    check_is_plain(said)
    assert "Traceback" in said
    assert said.rstrip("\n").split("\n")[-1] == f"RuntimeError: cannot read {visible(text)}"


@pytest.fixture(params=FOR_TERMINALS, ids=ascii)
def texts(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_json_holds_the_same_values_on_one_line(texts: str) -> None:
    said = json_text({"text": texts, "letters": "Größe \u65e5\u672c"})
    assert said.isprintable()
    assert json.loads(said) == {"text": texts, "letters": "Größe \u65e5\u672c"}
    assert "Größe \u65e5\u672c" in said


def test_visible_text_is_one_line_and_loses_nothing(texts: str) -> None:
    assert visible(texts).isprintable()
    assert visible("Größe \u65e5\u672c") == "Größe \u65e5\u672c"
    assert (visible("\x1b[31m\n"), visible("\u202e")) == (r"\x1b[31m\n", r"\u202e")
