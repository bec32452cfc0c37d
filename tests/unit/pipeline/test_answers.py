"""What goes to partners by document (824, 865, 855, 860), held against our own guide; and their replies."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edi.envelope import read
from edi.guide import check
from edi.set_body import UnwritableError
from pipeline.answering import answers
from pipeline.contents import text_of
from pipeline.waiting import expire_waiting
from storage.invariants import audit
from storage.outcomes import Outcome
from storage.sequences import next_number
from storage.states import Kind
from tests.unit.edi.build import interchange
from tests.unit.pipeline.house import House, house_with
from tests.unit.pipeline.ledger_files import ITEM, acknowledgment, cancellation, file_of, order, shipment

pytestmark = pytest.mark.usefixtures("both_systems")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield from _audited(house_with(tmp_path, ""))


def _audited(house: House) -> Iterator[House]:
    yield house
    for message in house.messages(Kind.ACKNOWLEDGMENT):
        for answer in read(message.payload).interchanges:
            assert answer.findings == ()
            for group in answer.groups:
                assert group.findings == ()
                assert [check(one, group.release) for one in group.sets] == [()] * len(group.sets)
    with house.database.reading() as tx:
        assert audit(tx) == ()


def cut(po_number: str, quantity: int, number: str = "1") -> list[str]:
    """An 860 that wants so much of line 1."""
    change = f"POC*1*QD*{quantity}**EA*1**{ITEM}"
    return [f"BCH*04*SA*{po_number}**{number}*20260301*****20260302", change, f"CTT*1*{quantity}"]


def change_answer(po_number: str, kind: str, purpose: str = "11") -> list[str]:
    """An 865 without lines."""
    return [f"BCA*{purpose}*{kind}*{po_number}***20260301****20260303*20260303", "CTT*0"]


def test_a_refused_shipment_is_answered_by_an_824(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.buyer(cancellation("PO-1"))
    report = house.say("856", shipment("S-1", "PO-1", 5), sender="globex", receiver="acme", number=33)
    assert report.outcome is Outcome.REFUSED
    (advice,) = house.answers("824")
    assert advice[1].startswith("BGN*11*")
    assert advice[2] == "OTI*TR*SI*S-1*GLOBEX*ACME***33*0001*856"
    assert advice[3] == "REF*PO*PO-1"
    assert advice[4].startswith("TED*012*PO PO-1: the order is cancelled")


def test_a_release_that_has_a_better_code_gets_it(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.buyer(cancellation("PO-1"))
    content = file_of("856", shipment("S-1", "PO-1", 5), number=50, sender="globex", receiver="acme")
    house.drop(content.replace(b"004010", b"005010"))
    (advice,) = house.answers("824")
    assert any(segment.startswith("TED*141*") for segment in advice)


def test_a_cancellation_that_could_not_be_done_in_full_is_answered_tp(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.seller("856", shipment("S-1", "PO-1", 2))
    assert house.buyer(cancellation("PO-1")).cancelled == (("1", "3"),)
    (advice,) = house.answers("824")
    assert advice[2].startswith("OTI*TP*PO*PO-1*")
    assert advice[3].startswith("TED*008*Line 1: 2 of 5")


def test_what_is_applied_is_not_advised_on(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.buyer(cancellation("PO-1"))
    assert house.answers("824") == []


def test_a_partner_may_want_no_document(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, 'answer_refusal = "none"')):
        house.buyer(order("PO-1", 5))
        house.seller("856", shipment("S-1", "PO-1", 9))
        assert house.answers("824") == []
        assert "Refused: ship notice (856) for PO PO-1" in [subject for _, subject in house.mails()]


def test_a_buyer_may_want_an_865_for_what_was_refused(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, 'answer_refusal = "865"')):
        house.buyer(order("PO-1", 100))
        house.seller("856", shipment("S-1", "PO-1", 70))
        assert house.say("860", cut("PO-1", 60), sender="acme", receiver="globex").outcome is Outcome.REFUSED
        assert house.answers("824") == []
        (refusal,) = house.answers("865")
        assert refusal[1].startswith("BCA*11*RJ*PO-1**1*20260301")
        assert refusal[2].startswith("POC*1*RC*100*30*EA")
        assert refusal[3] == "ACK*IR"


def test_a_seller_gets_an_824_where_buyers_get_an_865(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, 'answer_refusal = "865"')):
        house.buyer(order("PO-1", 5))
        house.seller("856", shipment("S-1", "PO-1", 9))
        assert len(house.answers("824")) == 1


def test_an_order_that_is_refused_is_answered_by_an_855_where_an_865_is_wanted(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, 'answer_refusal = "865"')):
        house.buyer(order("PO-1", 0))
        (refusal,) = house.answers("855")
        assert refusal[1].startswith("BAK*00*RJ*PO-1*20260301")
        assert house.answers("824") == []


SPEAKING = ('answer_refusal = "865"', 'answer_order = "855"', 'answer_order = "855"\nanswer_refusal = "865"')


@pytest.mark.parametrize("policy", SPEAKING)
@pytest.mark.parametrize("shipped", [0, 60])
def test_an_order_that_stands_is_never_rejected_by_an_855(tmp_path: Path, policy: str, shipped: int) -> None:
    """By section 1.9 an RJ rejects all of the order, and what is refused is one document about it."""
    for house in _audited(house_with(tmp_path, policy)):
        house.buyer(order("PO-1", 100))
        if shipped:
            house.seller("856", shipment("S-1", "PO-1", shipped))
        answered = house.answers("855")
        assert house.buyer(order("PO-1", 120)).outcome is Outcome.REFUSED
        assert house.answers("855") == answered
        (advice,) = house.answers("824")
        assert advice[2].startswith("OTI*TR*PO*PO-1*ACME*GLOBEX*")
        assert advice[3].startswith("TED*006*PO PO-1: an order with this number and other content exists")


@pytest.mark.parametrize("policy", SPEAKING)
def test_an_order_that_was_cancelled_is_neither_accepted_nor_rejected_by_an_855(
    tmp_path: Path, policy: str
) -> None:
    for house in _audited(house_with(tmp_path, policy)):
        house.buyer(order("PO-1", 100))
        house.buyer(cancellation("PO-1"))
        answered = house.answers("855")
        assert house.buyer(order("PO-1", 100, purpose="07")).outcome is Outcome.DUPLICATE
        assert house.buyer(order("PO-1", 100)).outcome is Outcome.REFUSED
        assert house.answers("855") == answered
        (advice,) = house.answers("824")
        assert advice[3].startswith("TED*012*PO PO-1: the order is cancelled")


def test_a_copy_is_accepted_only_while_the_order_stands_as_it_says(tmp_path: Path) -> None:
    """An AK accepts what the copy orders, which must be what is still ordered (section 1.9)."""
    for house in _audited(house_with(tmp_path, 'answer_order = "855"')):
        house.buyer(order("PO-1", 100))
        assert house.buyer(order("PO-1", 100)).outcome is Outcome.DUPLICATE
        assert [one[1].split("*")[2] for one in house.answers("855")] == ["AK", "AK"]
        house.buyer(order("PO-1", 120, purpose="07"))
        house.say("860", cut("PO-1", 60), sender="acme", receiver="globex")
        house.buyer(order("PO-1", 100))
        assert len(house.answers("855")) == 2
        assert house.answers("824") == []


def test_what_of_a_cancellation_only_the_seller_can_answer_is_said_by_824(tmp_path: Path) -> None:
    """Row 2, as a request: the 865 is the seller's, and what had left is ours to say."""
    for house in _audited(house_with(tmp_path, 'answer_refusal = "865"\nbuyer_cancel = "requested"')):
        house.buyer(order("PO-1", 100))
        house.seller("856", shipment("S-1", "PO-1", 40))
        house.buyer(cancellation("PO-1"))
        assert house.answers("865") == []
        (advice,) = house.answers("824")
        assert advice[2].startswith("OTI*TP*PO*PO-1*")


