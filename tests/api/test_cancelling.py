"""Cancelling over HTTP: whole and in part, by either side; why not; who is told; previews."""

import pytest

from pipeline.contents import text_of
from tests.api.site import BUYER, SELLER, Site, figures
from tests.unit.pipeline.ledger_files import cancellation

SIDES = [("acme", BUYER, "globex"), ("globex", SELLER, "acme")]


def ship(site: Site, order_id: int, shipment_id: str, **units: int) -> None:
    """Units of lines leave: ship(site, 1, "S-1", l1=4)."""
    lines = [{"line": name.removeprefix("l"), "quantity": quantity} for name, quantity in units.items()]
    left = site.client("globex").post(
        f"{SELLER}/{order_id}/fulfil", json={"shipment_id": shipment_id, "lines": lines}
    )
    assert left.status_code == 200, left.text


@pytest.mark.parametrize(("partner", "side", "other"), SIDES)
def test_either_side_cancels_the_whole_order_and_the_other_is_told_once(
    site: Site, partner: str, side: str, other: str
) -> None:
    order_id = site.place("PO-1", 10, 4)
    client = site.client(partner)
    body = {"reason": "no_longer_wanted", "note": "Called off by phone."}
    done = client.post(f"{side}/{order_id}/cancel", json=body)
    assert (done.status_code, done.json()["status"]) == (200, "cancelled")
    assert done.json()["done"]["cancelled"] == [
        {"line": "1", "quantity": "10"}, {"line": "2", "quantity": "4"},
    ]  # fmt: skip
    (mail,) = site.mails()
    assert mail.to == f"desk@{other}.example"
    assert "No longer wanted" in text_of(mail)
    assert "Called off by phone." in text_of(mail)
    assert "API key" not in text_of(mail)  # whose system it was is that company's business
    again = client.post(f"{side}/{order_id}/cancel", json=body)
    assert (again.status_code, again.json()["done"]["outcome"]) == (200, "duplicate")
    assert len(site.mails()) == 1
    event = again.json()["events"][-1]
    assert (event["by"], event["reason"], event["note"]) == (partner, body["reason"], body["note"])
    assert event["actor"].startswith("API key ")
    assert site.breaches() == ()


@pytest.mark.parametrize(("partner", "side", "other"), SIDES)
def test_either_side_cancels_units_of_a_line(site: Site, partner: str, side: str, other: str) -> None:
    order_id, client = site.place("PO-1", 10, 4), site.client(partner)
    some = client.post(f"{side}/{order_id}/lines/1/cancel", json={"quantity": "3"})
    assert figures(some.json()) == [("1", "10", "0", "3", "7"), ("2", "4", "0", "0", "4")]
    to_five = client.post(f"{side}/{order_id}/lines/1/cancel", json={"new_quantity": 5})
    assert figures(to_five.json())[0] == ("1", "10", "0", "5", "5")
    rest = client.post(f"{side}/{order_id}/lines/2/cancel", json={})
    assert figures(rest.json())[1] == ("2", "4", "0", "4", "0")
    assert [mail.to for mail in site.mails()] == [f"desk@{other}.example"] * 3
    assert site.breaches() == ()


@pytest.mark.parametrize(("partner", "side", "other"), SIDES)
def test_a_new_quantity_is_what_is_left_whatever_the_zeros_before_a_lines_name(
    site: Site, partner: str, side: str, other: str
) -> None:
    order_id, client = site.place("PO-1", 10), site.client(partner)
    ship(site, order_id, "S-1", l1=2)
    done = client.post(f"{side}/{order_id}/lines/01/cancel", json={"new_quantity": 3})
    assert done.json()["done"]["cancelled"] == [{"line": "1", "quantity": "7"}]
    assert figures(done.json()) == [("1", "10", "2", "7", "1")]
    again = client.post(f"{side}/{order_id}/lines/1/cancel", json={"new_quantity": 3})
    assert (again.status_code, again.json()["done"]["outcome"]) == (200, "duplicate")
    below = client.post(f"{side}/{order_id}/lines/1/cancel", json={"new_quantity": 1}).json()
    assert (below["type"], below["asked"]) == ("/api/problems/exceeds-open", "2")
    above = client.post(f"{side}/{order_id}/lines/1/cancel", json={"new_quantity": 4}).json()
    assert above["type"] == "/api/problems/quantities-do-not-fit"
    assert "Line 1: to leave 4 units: " in above["detail"]
    assert len(site.mails()) == 1
    assert site.breaches() == ()


