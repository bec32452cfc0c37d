"""The maps are data, and data can be wrong: what must hold of every one, and what the standard says."""

from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from lxml import etree  # type: ignore[import-untyped, unused-ignore]
from pyx12.map_if import load_map_file  # type: ignore[import-untyped, unused-ignore]
from pyx12.map_index import map_index  # type: ignore[import-untyped, unused-ignore]
from pyx12.params import params  # type: ignore[import-untyped, unused-ignore]

from edi.codes import SETS_OF_GROUP

MAPS = Path(__file__).resolve().parents[3] / "edi" / "maps"
RELEASES = ("004010", "005010")
SETS = {
    "004010": ("824", "850", "855", "856", "860", "865", "870", "997"),
    "005010": ("824", "850", "855", "856", "860", "865", "870", "997", "999"),
}
CONTROL = {"004010": "x12.control.00401.xml", "005010": "x12.control.00501.xml"}

TRANSACTIONS = [(release, name) for release in RELEASES for name in SETS[release]]
GRAMMARS = [(release, f"{name}.xml") for release, name in TRANSACTIONS] + list(CONTROL.items())
EVERY_FILE = sorted(str(path.relative_to(MAPS)) for path in MAPS.glob("*/*.xml"))

# Element facts: release, set, segment, position, data element, type, min, max, usage.
ELEMENTS = """
004010 850 BEG  1 353  ID 2 2  R      004010 850 BEG  3 324  AN 1 22  R
004010 850 BEG  4 328  AN 1 30 S      004010 850 BEG  5 373  DT 8 8   R
004010 850 BEG  7 587  ID 2 2  S      004010 850 PO1  1 350  AN 1 20  S
004010 850 PO1  2 330  R  1 15 S      004010 850 PO1  3 355  ID 2 2   S
004010 850 PO1  4 212  R  1 17 S      004010 850 PO1  7 234  AN 1 48  S
004010 850 PO1 25 234  AN 1 48 S      004010 850 PO4  1 356  N0 1 6   S
004010 850 PO4 14 810  N0 1 6  S      004010 850 SDQ  3 67   AN 2 80  R
004010 850 SDQ  4 380  R  1 15 R      004010 850 SCH 12 350  AN 1 20  S
004010 850 SLN  3 662  ID 1 1  R      004010 850 CTT  1 354  N0 1 6   R
004010 850 CTT  2 347  R  1 10 S      004010 850 ST   2 329  AN 4 9   R
004010 850 GS   8 480  AN 1 12 R      004010 850 SE   1 96   N0 1 10  R
004010 855 BAK  2 587  ID 2 2  R      004010 855 BAK  8 127  AN 1 30  S
005010 855 BAK  8 127  AN 1 50 S      004010 855 BAK  9 373  DT 8 8   S
004010 855 ACK  1 668  ID 2 2  R      004010 855 ACK  2 380  R  1 15  S
004010 855 ACK 26 234  AN 1 48 S      004010 856 BSN  2 396  AN 2 30  R
004010 856 BSN  5 1005 ID 4 4  S      004010 856 HL   1 628  AN 1 12  R
004010 856 HL   2 734  AN 1 12 S      004010 856 HL   3 735  ID 1 2   R
004010 856 SN1  2 382  R  1 10 R      004010 856 SN1  8 668  ID 2 2   S
004010 856 PRF  1 324  AN 1 22 R      004010 856 MAN  2 87   AN 1 48  R
004010 860 BCH  3 324  AN 1 22 R      004010 860 BCH  5 327  AN 1 8   S
004010 860 BCH  6 373  DT 8 8  R      004010 860 BCH 11 373  DT 8 8   S
004010 860 POC  2 670  ID 2 2  R      004010 860 POC  3 330  R  1 15  S
004010 860 POC  8 235  ID 2 2  S      004010 860 POC 27 234  AN 1 48  S
004010 865 BCA  2 587  ID 2 2  S      004010 865 BCA  3 324  AN 1 22  R
004010 865 BCA  6 373  DT 8 8  R      005010 865 BCA  9 127  AN 1 50  S
004010 870 BSR  1 850  ID 1 2  R      004010 870 BSR  2 847  ID 1 2   R
004010 870 ISR  1 368  ID 2 2  R      004010 870 ISR  3 641  ID 3 3   S
004010 824 BGN  2 127  AN 1 30 R      005010 824 BGN  2 127  AN 1 50  R
004010 824 OTI  1 110  ID 1 2  R      004010 824 OTI  8 28   N0 1 9   S
004010 824 OTI  9 329  AN 4 9  S      004010 824 OTI 12 353  ID 2 2   S
004010 824 TED  1 647  ID 1 3  R      004010 824 TED  2 3    AN 1 60  S
004010 824 TED  5 722  N0 1 2  S      004010 824 TED  8 961  AN 1 99  S
005010 824 TED  4 719  N0 1 10 S      004010 824 RED  2 1609 ID 2 3   S
005010 999 IK3  4 620  ID 1 3  S      005010 999 IK4  3 621  ID 1 3   R
005010 999 IK5  1 717  ID 1 1  R      005010 999 IK5  6 618  ID 1 3   S
004010 997 AK3  2 719  N0 1 6  R      005010 997 AK3  2 719  N0 1 10  R
005010 997 AK1  3 480  AN 1 12 S      005010 997 AK2  3 1705 AN 1 35  S
004010 997 AK9  5 716  ID 1 3  S      005010 850 PO1  7 234  AN 1 48  S
005010 850 ST   3 1705 AN 1 35 S      005010 850 N4   7 1715 ID 1 3   S
"""
ROW = 9
WORDS = ELEMENTS.split()
ELEMENT_FACTS = [tuple(WORDS[start : start + ROW]) for start in range(0, len(WORDS), ROW)]

