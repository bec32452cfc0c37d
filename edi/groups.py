"""Groups: functional groups and the transaction sets in them, as read from an interchange."""

from dataclasses import dataclass
from hashlib import sha256

from edi import releases
from edi.delimiters import Delimiters
from edi.findings import Finding
from edi.segments import Source, tag_of


class TransactionSet:
    """ST to SE. There can be a million of them: it holds no segments, only where they are. Do not change it.

    A set made by hand is given its segments.
    """

    __slots__ = (
        "_end",
        "_segments",
        "_source",
        "control_number",
        "delimiters",
        "findings",
        "implementation",
        "offset",
        "release",
        "type",
    )

    def __init__(
        self,
        *,
        type: str,
        control_number: str,
        delimiters: Delimiters,
        segments: tuple[str, ...] = (),
        offset: int,
        findings: tuple[Finding, ...],
        implementation: str = "",
        release: str = "",
        source: Source | None = None,
        end: int = 0,
    ) -> None:
        self.type = type  # ST01, element 143
        self.control_number = control_number  # ST02, element 329, as sent
        self.delimiters = delimiters
        self.offset = offset  # of ST's first byte in the file
        self.findings = findings  # about its own envelope: AK5 codes
        self.implementation = implementation  # ST03, element 1705
        self.release = release  # of its group, e.g. 004010; empty when made by hand
        self._segments, self._source, self._end = segments, source, end

    @property
    def segments(self) -> tuple[str, ...]:
        """The latin-1 texts of its segments without terminator, CR and LF; index 0 is ST."""
        return self._segments if self._source is None else self._source.cut(self.offset, self._end)

    @property
    def has_short_dates(self) -> bool:
        """Whether its release writes dates as YYMMDD."""
        return bool(self.release) and releases.has_short_dates(self.release)

    def __repr__(self) -> str:
        return f"TransactionSet({self.type} {self.control_number} at {self.offset})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionalGroup:
    """GS to GE."""

    functional_id: str  # GS01, element 479
    sender: str  # GS02
    receiver: str  # GS03
    control_number: str  # GS06, as sent
    version: str  # GS08 as sent, e.g. 004010VICS
    agency: str  # GS07
    declared_count: str  # GE01 as sent; empty when GE is missing
    sets: tuple[TransactionSet, ...]
    findings: tuple[Finding, ...]  # about the group itself: AK9 codes
    offset: int

    @property
    def release(self) -> str:
        """The first six characters of GS08: the release of the dictionary, e.g. 004010."""
        return self.version[:6]

    @property
    def map_release(self) -> str:
        """The release of the map that reads it, the nearest there is; "" when there is none near."""
        return releases.map_release(self.release)

    @property
    def has_short_dates(self) -> bool:
        """Whether its release writes dates as YYMMDD."""
        return releases.has_short_dates(self.release)


def content_hash_of_set(transaction_set: TransactionSet, *, purpose: str = "") -> str:
    """SHA-256, hex, of what a set says between ST and SE, whatever its delimiters and control numbers.

    Trailing empty elements do not count (spec 2.6). Separators become characters outside latin-1, so that no
    data can pass for one. `purpose` is taken for the set's own (element 353), with which its first segment
    begins in all sets that have one: so two sets can be compared that differ in nothing else.
    """
    delimiters, segments = transaction_set.delimiters, transaction_set.segments
    closed = len(segments) > 1 and tag_of(segments[-1], delimiters) == "SE"
    body = list(segments[1 : -1 if closed else None])
    separator = delimiters.element
    if purpose and body:
        tag, _own, *others = body[0].split(separator)
        body[0] = separator.join([tag, purpose, *others])
    text = "\u241e".join([segment.rstrip(separator) for segment in body])
    text = text.replace(separator, "\u241f").replace(delimiters.component, "\u241c")
    if delimiters.repetition:
        text = text.replace(delimiters.repetition, "\u241d")
    return sha256(text.encode("utf-8")).hexdigest()