def test_a_line_has_one_new_quantity_and_no_other_figure_beside_it(site: Site) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    for other in ({"new_quantity": 5}, {"quantity": 5}, {}):
        body = {"lines": [{"line": "1", "new_quantity": 5}, {"line": "01", **other}]}
        refused = acme.post(f"{BUYER}/{order_id}/cancel", json=body)
        assert (refused.status_code, refused.json()["type"]) == (409, "/api/problems/contradictory")
    assert figures(acme.get(f"{BUYER}/{order_id}").json()) == [("1", "10", "0", "0", "10")]


def test_several_lines_are_cancelled_together_or_not_at_all(site: Site) -> None:
    order_id, acme = site.place("PO-1", 10, 4), site.client("acme")
    too_much = {"lines": [{"line": "1", "quantity": 2}, {"line": "2", "quantity": 5}]}
    refused = acme.post(f"{BUYER}/{order_id}/cancel", json=too_much)
    assert (refused.status_code, refused.json()["line"]) == (409, "2")
    fits = {"lines": [{"line": "1", "quantity": 2}, {"line": "2", "new_quantity": 1}]}
    done = acme.post(f"{BUYER}/{order_id}/cancel", json=fits)
    assert figures(done.json()) == [("1", "10", "0", "2", "8"), ("2", "4", "0", "3", "1")]
    assert len(site.mails()) == 1


def test_more_than_is_open_is_refused_with_the_figures_and_nobody_is_told(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    ship(site, order_id, "S-1", l1=4)
    refused = site.client("acme").post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 7})
    problem = refused.json()
    assert refused.status_code == 409
    assert problem["type"] == "/api/problems/exceeds-open"
    assert problem["title"] == "More than is open on the line."
    shown = [problem[name] for name in ("line", "asked", "ordered", "fulfilled", "cancelled", "open")]
    assert shown == ["1", "7", "10", "4", "0", "6"]
    assert "to cancel 7 units" in problem["detail"]
    assert figures(site.client("acme").get(f"{BUYER}/{order_id}").json()) == [("1", "10", "4", "0", "6")]
    assert site.mails() == []


def test_an_order_that_left_in_part_is_cancelled_only_as_its_open_rest(site: Site) -> None:
    order_id, globex = site.place("PO-1", 10, 4), site.client("globex")
    ship(site, order_id, "S-1", l1=4)
    refused = globex.post(f"{SELLER}/{order_id}/cancel", json={})
    assert (refused.status_code, refused.json()["type"]) == (409, "/api/problems/part-shipped")
    rest = globex.post(f"{SELLER}/{order_id}/cancel", json={"unfulfilled_only": True})
    assert (rest.status_code, rest.json()["status"]) == (200, "complete")
    assert figures(rest.json()) == [("1", "10", "4", "6", "0"), ("2", "4", "0", "4", "0")]
    (not_done,) = rest.json()["done"]["not_done"]
    assert (not_done["line"], not_done["fulfilled"]) == ("1", "4")
    assert (not_done["cancelled"], not_done["open"]) == ("6", "0")
    again = globex.post(f"{SELLER}/{order_id}/cancel", json={"unfulfilled_only": True}).json()["done"]
    assert (again["outcome"], again["notes"]) == (
        "duplicate", ["What had not left of the order is cancelled already."],
    )  # fmt: skip
    assert site.breaches() == ()


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("cancel", {}, "order-fulfilled"),
        ("cancel", {"unfulfilled_only": True}, "order-fulfilled"),
        ("lines/1/cancel", {"quantity": 1}, "line-fulfilled"),
        ("lines/1/cancel", {"quantity": 0}, "quantity-zero"),
        ("lines/1/cancel", {"new_quantity": 11}, "quantities-do-not-fit"),
        ("lines/1/cancel", {"new_quantity": 0}, "line-fulfilled"),
        ("lines/1/cancel", {"new_quantity": "0.5"}, "quantity-fraction"),
        ("lines/1/cancel", {"quantity": "0.5"}, "quantity-fraction"),
        ("lines/7/cancel", {"quantity": 1}, "line-unknown"),
        ("lines/7/cancel", {"new_quantity": 1}, "line-unknown"),
    ],
)
def test_what_left_stays_and_every_refusal_has_its_type(
    site: Site, path: str, body: dict[str, object], problem: str
) -> None:
    order_id = site.place("PO-1", 10)
    ship(site, order_id, "S-1", l1=10)
    refused = site.client("acme").post(f"{BUYER}/{order_id}/{path}", json=body)
    assert (refused.status_code, refused.json()["type"]) == (409, f"/api/problems/{problem}")
    assert figures(site.client("acme").get(f"{BUYER}/{order_id}").json()) == [("1", "10", "10", "0", "0")]
    assert site.mails() == []


