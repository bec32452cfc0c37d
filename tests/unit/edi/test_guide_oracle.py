"""The guide against pyx12: on good sets and thousands of damaged ones both must say yes or no alike.

Where they differ on purpose, the difference is in `PYX12_IS_STRICTER` or `WE_ARE_STRICTER`, with its reason.
The compiled guide and the exact path are held together on the same sets.
"""

import random
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import pyx12.map_if
import pyx12.map_walker
import pyx12.params
import pyx12.segment

import edi
from edi import faults
from edi.delimiters import Delimiters
from edi.findings import FindingCode
from edi.guide import Verdict, guide_for

PURCHASE_ORDER = """
ST*850*0001
BEG*00*SA*4500012**20260304**AC
CUR*BY*USD*1.2500
REF*DP*0913
REF*IA*123456*VENDOR*DP>0913>ST>7
PER*BD*JANE DOE*TE*5550100
FOB*CC*DE
CTP**CON*9.5
CSH*Y
SAC*A*C310***1250
CUR*BY*USD
SAC*C*D240***300**********FREIGHT
ITD*01*3*2**30**31
DTM*010*20260310*1200
DTM*001*20260320
PID*F****SPRING GOODS
TD1*CTN25*4
TD5**2*UPSN
N9*L1*SPECIAL
DTM*007*20260305
MSG*HANDLE WITH CARE
N9*ZZ*SECOND
N1*ST*STORE 12*92*0012
N2*SECOND NAME
N3*1 MAIN STREET*SUITE 2
N4*SPRINGFIELD*IL*62701*US
REF*DP*01
PER*IC*JOHN
TD5**2*FDEG
N1*BY*BUYER
PO1*1*10*EA*9.25**UP*012345678905*VN*A1
LIN**UP*012345678905
CTP**RTL*19.99
PID*F*08***GREEN SHIRT
MEA*PD*WT*2.5*LB
PO4*6*1*EA
REF*LI*1
SAC*A*C310***100
CTP**CON*5
SDQ*EA*92*0001*4*0002*6
DTM*002*20260401
TD5**2*UPSN
MAN*GM*00100001234567890128
MSG*LINE NOTE
QTY*21*5*EA
SCH*10*EA***002*20260401
TD5**2*UPSN
SCH*-2.5*EA***002*20260402*1330
N9*ZZ*LINE
MSG*MORE
N1*ST*STORE 1*92*0001
N4*PEORIA*IL
QTY*21*5
SLN*1**I*2*EA*3.5
PID*F****PART
N9*ZZ*SUB
MSG*SUB NOTE
SAC*A*C310***5
QTY*21*1
SLN*2**I*3*EA>1>.5*3.5
AMT*1*92.5
REF*LI*2
PO1*2*5*CA*.5**UP*012345678912
PID*F****RED SHIRT
CTT*2*15
AMT*TT*100
SE*66*0001
"""

ACKNOWLEDGMENT = """
ST*855*0001
BAK*00*AC*4500012*20260304****SO77*20260305
CUR*SE*USD
REF*DP*0913
PER*BD*JANE
SAC*A*C310***1250
ITD*01*3*2**30
DTM*010*20260310
PID*F****TEXT
TD5**2*UPSN
N9*L1*SPECIAL
MSG*TEXT
N1*SE*SELLER*92*S1
N3*1 MAIN STREET
N4*SPRINGFIELD*IL*62701
PER*IC*JOHN
PO1*1*10*EA*9.25**UP*012345678905
CTP**RTL*19.99
PID*F****GREEN SHIRT
PO4*6*1*EA
REF*LI*1
ACK*IQ*8*EA*068*20260401
DTM*067*20260401
ACK*IR*2*EA
SCH*8*EA***067*20260401
N9*ZZ*LINE
MSG*MORE
N1*ST*STORE 1*92*0001
SLN*1**I*2*EA
ACK*IA*2*EA
PO1*2*5*EA*1**UP*012345678912
ACK*ID
CTT*2
SE*34*0001
"""

