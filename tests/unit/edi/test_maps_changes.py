"""The maps of 860, 865, 870, 824 and 999: all that partners say with them is clean, and faults are named.

The forms are those of the field (spec 2.1, 1.5 to 1.7). pyx12 walks the same maps and must agree.
"""

import random
from collections import Counter

import pytest

from edi.findings import Finding, FindingCode
from edi.guide import check
from tests.unit.edi.build import one_set
from tests.unit.edi.test_guide_oracle import damaged, judge, pyx12_errors

RELEASES = ("004010", "005010")
CHANGE = "BCH*04*SA*PO-1***20260301*****20260305"
ANSWER = "BCA*04*AC*PO-1***20260301"
REPORT = ("BSR*3*PA*R-1*20260305", "HL*1**O", "PRF*PO-1***20260301")
ADVICE = ("BGN*11*A-1*20260305*1200", "OTI*TR*PO*PO-1*SELLER*BUYER*20260305*1159*17*0001*860*004010*01")
GROUP = "AK1*PO*17*005010"

LOWERING = ("CA", "RQ", "PQ", "MU", "RZ")  # 670 with the new total in POC03

# Said in all releases: (what is said, set, segments between ST and SE).
FORMS = [
    (
        "whole order, no line, the totals count nothing",
        "860",
        ("BCH*01*SA*PO-0553***20260824**D***20260824", "CTT*0*0"),
    ),
    ("whole order, with nothing else at all", "860", ("BCH*01*NE*PO-1***20260301",)),
    ("whole order, every line deleted", "860", (CHANGE, "POC*1*DI*10*0*EA", "POC*2*DI*4*0*EA", "CTT*2*14")),
    ("whole order, said at a line", "860", (CHANGE, "POC**CF", "CTT*1")),
    ("cancelled, a new one will follow", "860", ("BCH*17*SA*PO-1***20260301", "CTT*0")),
    ("one line, with what was ordered", "860", (CHANGE, "POC*1*DI*10*0*EA*0.36**VP*A-1")),
    (
        "one line by its number alone, purpose original",
        "860",
        ("BCH*00*DS*PO-1***20260301", "POC*0001*DI******PL*1", "CTT*1"),
    ),
    ("one line by two ids", "860", (CHANGE, "POC*1*DI******IN*59123*VN*018100775285")),
    ("part of a line: 60 wanted of 100", "860", (CHANGE, "POC*1*QD*60**EA*12.50**VP*W-1", "CTT*1*60")),
    ("part of a line, with what is left to receive", "860", (CHANGE, "POC*1*QD*60*20*EA")),
    *((f"a lower quantity by {code}", "860", (CHANGE, f"POC*1*{code}*60**EA*1.5")) for code in LOWERING),
    ("part of a line by store", "860", (CHANGE, "POC*1*QD*6**EA", "SDQ*EA*92*0001*4*0002*2", "CTT*1*6")),
    ("part of a line by date", "860", (CHANGE, "POC*1*QD*6**EA", "SCH*6*EA***002*20260401", "CTT*1*6")),
    ("the order replaced", "860", ("BCH*05*SA*PO-1**2*20260301", "POC*1*RZ*5**EA*2", "POC*2*AI*3**CA*7")),
    ("dates moved, quantity untouched", "860", (CHANGE, "POC*1*RS*10*10*EA", "DTM*002*20260501")),
    ("buyer agrees", "860", ("BCH*06*SA*PO-1***20260301", "CTT*0")),
    ("seller: nothing of the line is left", "865", (ANSWER, "POC*054448*DI*504*0*CA*38.75**VN*818459")),
    ("seller: part of a line", "865", (ANSWER, "POC*1*QD*60**EA", "ACK*IQ*60*EA", "CTT*1*60")),
    ("seller: several acknowledgments", "865", (ANSWER, "POC*1*CA*90**EA", "ACK*IA*88*EA", "ACK*IR*2*EA")),
    ("seller: the change is refused", "865", ("BCA*11*RJ*PO-1***20260301",)),
    ("seller: whole order, no type given", "865", ("BCA*01**PO-1***20260301", "CTT*0*0")),
    ("seller: yes to a cancellation", "865", ("BCA*11*AT*PO-1**1*20260301**K-1*S-77*20260306*20260306",)),
    ("report: order deleted", "870", (*REPORT, "ISR*DE")),
    (
        "report: an item cancelled",
        "870",
        (*REPORT, "PO1*1*6*EA***IN*59123", "ISR*IC*20260305", "QTY*01*6*EA", "CTT*1"),
    ),
    (
        "report: two orders, the second by items",
        "870",
        (*REPORT, "ISR*DE", "HL*2**O", "PRF*PO-2", "HL*3*2*I*0", "PO1*7*6*EA", "ISR*CU", "QTY*01*6*EA"),
    ),
    ("advice: refused, and why", "824", (*ADVICE, "TED*012*ORDER IS CANCELLED", "NTE**LINE 1")),
    ("advice: accepted", "824", ("BGN*00*A-2*20260305", "OTI*TA*TN*0001")),
    (
        "advice: two transactions, where the fault is",
        "824",
        (*ADVICE, "TED*Q**POC*4*9*234*X-9", "OTI*TA*SI*S-1", "REF*PO*PO-2", "DTM*011*20260305", "QTY*39*4"),
    ),
]  # fmt: skip

