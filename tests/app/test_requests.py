"""Requests to cancel: agreed to in part by the page, with a deadline, and nobody's name told to others."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.contents import html_of, text_of
from pipeline.lapsing import lapse_requests
from storage import webhooks
from storage.messages import list_messages
from storage.states import Kind, Topic
from tests.api.site import BUYER, SELLER, Json, Site, figures, served
from tests.app.clock import Hands
from tests.app.people import Person, signed_in

AGREED = 'buyer_cancel = "requested"\nrequest_deadline_hours = 1'
ADA, SAM, EVE = (
    "Ada Baker (ada@acme.example)",
    "Sam Porter (sam@globex.example)",
    "Eve Adams (eve@hub.example)",
)
_CLOCK = Hands()


@pytest.fixture
def site(tmp_path: Path, both_systems: None) -> Iterator[Site]:
    """A site where requests lapse after an hour, by a clock that the tests move."""
    _CLOCK.at = Hands().at
    with served(tmp_path, policy=AGREED, clock=_CLOCK) as made:
        yield made
        assert made.breaches() == ()


def later(site: Site, hours: float) -> int:
    """So many hours pass; how many orders' requests lapsed."""
    _CLOCK.sleep(hours * 3600)
    return len(lapse_requests(site.application.settings, site.application.database, _CLOCK.now()))


def people(site: Site) -> tuple[Person, Person]:
    return (
        signed_in(site, "ada@acme.example", "acme", name="Ada Baker"),
        signed_in(site, "sam@globex.example", "globex", name="Sam Porter"),
    )


def asked(ada: Person, order_id: int) -> None:
    ada.get(f"/orders/{order_id}/cancel")
    ada.send(f"/orders/{order_id}/cancel/preview", what="whole")
    assert "It can answer until 2026-11-28" in ada.text
    ada.send(f"/orders/{order_id}/cancel")


def listened(site: Site) -> None:
    """Both parties have an endpoint; nothing is posted by these tests."""
    with site.application.database.writing() as tx:
        for partner in ("acme", "globex"):
            webhooks.add_endpoint(tx, partner, f"https://{partner}.example/", tuple(Topic), _CLOCK.now())


def order_of(site: Site, partner: str, order_id: int) -> Json:
    side = BUYER if partner == "acme" else SELLER
    found: Json = site.client(partner).get(f"{side}/{order_id}").json()
    return found


def test_a_seller_agrees_to_a_part_after_a_preview_and_once(site: Site) -> None:
    order_id = site.place("PO-1", 10, 4)
    ada, sam = people(site)
    part = f"/orders/{order_id}/request/part"
    sam.get(part)
    assert "Nothing of this order is asked to be cancelled" in sam.text
    asked(ada, order_id)
    assert ada.get(part).status_code == 404
    sam.get(f"/orders/{order_id}")
    assert f'formaction="{part}/form"' in sam.page
    sam.get(part)
    assert sam.send(f"{part}/preview").status_code == 422
    assert "Enter how many units you agree to cancel" in sam.text
    assert sam.send(f"{part}/preview", **{"quantity-1": "lots"}).status_code == 422
    assert "Write a quantity such as 12" in sam.text
    sam.send(f"{part}/preview", **{"quantity-1": "11"})
    assert "more than the buyer asked to cancel" in sam.text
    sam.send(f"{part}/form")
    sam.send(f"{part}/preview", **{"quantity-1": "7", "quantity-2": "0", "note": "Three are packed."})
    assert "7 units of PO PO-1 are cancelled. 7 units that were asked for stay open." in sam.text
    assert "This cannot be undone." in sam.text
    form = sam.form(part)
    for _ in range(2):
        sam.post(part, form)
        assert "7 units of line 1" in sam.text
        assert (
            "They stay open, and Acme Stores can expect them: 3 units of line 1 4 units of line 2" in sam.text
        )
    found = order_of(site, "acme", order_id)
    assert figures(found) == [("1", "10", "0", "7", "3"), ("2", "4", "0", "0", "4")]
    assert [line["requested"] for line in found["lines"]] == ["0", "0"]
    subjects = [mail.subject.partition(":")[0] for mail in site.mails("desk@acme")]
    assert subjects == ["Cancelled in part", "Request refused"]


def test_what_changed_since_the_preview_is_shown_and_nothing_is_done(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    ada, sam = people(site)
    asked(ada, order_id)
    part = f"/orders/{order_id}/request/part"
    sam.get(part)
    sam.send(f"{part}/preview", **{"quantity-1": "7"})
    form = sam.form(part)
    shipped = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 2}]}
    site.client("globex").post(f"{SELLER}/{order_id}/fulfil", json=shipped)
    assert sam.post(part, form).status_code == 409
    assert "The order changed since you looked" in sam.text
    assert "1 unit that was asked for stays open" in sam.text
    assert figures(order_of(site, "acme", order_id)) == [("1", "10", "2", "0", "8")]
    later(site, 1)
    assert sam.post(part, form).status_code == 409
    assert "Nothing of this order is asked to be cancelled" in sam.text


