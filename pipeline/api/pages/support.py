"""Support: the pages of the hub's own people put together; a partner's people find nothing here."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from pipeline.api.pages import (
    support_audit,
    support_export,
    support_files,
    support_outbox,
    support_overview,
    support_search,
    support_waiting,
)
from pipeline.api.pages.visitors import Operator


def make_router() -> APIRouter:
    """Every page for support."""
    router = APIRouter()

    @router.get("/support")
    def start(visitor: Operator) -> Response:
        del visitor
        return RedirectResponse("/support/overview", 303)

    for part in (
        support_overview, support_files, support_waiting, support_outbox, support_audit,
        support_search, support_export,
    ):  # fmt: skip
        router.include_router(part.make_router())
    return router
