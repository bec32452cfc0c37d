"""Where a buyer's cancellation is only asked for, over HTTP: asking, taking back, and the seller's answer."""

import pytest

from pipeline.contents import text_of
from tests.api.site import BUYER, SELLER, Site, figures
from tests.api.test_cancelling import TWICE, ship


def test_a_buyer_asks_and_the_seller_agrees(asking_site: Site) -> None:
    site = asking_site
    order_id, acme, globex = site.place("PO-1", 10), site.client("acme"), site.client("globex")
    seen = acme.post(f"{BUYER}/{order_id}/cancellation-preview", json={}).json()
    assert (seen["effect"], seen["cannot_be_undone"]) == ("requested", False)
    asked = acme.post(f"{BUYER}/{order_id}/cancel", json={})
    assert asked.json()["done"]["requested"] == [{"line": "1", "quantity": "10"}]
    again = acme.post(f"{BUYER}/{order_id}/cancellation-preview", json={}).json()
    assert (again["effect"], again["lines"][0]["can_cancel"]) == ("nothing", "0")
    sellers = globex.post(f"{SELLER}/{order_id}/cancellation-preview", json={}).json()
    assert (sellers["effect"], sellers["lines"][0]["can_cancel"]) == ("cancelled", "10")
    assert asked.json()["status"] == "open"
    other = site.place("PO-2", 10)
    waiting = globex.get(SELLER, params={"cancellation_requested": True}).json()["orders"]
    assert [order["id"] for order in waiting] == [order_id]
    calm = globex.get(SELLER, params={"cancellation_requested": False}).json()["orders"]
    assert [order["id"] for order in calm] == [other]
    assert len(globex.get(SELLER).json()["orders"]) == 2
    agreed = globex.post(f"{SELLER}/{order_id}/cancellation-request/approve", json={})
    assert (agreed.status_code, agreed.json()["status"]) == (200, "cancelled")
    assert [mail.to for mail in site.mails()] == ["desk@globex.example", "desk@acme.example"]
    assert globex.get(SELLER, params={"cancellation_requested": True}).json()["orders"] == []
    assert site.breaches() == ()


def test_a_new_quantity_replaces_what_was_asked_for_before(asking_site: Site) -> None:
    """Down to 6, to 5, to 8, the same again, and back to all: each preview says what then happens."""
    site = asking_site
    order_id, acme, globex = site.place("PO-1", 10, 4), site.client("acme"), site.client("globex")
    steps = [
        (6, "requested", "4", "4"), (5, "requested", "1", "5"), (8, "withdrawn", "3", "2"),
        (8, "nothing", "", "2"), (6, "requested", "2", "4"), (2, "requested", "4", "8"),
        (10, "withdrawn", "8", "0"), (10, "nothing", "", "0"), (6, "requested", "4", "4"),
    ]  # fmt: skip
    for new_quantity, effect, units, in_all in steps:
        body = {"lines": [{"line": "01", "new_quantity": new_quantity}]}
        seen = acme.post(f"{BUYER}/{order_id}/cancellation-preview", json=body).json()
        assert (seen["effect"], seen["possible"]) == (effect, effect != "nothing")
        would = {"requested": "would_cancel", "withdrawn": "would_withdraw"}.get(effect)
        figures_seen = {name: seen["lines"][0][name] for name in ("would_cancel", "would_withdraw")}
        expected = {"would_cancel": "0", "would_withdraw": "0"} | ({would: units} if would else {})
        assert figures_seen == expected
        assert bool(seen["told"]) == bool(would)
        done = acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={"new_quantity": new_quantity}).json()
        assert done["done"]["outcome"] == ("applied" if would else "duplicate")
        moved = {name: done["done"][name] for name in ("requested", "withdrawn") if done["done"][name]}
        assert moved == ({effect: [{"line": "1", "quantity": units}]} if would else {})
        assert done["lines"][0]["requested"] == in_all
    assert len(site.mails("globex")) == 7
    mixed = {"lines": [{"line": "1", "new_quantity": 7}, {"line": "2", "new_quantity": 3}]}
    both = acme.post(f"{BUYER}/{order_id}/cancellation-preview", json=mixed).json()
    assert [(one["would_cancel"], one["would_withdraw"]) for one in both["lines"]] == [("0", "1"), ("1", "0")]
    assert both["effect"] == "requested"
    assert both["statement"].endswith("1 unit is asked for no longer on line 1.")
    acme.post(f"{BUYER}/{order_id}/cancel", json=mixed)
    agreed = globex.post(f"{SELLER}/{order_id}/cancellation-request/approve", json={})
    assert figures(agreed.json()) == [("1", "10", "0", "3", "7"), ("2", "4", "0", "1", "3")]
    assert site.breaches() == ()


