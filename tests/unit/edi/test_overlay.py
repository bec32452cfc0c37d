"""Companion guides as files: what is read, what is refused with which line, and what their findings say."""

import re
from pathlib import Path

import pytest

from edi import overlay
from edi.delimiters import Delimiters
from edi.envelope import TransactionSet
from edi.findings import Finding, FindingCode, Level
from edi.guide import check
from edi.overlay import Overlay, OverlayError

DOCS = Path(__file__).resolve().parents[3] / "docs" / "partner-guides.md"
STARS = Delimiters(element="*", component=">", terminator="~")
GOOD = (
    "ST*850*0001", "BEG*00*SA*4500012**20260304**AC", "REF*DP*0913", "N1*ST*STORE 12*92*0012",
    "PO1*1*10*EA*9.25**UP*012345678905", "PID*F****GREEN SHIRT", "CTT*1", "SE*8*0001",
)  # fmt: skip


def written(tmp_path: Path, *lines: str, head: str = "") -> Path:
    """A guide of Acme Stores to the 850 of 004010: its first rule stands in line 2."""
    path = tmp_path / "acme-850.xml"
    opening = head or '<guide partner="Acme Stores" set="850" release="004010">'
    path.write_text("\n".join([opening, *lines, "</guide>", ""]), encoding="utf-8")
    return path


def guide_of(tmp_path: Path, *lines: str) -> Overlay:
    return overlay.load(written(tmp_path, *lines))


def found_in(guide: Overlay, *segments: str) -> tuple[Finding, ...]:
    one = TransactionSet(
        type="850", control_number="0001", delimiters=STARS, segments=segments, offset=0, findings=()
    )
    return check(one, "004010", guide)


def changed(old: str, new: str | None) -> tuple[str, ...]:
    """The good set with one segment other than it was, or left out."""
    assert old in GOOD
    texts = [new if text == old else text for text in GOOD]
    return tuple(text for text in texts if text is not None)


# The rules; the good segment, what stands in its place; code, element or segment, X12 code, sentence.
ASKED = [
    ('<segment path="BEG"><element position="2" codes="SA NE"/></segment>',
     GOOD[1], "BEG*00*KN*4500012**20260304**AC", FindingCode.CODE_INVALID, "BEG 2", "AK4 7",
     '"KN" is not a Purchase Order Type Code (BEG02, element 92); it takes NE, SA.'),
    ('<segment path="BEG"><element position="7" usage="required"/></segment>',
     GOOD[1], "BEG*00*SA*4500012**20260304", FindingCode.ELEMENT_MISSING, "BEG 7", "AK4 1",
     "Acknowledgment Type (BEG07, element 587) is missing."),
    ('<segment path="BEG"><element position="3" min_length="6"/></segment>',
     GOOD[1], "BEG*00*SA*45**20260304**AC", FindingCode.ELEMENT_SHORT, "BEG 3", "AK4 4",
     '"45" is too short for Purchase Order Number (BEG03, element 324), which has at least 6 characters.'),
    ('<segment path="BEG"><element position="3" max_length="8"/></segment>',
     GOOD[1], "BEG*00*SA*450001234**20260304**AC", FindingCode.ELEMENT_LONG, "BEG 3", "AK4 5",
     '"450001234" is too long for Purchase Order Number (BEG03, element 324),'
     " which has at most 8 characters."),
    ('<segment path="BEG"><element position="6" usage="not used"/></segment>',
     GOOD[1], "BEG*00*SA*4500012**20260304*C1*AC", FindingCode.ELEMENT_NOT_USED, "BEG 6", "AK4 10",
     "Contract Number (BEG06, element 367) is not used."),
    ('<segment path="PO1/PID" usage="required"/>',
     GOOD[5], None, FindingCode.SEGMENT_MISSING, "PID ", "AK3 3",
     "the mandatory segment PID (Product/Item Description) is missing in the PO1 loop before CTT."),
    ('<segment path="CTT" usage="required"/>',
     GOOD[6], None, FindingCode.SEGMENT_MISSING, "CTT ", "AK3 3",
     "the mandatory segment CTT (Transaction Totals) is missing before SE."),
    ('<segment path="CUR" usage="not used"/>',
     GOOD[2], "CUR*BY*USD", FindingCode.SEGMENT_UNEXPECTED, "CUR ", "AK3 2",
     "CUR (Currency) is not used."),
    ('<segment path="REF" where="01=DP" usage="required"/>',
     GOOD[2], "REF*IA*0913", FindingCode.SEGMENT_MISSING, "REF ", "AK3 3",
     "REF (Reference Identification) with REF01 = DP is missing before N1."),
    ('<segment path="REF" where="01=DP"><element position="2" min_length="4" max_length="4"/></segment>',
     GOOD[2], "REF*DP*913", FindingCode.ELEMENT_SHORT, "REF 2", "AK4 4",
     '"913" is too short for Reference Identification (REF02, element 127),'
     " which has at least 4 characters."),
    ('<segment path="N1" where="01=ST" usage="required"/>',
     GOOD[3], "N1*BY*STORE 12", FindingCode.SEGMENT_MISSING, "N1 ", "AK3 3",
     "N1 (Name) with N101 = ST is missing before PO1."),
    ('<segment path="N1" where="01=BT RI" usage="not used"/>',
     GOOD[3], "N1*BT*STORE 12", FindingCode.SEGMENT_UNEXPECTED, "N1 ", "AK3 2",
     "N1 (Name) with N101 = BT or RI is not used."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "old", "new", "code", "place", "x12", "sentence"), ASKED)