SHIP_NOTICE = """
ST*856*0001
BSN*00*SHIP1*20260304*1200*0001
DTM*011*20260304*235959
HL*1**S*1
PKG*F*68***TEXT
TD1*CTN25*4****G*22.5*LB
TD5*B*2*UPSN*M
TD3*TL**T123
REF*BM*12345
PER*IC*JOHN*TE*5550100
MAN*GM*00100001234567890128
DTM*011*20260304
FOB*CC
N1*SF*SHIPPER*92*S1
N3*1 MAIN STREET
N4*SPRINGFIELD*IL*62701
REF*DP*1
N1*ST*STORE*92*12
HL*2*1*O*1
PRF*4500012***20260304
PID*F****TEXT
HL*3*2*P*1
MAN*GM*00100001234567890135
HL*4*3*I*0
LIN*1*UP*012345678905*VN*A1
SN1*1*10*EA**10*EA**AC
SLN*1**I*2*EA
PO4*6*1*EA
PID*F*08***GREEN SHIRT
SDQ*EA*92*0001*4
SAC*A*C310***100
CUR*SE*USD
CTT*4*10
SE*34*0001
"""

SETS = {"850": PURCHASE_ORDER, "855": ACKNOWLEDGMENT, "856": SHIP_NOTICE}
DELIMITERS = Delimiters(element="*", component=">", terminator="~")
RELEASES = ("004010", "005010")


def good(set_type: str, release: str) -> tuple[str, ...]:
    """Release 005010 has MTX where 004010 has MSG."""
    text = SETS[set_type] if release == "004010" else SETS[set_type].replace("\nMSG*", "\nMTX**")
    return tuple(text.split("\n")[1:-1])


# --- pyx12's word -------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _map(release: str, set_type: str) -> Any:
    maps = Path(edi.__file__).parent / "maps" / release
    return pyx12.map_if.load_map_file(f"{set_type}.xml", pyx12.params.ParamsBase(), map_path=str(maps))


def _segment(text: str) -> Any:
    return pyx12.segment.Segment(text, "~", "*", ">")


def pyx12_errors(release: str, segments: tuple[str, ...]) -> list[str]:
    """What pyx12's walker and element checks say: "kind code text" each; an exception is an error too."""
    root = _map(release, segments[0].split("*")[1])
    walker = pyx12.map_walker.walk_tree()
    loop = "/ISA_LOOP/GS_LOOP/ST_LOOP"
    walker.forceWalkCounterToLoopStart(loop, f"{loop}/ST")
    node = root.getnodebypath(f"{loop}/ST")
    errors: list[str] = []
    for count, text in enumerate(segments, 1):
        segment = _segment(text)
        try:
            if count > 1:
                found, _, _, walk_errors = walker.walk_errors(node, segment, count, count, None)
                errors += [f"walk {error.err_cde} {error.err_str}" for error in walk_errors]
                node = found or node
                if found is None:
                    continue
            errors += [f"element {one.err_cde} {one.err_str}" for one in node.is_valid_errors(segment)[1]]
        except Exception as problem:
            errors.append(f"raised {type(problem).__name__} {problem}")
    return errors


# --- damage -------------------------------------------------------------------------------------------------

VALUES = (
    "", " ", "X", "EA", "EA ", " EA", "0", "-1", "1.", ".5", "1.5", "-", "+1", "1E3", "1,5", "00", "20260304",
    "20260230", "20240229", "260304", "00010101", "1200", "2400", "12005", "120060", "12005959", "ZZZZ", "AC",
    "A" * 31, "A" * 300, "1234567890123456789", "A>B", "A>B>C>D>E>F>G>H", ">", "A^B", "\x07", "caf\xe9",
    "IR", "ST", "92", "UP", "I", "00019", "low",
)  # fmt: skip
STRANGERS = ("N3*1 MAIN", "XYZ*1", "IEA*1*000000001", "HL*9**I", "ACK*IA", "MSG*LATE", "REF*DP*1", "PO1", "")


