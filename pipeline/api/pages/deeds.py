"""Deeds: what a form asks for is decided once, by the path the API takes; and the page of what came of it."""

import json
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from pipeline.amounts import total
from pipeline.api.desk import About, Asked
from pipeline.api.pages import drafts, wording
from pipeline.api.pages.ordering import OrderId, Search, names_of, view_of
from pipeline.api.pages.rendering import render
from pipeline.api.pages.visitors import Acting, PageError, SignedIn, Visitor, field
from pipeline.api.problems import ApiProblem
from pipeline.api.state import application_of, desk_of
from pipeline.partners import Role
from pipeline.wiring import Application
from storage import access_keys
from storage.access_keys import Answer
from storage.queries import Mark, OrderView

For = Annotated[str, Query(alias="for", max_length=10)]
_NO = 400  # from this status on, an answer is a no
_SHOWN = ("cancelled", "requested", "kept", "withdrawn")  # of what a request did


class OrderChanged(Exception):
    """The order is not as it was when the page was made; nothing was done."""


def make_router() -> APIRouter:
    """The page of a result, which stays the same for ever."""
    router = APIRouter()

    @router.get("/orders/{order_id}/done")
    def done(
        request: Request, visitor: SignedIn, order_id: OrderId, key: str = "", side: For = "",
        said: Search = "",
    ) -> Response:  # fmt: skip
        return _done(request, visitor, order_id, visitor.side(side), key, was_before=said == "before")

    return router


def acting_of(application: Application, visitor: Visitor, mark: Mark, side: Role) -> Acting:
    """For whom this person acts in this order; a PageError when that partner left the settings."""
    partner = application.settings.directory.get(getattr(mark.key, side.value))
    if partner is None:
        raise PageError(409, "Not possible", f"The {side.value} of this order is no partner any more.")
    return Acting(partner=partner, actor=visitor.actor)


def decided(
    request: Request, visitor: Visitor, order_id: int, side: Role, body: str, about: About
) -> Response:
    """Let the ledger decide, once for the form's key; to the result's page. OrderChanged: nothing done."""
    application, desk = application_of(request), desk_of(request)
    key, etag = field(request, "key", 40), field(request, "etag", 100)
    if not drafts.is_key(key) or not etag:
        raise PageError(422, "The form cannot be used", "Open the order again, and begin anew.")
    with application.database.reading() as tx:
        acting = acting_of(application, visitor, visitor.mark(tx, order_id), side)
    route = f"POST {request.url.path}"
    asked = Asked(caller=acting, side=side, route=route, body=body, key=key, if_match=etag)
    was_before = False
    try:
        desk.decide(asked, order_id, about)
    except ApiProblem as problem:
        if problem.name == "order-changed":
            raise OrderChanged from problem
        if problem.name != "key-reused":
            raise
        was_before = True  # by the same page, gone back to
    said = {"key": key, **({"for": side.value} if visitor.is_operator else {})}
    said |= {"said": "before"} if was_before else {}
    return RedirectResponse(f"/orders/{order_id}/done?{urlencode(said)}", 303)


def _done(
    request: Request, visitor: Visitor, order_id: int, side: Role, key: str, *, was_before: bool
) -> Response:
    """What came of it, as it was answered then; `was_before`: something else was asked for this time."""
    application = application_of(request)
    named = names_of(application.settings)
    with application.database.reading() as tx:
        view, _ = view_of(tx, visitor, order_id)
        acting = acting_of(application, visitor, visitor.mark(tx, order_id), side)
        answer = access_keys.earlier_answer(tx, acting.partner.id, key) if drafts.is_key(key) else None
        told = wording.told_of(tx, named, view)
    said: dict[str, Any] = json.loads(answer.body) if answer else {}
    if answer is None or said.get("id", order_id) != order_id:
        return RedirectResponse(f"/orders/{order_id}", 303)
    done = said.get("done", {})
    return render(
        request, "done.html.j2", visitor,
        order=view.summary, was_before=was_before, refused=_is_no(answer), problem=said,
        outcome=done.get("outcome", ""),
        moved=_moved(done, view), not_done=done.get("not_done", []),
        other=named(view.summary.key.other(acting.partner.id)),
        told=[message for event in _written(said, acting, view) for message in told.get(event, ())],
    )  # fmt: skip


def _is_no(answer: Answer) -> bool:
    return answer.status >= _NO


def _moved(done: dict[str, Any], view: OrderView) -> dict[str, list[tuple[str, str]]]:
    """What became of units, by line, in words."""
    units = {line.line: line.unit for line in view.lines}
    return {
        how: [(one["line"], total([(one["quantity"], units.get(one["line"], ""))])) for one in moved]
        for how in _SHOWN
        if (moved := done.get(how))
    }


def _written(said: dict[str, Any], acting: Acting, view: OrderView) -> list[int]:
    """The events that this very request wrote: the last ones of the timeline it was answered with."""
    events = said.get("events") or []
    own = [
        place
        for place, event in enumerate(events)
        if event["at"] == events[-1]["at"] and event["by"] == acting.partner.id
    ]
    return [view.events[place].id for place in own if place < len(view.events)]
