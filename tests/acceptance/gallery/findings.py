"""Entries about findings: for each code the sample that shows it best, its excerpt, and its answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

from rich.console import Console

from edi.findings import FindingCode
from pipeline.check import CheckedFault, CheckedFile, check_file
from pipeline.report import FileReport, FoundFault
from pipeline.screen import show_checked
from tests.acceptance.gallery.hub import HISTORIES, SAMPLES, Hub, Told, history

#: What a group at its own level, its sets, and their segments are answered by, as far as it says something.
NOTES = ("AK1", "AK2", "AK3", "AK4", "AK5", "AK9", "TA1")

#: The documents everybody knows are shown first.
_KINDS = ("PO850", "PR855", "SH856")

_WIDE = 10_000  # no line of a page is broken by the terminal it was made in


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """One finding code, shown."""

    code: FindingCode
    file: Path
    shown: str  # as `countermand check` prints it
    level: str
    told: Told

    @property
    def answer(self) -> tuple[str, ...]:
        """The segments that answer it."""
        return tuple(self.told.segments(*NOTES))


def finding_entries(hub: Hub) -> tuple[FindingEntry, ...]:
    """One entry for each code that a sample shows, in the order of the codes."""
    best = {**samples(), **histories()}
    return tuple(_entry(hub, code, best[code.slug]) for code in FindingCode if code.slug in best)


def samples() -> Mapping[str, Path]:
    """By slug the sample of a release that shows least besides it; one that passes shows warnings only."""
    best: dict[str, tuple[tuple[int, int, int], Path]] = {}
    for path in sorted(SAMPLES.glob("[0-9]*/*/*/*.edi")):
        faults = check_file(path.name, path.read_bytes()).faults
        kind = path.parts[-3]
        known = _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
        mark = (len({one.fault.code for one in faults}), known, len(faults))
        passes = path.parent.name == "pass"
        for fault in faults:
            slug = fault.fault.code
            if (slug not in best or mark < best[slug][0]) and (fault.fault.level == "error") != passes:
                best[slug] = (mark, path)
    return {slug: path for slug, (_, path) in best.items()}


def histories() -> Mapping[str, Path]:
    """By slug the history of what only a hub with partners can find; they are numbered 00."""
    found = (history(folder) for folder in HISTORIES)
    return {one.slug: one.folder for one in found if one.number == 0}


def _entry(hub: Hub, code: FindingCode, place: Path) -> FindingEntry:
    told = hub.tell(history(place)) if place.is_dir() else hub.send(place)
    file = history(place).files[-1] if place.is_dir() else place
    checked = check_file(file.name, file.read_bytes())
    faults = [fault for fault in checked.faults if fault.fault.code == code.slug]
    if not faults:
        faults = [_with_excerpt(fault, file) for fault in _reported(told.last) if fault.code == code.slug]
    return FindingEntry(code, file, _printed(checked, faults[:1]), faults[0].fault.level, told)


def _reported(report: FileReport) -> Sequence[FoundFault]:
    """Every fault of a file as the hub found it."""
    found = [*report.findings]
    for interchange in report.interchanges:
        found += [*interchange.findings, *(fault for one in interchange.sets for fault in one.findings)]
    return found


def _with_excerpt(fault: FoundFault, file: Path) -> CheckedFault:
    """What the hub found stands in one of the segments of its file, which all end in ~."""
    segments = re.findall(r"[A-Z][A-Z0-9]+\*[^~]*", file.read_text(encoding="latin-1"))
    excerpt = next(segment for segment in segments if segment.startswith(fault.segment))
    start = 0
    if fault.element:
        parts = excerpt.split("*")
        start = sum(len(part) + 1 for part in parts[: int(fault.element)])
    width = len(excerpt) if not start else len(excerpt[start:].partition("*")[0])
    return CheckedFault(fault=fault, excerpt=excerpt, caret=(start, width))


def _printed(checked: CheckedFile, faults: Sequence[CheckedFault]) -> str:
    """Only these faults, as the command prints them, without the line about the file."""
    text = StringIO()
    show_checked(Console(file=text, width=_WIDE), [replace(checked, faults=tuple(faults))])
    return text.getvalue().partition("\n\n")[2].rstrip("\n")
