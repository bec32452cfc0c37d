"""The compiled guide: what it accepts, with whatever delimiters, and that nothing hostile slows it."""

import random
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import edi
from edi import faults
from edi.delimiters import Delimiters
from edi.elements import fault, segment_pattern
from edi.envelope import TransactionSet
from edi.findings import FindingCode, Level
from edi.grammar import Element, Note, Segment
from edi.guide import Verdict, check, guide_for

STARS = Delimiters(element="*", component=">", terminator="~")
SHORT_ORDER = ("ST*850*0001", "BEG*00*SA*4500012**20260304", "PO1*1*10*EA*9.25**UP*012345678905", "SE*4*0001")


def transaction_set(*segments: str, delimiters: Delimiters = STARS) -> TransactionSet:
    return TransactionSet(
        type="850",
        control_number="0001",
        delimiters=delimiters,
        segments=segments or SHORT_ORDER,
        offset=0,
        findings=(),
    )


def order(*extra: str) -> TransactionSet:
    """The short order with segments after its PO1."""
    return transaction_set(*SHORT_ORDER[:3], *extra, SHORT_ORDER[3])


MAPS = sorted(
    (path.parent.name, path.stem)
    for path in (Path(edi.__file__).parent / "maps").glob("*/[0-9][0-9][0-9].xml")
)


@pytest.mark.parametrize(("release", "set_type"), MAPS)
def test_every_map_becomes_a_guide(release: str, set_type: str) -> None:
    guide = guide_for(release, set_type)
    assert guide is not None
    assert guide.grammar.places[0].tag == "ST"
    assert guide.grammar.places[-1].tag == "SE"
    assert guide_for(release, set_type) is guide


@pytest.mark.parametrize(
    ("release", "set_type"), [("004010", "000"), ("009999", "850"), ("../004010", "850"), ("", "")]
)
def test_without_a_map_there_is_no_guide(release: str, set_type: str) -> None:
    assert guide_for(release, set_type) is None


def test_a_set_without_a_map_is_unsupported() -> None:
    (finding,) = check(transaction_set(), "009999")
    assert finding.code is FindingCode.SET_UNSUPPORTED
    assert "850" in finding.message
    assert "009999" in finding.message


def test_a_clean_set_has_no_findings() -> None:
    assert check(transaction_set(), "004010") == ()
    assert check(transaction_set(), "005010") == ()


def test_empty_elements_at_the_end_are_one_note_and_no_error() -> None:
    found = check(order("PO4*6" + "*" * 60, "N1*ST*STORE***", "N3*1 ST*"), "004010")
    assert [(one.code, one.level, one.segment, one.position) for one in found] == [
        (FindingCode.TRAILING_EMPTY, Level.NOTE, "PO4", 4)
    ]


def test_a_set_without_se_is_judged_as_if_se_came_next() -> None:
    assert check(transaction_set(*SHORT_ORDER[:3]), "004010") == ()
    (missing,) = check(transaction_set(*SHORT_ORDER[:1]), "004010")
    assert (missing.code, missing.segment, missing.position) == (FindingCode.SEGMENT_MISSING, "BEG", 2)


def test_data_may_hold_the_separators_of_others() -> None:
    strange = Delimiters(element="\x1d", component="*", terminator="\x1c", repetition="^")
    segments = tuple(text.replace("*", "\x1d") for text in (*SHORT_ORDER[:3], "MSG*A*B>C^D", SHORT_ORDER[3]))
    segments = (*segments[:3], segments[3].replace("A\x1dB", "A*B"), segments[4])
    assert check(transaction_set(*segments, delimiters=strange), "004010") == ()


@given(st.sampled_from("|^!\x07\x1d~;"), st.sampled_from(">:@\\"), st.integers(0, 10**6))
def test_delimiters_do_not_change_the_verdict(element: str, component: str, seed: int) -> None:
    rng = random.Random(seed)
    texts = [
        "SLN*1**I*2*EA>1>2*3.5",
        "REF*IA*1*2*DP>9>ST>7",
        "ACK*IA",
        "N1*ST",
        "N1*ST*A*92",
        "DTM*002*20260230",
    ]
    segments = (*SHORT_ORDER[:3], *rng.sample(texts, 3), SHORT_ORDER[3])
    other = Delimiters(element=element, component=component, terminator="~")
    translated = tuple(text.replace("*", element).replace(">", component) for text in segments)
    guide = guide_for("004010", "850")
    assert guide is not None
    assert guide.accepts(segments, STARS) is guide.accepts(translated, other)
    codes = [one.code for one in faults.find(guide.grammar, segments, STARS)]
    assert codes == [one.code for one in faults.find(guide.grammar, translated, other)]


