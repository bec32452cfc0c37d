"""The command `show`: what it prints in its three forms, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from pipeline.cli import run
from tests.unit.edi.build import ORDER, STAR, group, interchange, order_file, transaction_set

ROOT = Path(__file__).resolve().parents[3]

OUTLINE = """\
order.edi
interchange 000000001 from ZZ:BUYER to ZZ:HUB, 260301 1200, version 00401, usage P
  group 1: PO from BUYERGS to HUBGS, version 004010
    850 Purchase Order, control number 0001
      ST Transaction Set Header
        ST01 Transaction Set Identifier Code: 850
        ST02 Transaction Set Control Number: 0001
      BEG Beginning Segment for Purchase Order
        BEG01 Transaction Set Purpose Code: 00 (original)
        BEG02 Purchase Order Type Code: SA (stand-alone order)
        BEG03 Purchase Order Number: PO-0001
        BEG05 Date: 20260301
"""
LOOPS = """\
      PO1 loop: Baseline Item Data
        PO1 Baseline Item Data
          PO101 Assigned Identification: 2
          PO102 Quantity Ordered: TEN
          PO103 Unit or Basis for Measurement Code: EA
          !! error: "TEN" is not a decimal number: Quantity Ordered (PO102, element 330). \
Use only characters this type allows.
        PID loop: Product/Item Description
          PID Product/Item Description
            PID01 Item Description Type: F
"""


def shown(
    data: bytes, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], *options: str
) -> tuple[int, str]:
    path = tmp_path / "order.edi"
    path.write_bytes(data)
    code = run(["show", str(path), *options])
    out, err = capsysbinary.readouterr()
    assert err == b""
    return code, out.decode("utf-8")


def test_a_good_file_as_an_outline(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, text = shown(order_file(), tmp_path, capsysbinary)
    assert code == 0
    assert text.startswith(OUTLINE)


def test_a_finding_stands_below_its_segment(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    one = transaction_set("850", *ORDER[:5], "PO1*2*TEN*EA", "PID*F****X")
    code, text = shown(interchange(group("PO", one)), tmp_path, capsysbinary)
    assert code == 1
    assert LOOPS in text


def test_nothing_a_partner_wrote_can_move_the_cursor(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    hostile = transaction_set("850", *ORDER[:5], "MSG*\x1b[2J\x07\x9b31m", "Q\x1b*\x1b]0;x")
    _, text = shown(interchange(group("PO", hostile, sender="\x1bc")), tmp_path, capsysbinary)
    assert r"MSG01 Free-form Message Text: \x1b[2J\x07\x9b31m" in text
    assert all(character.isprintable() or character == "\n" for character in text)


def test_json_is_one_document(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    two = group("PO", transaction_set("850", *ORDER), transaction_set("850", *ORDER, control_number="0002"))
    code, text = shown(interchange(two), tmp_path, capsysbinary, "--json")
    assert code == 0
    document = json.loads(text)
    (one,) = document["interchanges"]
    sets = one["groups"][0]["sets"]
    assert [each["control_number"] for each in sets] == ["0001", "0002"]
    line = next(segment for segment in sets[0]["segments"] if segment["id"] == "PO1")
    assert (line["loops"], line["elements"][0]["value"]) == (["PO1"], "1")
    assert one["trailer"]["id"] == "IEA"


def test_xml_is_one_document(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, text = shown(order_file(), tmp_path, capsysbinary, "--xml")
    assert code == 0
    assert etree.fromstring(text.encode("utf-8")).get("file") == "order.edi"


@pytest.mark.parametrize("options", [(), ("--xml",), ("--json",)])
def test_a_file_that_is_no_x12_is_shown_as_that(
    options: tuple[str, ...], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, text = shown(b"HELLO", tmp_path, capsysbinary, *options)
    assert code == 1
    assert "holds no interchange" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.edi"], b"cannot be read"),
        (["."], b"is a folder"),
        (["nothing.edi", "--xml", "--json"], b"exclude each other"),
    ],
)
def test_what_the_operator_got_wrong_ends_with_2(
    arguments: list[str],
    words: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["show", *arguments]) == 2
    assert words in b" ".join(capsysbinary.readouterr().err.split())


@pytest.mark.parametrize("options", [[], ["--xml"], ["--json"]])
def test_a_reader_that_goes_away_is_no_error(options: list[str], tmp_path: Path) -> None:
    sets = [transaction_set("850", *ORDER, control_number=f"{number:04d}") for number in range(500)]
    path = tmp_path / "large.edi"
    path.write_bytes(interchange(group("PO", *sets)))
    command = [sys.executable, "-m", "pipeline.cli", "show", str(path), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(100)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


_pieces = st.sampled_from(
    ["ISA", "GS*PO*A*B*20260301*1200*1*X*004010~", "ST*850*0001~", "PO1*1*1*EA~", "SE*2*0001~", "GE*1*1~",
     "IEA*1*000000001~", "~", "*", ">", "N1*ST*X~", "REF*DP~", "\x00", "\xe9", "\n", "HL*1**S~", "ST*856*1~"]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_pieces, max_size=30), st.sampled_from([(), ("--xml",), ("--json",)]))
def test_no_bytes_break_any_form(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], pieces: list[str], options: tuple[str, ...]
) -> None:
    head = interchange(group("PO"), delimiters=STAR)[:106]
    code, text = shown(head + "".join(pieces).encode("latin-1"), tmp_path, capsysbinary, *options)
    assert code in (0, 1)
    if options == ("--xml",):
        etree.fromstring(text.encode("utf-8"))
    elif options == ("--json",):
        json.loads(text)
    else:
        assert text.startswith("order.edi\n")
