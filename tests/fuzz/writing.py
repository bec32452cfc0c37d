"""Properties of writing: whatever comes in, what goes out is flawless and says the same."""

from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings

from edi import envelope, guide, read_997, write_997, write_ta1
from edi.documents import ApplicationAdvice, FunctionalAcknowledgment
from edi.envelope import FunctionalGroup, Interchange
from edi.set_body import UnwritableError
from pipeline.readers import read_set
from tests.fuzz.reading import Kind, sets_of
from tests.unit.edi.outgoing import AT, NUMBERS, RELEASES
from tests.unit.edi.test_guide_oracle import judge
from tests.unit.edi.test_write_documents import ANYTHING, READERS, WRITERS, set_of, write

ECHOED = {("AK1", "1"), ("AK1", "2"), ("AK2", "1"), ("AK2", "2")}
FILLED = ("*", ">")  # the delimiters that the oracle reads


def check_answers(data: bytes) -> Kind:
    """TA1 and 997 for anything that was read: flawless themselves, and with the verdicts we meant."""
    kinds: set[str] = set()
    for interchange in envelope.read(data).interchanges:
        answer = alone(write_ta1.write(interchange, numbers=NUMBERS, at=AT))
        assert len(answer.ta1) == 1
        kinds.add("TA1 " + "*".join(answer.ta1[0].split("*")[-2:]))
        for group in interchange.groups:
            if group.functional_id != "FA":
                kinds.add(check_997(interchange, group))
    return frozenset(kinds)


def alone(written: bytes) -> Interchange:
    """The one interchange of a file without any finding in its envelopes."""
    reading = envelope.read(written)
    (interchange,) = reading.interchanges
    assert (reading.findings, interchange.findings) == ((), ())
    return interchange


def check_997(interchange: Interchange, group: FunctionalGroup) -> str:
    """The 997 of one group, read back."""
    found = [(*one.findings, *guide.check(one, group.map_release)) for one in group.sets]
    written = write_997.write(interchange, group, found, numbers=NUMBERS, at=AT)
    (answering,) = alone(written).groups
    (one,) = answering.sets
    assert (answering.findings, one.findings) == ((), ())
    if wrong := guide.check(one, answering.release):
        # What its sender must know again is repeated as sent, wrong length and all (write_envelope.echo).
        assert {(finding.segment, finding.element) for finding in wrong} <= ECHOED, (wrong, written)
        return "997 with the sender's own fault"
    document, findings = read_997.read(one)
    assert isinstance(document, FunctionalAcknowledgment), findings
    assert document.verdict == write_997.group_verdict(group, found)
    assert len(document.sets) == len(group.sets)
    failed = any(finding.is_error for finding in group.findings)
    for answered, of_set in zip(document.sets, found, strict=True):
        assert answered.verdict == ("R" if failed else write_997.set_verdict(of_set))
    return "997 " + document.verdict + "".join(sorted({answered.verdict for answered in document.sets}))


def check_rewrite(data: bytes) -> Kind:
    """A document that was read can be written, or is refused by UnwritableError; and says the same again."""
    kinds: set[str] = set()
    for group, one in sets_of(envelope.read(data)):
        document, _ = read_set(group, one)
        if type(document) in WRITERS:
            for release in RELEASES:
                kinds.add(f"{one.type} {check_round(document, release)}")
    return frozenset(kinds)


def check_round(document: Any, release: str) -> str:
    """Written, read and written again: the same bytes, and the same order, lines and quantities."""
    try:
        written = write(document, release)
    except UnwritableError as error:
        return "unwritable " + str(error)[:3]
    read, findings = READERS[type(document)](set_of(written, release))
    assert findings == ()
    assert write(read, release) == written
    if isinstance(document, ApplicationAdvice):
        assert len(read.transactions) == len(document.transactions)
        return "written"
    assert is_known_again(document.po_number, read.po_number)
    assert [line.quantity for line in read.lines] == [line.quantity for line in document.lines]
    for line, sent in zip(read.lines, document.lines, strict=True):
        assert getattr(line, "change", "") == getattr(sent, "change", "")
        spoken = [(ack.status, ack.quantity) for ack in line.acknowledgments]
        assert spoken == [(ack.status, ack.quantity) for ack in sent.acknowledgments]
    return f"written {len(read.lines)}"


def check_writers(data: bytes) -> Kind:
    """Documents drawn by Hypothesis, its choices taken from the bytes."""
    fuzzers = _fuzzers()
    fuzzers[data[0] % len(fuzzers) if data else 0](data[1:])
    return frozenset()


@cache
def _fuzzers() -> list[Callable[[bytes], object]]:
    return [_fuzzer(set_type, release) for set_type in sorted(ANYTHING) for release in RELEASES]


def _fuzzer(set_type: str, release: str) -> Callable[[bytes], object]:
    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ANYTHING[set_type])
    def check(document: Any) -> None:
        check_round(document, release)

    fuzz: Callable[[bytes], object] = vars(check)["hypothesis"].fuzz_one_input
    return fuzz


def check_oracle(data: bytes) -> Kind:
    """Our verdict is never laxer than that of pyx12's walker, but for the differences that are listed."""
    kinds: set[str] = set()
    for group, one in sets_of(envelope.read(data)):
        delimiters = one.delimiters
        known = guide.guide_for(group.release, one.type) is not None
        if known and (delimiters.element, delimiters.component) == FILLED:
            kinds.add(f"{one.type} {judge(group.release, one.segments)}")
    return frozenset(kinds)


def is_known_again(name: str, said: str) -> bool:
    """Whether the letters and digits that every character set has are said, in their order."""
    left = iter(said)
    return all(one in left for one in name if one.isascii() and one.isalnum())
