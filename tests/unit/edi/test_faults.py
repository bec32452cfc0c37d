"""The exact path: every fault once, with its X12 code, place and a sentence in the field's words."""

import pytest

from edi.delimiters import Delimiters
from edi.envelope import TransactionSet
from edi.findings import Finding, FindingCode
from edi.guide import check, guide_for
from edi.limits import findings_per_set_max

STARS = Delimiters(element="*", component=">", terminator="~")
BEGIN = ("ST*850*0001", "BEG*00*SA*4500012**20260304")
LINE = "PO1*1*10*EA*9.25**UP*012345678905"
END = "SE*9*0001"


def faults_of(*segments: str, set_type: str = "850", release: str = "004010") -> tuple[Finding, ...]:
    one = TransactionSet(
        type=set_type, control_number="0001", delimiters=STARS, segments=segments, offset=0, findings=()
    )
    return check(one, release)


def in_line(*extra: str) -> tuple[Finding, ...]:
    return faults_of(*BEGIN, LINE, *extra, END)


def seen(found: tuple[Finding, ...]) -> list[tuple[FindingCode, str, int]]:
    return [(one.code, one.segment, one.position) for one in found]


# --- segments -----------------------------------------------------------------------------------------------


def test_a_tag_nobody_knows() -> None:
    assert seen(in_line("QQQ*1")) == [(FindingCode.SEGMENT_UNRECOGNISED, "QQQ", 4)]
    assert seen(in_line("po1*1")) == [(FindingCode.SEGMENT_UNRECOGNISED, "po1", 4)]
    assert seen(in_line("")) == [(FindingCode.SEGMENT_UNRECOGNISED, "", 4)]


def test_a_segment_of_another_set() -> None:
    (finding,) = in_line("BSN*00*1*20260304*1200")
    assert finding.code is FindingCode.SEGMENT_NOT_IN_SET
    assert finding.message == "BSN is not a segment of the 850."


def test_a_mandatory_segment_is_missing_where_it_was_due() -> None:
    (finding,) = faults_of(BEGIN[0], "REF*DP*1", LINE, END)
    assert (finding.code, finding.segment, finding.position) == (FindingCode.SEGMENT_MISSING, "BEG", 2)
    assert finding.message == (
        "The mandatory segment BEG (Beginning Segment for Purchase Order) is missing before REF."
    )


def test_a_mandatory_loop_is_missing_by_its_first_segment() -> None:
    notice = ("ST*856*0001", "BSN*00*S1*20260301*1200", "CTT*0", "SE*4*0001")
    assert seen(faults_of(*notice, set_type="856")) == [(FindingCode.SEGMENT_MISSING, "HL", 3)]


def test_a_mandatory_segment_inside_a_loop_that_comes_again() -> None:
    (finding,) = in_line("LM*VI", "LM*VI", "LQ*1*A")
    assert (finding.code, finding.segment, finding.position) == (FindingCode.SEGMENT_MISSING, "LQ", 5)
    assert finding.loop == "LM"


def test_a_segment_that_comes_too_late() -> None:
    (finding,) = in_line("REF*LI*1", "PO4*6")
    assert (finding.code, finding.segment, finding.position) == (FindingCode.SEGMENT_ORDER, "PO4", 5)
    assert finding.message == "PO4 comes too late: the standard has it before REF."
    assert finding.loop == "PO1"


def test_a_mandatory_segment_that_comes_late_is_not_missing_too() -> None:
    assert seen(faults_of(BEGIN[0], "REF*DP*1", BEGIN[1], LINE, END)) == [
        (FindingCode.SEGMENT_ORDER, "BEG", 3)
    ]


def test_a_segment_whose_loop_was_not_opened_is_said_once_for_all_that_follow() -> None:
    (finding,) = faults_of(*BEGIN, "N3*1 MAIN", "N4*PEORIA*IL", LINE, END)
    assert (finding.code, finding.segment, finding.position) == (FindingCode.SEGMENT_UNEXPECTED, "N3", 3)
    assert finding.message == "N3 cannot follow BEG; it belongs in the N1 loop."


