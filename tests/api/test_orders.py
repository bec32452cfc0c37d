"""Orders over HTTP: placed, listed by what they are, read; acknowledged and shipped by their seller."""

from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from pipeline.contents import text_of
from storage.states import Scope
from tests.api.site import BUYER, SELLER, Site, an_order, figures
from tests.unit.pipeline.ledger_files import acknowledgment, order


def test_an_order_is_placed_and_both_sides_read_it(site: Site) -> None:
    placed = site.client("acme").post(BUYER, json=an_order("PO-1", 10, 4))
    assert placed.status_code == 201
    body = placed.json()
    assert placed.headers["Location"] == f"{BUYER}/{body['id']}"
    assert body["done"]["placed"] == [{"line": "1", "quantity": "10"}, {"line": "2", "quantity": "4"}]
    for client, side in ((site.client("acme"), BUYER), (site.client("globex"), SELLER)):
        read = client.get(f"{side}/{body['id']}")
        assert read.status_code == 200
        assert read.headers["ETag"] == placed.headers["ETag"]
        assert figures(read.json()) == [("1", "10", "0", "0", "10"), ("2", "4", "0", "0", "4")]
        own = side == BUYER
        assert read.json()["events"][0]["actor"] == ("API key 1 (ERP)" if own else "partner")
    assert site.breaches() == ()


def test_the_same_order_again_changes_nothing_and_another_under_its_number_is_refused(site: Site) -> None:
    acme = site.client("acme")
    first = acme.post(BUYER, json=an_order("PO-1", 10))
    again = acme.post(BUYER, json=an_order("PO-1", 10))
    assert (again.status_code, again.json()["done"]["outcome"]) == (200, "duplicate")
    assert again.json()["id"] == first.json()["id"]
    other = acme.post(BUYER, json=an_order("PO-1", 11))
    assert other.status_code == 409
    assert other.headers["Content-Type"] == "application/problem+json"
    assert other.json()["type"] == "/api/problems/order-exists"
    assert figures(acme.get(f"{BUYER}/{first.json()['id']}").json()) == [("1", "10", "0", "0", "10")]


def test_what_waited_for_an_order_goes_on_when_it_is_placed_over_http(site: Site) -> None:
    early = site.house.seller("855", acknowledgment("PO-1", "ACK*IR*10*EA"))
    assert early.outcome.value == "parked"
    placed = site.client("acme").post(BUYER, json=an_order("PO-1", 10))
    assert figures(site.client("acme").get(placed.headers["Location"]).json()) == [
        ("1", "10", "0", "10", "0")
    ]
    assert site.breaches() == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"lines": []}, "empty-order"),
        ({"lines": [{"quantity": "0"}]}, "quantity-zero"),
        ({"lines": [{"quantity": "1.5"}]}, "quantity-fraction"),
    ],
)
def test_an_order_that_cannot_be_is_refused_by_the_ledger(
    site: Site, change: dict[str, object], problem: str
) -> None:
    refused = site.client("acme").post(BUYER, json={**an_order("PO-1", 10), **change})
    assert (refused.status_code, refused.json()["type"]) == (409, f"/api/problems/{problem}")
    assert site.client("acme").get(BUYER).json()["orders"] == []
    page = site.client().get(refused.json()["type"])
    assert page.text.startswith(problem.upper().replace("-", "_"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"po_number": "PO*1"},
        {"po_number": ""},
        {"seller": "nobody"},
        {"seller": "bolt"},
        {"lines": [{"quantity": 1.5}]},
        {"lines": [{"quantity": "1e3"}]},
        {"lines": [{"quantity": "-1"}]},
        {"lines": [{"quantity": True}]},
        {"lines": [{"quantity": "1", "unit": "each"}]},
        {"lines": [{"quantity": "1", "description": "a\x00b"}]},
        {"surprise": 1},
    ],
)
def test_a_body_that_is_not_as_described_is_not_looked_at(site: Site, wrong: dict[str, object]) -> None:
    answer = site.client("acme").post(BUYER, json={**an_order("PO-1", 10), **wrong})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert site.client("acme").get(BUYER).json()["orders"] == []


