"""Segments: every byte of a file is in a segment, is known white space, or is named in a finding."""

import random
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi import codes, envelope, envelope_checks, guide, read_850, read_855, read_856
from edi.delimiters import Delimiters
from edi.envelope import Interchange
from edi.findings import FindingCode
from edi.redact import redact
from edi.segments import Kept, Source, Splitter, tag_of
from tests.unit.edi.build import HOSTILE, ORDER, STAR, STAR_5010, group, interchange, transaction_set

READERS = {"850": read_850.read, "855": read_855.read, "856": read_856.read}
BETWEEN = re.compile(rb"(?:[ \t\r\n]|\xef\xbb\xbf)*")
NOT_IN_SETS = ("GS", "GE", "IEA", "TA1")
ANSWER = (
    "BAK*00*AC*PO-0001*20260301****S-77*20260302",
    "PO1*1*10*EA*5.25**UP*012345678905",
    "ACK*IA*8*EA",
    "ACK*IR*2*EA",
    "CTT*1*10",
)
NOTICE = (
    "BSN*00*SHIP-1*20260303*1200*0001",
    "HL*1**S",
    "HL*2*1*O",
    "PRF*PO-0001",
    "HL*3*2*I",
    "LIN*1*UP*012345678905",
    "SN1**8*EA",
    "CTT*3",
)


def files(delimiters: Delimiters = STAR, newline: str = "") -> bytes:
    """Two interchanges with all three sets, and what networks put between them."""
    orders = group(
        "PO", transaction_set("850", *ORDER), transaction_set("850", *ORDER, control_number="0002")
    )
    answers = group("PR", transaction_set("855", *ANSWER), control_number="2")
    notices = group("SH", transaction_set("856", *NOTICE), control_number="3")
    first = interchange(orders, answers, delimiters=delimiters, newline=newline)
    return first + b"\r\n \t" + interchange(notices, delimiters=delimiters, control_number="000000002")


def check_conservation(data: bytes) -> None:
    """Spans and named stretches lie in order, and only white space is left between them."""
    reading = envelope.read(data)
    spans = [(one.offset, one.end) for one in reading.interchanges]
    at = 0
    for start, end in sorted([*spans, *reading.outside]):
        assert at <= start < end <= len(data)
        assert BETWEEN.fullmatch(data, at, start), data[at:start]
        at = end
    assert BETWEEN.fullmatch(data, at), data[at:]
    for one in reading.interchanges:
        if one.groups and not any(
            f.code in (FindingCode.GROUP_STRUCTURE, FindingCode.LIMIT) for f in one.findings
        ):
            assert list(in_sets(one)) == list(by_hand(one, data))


def in_sets(one: Interchange) -> Iterator[str]:
    for segment in (s for each in one.groups for found in each.sets for s in found.segments):
        if tag_of(segment, one.delimiters) not in NOT_IN_SETS:
            yield segment


def by_hand(one: Interchange, data: bytes) -> Iterator[str]:
    """The interchange's segments without its ISA, cut in the plainest way there is."""
    text = data[one.offset : one.end].decode("latin-1")
    body = text.split(one.delimiters.element, 16)[16][2:]
    for piece in body.split(one.delimiters.terminator):
        segment = "".join(c for c in piece if c not in one.delimiters.newlines).strip(
            one.delimiters.blanks or "\n"
        )
        if segment and tag_of(segment, one.delimiters) not in NOT_IN_SETS:
            yield segment


def check_everything(data: bytes) -> None:
    """Reads, judges, types and redacts; pytest turns a disagreement of the guides into an error."""
    check_conservation(data)
    for one in envelope.read(data).interchanges:
        for each in one.groups:
            for found in each.sets:
                faults = guide.check(found, each.release if each.release == "005010" else "004010")
                assert all(fault.message for fault in faults)
                if reader := READERS.get(found.type):
                    document, findings = reader(found)
                    assert (document is None) == any(finding.is_error for finding in findings)
    assert len(redact(data)) == len(data)


