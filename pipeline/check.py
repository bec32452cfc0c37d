"""Check: the syntax of X12 files, with every finding at its place. Needs no settings and keeps nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edi import limits
from edi.delimiters import Delimiters
from edi.envelope import FunctionalGroup, Interchange, TransactionSet, read
from edi.findings import Finding
from edi.overlay import Overlay
from pipeline.readers import found_fault, read_set
from pipeline.report import FoundFault, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFault:
    """A finding with the segment it stands in and where to put the caret."""

    fault: FoundFault
    excerpt: str = ""
    caret: tuple[int, int] = (0, 0)  # start and width within the excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """All findings of one file, and how much of it was read."""

    name: str
    sets: int
    faults: tuple[CheckedFault, ...]

    @property
    def is_faulty(self) -> bool:
        return any(checked.fault.level == "error" for checked in self.faults)

    def to_json(self) -> Json:
        return {
            "name": self.name,
            "sets": self.sets,
            "faulty": self.is_faulty,
            "findings": [
                {**checked.fault.to_json(), "place": checked.fault.place} for checked in self.faults
            ],
        }


def check_file(name: str, content: bytes, guides: Sequence[Overlay] = ()) -> CheckedFile:
    """Envelope, grammar, companion guides and document reading; everything short of the ledger."""
    reading = read(content)
    faults = [CheckedFault(fault=found_fault(finding)) for finding in reading.findings]
    sets = 0
    for interchange in reading.interchanges:
        faults += [_of_envelope(content, interchange, finding) for finding in interchange.findings]
        for group in interchange.groups:
            faults += [_of_envelope(content, interchange, finding, group) for finding in group.findings]
            sets += len(group.sets)
            faults += _of_sets(interchange, group, guides)
    return CheckedFile(name=name, sets=sets, faults=tuple(faults))


def _of_envelope(
    content: bytes, interchange: Interchange, finding: Finding, group: FunctionalGroup | None = None
) -> CheckedFault:
    """A finding about ISA, GS, GE or IEA, with the segment when it stands where the finding says."""
    start = finding.offset
    if finding.segment == "IEA" and finding.element:  # its place is the interchange's end
        start = content.rfind(b"IEA", interchange.offset, interchange.end)
    start += len(content[start : start + 4]) - len(content[start : start + 4].lstrip(b"\r\n"))
    window = content[start : start + limits.isa_bytes_max].decode("latin-1")
    segment, ended, _ = window.partition(interchange.delimiters.terminator)
    stands = bool(ended and finding.segment) and segment.startswith(finding.segment)
    excerpt, caret = _caret(finding, segment, interchange.delimiters) if stands else ("", (0, 0))
    return CheckedFault(fault=found_fault(finding, group), excerpt=excerpt, caret=caret)


def _of_sets(
    interchange: Interchange, group: FunctionalGroup, guides: Sequence[Overlay]
) -> Iterable[CheckedFault]:
    for transaction_set in group.sets:
        _, findings = read_set(group, transaction_set, guides)
        for finding in findings:
            excerpt, caret = _excerpt(finding, transaction_set)
            fault = found_fault(finding.at(interchange=interchange.control_number), group, transaction_set)
            yield CheckedFault(fault=fault, excerpt=excerpt, caret=caret)


def _excerpt(finding: Finding, transaction_set: TransactionSet) -> tuple[str, tuple[int, int]]:
    """The segment as sent and the span of the element, as far as there is one."""
    if not 1 <= finding.position <= len(transaction_set.segments):
        return "", (0, 0)
    segment = transaction_set.segments[finding.position - 1]
    return _caret(finding, segment, transaction_set.delimiters)


def _caret(finding: Finding, segment: str, delimiters: Delimiters) -> tuple[str, tuple[int, int]]:
    number = finding.element.partition("-")[0]
    parts = segment.split(delimiters.element)
    if not number.isdigit() or int(number) >= len(parts):
        return segment, (0, len(segment))
    start = sum(len(part) + 1 for part in parts[: int(number)])
    return segment, (start, max(1, len(parts[int(number)])))
