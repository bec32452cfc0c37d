"""Properties of reading: envelope, guide, outline and XML, redaction, for any bytes at all.

Each check takes a file and answers what kind of file it was, for the fuzzer to tell new ones from old ones.
AssertionError where a property does not hold.
"""

from collections import Counter
from io import BytesIO, StringIO

from lxml import etree

from edi import envelope, faults, limits
from edi.delimiters import Delimiters, Header, find
from edi.envelope import FunctionalGroup, Interchange, Reading, TransactionSet, content_hash_of_set
from edi.findings import Finding, FindingCode
from edi.guide import Verdict, check, guide_for
from edi.outline import Row, outline
from edi.redact import redact
from pipeline.readers import read_set
from pipeline.show import Show
from tests.fuzz.overlays import OVERLAYS

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Kind = frozenset[str]
#: Component and repetition separator, and the elements of a set's segments.
Said = tuple[tuple[str, str], list[list[str]]]


def sets_of(reading: Reading) -> list[tuple[FunctionalGroup, TransactionSet]]:
    """Every set of a file with its group."""
    groups = [group for interchange in reading.interchanges for group in interchange.groups]
    return [(group, one) for group in groups for one in group.sets]


def envelope_findings(reading: Reading) -> list[Finding]:
    """What is said of the file, its interchanges, groups and sets, without their content."""
    found = list(reading.findings)
    for interchange in reading.interchanges:
        found += interchange.findings
        for group in interchange.groups:
            found += group.findings
            for one in group.sets:
                found += one.findings
    return found


# --- envelope -----------------------------------------------------------------------------------------------


def check_envelope(data: bytes) -> Kind:
    """Strictly and leniently: every byte is accounted for, and the two differ in nothing but the padding."""
    strict, lenient = envelope.read(data), envelope.read(data, lenient_isa=True)
    for reading in (strict, lenient):
        check_bytes_outside(data, reading)
        for interchange in reading.interchanges:
            check_segments_inside(data, interchange)
    assert [(one.offset, one.end) for one in strict.interchanges] == [
        (one.offset, one.end) for one in lenient.interchanges
    ]
    one, other = (Counter(named(reading)) for reading in (strict, lenient))
    assert one == other, (one - other, other - one)
    hashes: dict[str, Said] = {}
    for _, one_set in sets_of(strict):
        check_content_hash(one_set, hashes)
    check_written_again(data, strict)
    return frozenset(finding.code.slug for finding in envelope_findings(strict))


def named(reading: Reading) -> list[str]:
    """The findings' codes, lost padding being the same fault in either reading."""
    padding = FindingCode.ISA_PADDING, FindingCode.ISA_MALFORMED
    found = envelope_findings(reading)
    return ["padding" if finding.code in padding else finding.code.slug for finding in found]


def check_bytes_outside(data: bytes, reading: Reading) -> None:
    """Between interchanges there is white space, or text that is named."""
    position, left = 0, bytearray(data)
    for interchange in reading.interchanges:
        assert position <= interchange.offset < interchange.end <= len(data)
        left[interchange.offset : interchange.end] = b" " * (interchange.end - interchange.offset)
        position = interchange.end
    named_at = {finding.offset for finding in reading.findings}
    for start, end in reading.outside:
        assert 0 <= start < end <= len(data)
        assert start in named_at or len(reading.findings) > limits.findings_outside_max
        left[start:end] = b" " * (end - start)
    assert bytes(left).replace(BYTE_ORDER_MARK, b"").strip(b" \t\r\n") == b""


def segments_between(data: bytes, start: int, end: int, marks: Delimiters) -> list[str]:
    """The segments of a stretch, cut the plainest way there is."""
    text, blanks = data[start:end].decode("latin-1"), marks.blanks
    text = text.translate(dict.fromkeys(map(ord, marks.newlines)))
    return [part for part in [part.strip(blanks) for part in text.split(marks.terminator)] if part]


