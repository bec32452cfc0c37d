"""Properties of the whole pure way: bytes, reading, documents, commands, and what the rule makes of them.

What cancels is looked for in the raw segments, by a table of its own, so that no reader can be wrong unseen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar
from zlib import crc32

from edi import envelope
from edi.documents import Document
from edi.envelope import TransactionSet, content_hash_of_set
from pipeline.mapping import WithoutEffect, to_submission
from pipeline.policy import Aliases, AsnWithdraw, Policy
from pipeline.readers import read_set
from storage import commands as c
from storage.events import EventKind
from storage.orders import ZERO, LineState, OrderKey, OrderState, ShippedBefore
from storage.outcomes import Outcome
from storage.quantities import fits
from storage.rules import decide, decide_document
from storage.rules_again import Earlier
from tests.fuzz.reading import Kind, sets_of
from tests.unit.pipeline.mapping_texts import origin
from tests.unit.storage.test_rules_properties import check_decision, evolved

#: Where a cancelling code stands (tag, element number), and the codes: spec 1.6 and 1.8 to 1.11.
Codes = Mapping[tuple[str, int], str]
ORDER_CODES: Codes = {
    ("BEG", 1): "01 17", ("BCH", 1): "01 17", ("BCA", 1): "01", ("POC", 2): "CF", ("ISR", 1): "DE",
}  # fmt: skip
REJECTING_HEADS: Codes = {("BAK", 2): "RF RJ RN RV RD"}
REJECTING_LINES: Codes = {("ACK", 1): "ID IR R1 R2 R3 R4 R5 R6 R7 R8 R9", ("ISR", 1): "IC CU"}
DELETING: Codes = {("POC", 2): "DI"}
DECREASING: Codes = {("POC", 2): "QD"}
RESTATING: Codes = {("BEG", 1): "04 05", ("BCH", 1): "05"}
#: What may end in fewer units and is no cancellation by name: quantities said anew, and the seller's yes.
REDUCING: Codes = {
    ("ACK", 1): "IQ",
    ("POC", 2): "CA MU PQ RQ RZ QC",
    ("BCA", 1): "06 11",
    ("BCA", 2): "AC AD AE AK AT RD RF RJ RN RV",
}

POLICIES = (
    Policy(),
    Policy(poc_quantity=c.QuantityReading.DELTA, buyer_cancel=c.BuyerCancel.REQUESTED),
    Policy(poc_quantity=c.QuantityReading.OLD_NEW, cancel_part_shipped=c.PartShipped.REFUSE),
    Policy(poc_quantity=c.QuantityReading.COMPOSITE, over_ship=c.OverShip.FLAG, over_ship_percent=10),
    Policy(asn_withdraw=AsnWithdraw.REOPEN, unit_aliases=Aliases((("PC", "EA"),))),
)
#: By these more cancels than the codes above.
WIDER = (
    Policy(zero_is_cancel=True, purposes=(("850", Aliases((("03", "01"),))),)),
    Policy(fill_or_kill=True, short_accept=c.ShortAccept.CANCEL, ship_and_close=c.CloseRest.ORDER),
)
ANSWERS = (
    "",
    "",
    "",
    "cancel",
    "cancel-rest",
    "cancel-line",
    "ignore",
    "others",
    "lines",
    "total",
    "ship",
    "agreed",
)
T = TypeVar("T")
MOVING_DOWN = frozenset(
    {EventKind.ORDER_CANCELLED, EventKind.LINES_CANCELLED, EventKind.CANCELLATION_REQUESTED}
)


def check_orders(data: bytes) -> Kind:
    """No exception, no cancellation that was not said, no unit made or lost."""
    kinds: set[str] = set()
    orders = Orders(data)
    for group, one in sets_of(envelope.read(data)):
        document, _ = read_set(group, one)
        if isinstance(document, Document):
            kinds |= {f"{one.type} {kind}" for kind in orders.take(document, one)}
    return frozenset(kinds)


class Orders:
    """A ledger of a few orders in memory; what else its choices need comes from the file's own bytes."""

    def __init__(self, data: bytes) -> None:
        self._orders: dict[int, OrderState] = {}
        self._chance = crc32(data)

    def _one_of(self, values: tuple[T, ...]) -> T:
        self._chance, at = divmod(self._chance * 2654435761 % 2**40, len(values))
        return values[at]

    def take(self, document: Document, one: TransactionSet) -> Iterator[str]:
        """Map one document, see that it cancels only by its codes, and decide its commands."""
        policy = self._one_of((*POLICIES, *POLICIES, *WIDER))
        resolution = self._one_of(ANSWERS)
        came_from = replace(
            origin(one.type, policy, resolution=resolution, to_hub=self._one_of((False, False, True))),
            content_hash=content_hash_of_set(one),
        )
        mapped = to_submission(document, came_from)
        if isinstance(mapped, WithoutEffect):
            yield "no effect"
            return
        strict = policy in POLICIES and not resolution
        again = decide_document(Earlier(came_from.content_hash), mapped)
        assert mapped.document is None or (again is not None and again.outcome is Outcome.DUPLICATE)
        for command in mapped.commands:
            for codes in needed(command) if strict else ():
                assert says(one, *codes), f"{command} without a cancelling code"
            kinds = self._decide(command)
            if strict and kinds & MOVING_DOWN:
                everything = (ORDER_CODES, REJECTING_HEADS, REJECTING_LINES, DELETING, DECREASING)
                assert says(one, *everything, RESTATING, REDUCING), f"{command} moved units down"
            yield f"{type(command).__name__} {sorted(kind.value for kind in kinds)}"

    def _decide(self, command: c.Command) -> set[EventKind]:
        if not isinstance(command, c.PlaceOrder | c.Object) and not self._found(command.order):
            if self._one_of((True, False, False, False, False)):
                assert decide((), command).facts == ()
                return set()
            self._place_for(command)
        found = self._found(command.order)
        decision = decide(found, command)
        check_decision(decision)
        if decision.facts and found:
            before = found[0]
            after = evolved(with_shipment(before, command), decision)
            check_lines(before, after)
            self._orders[before.id] = after
        elif decision.facts:
            self._place(command, decision.facts[0].kind)
        return {fact.kind for fact in decision.facts}

    def _found(self, order: c.Locator) -> tuple[OrderState, ...]:
        return tuple(
            state
            for state in self._orders.values()
            if (state.key.po_number, state.key.release) == (order.po_number, order.release)
            and order.buyer in ("", state.key.buyer)
            and order.seller in ("", state.key.seller)
        )[:1]

    def _place(self, command: c.Command, kind: EventKind) -> None:
        assert kind is EventKind.ORDER_PLACED
        assert isinstance(command, c.PlaceOrder)
        key = OrderKey(
            buyer=command.order.buyer or "acme",
            seller=command.order.seller or "globex",
            po_number=command.order.po_number,
            release=command.order.release,
        )
        empty = OrderState(id=len(self._orders) + 1, key=key, lines=(), content_hash=command.content_hash)
        order = evolved(empty, decide((), command))
        check_lines(empty, order)
        self._orders[order.id] = order

    def _place_for(self, command: c.Command) -> None:
        """The order that a command speaks of, with its lines, some units of it shipped."""
        references = {reference.number: reference for reference in references_of(command)}
        quantities = (Decimal(10), Decimal(1), Decimal(100), Decimal("2.5"))
        lines = tuple(
            c.NewLine(
                number=number, ids=reference.ids, quantity=self._one_of(quantities), unit="EA", discrete=False
            )
            for number, reference in references.items()
        )
        extra = c.NewLine(number="", quantity=Decimal(7), unit="EA")
        self._decide(
            c.PlaceOrder(
                order=replace(
                    command.order,
                    buyer=command.order.buyer or "acme",
                    seller=command.order.seller or "globex",
                ),
                by=command.order.buyer or "acme",
                at=command.at,
                source=replace(command.source, type="850"),
                lines=(*lines[:40], extra),
                content_hash="placed before",
            )
        )