def test_what_is_cancelled_is_neither_shipped_nor_cancelled_again(site: Site) -> None:
    order_id, globex = site.place("PO-1", 10), site.client("globex")
    assert globex.post(f"{SELLER}/{order_id}/lines/1/cancel", json={"quantity": 10}).status_code == 200
    again = globex.post(f"{SELLER}/{order_id}/lines/1/cancel", json={"quantity": 1})
    assert (again.status_code, again.json()["type"]) == (409, "/api/problems/line-cancelled")
    body = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 1}]}
    shipped = globex.post(f"{SELLER}/{order_id}/fulfil", json=body)
    assert (shipped.status_code, shipped.json()["type"]) == (409, "/api/problems/order-cancelled")


def test_a_file_and_the_api_cancel_the_same_order_once(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    assert site.house.buyer(cancellation("PO-1")).outcome.value == "applied"
    again = site.client("acme").post(f"{BUYER}/{order_id}/cancel", json={})
    assert again.json()["done"]["outcome"] == "duplicate"
    assert len(site.mails()) == 1
    assert site.breaches() == ()


TWICE = [{"line": "2", "quantity": 1}, {"line": "1", "quantity": 2}, {"line": "1", "quantity": 2}]


@pytest.mark.parametrize("path", ["cancel", "cancellation-preview"])
def test_a_cancellation_names_each_line_once(site: Site, path: str) -> None:
    order_id, acme = site.place("PO-1", 10, 4), site.client("acme")
    refused = acme.post(f"{BUYER}/{order_id}/{path}", json={"lines": TWICE})
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/problems/invalid")
    (fault,) = refused.json()["faults"]
    assert (fault["place"], fault["message"]) == ("body.lines", "Name each line once.")
    assert figures(acme.get(f"{BUYER}/{order_id}").json())[0] == ("1", "10", "0", "0", "10")
    assert site.mails() == []


@pytest.mark.parametrize(
    "body",
    [
        {"quantity": 1, "new_quantity": 1},
        {"reason": "because"},
        {"note": "x" * 501},
        {"note": "a\x07"},
        {"quantity": 1.0},
        {"force": True},
    ],
)
def test_a_line_is_not_cancelled_by_a_body_that_is_not_understood(
    site: Site, body: dict[str, object]
) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    assert acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json=body).status_code == 422
    assert figures(acme.get(f"{BUYER}/{order_id}").json()) == [("1", "10", "0", "0", "10")]


def test_a_preview_says_what_would_be_done_and_does_nothing(site: Site) -> None:
    order_id, acme = site.place("PO-1", 10, 4, 2), site.client("acme")
    ship(site, order_id, "S-1", l1=4, l2=4)
    before = acme.get(f"{BUYER}/{order_id}")
    seen = acme.post(f"{BUYER}/{order_id}/cancellation-preview", json={"unfulfilled_only": True})
    said = seen.json()
    assert (seen.status_code, said["possible"], said["effect"]) == (200, True, "cancelled")
    assert said["cannot_be_undone"] is True
    assert said["statement"] == "This cannot be undone. Globex Supply is told at once."
    assert [(one["line"], one["can_cancel"], one["would_cancel"]) for one in said["lines"]] == [
        ("1", "6", "6"), ("2", "0", "0"), ("3", "2", "2"),
    ]  # fmt: skip
    why_not = [line["why_not"] for line in said["lines"]]
    assert why_not[0] == "Line 1: 4 of 10 units had left already and cannot be cancelled."
    assert "4 of 4 units" in why_not[1]
    assert why_not[2] is None
    assert said["told"] == [{"partner": "globex", "name": "Globex Supply", "by": ["email"]}]
    after = acme.get(f"{BUYER}/{order_id}")
    assert after.text == before.text
    assert site.mails() == []
    done = acme.post(
        f"{BUYER}/{order_id}/cancel",
        json={"unfulfilled_only": True}, headers={"If-Match": seen.headers["ETag"]},
    )  # fmt: skip
    would = [{"line": one["line"], "quantity": one["would_cancel"]} for one in said["lines"]]
    assert done.json()["done"]["cancelled"] == [units for units in would if units["quantity"] != "0"]


