"""Cookies: one per browser, whose token stands for a session, and from which every form's CSRF token is made.

Who is not signed in has one too, so that the sign-in form is as safe as the others. What it says changes
when somebody signs in: nobody can prepare a session for somebody else.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

from pipeline.wiring import Application
from storage.people import TOKEN_BYTES

_NAME = "countermand"
_TOKEN_CHARS_MAX = 100


@dataclass(slots=True)
class Cookies:
    """The cookie of one request."""

    token: str
    is_new: bool
    is_secure: bool

    @classmethod
    def of(cls, request: Request) -> "Cookies":
        """The request's own; a new one when it brought none."""
        found: Cookies | None = getattr(request.state, "cookies", None)
        if found is None:
            application: Application = request.app.state.application
            secure = application.settings.site.is_encrypted or request.url.scheme == "https"
            token = request.cookies.get(_name(secure), "")
            is_new = not 0 < len(token) <= _TOKEN_CHARS_MAX
            found = cls(secrets.token_urlsafe(TOKEN_BYTES) if is_new else token, is_new, secure)
            request.state.cookies = found
        return found

    @property
    def csrf(self) -> str:
        """What a form of this browser's has to bring."""
        return hashlib.sha256(f"csrf:{self.token}".encode("utf-8", "surrogatepass")).hexdigest()

    def is_from_here(self, csrf: str) -> bool:
        """Whether a form with this token was given to this browser."""
        given = csrf.encode("utf-8", "surrogatepass")
        return not self.is_new and hmac.compare_digest(self.csrf.encode(), given)

    def replace(self, token: str) -> None:
        """Another token from now on."""
        self.token, self.is_new = token, True

    def keep(self, answer: Response) -> None:
        """Let the browser keep a new token until it is closed."""
        if self.is_new:
            answer.set_cookie(
                _name(self.is_secure), self.token, httponly=True, secure=self.is_secure, samesite="lax"
            )


def _name(secure: bool) -> str:
    """With the prefix no other site of the same domain can set it, and it never travels in clear."""
    return f"__Host-{_NAME}" if secure else _NAME