@pytest.mark.parametrize("newline", ["", "\r\n", "\n"])
@pytest.mark.parametrize("delimiters", [STAR, STAR_5010, *HOSTILE])
def test_good_files_are_conserved(delimiters: Delimiters, newline: str) -> None:
    data = files(delimiters, newline)
    check_everything(data)
    assert envelope.read(data).findings == ()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    check_everything(data)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*files().split(b"~"), b"~", b"*", b"\n", b"ISA*", b"\x85", b"IEA"]), max_size=40
    )
)
def test_any_order_of_pieces(pieces: list[bytes]) -> None:
    check_everything(b"~".join(pieces))


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few cuts, doublings, swaps and foreign bytes."""
    for _ in range(chance.randint(1, 6)):
        at, to = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        to = min(to, at + chance.choice((1, 1, 3, 30, 300)))
        piece = chance.choice((
            b"", data[at:to] * 2, bytes([chance.randrange(256)]), b"~", b"*", b"ISA", b"\nGS*", b"~ST*850*1~",
            b"~IEA*1*1~", b"~SE", b"~HL*9*9*I", b"\xef\xbb\xbf", b"~GE*", b"\x00", b">", b"^", b"~CTT*9",
        ))  # fmt: skip
        data = data[:at] + piece + data[to:]
    return data


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("delimiters", [STAR, STAR_5010, HOSTILE[0], HOSTILE[2], HOSTILE[5]])
def test_damaged_files(delimiters: Delimiters, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        check_everything(mutated(files(delimiters, chance.choice(("", "\r\n", "\n"))), chance))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()), ("A*1~", ("A*1",)), ("A*1", ("A*1",)), ("A*1~B", ("A*1", "B")), ("~~A~~", ("A",)),
        ("A*\r\n1~\r\nB~", ("A*1", "B")), (" A*1 ~\t B ~ ", ("A*1", "B")), ("A* x ~", ("A* x",)),
        ("A*\x85~B*\x1c~", ("A*\x85", "B*\x1c")), ("\x0bA~", ("\x0bA",)),
    ],
)  # fmt: skip
def test_cutting(text: str, expected: tuple[str, ...]) -> None:
    assert Splitter(STAR).split(text) == expected


def test_a_tab_that_separates_elements_is_not_trimmed() -> None:
    tabs = Delimiters(element="\t", component=">", terminator="\n")
    assert Splitter(tabs).split("N1\tST\t\n DTM\t1\n") == ("N1\tST\t", "DTM\t1")


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(["A*1", "~", "~", "\n", "\r\n", " ", "\t", "B", "*", ""]), max_size=30),
    st.sampled_from([STAR, HOSTILE[2], HOSTILE[3], HOSTILE[5]]),
)
def test_counting_segments_agrees_with_cutting_them(pieces: list[str], delimiters: Delimiters) -> None:
    terminator = delimiters.terminator
    text = terminator + "".join(pieces).replace("~", terminator).replace("*", delimiters.element)
    data = text.encode("latin-1")
    source = Source(data, 0, len(data), delimiters, Kept())
    plain = Splitter(delimiters).split(text[1:])
    assert source.cut(1, len(data)) == plain
    assert source.count(1, len(data)) == len(plain)
    assert source.segment(1, len(data)) == (plain[0] if plain else "")


def test_sets_keep_to_their_own_segments_in_whatever_order_they_are_asked() -> None:
    reading = envelope.read(files() + files(HOSTILE[0]))
    sets = [s for one in reading.interchanges for each in one.groups for s in each.sets]
    forwards, backwards = [s.segments for s in sets], [s.segments for s in reversed(sets)]
    assert forwards == backwards[::-1]
    assert [found[0].split(s.delimiters.element)[1] for s, found in zip(sets, forwards, strict=True)] == [
        s.type for s in sets
    ]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["ST", "850", "855", "0001", "1", ""]), min_size=1, max_size=4),
    st.none() | st.lists(st.sampled_from(["SE", "2", "02", "3", "0001", "1", ""]), min_size=1, max_size=4),
    st.sampled_from(["PO", "PR", "XX"]),
    st.integers(2, 3),
)
def test_a_set_seen_to_agree_has_no_finding(
    opening: list[str], closing: list[str] | None, functional_id: str, segments: int
) -> None:
    allowed = codes.SETS_OF_GROUP.get(functional_id)
    found = envelope_checks.check_st(opening, functional_id, 0, repeated=False)
    number = envelope_checks.element(opening, 2)
    found += envelope_checks.check_se(closing, number, segments, 0)
    assert not (envelope_checks.set_agrees(opening, closing, allowed, segments) and found)
