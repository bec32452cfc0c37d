"""Webhooks: where a company's events are posted, what each endpoint answered, and posting again.

The same pages for a company's people, who see their own, and for support, who sees everybody's. A secret is
shown to the company's people alone.
"""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from pipeline.api.pages import drafts, once
from pipeline.api.pages.ordering import names_of
from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_parts import (
    PAGE_ROWS,
    Before,
    RowId,
    Search,
    nothing_done,
    page_of,
    partners_of,
)
from pipeline.api.pages.visitors import (
    PageError,
    SignedIn,
    Visitor,
    field,
    not_there,
    operators_only,
    partners_only,
)
from pipeline.api.state import application_of
from pipeline.endpoints import Keeper, NotKept
from pipeline.webhooks.targets import URL_CHARS_MAX
from storage import lookups, messages, webhooks
from storage.lookups import MessageLine, MessagesWanted
from storage.states import Status, Topic
from storage.webhooks import Endpoint, PostAttempt

COMPANY, SUPPORT = "/company/webhooks", "/support/webhooks"
TESTS_AT_ONCE = 2  # each keeps one of the site's threads for as long as the endpoint takes

_TESTING = threading.BoundedSemaphore(TESTS_AT_ONCE)
TOPICS = {
    Topic.ORDER_PLACED: "an order was placed",
    Topic.ORDER_CANCELLED: "units were cancelled, all of an order or some",
    Topic.ORDER_CHANGED: "the buyer ordered more: lines, or units of lines",
    Topic.ORDER_FULFILLED: "units were shipped",
    Topic.SHIPMENT_WITHDRAWN: "a shipment was taken back, and its units are open again",
    Topic.CANCELLATION_REQUESTED: "the buyer asks to cancel, and the seller has to answer",
    Topic.CANCELLATION_WITHDRAWN: "the buyer takes back its request to cancel, all of it or part",
    Topic.CANCELLATION_REFUSED: "a cancellation was refused",
}
_STATES = {
    Status.NEW: "Waits", Status.SENDING: "Being posted", Status.COMMITTING: "Being posted",
    Status.SENT: "Taken", Status.FAILED: "Given up", Status.REFUSED: "Not posted",
    Status.UNCERTAIN: "Uncertain",
}  # fmt: skip


def make_router() -> APIRouter:
    """A company's own webhooks, and everybody's for support."""
    router = APIRouter()
    own = APIRouter(prefix=COMPANY, dependencies=[Depends(partners_only)])
    every = APIRouter(prefix=SUPPORT, dependencies=[Depends(operators_only)])
    _add_making(own)
    _add_list(every)
    for part in (own, every):
        _add_endpoint(part)
        router.include_router(part)
    return router


def listed(tx: Connection, partner: str = "") -> list[tuple[Endpoint, PostAttempt | None]]:
    """Endpoints with what came of the last attempt at each; those that are on come first."""
    found = webhooks.list_endpoints(tx, partner)
    last = webhooks.last_attempts(tx, [one.id for one in found])
    return [(one, last.get(one.id)) for one in sorted(found, key=lambda one: not one.is_on)]


def _add_making(router: APIRouter) -> None:
    """What shows a secret."""

    @router.get("/add")
    def form(request: Request, visitor: SignedIn) -> Response:
        return _form(request, visitor, "", tuple(Topic))

    @router.post("")
    def add(request: Request, visitor: SignedIn) -> Response:
        url = field(request, "url", URL_CHARS_MAX)
        said = request.state.form.getlist("topic")
        topics = [topic for topic in Topic if topic.value in said]
        if not topics:
            return _form(
                request, visitor, url, topics, "Choose of what you want to be told, at least one thing."
            )
        key = once.key_of_form(request, url, *(topic.value for topic in topics))
        try:
            made, secret = _keeper(request, visitor).add(url, topics, key)
        except NotKept as error:
            return _form(request, visitor, url, topics, str(error))
        secret = once.shown(request, key, secret)
        return _endpoint(request, visitor, made.id, secret=secret) if secret else _made(visitor, made.id)

    @router.post("/{webhook_id}/secret")
    def rotate(request: Request, visitor: SignedIn, webhook_id: RowId) -> Response:
        with _said():
            keeper = _keeper(request, visitor)
            keeper.find(webhook_id)
            key = once.key_of_form(request, str(webhook_id))
            secret = once.shown(request, key, keeper.rotate(webhook_id, key))
        if not secret:
            return _made(visitor, webhook_id)
        return _endpoint(request, visitor, webhook_id, secret=secret, is_rotated=True)


def _made(visitor: Visitor, webhook_id: int) -> Response:
    """Its secret was shown, and cannot be any more."""
    return _back(visitor, webhook_id, "made")


def _form(
    request: Request, visitor: Visitor, url: str, topics: Collection[Topic], fault: str = ""
) -> Response:
    return render(
        request, "webhook_add.html.j2", visitor, status=422 if fault else 200, fault=fault, url=url,
        topics=[(topic.value, words, topic in topics) for topic, words in TOPICS.items()],
        url_chars_max=URL_CHARS_MAX, key=drafts.new_key(),
    )  # fmt: skip