# Only after 004010.
LATER = [
    ("quantity change, 40 fewer", "860", (CHANGE, "POC*1*QC*100*100>0>40*EA")),
    ("quantity change, without a zero", "860", (CHANGE, "POC*1*QC*100*100>>40>60*EA*1.25")),
    ("seller: quantity change", "865", (ANSWER, "POC*1*QC*100*100>>40*EA", "ACK*IQ*60*EA")),
    ("packing changed", "860", (CHANGE, "POC*1*AA")),
    ("advice: order is cancelled already", "824", (*ADVICE, "TED*141", "RED*NA**94**IBP*X1")),
    ("advice: where the fault is", "824", (*ADVICE, "TED*133**POC*4*9>1*234>1*X-9", "CTX*LINE*POC*4")),
    ("acknowledgment: all accepted", "999", (GROUP, "AK2*850*0001*X", "IK5*A", "AK9*A*1*1*1")),
    (
        "acknowledgment: one set refused",
        "999",
        (
            GROUP, "AK2*850*0001", "IK5*A", "AK2*850*0002", "IK3*PO1*7*2010AA*8", "CTX*PO1>1",
            "IK4*3*355*7*XX", "CTX*SITUATIONAL TRIGGER*PO1*7**3>1", "IK3*CTT*9**I7", "IK5*R*5*I5",
            "AK9*P*2*2*1*5",
        ),
    ),
]  # fmt: skip
CLEAN = [(release, *form) for release in RELEASES for form in FORMS] + [("005010", *form) for form in LATER]

# (release, set, segments, segment, element, AK403 or AK304, data element or "")
FAULTS = [
    ("004010", "860", (CHANGE, "POC*1*ZQ"), "POC", "2", "7", "670"),
    ("004010", "860", (CHANGE, "POC*1*QC*100*100>>40*EA"), "POC", "2", "7", "670"),
    ("004010", "860", (CHANGE, "POC*1**10**EA"), "POC", "2", "1", "670"),
    ("005010", "865", (ANSWER, "POC*1"), "POC", "2", "1", "670"),
    ("004010", "860", (CHANGE, "POC*1*QD*60"), "POC", "5", "2", "C001"),
    ("004010", "860", (CHANGE, "POC*1*QD*60**QQ"), "POC", "5-1", "7", "355"),
    ("004010", "860", (CHANGE, "POC*1*QD*6O**EA"), "POC", "3", "6", "330"),
    ("004010", "860", (CHANGE, "POC*1*QD*60*2O*EA"), "POC", "4-1", "6", "671"),
    ("005010", "860", (CHANGE, "POC*1*QC*60*60>0>4O*EA"), "POC", "4-3", "6", "380"),
    ("005010", "860", (CHANGE, "POC*1*QC*60*1>2>3>4>5>6>7*EA"), "POC", "4", "3", "C063"),
    ("004010", "860", (CHANGE, "POC*1*PC*****WE"), "POC", "6", "2", "212"),
    ("004010", "860", (CHANGE, "POC*1*DI******IN"), "POC", "9", "2", "234"),
    ("004010", "860", ("BCH*01*SA*PO-1***20260230", "CTT*0"), "BCH", "6", "8", "373"),
    ("004010", "860", ("BCH*01*SA*PO-1***20260301*****260305",), "BCH", "11", "8", "373"),
    ("004010", "860", ("BCH*01*SA*PO-1",), "BCH", "6", "1", "373"),
    ("005010", "860", ("BCH*99*SA*PO-1***20260301",), "BCH", "1", "7", "353"),
    ("004010", "860", ("BCH*01*SA*PO-1**123456789*20260301",), "BCH", "5", "5", "327"),
    ("004010", "860", ("CTT*0*0",), "BCH", "", "3", ""),
    ("004010", "860", (CHANGE, "POC*1*DI", "ACK*IR"), "ACK", "", "6", ""),
    ("004010", "865", ("BCA*11*XX*PO-1***20260301",), "BCA", "2", "7", "587"),
    ("004010", "865", (ANSWER, "POC*1*QD*60**EA", "ACK*IQ*60"), "ACK", "3", "2", "355"),
    ("004010", "870", (*REPORT, "ISR*QQ"), "ISR", "1", "7", "368"),
    ("004010", "870", (*REPORT, "PO1*1*6*EA", "ISR*IC", "QTY*01"), "QTY", "2", "2", "380"),
    ("004010", "870", ("BSR*3*PA*R-1*20260305",), "HL", "", "3", ""),
    ("004010", "870", ("BSR*3*PA*R-1*20260305", "HL*1**QQ"), "HL", "3", "7", "735"),
    ("004010", "824", (*ADVICE, "TED*141"), "TED", "1", "7", "647"),
    ("005010", "824", (*ADVICE, "TED*999"), "TED", "1", "7", "647"),
    ("004010", "824", ("BGN*11*A-1*20260305", "OTI*ZZ*PO*PO-1"), "OTI", "1", "7", "110"),
    ("004010", "824", ("BGN*11*A-1*20260305", "OTI*TR*PO*PO-1******0001"), "OTI", "8", "2", "28"),
    ("004010", "824", (*ADVICE, "TED*024", "CTX*LINE"), "CTX", "", "6", ""),
    ("005010", "999", (GROUP, "AK2*850*0001", "IK5*Q", "AK9*A*1*1*1"), "IK5", "1", "7", "717"),
    ("005010", "999", (GROUP, "AK2*850*0001", "AK9*A*1*1*1"), "IK5", "", "3", ""),
    ("005010", "999", (GROUP, "AK2*850*0001", "IK3*N1*3**9", "IK5*R", "AK9*R*1*1*0"), "IK3", "4", "7", "620"),
]  # fmt: skip

