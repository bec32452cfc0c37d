"""Line loop: what stands below the head of one line, a PO1 or a POC, up to the next head.

The loops inside a line (sublines, notes, parties, lead times) have PID, PO4 and LIN of their own, which speak
of something smaller than the line: they are passed over, save SLN itself and the ACKs.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from itertools import repeat

from edi.documents import Component, LineAcknowledgment, Pack, ProductId, ScheduledQuantity, StoreQuantity
from edi.values import Segment, Values, ids_among, known_decimal, product_ids

# Loops within PO1 and POC (spec 1.2, 1.3, 1.5).
_INNER_LOOPS = frozenset({"LDT", "N9", "N1", "SLN", "LM", "ADV"})
_ANYWHERE = frozenset({"SLN", "ACK"})
_NO_PACK = Pack()
_store: Callable[[tuple[str, Decimal, str]], StoreQuantity] = partial(tuple.__new__, StoreQuantity)
_acknowledgment: Callable[[tuple[object, ...]], LineAcknowledgment] = partial(
    tuple.__new__, LineAcknowledgment
)
_PO1_LAST = 25
_SDQ_LAST = 22
_ACK_LAST = 26
_LIN_LAST = 31
_SLN_LAST = 28


class LineLoop:
    """Gathers one line's details: give `take` every segment after the head, then read the attributes.

    `ids` are the head's product ids; a LIN adds to them. `tags` says which details the document has: ORDERED,
    ACKNOWLEDGED or CHANGED. What cannot be read becomes a finding of `values`.
    """

    __slots__ = (
        "_head_ids",
        "_loop",
        "_more_ids",
        "_tags",
        "_values",
        "acknowledgments",
        "component_acknowledgments",
        "components",
        "descriptions",
        "pack",
        "schedule",
        "stores",
    )

    def __init__(self, values: Values, ids: tuple[ProductId, ...], tags: "Mapping[str, Detail]") -> None:
        self._values, self._tags, self._loop = values, tags, ""
        self._head_ids = ids
        self._more_ids: dict[ProductId, None] | None = None  # the head's too, in order, once a LIN came
        self.pack = _NO_PACK
        self.descriptions: list[str] = []  # PID05, one a PID
        self.stores: list[StoreQuantity] = []
        self.schedule: list[ScheduledQuantity] = []
        self.components: list[Component] = []
        self.acknowledgments: list[LineAcknowledgment] = []
        self.component_acknowledgments: list[LineAcknowledgment] = []  # those under an SLN

    def begin(self, ids: tuple[ProductId, ...]) -> None:
        """Start over with the next line; what the last one's attributes held is left alone."""
        self._loop, self._head_ids, self._more_ids, self.pack = "", ids, None, _NO_PACK
        if self.descriptions:
            self.descriptions = []
        if self.stores:
            self.stores = []
        if self.schedule:
            self.schedule = []
        if self.components:
            self.components = []
        if self.acknowledgments or self.component_acknowledgments:
            self.acknowledgments, self.component_acknowledgments = [], []

    def take(self, segment: Segment) -> None:
        """Read one segment of the line, or pass over it."""
        tag = segment.tag
        if tag in _INNER_LOOPS and self._loop != "SLN":
            # An N9 or N1 inside SLN does not end it: the ACKs that follow are still the subline's.
            self._loop = tag
        if not self._loop or tag in _ANYWHERE:
            detail = self._tags.get(tag)
            if detail is not None:
                detail(self, segment)

    @property
    def ids(self) -> tuple[ProductId, ...]:
        """The product ids of the head and of the line's LINs, those said again left out."""
        return self._head_ids if self._more_ids is None else tuple(self._more_ids)

    @property
    def description(self) -> str:
        """The texts of the line's PIDs (PID05, 352), joined by blanks."""
        return " ".join(self.descriptions)

    def pid(self, segment: Segment) -> None:
        """PID05 (352)."""
        if text := segment.text(5):
            self.descriptions.append(text)

    def po4(self, segment: Segment) -> None:
        """PO4; the last one counts."""
        self.pack = self._values.pack(segment)

    def lin(self, segment: Segment) -> None:
        """LIN02 on: product ids the head does not have."""
        if self._more_ids is None:
            self._more_ids = dict.fromkeys(self._head_ids)
        self._more_ids.update(dict.fromkeys(product_ids(segment, 2, _LIN_LAST)))

    def sdq(self, segment: Segment) -> None:
        """SDQ03 to SDQ22: locations (67), each with its quantity (380)."""
        elements = segment.elements
        unit, locations = segment.text(1), elements[3 : _SDQ_LAST + 1 : 2]
        quantities = self._values.known_decimals(elements[4 : _SDQ_LAST + 1 : 2])
        if quantities is not None and len(quantities) == len(locations) and "" not in locations:
            self.stores += map(_store, zip(locations, quantities, repeat(unit)))
            return
        for number, location in enumerate(locations):
            quantity = self._values.decimal(segment, 2 * number + 4, "380")
            if quantity is not None and location:
                self.stores.append(StoreQuantity(location, quantity, unit))
            else:
                self._check_store(segment, 2 * number + 3)

    def _check_store(self, segment: Segment, number: int) -> None:
        """A location without a quantity, or the reverse, is named; neither is nothing."""
        location, quantity = segment.text(number), segment.text(number + 1)
        if bool(location) != bool(quantity):
            message = f"SDQ{number:02} and SDQ{number + 1:02} are a location and its quantity: both or none"
            self._values.condition(segment, number + 1 if location else number, message)

    def sch(self, segment: Segment) -> None:
        """SCH: quantity (380), unit (355), and a date (373) with its meaning (374)."""
        quantity = self._values.decimal(segment, 1, "380", required=True)
        on = self._values.date(segment, 6)
        if quantity is not None:
            unit, qualifier = segment.text(2), segment.text(5)
            self.schedule.append(
                ScheduledQuantity(quantity=quantity, unit=unit, date_qualifier=qualifier, on=on)
            )

    def sln(self, segment: Segment) -> None:
        """SLN: a subline."""
        self.components.append(
            Component(
                number=segment.text(1),
                relationship=segment.text(3),
                quantity=self._values.decimal(segment, 4, "380"),
                unit=self._values.first_component(segment, 5),
                ids=product_ids(segment, 9, _SLN_LAST),
            )
        )

    def ack(self, segment: Segment) -> None:
        """ACK: of the line, or of the subline it stands under."""
        values = self._values
        of = self.component_acknowledgments if self._loop == "SLN" else self.acknowledgments
        status = values.required(segment, 1, "668")
        quantity = known_decimal(segment.text(2)) or values.decimal(segment, 2, "380")
        on = values.date(segment, 5)
        ids = product_ids(segment, 7, _ACK_LAST)
        unit, qualifier = segment.text(3), segment.text(4)
        of.append(_acknowledgment((status, quantity, unit, qualifier, on, ids, segment.position)))


