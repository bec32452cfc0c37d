"""Problems: every error of the API as RFC 9457 has it, with a type that stays the same and a sentence."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from pipeline import journal
from pipeline.api.faults import faults_of
from pipeline.api.said import Unclear
from pipeline.report import Json
from storage.database import DatabaseUnavailable

API = "/api/"
PREFIX = "/api/v1"  # of what may change one day, when it gets a v2 beside it
MEDIA_TYPE = "application/problem+json"
TYPES = "/api/problems/"  # what every type begins with: a page that explains it
PLACE_CHARS_MAX, FAULT_CHARS_MAX = 60, 200  # of what may repeat the request


#: What every name but a refusal's means, for who looks its address up.
MEANINGS = {
    "bad-url": "Nothing can be posted to this address; `detail` says why.",
    "bad-request": "The body is not JSON in UTF-8, or cannot be read as HTTP.",
    "bug": "A mistake of ours; nothing was done. Tell the hub the X-Request-Id.",
    "invalid": "The request is not as the API describes it; `faults` says where. Nothing was done.",
    "key-reused": "The Idempotency-Key stands for another request, for ever. Use a new one.",
    "method-not-allowed": "The address is there, and does not take this method.",
    "no-such-order": "You have no order with this id, on this side.",
    "no-such-page": "The cursor is not one that a list gave; begin without it.",
    "no-such-seller": "No seller of this name trades here.",
    "not-found": "There is nothing at this address, for this key.",
    "no-such-delivery": "You have no delivery with this id.",
    "no-such-webhook": "You have no webhook with this id.",
    "not-again": "The delivery is under way or was emptied, and cannot be posted again.",
    "nothing-asked": "No cancellation of the order waits for an answer.",
    "order-changed": "Something happened to the order since the ETag in If-Match; look at it again.",
    "scope-missing": "The key is good and may not do this: `scope` names what it would need.",
    "too-large": "The body is larger than this site takes.",
    "too-many-webhooks": "You have as many webhooks as one partner may.",
    "too-many-requests": "The key comes too often; Retry-After says in how many seconds there is room.",
    "unauthorized": "A key is needed, or this one is unknown, expired or revoked.",
    "unavailable": "The ledger cannot be reached just now; the same request again, in a moment, is safe.",
    "uri-too-long": "The address is longer than this site takes.",
    "webhook-disabled": "The webhook is disabled: enable it first.",
    "which-is-meant": "It can be read in two ways: say the same again with one of `choices` in `answer`.",
    "wrong-side": "The key is the other side's: buyers ask below /buyer, sellers below /seller.",
}


class ApiProblem(Exception):
    """An answer that is no success. `name` is the last part of its type, and never changes its meaning."""

    def __init__(
        self, status: int, name: str, title: str, detail: str = "", *,
        headers: Mapping[str, str] | None = None, **members: object,
    ) -> None:  # fmt: skip
        super().__init__(title)
        self.status = status
        self.name = name
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def body(self) -> Json:
        """The problem as JSON."""
        said: Json = {"type": TYPES + self.name, "title": self.title, "status": self.status}
        if self.detail:
            said["detail"] = self.detail
        return {**said, **self.members}


def response(problem: ApiProblem) -> JSONResponse:
    """The problem as an answer."""
    return JSONResponse(problem.body(), problem.status, problem.headers, MEDIA_TYPE)


#: Says an error that is not the API's: the request, the status, a sentence, headers.
Say = Callable[[Request, int, str, Mapping[str, str] | None], Response]


def install(site: FastAPI, say: Say) -> None:
    """Errors below /api are problems; elsewhere they are said by the app."""

    @site.exception_handler(ApiProblem)
    def said(request: Request, problem: ApiProblem) -> Response:
        if not request.url.path.startswith(API):
            return say(request, problem.status, problem.title, problem.headers)
        return response(problem)

    @site.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        if not request.url.path.startswith(API):
            return say(request, 422, "The address or the form is not one of this site.", None)
        return response(_faulty(faults_of(request, error)))

    @site.exception_handler(Unclear)
    def unclear(request: Request, error: Unclear) -> Response:
        del request
        fault = {"place": error.place[:PLACE_CHARS_MAX], "message": error.fault[:FAULT_CHARS_MAX]}
        return response(_faulty([fault]))

    @site.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        if not request.url.path.startswith(API):
            return say(request, error.status_code, f"{phrase}.", error.headers)
        name = phrase.lower().replace(" ", "-")
        detail = str(error.detail) if error.detail not in (phrase, None) else ""
        return response(ApiProblem(error.status_code, name, phrase, detail, headers=error.headers))

    @site.exception_handler(DatabaseUnavailable)
    def unavailable(request: Request, error: DatabaseUnavailable) -> Response:
        journal.event("database_unavailable", journal.ERROR, error=str(error))
        title = "The ledger cannot be reached just now; try again."
        if not request.url.path.startswith(API):
            return say(request, 503, title, {"Retry-After": "5"})
        return response(ApiProblem(503, "unavailable", title, headers={"Retry-After": "5"}))


def _faulty(faults: list[dict[str, str]]) -> ApiProblem:
    return ApiProblem(422, "invalid", "The request is not as the API describes it.", faults=faults)
