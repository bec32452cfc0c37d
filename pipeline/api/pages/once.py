"""Once: a form makes something once, however often it is sent, and its secret is not lost by that.

Of a double click a browser shows the second answer, and of a page that is loaded again too. So a secret stays
in the memory of this process for a minute, for the very form that it was made by; it is kept nowhere else.
"""

import hashlib
import json
import threading
from datetime import datetime, timedelta

from fastapi import Request

from pipeline.api.pages import drafts
from pipeline.api.pages.visitors import PageError, field
from pipeline.api.state import application_of

AGAIN = timedelta(minutes=1)  # after that the secret was shown once
_MAKING = threading.Lock()


class Shown:
    """Secrets that were shown just now, by the key of the form."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, str]] = {}

    def keep(self, key: str, secret: str, at: datetime) -> None:
        """Show it once more within a minute, if the same form is sent again."""
        with self._lock:
            self._forget(at)
            self._kept[key] = (at, secret)

    def again(self, key: str, at: datetime) -> str:
        """The secret that this form was answered with; "" when that is too long ago."""
        with self._lock:
            self._forget(at)
            return self._kept.get(key, (at, ""))[1]

    def _forget(self, at: datetime) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if at - kept[0] < AGAIN}


def shown(request: Request, key: str, made: str) -> str:
    """The secret to show to who sent this form: the one just made, or made a moment ago; "" when neither."""
    with _MAKING:
        state = request.app.state
        known: Shown | None = getattr(state, "shown", None)
        if known is None:
            known = state.shown = Shown()
    at = application_of(request).clock.now()
    if made:
        known.keep(key, made, at)
    return made or known.again(key, at)


def key_of_form(request: Request, *said: str) -> str:
    """What this very form makes something under: its key, and what was filled in. Raises PageError."""
    key = field(request, "key", 40)
    if not drafts.is_key(key):
        raise PageError(422, "The form cannot be used", "Load the page again, and fill it in anew.")
    return f"app-{hashlib.sha256(json.dumps([key, *said]).encode()).hexdigest()[:32]}"