def test_a_misspelt_loop_head_is_one_fault() -> None:
    found = faults_of(*BEGIN, LINE, "NI*ST*STORE", "N3*1 MAIN", "N4*PEORIA*IL", "CTT*1", END)
    assert seen(found) == [(FindingCode.SEGMENT_UNRECOGNISED, "NI", 4)]


def test_a_misspelt_line_is_one_fault_and_its_segments_are_still_checked() -> None:
    found = in_line("REF*LI*1", "P01*2*5*EA", "PID*F****SHIRT", "PO4*6*1*QQ", "IT8*BK", "P01*3")
    assert seen(found) == [
        (FindingCode.SEGMENT_UNRECOGNISED, "P01", 5),
        (FindingCode.CODE_INVALID, "PO4", 7),
        (FindingCode.SEGMENT_UNRECOGNISED, "P01", 9),
    ]


@pytest.mark.parametrize(("count", "good"), [(1, True), (2, False), (9, False)])
def test_a_single_segment_more_than_once_is_one_fault(count: int, good: bool) -> None:
    found = in_line(*["IT8*BK"] * count)
    assert seen(found) == ([] if good else [(FindingCode.SEGMENT_OVER_MAX, "IT8", 5)])


@pytest.mark.parametrize(("count", "good"), [(10, True), (11, False), (14, False)])
def test_the_maximum_use_counts_within_its_loop(count: int, good: bool) -> None:
    dates = ["DTM*002*20260401"] * count
    found = faults_of(*BEGIN, LINE, *["DTM*002*20260401"] * 10, LINE, *dates, END)
    assert seen(found) == ([] if good else [(FindingCode.SEGMENT_OVER_MAX, "DTM", 25)])
    if not good:
        assert "10 times in the PO1 loop" in found[0].message


@pytest.mark.parametrize(("count", "good"), [(25, True), (26, False), (40, False)])
def test_a_loop_over_its_maximum(count: int, good: bool) -> None:
    found = in_line(*["SAC*A*C310***100", "CUR*BY*USD"] * count)
    assert seen(found) == ([] if good else [(FindingCode.LOOP_OVER_MAX, "SAC", 54)])


# --- elements -----------------------------------------------------------------------------------------------

ELEMENTS = [
    ("ACK*ZZ", FindingCode.CODE_INVALID, "1", "ZZ", "668",
     '"ZZ" is not a Line Item Status Code (ACK01, element 668).'),
    ("ACK", FindingCode.ELEMENT_MISSING, "1", "", "668",
     "Line Item Status Code (ACK01, element 668) is missing."),
    ("ACK*IA*1O*EA", FindingCode.ELEMENT_CHARACTER, "2", "1O", "380",
     '"1O" is not a decimal number: Quantity (ACK02, element 380).'),
    ("ACK*IA*1", FindingCode.ELEMENT_CONDITION, "3", "", "355",
     "ACK03 must be sent because ACK02 is there (syntax note P0203)."),
    ("ACK*IA***068*20260230", FindingCode.DATE_INVALID, "5", "20260230", "373",
     '"20260230" is not a date of the calendar (CCYYMMDD): Date (ACK05, element 373).'),
    ("DTM*067**2500", FindingCode.TIME_INVALID, "3", "2500", "337",
     '"2500" is not a time of day (HHMM or HHMMSS): Time (DTM03, element 337).'),
    ("N9*ZZ*" + "A" * 31, FindingCode.ELEMENT_LONG, "2", "A" * 31, "127",
     f'"{"A" * 31}" is too long for Reference Identification (N902, element 127), '
     "which has at most 30 characters."),
    ("N1*ST*STORE*92*X", FindingCode.ELEMENT_SHORT, "4", "X", "67",
     '"X" is too short for Identification Code (N104, element 67), which has at least 2 characters.'),
    ("N3*1\x07MAIN", FindingCode.ELEMENT_CHARACTER, "1", "1\x07MAIN", "166",
     '"1\\x07MAIN" is not printable text: Address Information (N301, element 166).'),
    ("SLN*1**I*2*QQQ>1*3", FindingCode.CODE_INVALID, "5-1", "QQQ", "355",
     '"QQQ" is not a Unit or Basis for Measurement Code (SLN05-1, element 355).'),
    ("SLN*1**I*2*>1*3", FindingCode.ELEMENT_MISSING, "5-1", "", "355",
     "Unit or Basis for Measurement Code (SLN05-1, element 355) is missing."),
    ("N3*A*B*C*D", FindingCode.TOO_MANY_ELEMENTS, "3", "C", "", "N3 has 4 elements; the standard has 2."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "element", "value", "reference", "message"), ELEMENTS)
