"""What waits for a seller's answer: each request with its own units, reason, note and deadline."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.api.pages import drafts
from pipeline.contents import html_of, text_of
from tests.api.site import BUYER, SELLER, Site, served
from tests.app.clock import Hands
from tests.app.people import signed_in
from tests.unit.pipeline.ledger_files import write_settings

AGREED = 'buyer_cancel = "requested"\nrequest_deadline_hours = 48'


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def site(tmp_path: Path, hands: Hands, both_systems: None) -> Iterator[Site]:
    with served(tmp_path, policy=AGREED, clock=hands) as made:
        yield made
        assert made.breaches() == ()


def _ask(site: Site, order_id: int, line: str = "1", **said: str) -> None:
    answer = site.client("acme").post(f"{BUYER}/{order_id}/lines/{line}/cancel", json=said)
    assert answer.status_code == 200, answer.text


def _panel(page: str) -> str:
    """What the seller reads above the buttons."""
    found = re.search(r'<section class="card attention".*?</section>', page, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]*>", " ", found[0].partition("<form")[0]).split())


def test_a_part_taken_back_leaves_the_reason_and_note_of_the_request(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    _ask(site, order_id, quantity="5", reason="ordered_twice", note="Ordered by two of us.")
    _ask(site, order_id, new_quantity="8", reason="no_longer_wanted", note="Three we want after all.")
    sam = signed_in(site, "sam@globex.example", "globex")
    sam.get(f"/orders/{order_id}")
    panel = _panel(sam.page)
    assert "asks to cancel 2 units" in panel
    assert "Line 1: 2 units of 10 units that are open" in panel
    assert "Reason: Ordered twice" in panel
    assert "Ordered by two of us." in panel
    assert "after all" not in panel
    assert "Three we want after all." in sam.text  # in the timeline


def test_two_requests_stand_with_their_own_units_reason_note_and_deadline(site: Site, hands: Hands) -> None:
    order_id = site.place("PO-1", 10, 4)
    _ask(site, order_id, quantity="5", reason="ordered_twice", note="First.")
    hands.sleep(3600)
    _ask(site, order_id, "2", quantity="4", note="Second.")
    hands.sleep(3600)
    sam = signed_in(site, "sam@globex.example", "globex")
    sam.get(f"/orders/{order_id}")
    first, second = _panel(sam.page).partition("4 units, asked ")[::2]
    assert "5 units, asked" in first
    assert ("Ordered twice" in first, "First." in first, "46 h left" in first) == (True,) * 3
    assert ("Ordered twice" in second, "Second." in second, "47 h left" in second) == (False, True, True)
    assert "Line 2: 4 units of 4 units that are open" in second
    assert "the answer to all of them" in second


def test_an_answered_request_is_not_shown_beside_a_new_one(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    _ask(site, order_id, quantity="5", note="First.")
    site.client("globex").post(f"{SELLER}/{order_id}/cancellation-request/reject", json={"note": "Packed."})
    _ask(site, order_id, quantity="2", note="Second.")
    sam = signed_in(site, "sam@globex.example", "globex")
    sam.get(f"/orders/{order_id}")
    panel = _panel(sam.page)
    assert ("Second." in panel, "First." in panel, "Packed." in panel) == (True, False, False)


def test_many_lines_are_a_total_that_opens(site: Site) -> None:
    order_id = site.place("PO-1", *[2] * 40)
    site.client("acme").post(f"{BUYER}/{order_id}/cancel", json={})
    sam = signed_in(site, "sam@globex.example", "globex")
    sam.get(f"/orders/{order_id}")
    assert sam.page.count("<summary>80 units on 40 lines</summary>") == 3  # asked for, and placed
    shown = re.sub(r"<details>.*?</details>", "", sam.page, flags=re.DOTALL)
    assert "2 units of line 7" not in shown
    assert "Line 7: 2 units" not in shown


def test_agreeing_to_a_part_promises_what_the_readers_chose(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    ada = signed_in(site, "desk@acme.example", "acme")
    ada.get("/company")
    ada.send("/company/mail#mail", cancellations="hourly", requests="at_once", refusals="at_once")
    _ask(site, order_id, quantity="5")
    sam = signed_in(site, "sam@globex.example", "globex")
    part = f"/orders/{order_id}/request/part"
    sam.get(part)
    sam.send(f"{part}/preview", **{"quantity-1": "3"})
    told = "Acme Stores, by e-mail within the hour: of what is cancelled; Acme Stores, by e-mail, at once: of"
    assert told in sam.text
    sam.send(f"{part}/form")
    sam.send(f"{part}/preview", **{"quantity-1": "5"})
    assert "Acme Stores, by e-mail within the hour: of what is cancelled This cannot" in sam.text


def test_the_mail_of_a_request_leads_to_the_order_and_says_how_many_wait_in_all(
    tmp_path: Path, both_systems: None
) -> None:
    path = write_settings(tmp_path, policy=AGREED)
    path.write_text(path.read_text() + '\n[site]\naddress = "https://orders.hub.example"\n')
    with served(tmp_path, settings_file=path) as site:
        order_id = site.place("PO-1", 10, 4)
        _ask(site, order_id, quantity="5")
        _ask(site, order_id, "2", quantity="4")
        first, second = site.mails("desk@globex")
        link = f"https://orders.hub.example/orders/{order_id}"
        for mail in (first, second):
            assert f"Answer it here:\n{link}\n" in text_of(mail)
            assert f'<a href="{link}"' in html_of(mail)
        assert "In all" not in text_of(first)
        assert "In all, 9 units of this order wait for your answer." in " ".join(text_of(second).split())
        site.client("globex").post(f"{SELLER}/{order_id}/cancel", json={})
        assert f"See the order:\n{link}\n" in text_of(site.mails("desk@acme")[-1])


def test_where_the_settings_name_no_app_a_mail_leads_nowhere(site: Site) -> None:
    _ask(site, site.place("PO-1", 10), quantity="5")
    assert "http" not in text_of(site.mails("desk@globex")[0])


def test_a_buyer_who_asked_for_all_is_told_who_must_act_and_can_take_it_back(site: Site) -> None:
    order_id = site.place("PO-1", 10, 4)
    ada = signed_in(site, "ada@acme.example", "acme")
    _ask(site, order_id, quantity="10")
    _ask(site, order_id, "2", quantity="4")
    ada.get(f"/orders/{order_id}")
    assert "Nothing of this order can be cancelled" not in ada.text
    said = "All that is open was asked to be cancelled, 14 units. Now Globex Supply has to answer."
    assert said in ada.text
    back = f"/orders/{order_id}/request/back"
    form = ada.form(back)
    for _ in range(2):
        ada.post(back, form)
        assert "Taken back" in ada.text
        assert "10 units of line 1 4 units of line 2" in ada.text
    ada.get(f"/orders/{order_id}")
    assert ("Take the request back" in ada.text, "Ask to cancel" in ada.text) == (False, True)
    assert ada.post(back, ada.form("/sign-out") | form | {"key": drafts.new_key()}).status_code == 409
    sam = signed_in(site, "sam@globex.example", "globex")
    sam.get(f"/orders/{order_id}")
    assert "asks to cancel" not in sam.text
    assert sam.post(back, sam.form("/sign-out")).status_code == 404
    assert [mail.subject.partition(":")[0] for mail in site.mails("desk@globex")][-1] == "Request withdrawn"
