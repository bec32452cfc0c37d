"""Cancelling: a form, a preview by the ledger's own decision, then the deed, once."""

from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from pipeline.amounts import total
from pipeline.api import meanings, shapes
from pipeline.api.pages import drafts, wording
from pipeline.api.pages.deeds import For, OrderChanged, acting_of, decided
from pipeline.api.pages.drafts import LINES, REASONS, WHOLE, Draft
from pipeline.api.pages.ordering import OrderId, foreseen, view_of
from pipeline.api.pages.rendering import render
from pipeline.api.pages.visitors import Acting, SignedIn, Visitor, field, fields
from pipeline.api.state import application_of
from pipeline.notes import NOTE_CHARS_MAX
from pipeline.partners import Role
from storage.quantities import plain
from storage.queries import OrderView

Row = tuple[wording.Line, dict[str, Any]]
_UNREAD = drafts.Read()


def make_router() -> APIRouter:
    """From Actions > Cancel order to the deed."""
    router = APIRouter()

    @router.get("/orders/{order_id}/cancel")
    def form(request: Request, visitor: SignedIn, order_id: OrderId, side: For = "") -> Response:
        return _form(request, visitor, order_id, visitor.side(side), Draft())

    @router.get("/orders/{order_id}/cancel/form")
    @router.get("/orders/{order_id}/cancel/preview")
    def begin_anew(visitor: SignedIn, order_id: OrderId) -> Response:
        # The hub's people choose on the order's page for whom they cancel.
        return RedirectResponse(f"/orders/{order_id}" + ("" if visitor.is_operator else "/cancel"), 303)

    @router.post("/orders/{order_id}/cancel/form")
    def change(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return _form(request, visitor, order_id, _side(request, visitor), _draft(request))

    @router.post("/orders/{order_id}/cancel/preview")
    def foresee(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return _preview(request, visitor, order_id, _side(request, visitor))

    @router.post("/orders/{order_id}/cancel")
    def cancel(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return _cancel(request, visitor, order_id, _side(request, visitor))

    return router


def _side(request: Request, visitor: Visitor) -> Role:
    return visitor.side(field(request, "for", 10))


def _draft(request: Request) -> Draft:
    """What the form says; the pages after it carry the same fields."""
    return Draft(
        what=field(request, "what", 10),
        quantities=fields(request, "quantity-", 40),
        reason=field(request, "reason", 40),
        note=" ".join(field(request, "note", 2 * NOTE_CHARS_MAX).split()),
    )


def _seen(
    tx: Connection, request: Request, visitor: Visitor, order_id: int, side: Role, body: shapes.CancelOrder
) -> tuple[OrderView, str, Acting, dict[str, Any]]:
    """An order, its ETag, for whom it would be done, and the API's own preview of it."""
    application = application_of(request)
    view, etag = view_of(tx, visitor, order_id)
    acting = acting_of(application, visitor, visitor.mark(tx, order_id), side)
    return view, etag, acting, foreseen(tx, application, acting, order_id, body)


def _rows(view: OrderView, seen: dict[str, Any]) -> list[Row]:
    return list(zip(map(wording.line_of, view.lines), seen["lines"], strict=True))


def _form(
    request: Request, visitor: Visitor, order_id: int, side: Role, draft: Draft, read: drafts.Read = _UNREAD
) -> Response:
    whole = shapes.CancelOrder(unfulfilled_only=True)
    with application_of(request).database.reading() as tx:
        view, _, acting, seen = _seen(tx, request, visitor, order_id, side, whole)
    if read.fault and draft.is_whole and draft.quantities:  # let be seen what was typed
        draft = Draft(what=LINES, quantities=draft.quantities, reason=draft.reason, note=draft.note)
    return render(
        request, "cancel.html.j2", visitor, status=422 if read.fault else 200,
        order=view.summary, side=side, acting=acting, draft=draft, read=read, seen=seen, reasons=REASONS,
        rows=_rows(view, seen), whole=WHOLE, some=LINES, note_chars_max=NOTE_CHARS_MAX,
    )  # fmt: skip


def _preview(
    request: Request, visitor: Visitor, order_id: int, side: Role, *, changed: bool = False
) -> Response:
    """What would be done just now, and a form that does just that."""
    draft = _draft(request)
    read = drafts.read(draft)
    if read.body is None:
        return _form(request, visitor, order_id, side, draft, read)
    with application_of(request).database.reading() as tx:
        view, etag, acting, seen = _seen(tx, request, visitor, order_id, side, read.body)
    rows = _rows(view, seen)
    return render(
        request, "cancel_preview.html.j2", visitor, status=409 if changed else 200,
        order=view.summary, side=side, acting=acting, draft=draft, seen=seen, changed=changed,
        moved=[(line, said, _after(line, said)) for line, said in rows if said["would_cancel"] != "0"],
        kept=[
            said["why_not"]
            for line, said in rows
            if said["why_not"] and (draft.is_whole or line.line in draft.quantities)
        ],
        units=total([(said["would_cancel"], line.unit) for line, said in rows]),
        told=[(told["name"], wording.ways(told["by"])) for told in seen["told"]],
        etag=etag, key=drafts.new_key(),
    )  # fmt: skip


def _after(line: wording.Line, said: dict[str, Any]) -> str:
    return plain(line.open - Decimal(said["would_cancel"]))


def _cancel(request: Request, visitor: Visitor, order_id: int, side: Role) -> Response:
    """Do what was shown, if the order is still as it was; else show what it would be now."""
    settings, draft = application_of(request).settings, _draft(request)
    read = drafts.read(draft)
    body = read.body
    if body is None:
        return _form(request, visitor, order_id, side, draft, read)
    try:
        return decided(
            request, visitor, order_id, side, body.model_dump_json(),
            lambda who, order: (meanings.cancel(settings, body, who, order), None),
        )  # fmt: skip
    except OrderChanged:
        return _preview(request, visitor, order_id, side, changed=True)
