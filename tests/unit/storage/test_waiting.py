"""Held questions and parked sets: listed while they wait, settled once."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from storage import held, interchanges, parked
from storage.commands import Locator
from storage.database import Database
from storage.held import NotAChoice
from storage.orders import OrderKey
from storage.outcomes import Choice, Given, Outcome, Question
from storage.states import HeldStatus, ParkedStatus
from tests.unit.storage.build import (
    AT,
    BUYER,
    SELLER,
    later,
    locator,
    opened_interchange,
    opened_set,
    place,
    receipt,
    received,
    submit,
)

QUESTION = Question("Does it cancel?", (Choice("cancel", "cancel 6 EA"), Choice("ignore", "change nothing")))


def hold(tx: Connection, set_id: int | None = None) -> int:
    return held.put(tx, QUESTION, partner=SELLER, po_number="4500012", at=AT, set_id=set_id)


def test_a_question_waits_until_it_is_answered(database: Database) -> None:
    with database.writing() as tx:
        first, second = hold(tx, receipt(tx, Outcome.HELD)), hold(tx)
        assert [one.id for one in held.list_held(tx)] == [first, second]
        answered = held.answer(
            tx, first, choice="cancel", by="ann@hub.example", at=later(60), note="They rang."
        )
        assert (answered.answer, answered.answered_by, answered.note) == (
            "cancel",
            "ann@hub.example",
            "They rang.",
        )
        assert (answered.status, answered.at, answered.answered_at) == (HeldStatus.ANSWERED, AT, later(60))
        assert answered.choices == QUESTION.choices
        assert [one.id for one in held.list_held(tx)] == [second]
        assert [one.id for one in held.list_held(tx, status=None)] == [first, second]
        assert answered.set_id is not None
        assert held.answers_so_far(tx, answered.set_id) == (
            Given(choice="cancel", question=QUESTION, po_number=answered.po_number),
        )


@pytest.mark.parametrize(
    ("held_id", "choice", "match"),
    [
        (1, "perhaps", "can be answered with: cancel, ignore"),
        (9, "cancel", "Nothing is held under the number 9"),
    ],
)
def test_only_what_was_offered_is_an_answer(
    database: Database, held_id: int, choice: str, match: str
) -> None:
    with database.writing() as tx:
        hold(tx)
        with pytest.raises(NotAChoice, match=match):
            held.answer(tx, held_id, choice=choice, by="ann", at=AT)
        assert len(held.list_held(tx)) == 1


def test_an_answer_is_final(database: Database) -> None:
    with database.writing() as tx:
        held_id = hold(tx)
        held.answer(tx, held_id, choice="ignore", by="ann", at=AT)
        with pytest.raises(NotAChoice, match="answered before, with 'ignore' by ann"):
            held.answer(tx, held_id, choice="cancel", by="bob", at=later(1))
        found = held.get_held(tx, held_id)
        assert found is not None
        assert found.answer == "ignore"


def test_a_question_may_have_a_limit(database: Database) -> None:
    with database.writing() as tx:
        limited = held.put(tx, QUESTION, partner=SELLER, po_number="4500012", at=AT, expires_at=later(3600))
        endless, answered = (
            hold(tx),
            held.put(tx, QUESTION, partner=SELLER, po_number="4500012", at=AT, expires_at=later(60)),
        )
        held.answer(tx, answered, choice="ignore", by="ann", at=later(30))
        assert held.expired(tx, later(3599)) == ()
        (late,) = held.expired(tx, later(3600))
        assert (late.id, late.expires_at, late.age(later(3600))) == (limited, later(3600), timedelta(hours=1))
        held.mark_expired(tx, limited, later(3700))
        assert held.expired(tx, later(9999)) == ()
        assert [one.id for one in held.list_held(tx)] == [endless]
        (settled,) = held.list_held(tx, status=HeldStatus.EXPIRED)
        assert settled.age(later(9999)) == timedelta(seconds=3700)
        with pytest.raises(NotAChoice, match="was not answered in time"):
            held.answer(tx, limited, choice="cancel", by="ann", at=later(9999))
        held.mark_expired(tx, answered, later(9999))
        assert [one.id for one in held.list_held(tx, status=HeldStatus.ANSWERED)] == [answered]


def park(tx: Connection, where: Locator, set_id: int) -> int:
    return parked.park(tx, where, set_id=set_id, partner=BUYER, since=AT, expires_at=later(3600))


def sets(tx: Connection, number: int) -> list[int]:
    interchange_id = opened_interchange(tx, received(tx))
    return [opened_set(tx, interchange_id, ordinal) for ordinal in range(1, number + 1)]


def test_what_waits_for_an_order_comes_back_in_its_order(database: Database) -> None:
    key = OrderKey(buyer=BUYER, seller=SELLER, po_number="4500012")
    with database.writing() as tx:
        ids = sets(tx, 6)
        park(tx, locator(), ids[2])
        park(tx, locator(seller=""), ids[0])  # a buyer who does not say who sells
        park(tx, locator("other"), ids[1])
        park(tx, locator(buyer="zenith"), ids[3])
        # without an order of its own it means the one without release; and one without may mean any release
        park(tx, locator(release="R1"), ids[4])
        park(tx, locator(seller="other"), ids[5])
        assert [one.set_id for one in parked.waiting_for(tx, key)] == [ids[2], ids[0], ids[4]]
        released = OrderKey(buyer=BUYER, seller=SELLER, po_number="4500012", release="R1")
        assert [one.set_id for one in parked.waiting_for(tx, released)] == [ids[2], ids[0], ids[4]]
        parked.mark_replayed(tx, ids[2])
        assert [one.set_id for one in parked.waiting_for(tx, key)] == [ids[0], ids[4]]
        assert len(parked.list_parked(tx)) == 5
        assert [one.set_id for one in parked.list_parked(tx, status=ParkedStatus.REPLAYED)] == [ids[2]]
        assert len(parked.list_parked(tx, status=None)) == 6


def test_what_its_order_did_not_let_go_is_ready(database: Database) -> None:
    with database.writing() as tx:
        ids = sets(tx, 6)
        for set_id in ids:
            interchanges.close_set(tx, set_id, outcome=Outcome.PARKED, at=AT)
        for where, set_id in zip(
            (locator(seller=""), locator(), locator("other"), locator(release="R1"), locator(buyer="zenith")),
            ids,
            strict=False,
        ):
            park(tx, where, set_id)
        park(tx, locator(), ids[5])
        assert parked.ready(tx, 9) == ()
        submit(tx, place("10", at=later(60)))
        assert parked.ready(tx, 9) == (ids[0], ids[1], ids[3], ids[5])
        assert parked.ready(tx, 2) == (ids[0], ids[1])
        parked.mark_replayed(tx, ids[0])
        # decided again since, and still waiting: for another order
        interchanges.close_set(tx, ids[1], outcome=Outcome.PARKED, at=later(61))
        assert parked.ready(tx, 9) == (ids[3], ids[5])


def test_a_set_waits_once_for_each_order(database: Database) -> None:
    with database.writing() as tx:
        (set_id,) = sets(tx, 1)
        assert park(tx, locator("A"), set_id) == park(tx, locator("A"), set_id)
        assert park(tx, locator("B"), set_id) != park(tx, locator("A"), set_id)
        parked.mark_expired(tx, set_id)
        assert parked.list_parked(tx) == ()


def test_a_set_that_was_held_meanwhile_waits_again_for_the_order_it_still_misses(database: Database) -> None:
    """Of two unknown orders one comes and raises a question; when that is answered the other is missing."""
    with database.writing() as tx:
        set_id = sets(tx, 1)[0]
        first = park(tx, locator("A"), set_id)
        second = park(tx, locator("B"), set_id)
        parked.mark_replayed(tx, set_id)
        again = parked.park(
            tx, locator("B"), set_id=set_id, partner=BUYER, since=later(60), expires_at=later(7200)
        )
        assert again == second != first
        (waiting,) = parked.list_parked(tx)
        assert (waiting.id, waiting.since, waiting.expires_at) == (second, AT, later(7200))
        key = OrderKey(buyer=BUYER, seller=SELLER, po_number="B")
        assert [one.set_id for one in parked.waiting_for(tx, key)] == [set_id]


def test_waiting_ends(database: Database) -> None:
    with database.writing() as tx:
        (set_id,) = sets(tx, 1)
        park(tx, locator(), set_id)
        assert parked.expired(tx, later(3599)) == ()
        (late,) = parked.expired(tx, later(3600))
        assert (late.set_id, late.since, late.status) == (set_id, AT, ParkedStatus.WAITING)
        parked.mark_expired(tx, set_id)
        assert parked.expired(tx, later(7200)) == ()
        assert [one.status for one in parked.list_parked(tx, status=None)] == [ParkedStatus.EXPIRED]
