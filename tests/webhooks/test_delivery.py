"""From the fact to the endpoint: what is owed, signed, posted, tried again, given up, and never lost."""

import socket
import threading
import time
from datetime import timedelta

import pytest

from pipeline.deliver import GIVE_UP_HOURS, RETRY_SECONDS
from storage import outbox, webhooks
from storage.states import Kind, Status, Topic
from tests.unit.pipeline.ledger_files import cancellation, order, shipment
from tests.webhooks.conftest import QUICK, Hooks
from tests.webhooks.receiver import HANGS, Receiver

PATIENCE_SECONDS = 20.0


def test_both_parties_are_told_once_with_the_order_as_it_stands(
    hooks: Hooks, one: Receiver, other: Receiver
) -> None:
    _, buyers = hooks.add("acme", one.url("/acme"))
    _, sellers = hooks.add("globex", other.url("/globex"))
    hooks.add("bolt", one.url("/bolt"))
    hooks.add("initech", one.url("/initech"))
    hooks.house.buyer(order("PO-1", 10, 4))
    hooks.house.seller("856", shipment("S-1", "PO-1", 3))
    hooks.house.buyer(cancellation("PO-1"))
    assert {attempt.status for attempt in hooks.post().attempts} == {Status.SENT}
    topics = ["order.placed", "order.fulfilled", "order.cancelled"]
    # Three units had left, which is told to who wanted to cancel them.
    assert [request.json["type"] for request in one.requests] == [*topics, "cancellation.refused"]
    assert [request.json["type"] for request in other.requests] == topics
    assert {request.path for request in one.requests} == {"/acme"}
    assert all(request.is_signed_with(buyers) for request in one.requests)
    assert all(request.is_signed_with(sellers) for request in other.requests)
    assert not any(request.is_signed_with(sellers) for request in one.requests)
    said = one.of("order.cancelled")[0].json["data"]
    assert (said["by"], said["order"]["po_number"], said["order"]["status"]) == ("acme", "PO-1", "complete")
    assert [(line["line"], line["quantity"]) for line in said["lines"]] == [("1", "7"), ("2", "4")]
    assert [line["open"] for line in said["order"]["lines"]] == ["0", "0"]
    assert one.of("order.fulfilled")[0].json["data"]["reference"] == "S-1"
    assert hooks.post().attempts == ()
    assert hooks.breaches() == ()


def test_what_is_ordered_more_and_shipments_taken_back_are_told_to_both(
    reopening_hooks: Hooks, one: Receiver, other: Receiver
) -> None:
    hooks = reopening_hooks
    hooks.add("acme", one.url())
    hooks.add("globex", other.url())
    hooks.house.buyer(order("PO-1", 10, 4))
    more = ["BCH*04*SA*PO-1**1*20260302", "POC*1*QI*12**EA", "POC*3*AI*5**EA*1**VN*V-3", "CTT*2"]
    hooks.house.say("860", more, sender="acme", receiver="globex")
    hooks.house.seller("856", shipment("S-1", "PO-1", 3))
    back = ["BSN*01*S-1*20260303*1300", "HL*1**S", "HL*2*1*O", "PRF*PO-1", "CTT*2"]
    assert hooks.house.seller("856", back).outcome.value == "applied"
    hooks.post()
    for told in (one, other):
        said = [(request.json["type"], request.json["data"]) for request in told.requests]
        assert [topic for topic, _ in said] == [
            "order.placed", "order.changed", "order.changed", "order.fulfilled", "shipment.withdrawn",
        ]  # fmt: skip
        changes = {data["change"]: data["lines"] for topic, data in said if topic == "order.changed"}
        moved = {change: (lines[0]["line"], lines[0]["quantity"]) for change, lines in changes.items()}
        assert moved == {"units_added": ("1", "2"), "lines_added": ("3", "5")}
        taken = said[-1][1]
        assert (taken["reference"], taken["lines"][0]["quantity"]) == ("S-1", "3")
        assert taken["order"]["lines"][0]["fulfilled"] == "0"
    assert hooks.breaches() == ()


def test_only_the_topics_asked_for_are_told(hooks: Hooks, one: Receiver) -> None:
    hooks.add("globex", one.url(), Topic.ORDER_CANCELLED)
    hooks.house.buyer(order("PO-1", 10))
    hooks.house.buyer(cancellation("PO-1"))
    hooks.post()
    assert [request.json["type"] for request in one.requests] == ["order.cancelled"]


