"""Parties that are told by document: the 860, 865 or 855 that each kind of cancellation becomes."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.contents import text_of
from pipeline.entering import enter
from pipeline.lapsing import lapse_requests
from pipeline.partners import MailboxSettings
from pipeline.settings import load
from storage.commands import AnswerRequest, Consent, LineConsent, LineReference, Locator, Source
from storage.database import Database
from storage.outcomes import Outcome
from storage.states import Kind, Status
from tests.unit.pipeline.house import House
from tests.unit.pipeline.ledger_files import (
    ITEM,
    OTHER_ITEM,
    acknowledgment,
    cancellation,
    order,
    shipment,
    write_settings,
)

pytestmark = pytest.mark.usefixtures("both_systems")

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3vFZ0s2bq1y3T6mU0cQn0rY5xw7hJmB6d1kq3F5sVJ"


def hub(folder: Path, policy: str) -> House:
    """Every partner has a mailbox that is never looked into, and this policy."""
    mailboxes = {
        partner: MailboxSettings(
            host="127.0.0.1", username=partner, key_file=Path("key"), host_keys=(KEY,),
            pickup="/out", processed="/out/done", rejected="/out/bad", delivery="/in",
        )
        for partner in ("acme", "globex")
    }  # fmt: skip
    settings = load(write_settings(folder, policy=policy, mailboxes=mailboxes), {})
    return House(settings, Database(settings.database.url))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = hub(tmp_path, 'tell = "edi"')
    yield house
    told = [m for m in house.messages(Kind.ACKNOWLEDGMENT) if m.set_type in ("855", "860", "865")]
    assert {m.status for m in told} == {Status.NEW}
    assert not [said for _, said in house.mails() if said.startswith(("Cancelled:", "Cancelled in part:"))]


def change(*lines: str, number: str = "1") -> list[str]:
    """An 860 of these POC segments."""
    total = sum(int(line.split("*")[3] or 0) for line in lines)
    return [f"BCH*04*SA*PO-1**{number}*20260301*****20260302", *lines, f"CTT*{len(lines)}*{total}"]


def test_a_whole_cancellation_is_an_860_without_lines(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.buyer(cancellation("PO-1"))
    (told,) = house.answers("860")
    parties = ["N1*BY*Acme Stores*ZZ*ACME", "N1*SE*Globex Supply*ZZ*GLOBEX"]
    assert told[1:-1] == ["BCH*01*SA*PO-1**2*20260301*****20260301", *parties, "CTT*0*0"]


def test_a_cut_is_its_new_total_and_a_deleted_line_is_deleted(house: House) -> None:
    house.buyer(order("PO-1", 100, 10))
    lines = (f"POC*1*QD*60**EA*1**{ITEM}", f"POC*2*DI*10*0*EA*1**{OTHER_ITEM}")
    house.say("860", change(*lines), sender="acme", receiver="globex")
    (told,) = house.answers("860")
    assert told[1].startswith("BCH*04*SA*PO-1**2*20260301")
    assert told[4:6] == [f"POC*1*QD*60*60*EA***{ITEM}", f"POC*2*DI*10*0*EA***{OTHER_ITEM}"]


def test_what_is_left_of_a_shipped_line_is_a_cut_to_what_was_shipped(house: House) -> None:
    house.buyer(order("PO-1", 100, 10))
    house.seller("856", shipment("S-1", "PO-1", 30))
    line = f"POC*1*DI*100*0*EA*1**{ITEM}"
    house.say("860", change(line), sender="acme", receiver="globex")
    (told,) = house.answers("860")
    assert told[4] == f"POC*1*QD*30*0*EA***{ITEM}"


def test_what_the_seller_said_in_an_855_goes_on_in_an_855(house: House) -> None:
    house.buyer(order("PO-1", 100))
    acks = ("ACK*IA*60*EA", "ACK*IR*40*EA")
    assert house.seller("855", acknowledgment("PO-1", *acks)).cancelled == (("1", "40"),)
    (told,) = house.answers("855")
    assert told[1].startswith("BAK*00*AC*PO-1*20260301")
    assert told[4:7] == [f"PO1*1*100*EA***{ITEM}", "ACK*IA*60*EA", "ACK*IR*40*EA"]


def test_what_the_buyer_took_away_itself_is_not_called_rejected(house: House) -> None:
    house.buyer(order("PO-1", 100))
    house.say("860", change(f"POC*1*QD*60**EA*1**{ITEM}"), sender="acme", receiver="globex")
    house.seller("855", acknowledgment("PO-1", "ACK*IA*50*EA", "ACK*IR*10*EA"))
    (told,) = house.answers("855")
    assert told[4:7] == [f"PO1*1*60*EA***{ITEM}", "ACK*IA*50*EA", "ACK*IR*10*EA"]
    assert told[7] == "CTT*1*60"


CUT = ("860", f"BCH*04*SA*PO-1**1*20260301*****20260302|POC*1*QD*60**EA*1**{ITEM}|CTT*1*60")
SHIP = ("856", "|".join(shipment("S-1", "PO-1", 30)))


def declining(*acks: str, day: int = 2) -> tuple[str, str]:
    heading, line, *more = acknowledgment("PO-1", *acks)
    said = [f"{heading}*****202603{day:02}", line.replace("PO1*1*1*", "PO1*1*100*"), *more]
    return "855", "|".join(said)


HISTORIES = (
    [declining("ACK*IA*60*EA", "ACK*IR*40*EA")],
    [declining("ACK*IR*0*EA")],
    [CUT, declining("ACK*IA*50*EA", "ACK*IR*10*EA")],
    [CUT, declining("ACK*IR*60*EA")],
    [CUT, SHIP, declining("ACK*IA*45*EA", "ACK*IR*15*EA")],
    [declining("ACK*IQ*90*EA"), declining("ACK*IA*80*EA", "ACK*IR*20*EA", day=3)],
    [CUT, declining("ACK*IQ*55*EA"), declining("ACK*IA*40*EA", "ACK*IR*20*EA", day=3)],
    [declining("ACK*IA*80*EA", "ACK*IR*20*EA"), CUT, SHIP, declining("ACK*IR*0*EA", day=3)],
)
ASKING = (
    [CUT, declining("ACK*ID*40*EA")],
    [CUT, declining("ACK*IA*60*EA", "ACK*ID*40*EA")],
    [CUT, SHIP, declining("ACK*IA*80*EA", "ACK*IR*20*EA")],
    [declining("ACK*IA*95*EA", "ACK*IR*5*EA"), CUT, declining("ACK*ID*35*EA", day=3)],
)


@pytest.mark.parametrize(
    ("policy", "history"),
    [*(("", one) for one in HISTORIES), *(('buyer_cancel = "requested"', one) for one in ASKING)],
)
def test_an_855_that_tells_of_units_brings_a_reader_to_the_same_figures(
    tmp_path: Path, policy: str, history: list[tuple[str, str]]
) -> None:
    """Section 2.4: the last document is read by one ledger, and what is told of it by another."""
    folders = [tmp_path / name for name in ("ours", "theirs")]
    for folder in folders:
        folder.mkdir()
    ours, theirs = (hub(folder, f'tell = "edi"\n{policy}') for folder in folders)
    for house, documents in ((ours, history), (theirs, history[:-1])):
        house.buyer(order("PO-1", 100))
        for kind, text in documents:
            sender, receiver = ("acme", "globex") if kind == "860" else ("globex", "acme")
            said = house.say(kind, text.split("|"), sender=sender, receiver=receiver)
            assert said.outcome is Outcome.APPLIED
    told = ours.answers("855")[-1]
    body = [segment for segment in told[1:-1] if not segment.startswith("N1*")]
    assert theirs.seller("855", body).outcome is Outcome.APPLIED
    assert theirs.line("PO-1") == ours.line("PO-1")


def test_a_whole_rejection_goes_on_as_one(house: House) -> None:
    house.buyer(order("PO-1", 100))
    house.seller("855", acknowledgment("PO-1", verdict="RJ"))
    (told,) = house.answers("855")
    assert told[1].startswith("BAK*00*RJ*PO-1*20260301")
    assert not any(segment.startswith("PO1") for segment in told)


def test_what_the_seller_said_otherwise_is_an_865(house: House) -> None:
    house.buyer(order("PO-1", 100))
    said = ["BCA*04*AC*PO-1***20260301****20260303*20260303", f"POC*1*QD*60*60*EA***{ITEM}", "CTT*1*60"]
    assert house.seller("865", said).cancelled == (("1", "40"),)
    (told,) = house.answers("865")
    assert told[1].startswith("BCA*04*AC*PO-1**2*20260301")
    assert told[4:6] == [f"POC*1*QD*60*60*EA***{ITEM}", "ACK*IQ*60*EA"]


def test_a_request_is_the_same_860_and_its_refusal_an_865(tmp_path: Path) -> None:
    house = hub(tmp_path, 'tell = "edi"\nbuyer_cancel = "requested"')
    house.buyer(order("PO-1", 100))
    house.say("860", change(f"POC*1*QD*60**EA*1**{ITEM}"), sender="acme", receiver="globex")
    (asked,) = house.answers("860")
    assert asked[4] == f"POC*1*QD*60*60*EA***{ITEM}"
    refusal = ["BCA*11*RJ*PO-1***20260301****20260303*20260303", "CTT*0"]
    assert house.seller("865", refusal).outcome is Outcome.APPLIED
    (refused,) = house.answers("865")
    assert refused[1].startswith("BCA*11*RJ*PO-1**3*20260301")
    assert refused[4] == f"POC*1*RC*100*100*EA***{ITEM}"
    assert house.mails() == []


def test_a_request_that_lapsed_is_taken_back_by_an_860_and_refused_by_an_865(tmp_path: Path) -> None:
    house = hub(tmp_path, 'tell = "edi"\nbuyer_cancel = "requested"\nrequest_deadline_hours = 4')
    house.buyer(order("PO-1", 100))
    house.say("860", change(f"POC*1*QD*60**EA*1**{ITEM}"), sender="acme", receiver="globex")
    (lapsed,) = lapse_requests(house.settings, house.database, house.now + timedelta(hours=4))
    assert [(one.how, one.quantity) for one in lapsed.moved] == [("lapsed", "40")]
    _, taken_back = house.answers("860")
    assert taken_back[4] == f"POC*1*CA*100*100*EA***{ITEM}"
    (refused,) = house.answers("865")
    assert refused[1].startswith("BCA*11*RJ*PO-1**3*20260301")
    assert refused[4] == f"POC*1*RC*100*100*EA***{ITEM}"
    assert house.mails() == []


def test_an_answer_of_two_parts_names_one_new_quantity_in_both_documents(tmp_path: Path) -> None:
    house = hub(tmp_path, 'tell = "edi"\nbuyer_cancel = "requested"')
    house.buyer(order("PO-1", 100))
    house.say("860", change(f"POC*1*QD*60**EA*1**{ITEM}"), sender="acme", receiver="globex")
    line, where = LineReference(number="1"), Locator(buyer="acme", seller="globex", po_number="PO-1")
    parts = (
        LineConsent(line=line, consent=Consent.AGREED, quantity=Decimal(10)),
        LineConsent(line=line, consent=Consent.REFUSED, quantity=Decimal(30)),
    )
    answer = AnswerRequest(
        order=where, by="globex", at=house.now, source=Source(actor="staff"), consent=Consent.AGREED,
        lines=parts,
    )  # fmt: skip
    with house.database.writing() as tx:
        assert enter(tx, house.settings, answer, "answer").outcome is Outcome.APPLIED
    agreed, refused = house.answers("865")
    assert agreed[4:6] == [f"POC*1*QD*90*90*EA***{ITEM}", "ACK*IQ*90*EA"]
    assert refused[4:6] == [f"POC*1*RC*90*90*EA***{ITEM}", "ACK*IA*90*EA"]


def test_both_is_both(tmp_path: Path) -> None:
    house = hub(tmp_path, 'tell = "both"')
    house.buyer(order("PO-1", 5))
    house.buyer(cancellation("PO-1"))
    assert len(house.answers("860")) == 1
    assert house.mails() == [("desk@globex.example", "Cancelled: PO PO-1, 5 units - Acme Stores")]


def test_it_is_told_once_however_often_it_is_said(house: House) -> None:
    house.buyer(order("PO-1", 5))
    house.buyer(cancellation("PO-1"))
    house.buyer(cancellation("PO-1"))
    assert len(house.answers("860")) == 1


def test_it_is_told_in_the_release_the_reader_wants(tmp_path: Path) -> None:
    house = hub(tmp_path, 'tell = "edi"\nrelease = "005010"')
    house.buyer(order("PO-1", 5))
    house.buyer(cancellation("PO-1"))
    (message,) = [m for m in house.messages(Kind.ACKNOWLEDGMENT) if m.set_type == "860"]
    assert "GS*PC*HUB*GLOBEX*20260301*1200*" in text_of(message)
    assert text_of(message).split("~")[1].endswith("*X*005010")