def check_segments_inside(data: bytes, interchange: Interchange) -> None:
    """Every segment is an envelope segment, one of a set, or one of those a finding counts as strays."""
    header = find(data, interchange.offset)
    assert isinstance(header, Header)
    if not header.usable or any(one.code is FindingCode.LIMIT for one in interchange.findings):
        assert any(finding.is_error for finding in interchange.findings)
        return
    codes = [finding.code for finding in interchange.findings]
    counted = len(interchange.ta1) + (FindingCode.IEA_MISSING not in codes)
    for group in interchange.groups:
        counted += 1 + all(finding.code is not FindingCode.GE_MISSING for finding in group.findings)
        counted += sum(len(one.segments) for one in group.sets)
    for finding in interchange.findings:
        if finding.code is FindingCode.GROUP_STRUCTURE:
            number = finding.message.split(" ")[0]
            counted += int(number) if number.isdigit() else 1
    every = segments_between(data, header.end, interchange.end, interchange.delimiters)
    assert counted == len(every), (counted, len(every))
    rest = iter(every)
    for group in interchange.groups:
        for one in group.sets:
            assert all(segment in rest for segment in one.segments), "segments changed or out of order"


def check_content_hash(one: TransactionSet, hashes: dict[str, Said]) -> None:
    """Equal for the same content in other delimiters; of one file's sets, equal only for equal contents."""
    marks, text = one.delimiters, "".join(one.segments)
    unused = (chr(number) for number in range(0xA1, 0x100) if chr(number) not in text)
    try:
        other = Delimiters(
            element=next(unused),
            component=next(unused),
            terminator=next(unused),
            repetition=next(unused) if marks.repetition else "",
        )
    except StopIteration:
        return
    table = {ord(marks.element): other.element, ord(marks.component): other.component}
    if marks.repetition:
        table[ord(marks.repetition)] = other.repetition
    moved = TransactionSet(
        type=one.type,
        control_number="x",
        delimiters=other,
        segments=tuple(segment.translate(table) for segment in one.segments),
        offset=0,
        findings=(),
    )
    found = content_hash_of_set(one)
    assert content_hash_of_set(moved) == found
    said = [text.rstrip(marks.element).split(marks.element) for text in one.segments[1:]]
    if said and said[-1][0] == "SE":
        said.pop()
    # A lone segment of separators only, which no guide accepts, counts as nothing.
    plain = (marks.component, marks.repetition), [] if said == [[""]] else said
    known = hashes.setdefault(found, plain)
    assert known == plain or known[0] != plain[0]


def check_written_again(data: bytes, reading: Reading) -> None:
    """write(read(x)) == x for a file without a finding.

    That is: its segments as the outline has them, elements joined by the separator and segments ended by the
    terminator, are the file's bytes without CR and LF (unless those are delimiters), byte order marks, blanks
    around segments, and segments that are empty.
    """
    if envelope_findings(reading):
        return
    position = 0
    for one in outline(data, lambda group, one: (), lambda findings: None).interchanges:
        marks, interchange = one.interchange.delimiters, one.interchange
        rows = [one.header, *one.answers]
        for group in one.groups:
            rows.append(group.header)
            for outlined in group.sets:
                rows += outlined.rows
            rows += [group.trailer] if group.trailer else []
        rows += [one.trailer] if one.trailer else []
        written = [marks.element.join((row.heading.tag, *row.values)) for row in rows]
        header = find(data, interchange.offset)
        assert isinstance(header, Header)
        isa = data[interchange.offset : header.end - 1].decode("latin-1")
        assert written[0] == "".join(character for character in isa if character not in "\r\n")
        every = segments_between(data, header.end, interchange.end, marks)
        if interchange.ta1:  # the outline has them before the groups, wherever they stand
            written[1:], every = sorted(written[1:]), sorted(every)
        assert written[1:] == every
        position = interchange.end
    assert data[position:].replace(BYTE_ORDER_MARK, b"").strip(b" \t\r\n") == b""


# --- guide --------------------------------------------------------------------------------------------------


