"""Readers: a transaction set becomes a typed document, held against its map and the partners' guides."""

from collections.abc import Callable, Mapping, Sequence

from edi import read_824, read_850, read_855, read_856, read_860, read_865, read_870, read_997
from edi.documents import Document, Reply
from edi.envelope import FunctionalGroup, TransactionSet
from edi.findings import Finding, FindingCode
from edi.guide import check
from edi.overlay import Overlay, choose
from pipeline.report import FoundFault

Reader = Callable[[TransactionSet], tuple[Document | Reply | None, tuple[Finding, ...]]]

#: The sets that are read. Others with a map are checked, acknowledged and left without effect.
READERS: Mapping[str, Reader] = {
    "824": read_824.read,
    "850": read_850.read,
    "855": read_855.read,
    "856": read_856.read,
    "860": read_860.read,
    "865": read_865.read,
    "870": read_870.read,
    "997": read_997.read,
    "999": read_997.read,
}


def read_set(
    group: FunctionalGroup, transaction_set: TransactionSet, guides: Sequence[Overlay] = ()
) -> tuple[Document | Reply | None, tuple[Finding, ...]]:
    """What a set says, None when it says nothing we read or cannot be used; and every finding about it."""
    findings = transaction_set.findings
    if any(finding.code is FindingCode.VERSION_UNSUPPORTED for finding in group.findings):
        return None, findings
    release = group.map_release
    guide = choose(guides, transaction_set.type, release)
    findings += check(transaction_set, release, guide, short_dates=group.has_short_dates)
    reader = READERS.get(transaction_set.type)
    if reader is None or any(finding.is_error for finding in findings):
        return None, findings
    document, more = reader(transaction_set)
    findings += more
    return (None if any(finding.is_error for finding in more) else document), findings


def found_fault(
    finding: Finding, group: FunctionalGroup | None = None, transaction_set: TransactionSet | None = None
) -> FoundFault:
    """A finding for reports, with its place in words."""
    named = (
        ("group", finding.group or (group.control_number if group else "")),
        ("set", finding.set or (transaction_set.control_number if transaction_set else "")),
        ("segment", f"{finding.position} ({finding.segment})" if finding.position else finding.segment),
        ("element", finding.element),
    )
    return FoundFault(
        code=finding.code.slug,
        level=finding.level.value,
        segment=finding.segment,
        position=finding.position,
        element=finding.element,
        value=finding.value,
        message=finding.message,
        remedy=finding.code.remedy,
        place=", ".join(f"{word} {value}" for word, value in named if value),
    )
