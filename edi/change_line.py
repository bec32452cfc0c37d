"""Change line: one POC loop of an 860 or 865, from its segments to a ChangedLine."""

from collections.abc import Mapping
from decimal import Decimal

from edi import numbers
from edi.documents import ChangedLine, ChangeQuantities
from edi.findings import FindingCode
from edi.line_loop import Detail, LineLoop
from edi.values import Segment, Values, product_ids

_POC_LAST = 27
_COMPOSITE = "QC"  # POC02 whose POC04 is the composite C063 even when only its first component was sent
_COMPONENTS = ("original", "increase", "decrease", "revised", "received", "left")


class ChangeLine(LineLoop):
    """One POC loop being read: `tags` as for LineLoop; `component` is the separator within a composite."""

    __slots__ = ("_head", "_left_to_receive", "_price", "_quantities", "_quantity")

    def __init__(self, values: Values, head: Segment, tags: Mapping[str, Detail], component: str) -> None:
        super().__init__(values, product_ids(head, 8, _POC_LAST), tags)
        self._head = head
        self._left_to_receive: Decimal | None = None
        self._quantities: ChangeQuantities | None = None
        values.required(head, 2, "670")
        self._quantity = values.decimal(head, 3, "330")
        if component in head.text(4) or head.text(2) == _COMPOSITE:
            self._quantities = self._amounts(head.text(4).split(component))
        else:
            self._left_to_receive = values.decimal(head, 4, "671")
        self._price = values.decimal(head, 6, "212")

    def read(self) -> ChangedLine:
        """The line, once everything below its POC was taken. What is said of a subline only is left out."""
        head = self._head
        return ChangedLine(
            number=head.text(1),
            change=head.text(2),
            quantity=self._quantity,
            left_to_receive=self._left_to_receive,
            quantities=self._quantities,
            unit=self._values.first_component(head, 5),
            price=self._price,
            ids=self.ids,
            description=" ".join(self.descriptions),
            pack=self.pack,
            stores=tuple(self.stores),
            schedule=tuple(self.schedule),
            components=tuple(self.components),
            acknowledgments=tuple(self.acknowledgments),
            position=head.position,
        )

    def _amounts(self, parts: list[str]) -> ChangeQuantities | None:
        """C063; None when no component was sent."""
        for number, part in enumerate(parts[len(_COMPONENTS) :], start=len(_COMPONENTS) + 1):
            if part:
                message = f"POC04 has a component {number}; it has no more than {len(_COMPONENTS)}"
                self._component(FindingCode.TOO_MANY_ELEMENTS, number, part, message)
                break
        amounts = dict(zip(_COMPONENTS, map(self._amount, range(1, len(parts) + 1), parts), strict=False))
        if not any(parts):
            return None
        return ChangeQuantities(**amounts)

    def _amount(self, number: int, text: str) -> Decimal | None:
        if not text:
            return None
        value = numbers.read_decimal(text)
        if isinstance(value, FindingCode):
            message = f"POC04-{number} is {text!r}, not a number as X12 writes it"
            self._component(value, number, text, message)
            return None
        return value

    def _component(self, code: FindingCode, number: int, value: str, message: str) -> None:
        self._values.note(
            code,
            message,
            segment=self._head.tag,
            position=self._head.position,
            element=f"4-{number}",
            value=value,
        )
