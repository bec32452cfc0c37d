"""Hostile syntax: what files in the wild do to X12, bullet by bullet (spec section 3)."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi import envelope, read_850
from edi.delimiters import Delimiters
from edi.envelope import Interchange, Reading, TransactionSet
from edi.findings import Finding, FindingCode
from edi.guide import check
from tests.unit.edi.build import (
    HOSTILE,
    ORDER,
    STAR,
    STAR_5010,
    group,
    interchange,
    isa,
    order_file,
    transaction_set,
)

F = FindingCode
LONG = ("N9*L1*A", "MSG*" + "LONG TEXT, WRAPPED BY THE SENDER " * 7 + "END")
ORDERS = transaction_set("850", *ORDER[:4], *LONG, *ORDER[4:])
TERMINATORS = ("\x07", "\x15", "\x1c", "\x1d", "\x1e", "\x85", "~", "'", "!", "|", "$", "_", "\x0b")


def only_set(data: bytes, *, lenient_isa: bool = False) -> TransactionSet:
    (one,) = envelope.read(data, lenient_isa=lenient_isa).interchanges
    (found,) = one.groups[0].sets
    return found


def only(data: bytes) -> Interchange:
    (one,) = envelope.read(data).interchanges
    return one


def in_findings(reading: Reading) -> list[Finding]:
    """Every finding of a reading, at whatever level."""
    found = list(reading.findings)
    for one in reading.interchanges:
        found += one.findings
        for each in one.groups:
            found += [*each.findings, *[finding for inside in each.sets for finding in inside.findings]]
    return found


def wrapped(data: bytes, width: int, newline: bytes) -> bytes:
    """The file in lines of a fixed width, wherever they break."""
    return newline.join(data[at : at + width] for at in range(0, len(data), width))


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("width", [1, 2, 3, 10, 79, 80, 81, 103, 104, 105, 106, 107, 132])
def test_lines_may_break_anywhere_even_inside_tags(width: int, newline: bytes) -> None:
    data = interchange(group("PO", ORDERS))
    whole = 0 if width > 3 else 106  # the ISA's own first bytes are how an interchange is found
    data = data[:whole] + wrapped(data[whole:], width, newline)
    reading = envelope.read(data)
    assert in_findings(reading) == []
    assert reading.interchanges[0].groups[0].sets[0].segments == tuple(ORDERS)


@pytest.mark.parametrize("terminator", TERMINATORS)
@pytest.mark.parametrize("width", [80, 132])
def test_wrapped_lines_with_any_terminator(terminator: str, width: int) -> None:
    one = Delimiters(element="*", component=">", terminator=terminator)
    data = wrapped(interchange(group("PO", ORDERS), delimiters=one), width, b"\r\n")
    assert only_set(data).segments == tuple(ORDERS)
    assert only_set(data).findings == ()


@pytest.mark.parametrize(
    ("terminator", "noise"), [("\n", "\r"), ("\r", "\n"), ("\n", " "), ("\r", "\t"), ("~", " \r\n\t ")]
)
def test_line_ends_as_terminator_with_the_other_one_as_noise(terminator: str, noise: str) -> None:
    one = Delimiters(element="*", component=">", terminator=terminator)
    data = interchange(group("PO", ORDERS), delimiters=one, newline=noise)
    assert only(data).delimiters == one
    assert in_findings(envelope.read(data)) == []
    assert only_set(data).segments == tuple(ORDERS)


@pytest.mark.parametrize("double", ["~~", "~\n~", "~ ~\r\n~"])
def test_empty_segments_take_no_position(double: str) -> None:
    parts = order_file().split(b"~")
    data = b"~".join(parts[:2]) + double.encode() + double.encode().join(parts[2:-1]) + b"~"
    assert in_findings(envelope.read(data)) == []
    assert only_set(data).segments == tuple(transaction_set("850", *ORDER))


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b"\r\n\r\n", b"   ", b"\t"])
def test_what_may_silently_stand_before_isa(before: bytes) -> None:
    reading = envelope.read(before + order_file() + before + order_file())
    assert in_findings(reading) == []
    assert [one.offset for one in reading.interchanges] == [len(before), 2 * len(before) + len(order_file())]


@pytest.mark.parametrize(
    "junk",
    [b"//VAN HEADER 0042\r\n", b"ISA is our favourite segment\n", b"$$ADD ID=X\n", b"\x00\x00", b"{1:F01}"],
)
def test_what_a_network_puts_around_interchanges_is_named(junk: bytes) -> None:
    reading = envelope.read(junk + order_file() + junk)
    assert [finding.code for finding in reading.findings] == [F.TEXT_OUTSIDE] * 2
    assert [finding.is_error for finding in reading.findings] == [False, False]
    assert in_findings(envelope.read(order_file())) == []
    assert len(reading.interchanges) == 1


# The ISA's elements changed, what is said strictly, and whether patience reads it.
PADDING = [
    ({6: "BUYER"}, ["6"], True),
    ({6: "BUYER", 8: "HUB"}, ["6", "8"], True),
    ({2: "", 4: ""}, ["2", "4"], True),
    ({6: "BUYER" + " " * 12}, ["6"], True),
    ({13: "1"}, ["13"], False),  # patience is for padding; ISA13 is nine digits all the same
    ({12: "0401"}, ["12"], False),
]


def with_isa(changed: dict[int, str]) -> bytes:
    parts = isa().split("*")
    for number, value in changed.items():
        parts[number] = value
    return order_file(header="*".join(parts))


@pytest.mark.parametrize(("changed", "elements", "readable"), PADDING)
def test_an_isa_of_other_widths_is_diagnosed_and_read_only_with_patience(
    changed: dict[int, str], elements: list[str], readable: bool
) -> None:
    data = with_isa(changed)
    strict = [finding for finding in only(data).findings if finding.code is F.ISA_MALFORMED]
    assert [finding.element for finding in strict] == elements
    assert {(finding.code.answer, finding.code.x12) for finding in strict} == {("TA1", "022")}
    (patient,) = envelope.read(data, lenient_isa=True).interchanges
    padding = [finding for finding in patient.findings if finding.code is F.ISA_PADDING]
    assert [finding.element for finding in padding] == elements
    assert not any(finding.is_error or finding.code.answer for finding in padding)
    assert any(finding.is_error for finding in patient.findings) is not readable
    assert patient.groups[0].sets[0].segments == tuple(transaction_set("850", *ORDER))
    if 6 in changed:
        assert patient.sender.id == "BUYER"


def test_patience_changes_nothing_where_the_delimiters_are_in_doubt() -> None:
    missing = order_file(newline="\n").replace(b"*>~\n", b"*~\n", 1)
    ambiguous = with_isa({16: "*~"})
    for data in (missing, ambiguous):
        strict, patient = envelope.read(data), envelope.read(data, lenient_isa=True)
        assert [one.findings for one in strict.interchanges] == [one.findings for one in patient.interchanges]
        assert any(finding.is_error for one in strict.interchanges for finding in one.findings)


def test_patience_says_nothing_of_a_good_isa() -> None:
    assert in_findings(envelope.read(order_file(), lenient_isa=True)) == []


@pytest.mark.parametrize("delimiters", [STAR, STAR_5010, HOSTILE[0], HOSTILE[2]])
def test_a_file_cut_anywhere_is_never_mistaken_for_a_whole_one(delimiters: Delimiters) -> None:
    data = order_file(delimiters=delimiters)
    for cut in range(len(data) - 1):  # without its very last terminator an interchange is still whole
        found = in_findings(envelope.read(data[:cut]))
        control_number_cut = cut > len(data) - 10  # IEA02 itself
        assert any(finding.is_error for finding in found), (cut, control_number_cut, data[:cut][-20:])


def test_isa14_asks_for_a_ta1() -> None:
    data = order_file(header=isa(acknowledge="1"))
    assert only(data).acknowledgment_requested
    assert not only(order_file()).acknowledgment_requested


def test_only_blanks_on_the_right_of_an_address_are_padding() -> None:
    found = only(order_file(sender=" 00AB C", receiver="0042"))
    assert (found.sender.id, found.receiver.id) == (" 00AB C", "0042")


def test_the_component_separator_is_text_in_a_text() -> None:
    segments = transaction_set("850", *ORDER[:5], "PID*F****SIZE>LARGE>WIDE", *ORDER[6:])
    one = only_set(interchange(group("PO", segments)))
    assert check(one, "004010") == ()
    document, _ = read_850.read(one)
    assert document is not None
    assert document.lines[0].description == "SIZE>LARGE>WIDE"


def test_bytes_beyond_ascii_are_kept_as_they_are() -> None:
    name = "CAF\xc9 \xfc\x92S"
    segments = transaction_set("850", *ORDER[:5], f"PID*F****{name}", *ORDER[6:])
    one = only_set(interchange(group("PO", segments)))
    assert one.segments[6].encode("latin-1").endswith(b"CAF\xc9 \xfc\x92S")
    document, _ = read_850.read(one)
    assert document is not None
    assert document.lines[0].description == name


PIECES = [
    b"~", b"*", b"\n", b"\r\n", b" ", b"\t", b"GS*PO*A*B*20260301*1200*1*X*004010", b"GE*1*1", b"GE", b"X",
    b"ST*850*0001", b"SE*3*0001", b"SE", b"IEA*1*000000001", b"BEG*00*SA*1", b"N1*ST", b"ISA", b"~~",
    b"TA1*1", b"S\nT*850*2",
]  # fmt: skip
STRAYS = re.compile(r"(?:(\d+) segments stand|a segment stands) outside")


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60), st.sampled_from([STAR, *HOSTILE]))
def test_every_segment_is_in_a_set_is_an_envelope_or_is_counted_as_a_stray(
    pieces: list[bytes], delimiters: Delimiters
) -> None:
    body = (
        b"~".join(pieces).decode().translate({ord("*"): delimiters.element, ord("~"): delimiters.terminator})
    )
    data = (isa(delimiters) + body).encode("latin-1")
    found = envelope.read(data).interchanges[0]
    text = data[106 : found.end].decode("latin-1")
    for newline in delimiters.newlines:
        text = text.replace(newline, "")
    pieces_in_text = [piece.strip(delimiters.blanks or "~") for piece in text.split(delimiters.terminator)]
    segments = [piece for piece in pieces_in_text if piece]
    matches = [STRAYS.match(finding.message) for finding in found.findings]
    strays = sum(int(match[1] or 1) for match in matches if match)
    in_sets = sum(len(one.segments) for each in found.groups for one in each.sets)
    codes = [finding.code for finding in found.findings]
    closed = [F.GE_MISSING not in [finding.code for finding in each.findings] for each in found.groups]
    around = len(found.groups) + sum(closed) + len(found.ta1) + (F.IEA_MISSING not in codes)
    assert in_sets + strays + around == len(segments)
