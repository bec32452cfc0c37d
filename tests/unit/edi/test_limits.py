"""Limits: each holds at n and not at n + 1; what lies beyond is an error, never left unsaid."""

from collections.abc import Iterator

import pytest

from edi import envelope, limits
from edi.delimiters import Delimiters
from edi.findings import Finding, FindingCode
from tests.unit.edi.build import ORDER, group, interchange, order_file, transaction_set

F = FindingCode


def findings(data: bytes) -> Iterator[Finding]:
    """Every finding of a file: of what lies outside, then per interchange, group and set."""
    reading = envelope.read(data)
    yield from reading.findings
    for one in reading.interchanges:
        yield from one.findings
        for each in one.groups:
            yield from each.findings
            for inside in each.sets:
                yield from inside.findings


def is_beyond(data: bytes) -> bool:
    return any(finding.code is F.LIMIT for finding in findings(data))


def orders(number: int) -> list[list[str]]:
    return [transaction_set("850", *ORDER, control_number=f"{n:04}") for n in range(number)]


def with_delimiters(number: int) -> bytes:
    """Interchanges that each have a terminator of their own."""
    return b"".join(
        order_file(delimiters=Delimiters(element="*", component=">", terminator=chr(0xC0 + n)))
        for n in range(number)
    )


# limit, what to set it to, a file that keeps it, a file that does not
CASES = [
    ("file_bytes_max", len(order_file()), order_file(), order_file() + b"\n"),
    ("interchanges_per_file_max", 2, order_file() * 2, order_file() * 3),
    ("delimiters_per_file_max", 3, with_delimiters(3), with_delimiters(4)),
    (
        "groups_per_file_max",
        2,
        interchange(*[group("PO", *orders(1), control_number=str(n)) for n in (1, 2)]),
        order_file() * 3,
    ),
    ("sets_per_file_max", 3, interchange(group("PO", *orders(3))), interchange(group("PO", *orders(4)))),
    ("sets_per_file_max", 3, order_file() * 3, order_file() * 4),
    (
        "segments_per_set_max",
        len(ORDER) + 2,
        order_file(),
        interchange(group("PO", transaction_set("850", *ORDER, "NTE**A"))),
    ),
    (
        "segment_bytes_max",
        200,
        interchange(group("PO", transaction_set("850", *ORDER, "NTE**" + "A" * 195))),
        interchange(group("PO", transaction_set("850", *ORDER, "NTE**" + "A" * 196))),
    ),
    (
        "elements_per_segment_max",
        40,
        interchange(group("PO", transaction_set("850", *ORDER, "NTE" + "*" * 40))),
        interchange(group("PO", transaction_set("850", *ORDER, "NTE" + "*" * 41))),
    ),
]


@pytest.mark.parametrize(("name", "bound", "within", "beyond"), CASES)
def test_a_limit_holds_at_n_and_not_at_n_plus_one(
    name: str, bound: int, within: bytes, beyond: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, name, bound)
    assert not is_beyond(within)
    assert is_beyond(beyond)


def test_line_ends_do_not_count_towards_a_segments_length(monkeypatch: pytest.MonkeyPatch) -> None:
    data = interchange(group("PO", transaction_set("850", *ORDER, "NTE**" + "A" * 195)))
    wrapped = b"\r\n".join(data[at : at + 80] for at in range(0, len(data), 80))
    monkeypatch.setattr(limits, "segment_bytes_max", 200)
    assert not is_beyond(wrapped)


def test_a_set_with_too_many_segments_shows_only_its_st(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "segments_per_set_max", 3)
    (one,) = envelope.read(order_file()).interchanges[0].groups[0].sets
    assert one.segments == ("ST*850*0001",)
    assert one.findings[-1].message == "the set has 10 segments, more than 3"


@pytest.mark.parametrize("left", range(7))
def test_a_fault_beyond_the_files_findings_is_still_an_error(
    left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three sets with a wrong SE02, the group with a wrong GE01, the interchange with a wrong IEA01."""
    sets = orders(4)
    for one in sets[:3]:
        one[-1] = "SE*10*9999"
    data = interchange(group("PO", *sets)).replace(b"GE*4*", b"GE*9*").replace(b"IEA*1*", b"IEA*7*")
    monkeypatch.setattr(limits, "findings_per_file_max", left)
    (found,) = envelope.read(data).interchanges
    kept = [found.findings, found.groups[0].findings, *[one.findings for one in found.groups[0].sets]]
    assert [any(finding.is_error for finding in one) for one in kept] == [True] * 5 + [False]
    assert sum(finding.code is not F.LIMIT for one in kept for finding in one) == min(left, 5)


def test_an_interchange_lists_its_first_faults_and_says_that_there_are_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strays = interchange(*[["N1*ST"], group("PO", *orders(1), control_number="1")] * 9)
    monkeypatch.setattr(limits, "findings_per_interchange_max", 4)
    (found,) = envelope.read(strays).interchanges
    assert [finding.code for finding in found.findings] == [F.GROUP_STRUCTURE] * 4 + [F.LIMIT]
