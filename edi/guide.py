"""Guide: the grammar of one transaction set, loaded from our maps with pyx12, narrowed and compiled.

A clean set meets nothing but the compiled guide: one table look-up and one pattern per segment. What that
does not accept goes to `edi.faults`, which says why.
"""

import re
import warnings
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyx12.map_if
import pyx12.params

from edi import faults
from edi.compiled import Guide, Verdict
from edi.delimiters import Delimiters
from edi.envelope import TransactionSet
from edi.findings import Finding, FindingCode
from edi.grammar import UNBOUNDED, Element, Grammar, Loop, Note, Place, Segment
from edi.narrowing import Overlay, narrow
from edi.releases import without_what_went
from edi.wording import printable

_maps = Path(__file__).parent / "maps"
_map_name = re.compile(r"[0-9A-Za-z]{1,6}")  # a release or a set type as sent: it becomes part of a path

# Two releases of eight sets, and a hundred partners with a few guides each.
_guides_max = 512

__all__ = ["Guide", "Verdict", "check", "control_segments", "guide_for", "load_grammar"]


def guide_for(
    release: str, set_type: str, overlay: Overlay | None = None, *, short_dates: bool = False
) -> Guide | None:
    """The guide of a transaction set (ST01, 143) in a release (the first six characters of GS08, 480).

    An overlay narrows it; one for another set or release changes nothing. `short_dates` allows YYMMDD too.
    """
    if not (_map_name.fullmatch(release) and _map_name.fullmatch(set_type)):
        return None
    if overlay is not None and not overlay.applies_to(set_type, release):
        overlay = None
    return _guide(release, set_type, overlay, short_dates)


@lru_cache(maxsize=_guides_max)
def _guide(release: str, set_type: str, overlay: Overlay | None, short_dates: bool) -> Guide | None:
    if overlay is not None or short_dates:
        standard = _guide(release, set_type, None, False)
        if standard is None:
            return None
        grammar = standard.grammar.with_short_dates() if short_dates else standard.grammar
        return Guide(narrow(grammar, overlay)[0] if overlay is not None else grammar)
    path = _maps / release / f"{set_type}.xml"
    return Guide(load_grammar(path, release)) if path.is_file() else None


def check(
    set: TransactionSet, release: str, overlay: Overlay | None = None, *, short_dates: bool = False
) -> tuple[Finding, ...]:
    """Everything wrong with one transaction set (ST to SE) by its release's map; () for a clean one.

    Counts and control numbers are the envelope's; a set without SE is judged as if SE came next. A set whose
    only blemish is empty elements at the end of segments has one TRAILING_EMPTY note. What only a partner's
    overlay asks for is an error like any other, and names the guide.
    """
    guide = guide_for(release, set.type, overlay, short_dates=short_dates)
    if guide is None:
        message = f"There is no map for transaction set {printable(set.type)} in release {release}."
        unsupported = FindingCode.SET_UNSUPPORTED
        return (Finding(code=unsupported, message=message, segment="ST", position=1, value=set.type),)
    segments = set.segments
    if short_dates:
        places, segments = without_what_went(segments, set.delimiters)
        found = _held_against(guide, segments, set.delimiters)
        return tuple(replace(one, position=places[one.position]) for one in found)
    return _held_against(guide, segments, set.delimiters)


def _held_against(guide: Guide, segments: tuple[str, ...], delimiters: Delimiters) -> tuple[Finding, ...]:
    verdict = guide.accepts(segments, delimiters)
    if verdict is Verdict.CLEAN:
        return ()
    if verdict is Verdict.TRAILING:
        return faults.trailing_empty(segments, delimiters)
    found = faults.find(guide.grammar, segments, delimiters)
    if not any(finding.is_error for finding in found):
        # The exact path has the last word; that the two disagree is our fault and must be seen.
        message = f"{guide.grammar.release} {guide.grammar.type}: compiled and exact guide disagree"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    return found


@lru_cache(maxsize=8)
def control_segments(release: str) -> dict[str, Segment]:
    """The segments of the envelope (ISA, TA1, GS, GE, IEA) in a release of the maps, by tag."""
    path = _maps / release / f"x12.control.{release[:5]}.xml"  # ISA12 has five characters
    root = pyx12.map_if.load_map_file(path.name, pyx12.params.ParamsBase(), map_path=str(path.parent))
    loader = _Loader({}, root.ext_codes.codes)
    loader.loop(_children(root)[0], parent=-1, order=0)
    return {place.tag: place.segment for place in loader.places}


