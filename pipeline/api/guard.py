"""Guard: what every request passes through: a bound on its size, headers for browsers, a line of the log."""

import secrets
import time
import traceback
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline import journal
from pipeline.api.problems import API, ApiProblem, response

BODY_BYTES_MAX = 1024 * 1024  # an order of 10,000 lines has some 900 kB
URL_BYTES_MAX = 8 * 1024
TRACE_CALLS_MAX = 5  # in a line of the log

#: No script, style, frame or form of anybody else's, and none written into a page.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class _TooLarge(Exception):
    """The body went over the bound while it was read."""


class Guard:
    """Around the whole site, as the outermost layer."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int = BODY_BYTES_MAX) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the site's start and end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, request_id = time.monotonic(), secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500
        # Of what answers a HEAD the server leaves the body out.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, scope["path"], request_id)
            await send(message)

        try:
            await self._bounded(inner, receive, watched)
        finally:
            state = scope["state"]
            journal.event(
                "request", method=scope["method"], path=scope["path"], status=status,
                seconds=time.monotonic() - begun, by=state.get("actor"), partner=state.get("partner"),
                request=request_id,
            )  # fmt: skip

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a body that has two ends, and what is too large: at once, or as soon as it is."""
        bound, read, started = self._body_bytes_max, 0, False  # of the body; and of the answer
        if len(scope["raw_path"]) + len(scope["query_string"]) > URL_BYTES_MAX:
            await _refuse(ApiProblem(414, "uri-too-long", "The address is too long."), scope, receive, send)
            return
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if lengths and any(name == b"transfer-encoding" for name, _ in scope["headers"]):
            # A proxy that goes by the other one would take part of this body for somebody's next request.
            said = "The length of the body is said in two ways."
            await _refuse(ApiProblem(400, "bad-request", said), scope, receive, send)
            return
        if any(value.isdigit() and int(value) > bound for value in lengths):
            await _refuse(_too_large(bound), scope, receive, send)
            return

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > bound:
                raise _TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            if read <= bound or started:  # else whoever read the body takes it for one that is broken
                started = True
                await send(message)

        try:
            with suppress(_TooLarge):
                await self._app(scope, counted, noted)
            if read > bound and not started:
                await _refuse(_too_large(bound), scope, receive, send)
        except Exception as error:
            _note_bug(error, scope["state"]["request_id"])
            if not started:
                await _refuse(ApiProblem(500, "bug", "This is a mistake of ours."), scope, receive, send)
            if not journal.is_on():
                raise  # the server says it on standard error


def _note_bug(error: Exception, request_id: str) -> None:
    trace = "".join(traceback.format_tb(error.__traceback__)[-TRACE_CALLS_MAX:])
    said = f"{type(error).__name__}: {error}"
    journal.event("bug", journal.ERROR, error=said, trace=trace, request=request_id)


def _too_large(bound: int) -> ApiProblem:
    return ApiProblem(413, "too-large", f"The body is larger than {bound} bytes.")


async def _refuse(problem: ApiProblem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without the site; the connection ends, for nobody reads the rest of the body."""
    problem.headers["Connection"] = "close"
    await response(problem)(scope, receive, send)


def _add_headers(message: Message, path: str, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers["X-Request-Id"] = request_id
    if path.startswith(API):
        headers.setdefault("Cache-Control", "no-store")
