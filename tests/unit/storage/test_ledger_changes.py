"""Orders that grow, requests that wait for the seller, and shipments that did not leave: what is written."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Connection, exc, text

from storage import ledger
from storage.commands import Command, Consent, Submission
from storage.database import Database, LedgerBug, savepoint
from storage.events import EventKind, Fact, Marks, Units
from storage.invariants import audit
from storage.ledger import apply
from storage.loading import load_order
from storage.orders import OrderState, OrderStatus
from storage.outcomes import Outcome
from storage.refusals import Decision
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

ISSUED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def stored(tx: Connection) -> OrderState:
    loaded = load_order(tx, order(tx).summary.id)
    assert loaded is not None
    return loaded.order


def settled(tx: Connection) -> dict[int, int]:
    """Requested units that each event left without a request, by the event's number."""
    query = "SELECT sequence, SUM(settled) FROM event JOIN event_line ON id = event_id GROUP BY sequence"
    return {sequence: units // 1_000_000 for sequence, units in tx.execute(text(query)) if units}


def test_lines_are_added_to_an_order_that_is_there(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10", "5"))
        result = submit(tx, change("4500012", raised("2", "9"), added("7", "3")))
        (entry,) = result.entries
        assert figures(tx) == {"1": (10, 0, 0, 0), "2": (9, 0, 0, 0), "7": (3, 0, 0, 0)}
        assert stored(tx) == entry.after
        assert [line.id for line in stored(tx).lines] == [1000001, 1000002, 1000003]
        assert stored(tx).lines[2].ids == added("7", "3").line.ids
        assert [
            (event.kind, [(units.line, int(units.quantity)) for units in event.units])
            for event in entry.events
        ] == [(EventKind.UNITS_ADDED, [("2", 4)]), (EventKind.LINES_ADDED, [("7", 3)])]
        assert submit(tx, ship(line_7="3")).outcome is Outcome.APPLIED
        assert audit(tx) == ()


def test_an_order_grows_in_the_document_that_places_it(database: Database) -> None:
    with database.writing() as tx:
        result = submit(
            tx,
            place("10"),
            place("1", po="other"),
            change("4500012", added("7", "3")),
            ship(line_7="2"),
            change("4500012", raised("7", "4")),
            key="all",
        )
        assert result.outcome is Outcome.APPLIED
        assert figures(tx) == {"1": (10, 0, 0, 0), "7": (4, 2, 0, 0)}
        assert figures(tx, "other") == {"1": (1, 0, 0, 0)}
        assert stored(tx) == result.entries[-1].after
        assert audit(tx) == ()


def test_an_order_that_was_done_is_open_again_when_it_grows(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, ship(line_1="10"))
        assert order(tx).summary.status is OrderStatus.FULFILLED
        submit(tx, change("4500012", raised("1", "12")))
        assert order(tx).summary.status is OrderStatus.PARTLY_FULFILLED
        assert audit(tx) == ()


@pytest.mark.parametrize(
    ("then", "figure", "waits", "settles"),
    [
        (answer(Consent.AGREED), (10, 0, 6, 6), {}, {3: 6}),
        (answer(Consent.REFUSED), (10, 0, 0, 0), {}, {3: 6}),
        (ship(line_1="3"), (10, 3, 0, 0), {"1": 6}, {}),
        (ship(line_1="6"), (10, 6, 0, 0), {"1": 4}, {3: 2}),
        (ship(line_1="10"), (10, 10, 0, 0), {}, {3: 6}),
        (cut("1", "5", by=SELLER), (10, 0, 5, 0), {"1": 1}, {3: 5}),
        (cancel(by=SELLER), (10, 0, 10, 0), {}, {3: 6}),
        (change("4500012", raised("1", "15")), (15, 0, 0, 0), {"1": 6}, {}),
    ],
    ids=["agreed", "refused", "ship 3", "ship 6", "ship all", "cut", "cancel", "raise"],
)
def test_what_was_asked_for_waits_until_something_settles_it(
    database: Database,
    then: Command,
    figure: tuple[int, int, int, int],
    waits: dict[str, int],
    settles: dict[int, int],
) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, ask("1", "6"))
        assert (figures(tx)["1"], requested(tx)) == ((10, 0, 0, 0), {"1": 6})
        result = submit(tx, then)
        assert result.outcome is Outcome.APPLIED
        assert (figures(tx)["1"], requested(tx), settled(tx)) == (figure, waits, settles)
        assert stored(tx) == result.entries[0].after
        assert audit(tx) == ()


def test_a_shipment_that_did_not_leave_is_open_again(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10", "5"))
        submit(tx, ship(line_1="4", line_2="5"), key="S1")
        submit(tx, ship(shipment="S2", line_1="1"), key="S2")
        result = submit(tx, withdraw(line_1="3"), key="S1 again")
        assert figures(tx) == {"1": (10, 4, 0, 0), "2": (5, 0, 0, 0)}
        assert [event.reference for event in result.entries[0].events] == ["S1", "S1"]
        assert stored(tx).reopened_by == "late.edi|000000009"
        assert submit(tx, withdraw(file="later.edi")).outcome is Outcome.APPLIED
        assert figures(tx) == {"1": (10, 1, 0, 0), "2": (5, 0, 0, 0)}
        assert submit(tx, withdraw(shipment="S3")).outcome is Outcome.REFUSED
        withdrawn = tx.execute(text("SELECT withdrawn FROM order_line ORDER BY id")).scalars().all()
        assert withdrawn == [7_000_000, 5_000_000]
        assert audit(tx) == ()


def test_what_a_file_reopens_it_does_not_cancel(database: Database) -> None:
    with database.writing() as tx:
        for po in ("A", "B"):
            submit(tx, place("10", po=po))
            submit(tx, ship(po, line_1="4"))
        one = withdraw("A").source
        submit(tx, withdraw("A"))
        assert submit(tx, cut("1", "1", "A", source=one)).outcome is Outcome.REFUSED
        assert submit(tx, cut("1", "1", "A")).outcome is Outcome.APPLIED
        submit(tx, cut("1", "1", "B", source=one))
        assert submit(tx, withdraw("B")).outcome is Outcome.REFUSED
        assert submit(tx, withdraw("B", file="another.edi")).outcome is Outcome.APPLIED
        assert audit(tx) == ()


def test_two_withdrawals_in_one_document_do_not_reopen_twice(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, ship(line_1="4"))
        submit(tx, withdraw(), withdraw())
        assert figures(tx) == {"1": (10, 0, 0, 0)}
        assert audit(tx) == ()


def test_marks_are_kept_with_the_order(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = Marks(
        revision="8", change_sequence="2", seller_change_sequence="3", restated_at=ISSUED, reopened_by="f|1"
    )
    noted = Decision(outcome=Outcome.APPLIED, facts=(Fact(kind=EventKind.NOTED, marks=marks),))
    with database.writing() as tx:
        submit(tx, place("10", revision="7"))
        assert stored(tx).revision == "7"
        monkeypatch.setattr(ledger, "decide", lambda found, command: noted)
        (entry,) = apply(tx, Submission(commands=(cut("1", "1"),))).entries
        found = stored(tx)
        assert found == entry.after
        assert (found.revision, found.change_sequence, found.seller_change_sequence) == ("8", "2", "3")
        assert (found.restated_at, found.reopened_by) == (ISSUED, "f|1")


WRONG = [
    (EventKind.CANCELLATION_REQUESTED, "8", "(?i)check|more units than are open"),
    (EventKind.REQUEST_REFUSED, "4", "(?i)check constraint"),
    (EventKind.LINES_CANCELLED, "11", "more units than are open"),
    (EventKind.SHIPMENT_WITHDRAWN, "1", "(?i)check constraint"),
]


@pytest.mark.parametrize(("kind", "quantity", "said"), WRONG, ids=[kind.value for kind, _, _ in WRONG])
def test_a_rule_gone_wrong_is_stopped(
    database: Database, monkeypatch: pytest.MonkeyPatch, kind: EventKind, quantity: str, said: str
) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, ask("1", "3"))
        submit(tx, cut("1", "1", by=BUYER))
        (line,) = order(tx).lines
        before = (figures(tx), requested(tx))
        units = (Units(line_id=line.id, line="1", quantity=Decimal(quantity)),)
        fact = Fact(kind=kind, units=units, reference="S1")
        wrong = Decision(outcome=Outcome.APPLIED, facts=(fact,))
        monkeypatch.setattr(ledger, "decide", lambda found, command: wrong)
        with pytest.raises((LedgerBug, exc.IntegrityError), match=said), savepoint(tx):
            apply(tx, Submission(commands=(cut("1", "1"),)))
        assert (figures(tx), requested(tx)) == before
        assert audit(tx) == ()