def test_the_deadline_is_shown_everywhere_and_what_lapses_soonest_is_first(site: Site) -> None:
    first, second = site.place("PO-1", 10), site.place("PO-2", 10)
    ada, sam = people(site)
    asked(ada, second)
    _CLOCK.sleep(1200)
    asked(ada, first)
    lapses = "2026-11-28T10:00:00+00:00"
    for partner in ("acme", "globex"):
        found = order_of(site, partner, second)
        assert (found["answer_by"], found["events"][-1]["answer_by"]) == (lapses, lapses)
    waiting = site.client("globex").get(SELLER, params={"cancellation_requested": True}).json()["orders"]
    assert [one["answer_by"] for one in waiting] == [lapses, "2026-11-28T10:20:00+00:00"]
    sam.get("/orders")
    assert re.findall(r"<a href=\"/orders/\d+\">([^<]*)", sam.page) == ["PO-2", "PO-1"]
    assert "Answer wanted, 40 min left" in sam.text
    sam.get(f"/orders/{second}")
    assert "40 min left : it can be answered until 2026-11-28 10:00 UTC" in sam.text
    ada.get(f"/orders/{second}")
    assert "It can answer until 2026-11-28 10:00 UTC (40 min left)" in ada.text
    (mail, _) = site.mails("desk@globex")
    assert "Answer until 2026-11-28 10:00 UTC" in text_of(mail)


def test_after_the_deadline_page_and_api_refuse_a_late_answer_and_say_why(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    listened(site)
    ada, sam = people(site)
    asked(ada, order_id)
    sam.get(f"/orders/{order_id}")
    form = sam.form(f"/orders/{order_id}/request") | {"answer": "approve"}
    assert later(site, 1) == 1
    assert sam.post(f"/orders/{order_id}/request", form).status_code == 409
    assert "The order changed since you opened it" in sam.text
    assert "Globex Supply did not answer in time; the request to cancel lapsed" in sam.text
    assert "No answer in time" not in sam.text
    assert re.findall(r"E-mail to (\w+)", sam.text) == ["Acme", "Globex", "Globex"]
    for answer in ("approve", "reject"):
        late = site.client("globex").post(f"{SELLER}/{order_id}/cancellation-request/{answer}", json={})
        assert (late.status_code, late.json()["type"]) == (409, "/api/problems/request-lapsed")
        assert "not answered in time" in late.json()["title"]
    for partner in ("acme", "globex"):
        request, lapse = _posted(site, partner)
        assert (
            request["data"]["answer_by"]
            == request["data"]["order"]["answer_by"]
            == "2026-11-28T10:00:00+00:00"
        )
        assert (lapse["type"], lapse["data"]["refused_by"]) == ("cancellation.refused", "deadline")
        assert lapse["data"]["lines"][0]["quantity"] == "10"
    found = order_of(site, "acme", order_id)
    assert (found["answer_by"], found["events"][-1]["kind"], found["events"][-1]["actor"]) == (
        None, "request_lapsed", "deadline",
    )  # fmt: skip
    assert figures(found) == [("1", "10", "0", "0", "10")]


def test_nobodys_name_goes_to_another_company_by_any_door(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    listened(site)
    ada, sam = people(site)
    eve = signed_in(site, "eve@hub.example", name="Eve Adams")
    asked(ada, order_id)
    sam.get(f"/orders/{order_id}")
    sam.send(f"/orders/{order_id}/request", answer="refuse")
    eve.get(f"/orders/{order_id}/cancel?for=seller")
    eve.send(f"/orders/{order_id}/cancel/preview", what="whole")
    eve.send(f"/orders/{order_id}/cancel")
    seen = {
        "acme": [ADA, "partner", "staff"],
        "globex": ["partner", SAM, "staff"],
    }
    for partner, actors in seen.items():
        events = order_of(site, partner, order_id)["events"]
        assert [event["actor"] for event in events[1:]] == actors
        bodies = _posted(site, partner)
        assert len(bodies) == 3  # asked, refused, cancelled
        for body in bodies:
            assert body["data"]["actor"] in {*actors, "partner", "API key 1 (ERP)"}
            assert not _strangers(partner, json.dumps(body))
        assert not _strangers(partner, "".join(text_of(mail) + html_of(mail) for mail in site.mails(partner)))
    for person, partner in ((ada, "acme"), (sam, "globex")):
        person.get(f"/orders/{order_id}")
        assert not _strangers(partner, person.page)
    assert f"Entered by {ADA}" in ada.text
    assert "Entered by Globex Supply" in ada.text
    eve.get(f"/orders/{order_id}")
    assert all(f"Entered by {name}" in eve.text for name in (ADA, SAM, EVE))


def _posted(site: Site, partner: str) -> list[Json]:
    with site.application.database.reading() as tx:
        found = [one for one in list_messages(tx) if one.kind is Kind.WEBHOOK and one.partner == partner]
    return [json.loads(one.payload) for one in sorted(found, key=lambda message: message.id)]


def _strangers(partner: str, text: str) -> list[str]:
    """The people of others that are named in a text for this partner."""
    theirs = {"acme": ("sam", "porter", "eve", "adams"), "globex": ("ada", "baker", "eve", "adams")}[partner]
    return [name for name in theirs if re.search(rf"\b{name}\b", text, re.IGNORECASE)]
