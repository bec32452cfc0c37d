"""Envelopes: each thing that can be wrong between ISA and IEA has its own finding, and only that one."""

import pytest

from edi import envelope
from edi.delimiters import Delimiters
from edi.envelope import Interchange, content_hash_of_set
from edi.findings import FindingCode
from tests.unit.edi.build import HOSTILE, ORDER, STAR_5010, group, interchange, order_file, transaction_set

GOOD = order_file().decode()
ORDER_SET = "~".join(transaction_set("850", *ORDER)) + "~"
SECOND = "ST*850*0002~BEG*00*SA*PO-0002**20260301~PO1*1*1*EA~SE*4*0002~"
F = FindingCode


def all_codes(data: bytes) -> list[FindingCode]:
    """Every finding of a file: of what lies outside, then per interchange, group and set."""
    reading = envelope.read(data)
    found = list(reading.findings)
    for one in reading.interchanges:
        found += one.findings
        for each in one.groups:
            found += each.findings
            for inside in each.sets:
                found += inside.findings
    return [finding.code for finding in found]


def only(data: bytes) -> Interchange:
    (one,) = envelope.read(data).interchanges
    return one


# What to replace in the good file, and all that is then found.
FAULTS = [
    ("SE*10*0001~", "", [F.SE_MISSING]),
    ("SE*10*0001~", "SE*9*0001~", [F.SE_COUNT]),
    ("SE*10*0001~", "SE*010*0001~", []),
    ("SE*10*0001~", "SE**0001~", [F.SE_COUNT]),
    ("SE*10*0001~", "SE*+10*0001~", [F.SE_COUNT]),
    ("SE*10*0001~", "SE*10*1~", [F.SE_CONTROL_NUMBER]),
    ("SE*10*0001~", "SE*10~", [F.SE_CONTROL_NUMBER]),
    ("SE*10*0001~", "SE~", [F.SE_COUNT, F.SE_CONTROL_NUMBER]),
    ("ST*850*0001", "ST*850*001", [F.ST_CONTROL_NUMBER, F.SE_CONTROL_NUMBER]),
    ("ST*850*0001", "ST*850", [F.ST_CONTROL_NUMBER, F.SE_CONTROL_NUMBER]),
    ("ST*850*0001", "ST*856*0001", [F.SET_NOT_IN_GROUP]),
    ("ST*850*0001", "ST*999*0001", [F.SET_NOT_IN_GROUP]),
    ("GE*1*1~", "", [F.GE_MISSING]),
    ("GE*1*1~", "GE*2*1~", [F.GE_COUNT]),
    ("GE*1*1~", "GE*01*0001~", []),
    ("GE*1*1~", "GE*1*2~", [F.GE_CONTROL_NUMBER]),
    ("GE*1*1~", "GE~", [F.GE_COUNT, F.GE_CONTROL_NUMBER]),
    ("*1200*1*X*004010~", "*1200*0*X*004010~", [F.GE_CONTROL_NUMBER]),
    ("*1200*1*X*004010~", "*1200*A1*X*004010~", [F.GS_CONTROL_NUMBER, F.GE_CONTROL_NUMBER]),
    ("*1200*1*X*004010~", "*1200*0000000001*X*004010~", [F.GS_CONTROL_NUMBER]),
    ("*X*004010~", "*X*003060~", [F.RELEASE_NEIGHBOUR]),
    ("*X*004010~", "*X*003020~", [F.VERSION_UNSUPPORTED]),
    ("*X*004010~", "*X*004010VICS~", []),
    ("GS*PO*", "GS*XX*", [F.GROUP_UNSUPPORTED]),
    ("GS*PO*", "GS*SH*", [F.SET_NOT_IN_GROUP]),
    ("IEA*1*000000001~", "", [F.IEA_MISSING]),
    ("IEA*1*000000001~", "IEA*2*000000001~", [F.IEA_COUNT]),
    ("IEA*1*000000001~", "IEA*1*1~", []),
    ("IEA*1*000000001~", "IEA*1*000000002~", [F.IEA_CONTROL_NUMBER]),
    ("IEA*1*000000001~", "IEA~", [F.IEA_COUNT, F.IEA_CONTROL_NUMBER]),
    ("IEA*1*000000001~", "IEA*1*000000001", []),  # the file ends before the last terminator
    ("GE*1*1~IEA*1*000000001~", "", [F.IEA_MISSING, F.GE_MISSING]),
    ("SE*10*0001~GE*1*1~IEA*1*000000001~", "", [F.IEA_MISSING, F.GE_MISSING, F.SE_MISSING]),
    ("GE*1*1~", "N1*ST~GE*1*1~", [F.GROUP_STRUCTURE]),
    ("GS*PO", "N1*ST~GS*PO", [F.GROUP_STRUCTURE]),
    ("GE*1*1~", f"{SECOND}GE*2*1~", []),
    ("GE*1*1~", f"{ORDER_SET}GE*2*1~", [F.SET_NOT_UNIQUE]),
    ("SE*10*0001~", f"{SECOND}", [F.GE_COUNT, F.SE_MISSING]),
    ("*00401*000000001*", "*00401*00000000A*", [F.ISA_CONTROL_NUMBER, F.IEA_CONTROL_NUMBER]),
    ("*00401*", "*4.010*", [F.ISA_VERSION]),
    ("ISA*00", "\xef\xbb\xbfISA*00", []),
    ("ISA*00", " \r\n\tISA*00", []),
    ("ISA*00", "HELLO\r\nISA*00", [F.TEXT_OUTSIDE]),
    ("IEA*1*000000001~", "IEA*1*000000001~\r\n\x1a", [F.TEXT_OUTSIDE]),
    ("IEA*1*000000001~", "IEA*1*000000001~GS*PO~", [F.TEXT_OUTSIDE]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "codes"), FAULTS)