def test_what_the_rules_refuse_is_told_to_who_asked(hooks: Hooks, one: Receiver, other: Receiver) -> None:
    hooks.add("acme", one.url(), Topic.CANCELLATION_REFUSED)
    hooks.add("globex", other.url(), Topic.CANCELLATION_REFUSED)
    hooks.house.buyer(order("PO-1", 10))
    hooks.house.seller("856", shipment("S-1", "PO-1", 10))
    hooks.house.buyer(cancellation("PO-1"))
    hooks.house.buyer(cancellation("PO-9"))
    hooks.post()
    assert other.requests == []
    said = one.requests[0].json["data"]
    assert (said["refused_by"], said["order"]["po_number"]) == ("hub", "PO-1")
    assert said["refusals"][0]["code"]
    assert hooks.breaches() == ()


def test_an_error_is_tried_again_with_the_same_id_and_bytes_until_it_is_given_up(
    hooks: Hooks, one: Receiver
) -> None:
    hooks.add("acme", one.url(), Topic.ORDER_PLACED)
    hooks.house.buyer(order("PO-1", 10))
    one.answer = 500
    for waited in RETRY_SECONDS:
        assert [attempt.status for attempt in hooks.post().attempts] == [Status.NEW]
        hooks.wait(seconds=waited - 1)
        assert hooks.post().attempts == ()
        hooks.wait(seconds=1)
    hooks.wait(hours=GIVE_UP_HOURS)
    assert [attempt.status for attempt in hooks.post().attempts] == [Status.FAILED]
    assert len({(request.id, request.body) for request in one.requests}) == 1
    stamps = [int(request.headers["webhook-timestamp"]) for request in one.requests]
    assert stamps == sorted(set(stamps))  # each attempt says its own time, or it would be taken for a replay
    (message,) = hooks.owed()
    assert "answered 500" in message.error
    with hooks.house.database.reading() as tx:
        attempts = webhooks.attempts_of(tx, [message.id])[message.id]
    assert [attempt.status for attempt in attempts] == [500] * (len(RETRY_SECONDS) + 1)
    assert {attempt.excerpt for attempt in attempts} == {"thanks"}
    hooks.wait(days=30)
    assert hooks.post().attempts == ()
    assert hooks.breaches() == ()


def test_what_failed_is_sent_again_on_purpose_under_the_same_id(hooks: Hooks, one: Receiver) -> None:
    _, secret = hooks.add("acme", one.url(), Topic.ORDER_PLACED)
    hooks.house.buyer(order("PO-1", 10))
    hooks.post()
    (sent,) = hooks.owed()
    again = hooks.house.database.run(lambda tx: outbox.resend(tx, sent.id, hooks.clock.now()))
    hooks.post()
    first, second = one.requests
    assert (first.id, first.body) == (second.id, second.body)
    assert second.is_signed_with(secret)
    assert [(message.id, message.resend_of) for message in hooks.owed()] == [
        (sent.id, None),
        (again, sent.id),
    ]
    assert hooks.breaches() == ()


def test_an_endpoint_that_is_gone_is_disabled_and_what_waits_is_refused(hooks: Hooks, one: Receiver) -> None:
    endpoint, _ = hooks.add("acme", one.url())
    for number in range(3):
        hooks.house.buyer(order(f"PO-{number}", 10))
    one.answer = 410
    assert [attempt.status for attempt in hooks.post().attempts] == [Status.REFUSED]
    hooks.house.buyer(order("PO-9", 10))
    one.answer = 200
    assert hooks.post().attempts == ()
    assert len(one.requests) == 1
    assert [message.status for message in hooks.owed()] == [Status.REFUSED] * 3
    with hooks.house.database.reading() as tx:
        found = webhooks.get_endpoint(tx, endpoint.id)
    assert found is not None
    assert (found.is_on, "410" in found.disabled_why) == (False, True)
    assert hooks.breaches() == ()


def test_one_that_hangs_makes_no_other_wait_and_is_tried_once_in_a_round(
    hooks: Hooks, one: Receiver, other: Receiver
) -> None:
    hooks.add("acme", one.url())
    hooks.add("globex", other.url())
    one.answer = HANGS
    for number in range(5):
        hooks.house.buyer(order(f"PO-{number}", 10))
    hooks.post()
    assert (len(one.requests), len(other.requests)) == (1, 5)
    one.answer = 200
    hooks.post()
    assert len({request.id for request in one.requests}) == 5
    assert len(one.requests) == 5  # the first is due later
    hooks.wait(seconds=RETRY_SECONDS[0])
    hooks.post()
    assert one.requests[-1].id == one.requests[0].id


