"""Signing in and out, and setting a password by a one-time link. What is wrong is never said too exactly."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.background import BackgroundTask

from pipeline import journal
from pipeline.api.pages import passwords
from pipeline.api.pages.cookies import Cookies
from pipeline.api.pages.rendering import render
from pipeline.api.pages.visitors import field, visitor_of
from pipeline.api.state import application_of
from pipeline.people import remind
from pipeline.wiring import Application
from storage import people
from storage.people import Attempt

START = "/orders"
SIGN_IN = "/sign-in"
_LINK_CHARS_MAX = 100
_WRONG = (
    "The address and the password do not fit together. After several wrong ones an account takes none for a"
    " while, at most an hour; the right one neither."
)

Link = Annotated[str, Query(max_length=_LINK_CHARS_MAX)]


def make_router() -> APIRouter:
    """Everything that is there for who is not signed in."""
    router = APIRouter()

    @router.get("/")
    def start() -> Response:
        return RedirectResponse(START, 303)

    @router.get(SIGN_IN)
    def form(request: Request, next: str = "", said: str = "") -> Response:
        return render(
            request, "sign_in.html.j2", next=_local(next), email="", fault="", said=_SAID.get(said, "")
        )

    @router.post(SIGN_IN)
    def enter(request: Request) -> Response:
        return _enter(request)

    @router.post("/sign-out")
    def leave(request: Request) -> Response:
        cookies = Cookies.of(request)
        application_of(request).database.run(lambda tx: people.sign_out(tx, cookies.token))
        return RedirectResponse(f"{SIGN_IN}?said=out", 303)

    router.include_router(_forgotten())
    return router


_SAID = {
    "out": "You are signed out.",
    "expired": "You were signed out because nothing happened for a while. Sign in again to go on.",
    "set": "Your password is set. Sign in with it.",
}


def _forgotten() -> APIRouter:
    router = APIRouter()

    @router.get("/forgot-password")
    def forgot(request: Request) -> Response:
        return render(request, "forgot_password.html.j2", done=False)

    @router.post("/forgot-password")
    def mail(request: Request) -> Response:
        email = field(request, "email", 254)
        answer = render(request, "forgot_password.html.j2", done=True)
        # After the answer: how long it takes must not tell whether there is such an account.
        answer.background = BackgroundTask(_remind, application_of(request), email)
        return answer

    @router.get("/password")
    def choose(request: Request, link: Link = "") -> Response:
        return _password_page(request, link)

    @router.post("/password")
    def keep(request: Request) -> Response:
        return _set_password(request)

    return router


def _enter(request: Request) -> Response:
    """Let somebody in whose password fits."""
    application, cookies = application_of(request), Cookies.of(request)
    email, after = field(request, "email", 254), _local(field(request, "next", 2000))
    password = str(request.state.form.get("password", ""))[: passwords.CHARS_MAX]
    at = application.clock.now()
    attempt = application.database.run(lambda tx: people.attempt(tx, email, at))
    token = _token(application, attempt, password, at)
    if attempt is None or token is None:
        locked = bool(attempt and not attempt.password_hash)
        journal.event("sign_in_failed", user=email, locked=locked or None)
        return render(request, "sign_in.html.j2", status=403, next=after, email=email, fault=_WRONG, said="")
    journal.event("signed_in", user=attempt.user.email)
    answer = RedirectResponse(after or "/", 303)
    cookies.replace(token)
    cookies.keep(answer)
    return answer


def _token(application: Application, attempt: Attempt | None, password: str, at: datetime) -> str | None:
    """The token of a new session, if the password fits and is still the one that is kept."""
    kept = attempt.password_hash if attempt else ""
    good = passwords.fits(password, kept)  # takes as long for nobody
    if attempt is None or not good or visitor_of(application, attempt.user) is None:
        return None
    newer = passwords.hashed(password) if passwords.is_outdated(kept) else ""
    return application.database.run(lambda tx: people.sign_in(tx, attempt, at, password_hash=newer))


def _remind(application: Application, email: str) -> None:
    at = application.clock.now()
    application.database.run(lambda tx: remind(tx, application.settings, email, at))


def _password_page(request: Request, link: str, fault: str = "") -> Response:
    application = application_of(request)
    with application.database.reading() as tx:
        user = people.user_of_link(tx, link, application.clock.now())
    if user is None:
        return render(request, "link_used.html.j2", status=404)
    status = 422 if fault else 200
    return render(
        request, "password.html.j2", status=status, user=user, link=link, fault=fault,
        chars_min=passwords.CHARS_MIN,
    )  # fmt: skip


def _set_password(request: Request) -> Response:
    application = application_of(request)
    link, form = field(request, "link", _LINK_CHARS_MAX), request.state.form
    password, again = str(form.get("password", "")), str(form.get("again", ""))
    at = application.clock.now()
    with application.database.reading() as tx:
        user = people.user_of_link(tx, link, at)
    if user is None:
        return render(request, "link_used.html.j2", status=404)
    if fault := passwords.fault_of(password, again, user.email):
        return _password_page(request, link, fault)
    kept = passwords.hashed(password)
    done = application.database.run(lambda tx: people.set_password(tx, link, kept, at))
    if done is None:
        return render(request, "link_used.html.j2", status=404)
    journal.event("password_set", user=done.email)
    return RedirectResponse(f"{SIGN_IN}?said=set", 303)


def sign_in_first(request: Request) -> Response:
    """To the sign-in page, and back to where somebody wanted to go."""
    had_session = not Cookies.of(request).is_new
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    asked = {"next": path} if path != "/" else {}  # of a form: its address leads back to its page
    said = {"said": "expired"} if had_session and request.method == "POST" else {}
    query = urlencode({**asked, **said})
    return RedirectResponse(SIGN_IN + (f"?{query}" if query else ""), 303)


def _local(path: str) -> str:
    """A path of this site's, or "": nobody is sent anywhere else after signing in."""
    good = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if good else ""
