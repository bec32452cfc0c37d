"""Which line of an order a document points at, and how many of its units: or why that cannot be told."""

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal

from storage.commands import LineCancellation, LineReference, NewLine, Reason, ShippedLine
from storage.events import PlacedLine, Units
from storage.orders import ZERO, ItemId, LineState
from storage.quantities import fits, in_line_unit
from storage.refusals import (
    Decision,
    Refusal,
    RefusedLine,
    quantity_fault,
    refuse_line,
    refused,
    unfound_line,
)

GLOBAL_SCHEME = "gtin"  # ids of this scheme are numbers: leading zeros do not matter
_EXACT, _LOOSE = "#number", "#number without zeros"  # keys beside the schemes of ids


class LineIndex:
    """The lines of an order by everything a document may call them (spec section 4).

    Built once for a command, so that a document's cost grows with its lines and not with their square.
    `by_name` is for people, who use the line names the ledger shows; documents use only the buyer's own.
    """

    def __init__(self, lines: tuple[LineState, ...], *, by_name: bool = False) -> None:
        self._found: dict[tuple[str, str], list[LineState]] = {}
        for line in lines:
            keys = {key for key in map(_identity, line.ids) if key}
            if by_name or line.assigned:
                keys |= {(_EXACT, line.line), (_LOOSE, _as_number(line.line))}
            for key in keys:
                known = self._found.setdefault(key, [])
                if len(known) < 2:  # two are enough to know that it is not one
                    known.append(line)

    def find(self, ref: LineReference) -> LineState | Refusal:
        """The one line meant, or why it cannot be told.

        An assigned number is compared as text, then as a number; item ids by scheme. When both are given
        they must not disagree.
        """
        numbered = self.numbered(ref.number)
        identified = self._identified(ref.ids)
        if numbered is not None:
            if identified:
                return numbered if _shares_id(numbered.ids, ref.ids) else Refusal.LINE_CONTRADICTED
            return Refusal.LINE_CONTRADICTED if _contradicts(numbered.ids, ref.ids) else numbered
        if len(identified) == 1:
            return next(iter(identified.values()))
        return Refusal.LINE_AMBIGUOUS if identified else Refusal.LINE_UNKNOWN

    def numbered(self, number: str) -> LineState | None:
        """The line with this assigned number; leading zeros are forgiven when that leaves one line only."""
        if not number:
            return None
        for key in ((_EXACT, number), (_LOOSE, _as_number(number))):
            found = self._found.get(key, [])
            if len(found) == 1:
                return found[0]
        return None

    def _identified(self, ids: tuple[ItemId, ...]) -> dict[int, LineState]:
        """Lines that share an id, by line id; of many on one id the first two."""
        keys = (key for key in map(_identity, ids) if key)
        return {line.id: line for key in keys for line in self._found.get(key, [])}


def identifiable(ref: LineReference) -> bool:
    """Whether the reference says anything by which a line can be known again."""
    return bool(ref.number) or any(map(_identity, ref.ids))


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
    index = LineIndex(lines, by_name=by_name)
    for item in items:
        line = index.find(item.line)
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


def movable(
    lines: tuple[LineState, ...],
    named: tuple[dict[int, Decimal], list[RefusedLine]],
    fault_of: Callable[[LineState, Decimal], Refusal | None],
    verb: str,
) -> dict[int, Decimal] | Decision:
    """The units a document names, by line id, when all of them may be moved."""
    sums, refusals = named
    for line in lines:
        fault = fault_of(line, sums[line.id]) if line.id in sums else None
        if fault:
            refusals.append(refuse_line(fault, line, sums[line.id] or None, verb))
    return refused(tuple(refusals)) if refusals else sums


def moved(
    lines: tuple[LineState, ...], sums: Mapping[int, Decimal], reason: Reason | None = None
) -> tuple[Units, ...]:
    """The sums by line id as units of an event, in the order of the lines; nothing is not written."""
    return tuple(
        Units(line_id=line.id, line=line.line, quantity=sums[line.id], reason=reason or Reason())
        for line in lines
        if sums.get(line.id)
    )


def name_lines(lines: tuple[NewLine, ...], before: tuple[LineState, ...] = ()) -> tuple[PlacedLine, ...]:
    """The buyer's line number where it is there and unique, else a name made from the line's place.

    `before` are the lines the order has already.
    """
    numbers = Counter(line.number for line in lines)
    numbers.update(line.line for line in before)
    mark = "#" if any(line.number for line in lines) or any(line.assigned for line in before) else ""
    placed = []
    for ordinal, line in enumerate(lines, start=len(before) + 1):
        assigned = bool(line.number) and numbers[line.number] == 1
        made = f"{mark}{ordinal}"
        while made in numbers:  # a buyer may number lines "#2"
            made = f"#{made}"
        placed.append(PlacedLine(line=line.number if assigned else made, assigned=assigned, new=line))
    return tuple(placed)


def _as_number(text: str) -> str:
    """Text without leading zeros when it is all ASCII digits, else as it is."""
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text


def _identity(item: ItemId) -> tuple[str, str] | None:
    """What must be equal for two ids to be the same; None: it proves nothing."""
    if not item.scheme:
        return None
    return item.scheme, _as_number(item.id) if item.scheme == GLOBAL_SCHEME else item.id


def _shares_id(ours: tuple[ItemId, ...], theirs: tuple[ItemId, ...]) -> bool:
    return any(key and key in map(_identity, theirs) for key in map(_identity, ours))


def _contradicts(ours: tuple[ItemId, ...], theirs: tuple[ItemId, ...]) -> bool:
    """The same kind of id with another value. Another qualifier may be another pack of the same item.

    An id without a scheme (filler, a colour) says nothing on either side.
    """
    return any(
        a.scheme and b.scheme and a.qualifier == b.qualifier and _identity(a) != _identity(b)
        for a in ours
        for b in theirs
    )
