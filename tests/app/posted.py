"""What endpoints made of webhooks, for tests that look at pages: taken, refused, silent, and waiting."""

from storage import messages, outbox, webhooks
from storage.messages import OutboxMessage
from storage.states import Kind, Topic
from storage.webhooks import Endpoint, PostAttempt
from tests.api.site import Site

URL = "https://erp.globex.example/hooks/countermand?tenant=globex-supply-eu-west-1&channel=orders"
_SAID = "<html><body><h1>Service Unavailable</h1>Back at ten.</body></html>"


def endpoint(site: Site, partner: str = "globex") -> Endpoint:
    """An endpoint for everything."""
    at = site.application.clock.now()
    return site.application.database.run(
        lambda tx: webhooks.add_endpoint(tx, partner, URL, tuple(Topic), at)
    )[0]


def answer(site: Site) -> None:
    """What is owed is tried: the first one until it is given up, the second is tried again later."""
    with site.application.database.reading() as tx:
        first, second, *others = messages.list_messages(tx, kind=Kind.WEBHOOK)
    for tries_left in (2, 1, 0):
        _tried(site, first, "The endpoint did not answer in time.", None, again=tries_left > 0)
    _tried(site, second, "The endpoint answered 503.", 503, again=True)
    for message in others[:-1]:
        _tried(site, message, "", 200, again=False)


def _tried(
    site: Site, message: OutboxMessage, error: str, status: int | None, *, again: bool = False
) -> None:
    at = site.application.clock.now()
    with site.application.database.writing() as tx:
        claimed = outbox.claim(tx, message)
        assert claimed is not None
        assert message.endpoint_id is not None
        excerpt = "thanks" if status == 200 else _SAID if status else ""
        webhooks.note_attempt(
            tx,
            PostAttempt(
                endpoint_id=message.endpoint_id, message_id=message.id, at=at,
                duration_ms=38 if status else 15_004, status=status, error=error, excerpt=excerpt,
            ),
        )  # fmt: skip
        if not error:
            outbox.mark_sent(tx, claimed, at)
        else:
            outbox.mark_failed(tx, claimed, error, at if again else None)
