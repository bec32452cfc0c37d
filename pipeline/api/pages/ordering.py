"""Ordering: the list of orders with its search, and the page of one order."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from pipeline.actors import HUB
from pipeline.amounts import total
from pipeline.api import meanings, shapes
from pipeline.api.answers import etag_of
from pipeline.api.pages import asking, drafts, wording
from pipeline.api.pages.drafts import Draft
from pipeline.api.pages.rendering import render
from pipeline.api.pages.visitors import Acting, SignedIn, Visitor
from pipeline.api.paging import CURSOR_CHARS_MAX, ID_MAX, cursor_of, place_of
from pipeline.api.preview import preview
from pipeline.api.state import application_of
from pipeline.partners import Role
from pipeline.settings import Settings
from pipeline.wiring import Application
from storage import deadlines, lookups, order_lists, queries
from storage.loading import load_order
from storage.order_lists import Totals, Wanted
from storage.orders import OrderStatus
from storage.queries import OrderSummary, OrderView

PAGE_ORDERS = 50
WAITING_MAX = 50  # shown first; the search finds all of them

_NOTHING_TYPED = Draft()
_SEARCHED = ("po", "item", "status", "since", "until", "waiting")

OrderId = Annotated[int, Path(ge=1, le=ID_MAX)]
Search = Annotated[str, Query(max_length=80)]


def make_router() -> APIRouter:
    """The list, and an order's page."""
    router = APIRouter()

    @router.get("/orders")
    def orders(
        request: Request, visitor: SignedIn, po: Search = "", item: Search = "", status: Search = "",
        since: Search = "", until: Search = "", waiting: Search = "",
        cursor: Annotated[str, Query(max_length=CURSOR_CHARS_MAX)] = "",
    ) -> Response:  # fmt: skip
        search = {
            "po": po.strip(), "item": item.strip(), "status": status, "since": since, "until": until,
            "waiting": waiting,
        }  # fmt: skip
        return _list(request, visitor, {name: value for name, value in search.items() if value}, cursor)

    @router.get("/orders/")
    def without_number() -> Response:
        return RedirectResponse("/orders", 303)

    @router.get("/orders/{order_id}")
    def order(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return order_page(request, visitor, order_id)

    return router


def _list(request: Request, visitor: Visitor, search: dict[str, str], cursor: str) -> Response:
    application = application_of(request)
    wanted, fault = _wanted(visitor, search)
    after = place_of(cursor) if cursor else None
    # Who has to answer sees that first; the buyer, who waits too, sees it marked where the order stands.
    answers = visitor.partner is None or visitor.partner.role is Role.SELLER
    asked: tuple[OrderSummary, ...] = ()
    with application.database.reading() as tx:
        if answers and not search and not cursor:
            asked = order_lists.first_to_answer(tx, visitor.own, WAITING_MAX + 1)
        found = order_lists.page_of_orders(tx, wanted, after=after, limit=PAGE_ORDERS + 1) if wanted else ()
        first, page = asked[:WAITING_MAX], found[:PAGE_ORDERS]
        shown = {order.id for order in (*first, *page)}
        totals, due = order_lists.totals_of(tx, shown), deadlines.next_of(tx, shown)
    now = application.clock.now()
    left = {order_id: wording.time_left(answer_by, now) for order_id, answer_by in due.items()}
    more = urlencode({**search, "cursor": cursor_of(page[-1])}) if len(found) > PAGE_ORDERS else ""
    named = names_of(application.settings)
    return render(
        request, "orders.html.j2", visitor,
        first=[_row(order, named, totals, left) for order in first],
        more_wait=len(asked) > WAITING_MAX,
        orders=[_row(order, named, totals, left) for order in page if order not in first],
        search={name: search.get(name, "") for name in _SEARCHED}, searched=urlencode(search), fault=fault,
        more=more, is_first_page=not cursor, answers=answers,
        statuses=[(status.value, words) for status, words in wording.STATUSES.items()],
    )  # fmt: skip


def _wanted(visitor: Visitor, search: dict[str, str]) -> tuple[Wanted | None, str]:
    """What the search wants of the orders this person may see; or what of it could not be read."""
    said = search.get("status", "")
    status = next((status for status in OrderStatus if status.value == said), None)
    if said and status is None:
        return None, "There is no such status. Choose one of the list."
    try:
        since, until = _day(search.get("since", "")), _day(search.get("until", ""))
        until = until + timedelta(days=1) if until else None
    except (ValueError, OverflowError):
        return None, "A day is written as 2026-11-28."
    wanted = replace(
        visitor.own, po_number=search.get("po", ""), item=search.get("item", ""), status=status,
        placed_since=since, placed_before=until, asks=bool(search.get("waiting")) or None,
    )  # fmt: skip
    return wanted, ""


def _day(text: str) -> datetime | None:
    return datetime.combine(date.fromisoformat(text), time(), UTC) if text else None


def names_of(settings: Settings) -> wording.Named:
    def named(partner_id: str) -> str:
        partner = settings.directory.get(partner_id)
        return partner.name if partner else partner_id

    return named


def _row(
    order: OrderSummary,
    named: wording.Named,
    totals: Mapping[int, tuple[Totals, ...]],
    left: Mapping[int, str],
) -> dict[str, object]:
    own = totals.get(order.id, ())
    return {
        "id": order.id,
        "po_number": order.key.po_number,
        "release": order.key.release,
        "buyer": named(order.key.buyer),
        "seller": named(order.key.seller),
        "status": order.status.value,
        "status_words": wording.STATUSES[order.status],
        "placed_at": order.placed_at,
        "asked": any(one.requested for one in own),
        "time_left": left.get(order.id, ""),
        "counted": wording.counted_of(own),
    }


def view_of(tx: Connection, visitor: Visitor, order_id: int) -> tuple[OrderView, str]:
    """An order this person may see, and its ETag; a PageError 404."""
    mark = visitor.mark(tx, order_id)
    view = queries.get_order(tx, order_id)
    assert view is not None
    return view, etag_of(order_id, mark)


def order_page(
    request: Request, visitor: Visitor, order_id: int, *, status: int = 200, fault: str = "",
    draft: Draft = _NOTHING_TYPED,
) -> Response:  # fmt: skip
    """All of an order: parties, lines, what can be done, what happened, and who was told.

    `draft` has what somebody typed into the answer to a request.
    """
    application = application_of(request)
    settings = application.settings
    named = names_of(settings)
    with application.database.reading() as tx:
        view, etag = view_of(tx, visitor, order_id)
        files = lookups.files_behind(tx, order_id) if visitor.is_operator else {}
        told = wording.told_of(tx, named, view)
        # The hub's people are shown what a seller could do: its cancellation needs nobody's consent.
        party = visitor.partner or settings.directory.get(view.summary.key.seller)
        seen = None
        if party is not None:
            acting = Acting(partner=party, actor=visitor.actor)
            seen = foreseen(tx, application, acting, order_id, shapes.CancelOrder(unfulfilled_only=True))
    lines = {line.id: line for line in view.lines}
    reader = visitor.partner.id if visitor.partner else HUB
    happened = [
        (wording.happening(event, lines, named, settings.hub.name, reader), told.get(event.id, ()))
        for event in reversed(view.events)
    ]
    answers = visitor.partner is None or visitor.partner.role is Role.SELLER
    return render(
        request, "order.html.j2", visitor, status=status, fault=fault,
        order=_row(view.summary, named, {}, {}), etag=etag, key=drafts.new_key(),
        lines=[wording.line_of(line) for line in view.lines],
        files=files,
        why_not={said["line"]: said["why_not"] for said in seen["lines"] if said["why_not"]} if seen else {},
        seen=seen, reasons=drafts.REASONS, draft=draft,
        asked=total([(line.requested, line.unit) for line in view.lines]),
        answer_by=view.answer_by,
        time_left=wording.time_left(view.answer_by, application.clock.now()) if view.answer_by else "",
        answers=answers, takes_back=not answers,
        asking=asking.requests_of(view.asking, lines, application.clock.now()),
        happened=happened,
    )  # fmt: skip


def foreseen(
    tx: Connection, application: Application, acting: Acting, order_id: int, body: shapes.CancelOrder
) -> dict[str, Any]:
    """What a cancellation would do: the API's own preview."""
    speaker = acting.speaks(application.clock.now())
    loaded = load_order(tx, order_id)
    assert loaded is not None
    command = meanings.cancel(application.settings, body, speaker, loaded.order)
    return preview(tx, application.settings, speaker, order_id, command)
