"""Segments: a stretch of an interchange cut into segment texts, no byte lost.

Everything here is latin-1 text, one character per byte. The str methods that know Unicode's white space
(strip, split and splitlines without an argument) are never used: 0x1C to 0x1E and 0x85 are delimiters in
the wild (spec section 0, item 11).
"""

from edi.delimiters import Delimiters


class Splitter:
    """Cuts text into segments by one interchange's delimiters; made once, used once per set."""

    __slots__ = ("_blanks", "_newlines", "_terminator")

    def __init__(self, delimiters: Delimiters) -> None:
        self._terminator = delimiters.terminator
        self._newlines = delimiters.newlines
        self._blanks = delimiters.blanks

    def split(self, text: str) -> tuple[str, ...]:
        """The segments of a text, without terminators, CR and LF anywhere, and the blanks around each.

        A text that does not end in a terminator was cut short: its last piece is a segment all the same. An
        empty segment (a terminator said twice) is white space: it is dropped and takes no position.
        """
        for newline in self._newlines:
            if newline in text:
                text = text.replace(newline, "")
        parts = text.split(self._terminator)
        if not parts[-1]:
            parts.pop()
        if self._is_padded(text):
            parts = [part.strip(self._blanks) for part in parts]
        if "" in parts:
            parts = [part for part in parts if part]
        return tuple(parts)

    def _is_padded(self, text: str) -> bool:
        """Whether any segment has blanks around it: asked of the whole text, the common case is quick."""
        terminator = self._terminator
        return any(
            blank in text
            and (
                blank + terminator in text
                or terminator + blank in text
                or text.startswith(blank)
                or text.endswith(blank)
            )
            for blank in self._blanks
        )


def tag_of(segment: str, delimiters: Delimiters) -> str:
    """The segment identifier (element 721): what stands before the first element separator."""
    return segment.partition(delimiters.element)[0]
