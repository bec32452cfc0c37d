"""Which line of an order a document points at, and how many of its units: or why that cannot be told."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from storage.commands import LineCancellation, LineReference, NewLine, Reason, ShippedLine
from storage.events import PlacedLine, Units
from storage.orders import ZERO, ItemId, LineState
from storage.quantities import fits, in_line_unit
from storage.refusals import Refusal, RefusedLine, quantity_fault, refuse_line, unfound_line

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


def measure(line: LineState, quantity: Decimal, unit: str) -> Decimal | Refusal:
    """The quantity in the line's own unit, or what is wrong with it whatever the line has open."""
    own = in_line_unit(line, quantity, unit)
    if own is None:
        return Refusal.UNIT_MISMATCH
    if not fits(quantity):  # before packs are counted: the product would be rounded
        return Refusal.QUANTITY_OUT_OF_RANGE
    return quantity_fault(own, discrete=line.discrete) or own


def add_up(
    lines: tuple[LineState, ...],
    items: tuple[LineCancellation, ...] | tuple[ShippedLine, ...],
    verb: str,
    *,
    by_name: bool = False,
) -> tuple[dict[int, Decimal], list[RefusedLine]]:
    """The units a document names, by line id and in the line's unit; and what of it cannot be understood."""
    sums: dict[int, Decimal] = {}
    refusals: list[RefusedLine] = []
    for item in items:
        line = find_line(lines, item.line, by_name=by_name)
        if isinstance(line, Refusal):
            refusals.append(unfound_line(line, item.line.number, item.quantity))
            continue
        earlier = sums.get(line.id, ZERO)
        units = _units_named(line, item, earlier)
        if isinstance(units, Refusal):
            refusals.append(refuse_line(units, line, item.quantity, verb, item.unit))
        else:
            sums[line.id] = earlier + units
    return sums, refusals


def _units_named(
    line: LineState, item: LineCancellation | ShippedLine, earlier: Decimal
) -> Decimal | Refusal:
    """Without a quantity: all that is open. Nothing may be shipped, but to cancel nothing is a mistake."""
    if item.quantity is None:
        return max(line.open - earlier, ZERO)
    units = measure(line, item.quantity, item.unit)
    return Refusal.QUANTITY_ZERO if units == ZERO and isinstance(item, LineCancellation) else units


def moved(
    lines: tuple[LineState, ...], sums: Mapping[int, Decimal], reason: Reason | None = None
) -> tuple[Units, ...]:
    """The sums by line id as units of an event, in the order of the lines; nothing is not written."""
    return tuple(
        Units(line_id=line.id, line=line.line, quantity=sums[line.id], reason=reason or Reason())
        for line in lines
        if sums.get(line.id)
    )


def name_lines(lines: tuple[NewLine, ...]) -> tuple[PlacedLine, ...]:
    """The buyer's line number where it is there and unique, else a name made from the line's place."""
    numbers = Counter(line.number for line in lines)
    mark = "#" if any(numbers) else ""
    placed = []
    for ordinal, line in enumerate(lines, start=1):
        assigned = bool(line.number) and numbers[line.number] == 1
        made = f"{mark}{ordinal}"
        while made in numbers:  # a buyer may number lines "#2"
            made = f"#{made}"
        placed.append(PlacedLine(line=line.number if assigned else made, assigned=assigned, new=line))
    return tuple(placed)


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
    """The same kind of id with another value. Another qualifier may be another pack of the same item.

    An id without a scheme (filler, a colour) says nothing on either side.
    """
    return any(
        a.scheme and b.scheme and a.qualifier == b.qualifier and not _same(a, b) for a in ours for b in theirs
    )
