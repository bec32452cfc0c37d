"""Tree: X12 as XML for people and tools, and our own XML files held against their schemas. The home of lxml.

No entity is resolved, no DTD loaded, no connection opened.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from lxml import etree

from edi.findings import Finding
from edi.outline import FileOutline, Label, Row, SetOutline
from edi.wording import printable, with_remedy

_maps = Path(__file__).parent / "maps"
_file_bytes_max = 16 * 1024 * 1024  # our widest map has half a megabyte
_lines_shown_max = 50
_forms_max = 10_000
_indent = "  "

_unwritable = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # XML 1.0 has no way to say these


@dataclass(frozen=True, slots=True)
class Node:
    """An XML element without text: name, attributes, line in its file, children."""

    name: str
    attributes: Mapping[str, str]
    line: int
    children: tuple["Node", ...]


def check_map(path: Path) -> tuple[str, ...]:
    """What a file below maps/ has that its schema does not allow: "004010/850.xml:123: ..."; () when good."""
    name = "/".join(path.parts[-2:])
    return _parse(path, "map", name)[1]


def read(path: Path, schema: str) -> tuple[Node | None, tuple[str, ...]]:
    """The file's root when it is as the schema (a file of maps/) asks, else None and what is wrong where."""
    root, problems = _parse(path, schema, str(path))
    return (_node(root) if root is not None else None), problems


