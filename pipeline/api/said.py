"""Said: a request is taken as it was sent or not at all: each name once, and no name passed over."""

import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute


class Unclear(HTTPException):
    """A request of which a part could be read in two ways, or would not be read at all."""

    def __init__(self, place: str, fault: str) -> None:
        super().__init__(422)
        self.place = place
        self.fault = fault


class NoNulls:
    """The base of bodies that take no null: what is left out means all of it, and a null may be a slip."""


class StrictRoute(APIRoute):
    """A route that refuses what it would pass over: by a filter that is none, all would be listed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, over a request that is read so."""
        handle = super().get_route_handler()
        known = [param.alias for param in self.dependant.query_params]
        bodies = [param.field_info.annotation for param in self.dependant.body_params]
        kind = _NullFreeRequest if any(_takes_no_null(body) for body in bodies) else _StrictRequest

        async def handled(request: Request) -> Response:
            _check_query(request, known)
            return await handle(kind(request.scope, request.receive))

        return handled


class _StrictRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = _read(await self.body())
        return self._json


class _NullFreeRequest(_StrictRequest):
    async def json(self) -> Any:
        said = await super().json()
        for place, name in _nulls(said, "body"):
            meant = "say what is meant, or leave it out, which means all of it"
            raise Unclear(place, f"is null: {meant if name in _UNITS else 'leave it out'}")
        return said


_UNITS = ("lines", "quantity", "new_quantity")  # what decides how many units are meant


def _takes_no_null(body: Any) -> bool:
    return isinstance(body, type) and issubclass(body, NoNulls)


def _nulls(said: Any, place: str) -> Iterator[tuple[str, str]]:
    """Where a body, or what it is made of, says null; and the name that does. It is not followed deeper."""
    if not isinstance(said, dict):
        return
    for name, value in said.items():
        if value is None:
            yield f"{place}.{name}", name
        elif isinstance(value, list):
            for at, one in enumerate(value):
                yield from _nulls(one, f"{place}.{name}.{at}")


def _read(body: bytes) -> Any:
    """What the body says; what is no JSON is told by who asked for it, what cannot be read is told here."""
    try:
        return json.loads(body, object_pairs_hook=_each_once)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError as error:
        raise HTTPException(400, "The body is not UTF-8.") from error
    except RecursionError as error:
        raise HTTPException(400, "The body is nested too deep.") from error
    except ValueError as error:  # Python's own bound on the digits of a whole number
        raise HTTPException(400, "A number of the body has too many digits.") from error


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