@pytest.mark.parametrize(
    ("body", "type_name"),
    [
        ({}, "PART_SHIPPED"),
        ({"lines": [{"line": "1", "quantity": 7}]}, "EXCEEDS_OPEN"),
        ({"lines": [{"line": "2", "quantity": 1}]}, "LINE_CANCELLED"),
        ({"lines": [{"line": "9"}]}, "LINE_UNKNOWN"),
    ],
)
def test_a_preview_says_what_cannot_be_and_the_request_then_says_the_same(
    site: Site, body: dict[str, object], type_name: str
) -> None:
    order_id, acme = site.place("PO-1", 10, 4), site.client("acme")
    ship(site, order_id, "S-1", l1=4)
    acme.post(f"{BUYER}/{order_id}/lines/2/cancel", json={})
    seen = acme.post(f"{BUYER}/{order_id}/cancellation-preview", json=body).json()
    assert (seen["possible"], seen["effect"], seen["told"]) == (False, "nothing", [])
    assert seen["refusals"][0]["code"] == type_name
    assert "a cancelled unit can be neither fulfilled nor cancelled again" in seen["lines"][1]["why_not"]
    refused = acme.post(f"{BUYER}/{order_id}/cancel", json=body)
    assert refused.status_code == 409
    assert refused.json()["refusals"] == seen["refusals"]


@pytest.mark.parametrize(
    "body", ['{"quantity": "1", "quantity": "9"}', '{"quantity": "1", "note": "x", "note": "y"}']
)
def test_a_body_that_says_the_same_thing_twice_is_refused(site: Site, body: str) -> None:
    order_id, globex = site.place("PO-1", 10), site.client("globex")
    headers = {"Content-Type": "application/json"}
    refused = globex.post(f"{SELLER}/{order_id}/lines/1/cancel", content=body, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/problems/invalid")
    assert "twice" in str(refused.json()["faults"])
    assert figures(globex.get(f"{SELLER}/{order_id}").json()) == [("1", "10", "0", "0", "10")]


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("cancel", {"lines": None}, "body.lines"),
        ("cancellation-preview", {"lines": None}, "body.lines"),
        ("cancel", {"lines": [{"line": "1", "quantity": None}]}, "body.lines.0.quantity"),
        ("cancel", {"lines": [{"line": "1", "quantity": 1}, {"line": "2", "new_quantity": None}]},
         "body.lines.1.new_quantity"),
        ("lines/1/cancel", {"quantity": None}, "body.quantity"),
        ("lines/1/cancel", {"new_quantity": None}, "body.new_quantity"),
        ("lines/1/cancel", {"quantity": 1, "reason": None}, "body.reason"),
    ],
)  # fmt: skip
def test_a_null_cancels_nothing(site: Site, path: str, body: dict[str, object], place: str) -> None:
    """Left out it means all of it; a null is what a program sends that lost its figure."""
    order_id, acme = site.place("PO-1", 10, 4), site.client("acme")
    refused = acme.post(f"{BUYER}/{order_id}/{path}", json=body)
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/problems/invalid")
    (fault,) = refused.json()["faults"]
    assert fault["place"] == place
    assert "is null" in fault["message"]
    assert "leave it out" in fault["message"]
    assert figures(acme.get(f"{BUYER}/{order_id}").json())[0] == ("1", "10", "0", "0", "10")


def test_no_body_that_cancels_is_described_with_a_null(site: Site) -> None:
    schemas = site.client().get("/api/openapi.json").json()["components"]["schemas"]
    for name in ("CancelOrder", "CancelLine", "NamedCut", "Approve", "AgreedLine", "Answer"):
        for said in schemas[name]["properties"].values():
            assert {"type": "null"} not in said.get("anyOf", [])
            assert "default" not in said or said["default"] is not None
