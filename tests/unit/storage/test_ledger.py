"""Submissions through the only door: what is written, what is not, and in which order it is decided."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Connection, text

from storage import ledger, loading, writing
from storage.commands import (
    AcknowledgedLine,
    AcknowledgeOrder,
    Answer,
    CancelLines,
    LineAnswer,
    LineReference,
    Locator,
    Object,
    Objection,
    Submission,
    Verdict,
)
from storage.database import Database, LedgerBug, savepoint
from storage.events import EventKind, Fact, Units
from storage.evolve import evolve
from storage.invariants import audit
from storage.ledger import Result, apply
from storage.orders import OrderStatus
from storage.outcomes import Choice, Given, Outcome
from storage.refusals import Decision
from tests.unit.storage.build import (
    AT,
    BUYER,
    SELLER,
    cancel,
    cut,
    figures,
    locator,
    new_line,
    order,
    place,
    receipt,
    ship,
    source,
    submit,
)

TABLES = ("orders", "order_line", "order_line_id", "event", "event_line", "document", "outbox")


def contents(tx: Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every row the ledger could have touched."""
    return {name: [tuple(row) for row in tx.execute(text(f"SELECT * FROM {name}"))] for name in TABLES}  # noqa: S608


def outcomes(result: Result) -> tuple[Outcome, ...]:
    return tuple(entry.decision.outcome for entry in result.entries)


def test_an_order_is_placed_with_all_it_said(database: Database) -> None:
    with database.writing() as tx:
        case = new_line("1", "12.5", unit="LB", discrete=False, pack_unit="CA", pack_size=Decimal(12))
        result = submit(tx, place(lines=(case, new_line("2", "3")), revision="7"), key="850-1")
    (entry,) = result.entries
    assert (result.outcome, entry.before) == (Outcome.APPLIED, None)
    with database.reading() as tx:
        view = order(tx)
        loaded = loading.load_order(tx, view.summary.id)
        assert audit(tx) == ()
    assert loaded is not None
    assert loaded.order == entry.after
    assert loaded.order.lines[0].ids == case.ids
    assert view.summary.revision == "7"
    assert view.summary.status is OrderStatus.OPEN
    assert view.events == entry.events
    assert [event.kind for event in view.events] == [EventKind.ORDER_PLACED]
    assert [(unit.line, unit.quantity) for unit in view.events[0].units] == [("1", Decimal("12.5")), ("2", 3)]


