"""Said: a request is taken as it was sent or not at all: each name once, and no name passed over."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute


class Unclear(HTTPException):
    """A request of which a part could be read in two ways, or would not be read at all."""

    def __init__(self, place: str, fault: str) -> None:
        super().__init__(422)
        self.place = place
        self.fault = fault


class StrictRoute(APIRoute):
    """A route that refuses what it would pass over: by a filter that is none, all would be listed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, over a request that is read so."""
        handle = super().get_route_handler()
        known = [param.alias for param in self.dependant.query_params]

        async def handled(request: Request) -> Response:
            _check_query(request, known)
            return await handle(_StrictRequest(request.scope, request.receive))

        return handled


class _StrictRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = json.loads(await self.body(), object_pairs_hook=_each_once)
        return self._json


def _check_query(request: Request, known: list[str]) -> None:
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in known:
            said = f"there are: {', '.join(known)}" if known else "there are none"
            raise Unclear(f"query.{name}", f"is no parameter here; {said}")
        if names.count(name) > 1:
            raise Unclear(f"query.{name}", "is said twice")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's names, none of them twice: most readers take the last of them, some the first."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise Unclear("body", f"{name} is said twice")
    return found
