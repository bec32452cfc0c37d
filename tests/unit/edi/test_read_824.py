"""824: the verdict on each transaction, and what was wrong with it."""

from datetime import date, time

import pytest

from edi.documents import AdviceError, AdvisedTransaction, ApplicationAdvice, Party
from edi.findings import FindingCode
from edi.read_824 import read
from tests.unit.edi.build import HOSTILE, STAR, one_set

BGN = "BGN*11*ADV-1*20260302*0932"
OTI = "OTI*TR*SI*SHP-1*HUBGS*BUYERGS*20260301*1200*17*0003*856*004010"
F = FindingCode


def advice(*segments: str) -> ApplicationAdvice:
    document, findings = read(one_set("824", *segments))
    assert document is not None, findings
    return document


def errors(*segments: str) -> list[tuple[str, str]]:
    (one,) = advice(BGN, OTI, *segments).transactions
    return [(error.code, error.text) for error in one.errors]


@pytest.mark.parametrize("delimiters", [STAR, *HOSTILE])
def test_all_of_an_advice_whatever_the_delimiters(delimiters: object) -> None:
    segments = (
        BGN, "N1*BY*A STORE*92*0042", "REF*VR*99", OTI, "REF*PO*PO-0001", "REF*BM**BY TEXT ONLY",
        "DTM*011*20260301", "TED*012*LINE NOT ORDERED*SN1*7*2*382*40", "NTE*GEN*ASK FOR ANNA",
    )  # fmt: skip
    document, found = read(one_set("824", *segments, delimiters=delimiters))  # type: ignore[arg-type]
    assert found == ()
    error = AdviceError(
        code="012", text="LINE NOT ORDERED ASK FOR ANNA", segment="SN1", position=7, value="40"
    )
    assert document == ApplicationAdvice(
        purpose="11",
        reference="ADV-1",
        created_on=date(2026, 3, 2),
        created_at=time(9, 32),
        parties=(Party(entity="BY", name="A STORE", qualifier="92", id="0042"),),
        transactions=(
            AdvisedTransaction(
                verdict="TR",
                qualifier="SI",
                reference="SHP-1",
                group_sender="HUBGS",
                group_receiver="BUYERGS",
                group_control_number="17",
                set_control_number="0003",
                set_type="856",
                references=(("PO", "PO-0001"),),
                errors=(error,),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        ((), []),
        (("TED*024",), [("024", "")]),
        (("TED*024*", "NTE**ONLY A NOTE"), [("024", "ONLY A NOTE")]),
        (("TED*T*A", "NTE*GEN*B", "NTE*GEN*C", "TED*V*D"), [("T", "A B C"), ("V", "D")]),
        (("TED*T*A", "RED*NA**94**IBP*E038", "TED*V*D", "NTE*GEN"), [("T", "A"), ("V", "D")]),
    ],
)
def test_notes_are_added_to_the_text_before_them(segments: tuple[str, ...], said: list[object]) -> None:
    assert errors(*segments) == said


def test_several_transactions_each_with_its_own() -> None:
    found = advice(BGN, "OTI*TA*TN*1", OTI, "TED*T", "OTI*IR*PO*PO-0001", "REF*LI*3", "TED*133", "N1*ST*LATE")
    assert [
        (one.verdict, one.reference, [error.code for error in one.errors], one.references)
        for one in found.transactions
    ] == [
        ("TA", "1", [], ()),
        ("TR", "SHP-1", ["T"], ()),
        ("IR", "PO-0001", ["133"], (("LI", "3"),)),
    ]
    assert found.parties == ()


UNREADABLE = [
    ((OTI,), F.SEGMENT_MISSING, "BGN", 2, ""),
    ((BGN,), F.SEGMENT_MISSING, "OTI", 3, ""),
    ((BGN, BGN, OTI), F.SEGMENT_OVER_MAX, "BGN", 3, ""),
    (("BGN**A*20260302", OTI), F.ELEMENT_MISSING, "BGN", 2, "1"),
    (("BGN*11**20260302", OTI), F.ELEMENT_MISSING, "BGN", 2, "2"),
    (("BGN*11*A*20260230", OTI), F.DATE_INVALID, "BGN", 2, "3"),
    (("BGN*11*A*20260302*2500", OTI), F.TIME_INVALID, "BGN", 2, "4"),
    ((BGN, "OTI**SI*1"), F.ELEMENT_MISSING, "OTI", 3, "1"),
    ((BGN, "OTI*TR**1"), F.ELEMENT_MISSING, "OTI", 3, "2"),
    ((BGN, "OTI*TR*SI"), F.ELEMENT_MISSING, "OTI", 3, "3"),
    ((BGN, "TED*T", OTI), F.SEGMENT_UNEXPECTED, "TED", 3, ""),
    ((BGN, OTI, "TED**TEXT"), F.ELEMENT_MISSING, "TED", 4, "1"),
    ((BGN, OTI, "TED*T*TEXT*SN1*SEVEN"), F.ELEMENT_CHARACTER, "TED", 4, "4"),
    ((BGN, OTI, "NTE*GEN*TEXT"), F.SEGMENT_UNEXPECTED, "NTE", 4, ""),
    ((BGN, OTI, "TED*T", OTI, "NTE*GEN*TEXT"), F.SEGMENT_UNEXPECTED, "NTE", 6, ""),
]


@pytest.mark.parametrize(("segments", "code", "tag", "position", "element"), UNREADABLE)
def test_what_cannot_be_read_yields_no_document(
    segments: tuple[str, ...], code: FindingCode, tag: str, position: int, element: str
) -> None:
    document, found = read(one_set("824", *segments))
    assert document is None
    (finding,) = found
    assert (finding.code, finding.segment, finding.position, finding.element) == (
        code,
        tag,
        position,
        element,
    )
