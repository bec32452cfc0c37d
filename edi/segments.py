"""Segments: a stretch of an interchange cut into segment texts, no byte lost.

Everything here is latin-1 text, one character per byte. The str methods that know Unicode's white space
(strip, split and splitlines without an argument) are never used: 0x1C to 0x1E and 0x85 are delimiters in
the wild (spec section 0, item 11).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from edi import limits
from edi.delimiters import Delimiters


class Splitter:
    """Cuts text into segments by one interchange's delimiters; made once, used once per set."""

    __slots__ = ("_blanks", "_newlines", "_terminator")

    def __init__(self, delimiters: Delimiters) -> None:
        self._terminator = delimiters.terminator
        self._newlines = delimiters.newlines
        self._blanks = delimiters.blanks

    def split(self, text: str, *, is_tidy: bool = False) -> tuple[str, ...]:
        """The segments of a text, without terminators, CR and LF anywhere, and the blanks around each.

        A text that does not end in a terminator was cut short: its last piece is a segment all the same. An
        empty segment (a terminator said twice) is white space: it is dropped and takes no position. Nobody
        looks for blanks around segments where it is known that there are none (`is_tidy`).
        """
        for newline in self._newlines:
            if newline in text:
                text = text.replace(newline, "")
        parts = text.split(self._terminator)
        if not parts[-1]:
            parts.pop()
        if not is_tidy and self._is_padded(text):
            parts = [part.strip(self._blanks) for part in parts]
        if "" in parts:
            parts = [part for part in parts if part]
        return tuple(parts)

    def _is_padded(self, text: str) -> bool:
        """Whether any segment has blanks around it: asked of the whole text, the common case is quick."""
        terminator = self._terminator
        for blank in self._blanks:
            if blank in text and (
                blank + terminator in text
                or terminator + blank in text
                or text.startswith(blank)
                or text.endswith(blank)
            ):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Oversized:
    """A segment beyond a limit: its position in the set (ST = 1), how it starts, its bytes and elements."""

    position: int
    start: str
    size: int
    elements: int


@dataclass(frozen=True, slots=True)
class _Tools:
    """What one choice of delimiters asks for, made once."""

    splitter: Splitter
    terminator: bytes
    separator: bytes
    segment: re.Pattern[bytes]  # from its first character that is no noise
    noise_after: re.Pattern[bytes]  # a terminator with noise behind it
    noise: tuple[bytes, ...]  # line ends, and blanks before a terminator


@lru_cache(maxsize=limits.delimiters_per_file_max)
def _tools(delimiters: Delimiters) -> _Tools:
    terminator = delimiters.terminator.encode("latin-1")
    newlines, blanks = delimiters.newlines.encode("latin-1"), delimiters.blanks.encode("latin-1")
    end = re.escape(terminator)
    noise = end + re.escape(newlines + blanks)
    return _Tools(
        splitter=Splitter(delimiters),
        terminator=terminator,
        separator=delimiters.element.encode("latin-1"),
        segment=re.compile(b"([^%b])[^%b]*+" % (noise, end)),
        noise_after=re.compile(b"%b[%b]" % (end, noise)),
        noise=(
            *[newlines[at : at + 1] for at in range(len(newlines))],
            *[blanks[at : at + 1] + terminator for at in range(len(blanks))],
        ),
    )


class Kept:
    """The stretch of a file that was cut last, with its segments.

    Whoever checks, reads and answers a set asks for its segments several times in a row. One is kept per
    file, so that a file takes its own size in memory and one set's segments, whatever it holds.
    """

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: tuple[tuple[int, int], tuple[str, ...]] = (-1, -1), ()


class Source:
    """An interchange's bytes, cut into segments stretch by stretch and never as a whole."""

    __slots__ = ("_data", "_is_plain", "_is_tidy", "_kept", "_splitter", "_tools")

    def __init__(self, data: bytes, start: int, end: int, delimiters: Delimiters, kept: Kept) -> None:
        self._data, self._kept = data, kept
        tools = self._tools = _tools(delimiters)
        self._splitter = tools.splitter
        # Whether each terminator of the interchange ends a segment: none follows another, or noise.
        self._is_plain = tools.noise_after.search(data, start, end) is None
        self._is_tidy = self._is_plain and data[end - 1 : end] == tools.terminator
        for noise in tools.noise if self._is_tidy else ():
            if data.find(noise, start, end) >= 0:
                self._is_tidy = False

    def cut(self, start: int, end: int) -> tuple[str, ...]:
        """The segments between two offsets."""
        place, segments = self._kept.last
        if place != (start, end):
            text = self._data[start:end].decode("latin-1")
            segments = self._splitter.split(text, is_tidy=self._is_tidy)
            self._kept.last = (start, end), segments
        return segments

    def segment(self, start: int, end: int) -> str:
        """The first segment from `start` on, cut at its limit; "" when there is none before `end`."""
        found = self._tools.segment.search(self._data, start, end)
        if found is None:
            return ""
        text = self._data[found.start() : min(found.end(), found.start() + limits.segment_bytes_max)]
        return self._splitter.split(text.decode("latin-1"))[0]

    def past(self, at: int, end: int) -> int:
        """One past the terminator of the segment at `at`, or `end`."""
        found = self._data.find(self._tools.terminator, at, end)
        return end if found < 0 else found + 1

    def count(self, start: int, end: int) -> int:
        """How many segments stand between two offsets; they are not built for it.

        Exact up to `limits.segments_per_set_max`; beyond, empty segments may be counted too.
        """
        data, terminator = self._data, self._tools.terminator
        terminators = data.count(terminator, start, end)
        if terminators > limits.segments_per_set_max:
            return terminators
        if self._is_plain and data[end - 1 : end] == terminator:
            return terminators
        return len(self._tools.segment.findall(data, start, end))

    def oversized(self, start: int, end: int) -> "Oversized | None":
        """The first segment with more bytes or elements than `limits` allow, if any."""
        separators = self._data.count(self._tools.separator, start, end)
        if end - start <= limits.segment_bytes_max and separators <= limits.elements_per_segment_max:
            return None
        for position, found in enumerate(self._tools.segment.finditer(self._data, start, end), start=1):
            elements = self._data.count(self._tools.separator, *found.span())
            if elements > limits.elements_per_segment_max or len(found[0]) > limits.segment_bytes_max:
                (text,) = self._splitter.split(found[0].decode("latin-1"))
                if elements > limits.elements_per_segment_max or len(text) > limits.segment_bytes_max:
                    return Oversized(position, text[:3], len(text), elements)
        return None


def tag_of(segment: str, delimiters: Delimiters) -> str:
    """The segment identifier (element 721): what stands before the first element separator."""
    return segment.partition(delimiters.element)[0]
