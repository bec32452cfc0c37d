"""What an 865 says of the units that are kept decides what is cancelled, not its yes (spec 1.9 to 1.11)."""

from pathlib import Path

import pytest

from tests.unit.pipeline.house import House, house_with

UPC = "UP*012345678905"
ORDER = ["BEG*00*SA*PO-1**20260301", f"PO1*1*100*EA*5**{UPC}", "CTT*1"]


def buyer_says(house: House, *lines: str, purpose: str = "04", number: str = "1") -> str:
    body = [
        f"BCH*{purpose}*SA*PO-1**{number}*20260301*****20260302",
        *lines,
        f"CTT*{sum(line[:3] == 'POC' for line in lines)}",
    ]
    return house.say("860", body, sender="acme", receiver="globex").outcome.value


def seller_says(house: House, *lines: str, purpose: str = "11", verdict: str = "AC") -> str:
    body = [
        f"BCA*{purpose}*{verdict}*PO-1**1*20260301****20260303",
        *lines,
        f"CTT*{sum(line[:3] == 'POC' for line in lines)}",
    ]
    report = house.seller("865", body)
    return report.refusals[0].refusal.name if report.refusals else report.outcome.value


def poc(change: str, *statuses: str) -> tuple[str, ...]:
    """`DI*100*0` and what is said of it: `IA*100`."""
    words = change.split("*")
    figures = "*".join([*words, "", ""][1:3])
    return (
        f"POC*1*{words[0]}*{figures}*EA*5**{UPC}",
        *(f"ACK*{status}" + "*EA" * ("*" in status) for status in statuses),
    )


def said_of(house: House) -> tuple[str, str]:
    """Cancelled and open."""
    _, _, cancelled, left = house.line("PO-1")
    return cancelled, left


@pytest.fixture
def asking(tmp_path: Path) -> House:
    """A hub where the buyer's cancellations are requests."""
    house = house_with(tmp_path, 'buyer_cancel = "requested"')
    house.buyer(ORDER)
    return house


@pytest.fixture
def telling(tmp_path: Path) -> House:
    """A hub where the buyer's cancellations are facts."""
    house = house_with(tmp_path, "")
    house.buyer(ORDER)
    return house


WHOLE, SIXTY = "DI*100", "QD*60"


@pytest.mark.parametrize(
    ("asked", "verdict", "said", "comes_to"),
    [
        # what is kept is said in figures: the rest of what was asked for is refused
        (WHOLE, "AC", poc("QD*70*70", "IQ*70"), ("applied", "30", "70")),
        (SIXTY, "AC", poc("QD*80*80", "IQ*80"), ("applied", "20", "80")),
        (SIXTY, "AC", poc("QD*60*60", "IA*60"), ("applied", "40", "60")),
        (WHOLE, "AC", poc("DI*100*0", "IA*100"), ("applied", "100", "0")),
        (SIXTY, "AC", poc("QD*60*60", "IA*60", "ID*40"), ("applied", "40", "60")),
        # all of it is kept: a no, whatever the heading
        (WHOLE, "AC", poc("CA*100*100", "IA*100"), ("applied", "0", "100")),
        (WHOLE, "AD", poc("NC*100*100", "IA*100"), ("applied", "0", "100")),
        (WHOLE, "AD", poc("NC", "IA*100"), ("held", "0", "100")),
        (WHOLE, "AC", poc("PC*100*100", "IA*100"), ("applied", "0", "100")),
        (SIXTY, "AC", poc("NC*60*60", "IA*60"), ("applied", "40", "60")),
        # fewer kept than the buyer wants, or more than there are: told, and nothing is done
        (SIXTY, "AC", poc("QD*50*50", "IQ*50"), ("EXCEEDS_REQUESTED", "0", "100")),
        (SIXTY, "AC", poc("CA*120*120", "IA*120"), ("QUANTITY_RAISED", "0", "100")),
    ],
)
def test_an_answer_agrees_to_what_its_figures_leave(
    asking: House, asked: str, verdict: str, said: tuple[str, ...], comes_to: tuple[str, str, str]
) -> None:
    assert buyer_says(asking, *poc(asked)) == "applied"
    assert (seller_says(asking, *said, verdict=verdict), *said_of(asking)) == comes_to


def test_a_final_yes_that_keeps_more_is_agreed_to_as_far_as_it_goes(asking: House) -> None:
    buyer_says(asking, *poc(SIXTY))
    assert seller_says(asking, *poc("QD*90*90", "IA*90"), purpose="06") == "applied"
    assert said_of(asking) == ("10", "90")


