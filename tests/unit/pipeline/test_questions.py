"""A question is answered for the order as it was; when the order went on, it is asked once more."""

from pathlib import Path

import pytest

from pipeline.report import SetReport
from pipeline.sets import decide_again
from storage import held
from storage.held import Held
from storage.invariants import audit
from storage.outcomes import Outcome
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import acknowledgment, order


def waiting(house: House) -> Held:
    with house.database.reading() as tx:
        (question,) = held.list_held(tx)
    return question


def answered(house: House, choice: str) -> SetReport:
    """As `countermand release` does it."""
    with house.database.writing() as tx:
        question = held.answer(tx, waiting(house).id, choice=choice, by="ann", at=house.now)
        assert question.set_id is not None
        return decide_again(tx, house.settings, question.set_id, house.now, actor="ann")


@pytest.fixture
def house(tmp_path: Path, both_systems: None) -> House:
    """48 are ordered, the seller rejects 6 or all but 6, and then the buyer asks for 6 to be cancelled."""
    house = house_with(tmp_path, 'buyer_cancel = "requested"')
    house.buyer(order("PO-1", 48))
    assert house.seller("855", acknowledgment("PO-1", "ACK*IR*6*EA")).outcome is Outcome.HELD
    assert [choice.name for choice in waiting(house).choices] == ["cancel", "cancel-rest", "ignore"]
    change = ["BCH*04*SA*PO-1***20260302", "POC*1*QD*42*42*EA*1**UP*012345678905", "CTT*1"]
    assert house.say("860", change, sender="acme", receiver="globex").outcome is Outcome.APPLIED
    return house


@pytest.mark.parametrize("choice", ["cancel", "cancel-rest", "ignore"])
def test_no_answer_cancels_what_it_was_not_about(house: House, choice: str) -> None:
    report = answered(house, choice)
    assert (report.outcome, house.line("PO-1")) == (Outcome.HELD, ("48", "0", "0", "48"))
    question = waiting(house)
    assert "is not as it was when this was asked: Line 1: IR 6 on 48 units ordered" in question.statement
    assert [one.name for one in question.choices] == ["go-on", "ignore"]
    assert [one.effect for one in question.choices] == ["cancel 6 of line 1", "change nothing"]
    support = [to for to, subject in house.mails() if to == house.settings.hub.support_email]
    assert len(support) == 2, "support is told of the second question too"


@pytest.mark.parametrize(("choice", "left"), [("go-on", "42"), ("ignore", "48")])
def test_the_second_answer_settles_it(house: House, choice: str, left: str) -> None:
    answered(house, "ignore")
    expected = Outcome.APPLIED if choice == "go-on" else Outcome.IGNORED
    assert answered(house, choice).outcome is expected
    assert house.line("PO-1")[3] == left
    with house.database.reading() as tx:
        assert held.list_held(tx) == ()
        assert audit(tx) == ()
