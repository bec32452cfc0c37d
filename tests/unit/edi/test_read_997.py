"""997 and 999: the verdict on each set of a group of ours, and each fault in words."""

import pytest

from edi import limits
from edi.documents import AnsweredSet, FunctionalAcknowledgment
from edi.findings import FindingCode
from edi.read_997 import read
from tests.unit.edi.build import HOSTILE, STAR, one_set

AK1, AK2 = "AK1*PR*17", "AK2*855*0003"
F = FindingCode


def answer(*segments: str, kind: str = "997") -> FunctionalAcknowledgment:
    document, findings = read(one_set(kind, *segments))
    assert document is not None, findings
    return document


def faults(*segments: str) -> tuple[str, ...]:
    """What is said of the only set."""
    (one,) = answer(AK1, AK2, *segments, "AK9*R*1*1*0").sets
    return one.faults


@pytest.mark.parametrize("delimiters", [STAR, *HOSTILE])
def test_all_of_a_997_whatever_the_delimiters(delimiters: object) -> None:
    segments = (
        AK1, "AK2*855*0002", "AK5*A", AK2, "AK3*PO1*4**8", "AK4*3*355*7*XX", "AK5*R*5", "AK9*P*2*2*1*5*19",
    )  # fmt: skip
    document, found = read(one_set("997", *segments, delimiters=delimiters))  # type: ignore[arg-type]
    assert found == ()
    assert document == FunctionalAcknowledgment(
        functional_id="PR",
        group_control_number="17",
        verdict="P",
        sets=(
            AnsweredSet(type="855", control_number="0002", verdict="A"),
            AnsweredSet(
                type="855",
                control_number="0003",
                verdict="R",
                faults=('segment 4 (PO1), element 3: 7 not a valid code, value "XX"', "5 segments in error"),
            ),
        ),
        faults=("5 GE01 counts wrong", "19 GS06 used before in the interchange"),
    )


WORDS = [
    (("AK5*A",), ()),
    (("AK3*BAK*2**3", "AK5*R*5"), ("segment 2 (BAK): 3 mandatory segment missing", "5 segments in error")),
    (("AK3*CLM*22*2300*8", "AK4*1*1028*1", "AK5*R"),
     ("segment 22 (CLM) in loop 2300, element 1: 1 mandatory element missing",)),
    (("AK3*REF*3", "AK5*R"), ("segment 3 (REF)",)),
    (("AK3*PO1*4**8", "AK5*R"), ("segment 4 (PO1): 8 elements in error",)),
    (("AK3*PO1*4**8", "AK3*ACK*5**2", "AK5*R"),
     ("segment 4 (PO1): 8 elements in error", "segment 5 (ACK): 2 segment not expected here")),
    (("AK3*REF*5**8", "AK4*4>2>1**5*ABC", "AK4*1**7*Q", "AK5*R"),
     ('segment 5 (REF), element 4, component 2, repetition 1: 5 too long, value "ABC"',
      'segment 5 (REF), element 1: 7 not a valid code, value "Q"')),
    (("AK5*E*3*4*23",),
     ("3 ST02 and SE02 differ", "4 SE01 counts wrong", "23 ST02 used before in the group")),
    (("AK3*PO1*4**99", "AK5*R*98"), ("segment 4 (PO1): 99", "98")),
    (("IK3*NM1*17**I6", "CTX*SITUATIONAL TRIGGER*CLM*43**5>3", "IK5*R*I5"),
     ('segment 17 (NM1): I6 segment missing that others ask for, context "SITUATIONAL TRIGGER CLM 43 5 3"',
      "I5 segments break the implementation guide")),
    (("IK3*NM1*17**8", "IK4*2**I12*X", "CTX*NAME>7", "IK5*R"),
     ('segment 17 (NM1), element 2: I12 not of the pattern asked for, value "X", context "NAME 7"',)),
    (("AK3*P\x1b1*4**1", "AK4*1**7*A\x1bB", "AK5*R"),
     ("segment 4 (P\\x1b1): 1 segment not recognised",
      'segment 4 (P\\x1b1), element 1: 7 not a valid code, value "A\\x1bB"')),
]  # fmt: skip