def references_of(command: c.Command) -> Iterator[c.LineReference]:
    """How a command's lines are pointed at."""
    for line in getattr(command, "lines", ()):
        if isinstance(line, c.LineChange | c.AcknowledgedLine | c.ShippedLine | c.LineConsent):
            yield line.line


def with_shipment(order: OrderState, command: c.Command) -> OrderState:
    """The order with the shipment that a command records, as the ledger would load it later."""
    if not isinstance(command, c.RecordShipment):
        return order
    known = {shipment.shipment_id for shipment in order.shipments}
    if command.shipment_id in known:
        return order
    return replace(order, shipments=(*order.shipments, ShippedBefore(command.shipment_id, ())))


def check_lines(before: OrderState, after: OrderState) -> None:
    """No counter is negative or beyond what the database holds; lines keep their names and their order."""
    assert [line.line for line in before.lines] == [line.line for line in after.lines[: len(before.lines)]]
    assert len({line.line for line in after.lines}) == len(after.lines)
    for line in after.lines:
        check_line(line)


def check_line(line: LineState) -> None:
    """What is ordered is fulfilled, cancelled or open."""
    counters = (line.ordered, line.fulfilled, line.cancelled, line.declined, line.requested, line.open)
    assert all(counter >= ZERO and fits(counter) for counter in counters), line
    assert line.declined <= line.cancelled
    assert line.requested <= line.open


# --- what cancels -------------------------------------------------------------------------------------------


def needed(command: c.Command) -> Iterator[tuple[Codes, ...]]:
    """For each cancelling thing a command says, the tables of which one code must stand in its document."""
    match command:
        case c.CancelOrder() | c.CancelLines():
            yield (ORDER_CODES,)
        case c.AcknowledgeOrder():
            if command.verdict in (c.Verdict.REJECTED, c.Verdict.REJECTED_BY_LINE):
                yield (REJECTING_HEADS,)
            if any(a.answer is c.Answer.REJECTED for line in command.lines for a in line.answers):
                yield (REJECTING_LINES,)
        case c.ChangeOrder():
            if command.restates:
                yield (RESTATING,)
            changes = {line.change for line in command.lines}
            if c.Change.CANCEL in changes:
                yield (DELETING,)
            if c.Change.DECREASE in changes:
                yield (DECREASING,)
            if any(a.answer is c.Answer.REJECTED for line in command.lines for a in line.answers):
                yield (REJECTING_LINES,)


def says(one: TransactionSet, *tables: Codes) -> bool:
    """Whether any of the codes stands where it cancels, in the segments as sent."""
    for text in one.segments:
        tag, *values = text.split(one.delimiters.element)
        for number, value in enumerate(values, 1):
            for codes in tables:
                if value.strip(" ") and value.strip(" ") in codes.get((tag, number), "").split(" "):
                    return True
    return False