def load_grammar(path: Path, release: str) -> Grammar:
    """Our map file as a grammar: the ST_LOOP of it, with the names and lengths of its dataele.xml."""
    parameters = pyx12.params.ParamsBase()
    root = pyx12.map_if.load_map_file(path.name, parameters, map_path=str(path.parent))
    loader = _Loader(_composite_notes(path), root.ext_codes.codes)
    loader.loop(_transaction_loop(root), parent=-1, order=0)
    return Grammar(
        type=path.stem,
        release=release,
        name=root.name,
        places=tuple(loader.places),
        loops=tuple(loop for loop in loader.loops if loop is not None),
        children=tuple(tuple(children) for children in loader.children),
        dictionary=_tags_under(path.parent.parent),
    )


def _composite_notes(path: Path) -> dict[str, tuple[Note, ...]]:
    """Syntax notes of composites by their reference (REF04), which pyx12 does not keep."""
    composites = ElementTree.parse(path).iter("composite")
    return {
        composite.get("xid", ""): tuple(_note(note.text or "") for note in composite.findall("syntax"))
        for composite in composites
    }


def _note(text: str) -> Note:
    return Note(text[0], tuple(int(text[at : at + 2]) for at in range(1, len(text), 2)))


@lru_cache(maxsize=8)
def _tags_under(maps: Path) -> frozenset[str]:
    """The segment tags of all maps of all releases, read from their text: loading them all would be slow."""
    texts = (file.read_text(encoding="utf-8") for file in sorted(maps.glob("*/*.xml")))
    return frozenset(tag for text in texts for tag in re.findall(r'<segment xid="(\w+)"', text))


def _transaction_loop(node: Any) -> Any:
    """The first loop of a pyx12 map that begins with ST."""
    first = node.get_first_seg()
    if first is not None and first.id == "ST":
        return node
    for child in _children(node):
        if child.is_loop() and (found := _transaction_loop(child)) is not None:
            return found
    return None


def _children(node: Any) -> list[Any]:
    """A pyx12 loop's children by position; two in one position would leave their order to chance."""
    for position, children in node.pos_map.items():
        if len(children) > 1:
            raise ValueError(f"map {node.id}: position {position} is used twice")
    return [children[0] for _, children in sorted(node.pos_map.items())]


class _Loader:
    """Gathers a pyx12 loop tree into flat lists of places and loops; equal segment definitions become one."""

    def __init__(self, composite_notes: dict[str, tuple[Note, ...]], code_sets: dict[str, Any]) -> None:
        self.places: list[Place] = []
        self.loops: list[Loop | None] = []
        self.children: list[list[Place | Loop]] = []
        self._composite_notes, self._code_sets = composite_notes, code_sets
        self._segments: dict[Segment, Segment] = {}

    def loop(self, node: Any, parent: int, order: int) -> Loop:
        index = len(self.loops)
        self.loops.append(None)
        self.children.append([])
        loop = Loop(
            index=index,
            id=node.id.removesuffix("_LOOP"),
            name=node.name,
            parent=parent,
            order=order,
            required=node.usage == "R",
            repeat=_bound(node.repeat),
            head=len(self.places),
        )
        self.loops[index] = loop
        for at, child in enumerate(_children(node)):
            if child.is_loop():
                if at == 0:
                    raise ValueError(f"map {node.id}: a loop begins with a segment")
                self.children[index].append(self.loop(child, index, at))
            else:
                self.children[index].append(self._place(child, index, at))
        return loop

    def _place(self, node: Any, loop: int, order: int) -> Place:
        segment = Segment(
            tag=node.id,
            name=node.name,
            elements=tuple(self._element(child) for child in node.children),
            notes=tuple(Note(note[0], tuple(note[1:])) for note in node.syntax),
        )
        place = Place(
            index=len(self.places),
            segment=self._segments.setdefault(segment, segment),
            loop=loop,
            order=order,
            required=_required(node),
            max_use=_bound(node.max_use),
        )
        self.places.append(place)
        return place

    def _element(self, node: Any) -> Element:
        whole = Element(position=node.seq, reference=node.data_ele, name=node.name, required=_required(node))
        if node.is_composite():
            return replace(
                whole,
                repeat=node.repeat,
                components=tuple(self._element(child) for child in node.children),
                notes=self._composite_notes.get(node.id, ()),
            )
        codes = set(node.valid_codes)
        if node.external_codes is not None:
            codes |= self._code_sets[node.external_codes]["codes"]
        return replace(
            whole,
            repeat=_bound(node.max_use) if node.max_use else 1,
            type=node.data_type,
            length_min=node.min_len,
            length_max=node.max_len,
            codes=frozenset(codes),
        )


def _required(node: Any) -> bool:
    if node.usage not in ("R", "S"):
        raise ValueError(f"map {node.id}: usage {node.usage} is not one of ours")
    return bool(node.usage == "R")


def _bound(text: str | None) -> int:
    return UNBOUNDED if text in (None, ">1") else int(text or 0)