def _parse(path: Path, schema: str, name: str) -> tuple["etree._Element | None", tuple[str, ...]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, (f"{name}: it cannot be read: {error.strerror}. Check the path and its permissions.",)
    if len(data) > _file_bytes_max:
        return None, (f"{name}: it has {len(data)} bytes, more than {_file_bytes_max}. Make it smaller.",)
    if (at := data.find(b"<!DOCTYPE")) >= 0:
        line = data.count(b"\n", 0, at) + 1
        return None, (f"{name}:{line}: it has a DOCTYPE, which is not read. Remove it and every entity.",)
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        return None, (f"{name}:{line}: it is not well-formed XML: {error.msg}. Correct the file there.",)
    validator = _schema(schema)
    if validator.validate(root):
        return root, ()
    return None, tuple(
        f"{name}:{one.line}: {one.message}" for one in list(validator.error_log)[:_lines_shown_max]
    )


def _parser() -> etree.XMLParser:
    """The only XML parser: no entities, no DTD, no network, no huge trees (256 levels, 10 MB of one text)."""
    return etree.XMLParser(
        # Set, or the search for DOCTYPE could be led past it by an encoding declared in the file.
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


@lru_cache(maxsize=2)
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring((_maps / f"{name}.xsd").read_bytes(), _parser()))


def _node(element: "etree._Element") -> Node:
    return Node(
        name=str(element.tag),
        attributes={str(key): str(value) for key, value in element.attrib.items()},
        line=element.sourceline or 0,
        children=tuple(_node(child) for child in element),
    )


def write_xml(out: IO[bytes], name: str, file: FileOutline) -> None:
    """Write a file's outline as XML, UTF-8, in the form of docs/showing-files.md, a segment at a time."""
    with etree.xmlfile(out, encoding="utf-8") as xml:
        xml.write_declaration()
        writer = _Writer(xml)
        writer.begin("x12", {"file": printable(name)})
        writer.findings(file.findings)
        for interchange in file.interchanges:
            writer.begin("interchange", {})
            for row in (interchange.header, *interchange.answers):
                writer.row(row, "", "")
            for group in interchange.groups:
                writer.begin("group", {})
                writer.row(group.header, "", "")
                for one in group.sets:
                    writer.set(one)
                writer.row(group.trailer, "", "")
                writer.end()
            writer.row(interchange.trailer, "", "")
            writer.end()
        writer.end()


class _Form:
    """The XML of a segment in which exactly certain elements are filled; only their texts change."""

    __slots__ = ("elements", "segment")

    def __init__(self, row: Row, level: int) -> None:
        self.segment = etree.Element(row.heading.tag, {"name": row.heading.name})
        self.elements: list[tuple[etree._Element, Label]] = []
        for label, _ in row.heading.fields(row.values, ""):
            self.elements.append((etree.SubElement(self.segment, label.id, label.attributes), label))
        _lay_out(self.segment, level)


class _Writer:
    """Writes element by element; knows how deep it is."""

    def __init__(self, xml: Any) -> None:
        self._xml = xml
        self._open: list[Any] = []
        self._forms: dict[tuple[object, ...], _Form] = {}

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if self._open:
            self._xml.write("\n" + _indent * len(self._open))
        element = self._xml.element(name, attributes)
        element.__enter__()
        self._open.append(element)

    def end(self) -> None:
        element = self._open.pop()
        self._xml.write("\n" + _indent * len(self._open))
        element.__exit__(None, None, None)

    def set(self, outline: SetOutline) -> None:
        attributes = {"type": printable(outline.set.type)}
        self.begin("set", attributes | ({"name": outline.name} if outline.name else {}))
        outside = len(self._open)
        component, repetition = outline.set.delimiters.component, outline.set.delimiters.repetition
        for row in outline.rows:
            for _ in range(row.ended):
                self.end()
            for loop in row.begun:
                self.begin(f"{loop.id}_LOOP", {"name": loop.name})
            self.row(row, component, repetition)
        while len(self._open) > outside:
            self.end()
        self.findings(outline.rest)
        self.end()

    def row(self, row: Row | None, component: str, repetition: str) -> None:
        """A segment, and behind it what is wrong with it."""
        if row is None:
            return
        if not (row.heading.is_simple and self._write_form(row)):
            self._write(_segment(row, component, repetition))
        if row.findings:
            self.findings(row.findings)

    def findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            attributes = {"code": finding.code.slug, "level": finding.level.value}
            if finding.element:
                attributes["element"] = finding.element
            if finding.guide:
                attributes["guide"] = printable(finding.guide)
            element = etree.Element("finding", attributes)
            element.text = with_remedy(finding.message, finding.code.remedy)
            self._write(element)

    def _write_form(self, row: Row) -> bool:
        """Write a segment by filling in a form, which is far quicker; False when it has what no form has."""
        if len(row.values) > row.heading.elements:
            return False
        level = len(self._open)
        key = (row.heading, level, *map(bool, row.values))
        form = self._forms.get(key)
        if form is None:
            if len(self._forms) >= _forms_max:  # what is filled is the sender's to choose
                self._forms.clear()
            form = self._forms[key] = _Form(row, level)
        values = filter(None, row.values)
        try:
            for (element, label), value in zip(form.elements, values, strict=True):
                element.text = value
                if label.words:
                    element.attrib.pop("means", None)
                    if value in label.words:
                        element.set("means", label.words[value])
        except ValueError:  # lxml refuses what XML cannot hold
            return False
        self._xml.write("\n" + _indent * level)
        self._xml.write(form.segment)
        return True

    def _write(self, element: "etree._Element") -> None:
        level = len(self._open)
        if not element.text:
            _lay_out(element, level)
        self._xml.write("\n" + _indent * level)
        self._xml.write(element)


def _lay_out(element: "etree._Element", level: int) -> None:
    """Each child on a line of its own; what is inside the children stays as it is, white space too."""
    inner = "\n" + _indent * (level + 1)
    for child in element:
        child.tail = inner
    if len(element):
        element.text = inner
        element[-1].tail = "\n" + _indent * level


def _segment(row: Row, component: str, repetition: str) -> "etree._Element":
    """A segment of whatever shape."""
    heading = row.heading
    if heading.is_tag:
        segment = etree.Element(heading.tag, {"name": heading.name} if heading.name else {})
    else:
        segment = etree.Element("segment")
        _put(etree.SubElement(segment, "tag"), heading.tag)
    for label, value in heading.fields(row.values, repetition):
        element = etree.SubElement(segment, label.id, label.attributes)
        if not label.parts:
            _fill(element, label, value)
            continue
        for part, one in label.fields(value, component):
            _fill(etree.SubElement(element, part.id, part.attributes), part, one)
    return segment


def _fill(element: "etree._Element", label: Label, value: str) -> None:
    if value in label.words:
        element.set("means", label.words[value])
    _put(element, value)


def _put(element: "etree._Element", text: str) -> None:
    """Text with each character that XML cannot hold as <char code="07"/>, so that none is lost."""
    pieces = _unwritable.split(text)
    element.text = pieces[0]
    for character, following in zip(_unwritable.findall(text), pieces[1:], strict=True):
        char = etree.SubElement(element, "char", {"code": f"{ord(character):02x}"})
        char.tail = following
