"""Pages loaded again, pasted, gone back to, or sent after the session ended: none is a dead end."""

import pytest

from storage import people
from tests.api.site import BUYER, SELLER, Site, figures
from tests.app.people import Person, signed_in


def _asked(site: Site, *quantities: int) -> int:
    order_id = site.place("PO-1", *quantities)
    assert site.client("acme").post(f"{BUYER}/{order_id}/cancel", json={}).status_code == 200
    return order_id


def _sam(site: Site) -> Person:
    return signed_in(site, "sam@globex.example", "globex", name="Sam Porter")


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/orders/", "/orders"),
        ("/orders/1/cancel/preview", "/orders/1/cancel"),
        ("/orders/1/cancel/form", "/orders/1/cancel"),
        ("/orders/1/request", "/orders/1"),
        ("/orders/1/request/part/preview", "/orders/1/request/part"),
        ("/orders/1/request/part/form", "/orders/1/request/part"),
        ("/company/keys", "/company"),
        ("/company/keys/1/revoke", "/company"),
        ("/company/mail", "/company"),
        ("/company/webhooks", "/company"),
        ("/sign-out", "/orders"),
    ],
)
def test_a_step_of_a_form_leads_back_to_its_page(asking_site: Site, path: str, page: str) -> None:
    _asked(asking_site, 10)
    answer = _sam(asking_site).get(path)
    assert (answer.status_code, answer.url.path, answer.history[0].status_code) == (200, page, 303)


def test_the_hubs_people_are_led_back_too(site: Site) -> None:
    site.place("PO-1", 10)
    olga = signed_in(site, "olga@hub.example")
    for path, page in (("/orders/1/cancel/preview", "/orders/1"), ("/support/audit", "/support/audit")):
        answer = olga.get(path)
        assert (answer.status_code, answer.url.path) == (200, page)


def test_the_other_button_after_going_back_is_told_what_was_done(asking_site: Site) -> None:
    order_id = _asked(asking_site, 10)
    sam = _sam(asking_site)
    sam.get(f"/orders/{order_id}")
    form = sam.form(f"/orders/{order_id}/request")
    sam.post(f"/orders/{order_id}/request", form | {"answer": "approve"})
    assert "answered already" not in sam.text
    assert sam.post(f"/orders/{order_id}/request", form | {"answer": "refuse"}).status_code == 200
    assert "This was answered already, and nothing more was done now." in sam.text
    assert "Idempotency" not in sam.text
    assert "10 units of line 1" in sam.text
    found = asking_site.client("acme").get(f"{BUYER}/{order_id}").json()
    assert figures(found) == [("1", "10", "0", "10", "0")]


def test_what_was_typed_stays_when_the_order_changed(asking_site: Site) -> None:
    order_id = _asked(asking_site, 10)
    sam = _sam(asking_site)
    sam.get(f"/orders/{order_id}")
    shipped = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 4}]}
    asking_site.client("globex").post(f"{SELLER}/{order_id}/fulfil", json=shipped)
    typed = {"reason": "too_late", "note": "Packed already."}
    assert sam.send(f"/orders/{order_id}/request", answer="refuse", **typed).status_code == 409
    assert ">Packed already.</textarea>" in sam.page
    assert '<option value="too_late" selected>' in sam.page


def test_agreeing_to_a_part_takes_along_what_was_typed(asking_site: Site) -> None:
    order_id = _asked(asking_site, 10)
    sam = _sam(asking_site)
    sam.get(f"/orders/{order_id}")
    form = sam.form(f"/orders/{order_id}/request") | {"reason": "too_late", "note": "Three are packed."}
    assert sam.post(f"/orders/{order_id}/request/part/form", form).status_code == 200
    assert "Agree to a part" in sam.text
    assert ">Three are packed.</textarea>" in sam.page
    assert '<option value="too_late" selected>' in sam.page


def test_after_a_session_that_ended_one_comes_back_to_the_page_of_the_form(asking_site: Site) -> None:
    order_id = _asked(asking_site, 10)
    sam = _sam(asking_site)
    sam.get(f"/orders/{order_id}")
    token = sam.client.cookies["countermand"]
    asking_site.application.database.run(lambda tx: people.sign_out(tx, token))
    sam.send(f"/orders/{order_id}/request", answer="refuse")
    assert "You were signed out because nothing happened for a while." in sam.text
    answer = sam.send("/sign-in", email=sam.email, password="seven wooden ladders")
    assert answer.url.path == f"/orders/{order_id}"
