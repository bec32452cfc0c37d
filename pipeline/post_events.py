"""Post what is owed to partners' endpoints: side by side, so that one that is down makes no other wait.

Threads only speak HTTP; claims and marks are made by who calls, in short transactions. What was claimed when
the process died is new again and is posted a second time, with the same id and the same bytes.
"""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from pipeline import journal, logbook
from pipeline.clock import Clock
from pipeline.deliver import Attempt, DeliveryReport, retry_at
from pipeline.settings import WebhookSettings
from pipeline.webhooks.bodies import ping_body
from pipeline.webhooks.posting import GONE, Limits, Posted, post
from pipeline.webhooks.signing import headers_of
from storage import outbox, webhooks
from storage.database import Database
from storage.messages import OutboxMessage, StaleMessage
from storage.states import Kind, Status
from storage.webhooks import Endpoint, PostAttempt

AT_ONCE = 16  # endpoints
EACH_MAX = 200  # messages to one endpoint in one round; the rest is due in the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """Posts what is due."""

    database: Database
    settings: WebhookSettings
    clock: Clock
    limits: Limits = Limits()  # noqa: RUF009 - frozen

    def round(self, partner: str = "") -> DeliveryReport:
        """Post what is due to all endpoints, or to one partner's, for who alone posts there.

        An endpoint that does not answer ends the round for itself; one that answers with an error does not.
        """
        with self.database.reading() as tx:
            left = outbox.is_under_way(tx, Kind.WEBHOOK, partner)
        if left:  # seldom: a round that has nothing to do writes nothing
            with self.database.writing() as tx:
                outbox.recover(tx, kind=Kind.WEBHOOK, partner=partner)
        with self.database.reading() as tx:
            now = self.clock.now()
            queues = [
                _Queue(
                    webhooks.get_endpoint(tx, endpoint_id),
                    list(outbox.due(tx, now, EACH_MAX, kind=Kind.WEBHOOK, endpoint_id=endpoint_id)),
                )
                for endpoint_id in outbox.endpoints_due(tx, now, partner=partner)
            ]
        attempts: list[Attempt] = []
        if queues:
            # Not side_by_side: what is posted next depends on what was answered, and an endpoint that hangs
            # must keep one thread of many, and no connection to the database.
            with ThreadPoolExecutor(min(AT_ONCE, len(queues)), "webhooks") as threads:
                self._work(threads, queues, attempts)
        return DeliveryReport(attempts=tuple(attempts))

    def ping(self, endpoint: Endpoint) -> Posted:
        """Post a ping now, and keep what came of it."""
        at = self.clock.now()
        body, identity = ping_body(endpoint.id, at), f"msg_ping_{endpoint.id}_{int(at.timestamp())}"
        with self.database.reading() as tx:
            secrets = webhooks.secrets_of(tx, endpoint.id, at)
        posted = self._post(endpoint, identity, body, secrets, at)
        with self.database.writing() as tx:
            webhooks.note_attempt(tx, _noted(endpoint, None, posted, at))
        return posted

    def _work(self, threads: ThreadPoolExecutor, queues: "list[_Queue]", attempts: list[Attempt]) -> None:
        """One message to each endpoint at a time, until nothing is left that can be tried now."""
        running: dict[Future[Posted], _Queue] = {}
        idle = queues
        while True:
            for queue in idle:
                if (started := self._start(threads, queue)) is not None:
                    running[started] = queue
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            idle = [running.pop(one) for one in done]
            for one, queue in zip(done, idle, strict=True):
                self._settle(queue, one.result(), attempts)

    def _start(self, threads: ThreadPoolExecutor, queue: "_Queue") -> Future[Posted] | None:
        """Claim the next message and let a thread post it; None when there is none."""
        while queue.messages and queue.endpoint is not None:
            now = self.clock.now()
            with self.database.writing() as tx:
                claimed = outbox.claim(tx, queue.messages.pop(0))
                # Asked for each message: it may have been disabled, or its secret changed, a moment ago.
                queue.endpoint = webhooks.get_endpoint(tx, queue.endpoint.id)
                assert queue.endpoint is not None
                secrets = webhooks.secrets_of(tx, queue.endpoint.id, now)
            if claimed is not None:
                queue.claimed, queue.at = claimed, now
                if not queue.endpoint.is_on:
                    return threads.submit(_nothing)
                body, identity = claimed.payload, claimed.identity
                return threads.submit(self._post, queue.endpoint, identity, body, secrets, now)
        return None

    def _post(
        self, endpoint: Endpoint, identity: str, body: bytes, secrets: tuple[str, ...], at: datetime
    ) -> Posted:
        headers = headers_of(identity, int(at.timestamp()), body, secrets)
        return post(
            endpoint.url, body, headers, allow_loopback=self.settings.allow_loopback, limits=self.limits
        )

    def _settle(self, queue: "_Queue", posted: Posted, attempts: list[Attempt]) -> None:
        """Write down what came of it, unless another process took the message over."""
        message, endpoint = queue.claimed, queue.endpoint
        assert message is not None
        assert endpoint is not None
        with suppress(StaleMessage):
            with self.database.writing() as tx:
                status = self._mark(tx, message, endpoint, posted, queue.at or self.clock.now())
            logbook.message_tried(message, status, posted.error)
            attempts.append(
                Attempt(id=message.id, kind=message.kind, to=message.to, status=status, detail=posted.error)
            )
        if posted.status is None or not endpoint.is_on or posted.status == GONE:
            queue.messages.clear()

    def _mark(
        self, tx: Connection, message: OutboxMessage, endpoint: Endpoint, posted: Posted, at: datetime
    ) -> Status:
        now = self.clock.now()
        if not endpoint.is_on:
            outbox.mark_refused(tx, message, f"The endpoint is disabled: {endpoint.disabled_why}")
            return Status.REFUSED
        webhooks.note_attempt(tx, _noted(endpoint, message.id, posted, at))
        if not posted.error:
            outbox.mark_sent(tx, message, now)
            return Status.SENT
        if posted.status == GONE:
            outbox.mark_refused(tx, message, posted.error)
            webhooks.disable_endpoint(tx, endpoint.id, now, "it answered 410 Gone.")
            journal.event("webhook_disabled", journal.WARNING, webhook=endpoint.id, partner=endpoint.partner)
            return Status.REFUSED
        again = retry_at(message, now)
        outbox.mark_failed(tx, message, posted.error, again)
        return Status.NEW if again else Status.FAILED


@dataclass(slots=True)
class _Queue:
    """What waits for one endpoint in this round."""

    endpoint: Endpoint | None
    messages: list[OutboxMessage]
    claimed: OutboxMessage | None = field(default=None)
    at: datetime | None = None  # when the claimed one was


def _nothing() -> Posted:
    """What is posted to an endpoint that was disabled meanwhile."""
    return Posted(error="The endpoint is disabled.")


def _noted(endpoint: Endpoint, message_id: int | None, posted: Posted, at: datetime) -> PostAttempt:
    return PostAttempt(
        endpoint_id=endpoint.id, message_id=message_id, at=at, duration_ms=posted.duration_ms,
        status=posted.status, error=posted.error, excerpt=posted.excerpt,
    )  # fmt: skip
