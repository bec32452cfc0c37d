"""Seeds: what every run starts from: the samples, and documents with every loop of their guide."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edi import codes
from edi.guide import guide_for
from tests.unit.edi.build import HOSTILE, STAR, STAR_5010, group, interchange
from tests.unit.edi.test_guide_oracle import RELEASES, SETS, good

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SEED_BYTES_MAX = 9_000  # two of the crashers are longer, and are tests of their own


@dataclass(frozen=True, slots=True)
class Seeds:
    """Files to begin with, and by (tag, element number) the codes the maps allow."""

    files: tuple[bytes, ...]
    codes: Mapping[tuple[str, int], tuple[str, ...]]


@cache
def seeds() -> Seeds:
    """All of them, in the same order every time."""
    samples = [path.read_bytes() for path in sorted(SAMPLES.rglob("*.edi"))]
    short = [data for data in samples if len(data) <= SEED_BYTES_MAX]
    return Seeds((*short, *_full_documents()), _codes())


def _full_documents() -> list[bytes]:
    """One order, acknowledgment and ship notice with every loop, in each release and some delimiters."""
    group_of = {kind: name for name, kinds in codes.SETS_OF_GROUP.items() for kind in kinds}
    files = []
    for release in RELEASES:
        for set_type in sorted(SETS):
            segments = group(group_of[set_type], good(set_type, release), version=release)
            marks = STAR if release == "004010" else STAR_5010
            files.append(interchange(segments, delimiters=marks))
    segments = group("PO", good("850", "004010"))
    return files + [interchange(segments, delimiters=marks) for marks in HOSTILE]


def _codes() -> dict[tuple[str, int], tuple[str, ...]]:
    found: dict[tuple[str, int], set[str]] = {}
    kinds = [kind for kinds in codes.SETS_OF_GROUP.values() for kind in kinds]
    for guide in [guide_for(release, kind) for release in RELEASES for kind in kinds]:
        for place in guide.grammar.places if guide else ():
            for element in place.segment.elements:
                if element.codes:
                    found.setdefault((place.tag, element.position), set()).update(element.codes)
    return {key: tuple(sorted(values)) for key, values in sorted(found.items())}
