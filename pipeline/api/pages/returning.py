"""Returning: an address that only takes forms, loaded again or pasted, leads to the page it belongs to."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response


def ways_back(pages: APIRouter) -> APIRouter:
    """For each address that takes forms and shows nothing: to the nearest one above it that does."""
    addresses = list(_addresses(pages.routes))
    shown = {path for path, methods in addresses if "GET" in methods}
    router = APIRouter()
    for path in sorted({path for path, methods in addresses if "POST" in methods} - shown):
        router.get(path)(_to(_above(path, shown)))
    return router


def _addresses(routes: Iterable[Any]) -> Iterator[tuple[str, Iterable[str]]]:
    """Every address with its methods, those of routers within too."""
    for route in routes:
        within = getattr(route, "original_router", None)
        if within is not None:
            yield from _addresses(within.routes)
        elif hasattr(route, "methods"):
            yield route.path, route.methods or ()


def _above(path: str, shown: set[str]) -> str:
    while path and path not in shown:
        path = path.rpartition("/")[0]
    return path or "/"


def _to(page: str) -> Any:
    def back(request: Request) -> Response:
        return RedirectResponse(page.format(**request.path_params), 303)

    return back
