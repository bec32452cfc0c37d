"""Which line of an order a document points at, and how many of its units: or why that cannot be told."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from storage.commands import LineCancellation, LineReference, NewLine, Reason, ShippedLine
from storage.events import PlacedLine, Units
from storage.item_ids import (
    GLOBAL_SCHEME,
    Key,
    as_number,
    contradicts,
    key_of,
    keys_of,
    kinds_of,
    loose,
    shares_id,
)
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

SCANNED_MAX = 50  # lines that share an id and are looked at one by one

_EXACT, _LOOSE = "#number", "#number without zeros"  # keys beside the schemes of ids


class LineIndex:
    """The lines of an order by everything a document may call them (spec section 4).

    Built once for a command, so that a document's cost grows with its lines and not with their square.
    `by_name` is for people, who use the line names the ledger shows; documents use only the buyer's own.
    """

    def __init__(self, lines: tuple[LineState, ...], *, by_name: bool = False) -> None:
        self._numbered: dict[Key, list[LineState]] = {}
        self._sharing: dict[Key, list[LineState]] = {}
        self._many: dict[Key, dict[frozenset[Key], _Alike]] = {}
        for line in lines:
            for key in {key for key in map(key_of, line.ids) if key}:
                self._sharing.setdefault(key, []).append(line)
            if by_name or line.assigned:
                for key in {(_EXACT, line.line), (_LOOSE, as_number(line.line))}:
                    self._numbered.setdefault(key, []).append(line)

    def find(self, ref: LineReference) -> LineState | Refusal:
        """The one line meant, or why it cannot be told.

        An assigned number is compared as text, then as a number; item ids by scheme. Whatever is given must
        not disagree: neither number and items (row 26), nor one item with another.
        """
        numbered = self.numbered(ref.number)
        if numbered is not None:
            return Refusal.LINE_CONTRADICTED if self._is_anothers(numbered, ref.ids) else numbered
        fitting: dict[int, LineState] = {}
        for line in self._candidates(ref.ids):
            if line is None:
                return Refusal.LINE_AMBIGUOUS
            if not contradicts(line.ids, ref.ids) and not self._names_another(line, ref.ids):
                fitting[line.id] = line
            if len(fitting) > 1:
                return Refusal.LINE_AMBIGUOUS
        if fitting:
            return next(iter(fitting.values()))
        known = {key[0] for key in keys_of(ref.ids) if key in self._sharing}
        # A number and an item of its own, neither of which is there: another size of what is there.
        another = ref.number and GLOBAL_SCHEME not in known and any(map(_is_global, ref.ids))
        return Refusal.LINE_CONTRADICTED if known and not another else Refusal.LINE_UNKNOWN

    def numbered(self, number: str) -> LineState | None:
        """The line with this assigned number; leading zeros are forgiven when that leaves one line only."""
        if not number:
            return None
        for key in ((_EXACT, number), (_LOOSE, as_number(number))):
            found = self._numbered.get(key, [])
            if len(found) == 1:
                return found[0]
        return None

    def _is_anothers(self, line: LineState, ids: tuple[ItemId, ...]) -> bool:
        """Whether the ids are not this line's: another line has them, or this one has others instead."""
        if ids == line.ids:
            return False
        if contradicts(line.ids, ids, numbered=True):
            return True
        if self._names_another(line, ids):
            return True
        return any(key in self._sharing for key in keys_of(ids)) and not shares_id(line.ids, ids)

    def _names_another(self, line: LineState, ids: tuple[ItemId, ...]) -> bool:
        """Whether an id is another line's, where this line has one of its kind."""
        own, kinds = set(keys_of(line.ids)), kinds_of(line.ids)
        return any(
            (one.scheme, one.qualifier) in kinds and key not in own and key in self._sharing
            for one in ids
            if (key := key_of(one))
        )

    def _candidates(self, ids: tuple[ItemId, ...]) -> Iterator[LineState | None]:
        """The lines that share an id, as far as they could be meant; None: too many to tell.

        Of many that share one id, those that share nothing else of what both name are contradicted by it; of
        those with nothing else to compare, two of a kind are enough.
        """
        for key in keys_of(ids):
            lines = self._sharing.get(key, [])
            if len(lines) <= SCANNED_MAX:
                yield from lines
                continue
            for kinds, alike in self._by_kinds(key).items():
                more = {scheme for scheme, _ in kinds & kinds_of(ids)} - {key[0]}
                few = min((alike.sharing(scheme, ids) for scheme in more), key=len, default=alike.lines[:2])
                if len(few) > SCANNED_MAX:
                    yield None
                yield from few

    def _by_kinds(self, key: Key) -> "dict[frozenset[Key], _Alike]":
        """The many lines that share an id, by the kinds of ids that they have."""
        if key not in self._many:
            many: dict[frozenset[Key], _Alike] = {}
            for line in self._sharing[key]:
                many.setdefault(kinds_of(line.ids), _Alike()).add(line)
            self._many[key] = many
        return self._many[key]


class _Alike:
    """Lines with the same kinds of ids, and which of them have which."""

    def __init__(self) -> None:
        self.lines: list[LineState] = []
        self._having: dict[Key, list[LineState]] = {}

    def add(self, line: LineState) -> None:
        self.lines.append(line)
        for key in set(map(loose, line.ids)):
            self._having.setdefault(key, []).append(line)

    def sharing(self, scheme: str, ids: tuple[ItemId, ...]) -> list[LineState]:
        """The lines that have one of the ids of this scheme, however it is written."""
        keys = {loose(item) for item in ids if item.scheme == scheme}
        return [line for key in keys for line in self._having.get(key, ())]


def identifiable(ref: LineReference) -> bool:
    """Whether the reference says anything by which a line can be known again."""
    return bool(ref.number) or bool(keys_of(ref.ids))


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
    all_of: Callable[[LineState], Decimal] = lambda line: line.open,
) -> tuple[dict[int, Decimal], list[RefusedLine]]:
    """The units a document names, by line id and in the line's unit; and what of it cannot be understood.

    `all_of` is what is meant of a line without a quantity.
    """
    sums: dict[int, Decimal] = {}
    refusals: list[RefusedLine] = []
    index = LineIndex(lines, by_name=by_name)
    for item in items:
        line = index.find(item.line)
        if isinstance(line, Refusal):
            refusals.append(unfound_line(line, item.line.number, item.quantity))
            continue
        earlier = sums.get(line.id, ZERO)
        units = _units_named(line, item, all_of(line) - earlier)
        if isinstance(units, Refusal):
            refusals.append(refuse_line(units, line, item.quantity, verb, item.unit))
        else:
            sums[line.id] = earlier + units
    return sums, refusals


def _units_named(line: LineState, item: LineCancellation | ShippedLine, rest: Decimal) -> Decimal | Refusal:
    """Without a quantity: the rest. Nothing may be shipped, but to cancel nothing is a mistake."""
    if item.quantity is None:
        return max(rest, ZERO)
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


def _is_global(item: ItemId) -> bool:
    return item.scheme == GLOBAL_SCHEME
