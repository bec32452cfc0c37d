"""Faults: the exact path, which walks a set the compiled guide did not accept and names every fault in it."""

from edi.delimiters import Delimiters
from edi.element_faults import segment_faults
from edi.findings import Finding, FindingCode
from edi.grammar import START, Grammar, Move, Place
from edi.limits import findings_per_set_max
from edi.qualified import Rules, Visit
from edi.wording import asked, named, printable, shown, times

NOWHERE = -1  # the place of a segment that the grammar has none for


def find(grammar: Grammar, segments: tuple[str, ...], delimiters: Delimiters) -> tuple[Finding, ...]:
    """Every fault of a set's segments (ST to SE, X12 719 positions from 1), in the order sent.

    At most `findings_per_set_max`; notes come last. One fault is said once: what follows from it is not.
    """
    walk = _Walk(grammar)
    for position, text in enumerate(segments, 1):
        tag, *values = text.rstrip(delimiters.element).split(delimiters.element)
        place = walk.step(tag, position)
        if place is not None:
            walk.found += segment_faults(grammar, place, values, position, delimiters)
        if len(walk.found) >= findings_per_set_max:
            break
    else:
        walk.end(len(segments) + 1)
        if grammar.qualified:
            walk.found += Rules(grammar).find(walk.visits, segments, delimiters)
            walk.found.sort(key=lambda finding: finding.position)
    found = [*walk.found, *trailing_empty(segments, delimiters)]
    return tuple(found[:findings_per_set_max])


def places(grammar: Grammar, segments: tuple[str, ...], delimiters: Delimiters) -> list[int]:
    """The place, by index, of each segment of a set that may be faulty; NOWHERE for those with none."""
    walk = _Walk(grammar)
    for position, text in enumerate(segments, 1):
        walk.step(text.partition(delimiters.element)[0], position)
        walk.forget()
    found = [NOWHERE] * len(segments)
    for visit in walk.visits:
        if visit.sent:
            found[visit.position - 1] = visit.place
    return found


def trailing_empty(segments: tuple[str, ...], delimiters: Delimiters) -> tuple[Finding, ...]:
    """One note when segments end with empty elements (spec section 3: tolerated), about the first of them."""
    separator = delimiters.element
    ending = [position for position, text in enumerate(segments, 1) if text[-1:] == separator]
    if not ending:
        return ()
    first = segments[ending[0] - 1]
    tag = first.partition(separator)[0]
    many = f"{len(ending)} segments end" if len(ending) > 1 else "One segment ends"
    message = f"{many} with empty elements, the first is {printable(tag)} at position {ending[0]}."
    return (Finding(code=FindingCode.TRAILING_EMPTY, message=message, segment=tag, position=ending[0]),)