# A set of each type with a bit of everything, to be damaged.
LONG = {
    "860": """
BCH*04*SA*PO-1*R2*3*20260301**K-9*S-77**20260305
CUR*BY*USD
REF*DP*0913
PER*BD*JANE DOE*TE*5550100
SAC*A*C310***1250
ITD*01*3*2**30
DTM*001*20260320
PID*F****SPRING GOODS
TD5**2*UPSN
AMT*1*92.5
N9*L1*SPECIAL
DTM*007*20260305
N1*ST*STORE 12*92*0012
N3*1 MAIN STREET
N4*SPRINGFIELD*IL*62701*US
POC*1*QD*60*20*EA*9.25**UP*012345678905*VN*A1
LIN**UP*012345678905
CTP**RTL*19.99
PID*F*08***GREEN SHIRT
PO4*6*1*EA
REF*LI*1
SAC*A*C310***100
SDQ*EA*92*0001*4*0002*6
DTM*002*20260401
QTY*21*5*EA
SCH*10*EA***002*20260401
N9*ZZ*LINE
N1*ST*STORE 1*92*0001
QTY*21*5
SLN*1**I*2*EA*3.5
N9*ZZ*SUB
POC*2*DI******VN*A2
CTT*2*60
AMT*TT*100
""",
    "865": """
BCA*04*AC*PO-1*R2*3*20260301**K-9*S-77*20260306*20260305
REF*DP*0913
DTM*010*20260310
N9*L1*SPECIAL
N1*SE*SELLER*92*S1
N3*1 MAIN STREET
AMT*1*92.5
POC*1*QD*60*20*EA*9.25**UP*012345678905*VN*A1
PID*F****GREEN SHIRT
PO4*6*1*EA
SDQ*EA*92*0001*60
DTM*002*20260401
ACK*IQ*58*EA*068*20260401
DTM*067*20260401
ACK*IR*2*EA
QTY*21*5*EA
SCH*10*EA***002*20260401
N9*ZZ*LINE
N1*ST*STORE 1*92*0001
SLN*1**I*2*EA*3.5
ACK*IA*2*EA
POC*2*DI
ACK*ID
CTT*2*60
""",
    "870": """
BSR*3*PA*R-1*20260305***1200
DTM*004*20260305
REF*CO*77
DTM*009*20260305
N1*SE*SELLER*92*S1
N4*SPRINGFIELD*IL*62701
HL*1**O*1
PRF*PO-1***20260301
ISR*PO*20260305*A01
PID*F****OPEN
QTY*01*10*EA
PER*IC*JOHN
REF*IA*1
N1*ST*STORE 1*92*0001
HL*2*1*I*0
PO1*1*6*EA*5**IN*59123
SLN*1**I*2*EA
PID*F****GREEN SHIRT
ISR*IC*20260305
QTY*01*6*EA
DTM*011*20260305
N1*SF*SHIPPER
TD5**2*UPSN
REF*BM*1
LM*VI
LQ*1*A
LX*1
REF*LO*1
LM*VI
LQ*1*B
CTT*1
""",
    "824": """
BGN*11*A-1*20260305*1200**A-0**WQ
N1*FR*HUB*92*H1
REF*IA*1
PER*IC*JANE*TE*5550100
OTI*TR*PO*PO-1*SELLER*BUYER*20260305*1159*17*0001*860*004010*01
REF*CO*77
DTM*097*20260305
AMT*TT*12.50
QTY*01*6*EA
NM1*SE*2*SELLER
TED*012*ORDER IS CANCELLED*POC*4*2*670*DI*CA
NTE*ERN*LINE 1
RED*NA**94**IBP*W050
TED*ZZZ
LM*VI
LQ*1*A
RED*TEXT*01
OTI*TA*SI*S-1
""",
    "999": """
AK1*PO*17*005010
AK2*850*0001
IK3*PO1*7*PO1*8
CTX*PO1>1
IK4*3*355*7*XX
CTX*SITUATIONAL TRIGGER*PO1*7**3>1*355>1
IK4*5>1*355*1
IK3*CTT*9**I6
IK5*R*5*I5
AK2*850*0002
IK5*A
AK9*P*2*2*1*5
""",
}  # fmt: skip


