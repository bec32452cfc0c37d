"""Webhooks in the app: a company's people keep their own, support sees all, and nobody a secret twice."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from pipeline import journal
from pipeline.api.pages import webhooks as pages
from storage import messages, outbox, webhooks
from storage.messages import OutboxMessage
from storage.states import Kind, Scope, Status, Topic
from storage.webhooks import ENDPOINTS_MAX, TWICE
from tests.api.site import Site, served
from tests.app.people import Person, signed_in
from tests.app.test_hostile import Page
from tests.webhooks.conftest import settings_file
from tests.webhooks.receiver import HANGS, Receiver

HOME, SUPPORT = "/company/webhooks", "/support/webhooks"
SECRET = re.compile(r"whsec_[\w+/=]+")
HOSTILE = b"<script>alert(1)</script> \x1b[31m \xe2\x80\xae ${x} {{7*7}}"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    """A site on SQLite: what a test asks of the pages alone is asked once."""
    with served(tmp_path, settings_file=settings_file(tmp_path)) as made:
        yield made


def ada(site: Site) -> Person:
    return signed_in(site, "ada@acme.example", "acme", name="Ada Baker")


def eve(site: Site) -> Person:
    return signed_in(site, "eve@hub.example", name="Eve Adams")


def add(person: Person, url: str) -> str:
    """A webhook for everything, made by the page; its secret."""
    person.get(f"{HOME}/add")
    form = person.form(HOME) | {"url": url}
    person.client.headers["Content-Type"] = "application/x-www-form-urlencoded"
    fields = [*form.items(), *(("topic", topic.value) for topic in Topic if topic.value != form["topic"])]
    person._see(person.client.post(HOME, content=urlencode(fields)))
    del person.client.headers["Content-Type"]
    found = SECRET.search(person.page)
    assert found is not None, person.text
    return found[0]


def owed(site: Site) -> list[OutboxMessage]:
    with site.application.database.reading() as tx:
        return list(messages.list_messages(tx, kind=Kind.WEBHOOK))


def test_a_webhook_is_added_tried_and_its_secret_shown_once(site: Site, one: Receiver) -> None:
    person = ada(site)
    person.get("/company")
    assert "Add a webhook" in person.text
    secret = add(person, one.url("/in"))
    assert "it is shown this once" in person.text
    person.get(f"{HOME}/1")
    assert "Nothing yet." in person.text
    person.send(f"{HOME}/1/test")
    assert "A test was posted. It answered 200 in" in person.text
    (ping,) = one.requests
    assert (ping.json["type"], ping.is_signed_with(secret)) == ("ping", True)
    order_id = site.place("PO-1", 10)
    site.application.poster().round()
    person.get(f"{HOME}/1")
    assert "order.placed" in person.text
    assert f'href="/orders/{order_id}">PO-1<' in person.page
    assert "Taken" in person.text
    assert "It said: thanks" in person.text
    person.get("/company")
    assert f"Webhook 1 {one.url('/in')} On 200" in person.text
    for path in ("/company", f"{HOME}/1", f"{HOME}/1?said=tested"):
        person.get(path)
        assert secret[8:20] not in person.page
        Page(person.page)


def test_every_try_and_its_answer_are_shown_and_what_it_said_is_text(site: Site, one: Receiver) -> None:
    person = ada(site)
    add(person, one.url())
    site.place("PO-1", 10)
    one.answer, one.text = 503, HOSTILE
    site.application.poster().round()
    with site.application.database.writing() as tx:  # as if a minute had passed
        (message,) = messages.list_messages(tx, kind=Kind.WEBHOOK)
        claimed = outbox.claim(tx, message)
        assert claimed is not None
        outbox.mark_failed(tx, claimed, message.error, message.created_at)
    one.answer = 410
    site.application.poster().round()
    person.get(f"{HOME}/1")
    assert "All 2 tries" in person.text
    assert "The endpoint answered 503." in person.text
    assert "The endpoint answered 410, so that nothing more is posted there." in person.text
    assert "it answered 410 Gone" in person.text
    Page(person.page)
    operator = eve(site)
    for path in (f"{SUPPORT}/1", SUPPORT, f"{SUPPORT}?partner=acme", f"/support/outbox/{message.id}"):
        operator.get(path)
        Page(operator.page)
    assert '"po_number": "PO-1"' in operator.text
    assert f'href="{SUPPORT}/1"' in operator.page
    operator.get("/support/outbox?kind=webhook&partner=acme")
    assert f'href="/support/outbox/{message.id}"' in operator.page
    operator.get("/support/outbox?kind=webhook&partner=globex")
    assert "No message fits the search." in operator.text
    operator.get(f"{SUPPORT}?partner=bolt")
    assert "This company has no webhook." in operator.text


def test_what_was_posted_is_sent_again_once_for_each_time_it_is_wanted(site: Site, one: Receiver) -> None:
    person = ada(site)
    add(person, one.url())
    site.place("PO-1", 10)
    site.application.poster().round()
    person.get(f"{HOME}/1")
    action = f"{HOME}/1/deliveries/{owed(site)[0].id}/resend"
    form = person.form(action)
    person.post(action, form)
    assert "It is posted again in a moment" in person.text
    assert person.post(action, form).status_code == 409  # a double click
    assert "It was sent again since you looked at it" in person.text
    assert [message.status for message in owed(site)] == [Status.SENT, Status.NEW]
    site.application.poster().round()
    first, second = one.requests
    assert (first.id, first.body) == (second.id, second.body)
    operator = eve(site)
    operator.get(f"{SUPPORT}/1")
    operator.send(action.replace(HOME, SUPPORT))
    assert len(owed(site)) == 3
    assert site.breaches() == ()


def test_an_order_names_no_webhook_among_those_who_were_told(here: Site, one: Receiver) -> None:
    """It had called each "X12 to" the other side; the log of an endpoint is its company's."""
    person = ada(here)
    add(person, one.url())
    with here.application.database.writing() as tx:
        webhooks.add_endpoint(tx, "globex", one.url(), tuple(Topic), here.application.clock.now())
    order_id = here.place("PO-1", 10)
    person.get(f"/orders/{order_id}/cancel")
    person.send(f"/orders/{order_id}/cancel/preview", what="whole")
    person.send(f"/orders/{order_id}/cancel")
    assert "Who is told E-mail to Globex Supply : waits to be sent" in person.text
    assert "X12" not in person.text
    person.get(f"/orders/{order_id}")
    assert "E-mail to Globex Supply" in person.text
    assert "X12" not in person.text