# How many elements a segment has in each release.
WIDTHS = {
    "BEG": (12, 12), "BAK": (10, 10), "BSN": (7, 7), "PO1": (25, 25), "ACK": (29, 29), "LIN": (31, 31),
    "SLN": (28, 28), "SDQ": (23, 23), "PO4": (18, 18), "SN1": (8, 8), "HL": (4, 4), "SAC": (16, 16),
    "N4": (6, 7), "REF": (4, 4), "ST": (2, 3), "AK1": (2, 3), "AK2": (2, 3), "AK4": (4, 4), "CTT": (7, 7),
    "BCH": (16, 16), "BCA": (15, 15), "POC": (27, 27), "BSR": (12, 12), "ISR": (3, 3), "BGN": (9, 9),
    "OTI": (17, 17), "TED": (8, 8), "RED": (6, 6), "NM1": (11, 12),
}  # fmt: skip

# Places: release, set, path below the transaction set, usage, how often.
PLACES = [
    ("004010", "850", "PO1_LOOP", "S", "100000"),
    ("004010", "850", "PO1_LOOP/SDQ", "S", "500"),
    ("004010", "850", "PO1_LOOP/SCH_LOOP", "S", "200"),
    ("004010", "850", "PO1_LOOP/SLN_LOOP", "S", "1000"),
    ("004010", "850", "PO1_LOOP/N1_LOOP", "S", "200"),
    ("004010", "850", "SAC_LOOP", "S", "25"),
    ("004010", "850", "N9_LOOP/MSG", "S", "1000"),
    ("005010", "850", "N9_LOOP/MTX", "S", ">1"),
    # Not the standard's: 005010 senders still write MSG, which MTX replaced.
    ("005010", "850", "N9_LOOP/MSG", "S", ">1"),
    ("005010", "850", "PO1_LOOP/MSG", "S", ">1"),
    ("005010", "855", "PO1_LOOP/N9_LOOP/MSG", "S", ">1"),
    ("004010", "850", "N1_LOOP", "S", "200"),
    ("004010", "850", "CTT_LOOP", "S", "1"),
    ("004010", "855", "PO1_LOOP", "S", "100000"),
    ("004010", "855", "PO1_LOOP/ACK_LOOP", "S", "104"),
    ("004010", "855", "PO1_LOOP/SLN_LOOP/ACK", "S", "104"),
    ("005010", "855", "PO1_LOOP/ACK_LOOP", "S", "104"),
    ("004010", "856", "HL_LOOP", "R", "200000"),
    ("004010", "856", "HL_LOOP/SDQ", "S", "50"),
    ("004010", "856", "CTT", "S", "1"),
    ("004010", "997", "AK2_LOOP/AK3_LOOP/AK4", "S", "99"),
    ("004010", "997", "AK2_LOOP/AK5", "R", "1"),
    ("005010", "997", "AK9", "R", "1"),
    ("004010", "860", "BCH", "R", "1"),
    ("004010", "860", "POC_LOOP", "S", ">1"),
    ("004010", "860", "POC_LOOP/SDQ", "S", "500"),
    ("004010", "860", "POC_LOOP/SCH_LOOP", "S", "200"),
    ("004010", "860", "CTT_LOOP", "S", "1"),
    ("005010", "860", "POC_LOOP/N9_LOOP/MSG", "S", ">1"),
    ("004010", "865", "POC_LOOP/ACK_LOOP", "S", "104"),
    ("005010", "865", "POC_LOOP/ACK_LOOP", "S", "104"),
    ("004010", "870", "HL_LOOP", "R", "1000"),
    ("004010", "870", "HL_LOOP/ISR_LOOP", "S", "104"),
    ("004010", "870", "HL_LOOP/PO1_LOOP/ISR_LOOP/QTY", "S", "4"),
    ("004010", "824", "OTI_LOOP", "R", ">1"),
    ("004010", "824", "OTI_LOOP/REF", "S", "12"),
    ("004010", "824", "OTI_LOOP/TED_LOOP/NTE", "S", "100"),
    ("005010", "824", "OTI_LOOP/TED_LOOP/CTX", "S", ">1"),
    ("005010", "999", "AK2_LOOP/IK3_LOOP/IK4_LOOP/CTX", "S", "10"),
    ("005010", "999", "AK2_LOOP/IK5", "R", "1"),
]