class _Walk:
    """Where the walk stands, how often each place has come, and what was found so far."""

    def __init__(self, grammar: Grammar) -> None:
        self.found: list[Finding] = []
        self.visits: list[Visit] = []
        self._grammar, self._standard = grammar, grammar.standard
        self._at = START
        self._counts = [0] * len(grammar.places)
        self._missing: dict[int, Finding] = {}  # by place: said missing, may yet turn up out of order
        self._unknown_before = ""  # the tag of an unknown segment, while the next one is looked at

    def forget(self) -> None:
        """Drop what was found: it has no bound where only the places are asked for."""
        self.found.clear()
        self._missing.clear()

    def step(self, tag: str, position: int) -> Place | None:
        """Go on to the place of `tag`; None, with a finding, when there is none."""
        grammar, unknown_before = self._grammar, self._unknown_before
        self._unknown_before = ""
        move = grammar.moves(self._at).get(tag)
        if move is not None:
            self._arrive(move, position)
            return grammar.places[move.place]
        if tag not in grammar.tags:
            self._unknown(tag, position)
            self._unknown_before = tag
            return None
        inside = grammar.inside(tag, self._at, unknown_before)
        if inside is not None and unknown_before:
            # The unknown segment stood where this one's loop begins: a misspelt head, already said.
            self._enter(*inside, position)
            return grammar.places[inside[1]]
        self._misplaced(tag, position, inside)
        return None

    def end(self, position: int) -> None:
        """A set without SE is its envelope's fault; what is missing before SE is found here all the same."""
        last = len(self._grammar.places) - 1
        move = self._grammar.moves(self._at).get("SE")
        if self._at != last and move is not None:
            self._report_skipped(move, position, "SE")

    def _arrive(self, move: Move, position: int) -> None:
        place = self._grammar.places[move.place]
        self._report_skipped(move, position, place.tag)
        self._counts[move.place] += 1
        inner = self._grammar.within(move.place)
        self._counts[inner.start : inner.stop] = [0] * len(inner)
        if self._missing:
            self._missing = {index: one for index, one in self._missing.items() if index not in inner}
        self._at = move.place
        self.visits.append(Visit(move.place, position))
        self._report_over_max(place, self._counts[move.place], position)

    def _report_skipped(self, move: Move, position: int, before: str) -> None:
        for index in move.skipped:
            place = self._grammar.places[index]
            where = self._grammar.where(place)
            what = f"The mandatory segment {named(place)} is missing{where} before {before}."
            guide = "" if self._standard.requires(index) else self._grammar.guide
            self._missing[index] = self._add(
                FindingCode.SEGMENT_MISSING, what, place.tag, position, place, guide
            )

    def _report_over_max(self, place: Place, count: int, position: int) -> None:
        """Say once that a place comes too often, however many follow; or that a guide has no use for it."""
        bound, guide = self._standard.bound(place.index), self._grammar.guide
        if bound and count == bound + 1:
            self._too_often(place, bound, position, "")
        if place.forbidden:
            if count == 1:
                code = FindingCode.SEGMENT_UNEXPECTED
                self._add(code, f"{named(place)} is not used.", place.tag, position, place, guide)
            return
        narrowed = self._grammar.bound(place.index)
        if narrowed != bound and count == narrowed + 1:
            self._too_often(place, narrowed, position, guide)

    def _too_often(self, place: Place, bound: int, position: int, guide: str) -> None:
        whose = "its" if guide else "the standard's"
        if self._grammar.opens_loop(place.index):
            loop = self._grammar.loops[place.loop]
            what = f"The {loop.id} loop comes more than {times(bound)}, {whose} maximum."
            self._add(FindingCode.LOOP_OVER_MAX, what, place.tag, position, place, guide)
        else:
            often = f"more than {times(bound)}{self._grammar.where(place)}"
            what = f"{named(place)} comes {often}, {whose} maximum."
            self._add(FindingCode.SEGMENT_OVER_MAX, what, place.tag, position, place, guide)

    def _enter(self, head: int, place: int, position: int) -> None:
        """Stand in a loop whose head was not sent, so that what follows in it is no fault again."""
        self.visits += Visit(head, position, sent=False), Visit(place, position)
        inner = self._grammar.within(head)
        self._counts[inner.start : inner.stop] = [0] * len(inner)
        self._counts[place] = 1
        self._at = place

    def _unknown(self, tag: str, position: int) -> None:
        if tag in self._grammar.dictionary:
            what = f"{tag} is not a segment of the {self._grammar.type}."
            self._add(FindingCode.SEGMENT_NOT_IN_SET, what, tag, position, self._here())
        else:
            what = f"{shown(tag)} is not a segment of the standard as far as the hub knows it."
            self._add(FindingCode.SEGMENT_UNRECOGNISED, what, tag, position, self._here())

    def _misplaced(self, tag: str, position: int, inside: tuple[int, int] | None) -> None:
        """Say that a known segment stands where no move leads to it."""
        grammar = self._grammar
        if grammar.is_earlier(tag, self._at):
            self._forget_missing(tag)
            what = f"{tag} comes too late: the standard has it before {self._here_tag()}."
            self._add(FindingCode.SEGMENT_ORDER, what, tag, position, self._here())
            return
        loops = {grammar.loops[one.loop].id for one in grammar.places if one.tag == tag and one.loop}
        belongs = f"; it belongs in the {' or '.join(sorted(loops))} loop" if loops else ""
        what = f"{tag} cannot follow {self._here_tag()}{belongs}."
        self._add(FindingCode.SEGMENT_UNEXPECTED, what, tag, position, self._here())
        if inside is not None:
            self._enter(*inside, position)

    def _forget_missing(self, tag: str) -> None:
        """A mandatory segment that turns up after all was not missing but late: one fault."""
        # What the standard asks for is forgiven first: a guide must not change what is said without it.
        for index, finding in sorted(self._missing.items(), key=lambda one: bool(one[1].guide)):
            if self._grammar.places[index].tag == tag:
                del self._missing[index]
                self.found.remove(finding)
                return

    def _here(self) -> Place | None:
        return self._grammar.places[self._at] if self._at != START else None

    def _here_tag(self) -> str:
        here = self._here()
        return here.tag if here else "the beginning"

    def _add(
        self, code: FindingCode, message: str, tag: str, position: int, place: Place | None, guide: str = ""
    ) -> Finding:
        loop = self._grammar.loop_id(place) if place else ""
        said = asked(guide, message)
        finding = Finding(code=code, message=said, segment=tag, position=position, loop=loop, guide=guide)
        self.found.append(finding)
        return finding