def test_it_is_switched_off_and_on_and_who_did_it_is_said(here: Site, one: Receiver) -> None:
    person, operator = ada(here), eve(here)
    add(person, one.url())
    here.place("PO-1", 10)
    person.get(f"{HOME}/1")
    person.send(f"{HOME}/1/off")
    assert "by Ada Baker (ada@acme.example)." in person.text
    here.place("PO-2", 10)
    assert [message.status for message in owed(here)] == [Status.REFUSED]
    assert person.post(f"{HOME}/1/test", person.form("/sign-out")).status_code == 409
    operator.get(f"{SUPPORT}/1")
    assert "Nothing is posted to it." in operator.text
    operator.send(f"{SUPPORT}/1/on")
    here.place("PO-3", 10)
    here.application.poster().round()
    assert [request.json["data"]["order"]["po_number"] for request in one.requests] == ["PO-3"]
    operator.send(f"{SUPPORT}/1/deliveries/{owed(here)[0].id}/resend")  # what it missed
    here.application.poster().round()
    assert [request.json["data"]["order"]["po_number"] for request in one.requests] == ["PO-3", "PO-1"]
    operator.send(f"{SUPPORT}/1/off")
    assert "by the hub's staff." in operator.text
    assert here.breaches() == ()


def test_a_new_secret_signs_beside_the_one_in_use_even_after_a_double_click(
    site: Site, one: Receiver
) -> None:
    person = ada(site)
    first = add(person, one.url())
    person.get(f"{HOME}/1")
    form = person.form(f"{HOME}/1/secret")
    person.post(f"{HOME}/1/secret", form)
    person.post(f"{HOME}/1/secret", form)
    assert "For 24 hours both sign" in person.text
    found = SECRET.search(person.page)
    assert found is not None
    person.get(f"{HOME}/1")
    person.send(f"{HOME}/1/test")
    assert one.requests[0].is_signed_with(found[0])
    assert one.requests[0].is_signed_with(first)
    at = site.application.clock.now() + TWICE + timedelta(seconds=1)
    with site.application.database.writing() as tx:
        third = webhooks.rotate_secret(tx, 1, at)
        assert webhooks.secrets_of(tx, 1, at) == (third, found[0])  # on purpose: the one before signs


def test_a_webhook_is_its_companys_and_its_secret_nobody_elses(here: Site, one: Receiver) -> None:
    person, bob, operator = ada(here), signed_in(here, "bob@bolt.example", "bolt"), eve(here)
    add(person, one.url())
    here.place("PO-1", 10)
    here.application.poster().round()
    delivery = owed(here)[0].id
    bob.get("/company")
    assert one.url() not in bob.text
    for who, home in ((bob, HOME), (bob, SUPPORT), (person, SUPPORT), (operator, HOME)):
        who.get("/orders")
        token = who.form("/sign-out")
        assert who.get(f"{home}/1").status_code == 404
        for deed in ("off", "on", "test", "secret", f"deliveries/{delivery}/resend"):
            assert who.post(f"{home}/1/{deed}", {**token, "after": "0"}).status_code == 404, (home, deed)
    for path in (SUPPORT, f"{HOME}/2"):
        assert person.get(path).status_code == 404
    operator.get(f"{SUPPORT}/1")
    token = operator.form("/sign-out")
    assert operator.post(f"{SUPPORT}/1/secret", token).status_code == 404
    assert "signing secret" not in operator.text
    assert len(owed(here)) == 1


