"""Releases: neighbours of 004010 and 005010 are read by the nearest map, and the sender is told."""

from datetime import date

import pytest

from edi import envelope, read_850, read_856
from edi.findings import FindingCode
from edi.groups import FunctionalGroup
from edi.guide import check
from edi.releases import map_release
from tests.unit.edi.build import ORDER, group, interchange, one_set, transaction_set

F = FindingCode
SHORT_ORDER = [segment.replace("*20260", "*260") for segment in ORDER]
NOTICE = (
    "BSN*00*SHIP-1*960303*1200",
    "HL*1**S",
    "HL*2*1*O",
    "PRF*PO-0001",
    "HL*3*2*I",
    "LIN*1*UP*012345678905",
    "SN1**8*EA",
    "CTT*3",
)


@pytest.mark.parametrize(
    ("release", "read_by"),
    [
        ("003030", ""), ("003039", ""), ("003040", "004010"), ("003050", "004010"), ("003060", "004010"),
        ("003072", "004010"), ("004010", "004010"), ("004020", "004010"), ("004050", "004010"),
        ("004060", "004010"), ("004062", "004010"), ("004070", ""), ("005000", ""), ("005010", "005010"),
        ("005011", "005010"), ("005050", "005010"), ("005060", ""), ("006010", ""), ("002040", ""),
        ("", ""), ("4010", ""), ("00401", ""), ("0040100", ""), ("00401A", ""),
        ("\u0660\u0660\u0664\u0660\u0661\u0660", ""),
    ],
)  # fmt: skip
def test_the_map_that_reads_a_release(release: str, read_by: str) -> None:
    assert map_release(release) == read_by


def only_group(version: str, segments: list[str], isa12: str = "") -> FunctionalGroup:
    data = interchange(group("PO", transaction_set("850", *segments), version=version), version=isa12)
    (one,) = envelope.read(data).interchanges
    (found,) = one.groups
    assert one.findings == ()
    return found


@pytest.mark.parametrize(
    ("version", "codes"),
    [
        ("004010", []),
        ("004010VICS", []),
        ("005010", []),
        ("004030VICS", [F.RELEASE_NEIGHBOUR]),
        ("005030", [F.RELEASE_NEIGHBOUR]),
        ("003020", [F.VERSION_UNSUPPORTED]),
        ("VICS", [F.VERSION_UNSUPPORTED]),
    ],
)
def test_what_is_said_of_a_version(version: str, codes: list[FindingCode]) -> None:
    found = only_group(version, list(ORDER)).findings
    assert [finding.code for finding in found] == codes
    assert all(finding.value == version and finding.element == "8" for finding in found)


def test_a_neighbour_is_a_warning_that_is_answered_by_nothing() -> None:
    (finding,) = only_group("004030VICS", list(ORDER)).findings
    assert finding.message == (
        "version '004030VICS' (GS08) has no map of its own here and is read by that of 004010"
    )
    assert (finding.is_error, finding.code.answer, finding.code.x12) == (False, "", "")


@pytest.mark.parametrize("isa12", ["00200", "00305", "00400", "00403", "00501"])
def test_isa12_need_not_match_gs08(isa12: str) -> None:
    assert only_group("004010", list(ORDER), isa12).map_release == "004010"


@pytest.mark.parametrize("version", ["003040", "003050", "003060", "003070"])
def test_dates_without_a_century_are_read_where_the_release_has_them(version: str) -> None:
    found = only_group(version, SHORT_ORDER)
    assert (found.map_release, found.has_short_dates) == ("004010", True)
    (one,) = found.sets
    assert check(one, found.map_release, short_dates=found.has_short_dates) == ()
    document, findings = read_850.read(one)
    assert findings == ()
    assert document is not None
    assert (document.ordered_on, document.dates) == (date(2026, 3, 1), (("002", date(2026, 4, 1)),))


def test_dates_with_a_century_are_read_there_too() -> None:
    (one,) = only_group("003050", list(ORDER)).sets
    document, _ = read_850.read(one)
    assert document is not None
    assert document.ordered_on == date(2026, 3, 1)


@pytest.mark.parametrize("version", ["004010", "004030", "005010"])
def test_dates_without_a_century_are_refused_where_the_release_has_none(version: str) -> None:
    found = only_group(version, SHORT_ORDER)
    (one,) = found.sets
    assert F.DATE_INVALID in [finding.code for finding in check(one, found.map_release)]
    document, findings = read_850.read(one)
    assert document is None
    assert {finding.code for finding in findings} == {F.DATE_INVALID}


def test_the_last_century_is_not_the_next() -> None:
    data = interchange(group("SH", transaction_set("856", *NOTICE), version="003040"))
    (one,) = envelope.read(data).interchanges[0].groups[0].sets
    notice, _ = read_856.read(one)
    assert notice is not None
    assert notice.shipped_on == date(1996, 3, 3)


def test_what_went_with_004010_is_passed_over_and_places_stay_as_sent() -> None:
    segments = (
        "BEG*00*SA*PO-1**970401", "NTE*SPH*CALL FIRST", "DTM*002*970411***19",
        "PO1*1*5*EA***UP*012345678905", "NTE*SPH*AGAIN", "CTT*X",
    )  # fmt: skip
    old = one_set("850", *segments)
    found = check(old, "004010", short_dates=True)
    assert [(finding.segment, finding.position) for finding in found] == [("CTT", 7)]
    modern = check(old, "004010")
    assert {finding.segment for finding in modern} == {"BEG", "NTE", "DTM", "CTT"}
