"""What is posted, listed and disabled is found by an index, however much was posted before."""

from pathlib import Path

from pipeline.post_events import Poster
from pipeline.settings import WebhookSettings
from storage import lookups, messages, webhooks
from storage.lookups import MessagesWanted
from storage.states import Kind, Topic
from tests.crash.world import StoppedClock
from tests.operations.test_plans import _scans_on_sqlite, _traced
from tests.unit.pipeline.house import house_with
from tests.unit.pipeline.ledger_files import cancellation, order
from tests.webhooks.conftest import NOW
from tests.webhooks.receiver import Receiver


def test_nothing_looks_through_all_that_was_posted(tmp_path: Path, one: Receiver) -> None:
    house, clock = house_with(tmp_path, ""), StoppedClock(NOW)
    settings = WebhookSettings(allow_loopback=True)
    poster = Poster(database=house.database, settings=settings, clock=clock)
    house.database.upgrade()
    house.database.close()  # so that its connections are new ones
    with _traced() as statements:
        with house.database.writing() as tx:
            for partner in ("acme", "globex"):
                webhooks.add_endpoint(tx, partner, one.url(), tuple(Topic), NOW)
        house.buyer(order("PO-1", 5))
        house.buyer(cancellation("PO-1"))
        assert len(poster.round().attempts) == 4
        one.answer = 410
        house.buyer(order("PO-2", 5))
        poster.round("acme")
        with house.database.reading() as tx:
            found = messages.list_messages(tx, kind=Kind.WEBHOOK, partner="acme", limit=2, before=99)
            listed = messages.list_messages(tx, kind=Kind.WEBHOOK, partner="acme", endpoint_id=1, limit=2)
            assert len(found) == len(listed) == 2
            endpoint = webhooks.get_endpoint(tx, 1)
            assert lookups.list_lines(tx, MessagesWanted(posted_to=endpoint), limit=2)
            assert messages.repetitions(tx, [found[0].id]) == {}
            assert len(webhooks.attempts_of(tx, [one.id for one in found])) == 2
            assert set(webhooks.last_attempts(tx, [1, 2])) == {1, 2}
    assert _scans_on_sqlite(house.database, {one for one in statements if "webhook" in one}) == set()
    with house.database.reading() as tx:
        (listing,) = [one for one in statements if "outbox.id < 99" in one]
        plan = [str(step[3]) for step in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + listing)]
        log = [one for one in statements if "FROM webhook_attempt" in one]
        plans = [str(step[3]) for one in log for step in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + one)]
        own = [one for one in statements if "outbox.endpoint_id = 1" in one and "DESC" in one]
        own_plans = [str(step[3]) for one in own for step in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + one)]
        due = [one for one in statements if "endpoint_id" in one and "due_at <=" in one]
        due_plans = [str(step[3]) for one in due for step in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + one)]
    assert plan == ["SEARCH outbox USING INDEX outbox_webhooks (partner=? AND id<?)"]
    assert len(own) == 2
    assert all("INDEX outbox_endpoint" in step for step in own_plans if "outbox" in step), own_plans
    assert plans
    assert all("SEARCH" in step or "TEMP B-TREE" in step for step in plans)
    assert due_plans
    assert all("outbox_status_index" in step or "TEMP B-TREE" in step for step in due_plans), due_plans
    house.database.close()
