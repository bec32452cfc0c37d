"""Heading: the parties, references and dates of a buyer's document, before its first line (850 and 860)."""

from datetime import date

from edi.documents import Party
from edi.values import Segment, Values, party

# Loops of the heading whose REF and DTM speak of something smaller (spec 1.2, 1.5).
_LOOPS = frozenset({"AMT", "N9", "N1", "LM", "SPI", "ADV"})
_WITH_PARTIES = ("SPI", "ADV")  # they have N1 loops of their own and come last

#: Segments that say something about the document as a whole, or open a loop within its heading.
IN_HEADING = _LOOPS | {"REF", "DTM"}


class Heading:
    """Give `take` every segment before the first line, then read the attributes."""

    __slots__ = ("_loop", "_values", "dates", "parties", "references")

    def __init__(self, values: Values) -> None:
        self._values, self._loop = values, ""
        self.parties: list[Party] = []
        self.references: list[tuple[str, str]] = []  # REF: (128, 127)
        self.dates: list[tuple[str, date]] = []  # DTM: (374, 373)

    def take(self, segment: Segment) -> None:
        """Read one segment, or pass over it."""
        tag = segment.tag
        if tag in _LOOPS and self._loop not in _WITH_PARTIES:
            self._loop = tag
        if tag == "N1":
            if self._loop == "N1":
                self.parties.append(party(segment))
        elif self._loop:
            return
        elif tag == "REF":
            if segment.text(2):
                self.references.append((segment.text(1), segment.text(2)))
        elif tag == "DTM":
            on = self._values.date(segment, 2)
            if on is not None:
                self.dates.append((segment.text(1), on))
