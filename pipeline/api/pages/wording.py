"""Wording: what the ledger says of orders, in the words of the app's pages. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.amounts import amounts
from pipeline.notifications import item_words, reason_words, source_words
from storage.events import EventKind, LedgerEvent, Units
from storage.orders import LineState, OrderStatus

#: A partner's name by its id.
Named = Callable[[str], str]

STATUSES = {
    OrderStatus.OPEN: "Open",
    OrderStatus.PARTLY_FULFILLED: "Partly fulfilled",
    OrderStatus.FULFILLED: "Fulfilled",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.COMPLETE: "Complete",
}
_HAPPENED = {
    EventKind.ORDER_PLACED: "{by} placed the order",
    EventKind.ORDER_CANCELLED: "{by} cancelled the order, as far as it was open",
    EventKind.LINES_CANCELLED: "{by} cancelled units",
    EventKind.LINES_FULFILLED: "{by} shipped",
    EventKind.SHIPMENT_WITHDRAWN: "{by} took a shipment back; its units are open again",
    EventKind.LINES_ADDED: "{by} added lines",
    EventKind.UNITS_ADDED: "{by} ordered more",
    EventKind.CANCELLATION_REQUESTED: "{by} asked to cancel",
    EventKind.REQUEST_WITHDRAWN: "{by} took back its request to cancel",
    EventKind.REQUEST_REFUSED: "{by} did not agree to cancel",
    EventKind.ORDER_ACKNOWLEDGED: "{by} answered the order",
    EventKind.NOTED: "{by} said something about the order",
}
_KINDS = {
    EventKind.ORDER_CANCELLED: "cancelled",
    EventKind.LINES_CANCELLED: "cancelled",
    EventKind.LINES_FULFILLED: "fulfilled",
    EventKind.CANCELLATION_REQUESTED: "requested",
    EventKind.REQUEST_REFUSED: "requested",
    EventKind.REQUEST_WITHDRAWN: "requested",
}
_BAR_UNITS = 100  # the width of a bar


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line's bar, in hundredths of its width."""

    kind: str
    start: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as pages show it; quantities as decimals."""

    line: str
    description: str
    items: tuple[str, ...]
    unit: str
    ordered: Decimal
    fulfilled: Decimal
    cancelled: Decimal
    requested: Decimal
    open: Decimal
    bar: tuple[Part, ...]

    @property
    def said(self) -> str:
        """The bar, for who cannot see it."""
        counted = (("fulfilled", self.fulfilled), ("cancelled", self.cancelled), ("open", self.open))
        figures = ", ".join(
            f"{amounts([(quantity, self.unit)])} {word}" for word, quantity in counted if quantity
        )
        return f"Of {amounts([(self.ordered, self.unit)])}: {figures or 'nothing'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event of the timeline in words."""

    at: datetime
    kind: str  # for its colour
    title: str
    units: tuple[str, ...]
    reason: str
    note: str
    notes: tuple[str, ...]
    reference: str
    document: str
    event_id: int = 0
    actor: str = ""  # for support: who had the document decided


def line_of(line: LineState) -> Line:
    """A line with its bar."""
    return Line(
        line=line.line, description=line.description, items=tuple(map(item_words, line.ids)), unit=line.unit,
        ordered=line.ordered, fulfilled=line.fulfilled, cancelled=line.cancelled,
        requested=line.requested, open=line.open, bar=_bar(line),
    )  # fmt: skip


def _bar(line: LineState) -> tuple[Part, ...]:
    counted = (
        ("fulfilled", line.fulfilled), ("cancelled", line.cancelled),
        ("requested", line.requested), ("open", line.open - line.requested),
    )  # fmt: skip
    parts, start = [], Decimal(0)
    for kind, quantity in counted:
        if quantity > 0 and line.ordered:
            width = quantity * _BAR_UNITS / line.ordered
            parts.append(Part(kind, f"{start:.3f}", f"{width:.3f}"))
            start += width
    return tuple(parts)


def happening(event: LedgerEvent, lines: dict[int, LineState], named: Named, hub: str) -> Happening:
    """An event in words, with the document or the person behind it."""
    return Happening(
        at=event.at,
        kind=_KINDS.get(event.kind, "other"),
        title=_HAPPENED[event.kind].format(by=named(event.by)),
        units=tuple(_units(units, event, lines) for units in event.units),
        reason=reason_words(event.reason),
        note=event.note,
        notes=event.notes,
        reference=event.reference,
        document=source_words(event.source, hub),
        event_id=event.id,
        actor=event.source.actor,
    )


def _units(units: Units, event: LedgerEvent, lines: dict[int, LineState]) -> str:
    line = lines.get(units.line_id)
    unit = line.unit if line else ""
    why = reason_words(units.reason) if units.reason != event.reason else ""
    return f"{amounts([(units.quantity, unit)])} of line {units.line}" + (f": {why}" if why else "")
