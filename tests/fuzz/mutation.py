"""Mutation: X12 files with something wrong, or not wrong, with them: by byte, element, segment, set, mark.

Everything comes from the random numbers handed in, so that a seed gives the same inputs again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Self

from edi import delimiters
from tests.fuzz.seeds import Seeds

BYTES_MAX = 16 * 1024  # of an input; longer ones find no more and cost time

# Extreme numbers, dates, blanks, delimiters, digits of other scripts, control characters, long runs.
VALUES = (
    "", " ", "0", "00", "1", "2", "3", "5", "7", "10", "-1", "-0", "1.", ".5", "0.000001", "-", "+1", "1E3",
    "1,5", "1_0", "NaN", "Infinity", "999999999999999", "1234567890123456789", "9" * 41, "0" * 300,
    "20260304", "20260230", "20240229", "260304", "003040", "003060",
    "004030", "004010VICS", "00010101", "99991231", "1200", "2400", "12005", "120060",
    "12005959", "ZZ", "EA", "CA", "EA ", " EA", "A" * 31, "A" * 264, "B" * 5000, "A>B", ">", ">>>>>>>9",
    "10>>4", "A^B", "^", "*", "~", "\x07", "\x1c", "\x85", "\xa0", "\x00", "\xb2", "\xb9\xb3",
    "\xd9\xa1\xd9\xa2", "\xef\xbc\x91", "caf\xe9", "\xef\xbb\xbf", "\r\n", "\n", "\t", "ISA", "IEA", "ST",
    "SE", "GS", "1" * 9, "0001", "000000001", "4500012", "UP",
)  # fmt: skip
STRANGERS = (
    "XYZ*1", "N3*1 MAIN", "HL*9**I", "HL*1*1*O", "ACK*IA", "ACK*IR*3*EA", "ACK*ID*0", "ACK*IQ*4*EA",
    "MSG*LATE", "REF*DP*1", "PO1", "PO1*1*10*EA*1**UP*012345678905", "POC*1*DI*0*0*EA", "POC*1*QD*3*7*EA",
    "POC*2*CF", "POC*9*ZZ*1", "BEG*01*SA*4500012**20260304", "BCH*01*SA*4500012***20260304",
    "BAK*00*RJ*4500012*20260304", "SDQ*EA*92*0001*4", "ISR*IC", "QTY*01*4*EA", "PRF*4500012",
    "LIN*1*UP*012345678905", "SN1*1*10*EA", "CTT*1", "TA1*000000001*260301*1200*A*000", "ISA", "ISA*00",
    "GS", "GS*PO*A*B*20260301*1200*1*X*004010", "ST", "ST*850*0001", "ST*860*0002", "SE", "SE*3*0001", "GE",
    "GE*1*1", "IEA", "IEA*1*000000001", "", " ", "*", "PID*F****TEXT", "SLN*1**I*2*EA",
    "SCH*8*EA***067*20260401",
)  # fmt: skip
#: Element, component, terminator, repetition: those of live traffic, and some that cannot work. Every choice
#: costs patterns of its own, so that most changes are to one of few.
USUAL_MARKS = ("*>~^", "*>~U", "|:\n!", "\x1d\x1f\x1c\x1e")
MARKS = (
    "*>~^", "*:~U", "|:\n!", "^<\r|", "\x07>\x85^", "\x1d\x1f\x1c\x1e", "@{_%", "\t>\x15!", "*>\n^",
    "\x01\x02\x03\x04", "*~>^", "**~^", "A>~^", "*> ^", "*>\x00^", "\xff\xfe\xfd\xfc", ",.;:", "+-'?",
    "->~^", ".>~^", "*-~^",
    "*.~^", "*>~-", "*>~.", "[]\\^",
)  # fmt: skip
NEWLINES = ("", "", "\n", "\r\n", "\r", "\n\n", " \n", "\t")


@dataclass(slots=True)
class X12File:
    """A file as lists of elements by segment, ISA first; its texts have no terminators."""

    marks: str
    segments: list[list[str]]
    newline: str = ""

    @classmethod
    def parsed(cls, data: bytes) -> Self | None:
        """The file by the delimiters of its first ISA; None when it has none that can be used."""
        start = data.find(b"ISA")
        header = delimiters.find(data, start) if start >= 0 else None
        if not isinstance(header, delimiters.Header) or not header.usable:
            return None
        sent = header.delimiters
        rest = data[header.end :].decode("latin-1").split(sent.terminator)
        body = [text.strip("\r\n").split(sent.element) for text in rest]
        marks = sent.element + sent.component + sent.terminator + (sent.repetition or "U")
        newline = rest[0][: len(rest[0]) - len(rest[0].lstrip("\r\n"))] if rest else ""
        return cls(marks, [["ISA", *header.elements], *[one for one in body if one != [""]]], newline)

    def data(self) -> bytes:
        """The bytes of the file."""
        element, terminator = self.marks[0], self.marks[2]
        end = terminator + self.newline
        text = "".join([element.join(segment) + end for segment in self.segments])
        return text.encode("latin-1", "replace")

    def with_marks(self, marks: str) -> None:
        """The same content with other delimiters; ISA11 and ISA16 say so."""
        table = str.maketrans(
            {self.marks[1]: marks[1], self.marks[3]: marks[3]} if self.marks[3] != "U" else {}
        )
        self.segments = [[value.translate(table) for value in segment] for segment in self.segments]
        self.marks = marks
        for segment in self.segments:
            if segment[0] == "ISA" and len(segment) > 16:
                segment[11], segment[16] = marks[3], marks[1]

    def sets(self) -> list[tuple[int, int]]:
        """Where each ST begins and one past its SE."""
        found, start = [], -1
        for at, segment in enumerate(self.segments):
            if segment[0] == "ST":
                start = at
            elif segment[0] == "SE" and start >= 0:
                found.append((start, at + 1))
                start = -1
        return found

    def recount(self) -> None:
        """Make SE, GE, IEA and CTT say what is there, so that faults inside are not hidden behind those."""
        begun, sets, groups, lines = 0, 0, 0, 0
        st = gs = isa = ["", "", "", "", "", "", "", "", "", "", "", "", "", ""]
        for at, segment in enumerate(self.segments):
            match segment[0]:
                case "ISA":
                    isa, groups = segment, 0
                case "GS":
                    gs, sets, groups = segment, 0, groups + 1
                case "ST":
                    st, begun, sets, lines = segment, at, sets + 1, 0
                case "PO1" | "POC" | "HL":
                    lines += 1
                case "CTT" if len(segment) > 1:
                    segment[1] = str(lines)
                case "SE":
                    segment[1:] = [str(at - begun + 1), *st[2:3]]
                case "GE":
                    segment[1:] = [str(sets), *gs[6:7]]
                case "IEA":
                    segment[1:] = [str(groups), *isa[13:14]]


class Mutator:
    """Makes new inputs out of old ones and of the seeds."""

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds
        self._files = [file for data in seeds.files if (file := X12File.parsed(data)) is not None]
        self._operations: tuple[tuple[int, Callable[[X12File, Random], None]], ...] = (
            (6, self._value), (6, self._code), (2, self._empty), (2, self._shift), (2, self._trail),
            (2, self._borrow), (2, self._repeat), (2, self._drop), (2, self._swap), (2, self._insert),
            (3, self._graft), (2, self._splice), (1, self._repeat_set), (1, self._drop_set),
            (1, self._take_set), (2, self._marks), (1, self._header),
        )  # fmt: skip

    def mutated(self, data: bytes, rng: Random) -> bytes:
        """A new input from an old one."""
        file = X12File.parsed(data) if rng.random() > 0.06 else None
        if file is None:
            return self._bytes(data, rng)[:BYTES_MAX]
        weights = [weight for weight, _ in self._operations]
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
            _, operation = rng.choices(self._operations, weights)[0]
            operation(file, rng)
        if rng.random() < 0.75:
            file.recount()
        result = file.data()
        if rng.random() < 0.05:
            result = self._bytes(result, rng)
        if rng.random() < 0.03:
            result += rng.choice((b"", b"\r\n", b"-- page 2 --\n", b"\x1a")) + rng.choice(self._seeds.files)
        return result[:BYTES_MAX]

    # Bytes

    def _bytes(self, data: bytes, rng: Random) -> bytes:
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            at = rng.randrange(len(changed) + 1)
            match rng.randrange(6):
                case 0:
                    del changed[at : at + rng.choice((1, 1, 2, 8, 64))]
                case 1:
                    changed[at:at] = changed[at : at + rng.choice((1, 4, 32))] * rng.choice((1, 2, 20))
                case 2:
                    changed[at : at + 1] = bytes([rng.randrange(256)])
                case 3:
                    changed[at:at] = rng.choice(
                        (b"ISA", b"*", b"~", b"\r\n", b"\x00", b"~~~", b"\xef\xbb\xbf", b"IEA*")
                    )
                case 4:
                    changed[at : at + 1] = (
                        bytes([changed[at] ^ 1 << rng.randrange(8)]) if at < len(changed) else b""
                    )
                case _:
                    del changed[at:]
                    changed += rng.choice((b"", rng.choice(self._seeds.files)[-64:]))
        return bytes(changed)

    # Elements

    def _element(self, file: X12File, rng: Random) -> tuple[list[str], int]:
        """Any element of any segment; where there is none, room for one. ISA is left to `_header`."""
        segment = rng.choice(file.segments[1:] or [["ZZZ"]])
        if len(segment) == 1:
            segment.append("")
        return segment, rng.randrange(1, len(segment))

    def _value(self, file: X12File, rng: Random) -> None:
        segment, at = self._element(file, rng)
        old = segment[at]
        segment[at] = rng.choice(
            (*VALUES, old[:-1], old * 2, old + "9", "-" + old, old.lower(), old + file.marks[1])
        )

    def _code(self, file: X12File, rng: Random) -> None:
        """Another code of the element's list."""
        coded = [
            (segment, at)
            for segment in file.segments[1:]
            for at in range(1, len(segment))
            if (segment[0], at) in self._seeds.codes
        ]
        if coded:
            segment, at = rng.choice(coded)
            segment[at] = rng.choice(self._seeds.codes[segment[0], at])

    def _empty(self, file: X12File, rng: Random) -> None:
        segment, at = self._element(file, rng)
        segment[at] = ""

    def _shift(self, file: X12File, rng: Random) -> None:
        segment, at = self._element(file, rng)
        if rng.random() < 0.5:
            del segment[at]
        else:
            segment.insert(at, rng.choice(VALUES[:12]))

    def _trail(self, file: X12File, rng: Random) -> None:
        segment, _ = self._element(file, rng)
        segment += [""] * rng.choice((1, 1, 2, 40)) + rng.choice(([], [], ["X"]))

    def _borrow(self, file: X12File, rng: Random) -> None:
        """A value from elsewhere in the file, so that things meet: numbers, ids, control numbers."""
        segment, at = self._element(file, rng)
        other, place = self._element(file, rng)
        segment[at] = other[place]

    # Segments

    def _at(self, file: X12File, rng: Random) -> int:
        return rng.randrange(1, len(file.segments)) if len(file.segments) > 1 else 1

    def _repeat(self, file: X12File, rng: Random) -> None:
        at, most = self._at(file, rng), rng.choice((1, 3, 12))
        block = file.segments[at : at + most]
        file.segments[at:at] = [list(one) for one in block * rng.choice((1, 1, 1, 2, 11, 30))]

    def _drop(self, file: X12File, rng: Random) -> None:
        at = self._at(file, rng)
        del file.segments[at : at + rng.choice((1, 1, 1, 3))]

    def _swap(self, file: X12File, rng: Random) -> None:
        if len(file.segments) > 2:
            one, other = self._at(file, rng), self._at(file, rng)
            file.segments[one], file.segments[other] = file.segments[other], file.segments[one]

    def _insert(self, file: X12File, rng: Random) -> None:
        file.segments.insert(self._at(file, rng), rng.choice(STRANGERS).split("*"))

    def _graft(self, file: X12File, rng: Random) -> None:
        """A few segments of another file."""
        other = rng.choice(self._files)
        start = rng.randrange(len(other.segments))
        block = other.segments[start : start + rng.choice((1, 1, 2, 5))]
        at = self._at(file, rng)
        file.segments[at:at] = [list(one) for one in block]

    def _splice(self, file: X12File, rng: Random) -> None:
        """From somewhere on, the rest of another file."""
        other = rng.choice(self._files)
        start = rng.randrange(len(other.segments))
        file.segments[self._at(file, rng) :] = [list(one) for one in other.segments[start:]]

    # Sets

    def _repeat_set(self, file: X12File, rng: Random) -> None:
        for start, end in rng.sample(file.sets(), min(1, len(file.sets()))):
            again = [[list(one) for one in file.segments[start:end]] for _ in range(rng.choice((1, 1, 2, 8)))]
            for number, one in enumerate(again, 2):
                if rng.random() < 0.8 and len(one[0]) > 2:
                    one[0][2:] = [f"{number:04}"]
            file.segments[end:end] = [segment for one in again for segment in one]

    def _drop_set(self, file: X12File, rng: Random) -> None:
        for start, end in rng.sample(file.sets(), min(1, len(file.sets()))):
            del file.segments[start:end]

    def _take_set(self, file: X12File, rng: Random) -> None:
        """A set, or a whole group, of another file beside those of this one."""
        other = rng.choice(self._files)
        taken = [other.segments[start:end] for start, end in other.sets()[:1]]
        if rng.random() < 0.5:
            taken = [other.segments[1:-1]]
        marks = [at for at, one in enumerate(file.segments) if one[0] in ("GE", "IEA", "ST")] or [1]
        at = rng.choice(marks)
        file.segments[at:at] = [list(segment) for one in taken for segment in one]

    # The file

    def _marks(self, file: X12File, rng: Random) -> None:
        file.with_marks(rng.choice(USUAL_MARKS if rng.random() < 0.9 else MARKS))
        file.newline = rng.choice(NEWLINES)

    def _header(self, file: X12File, rng: Random) -> None:
        isa = next((one for one in file.segments if one[0] == "ISA"), [])
        if len(isa) < 17:
            return
        at = rng.randrange(1, 16)
        old = isa[at]
        anything = rng.choice(VALUES)
        fitted = anything[: len(old)].ljust(len(old))
        isa[at] = rng.choice((fitted, fitted, anything, old.strip(" "), old + " ", "00402", "00501", "T"))


def inputs(seeds: Seeds, count: int, seed: int) -> Sequence[bytes]:
    """So many mutated seeds, always the same for the same seed."""
    rng, mutator = Random(seed), Mutator(seeds)
    return [mutator.mutated(rng.choice(seeds.files), rng) for _ in range(count)]
