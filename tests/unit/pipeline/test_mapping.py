"""Whose order a document means, whose policy counts, and by what a document is known when it comes again."""

from datetime import timedelta
from typing import Any

import pytest

from edi.codes import CHANGE_CLASS, REPORT_CLASS, STATUS_CLASS, AcknowledgmentType, OrderType, Purpose
from edi.documents import Document
from pipeline.mapping import Origin, order_number, to_submission
from pipeline.mapping.status_report import WORDS
from pipeline.policy import Policy
from storage.commands import (
    NO_REASON,
    BuyerCancel,
    CancelOrder,
    ChangeOrder,
    Command,
    DocumentKey,
    Locator,
    Object,
    PartShipped,
    Submission,
)
from storage.outcomes import Given
from tests.unit.pipeline.mapping_texts import AT, document, origin
from tests.unit.pipeline.mapping_words import in_words

ORDER = "BEG*{}*SA*PO-1**20260301 / PO1*1*5*EA"
LAST = "REF*DP*42 / N1*SE*INITECH*92*INITECH / PO1*1*5*EA"


def submission(kind: str, text: str, **options: Any) -> Submission:
    found = to_submission(document(kind, text), origin(kind, **options))
    assert isinstance(found, Submission)
    return found


def command(kind: str, text: str, **options: Any) -> Command:
    (found,) = submission(kind, text, **options).commands
    return found


def key(kind: str, text: str) -> DocumentKey:
    found = submission(kind, text).document
    assert found is not None
    return found


def test_every_command_says_who_when_and_which_document() -> None:
    found = command("860", "BCH*01*SA*PO-1", resolution="other")
    assert (found.by, found.at, found.source.type, found.answers) == (
        "acme",
        AT,
        "860",
        (Given(choice="other"),),
    )
    assert found.reason == NO_REASON  # a purpose says what, not why


def test_the_receiver_is_the_other_party() -> None:
    assert command("850", ORDER.format("00")).order == Locator(
        buyer="acme", seller="globex", po_number="PO-1"
    )
    expected = Locator(buyer="acme", seller="globex", po_number="PO-1", release="R2")
    assert command("860", "BCH*01*SA*PO-1*R2").order == expected
    assert command("865", "BCA*01**PO-1*R2").order == expected


def test_to_the_hub_the_party_named_is_the_other_one() -> None:
    text = f"BEG*00*SA*PO-1**20260301 / {LAST}"
    assert command("850", text, to_hub=True).order.seller == "initech"


def test_an_order_that_names_no_seller_goes_to_the_usual_one_or_is_held() -> None:
    where: dict[str, Any] = {"to_hub": True}
    assert in_words(submission("850", ORDER.format("00"), **where)) == "held (retry)"
    where["default_counterparty"] = "initech"
    assert command("850", ORDER.format("00"), **where).order.seller == "initech"


@pytest.mark.parametrize(("kind", "text"), [("850", ORDER.format("01")), ("850", ORDER.format("05"))])
def test_what_follows_an_order_finds_it_by_buyer_and_number(kind: str, text: str) -> None:
    found = command(kind, text, to_hub=True, default_counterparty="initech")
    assert found.order == Locator(buyer="acme", seller="", po_number="PO-1")


def test_a_release_is_an_order_of_its_own_only_where_the_order_type_says_so() -> None:
    plain, release = (f"BEG*00*{kind}*PO-1*7*20260301 / PO1*1*5*EA" for kind in ("SA", "RL"))
    assert (command("850", plain).order.release, command("850", release).order.release) == ("", "7")


def test_a_change_carries_its_number_and_when_it_was_issued() -> None:
    for kind, text in (
        ("850", "BEG*05*SA*PO-1*3*20260301 / PO1*1*5*EA"),
        ("860", "BCH*04*SA*PO-1**3 / POC*1*DI"),
        ("865", "BCA*04**PO-1**3 / POC*1*DI"),
    ):
        found = command(kind, text)
        assert isinstance(found, ChangeOrder)
        assert (found.sequence, found.issued_at, found.content_hash) == ("3", AT, "hash")


@pytest.mark.parametrize(
    ("kind", "text"),
    [("865", "BCA*01**PO-1"), ("865", "BCA*04**PO-1 / POC**CF"), ("870", "PRF*PO-1 / ISR*DE")],
)
def test_what_a_sellers_cancellation_does_to_a_part_shipped_order_is_the_buyers_policy(
    kind: str, text: str
) -> None:
    strict = Policy(cancel_part_shipped=PartShipped.REFUSE, buyer_cancel=BuyerCancel.REQUESTED)
    of_buyer, of_seller = command(kind, text, other=strict), command(kind, text, policy=strict)
    assert isinstance(of_buyer, CancelOrder)
    assert isinstance(of_seller, CancelOrder)
    assert of_buyer.part_shipped is PartShipped.REFUSE
    assert of_seller.part_shipped is PartShipped.REST
    assert of_buyer.effect is of_seller.effect is BuyerCancel.EFFECTIVE  # a seller's own is no request


SAID = {
    "850": ORDER.format("01"),
    "855": "BAK*00*RJ*PO-1*20260301",
    "856": "BSN*00*S-1*20260301*1200 / HL*1**O / PRF*PO-1 / HL*2*1*I / LIN*1 / SN1**5*EA",
    "860": "BCH*01*SA*PO-1",
    "865": "BCA*01**PO-1",
    "870": "PRF*PO-1 / ISR*DE",
}


