"""Webhooks over HTTP: a partner's endpoints, what was posted to them, and posting it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from pipeline.api.callers import Caller, needs
from pipeline.api.paging import ID_MAX
from pipeline.api.patterns import PAGE_MAX
from pipeline.api.problems import PREFIX, ApiProblem
from pipeline.api.said import StrictRoute
from pipeline.api.state import application_of
from pipeline.endpoints import Keeper, NotKept
from pipeline.views import endpoint_json, posting_json
from pipeline.webhooks.targets import URL_CHARS_MAX
from storage import messages, webhooks
from storage.states import Kind, Scope, Topic
from storage.webhooks import Endpoint

HOOKS = needs(Scope.WEBHOOKS)
Id = Annotated[int, Path(ge=1, le=ID_MAX)]


class AddWebhook(BaseModel):
    """Where events are to be posted, and which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(min_length=1, max_length=URL_CHARS_MAX, description="https://...")]
    topics: Annotated[frozenset[Topic], Field(min_length=1)]


class AttemptOut(BaseModel):
    """One attempt to post something."""

    at: str
    status: int | None = Field(description="Of HTTP; null: there was no answer.")
    error: str | None
    answer: str = Field(description="The beginning of what was answered.")
    duration_ms: int


class WebhookOut(BaseModel):
    """An endpoint, without its secret."""

    id: int
    partner: str
    url: str
    topics: list[str]
    enabled: bool
    created_at: str
    disabled_at: str | None
    disabled_why: str | None
    last_attempt: AttemptOut | None


class MadeOut(WebhookOut):
    """A new endpoint with what its deliveries are signed with, which is not shown again."""

    secret: str


class WebhooksOut(BaseModel):
    """All endpoints, disabled ones too."""

    webhooks: list[WebhookOut]


class DeliveryOut(BaseModel):
    """Something posted to an endpoint, or to be posted. `webhook_id` is the header of that name."""

    id: int
    webhook: int
    webhook_id: str
    topic: str
    order: int | None
    status: str
    error: str | None
    created_at: str
    due_at: str | None
    sent_at: str | None
    resend_of: int | None
    attempts: list[AttemptOut]


class DeliveriesOut(BaseModel):
    """Deliveries, newest first; `next` goes into `before` for the page after, null on the last."""

    deliveries: list[DeliveryOut]
    next: int | None


def make_router() -> APIRouter:
    """All routes of webhooks."""
    router = APIRouter(prefix=f"{PREFIX}/webhooks", tags=["webhooks"], route_class=StrictRoute)
    _add_endpoints(router)
    _add_deliveries(router)
    return router


def _add_endpoints(router: APIRouter) -> None:
    @router.get("", response_model=WebhooksOut, operation_id="webhooks")
    def show(request: Request, caller: Annotated[Caller, HOOKS]) -> Response:
        """Your endpoints."""
        with application_of(request).database.reading() as tx:
            found = webhooks.list_endpoints(tx, caller.partner.id)
            last = webhooks.last_attempts(tx, [one.id for one in found])
        return JSONResponse({"webhooks": [endpoint_json(one, last.get(one.id)) for one in found]})

    @router.post("", response_model=MadeOut, status_code=201, operation_id="add_webhook")
    def add(request: Request, caller: Annotated[Caller, HOOKS], body: AddWebhook) -> Response:
        """Have events posted somewhere. The secret in the answer is not shown again."""
        with _as_problem():
            made, secret = _keeper(request, caller).add(body.url, body.topics)
        return JSONResponse({**endpoint_json(made, None), "secret": secret}, 201)

    @router.delete("/{webhook_id}", response_model=WebhookOut, operation_id="remove_webhook")
    def remove(request: Request, caller: Annotated[Caller, HOOKS], webhook_id: Id) -> Response:
        """Post nothing more there. It stays in the list, with what was posted."""
        with _as_problem():
            return _shown(request, _keeper(request, caller).switch_off(webhook_id))

    @router.post("/{webhook_id}/enable", response_model=WebhookOut, operation_id="enable_webhook")
    def enable(request: Request, caller: Annotated[Caller, HOOKS], webhook_id: Id) -> Response:
        """Post there again what happens from now on; what it missed can be posted by `resend`."""
        with _as_problem():
            return _shown(request, _keeper(request, caller).switch_on(webhook_id))


def _add_deliveries(router: APIRouter) -> None:
    @router.get("/deliveries", response_model=DeliveriesOut, operation_id="webhook_deliveries")
    def deliveries(
        request: Request,
        caller: Annotated[Caller, HOOKS],
        webhook: Annotated[int | None, Query(ge=1, le=ID_MAX, description="To this endpoint only.")] = None,
        before: Annotated[int | None, Query(ge=1, le=ID_MAX)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    ) -> Response:
        """What was and will be posted to your endpoints, newest first, with every attempt."""
        with application_of(request).database.reading() as tx:
            found = messages.list_messages(
                tx, kind=Kind.WEBHOOK, partner=caller.partner.id, endpoint_id=webhook, before=before,
                limit=limit + 1, with_payload=False,
            )  # fmt: skip
            page = found[::-1][:limit]
            attempts = webhooks.attempts_of(tx, [one.id for one in page])
        said = [posting_json(one, attempts.get(one.id, ())) for one in page]
        return JSONResponse({"deliveries": said, "next": page[-1].id if len(found) > limit else None})

    @router.post(
        "/deliveries/{delivery_id}/resend",
        response_model=DeliveryOut, status_code=201, operation_id="resend_webhook_delivery",
    )  # fmt: skip
    def resend(request: Request, caller: Annotated[Caller, HOOKS], delivery_id: Id) -> Response:
        """Post it again: the same id and the same bytes."""
        with _as_problem():
            made = _keeper(request, caller).resend(delivery_id)
        return JSONResponse(posting_json(made, ()), 201)


def _shown(request: Request, endpoint: Endpoint) -> Response:
    with application_of(request).database.reading() as tx:
        last = webhooks.last_attempts(tx, [endpoint.id]).get(endpoint.id)
    return JSONResponse(endpoint_json(endpoint, last))


def _keeper(request: Request, caller: Caller) -> Keeper:
    return Keeper(application=application_of(request), partner=caller.partner.id, by=caller.actor)


_PROBLEMS = {
    "bad-url": (422, "Nothing can be posted there."),
    "too-many-webhooks": (409, "More are not possible."),
    "no-such-webhook": (404, "There is no such webhook."),
    "no-such-delivery": (404, "There is no such delivery."),
    "webhook-disabled": (409, "Its endpoint is disabled."),
    "not-again": (409, "It cannot be posted again now."),
}


@contextmanager
def _as_problem() -> Iterator[None]:
    try:
        yield
    except NotKept as error:
        status, title = _PROBLEMS[error.name]
        raise ApiProblem(status, error.name, title, str(error)) from error