def test_a_new_quantity_that_is_asked_for_counts_what_left_and_what_was_cancelled(asking_site: Site) -> None:
    site = asking_site
    order_id, acme, globex = site.place("PO-1", 10), site.client("acme"), site.client("globex")
    ship(site, order_id, "S-1", l1=3)
    globex.post(f"{SELLER}/{order_id}/lines/1/cancel", json={"quantity": 2})  # of 8 current, 5 are open
    path = f"{BUYER}/{order_id}/lines/1/cancel"
    assert acme.post(path, json={"new_quantity": 6}).json()["done"]["requested"][0]["quantity"] == "2"
    assert acme.post(path, json={"new_quantity": 3}).json()["done"]["requested"][0]["quantity"] == "3"
    assert acme.post(path, json={"new_quantity": 2}).json()["type"] == "/api/problems/exceeds-open"
    assert acme.post(path, json={"new_quantity": 9}).json()["type"] == "/api/problems/quantities-do-not-fit"
    done = globex.post(f"{SELLER}/{order_id}/lines/1/cancel", json={"new_quantity": 7}).json()
    assert (figures(done)[0], done["lines"][0]["requested"]) == (("1", "10", "3", "3", "4"), "4")
    assert site.breaches() == ()


def test_a_buyer_asks_and_the_seller_does_not_agree(asking_site: Site) -> None:
    site = asking_site
    order_id, acme, globex = site.place("PO-1", 10), site.client("acme"), site.client("globex")
    acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 4})
    kept = globex.post(f"{SELLER}/{order_id}/cancellation-request/reject", json={"note": "Packed."})
    assert kept.json()["done"]["kept"] == [{"line": "1", "quantity": "4"}]
    assert figures(kept.json()) == [("1", "10", "0", "0", "10")]
    assert "Packed." in text_of(site.mails("acme")[0])
    nothing = globex.post(f"{SELLER}/{order_id}/cancellation-request/approve", json={})
    assert (nothing.status_code, nothing.json()["type"]) == (409, "/api/problems/nothing-asked")
    assert figures(acme.get(f"{BUYER}/{order_id}").json()) == [("1", "10", "0", "0", "10")]
    assert site.breaches() == ()


def test_a_seller_agrees_to_some_units_and_refuses_the_rest(asking_site: Site) -> None:
    site = asking_site
    order_id, acme, globex = site.place("PO-1", 10, 4, 6), site.client("acme"), site.client("globex")
    acme.post(f"{BUYER}/{order_id}/cancel", json={})
    some = {"lines": [{"line": "1", "quantity": 7}, {"line": "2"}]}
    agreed = globex.post(f"{SELLER}/{order_id}/cancellation-request/approve", json=some)
    assert figures(agreed.json()) == [
        ("1", "10", "0", "7", "3"), ("2", "4", "0", "4", "0"), ("3", "6", "0", "0", "6"),
    ]  # fmt: skip
    assert agreed.json()["done"]["kept"] == [
        {"line": "1", "quantity": "3"}, {"line": "3", "quantity": "6"},
    ]  # fmt: skip
    assert {line["requested"] for line in agreed.json()["lines"]} == {"0"}
    assert len(site.mails("acme")) == 2
    assert site.breaches() == ()


