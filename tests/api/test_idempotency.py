"""The same request twice has one effect and one answer, for ever; and nothing is done to what has changed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from tests.api.site import BUYER, SELLER, Site, an_order, figures

THREADS = 8


def at_once(
    client: httpx.Client, address: str, body: object, headers: dict[str, str]
) -> list[httpx.Response]:
    """The same request from many threads, begun together."""
    ready = threading.Barrier(THREADS)

    def ask(_: int) -> httpx.Response:
        ready.wait()
        return client.post(address, json=body, headers=headers)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(ask, range(THREADS)))


def test_many_at_once_under_one_key_have_one_effect_and_one_answer(site: Site) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    answers = at_once(
        acme, f"{BUYER}/{order_id}/lines/1/cancel", {"quantity": 1}, {"Idempotency-Key": "cut-1"}
    )
    assert [answer.status_code for answer in answers] == [200] * THREADS
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["ETag"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == THREADS - 1
    assert figures(acme.get(f"{BUYER}/{order_id}").json()) == [("1", "10", "0", "1", "9")]
    assert len(site.mails()) == 1
    assert site.breaches() == ()


def test_many_at_once_without_a_key_cancel_no_more_than_there_is(site: Site) -> None:
    order_id, acme = site.place("PO-1", 5), site.client("acme")
    answers = at_once(acme, f"{BUYER}/{order_id}/lines/1/cancel", {"quantity": 1}, {})
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [409] * 3
    assert figures(acme.get(f"{BUYER}/{order_id}").json()) == [("1", "5", "0", "5", "0")]
    assert len(site.mails()) == 5
    assert site.breaches() == ()


def test_many_at_once_place_one_order(site: Site) -> None:
    answers = at_once(site.client("acme"), BUYER, an_order("PO-1", 5), {"Idempotency-Key": "place-1"})
    assert [answer.status_code for answer in answers] == [201] * THREADS
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(site.client("acme").get(BUYER).json()["orders"]) == 1


@pytest.mark.parametrize("body", [{"quantity": 2}, {"quantity": 1, "note": "now"}, {}])
def test_the_same_key_for_another_request_is_a_mistake(site: Site, body: dict[str, object]) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    named = {"Idempotency-Key": "cut-1"}
    acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 1}, headers=named)
    other = acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json=body, headers=named)
    assert (other.status_code, other.json()["type"]) == (422, "/api/problems/key-reused")
    elsewhere = acme.post(f"{BUYER}/{order_id}/lines/2/cancel", json={"quantity": 1}, headers=named)
    assert elsewhere.status_code == 422
    assert figures(acme.get(f"{BUYER}/{order_id}").json()) == [("1", "10", "0", "1", "9")]


def test_an_answer_stays_whatever_became_of_the_order_and_of_the_key_that_asked(site: Site) -> None:
    order_id, named = site.place("PO-1", 10), {"Idempotency-Key": "cut-1"}
    first = site.client("acme").post(
        f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 1}, headers=named
    )
    site.client("globex").post(f"{SELLER}/{order_id}/cancel", json={})
    later = site.client("acme").post(
        f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": "1"}, headers=named
    )
    assert later.headers["Idempotency-Replayed"] == "true"
    assert (later.status_code, later.content) == (first.status_code, first.content)
    assert later.headers["ETag"] == first.headers["ETag"]


def test_a_refusal_is_answered_again_as_a_refusal(site: Site) -> None:
    """The caller may have seen it; what was refused must not happen when it only asks again."""
    order_id, globex, named = site.place("PO-1", 10), site.client("globex"), {"Idempotency-Key": "once"}
    body = {"shipment_id": "S-1", "lines": [{"line": "1", "quantity": 11}]}
    first = globex.post(f"{SELLER}/{order_id}/fulfil", json=body, headers=named)
    again = globex.post(f"{SELLER}/{order_id}/fulfil", json=body, headers=named)
    assert (first.status_code, again.status_code) == (409, 409)
    assert first.content == again.content
    assert again.headers["Content-Type"] == "application/problem+json"


def test_nothing_is_done_to_an_order_that_changed(site: Site) -> None:
    order_id, acme, globex = site.place("PO-1", 10), site.client("acme"), site.client("globex")
    known = acme.get(f"{BUYER}/{order_id}").headers["ETag"]
    globex.post(f"{SELLER}/{order_id}/lines/1/cancel", json={"quantity": 1})
    changed = acme.post(f"{BUYER}/{order_id}/cancel", json={}, headers={"If-Match": known})
    assert (changed.status_code, changed.json()["type"]) == (412, "/api/problems/order-changed")
    now = acme.get(f"{BUYER}/{order_id}")
    assert changed.headers["ETag"] == now.headers["ETag"]
    assert figures(now.json()) == [("1", "10", "0", "1", "9")]
    named = {"If-Match": now.headers["ETag"], "Idempotency-Key": "k"}
    assert acme.post(f"{BUYER}/{order_id}/cancel", json={}, headers=named).status_code == 200
    assert acme.post(f"{BUYER}/{order_id}/cancel", json={}, headers=named).status_code == 200
    for anything in ("*", f'"other", {acme.get(f"{BUYER}/{order_id}").headers["ETag"]}'):
        said = acme.post(f"{BUYER}/{order_id}/cancel", json={}, headers={"If-Match": anything})
        assert said.status_code == 200


def test_a_key_whose_request_was_not_taken_is_free_for_the_next(site: Site) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    named = {"Idempotency-Key": "k"}
    stale = acme.post(f"{BUYER}/{order_id}/cancel", json={}, headers={**named, "If-Match": '"old"'})
    assert stale.status_code == 412
    assert acme.post(f"{BUYER}/999/cancel", json={}, headers=named).status_code == 404
    assert acme.post(f"{BUYER}/{order_id}/cancel", json={}, headers=named).status_code == 200


def test_of_many_that_saw_the_same_order_one_changes_it(site: Site) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    known = {"If-Match": acme.get(f"{BUYER}/{order_id}").headers["ETag"]}
    answers = at_once(acme, f"{BUYER}/{order_id}/lines/1/cancel", {"quantity": 1}, known)
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * (THREADS - 1)
    assert figures(acme.get(f"{BUYER}/{order_id}").json()) == [("1", "10", "0", "1", "9")]


@pytest.mark.parametrize("key", ["", "x" * 256, "with blank", "ü".encode("latin-1").decode("latin-1")])
def test_a_key_that_is_none_is_refused(site: Site, key: str) -> None:
    order_id, acme = site.place("PO-1", 10), site.client("acme")
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = acme.post(f"{BUYER}/{order_id}/cancel", json={}, headers=headers)
    assert answer.status_code == 422
    assert figures(acme.get(f"{BUYER}/{order_id}").json()) == [("1", "10", "0", "0", "10")]


def test_time_does_not_matter_to_a_key() -> None:
    """Nothing in the table of answers says when one ends."""
    from storage.models import table

    assert timedelta not in {column.type.python_type for column in table("idempotency_key").c}
    assert not [column.name for column in table("idempotency_key").c if "expire" in column.name]
