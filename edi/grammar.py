"""Grammar: what one transaction set is made of, and which place of it may follow which."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

UNBOUNDED = 0  # as max_use or repeat: the standard's ">1", no bound of its own
START = -1  # "before ST", where every walk begins
_short_date_digits = 6  # YYMMDD; element 373 was DT 6/6 before release 004010


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A data element where it is used: AK4's reference number (725), type, lengths and codes.

    A composite (X12 C001 and the like) has `components` and no type of its own.
    """

    position: int  # from 1, in its segment or composite
    reference: str
    name: str
    required: bool
    forbidden: bool = False  # by a partner's guide; the standard forbids no element of its own
    type: str = ""  # AN, ID, R, N0..N9, DT, TM, B
    length_min: int = 1
    length_max: int = 1
    codes: frozenset[str] = frozenset()  # empty: any value of the type
    repeat: int = 1
    components: tuple["Element", ...] = ()
    notes: tuple["Note", ...] = ()  # of a composite, over its components


@dataclass(frozen=True, slots=True)
class Note:
    """A syntax note: P, R, E, C or L over element positions (X12.6, "relational conditions")."""

    kind: str
    positions: tuple[int, ...]

    def __str__(self) -> str:
        return self.kind + "".join(f"{position:02d}" for position in self.positions)

    def holds(self, present: frozenset[int]) -> bool:
        """Whether the note is kept when exactly the elements in `present` were sent."""
        sent = [position in present for position in self.positions]
        match self.kind:
            case "P":
                return all(sent) or not any(sent)
            case "R":
                return any(sent)
            case "E":
                return sum(sent) <= 1
            case "C":
                return not sent[0] or all(sent)
            case _:  # "L"
                return not sent[0] or any(sent[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A segment's definition; places with equal definitions share one."""

    tag: str
    name: str
    elements: tuple[Element, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One use of a segment at one position of one loop."""

    index: int
    segment: Segment
    loop: int  # index of the loop it stands in
    order: int  # among the children of that loop, from 0; 0 is the head that opens the loop
    required: bool
    max_use: int
    forbidden: bool = False  # by a partner's guide; a loop's head stands for its loop

    @property
    def tag(self) -> str:
        return self.segment.tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A loop; its head is the place at order 0, and the whole set is loop 0 (ST to SE)."""

    index: int
    id: str
    name: str
    parent: int  # -1 for the whole set
    order: int  # among the children of its parent
    required: bool
    repeat: int
    head: int  # index of the place that opens it


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifiedRule:
    """A guide's rule about those uses of one place in which an element has one of some values."""

    place: int
    position: int  # of the element, from 1
    values: frozenset[str]
    required: bool = False  # once at least in each coming of the loop around it
    forbidden: bool = False
    max_use: int = UNBOUNDED
    elements: tuple[Element, ...] = ()  # as narrowed in these uses; only those the rule names


@dataclass(frozen=True, slots=True)
class Move:
    """How the walk goes on: to which place, past which mandatory ones, repeating what it stood in or not."""

    place: int
    skipped: tuple[int, ...] = ()
    again: bool = False  # the same place, or the head of a loop the walk is inside of


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """All places and loops of one transaction set in one release, in the order of the standard.

    A grammar that a partner's guide narrows has the same places with the same indexes as its `standard`.
    """

    type: str  # ST01, element 143
    release: str
    places: tuple[Place, ...]
    loops: tuple[Loop, ...]
    children: tuple[tuple[Place | Loop, ...], ...]  # of each loop, by order
    name: str = ""  # of the transaction set, e.g. Purchase Order
    dictionary: frozenset[str] = frozenset()  # tags known in the release beyond this set
    guide: str = ""  # whose guide narrows the standard; empty: nobody's
    narrows: "Grammar | None" = field(default=None, repr=False)
    qualified: tuple[QualifiedRule, ...] = ()
    tags: frozenset[str] = field(init=False)
    _ends: dict[int, int] = field(init=False, default_factory=dict, repr=False)
    _moves: dict[int, dict[str, Move]] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", frozenset(place.tag for place in self.places))
        for place in self.places:
            for loop in self.enclosing(place):
                self._ends[loop.index] = place.index + 1

    @property
    def standard(self) -> "Grammar":
        """The grammar without any guide: itself when no guide narrows it."""
        return self.narrows or self

    def requires(self, index: int) -> bool:
        """Whether a place is mandatory; a loop's head is when the loop is."""
        place = self.places[index]
        return self.loops[place.loop].required if self.opens_loop(index) else place.required

    def with_short_dates(self) -> "Grammar":
        """The same with dates of six digits (YYMMDD) beside those of eight, as they were before 004010."""
        segments: dict[int, Segment] = {}  # places with equal definitions go on sharing one
        for place in self.places:
            segment = place.segment
            if id(segment) not in segments:
                elements = tuple(_short_dated(element) for element in segment.elements)
                segments[id(segment)] = replace(segment, elements=elements)
        return self.with_places([replace(one, segment=segments[id(one.segment)]) for one in self.places])

    def with_places(self, places: Iterable[Place], loops: Iterable[Loop] = ()) -> "Grammar":
        """The same with other places (and loops), each at the index it has here."""
        places, loops = tuple(places), tuple(loops) or self.loops
        children = tuple(
            tuple(loops[one.index] if isinstance(one, Loop) else places[one.index] for one in siblings)
            for siblings in self.children
        )
        return replace(self, places=places, loops=loops, children=children)

    def bound(self, index: int) -> int:
        """How often a place may come: its maximum use, or for a loop's head the loop's maximum repeat."""
        place = self.places[index]
        return self.loops[place.loop].repeat if self.opens_loop(index) else place.max_use

    def opens_loop(self, index: int) -> bool:
        """Whether the place is a loop's head; ST opens no loop, the set is one."""
        place = self.places[index]
        return place.order == 0 and place.loop > 0

    def loop_id(self, place: Place) -> str:
        """The loop a place stands in, by its id (X12 447); "" for the set itself."""
        loop = self.loops[place.loop]
        return loop.id if loop.index else ""

    def where(self, place: Place) -> str:
        """ " in the N1 loop" for a place inside one; a loop's head is looked for where the loop is."""
        loop = self.loops[place.loop]
        if self.opens_loop(place.index):
            loop = self.loops[loop.parent]
        return f" in the {loop.id} loop" if loop.index else ""

    def within(self, index: int) -> range:
        """The places, by index, that a place opens when it comes: the rest of its loop, or nothing."""
        end = self._ends[self.places[index].loop] if self.opens_loop(index) else index + 1
        return range(index + 1, end)

    def head(self, child: Place | Loop) -> Place:
        """The place where a child begins: itself, or the loop's first segment."""
        return self.places[child.head] if isinstance(child, Loop) else child

    def enclosing(self, place: Place) -> Iterator[Loop]:
        """The loops a place stands in, innermost first."""
        index = place.loop
        while index >= 0:
            yield self.loops[index]
            index = self.loops[index].parent

    def moves(self, start: int) -> dict[str, Move]:
        """Tag -> Move from place `start`: the first position that fits, in the order of the standard.

        Within a loop only onward; then up, where the loop itself may come again, and onward there.
        Mandatory places that a move leaves behind empty are listed in it, so a move without any is clean.
        """
        moves = self._moves.get(start)
        if moves is None:
            moves = self._moves[start] = self._find_moves(start)
        return moves

    def _find_moves(self, start: int) -> dict[str, Move]:
        if start == START:
            return {self.places[0].tag: Move(0)}
        place = self.places[start]
        found: dict[str, Move] = {}
        skipped: list[int] = []
        if place.order:
            found[place.tag] = Move(start, (), True)
        order = place.order
        for loop in self.enclosing(place):
            # A head met again while the walk stands on it means its own loop before anything inside it.
            again = {place.tag} if place.order == 0 and loop.index == place.loop else set()
            for child in self.children[loop.index][order + 1 :]:
                head = self.head(child)
                if head.tag not in again:
                    found.setdefault(head.tag, Move(head.index, tuple(skipped)))
                if child.required:
                    skipped.append(head.index)
            if loop.parent >= 0:
                found.setdefault(self.places[loop.head].tag, Move(loop.head, tuple(skipped), True))
            order = loop.order
        return found

    def is_earlier(self, tag: str, start: int) -> bool:
        """Whether `tag` has a position that the walk at place `start` has already gone past."""
        if start == START:
            return False
        order = self.places[start].order
        for loop in self.enclosing(self.places[start]):
            if any(self.head(child).tag == tag for child in self.children[loop.index][: order + 1]):
                return True
            order = loop.order
        return False

    def inside(self, tag: str, start: int, like: str) -> tuple[int, int] | None:
        """(head, place) of `tag` in a loop that could open after `start` but whose head was not sent.

        Of several loops the one whose head looks most `like` the tag sent in its stead, else the first.
        """
        found: list[tuple[int, int]] = []
        for move in self.moves(start).values():
            onward = self.moves(move.place).get(tag) if self.opens_loop(move.place) else None
            if onward is not None and self.places[move.place].loop in self._loops_of(onward.place):
                found.append((move.place, onward.place))
        alike = [sum(map(str.__eq__, self.places[head].tag, like)) for head, _ in found]
        return found[alike.index(max(alike))] if found else None

    def _loops_of(self, index: int) -> Iterable[int]:
        return (loop.index for loop in self.enclosing(self.places[index]))


def _short_dated(element: Element) -> Element:
    components = tuple(_short_dated(part) for part in element.components)
    length_min = min(element.length_min, _short_date_digits) if element.type == "DT" else element.length_min
    return replace(element, components=components, length_min=length_min)