def test_the_hub_speaks_for_the_seller_where_that_is_agreed(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, 'answer_change = "865"\nanswer_order = "855"')):
        house.buyer(order("PO-1", 100))
        house.say("860", cut("PO-1", 60), sender="acme", receiver="globex")
        house.buyer(cancellation("PO-1"))
        (placed,) = house.answers("855")
        assert placed[1].startswith("BAK*00*AK*PO-1*20260301")
        cut_down, cancelled = house.answers("865")
        assert cut_down[1].startswith("BCA*11*AC*PO-1**1*")
        assert cut_down[2].startswith(f"POC*1*QD*60*60*EA***{ITEM}")
        assert cut_down[3] == "ACK*IQ*60*EA"
        assert cancelled[2].startswith("POC*1*DI*100*0*EA")
        assert cancelled[3] == "ACK*ID*60*EA"


def test_parties_who_are_told_by_document_get_no_mail(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, 'tell = "edi"')):
        house.buyer(order("PO-1", 5))
        house.buyer(cancellation("PO-1"))
        # nobody here has a mailbox, so what cannot be left there is mailed after all
        assert house.answers("860") == []
        assert [to for to, _ in house.mails()] == ["desk@globex.example"]


def test_the_number_of_a_document_that_cannot_be_written_is_given_out_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwritable(*_: object) -> bytes:
        raise UnwritableError("its release has no word for it")

    monkeypatch.setattr(answers, "_write", unwritable)
    partner: Any = SimpleNamespace(id="acme", mailbox="there")
    nothing: Any = None
    with house.database.writing() as tx:
        assert not answers.announce(tx, partner, nothing, nothing, 1, 1, datetime(2026, 3, 4, tzinfo=UTC))
        assert next_number(tx, "interchange:acme") == 1
        tx.rollback()