@pytest.mark.parametrize(("segments", "said"), WORDS)
def test_faults_in_words(segments: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert faults(*segments) == said


def test_a_whole_999() -> None:
    found = answer(
        "AK1*HC*28*005010X223A2", "AK2*837*0028", "IK3*NM*17**1", "IK5*R*5", "AK9*R*1*1*0", kind="999"
    )
    assert (found.functional_id, found.group_control_number, found.verdict) == ("HC", "28", "R")
    (one,) = found.sets
    assert (one.type, one.control_number, one.verdict) == ("837", "0028", "R")
    assert one.faults == ("segment 17 (NM): 1 segment not recognised", "5 segments in error")


def test_a_group_refused_without_a_word_on_its_sets() -> None:
    assert answer(AK1, "AK9*R*1*1*0*2").faults == ("2 version not supported",)


@pytest.mark.parametrize("more", [0, 1, 250])
def test_only_so_many_faults_are_kept_and_the_others_counted(more: int) -> None:
    most = limits.findings_per_set_max
    said = faults(*["AK3*PO1*4**2"] * (most + more), "AK5*R")
    assert len(said) == most + bool(more)
    assert said[most:] == ((f"and {more} more",) if more else ())


UNREADABLE = [
    ((AK2, "AK5*A", "AK9*A*1*1*1"), F.SEGMENT_MISSING, "AK1", 2, ""),
    ((AK1, AK2, "AK5*A"), F.SEGMENT_MISSING, "AK9", 5, ""),
    ((AK1, AK1, "AK9*A*1*1*1"), F.SEGMENT_OVER_MAX, "AK1", 3, ""),
    ((AK1, "AK9*A*1*1*1", "AK9*R*1*1*0"), F.SEGMENT_OVER_MAX, "AK9", 4, ""),
    (("AK1**17", "AK9*A*1*1*1"), F.ELEMENT_MISSING, "AK1", 2, "1"),
    (("AK1*PR", "AK9*A*1*1*1"), F.ELEMENT_MISSING, "AK1", 2, "2"),
    ((AK1, "AK9**1*1*1"), F.ELEMENT_MISSING, "AK9", 3, "1"),
    ((AK1, "AK2**0003", "AK5*A", "AK9*A*1*1*1"), F.ELEMENT_MISSING, "AK2", 3, "1"),
    ((AK1, "AK2*855", "AK5*A", "AK9*A*1*1*1"), F.ELEMENT_MISSING, "AK2", 3, "2"),
    ((AK1, AK2, "AK9*A*1*1*1"), F.SEGMENT_MISSING, "AK5", 4, ""),
    ((AK1, AK2, AK2, "AK5*A", "AK9*A*1*1*1"), F.SEGMENT_MISSING, "AK5", 4, ""),
    ((AK1, AK2, "AK5", "AK9*A*1*1*1"), F.ELEMENT_MISSING, "AK5", 4, "1"),
    ((AK1, "AK5*A", "AK9*A*1*1*1"), F.SEGMENT_UNEXPECTED, "AK5", 3, ""),
    ((AK1, AK2, "AK5*A", "AK3*PO1*4**8", "AK9*A*1*1*1"), F.SEGMENT_UNEXPECTED, "AK3", 5, ""),
    ((AK1, AK2, "AK4*1**7", "AK5*A", "AK9*A*1*1*1"), F.SEGMENT_UNEXPECTED, "AK4", 4, ""),
    ((AK1, AK2, "AK3*PO1*FOUR**8", "AK5*A", "AK9*A*1*1*1"), F.ELEMENT_CHARACTER, "AK3", 4, "2"),
    ((AK1, AK2, "AK3*PO1*4**8", "AK4*1", "AK5*A", "AK9*A*1*1*1"), F.ELEMENT_MISSING, "AK4", 5, "3"),
    ((AK1, "CTX*NAME", "AK9*A*1*1*1"), F.SEGMENT_UNEXPECTED, "CTX", 3, ""),
]


@pytest.mark.parametrize(("segments", "code", "tag", "position", "element"), UNREADABLE)
def test_what_cannot_be_read_yields_no_document(
    segments: tuple[str, ...], code: FindingCode, tag: str, position: int, element: str
) -> None:
    document, found = read(one_set("997", *segments))
    assert document is None
    (finding,) = found
    assert (finding.code, finding.segment, finding.position, finding.element) == (
        code,
        tag,
        position,
        element,
    )
