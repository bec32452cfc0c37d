"""Mails: an e-mail about an order as its reader sees it, in a frame in which nothing can act."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from pipeline.api.guard import CONTENT_POLICY
from pipeline.api.pages import wording
from pipeline.api.pages.ordering import OrderId, names_of, view_of
from pipeline.api.pages.rendering import render
from pipeline.api.pages.visitors import SignedIn, Visitor, not_there
from pipeline.api.paging import ID_MAX
from pipeline.api.state import application_of
from pipeline.contents import html_of
from storage import messages
from storage.events import LedgerEvent
from storage.messages import OutboxMessage
from storage.queries import OrderView
from storage.states import Kind

#: For a page with a frame in it, and for what is in the frame: mails have styles of their own, and no more.
WITH_FRAME = {"Content-Security-Policy": f"{CONTENT_POLICY}; frame-src 'self'"}
IN_FRAME = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'self'; sandbox"
    ),
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "no-store",
}

MessageId = Annotated[int, Path(ge=1, le=ID_MAX)]


def make_router() -> APIRouter:
    """E-mails about an order, for either party: who caused it sees what the other one reads."""
    router = APIRouter()

    @router.get("/orders/{order_id}/messages/{message_id}")
    def message(request: Request, visitor: SignedIn, order_id: OrderId, message_id: MessageId) -> Response:
        application = application_of(request)
        with application.database.reading() as tx:
            view, mail, event = _mail(tx, visitor, order_id, message_id)
        told = wording.told_by(mail, event, names_of(application.settings), view)
        return render(
            request, "mail.html.j2", visitor, headers=WITH_FRAME,
            order=view.summary, mail=mail, told=told, is_emptied=not mail.payload,
            frame=f"/orders/{order_id}/messages/{message_id}/mail",
        )  # fmt: skip

    @router.get("/orders/{order_id}/messages/{message_id}/mail")
    def frame(request: Request, visitor: SignedIn, order_id: OrderId, message_id: MessageId) -> Response:
        with application_of(request).database.reading() as tx:
            _, mail, _ = _mail(tx, visitor, order_id, message_id)
        return in_frame(mail)

    return router


def in_frame(mail: OutboxMessage) -> Response:
    """The HTML of an e-mail, fit for a frame of ours: no script, no form, nothing fetched."""
    return HTMLResponse(html_of(mail), headers=IN_FRAME)


def _mail(
    tx: Connection, visitor: Visitor, order_id: int, message_id: int
) -> tuple[OrderView, OutboxMessage, LedgerEvent]:
    """An e-mail about an event of an order this person may see, and both; a PageError 404 for any other."""
    view, _ = view_of(tx, visitor, order_id)
    mail = messages.get(tx, message_id)
    event = next((one for one in view.events if mail is not None and one.id == mail.event_id), None)
    if mail is None or event is None or mail.order_id != order_id or mail.kind is not Kind.EMAIL:
        raise not_there()
    return view, mail, event
