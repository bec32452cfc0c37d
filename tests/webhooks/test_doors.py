"""Whatever door a cancellation comes through, each endpoint of the two parties is told of it once."""

import threading
from pathlib import Path

import pytest

from pipeline.cli import run
from pipeline.webhooks.posting import TOTAL_SECONDS
from storage import messages
from storage.messages import OutboxMessage
from storage.states import Kind, Scope, Status, Topic
from tests.api.site import BUYER, SELLER, Site, served
from tests.unit.pipeline.ledger_files import cancellation
from tests.webhooks.conftest import settings_file
from tests.webhooks.receiver import HANGS, Json, Receiver

HOOKS = "/api/v1/webhooks"


def listen(site: Site, partner: str, url: str, *topics: Topic) -> Json:
    """An endpoint, made over HTTP; with its secret."""
    said = {"url": url, "topics": [topic.value for topic in topics or tuple(Topic)]}
    made = site.client(partner, Scope.WEBHOOKS).post(HOOKS, json=said)
    assert made.status_code == 201, made.text
    answer: Json = made.json()
    return answer


def owed(site: Site) -> list[OutboxMessage]:
    with site.application.database.reading() as tx:
        return list(messages.list_messages(tx, kind=Kind.WEBHOOK))


@pytest.mark.parametrize("door", ["file", "staff", "api"])
def test_each_endpoint_is_told_once_through_every_door(
    site: Site, one: Receiver, other: Receiver, tmp_path: Path, door: str
) -> None:
    secret = listen(site, "acme", one.url("/acme"), Topic.ORDER_CANCELLED)["secret"]
    listen(site, "acme", one.url("/acme-too"), Topic.ORDER_CANCELLED)
    listen(site, "globex", other.url("/globex"), Topic.ORDER_CANCELLED)
    for stranger in ("bolt", "initech"):
        listen(site, stranger, other.url(f"/{stranger}"))
    order_id = site.place("PO-1", 10, 4)
    if door == "file":
        site.house.buyer(cancellation("PO-1"))
    elif door == "staff":
        said = ["cancel", "PO-1", "--by", "acme", "--config", str(tmp_path / "countermand.toml")]
        assert run([*said, "--reason", "discontinued"]) == 0
        assert run(said) in (0, 1)  # a second time: nothing is left to cancel
    else:
        key = {"Idempotency-Key": "once"}
        buyer = site.client("acme")
        for _ in range(2):
            buyer.post(f"{BUYER}/{order_id}/cancel", json={"reason": "discontinued"}, headers=key)
    site.application.poster().round()
    assert sorted(request.path for request in one.requests) == ["/acme", "/acme-too"]
    assert [request.path for request in other.requests] == ["/globex"]
    assert [request.is_signed_with(secret) for request in one.requests].count(True) == 1
    for request in (*one.requests, *other.requests):
        data = request.json["data"]
        assert (request.json["type"], data["by"]) == ("order.cancelled", "acme")
        assert (data["order"]["id"], data["order"]["status"]) == (order_id, "cancelled")
        assert [line["quantity"] for line in data["lines"]] == ["10", "4"]
        assert (data["whole_order"], data["reason_text"] == "Item discontinued") == (True, door != "file")
    assert {message.status for message in owed(site)} == {Status.SENT}
    assert site.breaches() == ()


def test_a_request_and_the_sellers_no_are_told_to_both(
    tmp_path: Path, both_systems: None, one: Receiver, other: Receiver
) -> None:
    path = settings_file(tmp_path, 'buyer_cancel = "requested"')
    with served(tmp_path, settings_file=path) as site:
        listen(site, "acme", one.url())
        listen(site, "globex", other.url())
        order_id = site.place("PO-1", 10)
        site.client("acme").post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 4})
        refused = site.client("globex").post(
            f"{SELLER}/{order_id}/cancellation-request/reject", json={"note": "Too late."}
        )
        assert refused.status_code == 200, refused.text
        site.application.poster().round()
        for asked in (one, other):
            topics = [request.json["type"] for request in asked.requests]
            assert topics == ["order.placed", "cancellation.requested", "cancellation.refused"]
            data = asked.requests[-1].json["data"]
            assert (data["refused_by"], data["by"], data["note"]) == ("partner", "globex", "Too late.")
        assert site.breaches() == ()


def test_what_a_buyer_takes_back_of_its_request_is_told_to_both(
    tmp_path: Path, both_systems: None, one: Receiver, other: Receiver
) -> None:
    path = settings_file(tmp_path, 'buyer_cancel = "requested"')
    with served(tmp_path, settings_file=path) as site:
        listen(site, "acme", one.url())
        listen(site, "globex", other.url())
        order_id, acme = site.place("PO-1", 10), site.client("acme")
        for new_quantity in (5, 8, 10):
            cut = {"new_quantity": new_quantity, "note": "Recounted."}
            answer = acme.post(f"{BUYER}/{order_id}/lines/1/cancel", json=cut)
            assert answer.status_code == 200, answer.text
        site.application.poster().round()
        for told in (one, other):
            said = [(request.json["type"], request.json["data"]) for request in told.requests[1:]]
            moved = [(topic, data["lines"][0]["quantity"]) for topic, data in said]
            assert moved == [
                ("cancellation.requested", "5"), ("cancellation.withdrawn", "3"),
                ("cancellation.withdrawn", "2"),
            ]  # fmt: skip
            assert [data["order"]["lines"][0]["requested"] for _, data in said] == ["5", "2", "0"]
            assert {(data["by"], data["note"]) for _, data in said} == {("acme", "Recounted.")}
        assert site.breaches() == ()


def test_what_is_undone_is_not_told(site: Site, one: Receiver) -> None:
    listen(site, "globex", one.url())
    order_id = site.place("PO-1", 10)
    refused = site.client("acme").post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 11})
    assert refused.status_code == 409
    assert [message.subject for message in owed(site)] == ["order.placed"]
    site.application.poster().round()
    assert [request.json["type"] for request in one.requests] == ["order.placed"]


def test_a_racing_cancellation_is_told_as_often_as_it_happened(site: Site, one: Receiver) -> None:
    listen(site, "globex", one.url(), Topic.ORDER_CANCELLED)
    order_id = site.place("PO-1", 5)
    clients = [site.client("acme") for _ in range(8)]
    done: list[int] = []

    def cut(n: int) -> None:
        answer = clients[n].post(f"{BUYER}/{order_id}/lines/1/cancel", json={"quantity": 1})
        done.append(answer.status_code)

    threads = [threading.Thread(target=cut, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.count(200) == 5
    site.application.poster().round()
    assert len({request.id for request in one.requests}) == len(one.requests) == 5
    assert site.breaches() == ()


def test_a_hanging_endpoint_delays_no_cancellation(site: Site, one: Receiver) -> None:
    one.answer = HANGS
    listen(site, "globex", one.url())
    order_id = site.place("PO-1", 5)
    answer = site.client("acme").post(f"{BUYER}/{order_id}/cancel", json={})
    assert answer.elapsed.total_seconds() < TOTAL_SECONDS / 3
    assert one.requests == []