def test_a_document_that_waited_in_vain_is_answered_by_an_824(house: House) -> None:
    house.seller("856", shipment("S-1", "PO-9", 5))
    assert len(expire_waiting(house.settings, house.database, house.now + timedelta(hours=25))) == 1
    (advice,) = house.answers("824")
    assert advice[4].startswith("TED*POI*There is no PO PO-9")


def test_a_question_nobody_answered_in_time_is_answered_no(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, "hold_hours = 8")):
        house.buyer(order("PO-1", 10))
        assert house.seller("855", acknowledgment("PO-1", "ACK*IR*3*EA")).outcome is Outcome.HELD
        assert expire_waiting(house.settings, house.database, house.now + timedelta(hours=7)) == ()
        assert len(expire_waiting(house.settings, house.database, house.now + timedelta(hours=9))) == 1
        assert house.line("PO-1") == ("10", "0", "0", "10")
        (advice,) = house.answers("824")
        assert advice[2].startswith("OTI*TR*PO*PO-1*")


def _reply(house: House, body: list[str], kind: str = "997") -> Outcome:
    return house.say(kind, body, sender="globex", receiver="HUB").outcome


def test_a_997_is_matched_to_what_we_sent(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.seller("856", shipment("S-1", "PO-1", 9))  # the 824 is our group 1 to globex, the 997 our group 2
    assert _reply(house, ["AK1*AG*1", "AK2*824*0001", "AK5*A", "AK9*A*1*1*1"]) is Outcome.APPLIED
    (sent,) = [m for m in house.messages(Kind.ACKNOWLEDGMENT) if m.set_type == "824"]
    assert sent.verdict == "accepted"
    assert len(house.answers("997")) == 2  # none for the 997


def test_an_824_of_ours_that_was_rejected_is_support_s_to_look_at(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.seller("856", shipment("S-1", "PO-1", 9))
    faults = ["AK3*TED*5**8", "AK4*1*647*7*008"]
    assert _reply(house, ["AK1*AG*1", "AK2*824*0001", *faults, "AK5*R*5", "AK9*R*1*1*0"]) is Outcome.APPLIED
    (sent,) = [m for m in house.messages(Kind.ACKNOWLEDGMENT) if m.set_type == "824"]
    assert sent.verdict == "rejected"
    assert ("support@hub.example", "Not taken: 1 document of ours, by Globex Supply") in house.mails()


def test_a_ta1_says_what_became_of_an_interchange_of_ours(house: House) -> None:
    house.buyer(order("PO-1", 5))
    ta1 = "TA1*000000001*260301*1200*R*006"
    said = interchange([ta1], control_number="000000900", sender="ACME", receiver="HUB")
    house.drop(said.replace(b"IEA*1*", b"IEA*0*"))
    (sent,) = house.messages(Kind.ACKNOWLEDGMENT)
    assert (sent.set_type, sent.verdict, sent.verdict_note) == ("997", "rejected", "006 sender unknown")
    assert ("support@hub.example", "Not taken: 1 document of ours, by Acme Stores") in house.mails()
    (mail,) = (" ".join(text_of(m).split()) for m in house.messages(Kind.EMAIL))
    assert "rejected (R): 006 sender unknown." in mail
    assert "did not reach Acme Stores's system" in mail


def test_a_997_for_nothing_of_ours_has_no_effect(house: House) -> None:
    assert _reply(house, ["AK1*AG*77", "AK9*A*1*1*1"]) is Outcome.IGNORED


def test_an_824_about_an_865_of_ours_is_kept_with_it(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, 'answer_change = "865"')):
        house.buyer(order("PO-1", 100))
        house.say("860", cut("PO-1", 60), sender="acme", receiver="globex")
        (ours,) = [m for m in house.messages(Kind.ACKNOWLEDGMENT) if m.set_type == "865"]
        place = f"OTI*TR*PO*PO-1*HUB*ACME***{ours.group_control_number}*0001*865"
        advice = ["BGN*11*77*20260304", place, "TED*ZZZ*We do not know this order"]
        assert house.say("824", advice, sender="acme", receiver="HUB").outcome is Outcome.APPLIED
        (ours,) = [m for m in house.messages(Kind.ACKNOWLEDGMENT) if m.set_type == "865"]
        assert (ours.verdict, "We do not know this order" in ours.verdict_note) == ("rejected", True)
        mails = [" ".join(text_of(m).split()) for m in house.messages(Kind.EMAIL)]
        (mail,) = [mail for mail in mails if "We do not know this order" in mail]
        assert "Acme Stores answered that it read a document we left in its mailbox, and refuses it" in mail
        assert "did not reach" not in mail


def test_a_request_is_asked_answered_and_told(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, 'buyer_cancel = "requested"')):
        house.buyer(order("PO-1", 100))
        asked = house.say("860", cut("PO-1", 60), sender="acme", receiver="globex")
        assert (asked.outcome, asked.cancelled) == (Outcome.APPLIED, ())
        assert house.line("PO-1") == ("100", "0", "0", "100")
        assert house.seller("865", change_answer("PO-1", "RJ")).outcome is Outcome.APPLIED
        house.say("860", cut("PO-1", 50, "2"), sender="acme", receiver="globex")
        assert house.seller("865", change_answer("PO-1", "AT")).cancelled == (("1", "50"),)
        subjects = [(to.partition("@")[2], subject.partition(":")[0]) for to, subject in house.mails()]
        assert sorted(subjects) == sorted(
            [
                ("globex.example", "Cancellation requested"),
                ("acme.example", "Request refused"),
                ("globex.example", "Cancellation requested"),
                ("acme.example", "Cancelled in part"),
            ]
        )


