"""Application: a site over one installation: the API's routes, the app's pages, and what surrounds them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from anyio import to_thread
from fastapi import APIRouter, FastAPI

from pipeline.api import problems, routes, webhooks
from pipeline.api.callers import Door, Pace
from pipeline.api.description import describe
from pipeline.api.desk import Desk
from pipeline.api.guard import Guard
from pipeline.api.pages import site as pages
from pipeline.api.pages.rendering import STATIC, StaticFolder
from pipeline.wiring import Application

#: Requests at work at once, each with a connection to the database; others wait for their turn.
THREADS = 8


def make_site(application: Application, *, threads: int = THREADS, pace: Pace = Pace()) -> FastAPI:  # noqa: B008
    """The site. `threads` must not be more than the application was opened for.

    Routes are plain functions, which run in threads, because the database is waited for.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = threads
        yield
        application.database.close()

    site = FastAPI(
        title="countermand",
        summary="Orders between trading partners: place, acknowledge, ship, and cancel what is open.",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's pages fetch scripts from elsewhere; docs/api.md is the guide
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        routes=_routes().routes,
    )
    site.state.application = application
    site.state.door, site.state.desk = Door(application, pace), Desk(application)
    problems.install(site, pages.error_page)
    pages.install(site)
    describe(site)
    site.add_middleware(Guard)
    return site


@cache
def _routes() -> APIRouter:
    """Every address. They know no installation, and take half a second: the sites of a process share them."""
    router = APIRouter()
    for part in (routes.make_router(), webhooks.make_router(), routes.explanations(), pages.make_pages()):
        router.include_router(part)
    router.mount(STATIC, StaticFolder(), name="static")
    return router
