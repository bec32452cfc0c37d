"""Check: the syntax of X12 files, with every finding at its place. Needs no settings and keeps nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from edi.envelope import FunctionalGroup, Interchange, TransactionSet, read
from edi.findings import Finding
from pipeline.report import FoundFault, Json
from pipeline.sets import found_fault, read_set


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


def check_file(name: str, content: bytes) -> CheckedFile:
    """Envelope, grammar and document reading; everything short of the ledger."""
    reading = read(content)
    faults = [CheckedFault(fault=found_fault(finding)) for finding in reading.findings]
    sets = 0
    for interchange in reading.interchanges:
        faults += [CheckedFault(fault=found_fault(finding)) for finding in interchange.findings]
        for group in interchange.groups:
            faults += [CheckedFault(fault=found_fault(finding, group)) for finding in group.findings]
            sets += len(group.sets)
            faults += _of_sets(interchange, group)
    return CheckedFile(name=name, sets=sets, faults=tuple(faults))


def _of_sets(interchange: Interchange, group: FunctionalGroup) -> Iterable[CheckedFault]:
    for transaction_set in group.sets:
        _, findings = read_set(group, transaction_set)
        for finding in findings:
            excerpt, caret = _excerpt(finding, transaction_set)
            fault = found_fault(finding.at(interchange=interchange.control_number), group, transaction_set)
            yield CheckedFault(fault=fault, excerpt=excerpt, caret=caret)


def _excerpt(finding: Finding, transaction_set: TransactionSet) -> tuple[str, tuple[int, int]]:
    """The segment as sent and the span of the element, as far as there is one."""
    if not 1 <= finding.position <= len(transaction_set.segments):
        return "", (0, 0)
    segment = transaction_set.segments[finding.position - 1]
    number = finding.element.partition("-")[0]
    parts = segment.split(transaction_set.delimiters.element)
    if not number.isdigit() or int(number) >= len(parts):
        return segment, (0, len(segment))
    start = sum(len(part) + 1 for part in parts[: int(number)])
    return segment, (start, max(1, len(parts[int(number)])))