def test_what_only_a_guide_asks_for_names_the_guide(
    rule: str,
    old: str,
    new: str | None,
    code: FindingCode,
    place: str,
    x12: str,
    sentence: str,
    tmp_path: Path,
) -> None:
    guide = guide_of(tmp_path, rule)
    assert found_in(guide, *GOOD) == ()
    (finding,) = found_in(guide, *changed(old, new))
    assert finding.code is code
    assert f"{finding.segment} {finding.element}" == place
    assert f"{finding.code.answer} {finding.code.x12}" == x12
    assert finding.message == f"By the guide of Acme Stores, {sentence}"
    assert (finding.guide, finding.level) == ("Acme Stores", Level.ERROR)


def test_what_the_standard_asks_for_names_no_guide(tmp_path: Path) -> None:
    guide = guide_of(tmp_path, '<segment path="BEG"><element position="1" codes="00"/></segment>')
    (finding,) = found_in(guide, *changed(GOOD[1], "BEG*QQ*SA*4500012**20260304"))
    assert (finding.guide, finding.message) == (
        "", '"QQ" is not a Transaction Set Purpose Code (BEG01, element 353).',
    )  # fmt: skip


def test_max_use_counts_within_the_loop_and_is_said_once(tmp_path: Path) -> None:
    guide = guide_of(tmp_path, '<segment path="PO1/PID" max_use="2"/>')
    pid = GOOD[5]
    assert found_in(guide, *GOOD[:5], pid, pid, GOOD[4], pid, pid, *GOOD[6:]) == ()
    (finding,) = found_in(guide, *GOOD[:5], *[pid] * 5, *GOOD[6:])
    assert (finding.code, finding.position) == (FindingCode.LOOP_OVER_MAX, 8)
    assert finding.message == "By the guide of Acme Stores, the PID loop comes more than twice, its maximum."


def test_a_required_use_is_looked_for_in_each_coming_of_its_loop(tmp_path: Path) -> None:
    guide = guide_of(tmp_path, '<segment path="PO1/REF" where="01=LI" usage="required" max_use="1"/>')
    line, ref = GOOD[4], "REF*LI*1"
    assert found_in(guide, *GOOD[:5], ref, line, ref, *GOOD[6:]) == ()
    found = found_in(guide, *GOOD[:5], ref, line, "REF*IA*1", line, ref, ref, *GOOD[6:])
    assert [(one.code, one.position) for one in found] == [
        (FindingCode.SEGMENT_MISSING, 9),
        (FindingCode.SEGMENT_OVER_MAX, 11),
    ]


def test_a_component_is_narrowed_by_its_number(tmp_path: Path) -> None:
    guide = guide_of(tmp_path, '<segment path="PO1/SLN"><element position="5-1" codes="EA"/></segment>')
    assert found_in(guide, *GOOD[:5], "SLN*1**I*2*EA*3.5", *GOOD[6:]) == ()
    (finding,) = found_in(guide, *GOOD[:5], "SLN*1**I*2*CA*3.5", *GOOD[6:])
    assert (finding.element, finding.guide) == ("5-1", "Acme Stores")


# --- what is refused ----------------------------------------------------------------------------------------

