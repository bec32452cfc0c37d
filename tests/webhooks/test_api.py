"""Webhooks over HTTP and by command: made, shown without secrets, removed, sent again; each one's own."""

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from pipeline.cli import run
from storage import webhooks
from storage.states import Scope, Topic
from storage.webhooks import ENDPOINTS_MAX
from tests.api.site import ALL, Site
from tests.webhooks.receiver import Json, Receiver
from tests.webhooks.test_doors import HOOKS, listen

MEANWHILE_SECONDS = 0.5  # in which who does not wait for others would be through


def command(folder: Path, *said: str) -> tuple[int, str]:
    """Run a command; its exit code and all that it printed."""
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        code = run([*said, "--config", str(folder / "countermand.toml")])
    return code, printed.getvalue()


def test_a_secret_is_shown_once_and_nowhere_else(site: Site, one: Receiver, tmp_path: Path) -> None:
    made = listen(site, "acme", one.url())
    secret = made["secret"]
    assert secret.startswith("whsec_")
    site.place("PO-1", 10)
    one.answer = 500
    client = site.client("acme", Scope.WEBHOOKS)
    seen = [command(tmp_path, "deliver")[1], command(tmp_path, "deliver", "--json")[1]]
    seen += [client.get(HOOKS).text, client.get(f"{HOOKS}/deliveries").text]
    for said in (["webhook", "list"], ["webhook", "test", "1"], ["outbox"], ["order", "PO-1"], ["metrics"]):
        seen.append(command(tmp_path, *said)[1])
        if said != ["metrics"]:
            seen.append(command(tmp_path, *said, "--json")[1])
    seen.append(client.delete(f"{HOOKS}/1").text)
    assert all(seen)
    assert not any(secret.removeprefix("whsec_")[:12] in text for text in seen)
    with site.application.database.reading() as tx:
        assert secret[8:20] not in repr(webhooks.list_endpoints(tx))


def test_a_partner_sees_and_removes_its_own_only(site: Site, one: Receiver) -> None:
    mine = listen(site, "acme", one.url())
    site.place("PO-1", 10)
    site.application.poster().round()
    own, strangers = site.client("acme", Scope.WEBHOOKS), site.client("globex", Scope.WEBHOOKS)
    (delivery,) = own.get(f"{HOOKS}/deliveries").json()["deliveries"]
    assert (delivery["topic"], delivery["status"]) == ("order.placed", "sent")
    assert delivery["webhook_id"] == one.requests[0].id
    assert [attempt["status"] for attempt in delivery["attempts"]] == [200]
    assert strangers.get(HOOKS).json() == {"webhooks": []}
    assert strangers.get(f"{HOOKS}/deliveries").json() == {"deliveries": [], "next": None}
    assert strangers.get(f"{HOOKS}/deliveries?webhook={mine['id']}").json()["deliveries"] == []
    assert strangers.delete(f"{HOOKS}/{mine['id']}").status_code == 404
    assert strangers.post(f"{HOOKS}/deliveries/{delivery['id']}/resend").status_code == 404
    (shown,) = own.get(HOOKS).json()["webhooks"]
    assert (shown["enabled"], shown["last_attempt"]["status"]) == (True, 200)
    assert own.delete(f"{HOOKS}/{mine['id']}").json()["enabled"] is False
    assert own.post(f"{HOOKS}/deliveries/{delivery['id']}/resend").status_code == 409
    assert strangers.post(f"{HOOKS}/{mine['id']}/enable").status_code == 404
    assert own.post(f"{HOOKS}/{mine['id']}/enable").json()["enabled"] is True
    assert own.post(f"{HOOKS}/deliveries/{delivery['id']}/resend").status_code == 201


def test_nobody_sees_or_sends_what_is_no_webhook(site: Site) -> None:
    site.place("PO-1", 10)
    site.client("globex").post("/api/v1/seller/orders/1/cancel", json={})
    (mail,) = site.mails()
    client = site.client("acme", Scope.WEBHOOKS)
    assert client.post(f"{HOOKS}/deliveries/{mail.id}/resend").status_code == 404


def test_a_delivery_is_sent_again_with_the_same_id_and_bytes(site: Site, one: Receiver) -> None:
    listen(site, "acme", one.url())
    site.place("PO-1", 10)
    client = site.client("acme", Scope.WEBHOOKS)
    (delivery,) = client.get(f"{HOOKS}/deliveries").json()["deliveries"]
    assert client.post(f"{HOOKS}/deliveries/{delivery['id']}/resend").status_code == 409  # sent anyway
    site.application.poster().round()
    again = client.post(f"{HOOKS}/deliveries/{delivery['id']}/resend")
    assert (again.status_code, again.json()["resend_of"]) == (201, delivery["id"])
    site.application.poster().round()
    first, second = one.requests
    assert (first.id, first.body) == (second.id, second.body)
    assert site.breaches() == ()


