"""Overlay: a partner's companion guide, read from its XML file and checked against schema and map."""

from collections.abc import Iterable
from pathlib import Path

from edi import tree
from edi.guide import guide_for
from edi.narrowing import ElementRule, Overlay, SegmentRule, narrow

__all__ = ["Overlay", "OverlayError", "choose", "load"]


class OverlayError(ValueError):
    """A guide that cannot be used; `problems` are sentences that begin with file and line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def load(path: Path) -> Overlay:
    """Read a guide and hold it against the map of each release it names.

    Raises OverlayError, with every problem found, when the file is no such guide, names what the map does
    not have, or would allow what the standard does not.
    """
    root, problems = tree.read(path, "overlay")
    if root is None:
        raise OverlayError(problems)
    overlay = Overlay(
        partner=root.attributes["partner"],
        set=root.attributes["set"],
        releases=tuple(root.attributes["release"].split(" ")),
        source=str(path),
        rules=tuple(_segment_rule(node) for node in root.children),
    )
    found: dict[tuple[int, str], None] = {}  # the same in two releases is said once
    for release in overlay.releases:
        guide = guide_for(release, overlay.set)
        if guide is None:
            message = f"there is no map of {overlay.set} in release {release}. Name one that the hub has."
            found[root.line, message] = None
            continue
        for problem in narrow(guide.grammar, overlay)[1]:
            found[problem.line, problem.message] = None
    if found:
        raise OverlayError(f"{path}:{line}: {message}" for line, message in sorted(found))
    return overlay


def choose(overlays: Iterable[Overlay], set_type: str, release: str) -> Overlay | None:
    """The first guide that is about such sets, None when there is none."""
    return next((one for one in overlays if one.applies_to(set_type, release)), None)


def _segment_rule(node: tree.Node) -> SegmentRule:
    position, _, values = node.attributes.get("where", "").partition("=")
    return SegmentRule(
        line=node.line,
        path=tuple(node.attributes["path"].split("/")),
        where=(int(position), tuple(values.split(" "))) if position else None,
        required=node.attributes.get("usage") == "required",
        forbidden=node.attributes.get("usage") == "not used",
        max_use=int(node.attributes.get("max_use", 0)),
        elements=tuple(_element_rule(child) for child in node.children),
    )


def _element_rule(node: tree.Node) -> ElementRule:
    position, _, component = node.attributes["position"].partition("-")
    length_min, length_max = node.attributes.get("min_length"), node.attributes.get("max_length")
    return ElementRule(
        line=node.line,
        position=int(position),
        component=int(component or 0),
        required=node.attributes.get("usage") == "required",
        forbidden=node.attributes.get("usage") == "not used",
        codes=tuple(filter(None, node.attributes.get("codes", "").split(" "))),
        length_min=int(length_min) if length_min else None,
        length_max=int(length_max) if length_max else None,
    )
