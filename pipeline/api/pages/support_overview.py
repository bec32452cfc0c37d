"""Support overview: how mailboxes are, what waits and how long, and what lies too long."""

from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline import doctor
from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_parts import LEFT, named_for
from pipeline.api.pages.visitors import Operator
from pipeline.api.state import application_of
from pipeline.metrics import version
from pipeline.screen import age_words
from pipeline.wiring import Application
from storage.gauges import Gauges, backlog
from storage.states import FileStatus, Status

_UNSENT = (Status.NEW, Status.SENDING, Status.COMMITTING)


def make_router() -> APIRouter:
    """The first page for support."""
    router = APIRouter()

    @router.get("/support/overview")
    def overview(request: Request, visitor: Operator) -> Response:
        application = application_of(request)
        now = application.clock.now()
        with application.database.reading() as tx:
            found = backlog(tx)
        return render(
            request, "support/overview.html.j2", visitor,
            # Which command to run is for who reads the same on a terminal.
            alarms=[
                (one.what, one.detail.partition("; run:")[0])
                for one in doctor.overdue(application, found)
            ],
            backlog=_backlog(found, now), mailboxes=_mailboxes(application, found, now),
            left=[
                {"partner": named_for(request)(file.partner), "name": file.name, "size": file.size,
                 "why": LEFT[file.reason], "since": file.since}
                for file in found.left
            ],
            now=now, version=version(), schema=application.database.current(),
            place=application.database.dialect,
        )  # fmt: skip

    return router


def _backlog(found: Gauges, now: datetime) -> list[dict[str, object]]:
    """What waits: how much, how long the oldest, where to look, and whether it needs a person."""

    def messages(*statuses: Status) -> int:
        words = {status.value for status in statuses}
        return sum(count for (_, status), count in found.messages.items() if status in words)

    said = (
        ("Files not read yet", found.files.get(FileStatus.NEW.value, 0), found.unread_since,
         "/support/files?verdict=new", False),
        ("Files given up", found.files.get(FileStatus.FAILED.value, 0), None,
         "/support/files?verdict=failed", True),
        ("Questions held", found.held, found.held_since, "/support/waiting", True),
        ("Documents parked", found.parked, found.parked_since, "/support/waiting#parked", False),
        ("Lines asked to cancel", found.requested_lines, None, "/orders?waiting=1", False),
        ("Messages to be sent", messages(*_UNSENT), found.unsent_since, "/support/outbox?status=new", False),
        ("Messages uncertain", messages(Status.UNCERTAIN), found.uncertain_since,
         "/support/outbox?status=uncertain", True),
        ("Messages failed", messages(Status.FAILED), None, "/support/outbox?status=failed", True),
    )  # fmt: skip
    return [
        {"label": label, "count": count, "age": age_words(now - since) if since else "", "path": path,
         "is_urgent": urgent and count > 0}
        for label, count, since, path, urgent in said
    ]  # fmt: skip


def _mailboxes(application: Application, found: Gauges, now: datetime) -> list[dict[str, object]]:
    states = {state.partner: state for state in found.mailboxes}
    rows: list[dict[str, object]] = []
    for partner in application.settings.partners:
        if partner.mailbox is None:
            continue
        state = states.get(partner.id)
        served = state.served_at if state else None
        paused = state.resume_at if state and state.resume_at and state.resume_at > now else None
        rows.append(
            {
                "id": partner.id, "name": partner.name, "served_at": served,
                "age": age_words(now - served) if served else "",
                "failures": state.failures if state else 0, "error": state.error if state else "",
                "paused": paused, "left": sum(file.partner == partner.id for file in found.left),
                "is_failing": bool(state and state.failures),
            }
        )  # fmt: skip
    return rows
