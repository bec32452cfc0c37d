"""Navigation: the parts of the app, and who sees which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Seeing(Protocol):
    """What decides which parts are seen."""

    @property
    def is_operator(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One part, as the head of every page names it."""

    label: str
    path: str
    is_here: bool = False


_EVERYBODY = (Entry("Orders", "/orders"),)
_PARTNERS = (Entry("Company", "/company"),)
_OPERATORS = (
    Entry("Overview", "/support/overview"),
    Entry("Files", "/support/files"),
    Entry("Waiting", "/support/waiting"),
    Entry("Outbox", "/support/outbox"),
    Entry("Webhooks", "/support/webhooks"),
    Entry("Audit", "/support/audit"),
)


def entries_for(visitor: Seeing | None, path: str) -> Sequence[Entry]:
    """What the visitor sees, with the part the page belongs to marked."""
    if visitor is None:
        return ()
    seen = (*_EVERYBODY, *(_OPERATORS if visitor.is_operator else _PARTNERS))
    return tuple(
        Entry(one.label, one.path, path == one.path or path.startswith(one.path + "/")) for one in seen
    )