@pytest.mark.parametrize("kind", SAID)
def test_a_document_of_the_other_side_is_refused_whatever_it_says(kind: str) -> None:
    wrong_side = origin("855" if kind in ("850", "860") else "850")
    found = to_submission(document(kind, SAID[kind]), wrong_side)
    assert in_words(found) == "refused wrong_party"
    assert isinstance(found, Submission)
    assert isinstance(found.commands[0], Object)
    parties = (found.commands[0].order.buyer, found.commands[0].order.seller)
    assert parties.count("") == 1  # an order is looked for by at least one party


@pytest.mark.parametrize("kind", SAID)
def test_a_document_is_reported_under_its_order_number(kind: str) -> None:
    assert order_number(document(kind, SAID[kind])) == "PO-1"


def test_a_shipment_without_an_order_has_no_number() -> None:
    assert order_number(document("856", "BSN*01*S-1*20260301*1200 / HL*1**S")) == ""


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("850", ORDER.format("01"), "BEG*01*SA*PO-2**20260301 / PO1*1*5*EA"),
        ("850", ORDER.format("01"), "BEG*01*SA*PO-1*2*20260301 / PO1*1*5*EA"),
        ("855", SAID["855"], "BAK*00*RJ*PO-1*20260301****SO-7"),
        ("855", SAID["855"], "BAK*00*RJ*PO-1*20260301*****20260302"),
        ("856", SAID["856"], SAID["856"].replace("S-1", "S-2")),
        ("860", "BCH*04*SA*PO-1**1 / POC*1*DI", "BCH*04*SA*PO-1**2 / POC*1*DI"),
        ("860", "BCH*04*SA*PO-1*R1*1 / POC*1*DI", "BCH*04*SA*PO-1*R2*1 / POC*1*DI"),
        ("865", "BCA*04**PO-1**1 / POC*1*DI", "BCA*04**PO-1**2 / POC*1*DI"),
    ],
)
def test_documents_with_other_names_are_others(kind: str, one: str, other: str) -> None:
    assert key(kind, one) != key(kind, other)
    assert key(kind, one).partner == ("acme" if kind in ("850", "860") else "globex")


def test_a_change_without_a_number_is_named_by_its_content() -> None:
    unnumbered, numbered = "BCH*04*SA*PO-1 / POC*1*DI", "BCH*04*SA*PO-1**7 / POC*1*DI"
    assert (key("860", unnumbered).key.endswith("|hash"), key("860", numbered).key.endswith("|7")) == (
        True,
        True,
    )


def test_one_number_with_two_sellers_is_two_documents() -> None:
    there = origin("860")
    assert there.receiver is not None
    initech = there.directory.get("initech")
    elsewhere = Origin(
        sender=there.sender,
        receiver=initech,
        source=there.source,
        at=there.at + timedelta(minutes=1),
        content_hash=there.content_hash,
        directory=there.directory,
    )
    said: Document = document("860", "BCH*01*SA*PO-1**1")
    keys = [
        found.document
        for found in (to_submission(said, there), to_submission(said, elsewhere))
        if isinstance(found, Submission)
    ]
    assert len({one.key for one in keys if one}) == 2


HEADINGS = {
    "850": "BEG*{}*{}*PO-1**20260301 / PO1*1*5*EA",
    "855": "BAK*{}*{}*PO-1*20260301 / PO1*1*5*EA / ACK*IA",
    "860": "BCH*{}*{}*PO-1 / POC*1*DI",
    "865": "BCA*{}*{}*PO-1 / POC*1*DI",
}


@pytest.mark.parametrize("kind", HEADINGS)
def test_every_purpose_and_type_comes_to_something(kind: str) -> None:
    types = [code.value for table in (AcknowledgmentType, OrderType) for code in table]
    for purpose in (*(purpose.value for purpose in Purpose), "99"):
        for type_ in types:
            text = HEADINGS[kind].format(purpose, type_)
            assert in_words(to_submission(document(kind, text), origin(kind)))


@pytest.mark.parametrize("kind", ["860", "865"])
@pytest.mark.parametrize("change", [*CHANGE_CLASS, "XX"])
def test_every_change_of_a_line_comes_to_something(kind: str, change: str) -> None:
    heading = {"860": "BCH*{}*SA*PO-1", "865": "BCA*{}**PO-1"}[kind]
    statuses = [""] if kind == "860" else ["", *(f" / ACK*{status}*5*EA" for status in (*STATUS_CLASS, "XX"))]
    for purpose in ("00", "01", "05", "11"):
        for status in statuses:
            text = f"{heading.format(purpose)} / POC*1*{change}*5*5*EA{status} / POC*2*NC"
            assert in_words(to_submission(document(kind, text), origin(kind)))


def test_every_status_of_a_report_that_may_cancel_has_words() -> None:
    assert set(WORDS) == set(REPORT_CLASS)


def test_a_question_about_many_lines_stays_short() -> None:
    many = "BCH*04*SA*PO-1" + " / ".join(["", *(f"POC*{n}*TI*1**EA" for n in range(1, 5001))])
    found = command("860", many)
    assert isinstance(found, Object)
    assert "Line 5:" in found.statement
    assert "Line 6:" not in found.statement
    assert "4995 more" in found.statement