def _add_list(router: APIRouter) -> None:
    @router.get("")
    def every(request: Request, visitor: SignedIn, partner: Search = "") -> Response:
        application = application_of(request)
        with application.database.reading() as tx:
            found = listed(tx, partner)
        named = names_of(application.settings)
        return render(
            request, "support/webhooks.html.j2", visitor, partner=partner,
            partners=partners_of(application.settings),
            webhooks=[(one, last, named(one.partner)) for one, last in found],
        )  # fmt: skip


def _add_endpoint(router: APIRouter) -> None:
    @router.get("/{webhook_id}")
    def show(
        request: Request, visitor: SignedIn, webhook_id: RowId, said: Search = "", before: Before = None
    ) -> Response:
        return _endpoint(request, visitor, webhook_id, said=said, before=before)

    @router.post("/{webhook_id}/off")
    def off(request: Request, visitor: SignedIn, webhook_id: RowId) -> Response:
        with _said():
            _keeper(request, visitor).switch_off(webhook_id)
        return _back(visitor, webhook_id)

    @router.post("/{webhook_id}/on")
    def on(request: Request, visitor: SignedIn, webhook_id: RowId) -> Response:
        with _said():
            _keeper(request, visitor).switch_on(webhook_id)
        return _back(visitor, webhook_id)

    @router.post("/{webhook_id}/test")
    def test(request: Request, visitor: SignedIn, webhook_id: RowId) -> Response:
        if not _TESTING.acquire(blocking=False):
            raise PageError(503, "Just now it does not work", "Others are testing. Try again in a moment.")
        try:
            with _said():
                _keeper(request, visitor).test(webhook_id)
        finally:
            _TESTING.release()
        return _back(visitor, webhook_id, "tested")

    @router.post("/{webhook_id}/deliveries/{delivery_id}/resend")
    def resend(request: Request, visitor: SignedIn, webhook_id: RowId, delivery_id: RowId) -> Response:
        after = field(request, "after", 9)
        with _said():
            _keeper(request, visitor).resend(delivery_id, after=int(after) if after.isdecimal() else 0)
        return _back(visitor, webhook_id, "resent")


def _keeper(request: Request, visitor: Visitor) -> Keeper:
    own = visitor.partner.id if visitor.partner else ""
    return Keeper(application=application_of(request), partner=own, by=visitor.actor)


@contextmanager
def _said() -> Iterator[None]:
    """What is not there is a 404, and any other no a page with its sentence."""
    with nothing_done():
        try:
            yield
        except NotKept as error:
            if error.name.startswith("no-such"):
                raise not_there() from error
            raise


def _home(visitor: Visitor) -> str:
    return SUPPORT if visitor.is_operator else COMPANY


def _back(visitor: Visitor, webhook_id: int, said: str = "") -> Response:
    query = f"?said={said}" if said else ""
    return RedirectResponse(f"{_home(visitor)}/{webhook_id}{query}", 303)


def _endpoint(
    request: Request, visitor: Visitor, webhook_id: int, *, secret: str = "", is_rotated: bool = False,
    said: str = "", before: int | None = None,
) -> Response:  # fmt: skip
    """An endpoint and its log. `secret`: just made, shown this once."""
    application, own = application_of(request), visitor.partner.id if visitor.partner else ""
    with application.database.reading() as tx:
        endpoint = webhooks.get_endpoint(tx, webhook_id, own)
        if endpoint is None:
            raise not_there()
        last = webhooks.last_attempts(tx, [webhook_id]).get(webhook_id)
        wanted = MessagesWanted(posted_to=endpoint)
        found = lookups.list_lines(tx, wanted, before_id=before, limit=PAGE_ROWS + 1)
        ids = [one.id for one in found[:PAGE_ROWS]]
        attempts, repeated = webhooks.attempts_of(tx, ids), messages.repetitions(tx, ids)
    page = page_of(found, {}, before)
    page["rows"] = [
        _delivery(one, attempts.get(one.id, []), repeated.get(one.id, 0)) for one in found[:PAGE_ROWS]
    ]
    return render(
        request, "webhook.html.j2", visitor, endpoint=endpoint, last=last, log=page, secret=secret,
        is_rotated=is_rotated, home=_home(visitor), company=names_of(application.settings)(endpoint.partner),
        topics=[(topic.value, words) for topic, words in TOPICS.items() if topic in endpoint.topics],
        is_tested=said == "tested" and last is not None and last.message_id is None,
        is_resent=said == "resent", is_made=said == "made", key=drafts.new_key(),
    )  # fmt: skip


def _delivery(message: MessageLine, attempts: list[PostAttempt], repeated: int) -> dict[str, object]:
    topic = next((words for topic, words in TOPICS.items() if topic.value == message.subject), "")
    return {
        "id": message.id, "topic": message.subject, "words": topic, "status": message.status.value,
        "state": _STATES[message.status], "order": message.order, "order_id": message.order_id,
        "created_at": message.created_at, "error": message.error, "resend_of": message.resend_of,
        "due_at": message.due_at if message.status is Status.NEW and message.attempts else None,
        "attempts": attempts[::-1], "repeated": repeated,
        "is_final": message.status in (Status.SENT, Status.FAILED, Status.REFUSED),
    }  # fmt: skip