# Syntax notes that decide what a partner may leave out.
NOTES = [
    ("004010", "850", "PO1", {"C0302", "C0504", "P0607", "P2425"}),
    ("004010", "855", "ACK", {"P0203", "C0405", "P2526", "C282729"}),
    ("004010", "850", "SLN", {"P0405", "C0706", "P0910", "P2728"}),
    ("004010", "850", "MEA", {"R03050608", "E0803"}),
    ("005010", "850", "MEA", {"E0412", "P1112"}),
    ("004010", "850", "QTY", {"R0204", "E0204"}),
    ("004010", "856", "SN1", {"P0506"}),
    ("005010", "856", "N4", {"E0207", "C0605", "C0704"}),
    # The standard has C030405; partners leave POC04 out, so POC03 asks for its unit only.
    ("004010", "860", "POC", {"C0305", "C0706", "P0809", "P2627"}),
    ("005010", "865", "POC", {"C0305", "C0706", "P0809", "P2627"}),
    ("004010", "824", "OTI", {"C0908"}),
    ("004010", "824", "BGN", {"C0504"}),
    ("004010", "824", "RED", {"E0206", "R0206", "P030506", "C0403"}),
    ("004010", "870", "QTY", {"R0204", "E0204"}),
]

# Segments that fit two places at once: the innermost open loop has them. LE closes LDT before the line's LM.
TWO_PLACES = {"850": {("LM", ("LDT_LOOP", "PO1_LOOP"))}, "860": {("LM", ("LDT_LOOP", "POC_LOOP"))}}


@cache
def tree(release: str, file: str) -> ElementTree.Element:
    return ElementTree.parse(MAPS / release / file).getroot()


@cache
def transaction(release: str, name: str) -> ElementTree.Element:
    found = tree(release, f"{name}.xml").find(".//loop[@xid='ST_LOOP']")
    assert found is not None
    return found


def first_segment(release: str, name: str, tag: str) -> ElementTree.Element:
    found = tree(release, f"{name}.xml").find(f".//segment[@xid='{tag}']")
    assert found is not None, f"{release} {name} has no {tag}"
    return found


def data_elements(release: str) -> dict[str, tuple[str, str, str]]:
    return {
        row.attrib["ele_num"]: (row.attrib["data_type"], row.attrib["min_len"], row.attrib["max_len"])
        for row in tree(release, "dataele.xml")
    }


def codesets(release: str) -> dict[str, set[str]]:
    return {
        codeset.findtext("id", ""): {code.text or "" for code in codeset.iter("code")}
        for codeset in tree(release, "codes.xml")
    }


def children(loop: ElementTree.Element) -> list[ElementTree.Element]:
    return [child for child in loop if child.tag in ("segment", "loop")]


def opening_tag(node: ElementTree.Element) -> str:
    return node.attrib["xid"] if node.tag == "segment" else children(node)[0].attrib["xid"]


@pytest.mark.parametrize("file", EVERY_FILE)
def test_every_file_has_the_shape_of_the_schema(file: str) -> None:
    schema = etree.XMLSchema(etree.parse(str(MAPS / "map.xsd")))
    schema.validate(etree.parse(str(MAPS / file)))
    assert [f"{file}:{error.line}: {error.message}" for error in schema.error_log] == []


