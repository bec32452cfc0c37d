"""A document that comes again is no news, unless what it did was taken back since: then a person is asked."""

from pathlib import Path

import pytest

from tests.unit.pipeline.house import House, house_with

UPC = "UP*012345678905"
ORDER = ["BEG*00*SA*PO-1**20260301", f"PO1*1*100*EA*5**{UPC}", "CTT*1"]
CANCELLATION = ["BEG*01*SA*PO-1**20260301", "PO1*1", "CTT*1"]
NO = ["BCA*11*RJ*PO-1***20260301****20260303*20260303", "CTT*0"]


def shipment(purpose: str, units: int) -> list[str]:
    return [
        f"BSN*{purpose}*S-1*20260302*1200*0004", "HL*1**S", "HL*2*1*O", "PRF*PO-1", "HL*3*2*I",
        f"LIN*1*{UPC}", f"SN1**{units}*EA", "CTT*3",
    ]  # fmt: skip


def change(number: str, change: str, *, purpose: str = "04") -> list[str]:
    return [f"BCH*{purpose}*SA*PO-1**{number}*20260301*****20260302", f"POC*1*{change}**EA*5**{UPC}", "CTT*1"]


def whole(number: str) -> list[str]:
    return [f"BCH*01*SA*PO-1**{number}*20260301*****20260303", "CTT*0"]


def buyer_says(house: House, document: list[str]) -> str:
    report = house.say("860", document, sender="acme", receiver="globex")
    return report.refusals[0].refusal.name if report.refusals else report.outcome.value


@pytest.fixture
def asking(tmp_path: Path) -> House:
    house = house_with(tmp_path, 'buyer_cancel = "requested"\nasn_withdraw = "reopen"')
    house.buyer(ORDER)
    return house


@pytest.fixture
def telling(tmp_path: Path) -> House:
    house = house_with(tmp_path, "")
    house.buyer(ORDER)
    return house


def test_asked_again_after_a_no_is_a_question(asking: House) -> None:
    assert asking.buyer(CANCELLATION).outcome.value == "applied"
    assert asking.buyer(CANCELLATION).outcome.value == "duplicate"
    assert asking.seller("865", NO).outcome.value == "applied"
    again = asking.buyer(CANCELLATION)
    assert again.outcome.value == "held"
    assert "applied before" in again.question
    assert asking.line("PO-1") == ("100", "0", "0", "100")


@pytest.mark.parametrize(("answer", "outcome"), [("again", "applied"), ("ignore", "ignored")])
def test_a_person_says_whether_it_is_asked_again(asking: House, answer: str, outcome: str) -> None:
    asking.buyer(CANCELLATION)
    asking.seller("865", NO)
    held = asking.buyer(CANCELLATION)
    assert asking.release(held.held_id, answer) == outcome
    asks = sum(subject.startswith("Cancellation requested") for _, subject in asking.mails())
    assert asks == (2 if answer == "again" else 1)
    if answer == "again":  # it waits: the same again is no news
        assert asking.buyer(CANCELLATION).outcome.value == "duplicate"


def test_a_shipment_that_was_withdrawn_and_is_said_again_is_a_question(asking: House) -> None:
    assert asking.seller("856", shipment("00", 40)).outcome.value == "applied"
    assert asking.seller("856", shipment("01", 40)).outcome.value == "applied"
    assert asking.line("PO-1") == ("100", "0", "0", "100")
    held = asking.seller("856", shipment("00", 40))
    assert held.outcome.value == "held"
    assert asking.release(held.held_id, "again") == "applied"
    assert asking.line("PO-1") == ("100", "40", "0", "60")
    assert asking.seller("856", shipment("00", 40)).outcome.value == "duplicate"


def test_a_restated_shipment_that_is_restated_back_is_a_question(asking: House) -> None:
    asking.seller("856", shipment("00", 40))
    for units in (50, 30):
        assert asking.seller("856", shipment("05", units)).outcome.value == "applied"
    assert asking.seller("856", shipment("05", 50)).outcome.value == "held"
    assert asking.line("PO-1") == ("100", "30", "0", "70")


def test_a_cancellation_older_than_a_change_is_stale(telling: House) -> None:
    assert buyer_says(telling, change("3", "QI*150")) == "applied"
    assert buyer_says(telling, whole("2")) == "STALE"
    assert telling.line("PO-1") == ("150", "0", "0", "150")
    assert buyer_says(telling, whole("4")) == "applied"
    assert telling.line("PO-1") == ("150", "0", "150", "0")


def test_a_cancellation_under_the_number_of_a_change_is_refused(telling: House) -> None:
    buyer_says(telling, change("3", "QI*150"))
    assert buyer_says(telling, whole("3")) == "DOCUMENT_EXISTS"
    assert telling.line("PO-1") == ("150", "0", "0", "150")


def test_a_change_older_than_a_request_to_cancel_is_stale(asking: House) -> None:
    assert buyer_says(asking, whole("2")) == "applied"
    assert buyer_says(asking, change("1", "QI*150")) == "STALE"
    assert asking.line("PO-1") == ("100", "0", "0", "100")


def test_a_cancellation_said_again_in_other_words_is_no_news(telling: House) -> None:
    assert buyer_says(telling, whole("2")) == "applied"
    again = [segment.replace("20260303", "20260304") for segment in whole("2")]
    assert buyer_says(telling, again) == "duplicate"
    assert buyer_says(telling, whole("1")) == "duplicate"
