"""The 997 we write: exact texts, read back by our envelope and guide, and walked through pyx12's own map."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import pytest
import pyx12.map_if
import pyx12.map_walker
import pyx12.params
import pyx12.segment

from edi import envelope, guide, limits, write_997
from edi.delimiters import Delimiters
from edi.envelope import FunctionalGroup, Interchange
from edi.findings import Finding, FindingCode, Level
from edi.write_envelope import ControlNumbers
from tests.unit.edi import build
from tests.unit.edi.test_guide_oracle import SETS, damaged, good

NUMBERS = ControlNumbers(interchange=7, group=8, set=9)
AT = datetime(2026, 3, 2, 14, 5, 59, tzinfo=UTC)
ISA_4010 = (
    "ISA*00*          *00*          *ZZ*HUB            *ZZ*BUYER          "
    "*260302*1405*U*00401*000000007*0*P*>"
)
ISA_5010 = ISA_4010.replace("*U*00401*", "*^*00501*")
BARS = Delimiters(element="|", component=":", terminator="\n")


# --- helpers ------------------------------------------------------------------------------------------------


def received(data: bytes) -> tuple[Interchange, FunctionalGroup, list[tuple[Finding, ...]]]:
    """The one interchange and group of a file with all findings of each set, as the pipeline has them."""
    (interchange,) = envelope.read(data).interchanges
    (group,) = interchange.groups
    release = group.map_release or group.release
    found = [(*one.findings, *guide.check(one, release)) for one in group.sets]
    return interchange, group, found


def answer(data: bytes) -> bytes:
    interchange, group, found = received(data)
    return write_997.write(interchange, group, found, numbers=NUMBERS, at=AT)


def body(written: bytes) -> list[str]:
    """AK1 to AK9."""
    return written.decode("latin-1").split("~")[3:-4]


def file_of(*sets: Sequence[str], version: str = "004010", delimiters: Delimiters = build.STAR) -> bytes:
    return build.interchange(build.group("PO", *sets, version=version), delimiters=delimiters)


def order(control_number: str = "0001", st03: str = "", **changed: str) -> list[str]:
    """The valid order with segments replaced by tag; an empty one is left out."""
    texts = (changed.get(text.partition("*")[0], text) for text in build.ORDER)
    return build.transaction_set("850", *filter(None, texts), control_number=control_number, st03=st03)


def check_written(written: bytes, *, unlike_pyx12: str = "") -> None:
    """Free of findings for our envelope reader and our guide, and of errors for pyx12 but the one named."""
    reading = envelope.read(written)
    assert reading.findings == ()
    (interchange,) = reading.interchanges
    assert (interchange.findings, interchange.groups[0].findings) == ((), ())
    (group,) = interchange.groups
    (one,) = group.sets
    assert one.findings == ()
    assert guide.check(one, group.release) == ()
    errors = pyx12_errors(written.decode("latin-1"))
    assert errors == [] if not unlike_pyx12 else [unlike_pyx12 in error for error in errors] == [True]


@lru_cache(maxsize=1)
def _map() -> Any:
    return pyx12.map_if.load_map_file("997.4010.xml", pyx12.params.ParamsBase())


# Its list for AK905 has no 19; its extended character set lacks national letters and "^".
PYX12_IS_STRICTER = r"\(19\) is not a valid code|invalid character\(.*[\^\x80-\xff]"


def pyx12_errors(text: str) -> list[str]:
    """What pyx12's walker and element checks say of ISA to IEA by the 997 map it ships.

    That map is health care's: of AK101 and AK201 it knows only its own codes, and it ends before 005010. What
    of ours is beside those is put into its words first. `PYX12_IS_STRICTER` is not heard.
    """
    root, walker, errors = _map(), pyx12.map_walker.walk_tree(), list[str]()
    node = root.getnodebypath("/ISA_LOOP/ISA")
    walker.forceWalkCounterToLoopStart("/ISA_LOOP", "/ISA_LOOP/ISA")
    assert text.endswith("~")
    for count, line in enumerate(text.split("~")[:-1], 1):
        segment = pyx12.segment.Segment(_for_health_care(line), "~", "*", ">")
        if count > 1:
            found, _, _, walked = walker.walk_errors(node, segment, count, count, None)
            errors += [f"{line}: {error.err_cde} {error.err_str}" for error in walked]
            node = found or node
        errors += [f"{line}: {one.err_cde} {one.err_str}" for one in node.is_valid_errors(segment)[1]]
    return [error for error in errors if not re.search(PYX12_IS_STRICTER, error)]


def _for_health_care(line: str) -> str:
    values = line.split("*")
    match values[0]:
        case "ISA":
            values[11:13] = ["U", "00401"]
        case "GS":
            values[8] = "004010"
        case "AK1":
            values = ["AK1", "HC", values[2]]
        case "AK2":
            values = ["AK2", "837", values[2]]
    return "*".join(values)


# --- exact texts --------------------------------------------------------------------------------------------

TABLE = {
    "clean": (file_of(order()), "AK1*PO*1~AK2*850*0001~AK5*A~AK9*A*1*1*1"),
    "element errors, several under one segment": (
        file_of(order(BEG="BEG*XX*SA*PO-0001**20260399", REF="REF**42")),
        "AK1*PO*1~AK2*850*0001~AK3*BEG*2**8~AK4*1*353*7*XX~AK4*5*373*8*20260399~AK3*REF*3**8~"
        "AK4*1*128*1~AK5*R*5~AK9*R*1*1*0",
    ),
    "loop and component": (
        file_of(order(REF="REF*DP*42**DP>4>DP", PO1="PO1*1*10*EA*5.25**UP*012345678905*VN")),
        "AK1*PO*1~AK2*850*0001~AK3*REF*3**8~AK4*4>4*127*2~AK3*PO1*6*PO1*8~AK4*9*234*2~"
        "AK3*PO1*8*PO1*8~AK4*9*234*2~AK5*R*5~AK9*R*1*1*0",
    ),
    "mandatory segment missing": (
        file_of(order(BEG="")),
        "AK1*PO*1~AK2*850*0001~AK3*BEG*2**3~AK5*R*5~AK9*R*1*1*0",
    ),
    "segment and element faults together": (
        file_of(order(REF="ZZZ*1", DTM="DTM*002*20260230")),
        "AK1*PO*1~AK2*850*0001~AK3*ZZZ*3**1~AK3*DTM*4**8~AK4*2*373*8*20260230~AK5*R*5~AK9*R*1*1*0",
    ),
    "mixed group": (
        file_of(order(), order("0002", BEG=""), order("0003")),
        "AK1*PO*1~AK2*850*0001~AK5*A~AK2*850*0002~AK3*BEG*2**3~AK5*R*5~AK2*850*0003~AK5*A~AK9*P*3*3*2",
    ),
    "all rejected": (
        file_of(order(BEG=""), order("0002", BEG="")),
        "AK1*PO*1~AK2*850*0001~AK3*BEG*2**3~AK5*R*5~AK2*850*0002~AK3*BEG*2**3~AK5*R*5~AK9*R*2*2*0",
    ),
    "group fault": (
        file_of(order(), order("0002", BEG="")).replace(b"GE*2*1", b"GE*3*1"),
        "AK1*PO*1~AK2*850*0001~AK5*R~AK2*850*0002~AK3*BEG*2**3~AK5*R*5~AK9*R*3*2*0*5",
    ),
    "two group faults, no count": (
        file_of(order()).replace(b"GE*1*1", b"GE*X*2"),
        "AK1*PO*1~AK2*850*0001~AK5*R~AK9*R*1*1*0*4*5",
    ),
    "no GE": (
        file_of(order()).replace(b"GE*1*1~", b""),
        "AK1*PO*1~AK2*850*0001~AK5*R~AK9*R*1*1*0*3",
    ),
    "no sets": (file_of(), "AK1*PO*1~AK9*A*0*0*0"),
    "segment count": (
        file_of(order()).replace(b"SE*10*0001", b"SE*11*0001"),
        "AK1*PO*1~AK2*850*0001~AK5*R*4~AK9*R*1*1*0",
    ),
    "set faults in ascending order": (
        file_of(order(BEG=""), order()).replace(b"SE*10*0001", b"SE*9*0002"),
        "AK1*PO*1~AK2*850*0001~AK3*BEG*2**3~AK5*R*5~AK2*850*0001~AK5*R*3*4*23~AK9*R*2*2*0",
    ),
    "005010": (
        file_of(
            order(st03="RETAILER-850"), order("0002", BEG=""), version="005010", delimiters=build.STAR_5010
        ),
        "AK1*PO*1*005010~AK2*850*0001*RETAILER-850~AK5*A~AK2*850*0002~AK3*BEG*2**3~AK5*R*5~AK9*P*2*2*1",
    ),
    "004010 has no AK103 and no AK203": (
        file_of(order(), version="004010VICS"),
        "AK1*PO*1~AK2*850*0001~AK5*A~AK9*A*1*1*1",
    ),
    "delimiters of ours in a bad value": (
        file_of(order(BEG="BEG*A^B\x07>\x85C *SA*PO-1**20260301"), delimiters=BARS).replace(b"A^", b"*>~^"),
        "AK1*PO*1~AK2*850*0001~AK3*BEG*2**8~AK4*1*353*7*   ^B : C~AK5*R*5~AK9*R*1*1*0",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_exact_answers(name: str) -> None:
    data, expected = TABLE[name]
    written = answer(data)
    assert "~".join(body(written)) == expected
    check_written(written)


def test_the_whole_interchange() -> None:
    assert answer(file_of(order())).decode("latin-1") == (
        f"{ISA_4010}~GS*FA*HUBGS*BUYERGS*20260302*1405*8*X*004010~ST*997*0009~AK1*PO*1~AK2*850*0001~AK5*A~"
        "AK9*A*1*1*1~SE*6*0009~GE*1*8~IEA*1*000000007~"
    )


@pytest.mark.parametrize(
    ("version", "isa", "echoed"),
    [
        ("004010", ISA_4010, "004010"),
        ("004010VICS", ISA_4010, "004010VICS"),
        ("005010", ISA_5010, "005010"),
        ("005010UCS", ISA_5010, "005010UCS"),
        ("004030", ISA_4010, "004010"),
        ("003040VICS", ISA_4010, "004010"),
        ("", ISA_4010, "004010"),
    ],
)
def test_release_is_the_groups_where_we_have_it(version: str, isa: str, echoed: str) -> None:
    written = answer(file_of(order(), version=version))
    first, gs = written.decode("latin-1").split("~")[:2]
    assert (first, gs.split("*")[8]) == (isa, echoed)
    check_written(written)


def test_unsupported_version_is_a_group_fault() -> None:
    assert body(answer(file_of(order(), version="006010")))[-1] == "AK9*R*1*1*0*2"


def test_a_neighbouring_version_is_read_and_accepted() -> None:
    assert body(answer(file_of(order(), version="004030")))[-1] == "AK9*A*1*1*1"


@pytest.mark.parametrize("at", [AT.astimezone(timezone(timedelta(hours=-11))), AT.replace(tzinfo=None)])
def test_time_is_utc(at: datetime) -> None:
    interchange, group, found = received(file_of(order()))
    expected = write_997.write(interchange, group, found, numbers=NUMBERS, at=AT)
    assert write_997.write(interchange, group, found, numbers=NUMBERS, at=at) == expected


def test_usage_is_as_received() -> None:
    data = build.interchange(build.group("PO", order()), usage="T")
    assert answer(data)[102:103] == b"T"


# --- single rules -------------------------------------------------------------------------------------------


def written_with(*findings: Finding, version: str = "004010", unlike_pyx12: str = "") -> list[str]:
    """AK2 to AK5 of an order with just these findings; the answer must be flawless."""
    delimiters = build.STAR_5010 if version == "005010" else build.STAR
    interchange, group, _ = received(file_of(order(), version=version, delimiters=delimiters))
    written = write_997.write(interchange, group, [findings], numbers=NUMBERS, at=AT)
    check_written(written, unlike_pyx12=unlike_pyx12)
    return body(written)[1:-1]


def faulty(**said: Any) -> Finding:
    usual = {"code": FindingCode.CODE_INVALID, "message": "", "segment": "PO1", "position": 6, "element": "3"}
    return Finding(**{**usual, **said})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"element": "5-1"}, ["AK3*PO1*6**8", "AK4*5>1**7"]),
        ({"element": "03"}, ["AK3*PO1*6**8", "AK4*3**7"]),
        ({"element": ""}, ["AK3*PO1*6**8"]),
        ({"element": "0"}, ["AK3*PO1*6**8"]),
        ({"element": "100"}, ["AK3*PO1*6**8"]),
        ({"reference": "355"}, ["AK3*PO1*6**8", "AK4*3*355*7"]),
        ({"reference": "C040"}, ["AK3*PO1*6**8", "AK4*3**7"]),
        ({"loop": "PO1_LOOP"}, ["AK3*PO1*6*PO1*8", "AK4*3**7"]),
        ({"loop": "DETAIL"}, ["AK3*PO1*6**8", "AK4*3**7"]),
        ({"value": "x" * 300}, ["AK3*PO1*6**8", f"AK4*3**7*{'x' * 99}"]),
        ({"value": "~*>\x00\x7f\x9f "}, ["AK3*PO1*6**8", "AK4*3**7"]),
        ({"position": 0}, []),
        ({"position": 999_999}, ["AK3*PO1*999999**8", "AK4*3**7"]),
        ({"position": 1_000_000}, []),
        ({"code": FindingCode.SEGMENT_ORDER}, ["AK3*PO1*6**7"]),
        ({"code": FindingCode.SEGMENT_UNRECOGNISED, "segment": "PO1234"}, ["AK3*PO1*6**1"]),
        ({"code": FindingCode.SEGMENT_UNRECOGNISED, "segment": "X"}, ["AK3*X?*6**1"]),
        ({"code": FindingCode.SEGMENT_UNRECOGNISED, "segment": ""}, ["AK3*??*6**1"]),
        ({"code": FindingCode.SEGMENT_MISSING, "position": 0}, []),
    ],
)
def test_one_finding(said: dict[str, Any], expected: list[str]) -> None:
    assert written_with(faulty(**said)) == ["AK2*850*0001", *expected, "AK5*R*5"]


def test_longer_positions_in_005010() -> None:
    """719 is N0 1/10 there; pyx12's map is 004010's."""
    lines = written_with(faulty(position=1_000_000), version="005010", unlike_pyx12="(AK302) is too long")
    assert lines[1] == "AK3*PO1*1000000**8"


def test_repetition_separator_is_one_in_005010_only() -> None:
    assert written_with(faulty(value="A^B"), version="005010")[2] == "AK4*3**7*A B"
    assert written_with(faulty(value="A^B"))[2] == "AK4*3**7*A^B"


def test_national_letters_are_kept() -> None:
    assert written_with(faulty(value="caf\xe9"))[2] == "AK4*3**7*caf\xe9"


def test_findings_are_gathered_by_segment_and_said_once() -> None:
    late, early = faulty(position=9, segment="CTT"), faulty(position=2, segment="BEG")
    order_fault = faulty(code=FindingCode.SEGMENT_ORDER, position=9, segment="CTT")
    more = faulty(position=9, segment="CTT", element="4", loop="CTT")
    found = (late, order_fault, early, more, late, order_fault)
    assert written_with(*found)[1:-1] == [
        "AK3*BEG*2**8", "AK4*3**7", "AK3*CTT*9**7", "AK3*CTT*9*CTT*8", "AK4*3**7", "AK4*4**7",
    ]  # fmt: skip


def test_no_more_than_99_elements_under_one_segment() -> None:
    lines = written_with(*[faulty(value=f"V{n}") for n in range(120)])
    assert len([line for line in lines if line.startswith("AK4")]) == limits.ak4_per_ak3_max


def test_no_more_than_five_set_codes() -> None:
    codes = [code for code in FindingCode if code.answer == "AK5"]
    assert len(codes) > 5
    found = [faulty(code=code) for code in (*codes, FindingCode.CODE_INVALID)]
    assert written_with(*found)[-1] == "AK5*R*1*2*3*4*5"


def test_no_more_than_five_group_codes() -> None:
    interchange, group, found = received(file_of(order()))
    faults = tuple(Finding(code=code, message="") for code in FindingCode if code.answer == "AK9")
    written = write_997.write(interchange, replace(group, findings=faults), found, numbers=NUMBERS, at=AT)
    assert body(written)[-1] == "AK9*R*1*1*0*1*2*3*4*5"


def test_set_limit_is_a_segment_in_error() -> None:
    assert written_with(faulty(code=FindingCode.LIMIT)) == ["AK2*850*0001", "AK5*R*5"]


@pytest.mark.parametrize("code", [code for code in FindingCode if not code.answer])
def test_what_has_no_answer_is_not_written(code: FindingCode) -> None:
    verdict = "R" if code.level is Level.ERROR else "A"
    assert written_with(faulty(code=code)) == ["AK2*850*0001", f"AK5*{verdict}"]


def test_every_code_makes_a_valid_answer() -> None:
    for code in FindingCode:
        for version in ("004010", "005010"):
            lines = written_with(faulty(code=code, value="X", reference="668"), version=version)
            assert any(f"*{code.x12}" in line for line in lines) or code.answer not in ("AK3", "AK4", "AK5")


def test_codes_newer_than_004010_become_older_ones() -> None:
    newer = {
        ("AK3", "10"): "8", ("AK4", "12"): "3", ("AK4", "13"): "3", ("AK4", "16"): "3",
        ("AK5", "18"): "6", ("AK9", "7"): "1", ("AK9", "8"): "1", ("AK9", "9"): "1",
    }  # fmt: skip
    for (segment, code), older in newer.items():
        assert write_997.legal(segment, code, "004010") == older
        assert write_997.legal(segment, code, "005010") == code
    assert write_997.legal("AK4", "10", "004010") == "10"
    assert write_997.legal("AK5", "23", "004010") == "23"


# --- verdicts -----------------------------------------------------------------------------------------------

ERROR = faulty()
NOTED = faulty(code=SimpleNamespace(level=Level.WARNING, answer="AK5", x12="4"))  # there is no such code yet
SILENT = faulty(code=FindingCode.HASH_TOTAL)


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [((), "A"), ((SILENT,), "A"), ((NOTED, SILENT), "E"), ((NOTED, ERROR), "R"), ((ERROR,), "R")],
)
def test_set_verdict(findings: tuple[Finding, ...], verdict: str) -> None:
    assert write_997.set_verdict(findings) == verdict


@pytest.mark.parametrize(
    ("sets", "verdict", "accepted"),
    [
        ("A", "A", 1), ("AA", "A", 2), ("AE", "E", 2), ("EE", "E", 2), ("AR", "P", 1), ("ER", "P", 1),
        ("AER", "P", 2), ("RR", "R", 0), ("R", "R", 0), ("", "A", 0),
    ],
)  # fmt: skip
def test_group_verdict(sets: str, verdict: str, accepted: int) -> None:
    meaning = {"A": (), "E": (NOTED,), "R": (ERROR,)}
    found = [meaning[one] for one in sets]
    interchange, group, _ = received(file_of(*[order(f"{n:04}") for n in range(len(sets))]))
    assert write_997.group_verdict(group, found) == verdict
    written = write_997.write(interchange, group, found, numbers=NUMBERS, at=AT)
    count = len(sets)
    assert body(written)[-1] == f"AK9*{verdict}*{count}*{count}*{accepted}"
    check_written(written)
    broken = replace(group, findings=(Finding(code=FindingCode.GE_COUNT, message=""),))
    assert write_997.group_verdict(broken, found) == "R"
    lines = body(write_997.write(interchange, broken, found, numbers=NUMBERS, at=AT))
    assert lines[-1] == f"AK9*R*{count}*{count}*0*5"
    assert [line[:5] for line in lines if line.startswith("AK5")] == ["AK5*R"] * count


# --- what cannot be, and what is odd ------------------------------------------------------------------------


def test_acknowledgments_are_not_acknowledged() -> None:
    interchange, group, found = received(answer(file_of(order())))
    with pytest.raises(ValueError, match="never acknowledged"):
        write_997.write(interchange, group, found, numbers=NUMBERS, at=AT)


def test_findings_are_for_each_set() -> None:
    interchange, group, found = received(file_of(order()))
    for wrong in ([], [*found, ()]):
        with pytest.raises(ValueError, match="zip"):
            write_997.write(interchange, group, wrong, numbers=NUMBERS, at=AT)


@pytest.mark.parametrize("part", ["interchange", "group", "set"])
@pytest.mark.parametrize("value", [-1, 1_000_000_000])
def test_numbers_have_nine_digits(part: str, value: int) -> None:
    interchange, group, found = received(file_of(order()))
    with pytest.raises(ValueError, match="nine digits"):
        write_997.write(interchange, group, found, numbers=replace(NUMBERS, **{part: value}), at=AT)


def test_greatest_numbers() -> None:
    interchange, group, found = received(file_of(order()))
    most = ControlNumbers(interchange=999_999_999, group=999_999_999, set=999_999_999)
    check_written(write_997.write(interchange, group, found, numbers=most, at=AT))


@pytest.mark.parametrize(
    ("gs06", "st02", "lines"),
    [
        ("000000012", "0001", ["AK1*PO*000000012", "AK2*850*0001", "AK5*A", "AK9*A*1*1*1"]),
        ("12", "1", ["AK1*PO*12", "AK2*850*1", "AK5*R*5*7", "AK9*R*1*1*0"]),
        ("A-1", "1", ["AK1*PO*A-1", "AK2*850*1", "AK5*R*5*7", "AK9*R*1*1*0*6"]),
        ("", "", ["AK1*PO*0", "AK2*850*0000", "AK5*R*5*7", "AK9*R*1*1*0*6"]),
    ],
)
def test_control_numbers_are_repeated_as_sent(gs06: str, st02: str, lines: list[str]) -> None:
    """A number of the wrong form too: how else would its sender find the set?"""
    data = build.interchange(build.group("PO", order(st02), control_number=gs06))
    assert [line for line in body(answer(data)) if line[:3] not in ("AK3", "AK4")] == lines


def test_our_delimiters_in_addresses() -> None:
    group = build.group("PO", order(), sender="A!B", receiver="C!D")
    data = build.interchange(group, delimiters=BARS, sender="S!1").replace(b"!", b"*")
    written = answer(data)
    assert b"*ZZ*S 1            *" in written
    assert b"GS*FA*C D*A B*" in written
    check_written(written)


def test_empty_group_addresses_become_the_interchanges() -> None:
    data = build.interchange(build.group("PO", order(), sender="", receiver=""))
    written = answer(data)
    assert b"GS*FA*HUB*BUYER*" in written
    check_written(written)


@pytest.mark.parametrize("delimiters", build.HOSTILE)
def test_their_delimiters_do_not_matter(delimiters: Delimiters) -> None:
    assert answer(file_of(order(), delimiters=delimiters)) == answer(file_of(order()))


# --- volume -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("release", ["004010", "005010"])
def test_answers_to_damaged_sets_are_flawless(release: str, seed: int) -> None:
    rng = random.Random(seed)
    verdicts = set()
    for _ in range(60):
        set_type = rng.choice(sorted(SETS))
        kind = {"850": "PO", "855": "PR", "856": "SH"}[set_type]
        texts = [damaged(good(set_type, release), rng) for _ in range(rng.randrange(1, 4))]
        sets = [[f"ST*{set_type}*{n:04}", *one[1:]] for n, one in enumerate(texts)]
        gs = f"GS*{kind}*SENDER*RECEIVER*20260301*1200*1*X*{release}"
        text = "~".join([gs, *[line for one in sets for line in one], f"GE*{len(sets)}*1", "IEA*1*000000001"])
        isa = build.isa(build.STAR_5010 if release == "005010" else build.STAR)
        interchange = envelope.read((isa + text + "~").encode("latin-1")).interchanges[0]
        for group in interchange.groups:
            found = [(*one.findings, *guide.check(one, group.release)) for one in group.sets]
            written = write_997.write(interchange, group, found, numbers=NUMBERS, at=AT)
            verdicts.add(write_997.group_verdict(group, found))
            (one,) = envelope.read(written).interchanges[0].groups[0].sets
            assert (one.findings, guide.check(one, release)) == ((), ())
            assert pyx12_errors(written.decode("latin-1")) == []
    assert verdicts >= {"R", "P"}