def test_a_look_up_that_hangs_costs_its_limit_and_its_own_endpoint_alone(
    hooks: Hooks, one: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, released = socket.getaddrinfo, threading.Event()

    def found(host: str, *rest: object, **named: object) -> object:
        if host == "hangs.example":
            released.wait(PATIENCE_SECONDS)
        return real(host, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    hooks.add("acme", "http://hangs.example/hook")
    hooks.add("globex", one.url())
    for number in range(5):
        hooks.house.buyer(order(f"PO-{number}", 10))
    began = time.monotonic()
    attempts = hooks.post().attempts
    taken = time.monotonic() - began
    released.set()
    assert QUICK.look_up_seconds <= taken < PATIENCE_SECONDS / 2
    assert len(one.requests) == 5
    assert [attempt.detail for attempt in attempts if attempt.detail] == [
        "The host hangs.example could not be looked up in time."
    ]


def test_a_round_without_anything_to_post_writes_nothing(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks.add("acme", "https://hooks.example/")

    def no(_: object) -> None:
        raise AssertionError("nothing was to be written")

    monkeypatch.setattr(type(hooks.house.database), "writing", no)
    assert hooks.post().attempts == ()


def test_what_was_claimed_when_the_process_died_is_posted_again_as_it_was(
    hooks: Hooks, one: Receiver
) -> None:
    hooks.add("acme", one.url(), Topic.ORDER_PLACED)
    hooks.house.buyer(order("PO-1", 10))
    (message,) = hooks.owed()
    database = hooks.house.database
    assert database.run(lambda tx: outbox.claim(tx, message)) is not None
    assert hooks.owed()[0].status is Status.SENDING
    hooks.post()
    (request,) = one.requests
    assert (request.id, request.body) == (message.identity, message.payload)
    assert hooks.owed()[0].status is Status.SENT
    assert hooks.breaches() == ()


def test_who_was_taken_for_dead_marks_nothing(
    hooks: Hooks, one: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks.add("acme", one.url(), Topic.ORDER_PLACED)
    hooks.house.buyer(order("PO-1", 10))
    really = type(hooks.poster)._settle

    def late(poster: object, queue: object, posted: object, attempts: object) -> None:
        monkeypatch.undo()
        with hooks.house.database.writing() as tx:
            outbox.recover(tx, kind=Kind.WEBHOOK)
        hooks.post()  # another process takes it over, and posts it
        really(poster, queue, posted, attempts)  # type: ignore[arg-type]

    monkeypatch.setattr(type(hooks.poster), "_settle", late)
    assert hooks.post().attempts == ()
    assert [request.id for request in one.requests] == [hooks.owed()[0].identity] * 2
    assert (hooks.owed()[0].status, hooks.owed()[0].attempts) == (Status.SENT, 2)


def test_both_secrets_sign_while_one_takes_the_place_of_the_other(hooks: Hooks, one: Receiver) -> None:
    endpoint, old = hooks.add("acme", one.url(), Topic.ORDER_PLACED)
    at = hooks.clock.now()
    new = hooks.house.database.run(lambda tx: webhooks.rotate_secret(tx, endpoint.id, at))
    hooks.house.buyer(order("PO-1", 10))
    hooks.post()
    hooks.wait(hours=24)
    hooks.house.buyer(order("PO-2", 10))
    hooks.post()
    during, after = one.requests
    assert (during.is_signed_with(old), during.is_signed_with(new)) == (True, True)
    assert (after.is_signed_with(old), after.is_signed_with(new)) == (False, True)
    assert timedelta(hours=24) == webhooks.OVERLAP


def test_a_disabled_endpoint_is_owed_nothing_and_gets_nothing(hooks: Hooks, one: Receiver) -> None:
    endpoint, _ = hooks.add("acme", one.url())
    hooks.house.buyer(order("PO-1", 10))
    at = hooks.clock.now()
    hooks.house.database.run(lambda tx: webhooks.disable_endpoint(tx, endpoint.id, at, "by a test."))
    hooks.house.buyer(order("PO-2", 10))
    assert hooks.post().attempts == ()
    assert [(message.status, message.error) for message in hooks.owed()] == [
        (Status.REFUSED, "The endpoint is disabled: by a test.")
    ]
    assert one.requests == []
    assert hooks.breaches() == ()
