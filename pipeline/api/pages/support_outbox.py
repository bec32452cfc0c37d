"""Support outbox: what is owed and was sent, each message as its reader sees it, and sending it again."""

import json

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from pipeline import outlines, staff
from pipeline.api.pages.mails import WITH_FRAME, in_frame
from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_parts import (
    KINDS,
    PAGE_ROWS,
    STATUSES,
    Before,
    RowId,
    Search,
    message_row,
    nothing_done,
    page_of,
    partners_of,
    signature,
)
from pipeline.api.pages.visitors import Operator, PageError, Visitor, field, not_there
from pipeline.api.state import application_of
from pipeline.contents import html_of, text_of
from pipeline.people import is_secret
from pipeline.settings import Settings
from pipeline.telling.company_mail import company_mail
from storage import interchanges, lookups, messages, queries, webhooks
from storage.lookups import MessageLine, MessagesWanted
from storage.messages import OutboxMessage
from storage.states import Kind, Status

SHOWN_BYTES_MAX = 200_000  # of a webhook's body


def make_router() -> APIRouter:
    """The list, a message, its HTML, and sending it again."""
    router = APIRouter(prefix="/support/outbox")

    @router.get("")
    def listed(
        request: Request, visitor: Operator, status: Search = "", kind: Search = "", partner: Search = "",
        po: Search = "", before: Before = None,
    ) -> Response:  # fmt: skip
        search = {"status": status, "kind": kind, "partner": partner, "po": po.strip()}
        return _list(request, visitor, search, before)

    @router.get("/{message_id}")
    def message(request: Request, visitor: Operator, message_id: RowId, said: Search = "") -> Response:
        return _message(request, visitor, message_id, said)

    @router.get("/{message_id}/html")
    def html(request: Request, visitor: Operator, message_id: RowId) -> Response:
        del visitor
        with application_of(request).database.reading() as tx:
            found = _there(tx, message_id)
        if is_secret(found.dedupe_key) or not html_of(found):
            raise not_there()
        return in_frame(found)

    @router.get("/{message_id}/resend")
    def confirm(request: Request, visitor: Operator, message_id: RowId) -> Response:
        with application_of(request).database.reading() as tx:
            found, repeated = _there(tx, message_id), messages.resends_of(tx, message_id)
        with nothing_done():
            staff.check_no_secret(found)
        if not found.is_final:
            raise PageError(409, "Nothing was done", "It was not sent yet, and will be sent anyway.")
        return render(
            request, "support/resend.html.j2", visitor, message=message_row(request, found),
            repeated=repeated, is_mail=found.kind is Kind.EMAIL,
        )  # fmt: skip

    @router.post("/{message_id}/resend")
    def resend(request: Request, visitor: Operator, message_id: RowId) -> Response:
        after = field(request, "after", 9)
        with nothing_done():
            made = staff.resend(
                application_of(request), message_id, signature(visitor),
                after=int(after) if after.isascii() and after.isdigit() else 0,
            )  # fmt: skip
        return RedirectResponse(f"/support/outbox/{made[0]}?said=resent", 303)

    return router


def _there(tx: Connection, message_id: int) -> OutboxMessage:
    found = messages.get(tx, message_id)
    if found is None:
        raise not_there()
    return found


def _list(request: Request, visitor: Visitor, search: dict[str, str], before: int | None) -> Response:
    application = application_of(request)
    status = next((one for one in Status if one.value == search["status"]), None)
    kind = next((one for one in Kind if one.value == search["kind"]), None)
    is_known = bool(status or not search["status"]) and bool(kind or not search["kind"])
    found: tuple[MessageLine, ...] = ()
    with application.database.reading() as tx:
        wanted = MessagesWanted(
            status=status, kind=kind, po_number=search["po"],
            recipients=_addresses(tx, application.settings, search["partner"]),
        )  # fmt: skip
        if is_known:
            found = lookups.list_lines(tx, wanted, before_id=before, limit=PAGE_ROWS + 1)
    page = page_of(found, search, before)
    page["rows"] = [message_row(request, one) for one in found[:PAGE_ROWS]]
    return render(
        request, "support/outbox.html.j2", visitor, listed=page, search=search,
        statuses=[(status.value, words) for status, words in STATUSES.items()],
        kinds=[(kind.value, words) for kind, words in KINDS.items()],
        partners=partners_of(application.settings), is_known=is_known,
    )  # fmt: skip


def _readable(payload: bytes) -> str:
    """A webhook's body with a line for each value, as far as a page has room for it."""
    if len(payload) > SHOWN_BYTES_MAX:
        return payload[:SHOWN_BYTES_MAX].decode("ascii", "replace") + " ..."
    return json.dumps(json.loads(payload), indent=2, ensure_ascii=False) if payload else ""


def _addresses(tx: Connection, settings: Settings, partner_id: str) -> tuple[str, ...]:
    """Where a partner's mails and documents go by today's settings and choices, and its events."""
    if not partner_id:
        return ()
    hooks = [one.url for one in webhooks.list_endpoints(tx, partner_id)]
    company = company_mail(tx, settings, partner_id)
    if company is None:
        return (partner_id, *hooks)
    return (partner_id, *company.standing, *(chooser.email for chooser in company.choosers), *hooks)


def _message(request: Request, visitor: Visitor, message_id: int, said: str) -> Response:
    with application_of(request).database.reading() as tx:
        found = _there(tx, message_id)
        repeated = messages.resends_of(tx, message_id)
        mark = queries.mark_of(tx, found.order_id) if found.order_id else None
        cause = interchanges.get_interchange(tx, found.interchange_id) if found.interchange_id else None
        answer = interchanges.get_set(tx, found.verdict_set_id) if found.verdict_set_id else None
    secret, is_mail = is_secret(found.dedupe_key), found.kind is Kind.EMAIL
    is_document = found.kind is Kind.ACKNOWLEDGMENT
    shows_html = is_mail and not secret and bool(html_of(found))
    return render(
        request, "support/message.html.j2", visitor, headers=WITH_FRAME,
        message=message_row(request, found), is_secret=secret, is_mail=is_mail, is_final=found.is_final,
        pruned_at=found.pruned_at, sent_at=found.sent_at, attempts=found.attempts, identity=found.identity,
        resend_of=found.resend_of, repeated=repeated, order=mark, order_id=found.order_id,
        shows_html=shows_html,
        text="" if secret else text_of(found) if is_mail or is_document else _readable(found.payload),
        page=outlines.page_of(found.payload) if is_document else outlines.Page(),
        endpoint_id=found.endpoint_id,
        verdict_words=found.verdict.replace("_", " "), verdict_note=found.verdict_note,
        verdict_at=found.verdict_at, cause_file=cause.file_id if cause else 0,
        cause_number=cause.control_number if cause else "", answer_file=answer.file_id if answer else 0,
        said=f"It is a repetition of message {found.resend_of}, and goes out with the next delivery."
        if said == "resent" and found.resend_of else "",
    )  # fmt: skip
