"""The read side: lists and their filters, one order's timeline, and what is stuck."""

from datetime import datetime

import pytest
from sqlalchemy import Connection

from storage import order_lists, queries, receipts
from storage.commands import BuyerCancel, Consent, Reason, Source
from storage.database import Database
from storage.order_lists import Wanted
from storage.orders import OrderStatus
from tests.unit.storage.build import (
    BUYER,
    SELLER,
    answer,
    ask,
    cancel,
    change,
    cut,
    later,
    locator,
    order,
    place,
    raised,
    received,
    requested,
    ship,
    submit,
    withdraw,
)


def test_orders_are_listed_newest_first_and_filtered(database: Database) -> None:
    with database.writing() as tx:
        for po in ("A", "B", "C"):
            submit(tx, place("10", po=po))
        submit(tx, place("10", po="D", by="zenith", order=locator("D", buyer="zenith")))
        submit(tx, cancel(po="B"))

        def listed(**filters: object) -> list[str]:
            found = order_lists.list_orders(tx, **filters)  # type: ignore[arg-type]
            return [summary.key.po_number for summary in found]

        assert listed() == ["D", "C", "B", "A"]
        assert listed(partner="zenith") == ["D"]
        assert listed(partner=SELLER) == ["D", "C", "B", "A"]
        assert listed(partner=BUYER, status=OrderStatus.CANCELLED) == ["B"]
        assert listed(limit=2) == ["D", "C"]
        assert listed(before_id=3, limit=1) == ["B"]


def test_an_order_is_found_by_number_and_parties(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, place("10", order=locator(release="R1")))
        submit(tx, place("10", order=locator(buyer="zenith"), by="zenith"))
        assert len(queries.find_orders(tx, "4500012")) == 3
        assert len(queries.find_orders(tx, "4500012", buyer=BUYER)) == 2
        assert len(queries.find_orders(tx, "4500012", seller="nobody")) == 0
        (found,) = queries.find_orders(tx, "4500012", buyer=BUYER, release="R1")
        assert found.key.release == "R1"
        assert queries.find_orders(tx, "45000120") == ()
        assert queries.get_order(tx, 99) is None


def test_a_timeline_tells_who_when_why_and_what(database: Database) -> None:
    why = Source(actor="ann@hub.example")
    with database.writing() as tx:
        submit(tx, place("10", "5"))
        submit(tx, ship(line_1="4", line_2="5"))
        result = submit(
            tx,
            cut(
                "1",
                "2.0",
                by=SELLER,
                source=why,
                reason=Reason("OS", "out of stock"),
                note="Sorry",
                at=later(9),
            ),
        )
        view = order(tx)
    placed, shipped, cancelled = view.events
    assert cancelled == result.entries[0].events[0]
    assert (cancelled.by, cancelled.at, cancelled.note) == (SELLER, later(9), "Sorry")
    assert cancelled.reason == Reason("OS", "out of stock")
    assert (cancelled.source, placed.source.type, shipped.source.file) == (why, "850", "drop.edi")
    assert shipped.notes == ("Shipment S1.",)
    assert [(unit.line, int(unit.quantity)) for unit in shipped.units] == [("1", 4), ("2", 5)]
    assert [(unit.line, unit.reason.code) for unit in cancelled.units] == [("1", "OS")]


def test_a_timeline_tells_of_shipments_and_their_withdrawal(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, ship(line_1="4"))
        submit(tx, withdraw(line_1="1"))
        view = order(tx)
    told = [
        (event.kind.value, event.reference, *(int(u.quantity) for u in event.units)) for event in view.events
    ]
    assert told == [
        ("order_placed", "", 10),
        ("lines_fulfilled", "S1", 4),
        ("shipment_withdrawn", "S1", 4),
        ("lines_fulfilled", "S1", 1),
    ]


def asked(tx: Connection) -> list[tuple[str, dict[str, int], list[datetime]]]:
    """Order number, waiting units by line, and when they were asked for."""
    found = order_lists.first_to_answer(tx, Wanted(), 50)
    views = [order(tx, one.key.po_number) for one in found]
    return [
        (view.summary.key.po_number, requested(tx, view.summary.key.po_number), [e.at for e in view.asking])
        for view in views
    ]


def test_what_waits_for_a_seller_is_listed_with_what_asked_for_it(database: Database) -> None:
    with database.writing() as tx:
        for po in ("A", "B", "C"):
            submit(tx, place("10", "5", po=po))
        assert asked(tx) == []
        submit(tx, ask("1", "3", "B", at=later(1)))
        submit(tx, ask("1", "4", "A", at=later(2)))
        submit(tx, ask("2", None, "A", at=later(3)))
        submit(tx, ask("1", "5", "A", at=later(4)))
        assert asked(tx) == [
            ("B", {"1": 3}, [later(1)]),
            ("A", {"1": 9, "2": 5}, [later(2), later(3), later(4)]),
        ]
        submit(tx, answer(Consent.AGREED, "B"))
        submit(tx, ship("A", line_1="6"))  # four of the nine can still be kept back
        assert asked(tx) == [("A", {"1": 4, "2": 5}, [later(3), later(4)])]


