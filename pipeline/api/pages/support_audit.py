"""Support audit: proves every invariant when somebody asks for it, one audit at a time, beside the pages."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from pipeline import journal
from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_parts import signature
from pipeline.api.pages.visitors import Operator
from pipeline.api.state import application_of
from pipeline.wiring import Application
from storage.invariants import INVARIANTS, Breach, audit

AGAIN_SECONDS = 3  # a page that waits for the end looks again


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What the last audit found; `error` when it could not be finished."""

    by: str
    at: datetime
    seconds: float
    breaches: tuple[Breach, ...] = ()
    error: str = ""


class Auditor:
    """Runs one audit at a time in a thread of its own, and remembers what the last one found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.running: tuple[str, datetime] | None = None  # by whom, since when
        self.last: Audited | None = None

    def begin(self, application: Application, by: str) -> bool:
        """Start; False while one is running."""
        with self._lock:
            if self.running is not None:
                return False
            self.running = (by, application.clock.now())
        threading.Thread(target=self._run, args=(application, by), name="audit", daemon=True).start()
        return True

    def _run(self, application: Application, by: str) -> None:
        begun = time.monotonic()
        breaches: tuple[Breach, ...] = ()
        error = ""
        try:
            with application.database.reading() as tx:
                breaches = audit(tx)
        except Exception as failed:  # the thread's own end; a page says so
            error = f"{type(failed).__name__}: {failed}"
        seconds = time.monotonic() - begun
        with self._lock:
            self.last = Audited(
                by=by, at=application.clock.now(), seconds=seconds, breaches=breaches, error=error
            )
            self.running = None
        journal.event("audited", by=by, breaches=len(breaches), seconds=seconds, error=error or None)


_MAKING = threading.Lock()


def _auditor(request: Request) -> Auditor:
    """The site's own."""
    with _MAKING:
        state = request.app.state
        found: Auditor | None = getattr(state, "auditor", None)
        if found is None:
            found = state.auditor = Auditor()
        return found


def make_router() -> APIRouter:
    """The page, and its button."""
    router = APIRouter(prefix="/support/audit")

    @router.get("")
    def page(request: Request, visitor: Operator) -> Response:
        auditor = _auditor(request)
        headers = {"Refresh": str(AGAIN_SECONDS)} if auditor.running else {}
        return render(
            request, "support/audit.html.j2", visitor, headers=headers, running=auditor.running,
            last=auditor.last, laws=len(INVARIANTS),
        )  # fmt: skip

    @router.post("")
    def run(request: Request, visitor: Operator) -> Response:
        _auditor(request).begin(application_of(request), signature(visitor))
        return RedirectResponse("/support/audit", 303)

    return router
