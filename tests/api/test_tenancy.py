"""A key sees its own partner's orders and nothing else: whatever else has that number is not there."""

import pytest

from tests.api.site import ALL, BUYER, SELLER, Site, figures

#: Every route that names an order: who must not get through, and a body that would do if it were theirs.
ROUTES = [
    ("GET", "", None),
    ("POST", "/cancel", {}),
    ("POST", "/cancel", {"lines": [{"line": "1", "quantity": 1}]}),
    ("POST", "/lines/1/cancel", {"quantity": 1}),
    ("POST", "/cancellation-preview", {}),
]
SELLERS_ROUTES = [
    ("POST", "/acknowledge", {}),
    ("POST", "/fulfil", {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 1}]}),
    ("POST", "/cancellation-request/approve", {}),
    ("POST", "/cancellation-request/reject", {}),
]


def test_every_route_that_names_an_order_is_tried_here(site: Site) -> None:
    paths = site.client().get("/api/openapi.json").json()["paths"]
    named = {path.split("{order_id}")[1].replace("{line}", "1") for path in paths if "{order_id}" in path}
    assert named == {path for _, path, _ in (*ROUTES, *SELLERS_ROUTES)}


@pytest.mark.parametrize(
    ("stranger", "side"),
    [("bolt", BUYER), ("initech", SELLER), ("acme", SELLER), ("globex", BUYER)],
    ids=["another buyer", "another seller", "its buyer as seller", "its seller as buyer"],
)
def test_anothers_order_is_not_there_and_is_answered_as_one_that_is_not(
    site: Site, stranger: str, side: str
) -> None:
    order_id, client = site.place("PO-1", 10), site.client(stranger)
    routes = ROUTES + (SELLERS_ROUTES if side == SELLER else [])
    for method, path, body in routes:
        answers = [
            client.request(method, f"{side}/{number}{path}", json=body) for number in (order_id, 999_999)
        ]
        assert [answer.status_code for answer in answers] == [404, 404], path
        assert answers[0].content == answers[1].content
        hidden = ("date", "x-request-id")
        heads = [{k: v for k, v in answer.headers.items() if k not in hidden} for answer in answers]
        assert heads[0] == heads[1]
    read = site.client("acme").get(f"{BUYER}/{order_id}").json()
    assert figures(read) == [("1", "10", "0", "0", "10")]
    assert len(read["events"]) == 1
    assert site.mails() == []


def test_a_list_has_only_ones_own(site: Site) -> None:
    site.place("PO-1", 10)
    for stranger, side in (("bolt", BUYER), ("initech", SELLER)):
        client = site.client(stranger)
        assert client.get(side).json() == {"orders": [], "next": None}
        assert client.get(side, params={"po_number": "PO-1"}).json()["orders"] == []
        assert client.get(side, params={"item": "V-1"}).json()["orders"] == []


def test_one_partners_idempotency_key_is_nothing_to_another(site: Site) -> None:
    mine, theirs = site.place("PO-1", 10), site.place("PO-2", 10, buyer="bolt", seller="initech")
    named = {"Idempotency-Key": "same"}
    for client, order_id in ((site.client("acme"), mine), (site.client("bolt"), theirs)):
        done = client.post(f"{BUYER}/{order_id}/cancel", json={}, headers=named)
        assert (done.status_code, done.json()["id"]) == (200, order_id)
        assert "Idempotency-Replayed" not in done.headers


def test_whose_scope_is_missing_learns_nothing_of_the_order(site: Site) -> None:
    order_id = site.place("PO-1", 10)
    needed = {"/acknowledge": ALL[1], "/fulfil": ALL[1], "": ALL[0], "/cancellation-preview": ALL[0]}
    for method, path, body in (*ROUTES, *SELLERS_ROUTES):
        scope = needed.get(path, ALL[2])
        client = site.client("globex", *(one for one in ALL if one is not scope))
        answers = [
            client.request(method, f"{SELLER}/{number}{path}", json=body) for number in (order_id, 999_999)
        ]
        assert [answer.status_code for answer in answers] == [403, 403], path
        assert answers[0].json()["scope"] == scope.value
        assert answers[0].content == answers[1].content
    assert site.mails() == []
