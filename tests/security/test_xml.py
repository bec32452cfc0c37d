"""XML comes from operators only, and even theirs opens no file, no connection and no memory."""

import ast
import time
from pathlib import Path

import pytest

from edi import overlay, tree
from pipeline.replay import Source, replay
from storage.outcomes import Outcome
from tests.unit.pipeline.house import house_with

ROOT = Path(__file__).resolve().parents[2]
SECRET = "canary-in-a-file-next-door"
GUIDE = '<guide partner="{0}" set="850" release="004010"><segment path="CTT" usage="required"/></guide>'

#: Calls that read XML, and the modules that may make them: the one factory, and our own maps as shipped.
PARSES = {
    "XMLParser",
    "fromstring",
    "parse",
    "iterparse",
    "XML",
    "HTML",
    "XSLT",
    "HTMLParser",
    "XMLPullParser",
}
PARSERS = {("edi/tree.py", "XMLParser"), ("edi/tree.py", "fromstring"), ("edi/guide.py", "parse")}


def hostile(folder: Path) -> dict[str, str]:
    """A guide for every known way to make an XML parser read, call or swell."""
    beside = folder / "beside.txt"
    beside.write_text(SECRET, encoding="utf-8")
    external = folder / "external.dtd"
    external.write_text(f'<!ENTITY e "{SECRET}">', encoding="utf-8")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return {
        "entity": f"<!DOCTYPE g [<!ENTITY e '{SECRET}'>]>" + GUIDE.format("&e;"),
        "file": f'<!DOCTYPE g [<!ENTITY e SYSTEM "{beside.as_uri()}">]>' + GUIDE.format("&e;"),
        "network": '<!DOCTYPE g [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]>' + GUIDE.format("&e;"),
        "parameter": f'<!DOCTYPE g [<!ENTITY % p SYSTEM "{external.as_uri()}">%p;]>' + GUIDE.format("&e;"),
        "external dtd": f'<!DOCTYPE g SYSTEM "{external.as_uri()}">' + GUIDE.format("&e;"),
        "laughs": f'<!DOCTYPE g [<!ENTITY l0 "ha">{laughs}]>' + GUIDE.format("&l9;"),
        "spaces": "<!DOCTYPE\n g>" + GUIDE.format("Acme"),
        "lower case": "<!doctype g>" + GUIDE.format("Acme"),
        "undeclared": GUIDE.format("&e;"),
        "include": GUIDE.format("Acme").replace(
            "<segment",
            f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{beside.as_uri()}"/><segment',
        ),
        "style sheet": GUIDE.format("Acme").replace(
            "<segment", '<s:stylesheet xmlns:s="http://www.w3.org/1999/XSL/Transform"/><segment'
        ),
        "deep": "<a>" * 300 + "</a>" * 300,
        "deeper": "<a>" * 100_000,
        "one text": GUIDE.format("A" * 11_000_000),
        "too large": GUIDE.format("Acme") + " " * (17 * 1024 * 1024),
    }


CASES = (
    "entity", "file", "network", "parameter", "external dtd", "laughs", "spaces", "lower case", "undeclared",
    "include", "style sheet", "deep", "deeper", "one text", "too large",
)  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7"])
@pytest.mark.parametrize("case", CASES)
def test_a_hostile_guide_is_refused_in_a_sentence(case: str, encoding: str, tmp_path: Path) -> None:
    text = hostile(tmp_path)[case]
    path = tmp_path / "guide.xml"
    path.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding))
    began = time.process_time()
    with pytest.raises(overlay.OverlayError) as refused:
        overlay.load(path)
    assert time.process_time() - began < 10
    assert refused.value.problems[0].startswith(str(path))
    assert SECRET not in str(refused.value)
    if encoding == "utf-8" and "DOCTYPE" in text:
        assert "it has a DOCTYPE, which is not read" in refused.value.problems[0]


def test_the_guide_behind_the_cases_is_good(tmp_path: Path) -> None:
    path = tmp_path / "guide.xml"
    path.write_text(GUIDE.format("Acme"), encoding="utf-8")
    assert overlay.load(path).partner == "Acme"


def test_xml_is_parsed_by_one_factory() -> None:
    calls = {
        (path.relative_to(ROOT).as_posix(), name, called.lineno)
        for room in ("edi", "pipeline", "storage")
        for path in (ROOT / room).rglob("*.py")
        for called, name, module in _calls(ast.parse(path.read_text(encoding="utf-8")))
        if name in PARSES and module in ("etree", "ElementTree", "lxml", "objectify", "minidom", "sax")
    }
    assert {(module, name) for module, name, _ in calls} == PARSERS
    assert len([name for _, name, _ in calls if name == "XMLParser"]) == 1
    tree_text = (ROOT / "edi" / "tree.py").read_text(encoding="utf-8")
    assert tree_text.count("etree.fromstring(") == tree_text.count(", _parser())")


def _calls(module: ast.AST) -> list[tuple[ast.Call, str, str]]:
    return [
        (node, node.func.attr, node.func.value.id)
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
    ]


CXML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE cXML SYSTEM "file:///etc/hostname" [<!ENTITY e SYSTEM "file:///etc/passwd">]>
<cXML payloadID="1"><Request><OrderRequest><Comments>&e;</Comments></OrderRequest></Request></cXML>
"""


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\r\n  "], ids=["", "mark", "blanks"])
def test_xml_of_a_partner_is_no_x12_and_no_parser_sees_it(
    start: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(*_: object) -> None:
        raise AssertionError("a partner's XML was parsed")

    monkeypatch.setattr(tree, "_parser", parsed)
    house = house_with(tmp_path, "")
    report = replay(
        [Source("order.xml", start + CXML.encode())], house.settings, house.database, lambda: house.now,
        partner="acme",
    )[0]  # fmt: skip
    assert report.outcome is Outcome.FAULTY
    assert report.is_unusable
    assert any("an XML document" in finding.message for finding in report.findings)
    assert [to for to, _ in house.mails()] == ["support@hub.example"]
