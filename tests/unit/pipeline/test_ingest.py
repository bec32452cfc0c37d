"""The straight line without a network: files in, ledger, answers and e-mails out."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.sets import decide_again
from pipeline.settings import load
from pipeline.waiting import expire_waiting
from storage import held, order_lists, parked, queries
from storage.database import Database
from storage.invariants import audit
from storage.outcomes import Outcome
from storage.states import Fate, Kind
from tests.unit.edi.build import group, interchange, transaction_set
from tests.unit.pipeline.house import House
from tests.unit.pipeline.ledger_files import (
    ITEM,
    acknowledgment,
    cancellation,
    file_of,
    order,
    shipment,
    write_settings,
)

pytestmark = pytest.mark.usefixtures("both_systems")


@pytest.fixture
def house(tmp_path: Path) -> House:
    settings = load(write_settings(tmp_path), {})
    return House(settings, Database(settings.database.url))


@pytest.fixture(autouse=True)
def _audited(house: House) -> object:
    yield
    with house.database.reading() as tx:
        assert audit(tx) == ()


def test_a_buyers_whole_cancellation_tells_the_seller_once(house: House) -> None:
    assert house.buyer(order("PO-1", 100)).placed == (("1", "100"),)
    report = house.buyer(cancellation("PO-1"))
    assert (report.outcome, report.cancelled) == (Outcome.APPLIED, (("1", "100"),))
    assert house.line("PO-1") == ("100", "0", "100", "0")
    assert [to for to, _ in house.mails()] == ["desk@globex.example"]
    assert house.buyer(cancellation("PO-1")).outcome is Outcome.DUPLICATE
    assert len(house.mails()) == 1


def test_the_open_rest_of_a_part_shipped_order_is_cancelled_and_both_are_told(house: House) -> None:
    house.buyer(order("PO-1", 100))
    house.seller("856", shipment("S-1", "PO-1", 40))
    report = house.buyer(cancellation("PO-1"))
    assert (report.outcome, report.cancelled) == (Outcome.APPLIED, (("1", "60"),))
    assert house.line("PO-1") == ("100", "40", "60", "0")
    assert {to for to, _ in house.mails()} == {"desk@globex.example", "desk@acme.example"}


def test_a_seller_declines_part_and_the_buyer_is_told(house: House) -> None:
    house.buyer(order("PO-1", 90))
    report = house.seller("855", acknowledgment("PO-1", "ACK*IA*88*EA", "ACK*IB*1*EA", "ACK*IR*1*EA"))
    assert report.cancelled == (("1", "1"),)
    assert [to for to, _ in house.mails()] == ["desk@acme.example"]


def test_a_whole_rejection_without_lines(house: House) -> None:
    house.buyer(order("PO-1", 90))
    assert house.seller("855", acknowledgment("PO-1", verdict="RJ")).outcome is Outcome.APPLIED
    assert house.line("PO-1") == ("90", "0", "90", "0")


def test_goods_for_a_cancelled_order_are_refused_and_their_sender_is_told(house: House) -> None:
    house.buyer(order("PO-1", 100))
    house.buyer(cancellation("PO-1"))
    report = house.seller("856", shipment("S-1", "PO-1", 40))
    assert report.outcome is Outcome.REFUSED
    assert [refusal.refusal.name for refusal in report.refusals] == ["ORDER_CANCELLED"]
    assert house.line("PO-1") == ("100", "0", "100", "0")
    assert {to for to, _ in house.mails()[1:]} == {"desk@globex.example", "support@hub.example"}


def test_what_is_ambiguous_is_held_until_a_person_answers(house: House) -> None:
    house.buyer(order("PO-1", 10))
    report = house.seller("855", acknowledgment("PO-1", "ACK*IR*3*EA"))
    assert report.outcome is Outcome.HELD
    assert "3 rejected or 3 accepted?" in report.question
    assert house.line("PO-1") == ("10", "0", "0", "10")
    with house.database.reading() as tx:
        (question,) = held.list_held(tx)
    assert [choice.name for choice in question.choices] == ["cancel", "cancel-rest", "ignore"]
    assert [to for to, _ in house.mails()] == ["support@hub.example"]


def test_a_cancellation_that_runs_ahead_of_its_order_wins(house: House) -> None:
    assert house.buyer(cancellation("PO-1")).outcome is Outcome.PARKED
    content = file_of("850", order("PO-1", 100), number=77, sender="acme", receiver="globex")
    report = house.drop(content)
    assert [released.cancelled for released in report.released] == [(("1", "100"),)]
    assert house.line("PO-1") == ("100", "0", "100", "0")
    assert [to for to, _ in house.mails()] == ["desk@globex.example"]


def test_what_waits_in_vain_is_refused_and_its_sender_told(house: House) -> None:
    assert house.seller("856", shipment("S-1", "PO-9", 4)).outcome is Outcome.PARKED
    assert expire_waiting(house.settings, house.database, house.now + timedelta(hours=23)) == ()
    (late,) = expire_waiting(house.settings, house.database, house.now + timedelta(hours=25))
    assert late.outcome is Outcome.REFUSED
    with house.database.reading() as tx:
        assert parked.list_parked(tx) == ()
    assert "desk@globex.example" in [to for to, _ in house.mails()]


def test_the_same_interchange_again_changes_nothing(house: House) -> None:
    content = file_of("850", order("PO-1", 5), order("PO-2", 5), number=5, sender="acme", receiver="globex")
    assert house.drop(content).outcome is Outcome.APPLIED
    again = house.drop(content, name="again.edi")
    assert again.interchanges[0].outcome is Fate.DUPLICATE
    with house.database.reading() as tx:
        assert len(order_lists.list_orders(tx)) == 2


def test_the_same_control_number_for_other_content_is_kept_apart(house: House) -> None:
    house.drop(file_of("850", order("PO-1", 5), number=5, sender="acme", receiver="globex"))
    other = house.drop(file_of("850", order("PO-2", 5), number=5, sender="acme", receiver="globex"))
    assert other.interchanges[0].outcome is Fate.CONFLICT
    with house.database.reading() as tx:
        assert queries.find_orders(tx, "PO-2") == ()
    assert b"TA1*000000005*260301*1200*R*025~" in house.messages(Kind.ACKNOWLEDGMENT)[-1].payload


def test_a_failed_attempt_does_not_use_up_its_control_number(house: House) -> None:
    wrong = file_of("850", order("PO-1", 5, purpose="Z9"), number=5, sender="acme", receiver="globex")
    assert house.drop(wrong).outcome is Outcome.FAULTY
    right = file_of("850", order("PO-1", 5), number=5, sender="acme", receiver="globex")
    assert house.drop(right).outcome is Outcome.APPLIED


def test_one_bad_set_does_not_stop_its_neighbours(house: House) -> None:
    documents = (order("PO-1", 5), order("PO-2", 5, purpose="Z9"), order("PO-3", 5))
    report = house.drop(file_of("850", *documents, number=5, sender="acme", receiver="globex"))
    outcomes = [s.outcome for s in report.interchanges[0].sets]
    assert outcomes == [Outcome.APPLIED, Outcome.FAULTY, Outcome.APPLIED]
    answer = house.messages(Kind.ACKNOWLEDGMENT)[0].payload
    assert b"AK5*R*5~" in answer
    assert b"AK9*P*3*3*2~" in answer


@pytest.mark.parametrize(
    ("sender", "receiver", "mailbox", "code"),
    [
        ("STRANGER", "globex", "", "sender_unknown"),
        ("acme", "globex", "bolt", "sender_foreign"),
    ],
)
def test_an_interchange_of_the_wrong_parties_is_kept_apart_unanswered(
    house: House, sender: str, receiver: str, mailbox: str, code: str
) -> None:
    content = file_of("850", order("PO-1", 5), number=5, sender=sender, receiver=receiver)
    report = house.drop(content, partner=mailbox)
    assert report.interchanges[0].outcome is Fate.QUARANTINED
    assert [finding.code for finding in report.interchanges[0].findings] == [code]
    assert house.messages(Kind.ACKNOWLEDGMENT) == []
    assert [to for to, _ in house.mails()] == ["support@hub.example"]


def test_who_writes_to_nobody_we_know_is_told_so(house: House) -> None:
    report = house.drop(file_of("850", order("PO-1", 5), number=5, sender="acme", receiver="NOBODY"))
    assert report.interchanges[0].outcome is Fate.QUARANTINED
    (answer,) = house.messages(Kind.ACKNOWLEDGMENT)
    assert b"TA1*000000005*260301*1200*R*009~" in answer.payload
    assert [to for to, _ in house.mails()] == ["support@hub.example"]


def test_test_data_is_checked_and_answered_but_never_applied(house: House) -> None:
    content = file_of("850", order("PO-1", 5), number=5, sender="acme", receiver="globex", usage="T")
    report = house.drop(content)
    assert report.interchanges[0].sets[0].outcome is Outcome.IGNORED
    with house.database.reading() as tx:
        assert queries.find_orders(tx, "PO-1") == ()
    assert len(house.messages(Kind.ACKNOWLEDGMENT)) == 1


def test_a_truncated_interchange_is_answered_by_a_ta1_and_not_used(house: House) -> None:
    content = file_of("850", order("PO-1", 5), number=5, sender="acme", receiver="globex")
    report = house.drop(content[: content.index(b"IEA")])
    assert report.interchanges[0].outcome is Fate.FAULTY
    assert b"*R*023~" in house.messages(Kind.ACKNOWLEDGMENT)[0].payload
    with house.database.reading() as tx:
        assert queries.find_orders(tx, "PO-1") == ()


def test_a_file_without_an_interchange_reaches_support(house: House) -> None:
    report = house.drop(b"Dear hub, please cancel PO-1.")
    assert report.outcome is Outcome.FAULTY
    assert [to for to, _ in house.mails()] == ["support@hub.example"]


def test_a_ship_notice_from_the_buyer_is_refused(house: House) -> None:
    house.buyer(order("PO-1", 5))
    report = house.say("856", shipment("S-1", "PO-1", 5), sender="acme", receiver="globex")
    assert [refusal.refusal.name for refusal in report.refusals] == ["WRONG_PARTY"]


def test_orders_of_two_buyers_with_one_number_never_mix(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.say("850", order("PO-1", 7), sender="bolt", receiver="globex")
    house.say("850", cancellation("PO-1"), sender="bolt", receiver="globex")
    with house.database.reading() as tx:
        found = {o.key.buyer: o.status.value for o in queries.find_orders(tx, "PO-1")}
    assert found == {"acme": "open", "bolt": "cancelled"}


def test_several_orders_in_one_shipment_are_all_or_nothing(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.buyer(order("PO-2", 5))
    document = [*shipment("S-1", "PO-1", 5)[:-1], "HL*4*1*O", "PRF*PO-2", "HL*5*4*I"]
    document += ["LIN*1*UP*012345678905", "SN1**9*EA", "CTT*5"]
    assert house.seller("856", document).outcome is Outcome.REFUSED
    assert house.line("PO-1") == ("5", "0", "0", "5")


def test_every_group_is_answered_by_its_own_997(house: House) -> None:
    sets = [transaction_set("850", *order(f"PO-{n}", 5)) for n in (1, 2)]
    groups = [
        group("PO", one, control_number=str(n), sender="ACME", receiver="GLOBEX")
        for n, one in enumerate(sets, start=1)
    ]
    house.drop(interchange(*groups, sender="ACME", receiver="GLOBEX"))
    answers = [m.payload for m in house.messages(Kind.ACKNOWLEDGMENT)]
    assert [b"AK1*PO*1~" in answers[0], b"AK1*PO*2~" in answers[1]] == [True, True]


def test_an_order_that_names_no_seller_waits_for_a_person(house: House) -> None:
    report = house.say("850", order("PO-1", 5), sender="acme", receiver="HUB")
    assert report.outcome is Outcome.HELD
    assert "names no seller" in report.question


def test_a_refused_document_sent_again_is_refused_again_and_told_once(house: House) -> None:
    house.buyer(order("PO-1", 5))
    content = file_of("856", shipment("S-1", "PO-1", 9), number=50, sender="globex", receiver="acme")
    assert house.drop(content).outcome is Outcome.REFUSED
    told = house.mails()
    assert house.drop(content, name="again.edi").outcome is Outcome.REFUSED
    assert house.mails() == told


@pytest.mark.parametrize("rest", [[], ["CTT*0"]])
def test_a_whole_cancellation_needs_no_lines(house: House, rest: list[str]) -> None:
    house.buyer(order("PO-1", 5))
    assert house.buyer(["BEG*01*SA*PO-1**20260302", *rest]).cancelled == (("1", "5"),)


def test_an_order_without_lines_is_refused_by_the_ledger(house: House) -> None:
    report = house.buyer(["BEG*00*SA*PO-1**20260302"])
    assert [refusal.refusal.name for refusal in report.refusals] == ["EMPTY_ORDER"]


def test_what_waited_for_its_order_and_is_ambiguous_then_waits_for_a_person_only(house: House) -> None:
    assert house.seller("855", acknowledgment("PO-1", "ACK*IR*3*EA")).outcome is Outcome.PARKED
    content = file_of("850", order("PO-1", 10), number=77, sender="acme", receiver="globex")
    assert [released.outcome for released in house.drop(content).released] == [Outcome.HELD]
    with house.database.reading() as tx:
        assert parked.list_parked(tx) == ()
        assert len(held.list_held(tx)) == 1


def test_releases_of_one_number_are_orders_of_their_own_and_never_mix(house: House) -> None:
    def release(number: str, quantity: int) -> list[str]:
        return [f"BEG*00*RL*PO-1*{number}*20260301", f"PO1*1*{quantity}*EA*1**{ITEM}", "CTT*1"]

    def cut(number: str, to: int) -> list[str]:
        line = f"POC*1*QD*{to}**EA*1**{ITEM}"
        return [f"BCH*04*RL*PO-1*{number}*1*20260301*****20260302", line, f"CTT*1*{to}"]

    house.buyer(order("PO-1", 100))
    house.buyer(release("7", 10))
    assert house.say("860", cut("7", 4), sender="acme", receiver="globex").cancelled == (("1", "6"),)
    assert house.say("860", cut("8", 4), sender="acme", receiver="globex").outcome is Outcome.PARKED
    assert house.say("850", order("PO-1", 3), sender="bolt", receiver="globex").outcome is Outcome.APPLIED
    with house.database.reading() as tx:
        found = queries.find_orders(tx, "PO-1", buyer="acme")
    assert sorted((one.key.release, one.status.value) for one in found) == [("", "open"), ("7", "open")]
    (released,) = house.drop(
        file_of("850", release("8", 9), number=99, sender="acme", receiver="globex")
    ).released
    assert released.cancelled == (("1", "5"),)


def test_a_person_says_which_release_a_document_means(house: House) -> None:
    """Both are of one partner; the answer settles it (section 6)."""
    for number in ("0001", "0002"):
        house.buyer([f"BEG*00*RL*PO-1*{number}*20260301", f"PO1*1*40*EA*1**{ITEM}", "CTT*1"])
    assert house.seller("855", acknowledgment("PO-1", verdict="RJ")).outcome is Outcome.HELD
    with house.database.reading() as tx:
        (question,) = held.list_held(tx)
    assert [choice.name for choice in question.choices] == ["for-acme:0001", "for-acme:0002", "ignore"]
    with house.database.writing() as tx:
        answered = held.answer(tx, question.id, choice="for-acme:0002", by="eva", at=house.now)
        assert answered.set_id is not None
        report = decide_again(tx, house.settings, answered.set_id, house.now, actor="eva")
    assert (report.outcome, report.cancelled) == (Outcome.APPLIED, (("1", "40"),))
    with house.database.reading() as tx:
        found = queries.find_orders(tx, "PO-1")
    assert sorted((one.key.release, one.status.value) for one in found) == [
        ("0001", "open"),
        ("0002", "cancelled"),
    ]
