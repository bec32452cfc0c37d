"""Company: what the hub knows of a partner, for its own people: who is written to, and its keys."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.api.pages.rendering import render
from pipeline.api.pages.visitors import OfPartner


def make_router() -> APIRouter:
    """The company's page."""
    router = APIRouter()

    @router.get("/company")
    def company(request: Request, visitor: OfPartner) -> Response:
        return render(request, "company.html.j2", visitor)

    return router
