"""Routes: every address of the API. Thin: who asks, what is meant, and the ledger's answer."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from pipeline.api import meanings, shapes
from pipeline.api.answers import ChangedOut, OrderOut, PageOut, etag_of, order_of
from pipeline.api.callers import Caller, needs
from pipeline.api.desk import Asked, own_order
from pipeline.api.moments import Moment
from pipeline.api.paging import CURSOR_CHARS_MAX, ID_MAX, cursor_of, place_of
from pipeline.api.patterns import KEY, PAGE_MAX
from pipeline.api.preview import PreviewOut, preview
from pipeline.api.problems import MEANINGS, PREFIX, TYPES, ApiProblem
from pipeline.api.said import StrictRoute
from pipeline.api.state import application_of, desk_of
from pipeline.partners import Role
from pipeline.views import row_json
from storage import deadlines, order_lists
from storage.commands import Consent
from storage.loading import load_order
from storage.order_lists import Wanted
from storage.orders import OrderStatus
from storage.refusals import Refusal
from storage.states import Scope

_ASKS = "true: those of which the buyer asked to cancel units, and nobody has answered; false: the others."

OrderId = Annotated[int, Path(ge=1, le=ID_MAX, description="The order's `id`.")]
LinePath = Annotated[str, Path(min_length=1, max_length=40, description="The line's name.")]
Idempotency = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=255, pattern=KEY,
        description="Yours for this request, for ever: the same again has the same answer and no effect.",
    ),
]  # fmt: skip
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=1000, description="The ETag you know: 412 when the order changed."),
]

READ, WRITE, CANCEL = needs(Scope.READ), needs(Scope.WRITE), needs(Scope.CANCEL)


def make_router() -> APIRouter:
    """All routes, for both sides."""
    router = APIRouter(prefix=PREFIX, route_class=StrictRoute)
    for side in (Role.BUYER, Role.SELLER):
        router.include_router(_both(side), prefix=f"/{side.value}", tags=[side.value])
    router.include_router(_buyers(), prefix="/buyer", tags=["buyer"])
    router.include_router(_sellers(), prefix="/seller", tags=["seller"])
    return router


def _both(side: Role) -> APIRouter:
    """What either side may do with its own orders."""
    router = APIRouter(route_class=StrictRoute)
    _add_reading(router, side)
    _add_preview(router, side)
    _add_cancelling(router, side)
    return router


def _add_reading(router: APIRouter, side: Role) -> None:
    @router.get("/orders", response_model=PageOut, operation_id=f"{side.value}_orders")
    def orders(
        request: Request,
        caller: Annotated[Caller, READ],
        status: OrderStatus | None = None,
        po_number: Annotated[str, Query(max_length=60)] = "",
        item: Annotated[str, Query(max_length=80, description="A product id of one of its lines.")] = "",
        placed_since: Annotated[Moment | None, Query(description="Placed then, or later.")] = None,
        placed_until: Annotated[Moment | None, Query(description="Placed before then, and not then.")] = None,
        cancellation_requested: Annotated[bool | None, Query(description=_ASKS)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        cursor: Annotated[str, Query(max_length=CURSOR_CHARS_MAX)] = "",
    ) -> Response:
        """Your orders, newest first. `next` is the cursor of the next page."""
        _check_side(caller, side)
        wanted = Wanted(
            **{side.value: caller.partner.id}, status=status, po_number=po_number, item=item,
            placed_since=placed_since, placed_before=placed_until, asks=cancellation_requested,
        )  # fmt: skip
        after = place_of(cursor) if cursor else None
        with application_of(request).database.reading() as tx:
            found = order_lists.page_of_orders(tx, wanted, after=after, limit=limit + 1)
            ids = [order.id for order in found[:limit]]
            totals, due = order_lists.totals_of(tx, ids), deadlines.next_of(tx, ids)
        page = [row_json(order, totals.get(order.id, ()), due.get(order.id)) for order in found[:limit]]
        more = len(found) > limit
        return JSONResponse({"orders": page, "next": cursor_of(found[limit - 1]) if more else None})

    @router.get("/orders/{order_id}", response_model=OrderOut, operation_id=f"{side.value}_order")
    def order(request: Request, caller: Annotated[Caller, READ], order_id: OrderId) -> Response:
        """One order: its lines and all that happened to it."""
        with application_of(request).database.reading() as tx:
            own_order(tx, order_id, side, caller)
            found, etag = order_of(tx, order_id, caller.partner.id)
        return JSONResponse(found, headers={"ETag": etag})


def _add_preview(router: APIRouter, side: Role) -> None:
    @router.post(
        "/orders/{order_id}/cancellation-preview",
        response_model=PreviewOut, operation_id=f"{side.value}_preview",
    )  # fmt: skip
    def foresee(
        request: Request, caller: Annotated[Caller, READ], order_id: OrderId, body: shapes.CancelOrder
    ) -> Response:
        """What the same body to `cancel` would do now; nothing is done. Its ETag fits If-Match."""
        application = application_of(request)
        speaker = caller.speaks(application.clock.now())
        with application.database.reading() as tx:
            mark = own_order(tx, order_id, side, caller)
            loaded = load_order(tx, order_id)
            assert loaded is not None
            command = meanings.cancel(application.settings, body, speaker, loaded.order)
            seen = preview(tx, application.settings, speaker, order_id, command)
        return JSONResponse(seen, headers={"ETag": etag_of(order_id, mark)})


def _add_cancelling(router: APIRouter, side: Role) -> None:
    @router.post(
        "/orders/{order_id}/cancel", response_model=ChangedOut, operation_id=f"{side.value}_cancel_order"
    )
    def cancel(
        request: Request, caller: Annotated[Caller, CANCEL], order_id: OrderId, body: shapes.CancelOrder,
        key: Idempotency = None, if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        """Cancel what is open of the order, or units of lines. It cannot be undone."""
        settings = application_of(request).settings
        asked = _asked(request, caller, side, body, key, if_match)
        return desk_of(request).change(
            asked, order_id, lambda who, order: (meanings.cancel(settings, body, who, order), None)
        )

    @router.post(
        "/orders/{order_id}/lines/{line:path}/cancel",
        response_model=ChangedOut, operation_id=f"{side.value}_cancel_line",
    )  # fmt: skip
    def cancel_line(
        request: Request, caller: Annotated[Caller, CANCEL], order_id: OrderId, line: LinePath,
        body: shapes.CancelLine, key: Idempotency = None, if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        """Cancel units of one line. It cannot be undone."""
        settings = application_of(request).settings
        asked = _asked(request, caller, side, body, key, if_match)
        return desk_of(request).change(
            asked, order_id, lambda who, order: (meanings.cancel_line(settings, body, line, who, order), None)
        )


def _buyers() -> APIRouter:
    """What only buyers do."""
    router = APIRouter(route_class=StrictRoute)

    @router.post(
        "/orders", response_model=ChangedOut, status_code=201, operation_id="buyer_place_order",
        responses={200: {"model": ChangedOut, "description": "Placed before, with the same content."}},
    )  # fmt: skip
    def place(
        request: Request, caller: Annotated[Caller, WRITE], body: shapes.Place, key: Idempotency = None
    ) -> Response:
        """Place an order. The same number with the same content again changes nothing."""
        _check_side(caller, Role.BUYER)
        seller = body.seller or caller.partner.default_counterparty
        known = application_of(request).settings.directory.get(seller)
        if known is None or known.role is not Role.SELLER:
            said = "There is no such seller." if body.seller else "Name the seller: none is agreed."
            raise ApiProblem(422, "no-such-seller", said)
        asked = _asked(request, caller, Role.BUYER, body, key, None)
        return desk_of(request).place(asked, lambda who: meanings.place(body, seller, asked.body, who))

    return router


def _sellers() -> APIRouter:
    """What only sellers do."""
    router = APIRouter(route_class=StrictRoute)

    @router.post(
        "/orders/{order_id}/acknowledge", response_model=ChangedOut, operation_id="seller_acknowledge"
    )
    def acknowledge(
        request: Request, caller: Annotated[Caller, WRITE], order_id: OrderId, body: shapes.Acknowledge,
        key: Idempotency = None, if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        """Answer an order. What is rejected is cancelled, and stays so."""
        asked = _asked(request, caller, Role.SELLER, body, key, if_match)
        return desk_of(request).change(
            asked, order_id, lambda who, order: (meanings.acknowledge(body, who, order), None)
        )

    @router.post("/orders/{order_id}/fulfil", response_model=ChangedOut, operation_id="seller_fulfil")
    def fulfil(
        request: Request, caller: Annotated[Caller, WRITE], order_id: OrderId, body: shapes.Fulfil,
        key: Idempotency = None, if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        """Record a shipment: its units are fulfilled, and cannot be cancelled any more."""
        asked = _asked(request, caller, Role.SELLER, body, key, if_match)
        return desk_of(request).change(
            asked, order_id, lambda who, order: meanings.fulfil(body, asked.body, who, order)
        )

    _add_answers(router)
    return router


def _add_answers(router: APIRouter) -> None:
    @router.post(
        "/orders/{order_id}/cancellation-request/approve",
        response_model=ChangedOut, operation_id="seller_approve_cancellation",
    )  # fmt: skip
    def approve(
        request: Request, caller: Annotated[Caller, CANCEL], order_id: OrderId, body: shapes.Approve,
        key: Idempotency = None, if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        """Agree to what the buyer asked to cancel: all of it, or some lines' units. It cannot be undone."""
        asked = _asked(request, caller, Role.SELLER, body, key, if_match)
        return _answer(request, asked, order_id, body, Consent.AGREED)

    @router.post(
        "/orders/{order_id}/cancellation-request/reject",
        response_model=ChangedOut, operation_id="seller_reject_cancellation",
    )  # fmt: skip
    def reject(
        request: Request, caller: Annotated[Caller, CANCEL], order_id: OrderId, body: shapes.Answer,
        key: Idempotency = None, if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        """Refuse what the buyer asked to cancel; its units stay open."""
        asked = _asked(request, caller, Role.SELLER, body, key, if_match)
        return _answer(request, asked, order_id, body, Consent.REFUSED)


def _answer(request: Request, asked: Asked, order_id: int, body: shapes.Answer, said: Consent) -> Response:
    return desk_of(request).change(
        asked,
        order_id,
        lambda who, order: (meanings.answer_request(body, said, who, order), None),
    )


def explanations() -> APIRouter:
    """The page behind each problem's type."""
    router = APIRouter(route_class=StrictRoute)

    @router.get(TYPES + "{name}", include_in_schema=False)
    def explanation(name: Annotated[str, Path(max_length=60)]) -> Response:
        said = [
            f"{refusal.name} ({refusal.number}): {refusal.sentence}.\n"
            for refusal in Refusal
            if refusal.name.lower().replace("_", "-") == name
        ]
        said += [f"{name}: {MEANINGS[name]}\n"] if name in MEANINGS else []
        if not said:
            raise ApiProblem(404, "not-found", "There is no such problem.")
        return PlainTextResponse("".join(said))

    return router


def _asked(
    request: Request, caller: Caller, side: Role, body: BaseModel, key: str | None, if_match: str | None
) -> Asked:
    return Asked(
        caller=caller, side=side, route=f"{request.method} {request.url.path}",
        body=body.model_dump_json(), key=key, if_match=if_match,
    )  # fmt: skip


def _check_side(caller: Caller, side: Role) -> None:
    """A list of nothing would only confuse who came to the wrong address."""
    if caller.partner.role is not side:
        other = caller.partner.role.value
        title = f"This key is a {other}'s: use {PREFIX}/{other}/orders."
        raise ApiProblem(403, "wrong-side", title)