def _first(tx: Connection) -> list[str]:
    """What has to be answered, soonest first."""
    wanted = Wanted(seller=SELLER)
    return [found.key.po_number for found in order_lists.first_to_answer(tx, wanted, 50)]


def test_what_lapses_soonest_stands_first_whatever_was_answered_before(database: Database) -> None:
    with database.writing() as tx:
        for po in ("A", "B", "C"):
            submit(tx, place("10", po=po))
        submit(tx, ask("1", "2", po="C"))  # waits for ever
        submit(tx, ask("1", "4", po="A", answer_by=later(3600)))
        submit(tx, ask("1", "4", po="B", answer_by=later(7200)))
        assert _first(tx) == ["A", "B", "C"]
        submit(tx, answer(Consent.REFUSED, po="A"))
        assert _first(tx) == ["B", "C"]
        submit(tx, ask("1", "3", po="A", answer_by=later(9000)))
        assert _first(tx) == ["B", "A", "C"]


@pytest.mark.parametrize("ends", ["shipped", "cancelled", "taken back and asked for again", "in part"])
def test_a_request_of_which_nothing_waits_hurries_no_order(database: Database, ends: str) -> None:
    with database.writing() as tx:
        for po in ("A", "B"):
            submit(tx, place("10", po=po))
        submit(tx, ask("1", "4", po="A", answer_by=later(3600)))
        submit(tx, ask("1", "2", po="A", answer_by=later(9000)))
        submit(tx, ask("1", "4", po="B", answer_by=later(7200)))
        assert _first(tx) == ["A", "B"]
        if ends == "shipped":
            submit(tx, ship(po="A", line_1="8"))
        elif ends == "cancelled":
            submit(tx, cut("1", "4", po="A", by=SELLER))
        elif ends == "in part":
            submit(tx, cut("1", "3", po="A", by=SELLER))
            assert _first(tx) == ["A", "B"]  # one unit of the first still waits
            submit(tx, cut("1", "1", po="A", by=SELLER))
        else:
            back = change("A", raised("1", "12"), effect=BuyerCancel.REQUESTED)
            submit(tx, back, ask("1", "3", po="A", answer_by=later(9000)))
            assert requested(tx, "A") == {"1": 3}
        assert _first(tx) == ["B", "A"]


def test_a_request_does_not_change_an_orders_status(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, ask("1", None))
        assert order(tx).summary.status is OrderStatus.OPEN
        assert requested(tx) == {"1": 10}
        submit(tx, ship(line_1="4"))
        assert order(tx).summary.status is OrderStatus.PARTLY_FULFILLED
        submit(tx, answer(Consent.AGREED))
        assert order(tx).summary.status is OrderStatus.COMPLETE


def test_a_long_order_keeps_its_lines_in_order(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place(*["1"] * 250))
        assert [line.line for line in order(tx).lines] == [str(n) for n in range(1, 251)]


def test_stuck_files_are_those_begun_and_not_finished(database: Database) -> None:
    with database.writing() as tx:
        fresh, begun, failed = (received(tx, name=name) for name in (b"fresh", b"begun", b"failed"))
        receipts.begin(tx, [begun])
        for _ in range(3):
            receipts.begin(tx, [failed])
        receipts.record_failure(tx, failed, error="It broke.")
        assert [file.id for file in queries.stuck_files(tx)] == [begun, failed]
        receipts.mark_done(tx, begun, at=later(1), error="No interchange in it.")
        assert [file.id for file in queries.stuck_files(tx)] == [failed]
        assert fresh not in [file.id for file in queries.stuck_files(tx)]


@pytest.mark.parametrize("common_from", [1, 5000], ids=["common", "rare"])
def test_orders_with_an_item_are_the_same_however_common_it_is(
    database: Database, monkeypatch: pytest.MonkeyPatch, common_from: int
) -> None:
    monkeypatch.setattr(order_lists, "ITEM_LINES_MAX", common_from)
    with database.writing() as tx:
        for po, quantities in (("A", ["10"]), ("B", ["10", "10"]), ("C", ["10"]), ("D", ["10", "10", "10"])):
            submit(tx, place(*quantities, po=po))

        def listed(item: str) -> list[str]:
            found = order_lists.page_of_orders(tx, Wanted(buyer=BUYER, item=item), limit=10)
            return [summary.key.po_number for summary in found]

        assert listed("V-1") == ["D", "C", "B", "A"]
        assert listed("V-2") == ["D", "B"]
        assert listed("012345678903") == ["D"]
        assert listed("V-4") == []