@pytest.mark.parametrize(("release", "file"), GRAMMARS)
def test_pyx12_loads_every_map_and_knows_its_release(release: str, file: str) -> None:
    loaded = load_map_file(file, params(), map_path=str(MAPS / release))
    assert loaded.icvn == CONTROL[release][12:17]
    assert loaded.getnodebypath("/ISA_LOOP/GS_LOOP/GS") is not None


@pytest.mark.parametrize(("release", "name"), TRANSACTIONS)
def test_the_index_finds_every_map(release: str, name: str) -> None:
    kind = next(kind for kind, names in SETS_OF_GROUP.items() if name in names)
    index = map_index(str(MAPS / release))
    # GS01 is FA for 997 and 999 alike; only the guide in GS08 tells them apart.
    guides = ("X231", "X231A1") if name == "999" else ("", "VICS", "UCS")
    for version in (f"{release}{guide}" for guide in guides):
        assert index.get_filename(CONTROL[release][12:17], version, kind) == f"{name}.xml"
    assert index.get_filename(CONTROL[release][12:17], "", "") == CONTROL[release]


@pytest.mark.parametrize("release", RELEASES)
def test_numbers_and_lists_are_defined_where_used_and_used_where_defined(release: str) -> None:
    maps = [tree(release, file) for folder, file in GRAMMARS if folder == release]
    elements = {node.attrib["data_ele"] for root in maps for node in root.iter("element")}
    lists = {node.attrib["external"] for root in maps for node in root.iter("valid_codes") if node.attrib}
    assert elements == set(data_elements(release))
    assert lists == set(codesets(release))
    for root in maps:
        for node in root.iter("element"):
            codes = node.find("valid_codes")
            if codes is not None and "external" in codes.attrib:
                assert codes.attrib["external"] == node.attrib["data_ele"], node.attrib["xid"]


@pytest.mark.parametrize(("release", "file"), GRAMMARS)
def test_positions_rise_and_names_are_unique_within_a_loop(release: str, file: str) -> None:
    for loop in tree(release, file).iter("loop"):
        positions = [int(child.attrib["pos"]) for child in children(loop)]
        names = [child.attrib["xid"] for child in children(loop)]
        assert positions == sorted(set(positions)), loop.attrib["xid"]
        assert len(names) == len(set(names)), loop.attrib["xid"]
        assert loop.attrib["xid"] in ("ISA_LOOP", "GS_LOOP", f"{opening_tag(loop)}_LOOP")
        assert children(loop)[0].attrib["usage"] == "R", loop.attrib["xid"]
        assert opening_tag(loop) not in [opening_tag(child) for child in children(loop)[1:]]


@pytest.mark.parametrize(("release", "file"), GRAMMARS)
def test_elements_count_from_one_and_notes_point_inside_the_segment(release: str, file: str) -> None:
    for kind in ("segment", "composite"):
        for node in tree(release, file).iter(kind):
            parts = [part for part in node if part.tag != "syntax"]
            dash = "-" if kind == "composite" else ""
            for number, part in enumerate(parts, start=1):
                assert part.attrib["seq"] == f"{number:02}"
                assert part.attrib["xid"] == f"{node.attrib['xid']}{dash}{number:02}"
            for note in node.iter("syntax") if kind == "composite" else node.findall("syntax"):
                digits = (note.text or "")[1:]
                named = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
                assert len(named) == len(set(named)), node.attrib["xid"]
                assert max(named) <= len(parts), node.attrib["xid"]


@pytest.mark.parametrize(("release", "name"), TRANSACTIONS)
def test_one_segment_is_the_same_wherever_it_stands(release: str, name: str) -> None:
    for other in SETS[release]:
        for segment in tree(release, f"{other}.xml").iter("segment"):
            for mine in transaction(release, name).iter("segment"):
                if mine.attrib["xid"] == segment.attrib["xid"] != "ST":
                    assert [dict(part.attrib) for part in mine] == [dict(part.attrib) for part in segment]
                    break


@pytest.mark.parametrize(("release", "name"), TRANSACTIONS)
def test_tag_and_position_decide_where_a_segment_belongs(release: str, name: str) -> None:
    found: set[tuple[str, tuple[str, ...]]] = set()

    def visit(chain: list[ElementTree.Element]) -> None:
        for at, node in enumerate(children(chain[-1])):
            if node.tag == "loop":
                visit([*chain, node])
            spent = node.tag == "segment" and node.attrib["max_use"] == "1"
            frames = [(chain[-1], at + spent)]
            for depth in range(len(chain) - 1, 0, -1):
                frames.append((chain[depth - 1], children(chain[depth - 1]).index(chain[depth])))
            places: dict[str, list[str]] = {}
            for loop, start in frames:
                for option in children(loop)[start:]:
                    places.setdefault(opening_tag(option), []).append(loop.attrib["xid"])
            found.update((tag, tuple(loops)) for tag, loops in places.items() if len(loops) > 1)

    visit([transaction(release, name)])
    assert found == TWO_PLACES.get(name, set())