def test_each_fault_has_its_code(old: str, new: str, codes: list[FindingCode]) -> None:
    assert GOOD.count(old) == 1
    assert sorted(one.slug for one in all_codes(GOOD.replace(old, new).encode("latin-1"))) == sorted(
        one.slug for one in codes
    )


@pytest.mark.parametrize("data", [b"", b"   \r\n", b"\xef\xbb\xbf"])
def test_nothing_in_a_file(data: bytes) -> None:
    assert all_codes(data) == [F.NO_INTERCHANGE]


def test_no_interchange_but_text_is_both_said() -> None:
    assert sorted(code.slug for code in all_codes(b"order 7 please")) == [
        "no_interchange",
        "text_outside_interchange",
    ]


def test_a_good_file_is_read_whole() -> None:
    one = only(order_file())
    assert (str(one.sender), str(one.receiver), one.control_number) == ("ZZ:BUYER", "ZZ:HUB", "000000001")
    assert (one.date, one.time, one.version, one.usage) == ("260301", "1200", "00401", "P")
    assert (one.offset, one.end, one.acknowledgment_requested) == (0, len(order_file()), False)
    (orders,) = one.groups
    assert (orders.functional_id, orders.sender, orders.receiver) == ("PO", "BUYERGS", "HUBGS")
    assert (orders.control_number, orders.version, orders.release, orders.declared_count) == (
        "1",
        "004010",
        "004010",
        "1",
    )
    (order,) = orders.sets
    assert order.segments == tuple(transaction_set("850", *ORDER))
    assert order_file()[order.offset :].startswith(b"ST*850")


def test_a_finding_says_where() -> None:
    text = GOOD.replace("SE*10*0001~", "SE*9*0001~").replace("000000001", "000000042")
    (finding,) = only(text.encode()).groups[0].sets[0].findings
    assert finding.message == "SE01 says 9, the set has 10 segments"
    assert (finding.interchange, finding.group, finding.set) == ("000000042", "1", "0001")
    assert (finding.segment, finding.position, finding.element, finding.value) == ("SE", 10, "1", "9")


def test_several_interchanges_keep_their_own_delimiters() -> None:
    all_of_them = [*HOSTILE, STAR_5010]
    data = b"\r\n".join(
        order_file(delimiters=one, control_number=f"{i:09}") for i, one in enumerate(all_of_them)
    )
    reading = envelope.read(data)
    assert [one.delimiters for one in reading.interchanges] == all_of_them
    assert [one.control_number for one in reading.interchanges] == [
        f"{i:09}" for i in range(len(all_of_them))
    ]
    assert len({content_hash_of_set(one.groups[0].sets[0]) for one in reading.interchanges}) == 1
    assert all_codes(data) == []


def test_text_between_interchanges_is_named_with_its_place() -> None:
    reading = envelope.read(order_file() + b"\r\n-- page 2 --\r\n" + order_file())
    (finding,) = reading.findings
    at = len(order_file()) + 2
    assert (finding.code, finding.offset, finding.value) == (F.TEXT_OUTSIDE, at, "-- page 2 --")
    assert reading.outside == ((at, at + 12),)
    assert len(reading.interchanges) == 2