def test_a_price_beside_the_quantity_says_nothing_of_the_request(asking: House) -> None:
    buyer_says(asking, *poc(SIXTY), *poc("PC*100"))
    assert seller_says(asking, *poc("QD*60*60", "IA*60"), *poc("PC*100*100", "IA*100")) == "applied"
    assert said_of(asking) == ("40", "60")


@pytest.mark.parametrize("said", [poc("DI*100*0", "IR*100"), poc("QD*60*60", "IR"), poc("QD*60*60", "IR*40")])
def test_rejected_where_a_request_waits_may_be_the_request_or_the_units(
    asking: House, said: tuple[str, ...]
) -> None:
    buyer_says(asking, *poc(WHOLE if "DI" in said[0] else SIXTY))
    assert seller_says(asking, *said, purpose="00") == "held"
    assert said_of(asking) == ("0", "100")


@pytest.mark.parametrize("said", [poc("PC*100*100", "IR"), poc("RS*100*100", "R5*100")])
def test_rejected_under_a_change_that_moves_no_units_may_be_that_change(
    telling: House, said: tuple[str, ...]
) -> None:
    assert seller_says(telling, *said, purpose="00") == "held"
    assert said_of(telling) == ("0", "100")


def test_rejected_under_an_increase_may_be_the_increase(telling: House) -> None:
    buyer_says(telling, *poc("QI*150"))
    assert seller_says(telling, *poc("QI*150*150", "IR"), purpose="00") == "held"
    assert said_of(telling) == ("0", "150")


def test_a_split_rejects_units(telling: House) -> None:
    assert seller_says(telling, *poc("PC*100*100", "IA*60", "IR*40"), purpose="00") == "applied"
    assert said_of(telling) == ("40", "60")


def test_deleted_is_what_was_asked_for(asking: House) -> None:
    buyer_says(asking, *poc(WHOLE))
    assert seller_says(asking, *poc("DI*100*0", "ID*100"), purpose="00") == "applied"
    assert said_of(asking) == ("100", "0")


def test_units_that_a_line_drops_are_not_kept_beside(telling: House) -> None:
    """Section 2.4: what is backordered stays open, so that the change says two things at once."""
    assert seller_says(telling, *poc("QD*60*60", "IA*60", "IB*40"), purpose="00") == "CONTRADICTORY"
    assert seller_says(telling, *poc("QD*60*60", "IA*40", "IB*20"), purpose="00") == "applied"
    assert said_of(telling) == ("40", "60")


def test_a_no_to_what_is_done_is_answered_and_changes_nothing(telling: House) -> None:
    buyer_says(telling, purpose="01")
    assert seller_says(telling, verdict="RJ") == "NOTHING_ASKED"
    assert said_of(telling) == ("100", "0")
    (advice,) = telling.answers("824")
    assert any("nothing waits for an answer" in segment for segment in advice)


def test_a_no_to_a_raise_is_answered_too(telling: House) -> None:
    buyer_says(telling, *poc("QI*150"))
    assert seller_says(telling, verdict="RJ") == "NOTHING_ASKED"
    assert said_of(telling) == ("0", "150")


def test_a_yes_to_what_is_done_is_no_news(telling: House) -> None:
    buyer_says(telling, *poc(SIXTY))
    assert seller_says(telling, *poc("QD*60*60", "IA*60")) == "applied"
    assert telling.answers("824") == []
    assert said_of(telling) == ("40", "60")


def test_an_answer_that_keeps_fewer_than_there_are_is_a_question(telling: House) -> None:
    assert seller_says(telling, *poc("QD*60*60", "IQ*60")) == "held"
    assert said_of(telling) == ("0", "100")


def test_an_answer_that_keeps_more_than_there_are_is_refused(telling: House) -> None:
    buyer_says(telling, *poc(SIXTY))
    assert seller_says(telling, *poc("QD*80*80", "IQ*80")) == "QUANTITIES_DO_NOT_FIT"
    assert said_of(telling) == ("40", "60")


def test_a_second_no_to_a_request_is_no_news(asking: House) -> None:
    buyer_says(asking, *poc(WHOLE))
    assert seller_says(asking, verdict="RJ") == "applied"
    assert seller_says(asking, verdict="RF") == "applied"
    assert asking.answers("824") == []