def check_guide(data: bytes) -> Kind:
    """Compiled and exact guide agree; an overlay never allows more, short dates never less."""
    kinds: set[str] = set()
    for group, one in sets_of(envelope.read(data)):
        release = group.map_release
        found = check(one, release)
        wider = check(one, release, short_dates=True)
        kinds |= {f"{one.type} {finding.code.slug}" for finding in found} or {f"{one.type} clean"}
        check_places(one, found)
        if not has_error(found):
            assert not has_error(wider), wider
        for overlay in OVERLAYS:
            if overlay.applies_to(one.type, release):
                narrow = check(one, release, overlay)
                check_places(one, narrow)
                if has_error(found):
                    assert has_error(narrow), (overlay.source, found)
                if not has_error(narrow):
                    assert not has_error(check(one, release, overlay, short_dates=True))
        check_both_ways(one, release)
        document, read = read_set(group, one)
        assert document is None or not has_error(read)
        kinds |= {f"{one.type} {finding.code.slug}" for finding in read} | {f"{one.type} {document is None}"}
    return frozenset(kinds)


def has_error(findings: tuple[Finding, ...]) -> bool:
    """Whether any finding is an error."""
    return any(finding.is_error for finding in findings)


def check_places(one: TransactionSet, found: tuple[Finding, ...]) -> None:
    """A finding says where, and nothing in its sentence is a command to a terminal."""
    assert len(found) <= limits.findings_per_set_max
    for finding in found:
        assert 1 <= finding.position <= len(one.segments) + 1
        assert finding.message.isprintable(), finding.message


def check_both_ways(one: TransactionSet, release: str) -> None:
    """The compiled guide finds a set faulty exactly when the exact path names an error in it."""
    for short in (False, True):
        guide = guide_for(release, one.type, short_dates=short)
        if guide is not None:
            faulty = guide.accepts(one.segments, one.delimiters) is Verdict.FAULTY
            found = faults.find(guide.grammar, one.segments, one.delimiters)
            assert faulty == has_error(found), (release, one.type, found)


# --- outline, XML, redaction --------------------------------------------------------------------------------


def check_show(data: bytes) -> Kind:
    """Each form can be written; the XML is well-formed; no segment of a set is lost in the outline."""
    text, table, xml = StringIO(), StringIO(), BytesIO()
    Show("file.edi", data).write_text(text)
    Show("file.edi", data).write_json(table)
    Show("file.edi", data).write_xml(xml)
    root = etree.fromstring(xml.getvalue(), etree.XMLParser(resolve_entities=False, huge_tree=True))
    reading = envelope.read(data)
    assert len(root.findall("interchange")) == len(reading.interchanges)
    kinds: set[str] = set()
    outlined = outline(data, lambda group, one: read_set(group, one)[1], lambda findings: None)
    for one, interchange in zip(outlined.interchanges, reading.interchanges, strict=True):
        for group, sent in zip(one.groups, interchange.groups, strict=True):
            for shown, wanted in zip(group.sets, sent.sets, strict=True):
                rows = list(shown.rows)
                assert len(rows) == len(wanted.segments)
                check_rows(rows, wanted)
                kinds.add(f"{wanted.type} {max((row.depth for row in rows), default=0)} {bool(shown.rest)}")
    return frozenset(kinds)


def check_rows(rows: list[Row], one: TransactionSet) -> None:
    """Loops begin and end in pairs, and a row is its segment."""
    depth = 0
    for row, text in zip(rows, one.segments, strict=True):
        depth += len(row.begun) - row.ended
        assert depth >= 0
        assert one.delimiters.element.join((row.heading.tag, *row.values)) == text


def check_redact(data: bytes) -> Kind:
    """As long as it was; where the file is sound interchanges, cut and faulty in the same places."""
    hidden = redact(data)
    assert len(hidden) == len(data)
    before, after = envelope.read(data), envelope.read(hidden)
    if before.outside or not all(is_readable(data, one) for one in before.interchanges):
        return frozenset(("text", str(bool(before.interchanges))))
    spans = [[(one.offset, one.end) for one in reading.interchanges] for reading in (before, after)]
    assert spans[0] == spans[1], spans
    sets = [[(one.offset, len(one.segments)) for _, one in sets_of(reading)] for reading in (before, after)]
    assert sets[0] == sets[1], sets
    codes = [[finding.code for finding in envelope_findings(reading)] for reading in (before, after)]
    assert codes[0] == codes[1], codes
    return frozenset(code.slug for code in codes[0])


def is_readable(data: bytes, interchange: Interchange) -> bool:
    """Whether its ISA is one without a fault."""
    header = find(data, interchange.offset)
    return isinstance(header, Header) and not header.findings