def test_element_faults(
    text: str, code: FindingCode, element: str, value: str, reference: str, message: str
) -> None:
    head = ("ST*855*0001", "BAK*00*AC*4500012*20260304", LINE, "ACK*IA")
    lead = ("N1*ST*STORE",) if text.startswith("N3") else ()
    found = faults_of(*head, *lead, text, END, set_type="855")
    assert [(one.code, one.element, one.value, one.reference) for one in found] == [
        (code, element, value, reference)
    ]
    assert found[0].message == message
    assert found[0].position == 5 + len(lead)
    assert found[0].segment == text.split("*")[0]


def test_all_faults_of_one_segment_are_named() -> None:
    found = in_line("PO1*2*TEN*QQ*9.25**UP", "SDQ*EA")
    assert [(one.code, one.element) for one in found] == [
        (FindingCode.ELEMENT_CHARACTER, "2"),
        (FindingCode.CODE_INVALID, "3"),
        (FindingCode.ELEMENT_CONDITION, "7"),
        (FindingCode.ELEMENT_MISSING, "3"),
        (FindingCode.ELEMENT_MISSING, "4"),
    ]
    assert {one.loop for one in found} == {"PO1"}


def test_blanks_do_not_fill_a_mandatory_element() -> None:
    (finding,) = faults_of("ST*850*0001", "BEG*00*SA*   **20260304", LINE, END)
    assert (finding.code, finding.element, finding.value) == (FindingCode.ELEMENT_MISSING, "3", "   ")


def test_syntax_notes_of_composites() -> None:
    (finding,) = in_line("REF*IA*1**DP>9>ST")
    assert (finding.code, finding.element) == (FindingCode.ELEMENT_CONDITION, "4-4")


def test_a_note_on_trailing_empty_elements_stands_beside_the_errors() -> None:
    found = in_line("PO4*6**", "QQQ*1")
    assert [one.code for one in found] == [FindingCode.SEGMENT_UNRECOGNISED, FindingCode.TRAILING_EMPTY]


def test_findings_are_bounded() -> None:
    assert len(in_line(*["QQQ*1"] * (findings_per_set_max + 50))) == findings_per_set_max
    assert len(in_line(*["PO4*A*B*C*D*E*F*G*H*I*J*K*L*M*N"] * 1000)) == findings_per_set_max


def test_a_set_of_nothing_but_st() -> None:
    assert seen(faults_of("ST*850*0001")) == [(FindingCode.SEGMENT_MISSING, "BEG", 2)]


def test_long_sets_with_a_fault_take_linear_time() -> None:
    guide = guide_for("004010", "850")
    assert guide is not None
    found = faults_of(*BEGIN, *[LINE, "PID*F*08***SHIRT"] * 20_000, "QQQ*1", END)
    assert seen(found) == [(FindingCode.SEGMENT_UNRECOGNISED, "QQQ", 40_003)]