def test_half_a_character_is_no_text(site: Site) -> None:
    body = (
        b'{"po_number": "PO-1", "seller": "globex", "lines": [{"quantity": "1", "description": "\\ud800"}]}'
    )
    answer = site.client("acme").post(BUYER, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def _listed(client: httpx.Client, address: str = BUYER, **wanted: object) -> list[str]:
    found = client.get(address, params=wanted)  # type: ignore[arg-type]
    assert found.status_code == 200, found.text
    return [one["po_number"] for one in found.json()["orders"]]


def test_orders_are_listed_by_what_they_are(site: Site) -> None:
    for number in range(1, 4):
        site.place(f"PO-{number}", *([5] * number))
    site.place("PO-9", 5, buyer="bolt")
    acme, globex = site.client("acme"), site.client("globex")
    cancelled = acme.post(f"{BUYER}/2/cancel", json={})
    assert cancelled.status_code == 200
    assert _listed(acme) == ["PO-3", "PO-2", "PO-1"]
    assert _listed(globex, SELLER) == ["PO-9", "PO-3", "PO-2", "PO-1"]
    assert _listed(acme, status="cancelled") == ["PO-2"]
    assert _listed(acme, po_number="PO-1") == ["PO-1"]
    assert _listed(acme, po_number="PO-9") == []
    assert _listed(acme, item="V-3") == ["PO-3"]
    assert _listed(acme, item="V-2") == ["PO-3", "PO-2"]
    placed = site.application.clock.now()
    hour = timedelta(hours=1)
    assert _listed(acme, placed_since=(placed - hour).isoformat()) == ["PO-3", "PO-2", "PO-1"]
    assert _listed(acme, placed_since=(placed + hour).isoformat()) == []
    assert _listed(acme, placed_until=(placed - hour).isoformat()) == []
    assert acme.get(BUYER, params={"placed_since": "0001-01-01T00:00:00+14:00"}).status_code == 422


def test_a_moment_of_an_answer_is_taken_as_it_stands_and_the_end_is_not_listed(site: Site) -> None:
    order_id, acme = site.place("PO-1", 5), site.client("acme")
    placed = acme.get(f"{BUYER}/{order_id}").json()["placed_at"]
    assert placed.endswith("+00:00")
    for moment in (placed, placed.replace("+", "%2B"), placed.replace("+00:00", "Z")):
        assert len(acme.get(f"{BUYER}?placed_since={moment}").json()["orders"]) == 1, moment
        assert acme.get(f"{BUYER}?placed_until={moment}").json()["orders"] == [], moment


@pytest.mark.parametrize(
    "moment",
    ["2026", "20261129", "1", "1e9", "2026-11-28", "2026-11-28T09:30:00", "2026-11-28 09:30:00+00:00",
     "2026-11-28T09:30:00 Z", "2026-13-28T09:30:00Z", "now", ""],
)  # fmt: skip
@pytest.mark.parametrize("name", ["placed_since", "placed_until"])
def test_what_is_no_moment_lists_nothing(site: Site, name: str, moment: str) -> None:
    answer = site.client("acme").get(BUYER, params={name: moment})
    assert (answer.status_code, answer.json()["type"]) == (422, "/api/problems/invalid")
    (fault,) = answer.json()["faults"]
    assert fault["place"] == f"query.{name}"


@pytest.mark.parametrize("day", [0, 1796000000, "0", "20261128", "2026-11-28T00:00:00", "2026-02-30", ""])
def test_what_is_no_day_places_no_order(site: Site, day: object) -> None:
    acme = site.client("acme")
    answer = acme.post(BUYER, json={**an_order("PO-1", 10), "ordered_on": day})
    assert (answer.status_code, answer.json()["type"]) == (422, "/api/problems/invalid")
    assert acme.get(BUYER).json()["orders"] == []
    placed = acme.post(BUYER, json={**an_order("PO-1", 10), "ordered_on": "2026-11-28"})
    assert placed.status_code == 201


def test_an_order_names_each_line_once(site: Site) -> None:
    """Else both would have another name than the buyer gave them."""
    acme = site.client("acme")
    body = an_order("PO-1", 10, 4)
    body["lines"][1]["line"] = "1"
    refused = acme.post(BUYER, json=body)
    assert refused.status_code == 422
    assert refused.json()["faults"][0]["place"] == "body.lines"
    for line in body["lines"]:
        del line["line"]
    assert acme.post(BUYER, json=body).status_code == 201


@pytest.mark.parametrize(
    ("query", "name"), [("stauts=open", "stauts"), ("status=open&status=cancelled", "status"), ("=1", "")]
)
def test_a_filter_that_is_none_or_is_said_twice_lists_nothing(site: Site, query: str, name: str) -> None:
    site.place("PO-1", 5)
    answer = site.client("acme").get(f"{BUYER}?{query}")
    assert answer.status_code == 422
    assert [fault["place"] for fault in answer.json()["faults"]] == [f"query.{name}"]


def test_a_list_has_pages_that_new_orders_do_not_move(site: Site) -> None:
    acme = site.client("acme")
    for number in range(1, 6):
        site.place(f"PO-{number}", 1)
    first = acme.get(BUYER, params={"limit": 2}).json()
    site.place("PO-6", 1)
    second = acme.get(BUYER, params={"limit": 2, "cursor": first["next"]}).json()
    third = acme.get(BUYER, params={"limit": 2, "cursor": second["next"]}).json()
    seen = [one["po_number"] for page in (first, second, third) for one in page["orders"]]
    assert seen == ["PO-5", "PO-4", "PO-3", "PO-2", "PO-1"]
    assert third["next"] is None
    for wrong in ("x", "%", "MA", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5"):
        assert acme.get(BUYER, params={"cursor": wrong}).json()["type"] == "/api/problems/no-such-page"


def test_a_key_of_the_other_side_is_told_where_to_go(site: Site) -> None:
    answer = site.client("globex").get(BUYER)
    assert (answer.status_code, answer.json()["type"]) == (403, "/api/problems/wrong-side")
    assert SELLER in answer.json()["title"]
    assert site.client("globex").post(BUYER, json=an_order("PO-1", 1)).status_code == 403


def test_a_seller_ships_and_what_left_is_fulfilled_once(site: Site) -> None:
    order_id, globex = site.place("PO-1", 10, 4), site.client("globex")
    body = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 6}]}
    shipped = globex.post(f"{SELLER}/{order_id}/fulfil", json=body)
    assert (shipped.status_code, shipped.json()["status"]) == (200, "partly_fulfilled")
    again = globex.post(f"{SELLER}/{order_id}/fulfil", json=body)
    assert (again.status_code, again.json()["done"]["outcome"]) == (200, "duplicate")
    assert figures(again.json())[0] == ("1", "10", "6", "0", "4")
    other = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 5}]}
    refused = globex.post(f"{SELLER}/{order_id}/fulfil", json=other)
    assert (refused.status_code, refused.json()["type"]) == (409, "/api/problems/shipment-exists")
    none = {"shipment_id": "S-2", "lines": [{"line": "1", "quantity": 0}, {"line": "2", "quantity": "0.0"}]}
    assert globex.post(f"{SELLER}/{order_id}/fulfil", json=none).status_code == 422
    more = globex.post(
        f"{SELLER}/{order_id}/fulfil", json={"shipment_id": "S-2", "lines": [{"line": "1", "quantity": 5}]}
    )
    assert (more.status_code, more.json()["type"]) == (409, "/api/problems/over-shipment")
    assert (more.json()["line"], more.json()["asked"], more.json()["open"]) == ("1", "5", "4")
    assert site.breaches() == ()


