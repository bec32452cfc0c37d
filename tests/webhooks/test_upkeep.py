"""What the hub's people see of webhooks, and what is left of them when they are old."""

from datetime import timedelta

import pytest

from storage import outbox, retention
from storage.gauges import gauges
from storage.messages import StaleMessage
from storage.states import Status, Topic
from tests.unit.pipeline.ledger_files import order
from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import Receiver


def test_a_partners_endpoint_that_is_down_is_no_mail_that_waits(hooks: Hooks, one: Receiver) -> None:
    one.answer = 500
    hooks.add("acme", one.url(), Topic.ORDER_PLACED)
    hooks.house.buyer(order("PO-1", 10))
    hooks.post()
    with hooks.house.database.reading() as tx:
        found = gauges(tx)
    assert found.unsent_since is None
    assert found.unposted_since is not None
    assert found.messages["webhook", "new"] == 1
    assert found.messages["email", "new"] == found.messages["acknowledgment", "new"] == 0


def test_the_body_of_an_old_one_is_emptied_and_it_cannot_be_sent_again(hooks: Hooks, one: Receiver) -> None:
    hooks.add("acme", one.url(), Topic.ORDER_PLACED)
    hooks.house.buyer(order("PO-1", 10))
    hooks.post()
    (sent,) = hooks.owed()
    hooks.wait(days=60)
    before, now = hooks.clock.now() - timedelta(days=30), hooks.clock.now()
    with hooks.house.database.writing() as tx:
        assert retention.prunable(tx, before).mails == 1
        assert retention.prune_mails(tx, before, now) == 1
    (kept,) = hooks.owed()
    assert (kept.payload, kept.identity, kept.status) == (b"", sent.identity, Status.SENT)
    with pytest.raises(StaleMessage), hooks.house.database.writing() as tx:
        outbox.resend(tx, kept.id, now)
    assert hooks.breaches() == ()
