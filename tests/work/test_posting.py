"""Real workers post events: the transaction that reads a file puts the job down, and one of them does it."""

import pytest

from pipeline.clock import SystemClock
from pipeline.work import queue
from storage import webhooks
from storage.invariants import audit
from storage.states import Topic
from tests.webhooks.receiver import receiver
from tests.work.crew import Yard, crew, wait_until
from tests.work.test_worker import ONLY_JOBS, keep


@pytest.mark.needs("sshd", "postgres")
def test_workers_post_what_a_file_made_them_owe(place: Yard) -> None:
    place.config.write_text(place.config.read_text() + "\n[webhooks]\nallow_loopback = true\n")
    queue.attach(place.database)
    with receiver() as one:
        with place.database.writing() as tx:
            _, secret = webhooks.add_endpoint(tx, "acme", one.url(), tuple(Topic), SystemClock().now())
        with crew(place.config, 2, ONLY_JOBS) as workers:
            for number in (1, 2, 3):
                keep(place.database, number)
            wait_until(lambda: len(one.requests) >= 3)
            assert workers.stop() == [0, 0]
        assert sorted(r.json["data"]["order"]["po_number"] for r in one.requests) == ["PO-1", "PO-2", "PO-3"]
        assert all(request.is_signed_with(secret) for request in one.requests)
    with place.database.reading() as tx:
        assert audit(tx) == ()