def test_a_seller_agrees_to_no_more_than_was_asked(asking_site: Site) -> None:
    order_id, acme, globex = (
        asking_site.place("PO-1", 10),
        asking_site.client("acme"),
        asking_site.client("globex"),
    )
    acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 4})
    more = {"lines": [{"line": "1", "quantity": 5}]}
    refused = globex.post(f"{SELLER}/{order_id}/cancellation-request/approve", json=more)
    assert (refused.status_code, refused.json()["type"]) == (409, "/api/problems/exceeds-requested")
    assert figures(acme.get(f"{BUYER}/{order_id}").json()) == [("1", "10", "0", "0", "10")]


@pytest.mark.parametrize("other", [{"line": "2"}, {"line": "2", "quantity": 1}])
def test_a_seller_that_names_a_line_nobody_asked_about_has_answered_nothing(
    asking_site: Site, other: dict[str, object]
) -> None:
    site = asking_site
    order_id, acme, globex = site.place("PO-1", 10, 5), site.client("acme"), site.client("globex")
    acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 4})
    approve = f"{SELLER}/{order_id}/cancellation-request/approve"
    for lines in ([other], [{"line": "1"}, other]):
        refused = globex.post(approve, json={"lines": lines})
        assert (refused.status_code, refused.json()["type"]) == (409, "/api/problems/exceeds-requested")
        assert "Line 2" in refused.json()["detail"]
        assert [one["line"] for one in refused.json()["refusals"]] == ["2"]
    assert [line["requested"] for line in acme.get(f"{BUYER}/{order_id}").json()["lines"]] == ["4", "0"]
    assert site.breaches() == ()


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([{"line": "9"}], "line-unknown"),
        ([{"line": "9", "quantity": 1}, {"line": "1"}], "line-unknown"),
        ([{"line": "1", "quantity": 0}], "quantity-zero"),
    ],
)
def test_a_seller_that_agrees_to_nothing_by_it_is_told_so_once(
    asking_site: Site, lines: list[dict[str, object]], problem: str
) -> None:
    site = asking_site
    order_id, acme, globex = site.place("PO-1", 10), site.client("acme"), site.client("globex")
    acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 4})
    refused = globex.post(f"{SELLER}/{order_id}/cancellation-request/approve", json={"lines": lines})
    assert (refused.status_code, refused.json()["type"]) == (409, f"/api/problems/{problem}")
    assert len(refused.json()["refusals"]) == 1
    assert acme.get(f"{BUYER}/{order_id}").json()["lines"][0]["requested"] == "4"
    assert site.breaches() == ()


def test_a_seller_that_names_no_lines_has_not_agreed_to_all(asking_site: Site) -> None:
    order_id = asking_site.place("PO-1", 10)
    asking_site.client("acme").post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 4})
    approve = f"{SELLER}/{order_id}/cancellation-request/approve"
    refused = asking_site.client("globex").post(approve, json={"lines": []})
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/problems/invalid")
    (now,) = figures(asking_site.client("acme").get(f"{BUYER}/{order_id}").json())
    assert now == ("1", "10", "0", "0", "10")


def test_a_seller_agrees_to_each_line_once(asking_site: Site) -> None:
    site = asking_site
    order_id, acme, globex = site.place("PO-1", 10, 4), site.client("acme"), site.client("globex")
    acme.post(f"{BUYER}/{order_id}/cancel", json={})
    approve = f"{SELLER}/{order_id}/cancellation-request/approve"
    refused = globex.post(approve, json={"lines": TWICE})
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/problems/invalid")
    (fault,) = refused.json()["faults"]
    assert (fault["place"], fault["message"]) == ("body.lines", "Name each line once.")
    assert acme.get(f"{BUYER}/{order_id}").json()["lines"][0]["requested"] == "10"
    assert len(site.mails()) == 1  # the seller was asked, and nobody was answered