#: Segments that say something about a line, or open a loop within it; `take` passes over all others.
IN_LINES = _INNER_LOOPS | {"PID", "PO4", "LIN", "SDQ", "SCH", "ACK"}

Detail = Callable[[LineLoop, Segment], None]
_DETAILS: dict[str, Detail] = {
    "PID": LineLoop.pid, "PO4": LineLoop.po4, "LIN": LineLoop.lin, "SDQ": LineLoop.sdq, "SCH": LineLoop.sch,
    "SLN": LineLoop.sln,
}  # fmt: skip

#: What a line of an 850 or 860 says, by tag.
ORDERED: Mapping[str, Detail] = _DETAILS

#: What a line of an 855 says.
ACKNOWLEDGED: Mapping[str, Detail] = {"PO4": LineLoop.po4, "LIN": LineLoop.lin, "ACK": LineLoop.ack}

#: What a line of an 865 says.
CHANGED: Mapping[str, Detail] = {**_DETAILS, "ACK": LineLoop.ack}


class PO1Loop(LineLoop):
    """The PO1 loops of an 850 or 855, one after the other: the head beside what stands below it."""

    __slots__ = ("number", "position", "price", "quantity", "unit")

    def __init__(self, values: Values, tags: Mapping[str, Detail]) -> None:
        super().__init__(values, (), tags)

    def head(self, elements: list[str], position: int) -> None:
        """Begin a line with its PO1; `elements` without padding blanks."""
        self.begin(ids_among(elements, 6, _PO1_LAST))
        head = elements if len(elements) > 4 else [*elements, "", "", "", ""]
        self.number, self.unit, self.position = head[1], head[3], position
        quantity, price = known_decimal(head[2]), known_decimal(head[4])
        if quantity is None or price is None:
            segment = Segment(elements, position)
            quantity = self._values.decimal(segment, 2, "330")
            price = self._values.decimal(segment, 4, "212")
        self.quantity: Decimal | None = quantity
        self.price: Decimal | None = price
