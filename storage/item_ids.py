"""Whether item ids can name one line: equal ids tie, others of the same kind contradict (section 4)."""

from collections.abc import Iterable

from storage.orders import ItemId

GLOBAL_SCHEME = "gtin"  # ids of this scheme are numbers: leading zeros do not matter

Key = tuple[str, str]


def key_of(item: ItemId) -> Key | None:
    """What must be equal for two ids to be the same; None: it proves nothing."""
    if not item.scheme:
        return None
    return item.scheme, as_number(item.id) if item.scheme == GLOBAL_SCHEME else item.id


def keys_of(items: Iterable[ItemId]) -> list[Key]:
    """The keys of the ids that prove something."""
    return [key for key in map(key_of, items) if key]


def kinds_of(items: Iterable[ItemId]) -> frozenset[Key]:
    """Scheme and qualifier of the ids that prove something."""
    return frozenset((item.scheme, item.qualifier) for item in items if item.scheme)


def shares_id(ours: tuple[ItemId, ...], theirs: tuple[ItemId, ...]) -> bool:
    """Whether an id is the same in both."""
    return not set(keys_of(ours)).isdisjoint(keys_of(theirs))


def contradicts(ours: tuple[ItemId, ...], theirs: tuple[ItemId, ...], *, numbered: bool = False) -> bool:
    """Whether both have ids of a qualifier, and none of these is the same in both.

    Another qualifier may be another pack of the same item. Where one whole GTIN is the same, others may
    differ: an item can have several, and partners have numbers of their own for it. These may differ too
    where the line's number and another id agree (`numbered`). Of a partner's own numbers, case, signs and
    leading zeros may have been lost on the way, which is no contradiction, though no tie either.
    """
    if ours == theirs:
        return False
    shared = kinds_of(ours) & kinds_of(theirs)
    same_item = _same_gtin(ours, theirs)
    tied = same_item or (numbered and shares_id(ours, theirs))
    return any(
        not (same_item if kind[0] == GLOBAL_SCHEME else tied)
        and _loosely(kind, ours).isdisjoint(_loosely(kind, theirs))
        for kind in shared
    )


def as_number(text: str) -> str:
    """Text without leading zeros when it is all ASCII digits, else as it is."""
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text


def _same_gtin(ours: tuple[ItemId, ...], theirs: tuple[ItemId, ...]) -> bool:
    mine = {as_number(item.id) for item in ours if item.scheme == GLOBAL_SCHEME}
    return any(item.scheme == GLOBAL_SCHEME and as_number(item.id) in mine for item in theirs)


def loose(item: ItemId) -> Key:
    """An id by its letters and digits alone."""
    return item.scheme, "".join(filter(str.isalnum, item.id.casefold())).lstrip("0")


def _loosely(kind: Key, items: tuple[ItemId, ...]) -> set[Key]:
    return {loose(item) for item in items if (item.scheme, item.qualifier) == kind}