def test_what_is_agreed_under_two_names_of_a_line_is_added_up(asking_site: Site) -> None:
    site = asking_site
    order_id, acme, globex = site.place("PO-1", 10), site.client("acme"), site.client("globex")
    acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 6})
    both = {"lines": [{"line": "1", "quantity": 2}, {"line": "01", "quantity": 1}]}
    agreed = globex.post(f"{SELLER}/{order_id}/cancellation-request/approve", json=both)
    assert agreed.json()["done"]["cancelled"] == [{"line": "1", "quantity": "3"}]
    assert agreed.json()["done"]["kept"] == [{"line": "1", "quantity": "3"}]
    assert site.breaches() == ()


def test_a_seller_cancels_by_itself_also_where_its_buyer_only_asks(asking_site: Site) -> None:
    order_id = asking_site.place("PO-1", 10)
    done = asking_site.client("globex").post(f"{SELLER}/{order_id}/lines/1/cancel", json={"quantity": 4})
    assert figures(done.json()) == [("1", "10", "0", "4", "6")]


def test_every_quantity_that_a_buyer_asks_for_comes_on_top(asking_site: Site) -> None:
    """The same once more is no repetition: who repeats a request sends its Idempotency-Key again."""
    site = asking_site
    order_id, acme = site.place("PO-1", 10, 4), site.client("acme")
    for quantity, in_all in (("2", "2"), ("1", "3"), ("3", "6")):
        body = {"lines": [{"line": "1", "quantity": quantity}]}
        seen = acme.post(f"{BUYER}/{order_id}/cancellation-preview", json=body).json()
        assert (seen["effect"], seen["lines"][0]["would_cancel"]) == ("requested", quantity)
        done = acme.post(f"{BUYER}/{order_id}/cancel", json=body).json()
        assert done["done"]["requested"] == [{"line": "1", "quantity": quantity}]
        assert done["lines"][0]["requested"] == in_all
    for too_many in (5, 10):
        more = acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": too_many}).json()
        assert more["type"] == "/api/problems/exceeds-open"
        assert "10 open, 6 of them asked to be cancelled" in more["detail"]
        assert (more["requested"], more["refusals"][0]["requested"]) == ("6", "6")
    body = {"lines": [{"line": "1", "quantity": "3"}, {"line": "2", "quantity": "1"}]}
    both = acme.post(f"{BUYER}/{order_id}/cancel", json=body).json()["done"]
    assert both["requested"] == [{"line": "1", "quantity": "3"}, {"line": "2", "quantity": "1"}]
    rest = acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={}).json()["done"]
    assert rest["requested"] == [{"line": "1", "quantity": "1"}]
    assert site.breaches() == ()


def test_a_line_that_is_left_alone_beside_others_is_named(asking_site: Site) -> None:
    site = asking_site
    order_id, acme = site.place("PO-1", 10, 4), site.client("acme")
    acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={})
    body = {"lines": [{"line": "1"}, {"line": "2", "quantity": 1}]}
    seen = acme.post(f"{BUYER}/{order_id}/cancellation-preview", json=body).json()
    assert "Line 1: 10 units are asked for already." in seen["statement"]
    done = acme.post(f"{BUYER}/{order_id}/cancel", json=body).json()["done"]
    assert done["requested"] == [{"line": "2", "quantity": "1"}]
    assert done["notes"] == ["Line 1: 10 units are asked for already."]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("approve", {"lines": None}),
        ("approve", {"lines": [{"line": "1", "quantity": None}]}),
        ("reject", {"reason": None}),
    ],
)
def test_a_null_answers_no_request(asking_site: Site, path: str, body: dict[str, object]) -> None:
    order_id, acme, globex = (
        asking_site.place("PO-1", 10),
        asking_site.client("acme"),
        asking_site.client("globex"),
    )
    acme.post(f"{BUYER}/{order_id}/cancel", json={})
    refused = globex.post(f"{SELLER}/{order_id}/cancellation-request/{path}", json=body)
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/problems/invalid")
    assert acme.get(f"{BUYER}/{order_id}").json()["lines"][0]["requested"] == "10"
