"""Workers and poll post events too: as work of their own, for one partner at a time."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.settings import WebhookSettings
from storage import webhooks
from storage.database import Database
from storage.due import Due, Work
from storage.states import Topic
from tests.api.site import Site, served
from tests.crash.servers import MailLog, mail_server
from tests.webhooks.conftest import settings_file
from tests.webhooks.receiver import HANGS, Receiver
from tests.webhooks.test_doors import listen
from tests.work.test_tasks import House, order_and_cancellation


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """Two partners' mailboxes, and endpoints on loopback."""
    (tmp_path / "house").mkdir()
    server = mail_server(MailLog(tmp_path / "mail.log"))
    try:
        made = House(tmp_path / "house", database, server.port)
        allowed = WebhookSettings(allow_loopback=True)
        made.tasks.settings = replace(made.settings, webhooks=allowed)
        yield made
    finally:
        server.close()


def add(house: House, partner: str, at: Receiver) -> None:
    now = house.clock.now()
    house.database.run(lambda tx: webhooks.add_endpoint(tx, partner, at.url(), tuple(Topic), now))


@pytest.mark.parametrize("twice", [False, True])
def test_a_transaction_makes_the_posting_due(
    house: House, one: Receiver, other: Receiver, twice: bool
) -> None:
    add(house, "acme", one)
    add(house, "globex", other)
    order_and_cancellation(house)
    house.tasks.poll_mailbox("acme")
    assert Work.WEBHOOKS in house.do_all(twice=twice)
    for told in (one, other):
        assert [request.json["type"] for request in told.requests] == ["order.placed", "order.cancelled"]
    assert {status for _, status in house.messages()} == {"sent"}
    assert house.tasks.waiting().due == frozenset()


def test_what_lost_its_job_is_found_by_its_rows_and_one_partners_is_not_anothers(
    house: House, one: Receiver, other: Receiver
) -> None:
    one.answer = 500
    add(house, "acme", one)
    add(house, "globex", other)
    order_and_cancellation(house)
    house.tasks.poll_mailbox("acme")
    house.tasks.read_files("acme")
    while house.queue.take() is not None:
        pass
    owed = {Due(Work.WEBHOOKS, "acme"), Due(Work.WEBHOOKS, "globex")}
    assert owed <= house.tasks.reconcile(frozenset())
    house.tasks.post_events("acme")
    assert (len(one.requests), len(other.requests)) == (2, 0)
    house.do_all()
    assert len(other.requests) == 2
    assert Due(Work.WEBHOOKS, "acme") not in house.tasks.waiting().due
    house.clock.sleep(60)
    assert Due(Work.WEBHOOKS, "acme") in house.tasks.waiting().due
    with house.queue.alone("webhooks of acme"):
        house.tasks.post_events("acme")
    assert len(one.requests) == 2


def test_a_poll_posts_and_is_not_held_up_for_long(
    tmp_path: Path, both_systems: None, one: Receiver, other: Receiver
) -> None:
    site: Site
    with served(tmp_path, settings_file=settings_file(tmp_path)) as site:
        listen(site, "acme", one.url())
        listen(site, "globex", other.url())
        site.place("PO-1", 1)
        one.answer = HANGS
        poller = site.application.poller()
        began = site.application.clock.monotonic_seconds()
        report = poller.round(wait=False)
        assert site.application.clock.monotonic_seconds() - began < 20
        tried = {attempt.to: attempt.status.value for attempt in report.deliveries.attempts}
        assert tried == {one.url(): "new", other.url(): "sent"}