WRONG = [
    ('<segment path="BEG"><element position="13" usage="required"/></segment>',
     "BEG has 12 elements; there is no BEG13. Correct position."),
    ('<segment path="BEG"><element position="2" codes="SA QQ"/></segment>',
     "the standard does not allow QQ in BEG02; it takes "),
    ('<segment path="BEG"><element position="3" max_length="23"/></segment>',
     "BEG03 is AN with 1 to 22 characters. Give lengths within these, the lower one first."),
    ('<segment path="BEG"><element position="3" min_length="9" max_length="8"/></segment>',
     "BEG03 is AN with 1 to 22 characters. Give lengths within these, the lower one first."),
    ('<segment path="BEG"><element position="5" max_length="6"/></segment>',
     "the lengths of BEG05 are those of its codes or dates. Remove the lengths."),
    ('<segment path="BEG"><element position="3" usage="not used"/></segment>',
     "the standard requires BEG03; no guide can leave it out. Remove the rule."),
    ('<segment path="BEG"><element position="6" usage="not used" max_length="3"/></segment>',
     "BEG06 is not used, and yet has codes or lengths. Remove the one or the other."),
    ('<segment path="BEG"><element position="6"/></segment>',
     "nothing is said of BEG06. Give it usage, codes or lengths."),
    ('<segment path="BEG"><element position="3-1" usage="required"/></segment>',
     "BEG03 is no composite; there is no BEG03-1. Correct position."),
    ('<segment path="PO1/SLN"><element position="5" codes="EA"/></segment>',
     'SLN05 is a composite. Say which component, such as position="5-1".'),
    ('<segment path="BEG" usage="not used"/>',
     "the standard requires BEG; no guide can leave it out. Remove the rule."),
    ('<segment path="REF"/>', "nothing is said of REF. Give it usage, max_use or elements."),
    ('<segment path="PER" max_use="4"/>',
     "the standard has PER at most 3 times. Give max_use 3 or less, or leave it out."),
    ('<segment path="ACK" usage="required"/>', "the 850 of 004010 has no segment ACK. It has ST, BEG, CUR, "),
    ('<segment path="PO2/PID" usage="required"/>', "the 850 of 004010 has no loop PO2. It has SAC, AMT, "),
    ('<segment path="PO1/N1/BEG" usage="required"/>',
     "the PO1/N1 loop of 004010 has no segment BEG. It has N1, "),
    ('<segment path="REF" where="05=DP" usage="required"/>',
     "REF has 4 elements; there is no REF05. Correct position."),
    ('<segment path="REF" where="04=DP" usage="required"/>',
     "REF04 is a composite; where takes a simple element. Choose another."),
    ('<segment path="BEG" where="01=QQ" usage="required"/>',
     "BEG01 is never QQ in the standard. Correct where."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "sentence"), WRONG)
def test_a_rule_that_does_not_narrow_is_refused_with_its_line(
    rule: str, sentence: str, tmp_path: Path
) -> None:
    path = written(tmp_path, '<segment path="CTT" usage="required"/>', rule)
    with pytest.raises(OverlayError) as refused:
        overlay.load(path)
    (problem,) = refused.value.problems
    assert problem.startswith(f"{path}:3: {sentence}")


def test_a_place_is_spoken_of_once(tmp_path: Path) -> None:
    path = written(tmp_path, '<segment path="REF" usage="required"/>', '<segment path="REF" max_use="3"/>')
    with pytest.raises(OverlayError, match=r":3: REF was spoken of in line 2 already\. Put both into one\."):
        overlay.load(path)


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    rules = ('<segment path="XYZ" usage="required"/>', '<segment path="REF"/>')
    with pytest.raises(OverlayError) as refused:
        overlay.load(written(tmp_path, *rules))
    assert [re.findall(r"\.xml:(\d+):", problem) for problem in refused.value.problems] == [["2"], ["3"]]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('<segment path="BEG" usage="sometimes"/>', "'required', 'not used'"),
        ('<segment usage="required"/>', "'path' is required"),
        ('<segment path="BEG"><element position="0" usage="required"/></segment>', "'position'"),
        ('<loop path="PO1"/>', "Expected is ( segment )"),
        ('<segment path="BEG" usage="required">text</segment>', "Character content"),
        ('<segment path="BEG" usage=required/>', "not well-formed XML"),
    ],
)
def test_what_the_schema_does_not_know_is_refused_with_its_line(
    rule: str, words: str, tmp_path: Path
) -> None:
    path = written(tmp_path, "", rule)
    with pytest.raises(OverlayError) as refused:
        overlay.load(path)
    assert str(refused.value).startswith(f"{path}:3: ")
    assert words in str(refused.value)


def test_a_guide_to_a_set_without_a_map_is_refused(tmp_path: Path) -> None:
    head = '<guide partner="Acme Stores" set="810" release="004010">'
    with pytest.raises(OverlayError, match="there is no map of 810 in release 004010"):
        overlay.load(written(tmp_path, '<segment path="BIG" usage="required"/>', head=head))


def test_a_file_that_is_not_there_is_an_overlay_error(tmp_path: Path) -> None:
    with pytest.raises(OverlayError, match="cannot be read"):
        overlay.load(tmp_path / "nothing.xml")


def test_the_guide_for_a_set_is_chosen_by_set_and_release(tmp_path: Path) -> None:
    guide = guide_of(tmp_path, '<segment path="REF" usage="required"/>')
    assert overlay.choose([guide], "850", "004010") is guide
    assert overlay.choose([guide], "850", "005010") is None
    assert overlay.choose([guide], "855", "004010") is None


# --- the example in the documentation -----------------------------------------------------------------------


def test_the_example_of_the_documentation_works(tmp_path: Path) -> None:
    (example,) = re.findall(r"```xml\n(<\?xml.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "acme-850.xml"
    path.write_text(example, encoding="utf-8")
    guide = overlay.load(path)
    assert guide.partner == "Acme Stores"
    assert found_in(guide, *GOOD) == ()
    bad = ("ST*850*0001", "BEG*00*KN*4500012**20260304", *GOOD[3:5], "CTT*1", "SE*6*0001")
    sentences = [finding.message for finding in found_in(guide, *bad)]
    shown = re.findall(r"^By the guide of .*$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sentences == shown
