"""Bodies: JSON as it was sent; one that says the same thing twice says nothing that could be acted on."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute


class SaidTwice(HTTPException):
    """A name stands twice in one object. Most readers take the last of them, some the first."""

    def __init__(self, name: str) -> None:
        super().__init__(422)
        self.name = name


class BodyRoute(APIRoute):
    """A route whose body is read so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, over a request that reads its body so."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            return await handle(_BodyRequest(request.scope, request.receive))

        return handled


class _BodyRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = json.loads(await self.body(), object_pairs_hook=_each_once)
        return self._json


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise SaidTwice(next(name for name in names if names.count(name) > 1))
    return found
