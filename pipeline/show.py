"""Show: any X12 file as a readable outline, as XML or as JSON. Needs no settings and keeps nothing."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import IO

from edi import tree
from edi.findings import Finding
from edi.outline import FileOutline, GroupOutline, Label, Row, SetOutline, outline
from edi.wording import printable, with_remedy
from pipeline.readers import found_fault, read_set
from pipeline.report import Json

_indent = "  "
_write_chars_min = 64 * 1024  # gathered before a write: many small ones are slow


class Show:
    """One file on its way out; `has_errors` once it was written and any finding was an error."""

    def __init__(self, name: str, data: bytes) -> None:
        self.has_errors = False
        self._name = name
        self._file = outline(data, lambda group, one: read_set(group, one)[1], self._see)

    def write_text(self, out: IO[str]) -> None:
        """An outline for people: everything indented below what it is part of."""
        _gather(out, _text(self._name, self._file))

    def write_xml(self, out: IO[bytes]) -> None:
        """XML in the form of docs/showing-files.md."""
        tree.write_xml(out, self._name, self._file)

    def write_json(self, out: IO[str]) -> None:
        """One JSON document, written set by set."""
        _gather(out, _json(self._name, self._file))

    def _see(self, findings: Iterable[Finding]) -> None:
        self.has_errors = self.has_errors or any(finding.is_error for finding in findings)


def _gather(out: IO[str], pieces: Iterator[str]) -> None:
    """Write many small pieces in few large ones."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _write_chars_min:
            out.write("".join(waiting))
            waiting, size = [], 0
    out.write("".join(waiting))


# --- text ---------------------------------------------------------------------------------------------------


def _text(name: str, file: FileOutline) -> Iterator[str]:
    yield f"{printable(name)}\n"
    yield from _sentences(file.findings, "")
    for interchange in file.interchanges:
        one = interchange.interchange
        at = f"{one.date} {one.time}, version {one.version}, usage {one.usage}"
        said = f"interchange {one.control_number} from {one.sender} to {one.receiver}, {at}"
        yield f"{printable(said)}\n"
        yield from _sentences(interchange.header.findings, _indent)
        for answer in interchange.answers:
            yield _segment(answer, _indent, "", "")
        for group in interchange.groups:
            yield from _group_text(group)


def _group_text(outline: GroupOutline) -> Iterator[str]:
    group = outline.group
    where = f"from {group.sender} to {group.receiver}, version {group.version}"
    yield f"{_indent}{printable(f'group {group.control_number}: {group.functional_id} {where}')}\n"
    yield from _sentences(outline.header.findings, _indent * 2)
    for one in outline.sets:
        what = f"{one.set.type} {one.name}".rstrip()
        yield f"{_indent * 2}{printable(f'{what}, control number {one.set.control_number}')}\n"
        component, repetition = one.set.delimiters.component, one.set.delimiters.repetition
        for row in one.rows:
            for depth, loop in enumerate(row.begun, row.depth - len(row.begun)):
                yield f"{_indent * (depth + 3)}{loop.id} loop: {loop.name}\n"
            indent = _indent * (row.depth + 3)
            yield _segment(row, indent, component, repetition)
            if row.findings:
                yield from _sentences(row.findings, indent + _indent)
        yield from _sentences(one.rest, _indent * 3)


def _segment(row: Row, indent: str, component: str, repetition: str) -> str:
    """A segment and its elements, a line each."""
    heading, values = row.heading, row.values
    # One look at all values says mostly that none needs a closer one.
    shown = str if "".join(values).isprintable() else printable
    lines = [f"{indent}{printable(heading.tag)} {heading.name}".rstrip()]
    indent += _indent
    for label, value in heading.fields(values, repetition):
        if label.parts:
            lines += [f"{indent}{_element(part, one, shown)}" for part, one in label.fields(value, component)]
        else:
            lines.append(f"{indent}{_element(label, value, shown)}")
    return "\n".join(lines) + "\n"


def _element(label: Label, value: str, shown: Callable[[str], str]) -> str:
    if label.words and value in label.words:
        return f"{label.lead}{value} ({label.words[value]})"
    return label.lead + shown(value)


def _sentences(findings: Iterable[Finding], indent: str) -> Iterator[str]:
    for finding in findings:
        yield f"{indent}!! {finding.level.value}: {with_remedy(finding.message, finding.code.remedy)}\n"


# --- JSON ---------------------------------------------------------------------------------------------------


def _json(name: str, file: FileOutline) -> Iterator[str]:
    """The braces are written here, so that never more than a set is held."""
    findings = json.dumps(findings_json(file.findings))
    yield f'{{"file": {json.dumps(name)}, "findings": {findings}, "interchanges": ['
    for number, interchange in enumerate(file.interchanges):
        yield ",\n" if number else "\n"
        head = [row_json(interchange.header), *map(row_json, interchange.answers)]
        yield f'{{"segments": {json.dumps(head)}, "groups": ['
        for at, group in enumerate(interchange.groups):
            yield ",\n" if at else "\n"
            yield f'{{"segments": {json.dumps([row_json(group.header)])}, "sets": ['
            for ordinal, one in enumerate(group.sets):
                yield ",\n" if ordinal else "\n"
                yield json.dumps(_set(one))
            yield f'], "trailer": {json.dumps(row_json(group.trailer))}}}'
        yield f'], "trailer": {json.dumps(row_json(interchange.trailer))}}}'
    yield "]}\n"


def _set(outline: SetOutline) -> Json:
    marks = outline.set.delimiters
    loops: list[str] = []
    segments = []
    for row in outline.rows:
        del loops[len(loops) - row.ended :]
        loops += [loop.id for loop in row.begun]
        segments.append({**row_json(row, marks.component, marks.repetition), "loops": loops.copy()})
    return {
        "type": outline.set.type,
        "name": outline.name,
        "control_number": outline.set.control_number,
        "segments": segments,
        "findings": findings_json(outline.rest),
    }


def row_json(row: Row | None, component: str = "", repetition: str = "") -> Json:
    """A segment with the names of its elements, and what is wrong with it."""
    if row is None:
        return {}
    elements = []
    for label, value in row.heading.fields(row.values, repetition):
        for part, one in label.fields(value, component) if label.parts else ((label, value),):
            means = {"means": part.words[one]} if one in part.words else {}
            elements.append({"id": part.id, "name": part.name, "value": one, **means})
    return {
        "id": row.heading.tag,
        "name": row.heading.name,
        "elements": elements,
        "findings": findings_json(row.findings),
    }


def findings_json(findings: Iterable[Finding]) -> list[Json]:
    """Findings as reports have them."""
    return [found_fault(finding).to_json() for finding in findings]
