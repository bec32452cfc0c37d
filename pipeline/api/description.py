"""Description: the OpenAPI document, with the problems that every route of the API may answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from pipeline.api.answers import ProblemOut
from pipeline.api.problems import API, MEDIA_TYPE

_ANY = {
    "400": "The body cannot be decoded: it is not UTF-8.",
    "401": "The key is missing or not good.",
    "403": "The key has not the scope, or places or lists orders of the other side.",
    "413": "The body is too large.",
    "414": "The address is too long.",
    "422": "The request is not as described here, or its Idempotency-Key was used for another.",
    "429": "The key comes too often; Retry-After says how long to wait.",
    "503": "The ledger cannot be reached just now, or too many come at once; Retry-After.",
}
_OF_ORDER = {"404": "No such order of yours."}
_OF_WEBHOOK = {"404": "No such webhook, or delivery, of yours."}
_CHANGING = {"409": "Refused, with the figures; or asked back, with the choices. Nothing was done."}
_CHANGED = {"412": "The order changed since the ETag in If-Match."}
_NOT_NOW = {"409": "Not as things are; nothing was done."}
_REF = "#/components/schemas/ProblemOut"
_HEADERS = {
    "ETag": "Of the order as it stands: for If-Match.",
    "Location": "The order's own address.",
    "Idempotency-Replayed": "`true`: answered before under the Idempotency-Key, and without effect now.",
    "Retry-After": "In how many seconds to try again.",
    "WWW-Authenticate": "How to show a key.",
}
_OF_PROBLEM = {
    "401": ("WWW-Authenticate",), "409": ("Idempotency-Replayed",), "412": ("ETag",),
    "429": ("Retry-After",), "503": ("Retry-After",),
}  # fmt: skip


def describe(site: FastAPI) -> None:
    """Let the site describe itself; made once, when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if site.openapi_schema is None:
            site.openapi_schema = _described(site)
        return site.openapi_schema

    site.openapi = openapi  # type: ignore[method-assign]


def _described(site: FastAPI) -> dict[str, Any]:
    said = get_openapi(
        title=site.title, version=site.version, summary=site.summary, routes=site.routes,
        openapi_version="3.1.0",
    )  # fmt: skip
    for path, operations in said["paths"].items():
        if path.startswith(API):
            for method, operation in operations.items():
                _add_problems(operation, path, method)
    schemas = said["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"ProblemOut": problem}
    return said


def _add_problems(operation: dict[str, Any], path: str, method: str) -> None:
    changes = method == "post" and "/orders" in path and not path.endswith("preview")
    if "{order_id}" in path or changes:
        _add_headers(operation, "200", "ETag")
    for status in operation["responses"].keys() & {"200", "201"} if changes else ():
        _add_headers(operation, status, "ETag", "Idempotency-Replayed")
    _add_headers(operation, "201", *(["Location"] if changes else []))
    meant = {
        **_ANY,
        **(_OF_ORDER if "{order_id}" in path else {}),
        **(_OF_WEBHOOK if "{webhook_id}" in path or "{delivery_id}" in path else {}),
        **(_CHANGING if changes else {}),
        **(_CHANGED if _takes(operation, "If-Match") else {}),
        **(_NOT_NOW if method == "post" and "/webhooks" in path else {}),
    }
    for status, description in meant.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": _REF}}}
        operation["responses"][status] = {"description": description, "content": content}
        replayed = _takes(operation, "Idempotency-Key")
        named = (name for name in _OF_PROBLEM.get(status, ()) if replayed or name != "Idempotency-Replayed")
        _add_headers(operation, status, *named)


def _takes(operation: dict[str, Any], header: str) -> bool:
    return any(one["name"].lower() == header.lower() for one in operation.get("parameters", ()))


def _add_headers(operation: dict[str, Any], status: str, *names: str) -> None:
    """Describe headers of an answer that the route has."""
    answer = operation["responses"].get(status)
    for name in names if answer is not None else ():
        kind = {"type": "integer"} if name == "Retry-After" else {"type": "string"}
        answer.setdefault("headers", {})[name] = {"description": _HEADERS[name], "schema": kind}
