"""Which line of an order a document points at: by assigned number, by item ids, or not at all."""

from storage.commands import LineReference
from storage.orders import ItemId, LineState
from storage.refusals import Refusal

GLOBAL_SCHEME = "gtin"  # ids of this scheme are numbers: leading zeros do not matter


def find_line(
    lines: tuple[LineState, ...], ref: LineReference, *, by_name: bool = False
) -> LineState | Refusal:
    """The one line meant, or why it cannot be told (spec section 4).

    An assigned number is compared as text, then as a number; item ids by scheme. When both are given they
    must not disagree. `by_name` is for people, who use the line names the ledger shows.
    """
    numbered = _numbered(lines, ref.number, by_name=by_name)
    identified = tuple(line for line in lines if _shares_id(line.ids, ref.ids))
    if numbered is not None:
        if identified:
            return numbered if numbered in identified else Refusal.LINE_CONTRADICTED
        return Refusal.LINE_CONTRADICTED if _contradicts(numbered.ids, ref.ids) else numbered
    if len(identified) == 1:
        return identified[0]
    return Refusal.LINE_AMBIGUOUS if identified else Refusal.LINE_UNKNOWN


def _numbered(lines: tuple[LineState, ...], number: str, *, by_name: bool) -> LineState | None:
    """The line with this assigned number; leading zeros are forgiven when that leaves one line only."""
    if not number:
        return None
    candidates = lines if by_name else tuple(line for line in lines if line.assigned)
    exact = [line for line in candidates if line.line == number]
    loose = [line for line in candidates if _as_number(line.line) == _as_number(number)]
    for found in (exact, loose):
        if len(found) == 1:
            return found[0]
    return None


def _as_number(text: str) -> str:
    """Text without leading zeros when it is all ASCII digits, else as it is."""
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text


def _same(a: ItemId, b: ItemId) -> bool:
    if not a.scheme or a.scheme != b.scheme:
        return False
    return _as_number(a.id) == _as_number(b.id) if a.scheme == GLOBAL_SCHEME else a.id == b.id


def _shares_id(ours: tuple[ItemId, ...], theirs: tuple[ItemId, ...]) -> bool:
    return any(_same(a, b) for a in ours for b in theirs)


def _contradicts(ours: tuple[ItemId, ...], theirs: tuple[ItemId, ...]) -> bool:
    """The same kind of id with another value. Another qualifier may be another pack of the same item."""
    return any(a.scheme and a.qualifier == b.qualifier and not _same(a, b) for a in ours for b in theirs)
