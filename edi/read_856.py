"""856 Ship Notice: a transaction set to a ShipNotice, read by HL parent pointers and by nothing else."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from edi.documents import Pack, Party, ShipNotice, ShippedItem, ShippedOrder
from edi.envelope import TransactionSet
from edi.findings import Finding
from edi.values import Segment, Values, party, product_ids

_ITEM, _ORDER, _SHIPMENT = "I", "O", "S"
#: BSN01 of a notice that ships nothing itself: it withdraws (01, 03) or repeats (07) one by its BSN02.
_WITHOUT_ITEMS = frozenset({"01", "03", "07"})
_DETAILS = frozenset({"LIN", "SN1", "PRF", "PO4", "SLN"})
_LIN_LAST = 31
_NO_PACK = Pack()

# Its fields in order: this skips the checks and defaults of a call.
_shipped_item: Callable[[tuple[object, ...]], ShippedItem] = partial(tuple.__new__, ShippedItem)


def read(transaction_set: TransactionSet) -> tuple[ShipNotice | None, tuple[Finding, ...]]:
    """Read an 856. No document comes with findings that are errors: nothing half read is handed on.

    Only SN102 of HLs at item level (HL03 = I) counts; an item's order is the nearest PRF from its own HL
    upward (spec section 4). BSN05 never matters: hierarchies vary, pointers tell.
    """
    values = Values(transaction_set)
    notice = _Reader(values).read(values.segments())
    return (None if values.failed else notice), tuple(values.findings)


class _Level:
    """One HL and what stands under it before the next; `order` (PRF01, PRF02) is later the nearest upward."""

    __slots__ = ("code", "id", "item", "order", "pack", "parent", "position", "shipped")

    def __init__(self, id_: str, code: str, position: int, parent: "_Level | None") -> None:
        self.id, self.code, self.position, self.parent = id_, code, position, parent
        self.order: tuple[str, str] | None = None
        self.item: Segment | None = None  # LIN
        self.shipped: Segment | None = None  # SN1
        self.pack = _NO_PACK


class _Reader:
    """Collects the levels first, then resolves what hangs on what: a PRF comes after its HL."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._heading: ShipNotice | None = None
        self._parties: list[Party] = []
        self._levels: list[_Level] = []
        self._level: _Level | None = None  # the last of them
        self._by_id: dict[str, _Level] = {}
        self._ctt: Segment | None = None
        self._last = 1  # position of the last segment before CTT or SE
        self._quantity_elsewhere = False  # an SN1 or SLN where units are not counted

    def read(self, segments: Iterable[Segment]) -> ShipNotice | None:
        """Read all segments of the set, ST first."""
        for segment in segments:
            tag = segment.tag
            if tag in _DETAILS:
                if self._level is None:
                    self._values.out_of_place(segment, f"{tag} stands under no HL")
                else:
                    self._detail(self._level, segment)
            elif tag == "HL":
                self._hl(segment)
            elif tag == "BSN":
                self._bsn(segment)
            elif tag == "N1":
                if self._level is None or self._level.code == _SHIPMENT:
                    self._parties.append(party(segment))
            elif tag == "CTT":
                self._ctt = segment
                continue
            elif tag == "SE":
                continue
            self._last = segment.position
        return self._notice()

    def _notice(self) -> ShipNotice | None:
        if self._heading is None:
            self._values.missing_segment("BSN", "the ship notice has no BSN", 2)
            return None
        items = [level for level in self._levels if level.code == _ITEM]
        self._check_shape(items)
        orders: dict[tuple[str, str], list[ShippedItem]] = {}
        for level in self._levels:
            if level.order is None and level.parent is not None:
                level.order = level.parent.order
            elif level.order is not None and level.code == _ORDER:
                orders.setdefault(level.order, [])
            if level.code == _ITEM:
                self._place(level, orders)
        self._check_totals(items, orders)
        shipped = [
            ShippedOrder(po_number=number, release=release, items=tuple(found))
            for (number, release), found in orders.items()
        ]
        return replace(self._heading, parties=tuple(self._parties), orders=tuple(shipped))

    def _bsn(self, segment: Segment) -> None:
        if self._heading is not None:
            self._values.too_many(segment, "heading")
            return
        self._heading = ShipNotice(
            purpose=self._values.required(segment, 1, "353"),
            shipment_id=self._values.required(segment, 2, "396"),
            shipped_on=self._values.date(segment, 3),
            shipped_at=self._values.time(segment, 4),
            structure=segment.text(5),
        )

    def _hl(self, segment: Segment) -> None:
        """HL01 is new in the set; HL02 is empty, "0" (a root, as some write it) or an earlier HL01."""
        id_ = self._values.required(segment, 1, "628")
        parent_id = segment.text(2)
        parent = self._by_id.get(parent_id) if parent_id else None
        if parent is None and parent_id not in ("", "0"):
            message = f"HL {id_} names parent {parent_id}, which is no earlier HL of the set"
            self._values.hierarchy(segment, 2, message, "734")
        level = _Level(id_, self._values.required(segment, 3, "735"), segment.position, parent)
        if id_ in self._by_id:
            self._values.hierarchy(segment, 1, f"HL01 {id_} was used before in the set", "628")
        self._by_id.setdefault(id_, level)
        self._levels.append(level)
        self._level = level

    def _detail(self, level: _Level, segment: Segment) -> None:
        """LIN, PRF and SN1 stand once under an HL; the last PO4 counts."""
        tag = segment.tag
        if tag == "LIN" and level.item is None:
            level.item = segment
        elif tag == "SN1" and level.shipped is None:
            level.shipped = segment
            self._quantity_elsewhere |= level.code != _ITEM
        elif tag == "PRF" and level.order is None:
            level.order = (self._values.required(segment, 1, "324"), segment.text(2))
        elif tag == "PO4":
            level.pack = self._values.pack(segment)
        elif tag == "SLN":
            self._quantity_elsewhere = True
        else:
            self._values.too_many(segment, "HL")

    def _check_shape(self, items: list[_Level]) -> None:
        purpose = self._heading.purpose if self._heading else ""
        if items or (purpose in _WITHOUT_ITEMS and not self._quantity_elsewhere):
            return
        where = "; quantities at other levels or in SLN are not counted" if self._quantity_elsewhere else ""
        message = f"no HL is at item level (HL03 = I){where}"
        self._values.missing_segment("HL", message, self._last + 1, "HL")

    def _place(self, level: _Level, orders: dict[tuple[str, str], list[ShippedItem]]) -> None:
        """Put one item under its order."""
        if level.order is None:
            message = f"item HL {level.id} has no PRF in its own HL or above: its order is not named"
            self._values.missing_segment("PRF", message, level.position + 1, "HL")
        if level.shipped is None:
            message = f"item HL {level.id} has no SN1: its quantity is not said"
            self._values.missing_segment("SN1", message, level.position + 1, "HL")
            return
        quantity = self._values.decimal(level.shipped, 2, "382", required=True)
        if level.order is None or quantity is None:
            return
        item, shipped = level.item, level.shipped
        number, ids = ("", ()) if item is None else (item.text(1), product_ids(item, 2, _LIN_LAST))
        found = orders.get(level.order)
        if found is None:
            found = orders[level.order] = []
        found.append(
            _shipped_item(
                (
                    quantity,
                    number or shipped.text(1),
                    shipped.text(3),
                    ids,
                    shipped.text(8),
                    level.pack,
                    shipped.position,
                )
            )
        )

    def _check_totals(self, items: list[_Level], orders: dict[tuple[str, str], list[ShippedItem]]) -> None:
        """CTT01 counts HLs; some count items instead (spec 1.4), which does no harm."""
        if self._ctt is not None:
            quantities = [item.quantity for found in orders.values() for item in found]
            self._values.check_totals(self._ctt, (len(self._levels), len(items)), "HL levels", quantities)