def test_ship_and_cancel_move_counters_status_and_timeline(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10", "5"))
        assert submit(tx, ship(line_1="4"), key="S1").outcome is Outcome.APPLIED
        assert order(tx).summary.status is OrderStatus.PARTLY_FULFILLED
        assert submit(tx, cut("2", "2")).outcome is Outcome.APPLIED
        assert figures(tx) == {"1": (10, 4, 0, 0), "2": (5, 0, 2, 0)}
        assert submit(tx, cancel()).outcome is Outcome.APPLIED
        view = order(tx)
        assert audit(tx) == ()
    assert view.summary.status is OrderStatus.COMPLETE
    assert view.summary.whole_cancelled
    assert [event.sequence for event in view.events] == [1, 2, 3, 4]
    assert {line.line: int(line.cancelled) for line in view.lines} == {"1": 6, "2": 5}


def test_a_refusal_changes_nothing(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"), key="850-1")
        before = contents(tx)
        result = submit(tx, ship(line_1="11"), key="S1")
        assert result.outcome is Outcome.REFUSED
        assert result.entries[0].after == result.entries[0].before
        assert contents(tx) == before
        assert submit(tx, ship(line_1="10"), key="S1").outcome is Outcome.APPLIED  # the key was not burnt


def test_the_same_document_again_is_a_duplicate(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, cut("1", "3"), key="860-1")
        before = contents(tx)
        assert submit(tx, cut("1", "3"), key="860-1").outcome is Outcome.DUPLICATE
        assert contents(tx) == before
        assert submit(tx, cut("1", "3"), key="860-2").outcome is Outcome.APPLIED


def test_a_changed_document_under_an_old_key_is_applied_once_at_most(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, cut("1", "3"), key="860-1", content="three")
        submit(tx, cut("1", "2"), key="860-1", content="two")
        cancelled = figures(tx)["1"][2]
        for content in ("three", "two"):
            assert submit(tx, cut("1", "2"), key="860-1", content=content).outcome is not Outcome.APPLIED
        assert figures(tx)["1"][2] == cancelled


def test_a_shipment_number_with_other_content_is_refused(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, ship(line_1="1"), key="S1", content="one")
        assert submit(tx, ship(line_1="2"), key="S1", content="two").outcome is Outcome.REFUSED
        assert figures(tx) == {"1": (10, 1, 0, 0)}


def test_a_duplicate_alone_burns_no_key(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        submit(tx, cancel())
        assert submit(tx, cancel(), key="860-9").outcome is Outcome.DUPLICATE
        assert tx.execute(text("SELECT COUNT(*) FROM document")).scalar() == 0


def test_one_refused_command_undoes_its_neighbours(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10", po="A"))
        submit(tx, place("10", po="B"))
        before = contents(tx)
        result = submit(tx, ship(po="A", line_1="4"), ship(po="B", line_1="40"), key="S1")
        assert result.outcome is Outcome.REFUSED
        assert outcomes(result) == (Outcome.APPLIED, Outcome.REFUSED)
        assert all(entry.events == () and entry.after == entry.before for entry in result.entries)
        assert contents(tx) == before


def test_the_gravest_outcome_is_the_documents(database: Database) -> None:
    question = Object(
        order=locator(),
        by=BUYER,
        at=AT,
        source=source("860"),
        objection=Objection.NEEDS_A_PERSON,
        statement="What is meant?",
        choices=(Choice("cancel", "cancel it"),),
    )
    with database.writing() as tx:
        submit(tx, place("10"))
        unknown = cancel(po="unknown")
        assert submit(tx, unknown, ship(line_1="1")).outcome is Outcome.PARKED
        assert submit(tx, unknown, question).outcome is Outcome.HELD
        assert submit(tx, question, unknown, ship(line_1="11")).outcome is Outcome.REFUSED
        assert figures(tx) == {"1": (10, 0, 0, 0)}


def test_later_commands_see_what_earlier_ones_did(database: Database) -> None:
    with database.writing() as tx:
        result = submit(tx, place("10", "5"), ship(line_1="4"), cut("1", "6"), cancel(), key="all")
        assert outcomes(result) == (Outcome.APPLIED,) * 4
        assert figures(tx) == {"1": (10, 4, 6, 0), "2": (5, 0, 5, 0)}
        view = order(tx)
        assert [event.sequence for event in view.events] == [1, 2, 3, 4]
        assert result.entries[-1].after == loading.find_orders(tx, locator())[0].order
        assert result.entries[1].before == result.entries[0].after
        assert {entry.after.id for entry in result.entries if entry.after} == {view.summary.id}
        assert audit(tx) == ()


def test_two_cuts_of_one_document_together_exceed_what_is_open(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        result = submit(tx, cut("1", "6"), cut("1", "6"))
        assert outcomes(result) == (Outcome.APPLIED, Outcome.REFUSED)
        assert figures(tx) == {"1": (10, 0, 0, 0)}
        (stored,) = loading.find_orders(tx, locator())
        assert [(entry.before, entry.after) for entry in result.entries] == [(stored.order, stored.order)] * 2


def test_what_the_seller_declines_is_counted_as_cancelled_and_declined(database: Database) -> None:
    rejected = LineAnswer(answer=Answer.REJECTED, quantity=Decimal(3))
    kept = LineAnswer(answer=Answer.ACCEPTED, quantity=Decimal(7))
    said = AcknowledgedLine(line=LineReference(number="1"), answers=(kept, rejected))
    with database.writing() as tx:
        submit(tx, place("10", "5"))
        submit(tx, cut("2", "1"))
        for _ in range(2):  # said twice, declined once
            answer = AcknowledgeOrder(
                order=locator(), by=SELLER, at=AT, source=source("855"), verdict=Verdict.LINES, lines=(said,)
            )
            submit(tx, answer)
        assert figures(tx) == {"1": (10, 0, 3, 3), "2": (5, 0, 1, 0)}
        assert audit(tx) == ()


def test_two_orders_placed_by_one_document_are_kept_apart(database: Database) -> None:
    with database.writing() as tx:
        submit(
            tx,
            place("10", po="A"),
            place("20", "1", po="B"),
            ship(po="B", line_1="5"),
            ship(po="A", line_1="2"),
        )
        assert figures(tx, "A") == {"1": (10, 2, 0, 0)}
        assert figures(tx, "B") == {"1": (20, 5, 0, 0), "2": (1, 0, 0, 0)}
        assert audit(tx) == ()


def test_a_document_finds_its_release_first(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"), place("10", order=locator(release="R1")))
        submit(tx, cut("1", "1", order=locator(release="R1")))
        submit(tx, cut("1", "2", order=locator(release="R9")))  # has no order of its own
        cancelled = tx.execute(
            text("SELECT release, cancelled FROM orders o JOIN order_line l ON order_id = o.id")
        )
        assert sorted(tuple(row) for row in cancelled) == [("", 2_000_000), ("R1", 1_000_000)]


def test_a_new_release_is_an_order_of_its_own(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        assert submit(tx, place("7", order=locator(release="R1"))).outcome is Outcome.APPLIED
        assert tx.execute(text("SELECT COUNT(*) FROM orders")).scalar() == 2


def test_a_number_used_by_two_buyers_is_asked_about_and_answered(database: Database) -> None:
    with database.writing() as tx:
        for buyer in (BUYER, "zenith"):
            submit(tx, place("10", order=locator(buyer=buyer), by=buyer))
        unsure = cut("1", "3", by=SELLER, order=Locator(seller=SELLER, po_number="4500012"))
        result = submit(tx, unsure)
        assert result.outcome is Outcome.HELD
        answered = CancelLines(
            order=unsure.order,
            by=SELLER,
            at=AT,
            source=unsure.source,
            lines=unsure.lines,
            answers=(Given(choice="for-zenith", question=result.entries[0].decision.question),),
        )
        (entry,) = submit(tx, answered).entries
        assert entry.after is not None
        assert entry.after.key.buyer == "zenith"
        assert entry.before is not None
        assert entry.before.key.buyer == "zenith"


def test_a_search_must_name_a_party(database: Database) -> None:
    with database.writing() as tx, pytest.raises(ValueError, match="without naming a party"):
        loading.find_orders(tx, Locator(po_number="4500012"))


def test_nothing_asked_is_nothing_done(database: Database) -> None:
    with database.writing() as tx:
        assert apply(tx, Submission(commands=())).outcome is Outcome.IGNORED


def test_events_name_the_set_that_caused_them(database: Database) -> None:
    with database.writing() as tx:
        set_id = receipt(tx)
        apply(tx, Submission(commands=(place("10"),)), set_id=set_id)
        assert tx.execute(text("SELECT set_id FROM event")).scalars().all() == [set_id]


def test_a_rule_gone_wrong_is_stopped_by_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
        before = contents(tx)
        line = order(tx).lines[0]
        units = (Units(line_id=line.id, line=line.line, quantity=Decimal(11)),)
        fact = Fact(kind=EventKind.LINES_FULFILLED, units=units)
        wrong = Decision(outcome=Outcome.APPLIED, facts=(fact,))
        monkeypatch.setattr(ledger, "decide", lambda found, command: wrong)
        with pytest.raises(LedgerBug, match="more units than are open"), savepoint(tx):
            apply(tx, Submission(commands=(ship(line_1="11"),)))
        assert contents(tx) == before


def test_an_order_that_vanished_is_noticed(sqlite_database: Database) -> None:
    with sqlite_database.writing() as tx:
        submit(tx, place("10"))
        (loaded,) = loading.find_orders(tx, locator())
        writer = writing.Writer(tx, None, {}, {loaded.order.id: loaded.order})
        tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        tx.execute(text("UPDATE orders SET id = 77"))
        gone = evolve(loaded.order, Fact(kind=EventKind.ORDER_CANCELLED))
        with pytest.raises(LedgerBug, match="is not there"):
            writer.settle(gone)
        tx.execute(text("UPDATE orders SET id = 1"))


def test_the_ledger_can_be_tried_out_on_a_copy(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"))
    copy = database.scratch_copy()
    with copy.writing() as tx:
        assert submit(tx, cancel()).outcome is Outcome.APPLIED
        assert figures(tx) == {"1": (10, 0, 10, 0)}
    copy.close()
    with database.reading() as tx:
        assert figures(tx) == {"1": (10, 0, 0, 0)}


def test_a_document_that_names_no_release_is_asked_which_it_means(database: Database) -> None:
    """However few there are: the next may be on its way (section 6)."""
    with database.writing() as tx:
        submit(tx, place("10", order=locator(release="0001")))
        unsure = cancel(by=SELLER)
        (asked,) = submit(tx, unsure).entries
        assert (asked.decision.outcome, asked.before) == (Outcome.HELD, None)
        submit(tx, place("20", order=locator(release="0002")))
        (asked,) = submit(tx, unsure).entries
        question = asked.decision.question
        assert question is not None
        assert question.statement == (
            f"PO 4500012 exists as release 0001 with {BUYER}, release 0002 with {BUYER}, and no release is"
            " named: which is meant?"
        )
        names = [choice.name for choice in question.choices]
        assert names == [f"for-{BUYER}:0001", f"for-{BUYER}:0002", "ignore"]
        left = replace(unsure, answers=(Given(choice="ignore", question=question),))
        assert submit(tx, left).outcome is Outcome.IGNORED
        answered = replace(unsure, answers=(Given(choice=names[1], question=question),))
        (entry,) = submit(tx, answered).entries
        assert entry.after is not None
        assert (entry.after.key.release, entry.after.status) == ("0002", OrderStatus.CANCELLED)
        assert audit(tx) == ()


def test_the_order_itself_is_meant_where_no_release_is_named(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10"), place("20", order=locator(release="0001")))
        (entry,) = submit(tx, cancel(by=SELLER)).entries
        assert entry.after is not None
        assert entry.after.key.release == ""


def test_releases_with_several_partners_are_asked_about_together(database: Database) -> None:
    with database.writing() as tx:
        submit(tx, place("10", order=locator(release="0001")))
        for release in ("", "0001"):
            submit(tx, place("10", order=locator(buyer="zenith", release=release), by="zenith"))
        unsure = cancel(by=SELLER, order=Locator(seller=SELLER, po_number="4500012"))
        (asked,) = submit(tx, unsure).entries
        question = asked.decision.question
        assert question is not None
        assert [choice.name for choice in question.choices] == [f"for-{BUYER}:0001", "for-zenith", "ignore"]
        named = replace(unsure, order=replace(unsure.order, release="0001"))
        (asked,) = submit(tx, named).entries
        assert asked.decision.question is not None
        names = [choice.name for choice in asked.decision.question.choices]
        assert names == [f"for-{BUYER}", "for-zenith", "ignore"]


def test_of_many_releases_the_last_are_asked_about(database: Database) -> None:
    with database.writing() as tx:
        for number in range(loading.RELEASES_MAX + 3):
            submit(tx, place("1", order=locator(release=f"{number:04}")))
        (asked,) = submit(tx, cancel(by=SELLER)).entries
        assert asked.decision.question is not None
        names = [choice.name for choice in asked.decision.question.choices]
        assert (names[0], len(names)) == (f"for-{BUYER}:0003", loading.RELEASES_MAX + 1)


def test_a_blanket_order_is_not_meant_by_what_names_a_release(database: Database) -> None:
    """The release may be on its way, and what left for it must not count for the blanket (section 6)."""
    with database.writing() as tx:
        submit(tx, replace(place("1000"), blanket=True))
        early = replace(ship(line_1="40"), order=locator(release="0002"))
        assert submit(tx, early).outcome is Outcome.PARKED
        submit(tx, place("40", order=locator(release="0002")))
        (entry,) = submit(tx, early).entries
        assert entry.after is not None
        assert (entry.after.key.release, entry.after.status) == ("0002", OrderStatus.FULFILLED)
        (blanket,) = (one.order for one in loading.find_orders(tx, locator()))
        assert (blanket.blanket, blanket.lines[0].open) == (True, Decimal(1000))
        submit(tx, cut("1", "10"))
        (blanket,) = (one.order for one in loading.find_orders(tx, locator()))
        assert (blanket.blanket, blanket.lines[0].open) == (True, Decimal(990))
        assert audit(tx) == ()