def test_a_seller_answers_line_by_line_and_the_buyer_is_told_what_it_declines(site: Site) -> None:
    order_id, globex = site.place("PO-1", 10, 4), site.client("globex")
    said = {"lines": [{"line": "1", "accepted": "7", "rejected": "3", "reason": "out_of_stock"}]}
    answer = globex.post(f"{SELLER}/{order_id}/acknowledge", json=said)
    assert answer.status_code == 200, answer.text
    assert figures(answer.json())[0] == ("1", "10", "0", "3", "7")
    assert answer.json()["done"]["cancelled"] == [{"line": "1", "quantity": "3"}]
    (mail,) = site.mails("acme")
    assert "Out of stock" in text_of(mail)
    assert "out_of_stock" not in text_of(mail)
    accepted = globex.post(f"{SELLER}/{order_id}/acknowledge", json={})
    assert accepted.json()["done"]["cancelled"] == []
    rejected = globex.post(f"{SELLER}/{order_id}/acknowledge", json={"decision": "rejected"})
    assert rejected.json()["status"] == "cancelled"
    assert site.breaches() == ()


def test_a_short_answer_is_asked_back_and_the_seller_says_which_is_meant(site: Site) -> None:
    order_id, globex = site.place("PO-1", 10), site.client("globex")
    short = {"lines": [{"line": "1", "accepted": "7"}]}
    asked = globex.post(f"{SELLER}/{order_id}/acknowledge", json=short)
    assert (asked.status_code, asked.json()["type"]) == (409, "/api/problems/which-is-meant")
    assert "declined or still to come" in asked.json()["detail"]
    assert [choice["name"] for choice in asked.json()["choices"]] == ["cancel", "ignore"]
    assert figures(globex.get(f"{SELLER}/{order_id}").json()) == [("1", "10", "0", "0", "10")]
    meant = globex.post(f"{SELLER}/{order_id}/acknowledge", json={**short, "answer": "cancel"})
    assert figures(meant.json()) == [("1", "10", "0", "3", "7")]
    assert site.breaches() == ()


