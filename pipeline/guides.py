"""Guides: the partners' companion guides, each loaded once; a broken one is the operator's to mend."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from edi.overlay import Overlay, OverlayError, load
from pipeline.errors import OperatorError
from pipeline.partners import Partner
from pipeline.settings import Settings


def guides_of(*partners: Partner | None) -> tuple[Overlay, ...]:
    """The guides of these partners, the first partner's first. OperatorError for one that cannot be used."""
    return guides_at(path for partner in partners if partner for path in partner.guides)


def guides_at(paths: Iterable[Path]) -> tuple[Overlay, ...]:
    """The guides in these files. OperatorError for one that cannot be used."""
    return tuple(_load(path) for path in paths)


def check_guides(settings: Settings) -> int:
    """Load every guide of every partner, so that a mistake is found before a document comes; how many."""
    return len(guides_of(*settings.partners))


@lru_cache(maxsize=1024)
def _load(path: Path) -> Overlay:
    try:
        return load(path)
    except (OverlayError, OSError) as error:
        raise OperatorError(f"A companion guide cannot be used: {error}") from error
