"""What a fact does to an order in memory; that it agrees with the database is in tests/model."""

from dataclasses import replace
from decimal import Decimal

import pytest

from storage.commands import NewLine
from storage.events import EventKind, Fact, Marks, PlacedLine, Units
from storage.evolve import LINES_MAX, evolve, line_id, units_by_line
from storage.orders import OrderKey, OrderState, ShippedBefore
from tests.unit.storage.build import AT, new_line

EMPTY = OrderState(id=7, key=OrderKey(buyer="a", seller="b", po_number="1"), lines=())


def placed(*quantities: str) -> OrderState:
    lines = tuple(
        PlacedLine(line=str(n), assigned=True, new=new_line(str(n), q)) for n, q in enumerate(quantities, 1)
    )
    return evolve(EMPTY, Fact(kind=EventKind.ORDER_PLACED, placed=lines))


def moving(kind: EventKind, line: int, *quantities: str, declined: bool = False) -> Fact:
    units = tuple(Units(line_id=line, line="1", quantity=Decimal(quantity)) for quantity in quantities)
    return Fact(kind=kind, units=units, declined=declined)


def test_line_ids_follow_from_the_order_and_the_place() -> None:
    assert [line.id for line in placed("1", "2").lines] == [7_000_001, 7_000_002]
    assert line_id(1, LINES_MAX - 1) < line_id(2, 1)
    for ordinal in (0, LINES_MAX):
        with pytest.raises(ValueError, match="at most"):
            line_id(1, ordinal)


def test_units_of_one_line_named_twice_are_added() -> None:
    fact = moving(EventKind.LINES_FULFILLED, 7_000_001, "2", "3")
    assert units_by_line(fact) == {7_000_001: 5}
    assert evolve(placed("10"), fact).lines[0].fulfilled == 5


def test_declined_units_are_cancelled_units() -> None:
    order = evolve(placed("10"), moving(EventKind.LINES_CANCELLED, 7_000_001, "3", declined=True))
    order = evolve(order, moving(EventKind.ORDER_CANCELLED, 7_000_001, "2"))
    line = order.lines[0]
    assert (int(line.cancelled), int(line.declined), order.whole_cancelled) == (5, 3, True)


def test_a_request_is_open_units() -> None:
    asked = evolve(placed("10"), moving(EventKind.CANCELLATION_REQUESTED, 7_000_001, "6"))
    assert (int(asked.lines[0].open), int(asked.lines[0].requested)) == (10, 6)
    for kind, quantity, left in [
        (EventKind.LINES_CANCELLED, "4", 2),  # what is cancelled is what was asked for
        (EventKind.LINES_CANCELLED, "8", 0),
        (EventKind.LINES_FULFILLED, "3", 6),  # what is shipped is what was not, as far as it goes
        (EventKind.LINES_FULFILLED, "7", 3),
        (EventKind.REQUEST_REFUSED, "6", 0),
        (EventKind.REQUEST_WITHDRAWN, "2", 4),
        (EventKind.UNITS_ADDED, "5", 6),
    ]:
        after = evolve(asked, moving(kind, 7_000_001, quantity)).lines[0]
        assert after.requested == left, kind
        assert after.requested <= after.open


def test_lines_and_units_are_added() -> None:
    new = PlacedLine(line="2", assigned=True, new=new_line("2", "5"))
    order = evolve(placed("10"), Fact(kind=EventKind.LINES_ADDED, placed=(new,)))
    order = evolve(order, moving(EventKind.UNITS_ADDED, 7_000_002, "3"))
    assert [(line.id, int(line.ordered)) for line in order.lines] == [(7_000_001, 10), (7_000_002, 8)]


def test_a_withdrawn_shipment_does_not_stand() -> None:
    shipments = (ShippedBefore("S-1", ()), ShippedBefore("S-2", ((7_000_001, Decimal(1)),)))
    order = replace(placed("10"), shipments=shipments)
    left = replace(moving(EventKind.LINES_FULFILLED, 7_000_001, "4"), reference="S-1")
    order = evolve(order, left)
    assert order.shipments == (ShippedBefore("S-1", ((7_000_001, Decimal(4)),)), shipments[1])
    back = replace(left, kind=EventKind.SHIPMENT_WITHDRAWN, marks=Marks(reopened_by="f|1"))
    order = evolve(order, back)
    assert order.shipments == shipments
    assert (int(order.lines[0].open), order.reopened_by) == (10, "f|1")


def test_shipments_that_were_not_loaded_stay_unknown() -> None:
    left = replace(moving(EventKind.LINES_FULFILLED, 7_000_001, "4"), reference="S-1")
    assert evolve(placed("10"), left).shipments == ()


def test_marks_are_set_by_any_fact_and_kept_by_those_without() -> None:
    marks = Marks(revision="2", change_sequence="3", seller_change_sequence="4", restated_at=AT)
    order = evolve(placed("10"), Fact(kind=EventKind.NOTED, marks=marks))
    order = evolve(order, Fact(kind=EventKind.NOTED))
    assert (order.revision, order.change_sequence, order.seller_change_sequence) == ("2", "3", "4")
    assert order.restated_at == AT


def test_a_note_moves_nothing() -> None:
    assert evolve(placed("10"), Fact(kind=EventKind.NOTED, notes=("x",))) == placed("10")


@pytest.mark.parametrize(
    ("fact", "match"),
    [
        (moving(EventKind.NOTED, 7_000_001, "1"), "moves no units"),
        (moving(EventKind.LINES_FULFILLED, 7_000_001, "-1"), "moves -1 units"),
        (moving(EventKind.LINES_FULFILLED, 8_000_001, "1"), "which the order does not have"),
    ],
)
def test_a_fact_that_makes_no_sense_is_a_bug(fact: Fact, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        evolve(placed("10"), fact)


def test_a_line_is_placed_with_a_quantity() -> None:
    line = PlacedLine(line="1", assigned=True, new=NewLine(quantity=None, unit="EA"))
    with pytest.raises(ValueError, match="without a quantity"):
        evolve(EMPTY, Fact(kind=EventKind.ORDER_PLACED, placed=(line,)))
