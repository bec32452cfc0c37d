"""Maps held against their schema, XML that means harm, and X12 written as XML."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from lxml import etree

from edi import tree
from edi.envelope import FunctionalGroup, TransactionSet
from edi.findings import Finding
from edi.guide import check
from edi.outline import outline
from tests.unit.edi.build import HOSTILE, ORDER, STAR, STAR_5010, group, interchange, transaction_set

MAPS = Path(tree.__file__).parent / "maps"
EVERY_MAP = sorted(MAPS.glob("*/*.xml"))


# --- our own files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EVERY_MAP, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_map_has_the_shape_of_the_schema(path: Path) -> None:
    assert tree.check_map(path) == ()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('usage="R"', 'usage="M"', "'M' is not an element of the set {'R', 'S'}"),
        ('pos="020"', "", "'pos' is required"),
        ("<segment ", "<segmnet ", "not well-formed XML"),
    ],
)
def test_a_wrong_map_is_named_with_its_line(old: str, new: str, words: str, tmp_path: Path) -> None:
    lines = (MAPS / "004010" / "850.xml").read_text(encoding="utf-8").splitlines()
    number = next(at for at, line in enumerate(lines, 1) if '<segment xid="BEG"' in line)
    lines[number - 1] = lines[number - 1].replace(old, new)
    path = tmp_path / "004010" / "850.xml"
    path.parent.mkdir()
    path.write_text("\n".join(lines), encoding="utf-8")
    found = tree.check_map(path)
    assert found
    named = re.match(r"004010/850\.xml:(\d+): ", found[0])
    assert named is not None
    # A tag that is opened and never closed shows where the file closes something else.
    assert int(named[1]) == number or (new == "<segmnet " and int(named[1]) > number)
    assert words in found[0]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HARMFUL = {
    "billion laughs": f'<!DOCTYPE guide [<!ENTITY l0 "ha">{LAUGHS}]><guide partner="&l9;"/>',
    "a file of this machine": '<!DOCTYPE g [<!ENTITY f SYSTEM "file:///etc/passwd">]><guide>&f;</guide>',
    "an outside DTD": '<!DOCTYPE guide SYSTEM "http://127.0.0.1:9/guide.dtd"><guide partner="A"/>',
    "another encoding": '<?xml version="1.0" encoding="utf-7"?>\n+ADwAIQ-DOCTYPE guide+AD4-<guide/>',
    "an entity nobody defined": '<guide partner="&secret;"/>',
    "depth": "<guide>" * 5_000,
    "bytes that are no UTF-8": "<guide partner='\udcff'/>",
}


@pytest.mark.parametrize("name", HARMFUL)
def test_xml_that_means_harm_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "guide.xml"
    path.write_bytes(HARMFUL[name].encode("utf-8", "surrogateescape"))
    root, problems = tree.read(path, "overlay")
    assert root is None
    assert re.match(rf"{re.escape(str(path))}:\d+: ", problems[0])
    assert "root:" not in problems[0]


def test_a_file_too_large_to_be_ours_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "guide.xml"
    with path.open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    assert "more than" in tree.read(path, "overlay")[1][0]


# --- X12 as XML ---------------------------------------------------------------------------------------------


def findings_of(one_group: FunctionalGroup, one: TransactionSet) -> tuple[Finding, ...]:
    return (*one.findings, *check(one, one_group.map_release))


def as_xml(data: bytes) -> "etree._Element":
    out = BytesIO()
    tree.write_xml(out, "some.edi", outline(data, findings_of, lambda _: None))
    return etree.fromstring(out.getvalue())


def order_with(*segments: str, version: str = "004010") -> list[str]:
    return group("PO", transaction_set("850", *ORDER[:-1], *segments), version=version)


def text_of(element: "etree._Element") -> str:
    """The text as it was sent: <char> stands for what XML cannot hold."""
    text = element.text or ""
    for char in element:
        text += chr(int(char.get("code", ""), 16)) + (char.tail or "")
    return text


def test_segments_and_loops_are_elements_with_their_names() -> None:
    root = as_xml(interchange(order_with("CTT*2")))
    (one,) = root.iter("set")
    assert (one.get("type"), one.get("name")) == ("850", "Purchase Order")
    assert [child.tag for child in one] == [
        "ST", "BEG", "REF", "DTM", "N1_LOOP", "PO1_LOOP", "PO1_LOOP", "CTT_LOOP", "SE",
    ]  # fmt: skip
    first = one.find("PO1_LOOP")
    assert first is not None
    assert [child.tag for child in first] == ["PO1", "PID_LOOP"]
    assert [(e.tag, e.text) for e in first[0]][:4] == [
        ("PO101", "1"), ("PO102", "10"), ("PO103", "EA"), ("PO104", "5.25"),
    ]  # fmt: skip
    purpose = one.find("BEG/BEG01")
    assert purpose is not None
    assert dict(purpose.attrib) == {"name": "Transaction Set Purpose Code", "means": "original"}
    assert [child.tag for child in root[0]] == ["ISA", "group", "IEA"]
    assert [child.tag for child in root[0][1]] == ["GS", "set", "GE"]


def test_what_a_code_means_is_said_of_that_code_only() -> None:
    texts = ("ACK*IA", "ACK*ZZ", "ACK*IR")
    one = transaction_set("855", "BAK*00*AC*1*20260301", "PO1*1*1*EA", *texts)
    means = [element.get("means") for element in as_xml(interchange(group("PR", one))).iter("ACK01")]
    assert means == ["accepted", None, "rejected"]


@pytest.mark.parametrize("delimiters", [STAR, STAR_5010, *HOSTILE])
def test_the_xml_does_not_depend_on_the_delimiters(delimiters: object) -> None:
    segments = order_with("CTT*2", version="005010" if delimiters is STAR_5010 else "004010")
    root = as_xml(interchange(segments, delimiters=delimiters))  # type: ignore[arg-type]
    sent = [text.split("*") for text in segments[1:-1]]
    shown = [
        [segment.tag, *[element.text for element in segment]]
        for segment in root.iter()
        if segment.getparent() is not None and segment.tag in {tag for tag, *_ in sent}
    ]
    assert shown == [[text for text in values if text] for values in sent]


def test_a_set_out_of_order_is_shown_in_the_order_sent() -> None:
    begin, reference, *rest = ORDER
    root = as_xml(interchange(group("PO", transaction_set("850", reference, begin, "N3*1 MAIN", *rest))))
    (one,) = root.iter("set")
    assert [child.tag for child in one if child.tag != "finding"][:4] == ["ST", "REF", "BEG", "N1_LOOP"]
    assert [finding.get("code") for finding in one.iter("finding")] == [
        "segment_order", "segment_unexpected", "segment_order",
    ]  # fmt: skip


def test_a_composite_holds_its_components() -> None:
    root = as_xml(interchange(order_with("SLN*1**I*2*EA>1>>X*3.5")))
    (whole,) = root.iter("SLN05")
    assert [(part.tag, part.text) for part in whole] == [
        ("SLN05-1", "EA"), ("SLN05-2", "1"), ("SLN05-4", "X"),
    ]  # fmt: skip


def test_findings_stand_behind_the_segment_they_are_about() -> None:
    root = as_xml(interchange(order_with("PO1*3*TEN*EA")))
    (finding,) = root.iter("finding")
    before = finding.getprevious()
    assert before is not None
    assert before.tag == "PO1"
    assert dict(finding.attrib) == {"code": "element_character", "level": "error", "element": "2"}


@pytest.mark.parametrize("text", ["BELL\x07", "\x00\x01", "A\x0bB\x1fC", "CAF\xe9 \x85\x92", "<&>\"'", "]]>"])
def test_any_byte_comes_back_from_the_xml(text: str) -> None:
    (name,) = as_xml(interchange(order_with(f"MSG*{text}"))).iter("MSG01")
    assert text_of(name) == text


def test_what_no_map_knows_is_shown_without_names() -> None:
    root = as_xml(
        interchange(order_with("QQQ*1**3", "q!\x07*4"), group("XX", ["ST*123*0001", "BIG*1", "SE*3*0001"]))
    )
    (known,) = root.iter("QQQ")
    assert [(one.tag, one.text, dict(one.attrib)) for one in known] == [
        ("QQQ01", "1", {}),
        ("QQQ03", "3", {}),
    ]
    (odd,) = root.iter("segment")
    assert [(one.tag, text_of(one)) for one in odd] == [("tag", "q!\x07"), ("element01", "4")]
    (big,) = root.iter("BIG")
    assert big.get("name") is None


@pytest.mark.parametrize("size", [0, 1, 3, 105, 200, 400, 700])
def test_a_file_cut_short_is_well_formed_xml(size: int) -> None:
    assert as_xml(interchange(order_with("CTT*2"))[:size]).tag == "x12"
