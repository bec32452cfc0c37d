"""Envelopes: ISA/GS/ST nesting, control numbers and counts, from bytes to typed interchanges.

An Interchange holds FunctionalGroups, which hold TransactionSets; each keeps the findings about itself.
"""

from dataclasses import dataclass

from edi import envelope_checks, limits, lookalikes
from edi.delimiters import Delimiters, Header, lenient
from edi.findings import Finding, FindingCode
from edi.groups import FunctionalGroup, TransactionSet, content_hash_of_set
from edi.interchanges import Span, cut
from edi.nesting import Contents, Ration
from edi.segments import Kept

__all__ = [
    "Address",
    "FunctionalGroup",
    "Interchange",
    "Reading",
    "TransactionSet",
    "content_hash_of_set",
    "read",
]


@dataclass(frozen=True, slots=True)
class Address:
    """An interchange address: qualifier (I05) and id (I06/I07) with the padding blanks removed."""

    qualifier: str
    id: str

    def __str__(self) -> str:
        return f"{self.qualifier}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interchange:
    """ISA to IEA (or to where the file broke off)."""

    sender: Address
    receiver: Address
    date: str  # ISA09, YYMMDD as sent
    time: str  # ISA10, HHMM as sent
    version: str  # ISA12
    control_number: str  # ISA13 as sent
    acknowledgment_requested: bool  # ISA14
    usage: str  # ISA15
    delimiters: Delimiters
    groups: tuple[FunctionalGroup, ...]
    findings: tuple[Finding, ...]  # about the interchange itself: TA1 codes
    offset: int  # of ISA's first byte in the file
    end: int  # one past its last byte
    content_hash: str  # SHA-256, hex, of the bytes from offset to end
    ta1: tuple[str, ...] = ()  # TA1 segments under ISA, as sent: answers to interchanges of ours


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything in one file: `findings` are about bytes outside any interchange.

    `outside` are the spans (first byte, one past the last) that lie in no interchange and are no white space;
    each is named in a finding, so that no byte of the file goes unmentioned.
    """

    interchanges: tuple[Interchange, ...]
    findings: tuple[Finding, ...]
    outside: tuple[tuple[int, int], ...] = ()


def read(data: bytes, *, lenient_isa: bool = False) -> Reading:
    """Read every interchange of a file, each with its own delimiters; nothing a sender can write raises.

    Known white space outside interchanges (blanks, tabs, CR, LF, a UTF-8 byte order mark) is passed over in
    silence; any other byte there is named in a TEXT_OUTSIDE finding. An interchange whose own findings hold
    an error keeps the groups that could be read, for people to look at; they are not to be used.
    An ISA with padding lost or doubled is such an error, TA1 R 022; with `lenient_isa` it is a warning where
    its 16 separators still tell the delimiters (spec section 3).
    """
    if len(data) > limits.file_bytes_max:
        message = f"the file has {len(data)} bytes, more than {limits.file_bytes_max}"
        return Reading((), (envelope_checks.limit(message, 0),), ((0, len(data)),))
    if lookalikes.packed(data):
        return Reading((), (_no_interchange(data),), ((0, len(data)),))
    cuts = cut(data)
    if not cuts.spans:
        cuts.findings.append(_no_interchange(data))
    ration, kept = Ration(), Kept()
    interchanges = []
    for span in cuts.spans:
        header = lenient(span.header) if lenient_isa else span.header
        interchanges.append(_interchange(header, span, Contents(data, span, ration, kept)))
    return Reading(tuple(interchanges), tuple(cuts.findings), tuple(cuts.outside))


def _no_interchange(data: bytes) -> Finding:
    like = lookalikes.likeness(data)
    message = "the file holds no interchange" if data else "the file is empty"
    said = f"{message}: it is {like}, and is not unpacked or converted" if like else message
    return Finding(code=FindingCode.NO_INTERCHANGE, message=said)


def _interchange(header: Header, span: Span, contents: Contents) -> Interchange:
    isa = header.elements
    for finding in (*header.findings, *envelope_checks.check_isa(isa, span.start)):
        contents.note(finding)
    if header.usable:
        contents.read()
    return Interchange(
        sender=Address(isa[4].rstrip(" "), isa[5].rstrip(" ")),
        receiver=Address(isa[6].rstrip(" "), isa[7].rstrip(" ")),
        date=isa[8],
        time=isa[9],
        version=isa[11],
        control_number=isa[12],
        acknowledgment_requested=isa[13] == "1",
        usage=isa[14],
        delimiters=header.delimiters,
        groups=tuple(contents.groups),
        findings=tuple(contents.findings),
        offset=span.start,
        end=span.end,
        content_hash=contents.content_hash(),
        ta1=tuple(contents.ta1),
    )