@pytest.mark.parametrize("fact", ELEMENT_FACTS, ids="-".join)
def test_element_facts_of_the_standard(fact: tuple[str, ...]) -> None:
    release, name, tag, position, *expected = fact
    element = first_segment(release, name, tag).find(f"element[@seq='{int(position):02}']")
    assert element is not None
    number = element.attrib["data_ele"]
    assert [number, *data_elements(release)[number], element.attrib["usage"]] == expected


@pytest.mark.parametrize("tag", WIDTHS)
def test_segments_have_all_elements_of_the_standard(tag: str) -> None:
    for release, width in zip(RELEASES, WIDTHS[tag], strict=True):
        found = {
            len(segment.findall("element") + segment.findall("composite"))
            for name in SETS[release]
            for segment in tree(release, f"{name}.xml").iter("segment")
            if segment.attrib["xid"] == tag
        }
        assert found == {width}


@pytest.mark.parametrize(("release", "name", "path", "usage", "times"), PLACES)
def test_places_of_the_standard(release: str, name: str, path: str, usage: str, times: str) -> None:
    node: ElementTree.Element | None = transaction(release, name)
    for step in path.split("/"):
        assert node is not None
        node = next((child for child in children(node) if child.attrib["xid"] == step), None)
    assert node is not None
    assert (node.attrib["usage"], node.get("repeat") or node.get("max_use")) == (usage, times)


@pytest.mark.parametrize(("release", "name", "tag", "notes"), NOTES)
def test_syntax_notes_of_the_standard(release: str, name: str, tag: str, notes: set[str]) -> None:
    assert notes <= {note.text for note in first_segment(release, name, tag).findall("syntax")}


def test_composites_stand_where_units_references_and_positions_do() -> None:
    for release, parts in (("004010", 2), ("005010", 3)):
        for name, xid, number, count in (
            ("850", "SLN05", "C001", 15),
            ("850", "MEA04", "C001", 15),
            ("850", "REF04", "C040", 6),
            ("997", "AK401", "C030", parts),
            ("860", "POC04", "C063", 6),
            ("865", "POC04", "C063", 6),
            ("860", "POC05", "C001", 15),
        ):
            composite = tree(release, f"{name}.xml").find(f".//composite[@xid='{xid}']")
            assert composite is not None, xid
            assert (composite.attrib["data_ele"], len(composite.findall("element"))) == (number, count)


def test_code_lists_close_what_the_ledger_decides_on() -> None:
    old, new = codesets("004010"), codesets("005010")
    assert all(old[number] <= new[number] for number in old)
    assert (old["92"], old["355"]) == (new["92"], new["355"])
    assert (len(old["353"]), len(old["587"]), len(old["668"])) == (65, 15, 26)
    assert {"00", "01", "04", "05"} <= old["353"]
    assert {"EA", "CA", "PK"} <= old["355"]
    assert {"SA", "NE", "DS"} <= old["92"]
    assert "12" in new["723"] - old["723"]
    assert (len(old["670"]), new["670"] - old["670"]) == (29, {"AA", "QC"})
    assert (len(old["368"]), old["368"]) == (102, new["368"])
    assert (len(old["110"]), new["110"] - old["110"]) == (20, {"GH", "TH"})
    assert (len(old["647"]), len(new["647"])) == (162, 200)
    assert {"111", "119", "133", "138", "141"} <= new["647"] - old["647"]
    assert {"I5", "I6"} <= new["618"]
    assert {"I4", "I9"} <= new["620"]
    assert {"I10", "I13"} <= new["621"]


def test_bsn05_is_open_because_partners_send_loose_values() -> None:
    for release in RELEASES:
        element = first_segment(release, "856", "BSN").find("element[@seq='05']")
        assert element is not None
        assert element.find("valid_codes") is None


def test_no_list_makes_a_wrong_code_look_like_another_segment() -> None:
    for release, file in GRAMMARS:
        elements = tree(release, file).iter("element")
        inline = {node.attrib["xid"] for node in elements if node.find("valid_codes/code") is not None}
        assert inline <= {"ST01", "ISA12"}