def test_a_line_without_a_number_is_named_as_the_ledger_shows_it(site: Site) -> None:
    body = an_order("PO-1", 10, 4)
    del body["lines"][1]["line"]
    order_id = site.client("acme").post(BUYER, json=body).json()["id"]
    globex = site.client("globex")
    names = [line["line"] for line in globex.get(f"{SELLER}/{order_id}").json()["lines"]]
    assert names == ["1", "#2"]
    shipped = globex.post(
        f"{SELLER}/{order_id}/fulfil", json={"shipment_id": "S-1", "lines": [{"line": "#2", "quantity": 1}]}
    )
    assert figures(shipped.json())[1] == ("#2", "4", "1", "0", "3")
    cut = globex.post(f"{SELLER}/{order_id}/lines/{quote('#2', safe='')}/cancel", json={"quantity": 2})
    assert figures(cut.json())[1] == ("#2", "4", "1", "2", "1")
    said = globex.post(
        f"{SELLER}/{order_id}/acknowledge", json={"lines": [{"line": "#2", "accepted": 1, "rejected": 1}]}
    )
    assert said.status_code in (200, 409)
    assert said.json().get("type") != "/api/problems/line-unknown"


@pytest.mark.parametrize("name", ["A/1", "1 a", "%2F", "?", "lines/1/cancel"])
def test_a_line_may_have_any_name_that_x12_can_carry(site: Site, name: str) -> None:
    body = an_order("PO-1", 10)
    body["lines"][0]["line"] = name
    order_id = site.client("acme").post(BUYER, json=body).json()["id"]
    address = f"{SELLER}/{order_id}/lines/{quote(name, safe='')}/cancel"
    cut = site.client("globex").post(address, json={"quantity": 1})
    assert cut.status_code == 200, cut.text
    assert figures(cut.json()) == [(name, "10", "0", "1", "9")]


def test_a_line_whose_name_no_address_can_have_is_named_in_the_body(site: Site) -> None:
    """ ".." takes a part of an address away, in the caller's own library."""
    body = an_order("PO-1", 10, 4)
    body["lines"][0]["line"] = ".."
    order_id = site.client("acme").post(BUYER, json=body).json()["id"]
    cut = site.client("globex").post(f"{SELLER}/{order_id}/cancel", json={"lines": [{"line": ".."}]})
    assert figures(cut.json()) == [("..", "10", "0", "10", "0"), ("2", "4", "0", "0", "4")]


def test_an_order_that_came_as_a_file_is_the_same_order(site: Site) -> None:
    site.house.buyer(order("PO-7", 5, 6))
    globex = site.client("globex", Scope.READ)
    (found,) = globex.get(SELLER).json()["orders"]
    read = globex.get(f"{SELLER}/{found['id']}").json()
    assert figures(read) == [("1", "5", "0", "0", "5"), ("2", "6", "0", "0", "6")]
    assert read["events"][0]["source"]["type"] == "850"