def test_an_interchange_that_breaks_off_does_not_swallow_the_next() -> None:
    broken = order_file()[:300]
    reading = envelope.read(broken + order_file(control_number="000000002"))
    assert [one.control_number for one in reading.interchanges] == ["000000001", "000000002"]
    assert [one.code for one in reading.interchanges[0].findings] == [F.IEA_MISSING]
    assert reading.interchanges[1].findings == ()


def test_groups_share_no_control_number_and_sets_only_across_groups() -> None:
    orders = transaction_set("850", *ORDER)
    assert all_codes(interchange(group("PO", orders), group("PO", orders, control_number="2"))) == []
    assert all_codes(interchange(group("PO", orders), group("PO", orders, control_number="1"))) == [
        F.GROUP_NOT_UNIQUE
    ]
    assert all_codes(interchange(group("PO", orders), group("PO", orders, control_number="01"))) == [
        F.GROUP_NOT_UNIQUE
    ]


def test_one_bad_set_leaves_its_neighbours_alone() -> None:
    sets = [transaction_set("850", *ORDER, control_number=f"000{n}") for n in (1, 2, 3)]
    sets[1][-1] = "SE*99*0002"
    found = only(interchange(group("PO", *sets))).groups[0].sets
    assert [[finding.code for finding in one.findings] for one in found] == [[], [F.SE_COUNT], []]


def test_a_set_outside_a_group_is_not_read() -> None:
    text = GOOD.replace("GS*PO*BUYERGS*HUBGS*20260301*1200*1*X*004010~", "").replace("GE*1*1~", "")
    one = only(text.encode())
    assert one.groups == ()
    assert {finding.code for finding in one.findings} == {F.GROUP_STRUCTURE, F.IEA_COUNT}


def test_ta1_under_isa_is_kept() -> None:
    ta1 = "TA1*000000009*260301*1200*A*000"
    one = only(interchange([ta1]).replace(b"IEA*1", b"IEA*0"))
    assert (one.ta1, one.groups, one.findings) == ((ta1,), (), ())


def test_lines_wrapped_at_80_columns_are_joined_even_in_the_isa() -> None:
    data = order_file()
    wrapped = b"\r\n".join(data[at : at + 80] for at in range(0, len(data), 80))
    assert all_codes(wrapped) == []
    assert only(wrapped).groups[0].sets[0].segments == only(data).groups[0].sets[0].segments


def test_st03_is_kept() -> None:
    text = GOOD.replace("ST*850*0001", "ST*850*0001*RETAIL")
    assert only(text.encode()).groups[0].sets[0].implementation == "RETAIL"


def test_content_is_the_same_whatever_its_envelope_says() -> None:
    def content(*segments: str, delimiters: Delimiters = STAR_5010, number: str = "0001") -> str:
        one = transaction_set("850", *segments, control_number=number)
        return content_hash_of_set(
            only(interchange(group("PO", one), delimiters=delimiters)).groups[0].sets[0]
        )

    same = content(*ORDER)
    assert content(*ORDER, number="0777") == content(*[f"{one}**" for one in ORDER]) == same
    assert content(*ORDER[:-1]) != same
    assert content(*ORDER[:-1], "CTT*2*15") != same


def test_content_can_be_compared_but_for_its_purpose() -> None:
    def content(beg: str, purpose: str = "") -> str:
        one = transaction_set("850", beg, *ORDER[1:])
        return content_hash_of_set(only(interchange(group("PO", one))).groups[0].sets[0], purpose=purpose)

    original, copy = ORDER[0], ORDER[0].replace("BEG*00*", "BEG*07*")
    assert content(copy, "00") == content(original) == content(original, "00")
    assert content(copy) == content(original, "07") != content(original)
    assert content(copy.replace("BEG*07*SA*", "BEG*07*DS*"), "00") != content(original)


def test_components_count_alike_whatever_separates_them() -> None:
    def content(reference: str, delimiters: Delimiters) -> str:
        one = transaction_set("850", ORDER[0], reference, *ORDER[4:])
        return content_hash_of_set(
            only(interchange(group("PO", one), delimiters=delimiters)).groups[0].sets[0]
        )

    assert len({content("REF*DP*1**DP>0913", one) for one in (STAR_5010, *HOSTILE)}) == 1
    assert content("REF*DP*1**DP>0913", STAR_5010) != content("REF*DP*1**DP*0913", STAR_5010)