def test_what_is_no_webhook_is_asked_back(here: Site) -> None:
    person = ada(here)
    for fields, said in (
        ({"url": "ftp://hooks.example/"}, "must begin with https://"),
        ({"url": "https://10.0.0.1/"}, "not a public address"),
        ({"url": "hooks.example"}, "must begin with https://"),
        ({"url": "https://hooks.example/", "topic": ""}, "at least one thing"),
        ({"url": "https://hooks.example/", "topic": "order.eaten"}, "at least one thing"),
    ):
        person.get(f"{HOME}/add")
        answer = person.send(HOME, **fields)
        assert (answer.status_code, said in person.text) == (422, True), person.text
        assert person.form(HOME)["url"] == fields["url"]


def test_a_program_can_be_given_a_key_to_them_and_is_not_unless_that_is_chosen(here: Site) -> None:
    person = ada(here)
    person.get("/company")
    assert re.search(r'value="webhooks">', person.page)
    assert re.search(r'value="orders:read" checked>', person.page)
    person.send("/company/keys", name="Hooks", scope="webhooks", days="30")
    found = re.search(r"cmk_[\w-]+", person.page)
    assert found is not None
    client = here.client(secret=found[0])
    assert client.get("/api/v1/webhooks").json() == {"webhooks": []}
    assert client.get("/api/v1/buyer/orders").status_code == 403


def test_there_are_only_so_many(here: Site) -> None:
    with here.application.database.writing() as tx:
        for _ in range(ENDPOINTS_MAX):
            webhooks.add_endpoint(
                tx, "acme", "https://hooks.example/", [Topic.ORDER_PLACED], here.application.clock.now()
            )
    person = ada(here)
    person.get(f"{HOME}/add")
    person.send(HOME, url="https://hooks.example/")
    assert "There are 20 webhooks already" in person.text
    person.get(f"{HOME}/1")
    person.send(f"{HOME}/1/off")
    add(person, "https://hooks.example/")
    person.get(f"{HOME}/1")
    assert person.send(f"{HOME}/1/on").status_code == 409


def test_endpoints_that_hang_leave_the_site_its_threads(
    here: Site, one: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = ada(here)
    add(person, one.url())
    person.get(f"{HOME}/1")
    form = person.form(f"{HOME}/1/test")
    one.answer = HANGS
    monkeypatch.setattr(pages, "_TESTING", threading.BoundedSemaphore(1))
    first = threading.Thread(target=person.client.post, args=(f"{HOME}/1/test",), kwargs={"data": form})
    first.start()
    while not one.requests:
        first.join(0.02)
    other = signed_in(here, "al@acme.example", "acme")
    other.get(f"{HOME}/1")
    assert other.send(f"{HOME}/1/test").status_code == 503
    assert "Try again in a moment" in other.text
    one.released.set()
    first.join()
    other.get(f"{HOME}/1")
    one.answer = 200
    assert other.send(f"{HOME}/1/test").status_code == 200


def test_the_log_goes_on_page_by_page(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    monkeypatch.setattr("pipeline.api.pages.support_parts.PAGE_ROWS", 2)
    person = ada(here)
    add(person, "https://hooks.example/")
    for number in range(5):
        here.place(f"PO-{number}", 1)
    seen, page = [], f"{HOME}/1"
    while page:
        person.get(page)
        seen += re.findall(r'href="/orders/\d+">([^<]*)', person.page)
        more = re.search(r'href="([^"]*)" rel="next"', person.page)
        page = more[1].replace("&amp;", "&") if more else ""
    assert seen == ["PO-4", "PO-3", "PO-2", "PO-1", "PO-0"]


def test_which_of_the_hubs_people_switched_it_off_is_for_the_log_alone(
    here: Site, one: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal._LOG, "propagate", True)
    person, operator = ada(here), eve(here)
    add(person, one.url())
    here.place("PO-1", 10)
    operator.get(f"{SUPPORT}/1")
    with caplog.at_level("INFO", "countermand"):
        operator.send(f"{SUPPORT}/1/off")
    assert any("Eve Adams" in str(vars(record).get("facts")) for record in caplog.records)
    person.get(f"{HOME}/1")
    assert "by the hub's staff." in person.text
    system = here.client("acme", Scope.WEBHOOKS)
    refused = system.post(f"/api/v1/webhooks/deliveries/{owed(here)[0].id}/resend")
    assert refused.status_code == 409
    answers = [system.get(f"/api/v1/webhooks{path}").text for path in ("", "/deliveries")]
    assert all("by the hub's staff." in answer for answer in (*answers, refused.text))
    shown = "".join((person.page, refused.text, *answers))
    assert "Adams" not in shown
    assert "eve@" not in shown
    operator.send(f"{SUPPORT}/1/on")
    person.get(f"{HOME}/1")
    person.send(f"{HOME}/1/off")
    assert "by Ada Baker (ada@acme.example)." in person.text