def test_a_number_may_come_again_after_the_agreed_time(tmp_path: Path) -> None:
    for house in _audited(house_with(tmp_path, "isa13_reset_days = 30")):
        first = file_of("850", order("PO-1", 5), number=7, sender="acme", receiver="globex")
        other = file_of("850", order("PO-2", 5), number=7, sender="acme", receiver="globex")
        house.drop(first)
        assert house.drop(other).is_unusable
        house.now += timedelta(days=31)
        assert house.drop(other).interchanges[0].sets[0].outcome is Outcome.APPLIED
        assert house.drop(first).interchanges[0].sets[0].outcome is Outcome.DUPLICATE


def test_a_short_isa_is_read_only_where_that_is_agreed(tmp_path: Path) -> None:
    short = file_of("850", order("PO-1", 5), number=7, sender="acme", receiver="globex").replace(
        b"ACME           ", b"ACME"
    )
    for house in _audited(house_with(tmp_path, "")):
        assert house.drop(short, partner="acme").is_unusable
    (tmp_path / "agreed").mkdir()
    for house in _audited(house_with(tmp_path / "agreed", 'short_isa = "read"')):
        report = house.drop(short, partner="acme").interchanges[0]
        assert report.sets[0].outcome is Outcome.APPLIED
        assert any(finding.level == "warning" for finding in report.findings)
