"""Description: the OpenAPI document, with the problems that every route of the API may answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from pipeline.api.answers import ProblemOut
from pipeline.api.problems import API, MEDIA_TYPE

_ANY = {
    "400": "The body cannot be decoded: it is not UTF-8.",
    "401": "The key is missing or not good.",
    "403": "The key has not the scope, or is the other side's.",
    "413": "The body is too large.",
    "414": "The address is too long.",
    "422": "The request is not as described here, or its Idempotency-Key was used for another.",
    "429": "The key comes too often; Retry-After says how long to wait.",
    "503": "The ledger cannot be reached just now, or too many come at once; Retry-After.",
}
_OF_ORDER = {"404": "No such order of yours."}
_OF_WEBHOOK = {"404": "No such webhook, or delivery, of yours."}
_CHANGING = {
    "409": "Refused, with the figures; or asked back, with the choices. Nothing was done.",
    "412": "The order changed since the ETag in If-Match.",
}
_NOT_NOW = {"409": "Not as things are; nothing was done."}
_REF = "#/components/schemas/ProblemOut"


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
    meant = {
        **_ANY,
        **(_OF_ORDER if "{order_id}" in path else {}),
        **(_OF_WEBHOOK if "{webhook_id}" in path or "{delivery_id}" in path else {}),
        **(_CHANGING if method == "post" and "/orders" in path and not path.endswith("preview") else {}),
        **(_NOT_NOW if method == "post" and "/webhooks" in path else {}),
    }
    for status, description in meant.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": _REF}}}
        operation["responses"][status] = {"description": description, "content": content}