def test_more_delimiters_than_are_remembered_still_work() -> None:
    guide = guide_for("004010", "850")
    assert guide is not None
    for number in range(33, 64):
        if (element := chr(number)) in "*.>0123456789":
            continue
        other = replace(STARS, element=element)
        assert (
            guide.accepts(tuple(text.replace("*", element) for text in SHORT_ORDER), other) is Verdict.CLEAN
        )


# --- values -------------------------------------------------------------------------------------------------


def element(type_: str, least: int, most: int, *codes: str, required: bool = False) -> Element:
    return Element(
        position=1,
        reference="1",
        name="Thing",
        required=required,
        type=type_,
        length_min=least,
        length_max=most,
        codes=frozenset(codes),
    )


GOOD_VALUES = [
    ("AN", "A"), ("AN", "  leading"), ("AN", "trail "), ("AN", "caf\xe9 \x92"), ("AN", "a>b^c`~"),
    ("AN", "x" * 10), ("ID", "EA"), ("N0", "0"), ("N0", "-12"), ("N0", "-1234567890"), ("N2", "100"),
    ("R", "1"), ("R", "-1.5"), ("R", ".5"), ("R", "5."), ("R", "-1234567890"), ("R", "-123456789.0"),
    ("R", "1234567890."), ("DT", "20240229"), ("DT", "20001231"), ("DT", "260304"), ("DT", "18000101"),
    ("TM", "0000"), ("TM", "235959"), ("TM", "23595999"),
]  # fmt: skip
BAD_VALUES = [
    ("AN", "bell\x07", FindingCode.ELEMENT_CHARACTER), ("AN", "x" * 11, FindingCode.ELEMENT_LONG),
    ("ID", "A>B", FindingCode.ELEMENT_CHARACTER), ("N0", "1.0", FindingCode.ELEMENT_CHARACTER),
    ("N0", "+1", FindingCode.ELEMENT_CHARACTER), ("N0", "12345678901", FindingCode.ELEMENT_LONG),
    ("N0", "\xb2", FindingCode.ELEMENT_CHARACTER), ("N0", "-", FindingCode.ELEMENT_CHARACTER),
    ("R", ".", FindingCode.ELEMENT_CHARACTER), ("R", "-.", FindingCode.ELEMENT_CHARACTER),
    ("R", "1,5", FindingCode.ELEMENT_CHARACTER), ("R", "1.2.3", FindingCode.ELEMENT_CHARACTER),
    ("R", "1E3", FindingCode.ELEMENT_CHARACTER), ("R", "1234567890.1", FindingCode.ELEMENT_LONG),
    ("R", "--1", FindingCode.ELEMENT_CHARACTER), ("R", " 1", FindingCode.ELEMENT_CHARACTER),
    ("DT", "20230229", FindingCode.DATE_INVALID), ("DT", "19000229", FindingCode.DATE_INVALID),
    ("DT", "20260431", FindingCode.DATE_INVALID), ("DT", "00010101", FindingCode.DATE_INVALID),
    ("DT", "2026030", FindingCode.DATE_INVALID), ("DT", "202603041", FindingCode.DATE_INVALID),
    ("TM", "2400", FindingCode.TIME_INVALID), ("TM", "12005", FindingCode.TIME_INVALID),
    ("TM", "1260", FindingCode.TIME_INVALID), ("TM", "120060", FindingCode.TIME_INVALID),
]  # fmt: skip


def accepts(one: Element, value: str) -> bool:
    """Whether the pattern of a segment with this one element takes the value."""
    segment = Segment(tag="XX", name="Test", elements=(one,), notes=())
    return re.fullmatch(segment_pattern(segment, "*", ">", ""), f"XX*{value}", re.DOTALL) is not None