def damaged(segments: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    """The set with one to three things wrong, or not wrong, with it; ST stays first."""
    texts = list(segments)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(1, len(texts))
        match rng.randrange(8):
            case 0 if len(texts) > 3:
                del texts[at]
            case 1:
                texts[at:at] = [texts[at]] * rng.choice((1, 1, 2, 11, 30))
            case 2:
                other = rng.randrange(1, len(texts))
                texts[at], texts[other] = texts[other], texts[at]
            case 3:
                texts.insert(at, rng.choice((*STRANGERS, rng.choice(texts[1:]))))
            case 4:
                texts[at] = texts[at] + rng.choice(("*", "**", "*X", "*" * 40, "*" * 30 + "X"))
            case _:
                values = texts[at].split("*")
                index = rng.randrange(1, len(values)) if len(values) > 1 else 0
                old = values[index]
                values[index] = rng.choice((*VALUES, old[:-1], old * 2, old + "9"))
                texts[at] = "*".join(values)
    return tuple(texts)


# --- the differences we want --------------------------------------------------------------------------------

# We accept, pyx12 does not: every pyx12 error must be one of these, for one of these reasons.
PYX12_IS_STRICTER = {
    r"element 6 .*unnecessary trailing spaces": "padding is everyday; it costs nobody anything",
    r"element 6 .*invalid character\(.*[\^`\x80-\xff]": "national letters are X12's extended set",
    r"element 6 .*is an invalid composite": "the component separator in free text is text (spec section 3)",
    r"element 6 .*type R, contains an invalid character\(-?[0-9]+\.\)": "still a number",
    r"element 3 Too many elements in segment": "only when all the surplus is empty: a note",
}


# A lone component separator is an empty composite to pyx12, so it may find the element missing too.
FOLLOWS = r"element [12] "


def _pyx12_is_stricter(errors: list[str]) -> bool:
    patterns = [*PYX12_IS_STRICTER]
    if any("is an invalid composite" in error for error in errors):
        patterns.append(FOLLOWS)
    return all(any(re.match(pattern, error, re.DOTALL) for pattern in patterns) for error in errors)


# pyx12 accepts, we do not: our findings must all be of these.
WE_ARE_STRICTER = {
    FindingCode.ELEMENT_MISSING: "a mandatory element of blanks, or component 1 of an optional composite",
    FindingCode.ELEMENT_CONDITION: "pyx12 does not read the syntax notes of composites",
    FindingCode.SEGMENT_MISSING: "a loop head after a loop head: pyx12 forgets what is mandatory in between",
}


def judge(release: str, segments: tuple[str, ...]) -> str:
    """ "same", or the name of the accepted difference; a real one fails."""
    guide = guide_for(release, segments[0].split("*")[1])
    assert guide is not None
    ours = guide.accepts(segments, DELIMITERS) is not Verdict.FAULTY
    found = [one for one in faults.find(guide.grammar, segments, DELIMITERS) if one.is_error]
    assert ours == (not found), (release, segments, found)
    theirs = pyx12_errors(release, segments)
    # pyx12 looks back for what is missing only from a following segment; without SE there is none.
    if segments[-1].split("*")[0] != "SE" or ours == (not theirs):
        return "same"
    if ours:
        assert _pyx12_is_stricter(theirs), (release, segments, theirs)
        return "pyx12 is stricter"
    assert {one.code for one in found} <= WE_ARE_STRICTER.keys(), (release, segments, found)
    return "we are stricter"


def run(count: int, seed: int) -> Counter[str]:
    """`count` damaged sets; how often each judgment came."""
    rng = random.Random(seed)
    judgments: Counter[str] = Counter()
    for _ in range(count):
        release, set_type = rng.choice(RELEASES), rng.choice(sorted(SETS))
        judgments[judge(release, damaged(good(set_type, release), rng))] += 1
    return judgments


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("set_type", sorted(SETS))
def test_both_accept_the_good_sets(release: str, set_type: str) -> None:
    segments = good(set_type, release)
    guide = guide_for(release, set_type)
    assert guide is not None
    assert faults.find(guide.grammar, segments, DELIMITERS) == ()
    assert guide.accepts(segments, DELIMITERS) is Verdict.CLEAN
    assert pyx12_errors(release, segments) == []


# One example of each accepted difference, behind the PO1 of an order: (segments, whether we accept).
DIFFERENCES = [
    (("N1*ST*STORE *92*0001",), True),
    (("N1*ST*CAF\xc9",), True),
    (("MSG*UP ^ DOWN",), True),
    (("MSG*SHIP TO> DOCK 4",), True),
    (("MSG*>",), True),
    (("SCH*10.*EA***002*20260401",), True),
    (("N3*1 MAIN****",), True),
    (("N1*ST*STORE", "N3*   "), False),
    (("SLN*1**I*2*>1*3.5",), False),
    (("REF*IA*1**DP>9>ST",), False),
    (("LM*VI", "LM*VI", "LQ*1*A"), False),
]


@pytest.mark.parametrize(("texts", "ours"), DIFFERENCES)
def test_each_accepted_difference_is_one(texts: tuple[str, ...], ours: bool) -> None:
    lead = ("N1*ST*A",) if texts[0].startswith("N3") else ()
    segments = (*good("850", "004010")[:2], "PO1*1*1*EA", *lead, *texts, "SE*9*0001")
    assert judge("004010", segments) == ("pyx12 is stricter" if ours else "we are stricter")


@pytest.mark.parametrize("seed", range(4))
def test_both_judge_damaged_sets_alike(seed: int) -> None:
    judgments = run(500, seed)
    assert judgments["same"] > 300