def found(release: str, set_type: str, segments: tuple[str, ...]) -> tuple[Finding, ...]:
    return check(one_set(set_type, *segments), release)


def long_set(set_type: str) -> tuple[str, ...]:
    return one_set(set_type, *LONG[set_type].split("\n")[1:-1]).segments


@pytest.mark.parametrize(
    ("release", "said", "set_type", "segments"),
    CLEAN,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_form_is_accepted_without_a_finding(
    release: str, said: str, set_type: str, segments: tuple[str, ...]
) -> None:
    assert found(release, set_type, segments) == (), said
    assert pyx12_errors(release, one_set(set_type, *segments).segments) == []


@pytest.mark.parametrize(
    ("release", "set_type", "segments", "segment", "element", "x12", "reference"), FAULTS
)
def test_a_fault_is_found_where_it_is(
    release: str,
    set_type: str,
    segments: tuple[str, ...],
    segment: str,
    element: str,
    x12: str,
    reference: str,
) -> None:
    (finding,) = found(release, set_type, segments)
    assert (finding.segment, finding.element, finding.reference) == (segment, element, reference)
    assert (finding.code.answer, finding.code.x12) == ("AK4" if element else "AK3", x12)


def test_a_fault_says_what_is_wrong_in_the_standards_words() -> None:
    (code,) = found("004010", "860", (CHANGE, "POC*1*RD"))
    assert code.message == '"RD" is not a Change or Response Type Code (POC02, element 670).'
    (unit,) = found("004010", "860", (CHANGE, "POC*1*QD*60"))
    assert unit.message == "POC05 must be sent because POC03 is there (syntax note C0305)."


def test_a_bad_number_beside_its_quantity_is_one_fault() -> None:
    """POC03 without a unit and POC04 there: the relaxed note still holds POC05."""
    findings = found("004010", "860", (CHANGE, "POC*1*QD*60*20"))
    assert [(one.code, one.element) for one in findings] == [(FindingCode.ELEMENT_CONDITION, "5")]


@pytest.mark.parametrize(
    ("release", "set_type"),
    [("004010", name) for name in LONG if name != "999"] + [("005010", name) for name in LONG],
)
def test_both_accept_the_long_sets(release: str, set_type: str) -> None:
    assert check(one_set(set_type, *LONG[set_type].split("\n")[1:-1]), release) == ()
    assert judge(release, long_set(set_type)) == "same"


@pytest.mark.parametrize("set_type", sorted(LONG))
def test_both_judge_damaged_sets_alike(set_type: str) -> None:
    rng = random.Random(set_type)
    judgments: Counter[str] = Counter()
    for _ in range(300):
        release = "005010" if set_type == "999" else rng.choice(RELEASES)
        judgments[judge(release, damaged(long_set(set_type), rng))] += 1
    assert judgments["same"] > 180
