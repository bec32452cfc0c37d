"""Taking back: a buyer no longer asks for what waits, while its seller has not answered."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.api import meanings, shapes
from pipeline.api.pages.deeds import OrderChanged, decided
from pipeline.api.pages.ordering import OrderId, order_page
from pipeline.api.pages.visitors import SignedIn, Visitor, not_there
from pipeline.api.state import application_of
from pipeline.partners import Role
from storage.quantities import plain

_NOTHING_WAITS = "Nothing of this order is asked to be cancelled any more, and nothing was done."
_CHANGED = "The order changed since you opened it, and nothing was done. This is how it stands now."


def make_router() -> APIRouter:
    """All that waits is taken back."""
    router = APIRouter()

    @router.post("/orders/{order_id}/request/back")
    def back(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return _back(request, visitor, order_id)

    return router


class _NothingWaits(Exception):
    """It was answered, lapsed, or taken back."""


def _back(request: Request, visitor: Visitor, order_id: int) -> Response:
    if visitor.partner is None or visitor.partner.role is not Role.BUYER:
        raise not_there()
    settings = application_of(request).settings
    try:
        return decided(
            request, visitor, order_id, Role.BUYER, "all that waits",
            lambda who, order: (meanings.cancel(settings, _fewer(order), who, order), None),
        )  # fmt: skip
    except (_NothingWaits, OrderChanged) as changed:
        fault = _CHANGED if isinstance(changed, OrderChanged) else _NOTHING_WAITS
        return order_page(request, visitor, order_id, status=409, fault=fault)


def _fewer(order: meanings.Known) -> shapes.CancelOrder:
    """What asks for nothing more: each line is to have what it has."""
    waits = [line for line in order.lines if line.requested]
    if not waits:
        raise _NothingWaits
    cuts = [{"line": line.line, "new_quantity": plain(line.current)} for line in waits]
    return shapes.CancelOrder.model_validate({"lines": cuts})
