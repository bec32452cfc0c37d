"""Delimiters: found by counting, whatever they are; an ISA that is not 106 bytes is diagnosed."""

import pytest

from edi import envelope
from edi.delimiters import Delimiters, Header, find
from edi.findings import Finding, FindingCode
from tests.unit.edi.build import HOSTILE, STAR, STAR_5010, isa, order_file

TERMINATORS = (
    "\x07",
    "\x15",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x85",
    "\n",
    "\r",
    "~",
    "'",
    "!",
    "|",
    "$",
    "_",
    "\x0b",
)
SEPARATORS = ("\x07", "^", "|", "@", "\t", "\x1d", "*", "\xff")


def header(data: bytes, offset: int = 0) -> Header:
    found = find(data, offset)
    assert isinstance(found, Header), found
    return found


def messages(found: Header) -> list[tuple[FindingCode, str, str]]:
    return [(finding.code, finding.element, finding.message) for finding in found.findings]


def changed(element: int, value: str, delimiters: Delimiters = STAR) -> bytes:
    """A valid file with one ISA element of our own, its width and all."""
    parts = isa(delimiters).split(delimiters.element)
    parts[element] = value
    return order_file(delimiters=delimiters, header=delimiters.element.join(parts))


@pytest.mark.parametrize("newline", ["", "\r\n", "\n", "\r"])
@pytest.mark.parametrize("terminator", TERMINATORS)
def test_any_terminator_and_any_noise_after_it_give_the_same_set(terminator: str, newline: str) -> None:
    one = Delimiters(element="*", component=">", terminator=terminator)
    (interchange,) = envelope.read(order_file(delimiters=one, newline=newline)).interchanges
    (plain,) = envelope.read(order_file()).interchanges
    assert interchange.delimiters == one
    assert interchange.groups[0].sets[0].segments == plain.groups[0].sets[0].segments
    assert interchange.findings == interchange.groups[0].findings == ()


@pytest.mark.parametrize("separator", SEPARATORS)
def test_any_element_separator(separator: str) -> None:
    one = Delimiters(element=separator, component=">", terminator="~")
    (interchange,) = envelope.read(order_file(delimiters=one)).interchanges
    (order,) = interchange.groups[0].sets
    assert order.segments[1].split(separator)[3] == "PO-0001"
    assert (interchange.findings, order.findings) == ((), ())


@pytest.mark.parametrize("delimiters", [STAR, STAR_5010, *HOSTILE])
def test_the_header_ends_after_106_bytes(delimiters: Delimiters) -> None:
    found = header(order_file(delimiters=delimiters))
    assert (found.end, found.delimiters, found.usable, found.findings) == (106, delimiters, True, ())


def test_an_isa_that_lost_its_padding_is_named_element_by_element_and_still_read() -> None:
    found = header(changed(6, "BUYER"))
    message = "ISA06 has 5 characters, not 15"
    assert messages(found) == [(FindingCode.ISA_MALFORMED, "6", message)]
    assert found.usable
    (interchange,) = envelope.read(changed(6, "BUYER")).interchanges
    assert interchange.groups[0].sets[0].type == "850"
    assert interchange.findings[0].interchange == "000000001"


@pytest.mark.parametrize("cut", [3, 4, 50, 105])
def test_an_isa_cut_short_is_one_finding(cut: int) -> None:
    reading = envelope.read(order_file()[:cut])
    assert reading.interchanges == ()
    codes = {finding.code for finding in reading.findings}
    assert FindingCode.NO_INTERCHANGE in codes
    assert (FindingCode.ISA_MALFORMED in codes) == (cut > 3)  # "ISA" alone might be any word


EQUAL = [
    (
        Delimiters(element="*", component="*", terminator="~"),
        "both element separator and component separator",
    ),
    (
        Delimiters(element="*", component=">", terminator=">"),
        "both component separator and segment terminator",
    ),
    (Delimiters(element="*", component=">", terminator="*"), "both element separator and segment terminator"),
    (
        Delimiters(element="*", component="^", terminator="~", repetition="^"),
        "both component separator and repetition separator",
    ),
]


@pytest.mark.parametrize(("delimiters", "words"), EQUAL)
def test_equal_delimiters_are_refused_and_nothing_is_split_by_them(
    delimiters: Delimiters, words: str
) -> None:
    (interchange,) = envelope.read(order_file(delimiters=delimiters)).interchanges
    (finding,) = [one for one in interchange.findings if one.code is FindingCode.DELIMITERS]
    assert words in finding.message
    assert interchange.groups == ()


@pytest.mark.parametrize("character", ["A", "0", "z", " ", "\x00"])
def test_a_delimiter_that_is_data_is_refused(character: str) -> None:
    found = header(order_file(delimiters=Delimiters(element="*", component=character, terminator="~")))
    assert [finding.code for finding in found.findings] == [FindingCode.DELIMITERS]
    assert not found.usable


@pytest.mark.parametrize(
    ("version", "isa11", "repetition"),
    [
        ("00401", "U", ""), ("00401", "^", ""), ("00402", "^", "^"), ("00501", "^", "^"), ("00501", "U", ""),
        ("00501", "\xd8", "\xd8"), ("00501", " ", ""), ("00406", "!", "!"), ("00305", "|", ""),
    ],
)  # fmt: skip
def test_isa11_separates_repetitions_only_from_00402_on(version: str, isa11: str, repetition: str) -> None:
    parts = isa(STAR).split("*")
    parts[11], parts[12] = isa11, version
    assert header("*".join(parts).encode("latin-1")).delimiters.repetition == repetition


def test_a_missing_isa16_is_recognised_by_the_line_that_follows() -> None:
    text = order_file(newline="\n").decode().replace("*>~\n", "*~\n", 1)
    found = header(text.encode())
    assert [(finding.code, finding.element) for finding in found.findings] == [
        (FindingCode.ISA_MALFORMED, "16")
    ]


@pytest.mark.parametrize("data", [b"", b"I", b"ISA", b"ISA*", b"ISA" + b"*" * 16, b"ISA*" + b"X" * 5000])
def test_what_is_no_isa_is_a_finding(data: bytes) -> None:
    found = find(data, 0)
    assert isinstance(found, Finding)
    assert found.code is FindingCode.ISA_MALFORMED
