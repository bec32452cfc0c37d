"""Answering: the seller agrees to what its buyer asked to cancel, or refuses, on the order's page."""

import json

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from pipeline.api import meanings, shapes
from pipeline.api.pages.deeds import OrderChanged, decided
from pipeline.api.pages.drafts import Draft
from pipeline.api.pages.ordering import OrderId, order_page
from pipeline.api.pages.visitors import SignedIn, Visitor, field, not_there
from pipeline.partners import Role
from storage.commands import Consent

_CONSENTS = {"approve": Consent.AGREED, "refuse": Consent.REFUSED}
_CHANGED = "The order changed since you opened it, and nothing was done. This is how it stands now."
_UNREADABLE = "The reason or the note cannot be used as it is. Nothing was done."


def make_router() -> APIRouter:
    """The answer to a request."""
    router = APIRouter()

    @router.post("/orders/{order_id}/request")
    def answer(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return _answer(request, visitor, order_id)

    return router


def _answer(request: Request, visitor: Visitor, order_id: int) -> Response:
    if visitor.partner is not None and visitor.partner.role is not Role.SELLER:
        raise not_there()
    consent = _CONSENTS.get(field(request, "answer", 10))
    reason, note = field(request, "reason", 40), " ".join(field(request, "note", 1000).split())
    try:
        body = shapes.Answer.model_validate({"reason": reason or None, "note": note})
    except ValidationError:
        consent = None
    draft = Draft(reason=reason, note=note)
    if consent is None:
        return order_page(request, visitor, order_id, status=422, fault=_UNREADABLE, draft=draft)
    said = json.dumps([consent.value, reason, note])
    try:
        return decided(
            request, visitor, order_id, Role.SELLER, said,
            lambda who, order: (meanings.answer_request(body, consent, who, order), None),
        )  # fmt: skip
    except OrderChanged:
        return order_page(request, visitor, order_id, status=409, fault=_CHANGED, draft=draft)