@pytest.mark.parametrize(("type_", "value"), GOOD_VALUES)
def test_good_values(type_: str, value: str) -> None:
    one = element(type_, 4 if type_ == "TM" else 1, 10)
    assert fault(one, value, ">") is None
    assert accepts(one, value)


@pytest.mark.parametrize(("type_", "value", "code"), BAD_VALUES)
def test_bad_values(type_: str, value: str, code: FindingCode) -> None:
    one = element(type_, 4 if type_ == "TM" else 1, 10)
    assert fault(one, value, ">") is code
    assert not accepts(one, value)


_types = st.sampled_from(["AN", "ID", "N0", "R", "DT", "TM", "B"])
_texts = st.text(st.sampled_from("0123456789-.> AZ\x07\xe9") | st.characters(max_codepoint=255)).filter(
    lambda text: text != "" and "*" not in text
)


@given(_types, st.integers(1, 8), st.integers(0, 8), _texts)
def test_pattern_and_verdict_agree_on_any_value(type_: str, least: int, more: int, value: str) -> None:
    one = element(type_, least, least + more)
    assert accepts(one, value) == (fault(one, value, ">") is None)


@given(st.sets(st.text("AB1", min_size=1, max_size=4), min_size=1), st.text("AB1", min_size=1, max_size=5))
def test_a_code_list_takes_its_codes_and_nothing_else(codes: set[str], value: str) -> None:
    one = element("ID", 1, 4, *codes)
    assert accepts(one, value) == (value in codes)


_notes = st.builds(
    lambda kind, positions: Note(kind, tuple(positions)),
    st.sampled_from("PRECL"),
    st.lists(st.integers(1, 5), min_size=2, max_size=4, unique=True),
)


@given(st.lists(_notes, max_size=3), st.lists(st.booleans(), min_size=5, max_size=5))
def test_syntax_notes_hold_in_the_pattern_as_in_the_note(notes: list[Note], sent: list[bool]) -> None:
    elements = tuple(replace(element("AN", 1, 3), position=position) for position in range(1, 6))
    pattern = segment_pattern(
        Segment(tag="XX", name="Test", elements=elements, notes=tuple(notes)), "*", ">", ""
    )
    text = "XX" + "".join("*A" if one else "*" for one in sent)
    present = frozenset(position for position, one in enumerate(sent, 1) if one)
    expected = all(note.holds(present) for note in notes)
    assert (re.fullmatch(pattern, text.rstrip("*")) is not None) == expected


def test_a_repeating_element_splits_at_the_repetition_separator_only_where_it_may_repeat() -> None:
    once, thrice = element("N0", 1, 3), replace(element("N0", 1, 3), repeat=3)
    for one, text, good in [(once, "1^2", False), (thrice, "1^2^3", True), (thrice, "1^2^3^4", False)]:
        pattern = segment_pattern(Segment(tag="XX", name="Test", elements=(one,), notes=()), "*", ">", "^")
        assert (re.fullmatch(pattern, f"XX*{text}") is not None) is good


# --- hostile input ------------------------------------------------------------------------------------------

HOSTILE = [
    "PO1*" + "1" * 1_000_000,
    "PO1" + "*" * 1_000_000,
    "PO1" + "*1" * 1_000_000,
    "MSG*" + " " * 1_000_000,
    "MSG*" + "A" * 20_000 + "*",
    "REF*DP" + ">" * 1_000_000,
    "SLN*1**I*2*" + "EA>" * 300_000,
    "CTP**RTL*" + "1." * 500_000,
    "PID*F*08***" + "A*" * 10_000,
    "N1*ST*" + " " * 60 + "\x07" + " " * 1_000_000,
    "*" * 1_000_000,
    "A" * 1_000_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:6] + str(len(text)))
def test_hostile_segments_take_linear_time(text: str) -> None:
    begin = time.perf_counter()
    found = check(order(text), "004010")
    assert time.perf_counter() - begin < 2
    assert found


def test_unknown_tags_are_not_remembered() -> None:
    guide = guide_for("004010", "850")
    assert guide is not None
    for number in range(1000):
        assert guide.accepts((*SHORT_ORDER[:3], f"Q{number}*1"), STARS) is Verdict.FAULTY
    tables = guide._tables("*", ">", "")
    assert all(len(row) < 200 for row in tables._rows.values())
