"""The ledger against a model of it: random stories, and after every step the same figures and a clean audit.

The model was written from the rules as people state them, not from the code: an order is complete when every
unit is fulfilled or cancelled; a fulfilled unit cannot be cancelled; a cancelled unit cannot be fulfilled; a
cancellation cannot be undone; part of what is open may be cancelled. What a buyer asks to cancel stays open
until the seller agrees. An order may grow until it is cancelled as a whole. What did not leave is open again.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Connection

from storage.commands import Command, Consent
from storage.database import Database
from storage.invariants import audit
from storage.ledger import Result
from storage.loading import load_order
from storage.outcomes import Outcome
from storage.queries import find_orders, requests
from tests.unit.storage.build import (
    BUYER,
    SELLER,
    added,
    answer,
    ask,
    cancel,
    change,
    cut,
    figures,
    order,
    place,
    raised,
    requested,
    ship,
    submit,
    withdraw,
)

NUMBERS = st.sampled_from(["A", "A", "B", "B", "C"])
LINES = st.sampled_from(["1", "2", "3"])
PARTIES = st.sampled_from([BUYER, SELLER])
SMALL = st.integers(1, 12)
FIRST = (9, 5)


@dataclass
class Line:
    ordered: int
    fulfilled: int = 0
    cancelled: int = 0
    declined: int = 0
    requested: int = 0

    @property
    def open(self) -> int:
        return self.ordered - self.fulfilled - self.cancelled

    def cancel(self, quantity: int) -> None:
        """What is cancelled need not be asked for any more."""
        self.cancelled += quantity
        self.requested = max(self.requested - quantity, 0)

    def ship(self, quantity: int) -> None:
        """What has left cannot be asked for any more."""
        self.fulfilled += quantity
        self.requested = min(self.requested, self.open)


@dataclass
class Order:
    quantities: tuple[int, ...]
    whole_cancelled: bool = False
    lines: dict[str, Line] = field(default_factory=dict)
    shipments: dict[str, dict[str, int]] = field(default_factory=dict)  # units that left, by line

    def __post_init__(self) -> None:
        self.lines = {str(n): Line(quantity) for n, quantity in enumerate(self.quantities, 1)}

    @property
    def status(self) -> str:
        fulfilled = any(line.fulfilled for line in self.lines.values())
        cancelled = any(line.cancelled for line in self.lines.values())
        if any(line.open for line in self.lines.values()):
            return "partly_fulfilled" if fulfilled else "open"
        return "complete" if fulfilled and cancelled else "fulfilled" if fulfilled else "cancelled"

    @property
    def closed(self) -> bool:
        """Cancelled as a whole: nothing may be added."""
        return self.status == "cancelled" or (self.status == "complete" and self.whole_cancelled)


class Stories(RuleBasedStateMachine):
    """Each rule says what must happen, then lets it happen."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{Path(self.folder.name) / 'ledger.db'}"
        self.database = Database(self.url)
        self.orders: dict[str, Order] = {}
        self.shipments = 0
        self.place_order(po="A", quantities=FIRST)  # or most of what follows would be parked
        self.place_order(po="B", quantities=(12, 3, 6))

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()

    def check(self, expected: Outcome, *commands: Command, key: str = "") -> None:
        """Apply, and hold the outcome and the order that the ledger believes in against the database."""
        with self.database.writing() as tx:
            result = submit(tx, *commands, key=key)
            assert result.outcome is expected, (result, expected)
            check_entries(tx, result)

    @rule(po=NUMBERS, quantities=st.just(FIRST) | st.lists(SMALL, min_size=1, max_size=3).map(tuple))
    def place_order(self, po: str, quantities: tuple[int, ...]) -> None:
        known = self.orders.get(po)
        if known is None:
            expected = Outcome.APPLIED
            self.orders[po] = Order(quantities)
        elif known.status == "cancelled":
            expected = Outcome.REFUSED  # a cancellation cannot be undone by ordering again
        else:
            expected = Outcome.DUPLICATE if known.quantities == quantities else Outcome.REFUSED
        self.check(expected, place(*map(str, quantities), po=po, content=str(quantities)))

    @rule(po=NUMBERS, line=LINES, quantity=SMALL, by=PARTIES)
    def cancel_part(self, po: str, line: str, quantity: int, by: str) -> None:
        expected = self.expect_part(po, line, quantity)
        if expected is Outcome.APPLIED:
            self.orders[po].lines[line].cancel(quantity)
        self.check(expected, cut(line, str(quantity), po=po, by=by))

    @rule(po=NUMBERS, line=LINES, by=PARTIES)
    def cancel_line(self, po: str, line: str, by: str) -> None:
        found = self.orders.get(po)
        if found is None or line not in found.lines:
            expected = Outcome.PARKED if found is None else Outcome.REFUSED
        elif found.lines[line].open:
            expected = Outcome.APPLIED
            found.lines[line].cancel(found.lines[line].open)
        else:
            expected = Outcome.REFUSED if found.lines[line].fulfilled else Outcome.DUPLICATE
        self.check(expected, cut(line, None, po=po, by=by))

    @rule(po=NUMBERS, by=PARTIES)
    def cancel_order(self, po: str, by: str) -> None:
        found = self.orders.get(po)
        if found is None:
            expected = Outcome.PARKED
        elif found.status in ("open", "partly_fulfilled"):
            expected = Outcome.APPLIED
            found.whole_cancelled = True
            for line in found.lines.values():
                line.cancel(line.open)
        elif found.closed:
            expected = Outcome.DUPLICATE
        else:
            expected = Outcome.REFUSED
        self.check(expected, cancel(po=po, by=by))

    @rule(po=NUMBERS, line=LINES, quantity=SMALL, again=st.booleans())
    def ship_units(self, po: str, line: str, quantity: int, again: bool) -> None:
        expected = self.expect_part(po, line, quantity)
        self.shipments += 1
        key = f"S{self.shipments}"
        if expected is Outcome.APPLIED:
            self.orders[po].lines[line].ship(quantity)
            self.orders[po].shipments[key] = {line: quantity}
        self.check(expected, ship(po=po, shipment=key, **{f"line_{line}": str(quantity)}), key=key)
        if again and expected is Outcome.APPLIED:
            self.check(
                Outcome.DUPLICATE, ship(po=po, shipment=key, **{f"line_{line}": str(quantity)}), key=key
            )

    @rule(po=NUMBERS, line=LINES, shipped=SMALL, cancelled=SMALL)
    def ship_and_cancel_in_one(self, po: str, line: str, shipped: int, cancelled: int) -> None:
        """All or nothing: either both fit one after the other, or nothing happens."""
        expected = self.expect_part(po, line, shipped + cancelled)
        if expected is Outcome.APPLIED:
            self.orders[po].lines[line].ship(shipped)
            self.orders[po].lines[line].cancel(cancelled)
            standing = self.orders[po].shipments.setdefault("S0", {})
            standing[line] = standing.get(line, 0) + shipped
        shipping = ship(po=po, shipment="S0", **{f"line_{line}": str(shipped)})
        self.check(expected, shipping, cut(line, str(cancelled), po=po))

    @rule(po=NUMBERS, line=LINES, quantity=SMALL)
    def ask_for_part(self, po: str, line: str, quantity: int) -> None:
        """The same again is no news; all that is open asks for what was not asked for yet."""
        expected = self.expect_part(po, line, quantity)
        if expected is Outcome.APPLIED:
            found = self.orders[po].lines[line]
            more = found.open - found.requested if quantity == found.open else quantity
            if quantity == found.requested or more == 0:
                expected = Outcome.DUPLICATE
            elif found.requested + more > found.open:
                expected = Outcome.REFUSED
            else:
                found.requested += more
        self.check(expected, ask(line, str(quantity), po=po))

    @rule(po=NUMBERS, consent=st.sampled_from(Consent))
    def answer_request(self, po: str, consent: Consent) -> None:
        found = self.orders.get(po)
        for line in found.lines.values() if found else ():
            if consent is Consent.AGREED:
                line.declined += line.requested
                line.cancel(line.requested)
            line.requested = 0
        self.check(Outcome.APPLIED if found else Outcome.PARKED, answer(consent, po))

    @rule(po=NUMBERS, line=LINES, more=SMALL)
    def raise_line(self, po: str, line: str, more: int) -> None:
        found = self.orders.get(po)
        known = found.lines.get(line) if found else None
        current = known.ordered - known.cancelled if known else 0
        if found is None:
            expected = Outcome.PARKED
        elif known is None or found.closed:
            expected = Outcome.REFUSED
        else:
            expected = Outcome.APPLIED
            known.ordered += more
        self.check(expected, change(po, raised(line, str(current + more))))

    @rule(po=NUMBERS, line=st.sampled_from(["4", "5"]), quantity=SMALL, shipped=st.booleans())
    def add_line(self, po: str, line: str, quantity: int, shipped: bool) -> None:
        """A new line, all of which may leave in the same breath."""
        found = self.orders.get(po)
        leaves = (ship(po, "S0", **{f"line_{line}": str(quantity)}),) if shipped else ()
        if found is None:
            expected = Outcome.PARKED
        elif line in found.lines or found.closed:
            expected = Outcome.REFUSED
        else:
            expected = Outcome.APPLIED
            found.lines[line] = Line(quantity, fulfilled=quantity if shipped else 0)
            if shipped:
                found.shipments.setdefault("S0", {})[line] = quantity
        self.check(expected, change(po, added(line, str(quantity))), *leaves)

    @rule(po=NUMBERS, data=st.data())
    def withdraw_shipment(self, po: str, data: st.DataObject) -> None:
        found = self.orders.get(po)
        known = sorted(found.shipments) if found else []
        shipment = data.draw(st.sampled_from([*known, "never"]))
        if found is None:
            expected = Outcome.PARKED
        elif shipment not in known:
            expected = Outcome.REFUSED
        else:
            standing = found.shipments[shipment]
            expected = Outcome.APPLIED if standing else Outcome.DUPLICATE
            for line, quantity in standing.items():
                found.lines[line].fulfilled -= quantity
            found.shipments[shipment] = {}
        self.check(expected, withdraw(po, shipment))

    @rule()
    def reopen(self) -> None:
        self.database.close()
        self.database = Database(self.url)

    def expect_part(self, po: str, line: str, quantity: int) -> Outcome:
        found = self.orders.get(po)
        if found is None:
            return Outcome.PARKED
        fits = line in found.lines and quantity <= found.lines[line].open
        return Outcome.APPLIED if fits else Outcome.REFUSED

    @invariant()
    def same_figures(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.reading() as tx:
            for po in ("A", "B", "C"):
                assert bool(find_orders(tx, po)) == (po in self.orders)
            for po, known in self.orders.items():
                lines = known.lines.items()
                wanted = {n: (x.ordered, x.fulfilled, x.cancelled, x.declined) for n, x in lines}
                assert figures(tx, po) == wanted
                assert requested(tx, po) == {n: x.requested for n, x in lines if x.requested}
                assert order(tx, po).summary.status.value == known.status
                assert order(tx, po).summary.whole_cancelled == known.whole_cancelled
            asked = {
                po for po, known in self.orders.items() if any(x.requested for x in known.lines.values())
            }
            assert {request.order.key.po_number for request in requests(tx)} == asked
            assert audit(tx) == ()


def check_entries(tx: Connection, result: Result) -> None:
    """What the ledger says an order is after its commands is what the database holds."""
    last = {entry.after.id: entry.after for entry in result.entries if entry.after is not None}
    for order_id, after in last.items():
        loaded = load_order(tx, order_id)
        assert loaded is not None
        assert loaded.order == after


TestStories = Stories.TestCase
TestStories.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],  # explaining takes minutes here
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