def test_deliveries_come_a_page_at_a_time(site: Site, one: Receiver) -> None:
    listen(site, "acme", one.url())
    for number in range(5):
        site.place(f"PO-{number}", 1)
    client, found, before = site.client("acme", Scope.WEBHOOKS), list[Json](), ""
    while True:
        page = client.get(f"{HOOKS}/deliveries?limit=2{before}").json()
        found += page["deliveries"]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    ids = [delivery["id"] for delivery in found]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 5


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_scope_is_needed(site: Site, method: str) -> None:
    assert getattr(site.client("acme", *ALL), method)(HOOKS).status_code in (403, 422)
    assert site.client("acme", *ALL).get(f"{HOOKS}/deliveries").status_code == 403
    assert site.client().get(HOOKS).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://hooks.example/", "topics": []},
        {"url": "https://hooks.example/", "topics": ["order.eaten"]},
        {"url": "https://10.0.0.1/", "topics": ["order.placed"]},
        {"url": "https://[::ffff:169.254.169.254]/", "topics": ["order.placed"]},
        {"url": "https://2130706433/", "topics": ["order.placed"]},
        {"url": "https://hooks.example/", "topics": ["order.placed"], "secret": "mine"},
    ],
)
def test_what_is_no_webhook_is_refused(site: Site, body: Json) -> None:
    refused = site.client("acme", Scope.WEBHOOKS).post(HOOKS, json=body)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"


def test_there_are_only_so_many(site: Site, one: Receiver) -> None:
    for _ in range(ENDPOINTS_MAX):
        listen(site, "acme", one.url())
    body = {"url": one.url(), "topics": ["order.placed"]}
    client = site.client("acme", Scope.WEBHOOKS)
    assert client.post(HOOKS, json=body).status_code == 409
    client.delete(f"{HOOKS}/1")
    assert client.post(HOOKS, json=body).status_code == 201


def test_who_adds_at_the_same_time_is_counted_too(site: Site, one: Receiver) -> None:
    for _ in range(ENDPOINTS_MAX - 1):
        listen(site, "acme", one.url())
    body = {"url": one.url(), "topics": ["order.placed"]}
    client, database = site.client("acme", Scope.WEBHOOKS), site.application.database
    with ThreadPoolExecutor() as pool:
        with database.writing() as tx:  # somebody who has counted, and has not committed what it adds
            assert len(webhooks.list_endpoints(tx, "acme", alone=True)) == ENDPOINTS_MAX - 1
            added = pool.submit(client.post, HOOKS, json=body)
            time.sleep(MEANWHILE_SECONDS)
            webhooks.add_endpoint(tx, "acme", one.url(), [Topic.ORDER_PLACED], site.application.clock.now())
        assert added.result().status_code == 409


def test_by_command(site: Site, one: Receiver, tmp_path: Path) -> None:
    add = ["webhook", "add", "--partner", "acme", "--url", one.url(), "--topic", "order.placed"]
    code, said = command(tmp_path, *add, "--json")
    made = json.loads(said)
    assert (code, made["topics"], made["enabled"]) == (0, ["order.placed"], True)
    assert command(tmp_path, "webhook", "test", "1")[0] == 0
    (ping,) = one.requests
    assert (ping.json["type"], ping.is_signed_with(made["secret"])) == ("ping", True)
    new = json.loads(command(tmp_path, "webhook", "rotate", "1", "--json")[1])["secret"]
    site.place("PO-1", 10)
    code, said = command(tmp_path, "deliver", "--json")
    assert (code, json.loads(said)["sent"]) == (0, 1)
    assert one.requests[1].is_signed_with(new)
    assert "200" in command(tmp_path, "webhook", "list")[1]
    message = json.loads(command(tmp_path, "outbox", "--json")[1])["messages"][0]
    assert (message["kind"], message["status"]) == ("webhook", "sent")
    assert command(tmp_path, "resend", str(message["id"]))[0] == 0
    assert 'countermand_messages{kind="webhook",status="new"} 1' in command(tmp_path, "metrics")[1]
    assert command(tmp_path, "deliver")[0] == 0
    assert one.requests[2].id == one.requests[1].id
    assert command(tmp_path, "audit")[0] == 0
    assert command(tmp_path, "webhook", "disable", "1")[0] == 0
    assert "is off: by the hub's staff." in command(tmp_path, "webhook", "test", "1")[1]
    assert json.loads(command(tmp_path, "webhook", "enable", "1", "--json")[1])["enabled"] is True
    assert command(tmp_path, "webhook", "enable", "9")[0] == 2
    one.answer = 500
    assert command(tmp_path, "webhook", "test", "1")[0] == 2
    assert command(tmp_path, "webhook", "disable", "1")[0] == 0
    assert command(tmp_path, "webhook", "test", "1")[0] == 2
    assert command(tmp_path, "webhook", "disable", "7")[0] == 2
    for url in ("https://10.0.0.1/", "ftp://hooks.example/"):
        assert command(tmp_path, *add[:4], "--url", url, "--topic", "order.placed")[0] == 2
    assert command(tmp_path, "webhook", "add", "--partner", "nobody", *add[4:])[0] == 2


def test_what_is_no_topic_is_said_with_those_there_are(site: Site) -> None:
    acme = site.client("acme", Scope.WEBHOOKS)
    for topics in ([], ["order.shut"]):
        answer = acme.post(HOOKS, json={"url": "https://mine.example/hook", "topics": topics})
        assert answer.status_code == 422
        assert "order.placed, order.cancelled" in answer.json()["faults"][0]["message"]
