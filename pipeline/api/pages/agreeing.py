"""Agreeing in part: units of what was asked, a preview by the ledger's own decision, then the deed, once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from pipeline.amounts import total
from pipeline.api import meanings, shapes
from pipeline.api.pages import drafts, wording
from pipeline.api.pages.deeds import OrderChanged, acting_of, decided
from pipeline.api.pages.drafts import NO_QUANTITY, REASONS, Draft
from pipeline.api.pages.ordering import OrderId, names_of, order_page, view_of
from pipeline.api.pages.rendering import render
from pipeline.api.pages.visitors import SignedIn, Visitor, fields, not_there
from pipeline.api.pages.visitors import field as form_field
from pipeline.api.preview import ways_to
from pipeline.api.state import application_of
from pipeline.notes import NOTE_CHARS_MAX
from pipeline.partners import Role
from storage import ledger
from storage.commands import Consent
from storage.events import EventKind
from storage.ledger import Entry
from storage.loading import load_order
from storage.orders import ZERO
from storage.queries import OrderView
from storage.states import MailTopic

_NOTHING_ASKED = "Nothing of this order is asked to be cancelled any more."


def make_router() -> APIRouter:
    """From a request to an answer about part of it."""
    router = APIRouter()

    @router.get("/orders/{order_id}/request/part")
    def form(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return _form(request, visitor, order_id, Draft())

    @router.post("/orders/{order_id}/request/part/form")
    def change(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return _form(request, visitor, order_id, _draft(request))

    @router.post("/orders/{order_id}/request/part/preview")
    def foresee(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return _preview(request, visitor, order_id)

    @router.post("/orders/{order_id}/request/part")
    def agree(request: Request, visitor: SignedIn, order_id: OrderId) -> Response:
        return _agree(request, visitor, order_id)

    return router


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A draft as the body of the API's own request; or what is wrong with it, in all and by line."""

    body: shapes.Approve | None = None
    fault: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)


def _draft(request: Request) -> Draft:
    return Draft(
        quantities=fields(request, "quantity-", 40),
        reason=form_field(request, "reason", 40),
        note=" ".join(form_field(request, "note", 2 * NOTE_CHARS_MAX).split()),
    )


def _read(draft: Draft) -> _Read:
    """What a draft means; a line that is left empty, or has 0, is not agreed to."""
    agreed: list[shapes.AgreedLine] = []
    faults: dict[str, str] = {}
    for line, typed in draft.quantities.items():
        try:
            one = shapes.AgreedLine.model_validate({"line": line, "quantity": typed})
        except ValidationError:
            faults[line] = NO_QUANTITY
        else:
            agreed += [one] if one.quantity else []
    if faults:
        return _Read(fault="Some quantities cannot be read.", lines=faults)
    if not agreed:
        return _Read(fault="Enter how many units you agree to cancel, on one line at least.")
    said = {"lines": agreed, "note": draft.note, "reason": draft.reason or None}
    try:
        return _Read(body=shapes.Approve.model_validate(said))
    except ValidationError:
        return _Read(fault="The reason or the note cannot be used as it is.")


def _asked(request: Request, visitor: Visitor, order_id: int) -> tuple[OrderView, str]:
    """The order and its ETag, for who may answer: its seller, and the hub's people."""
    if visitor.partner is not None and visitor.partner.role is not Role.SELLER:
        raise not_there()
    with application_of(request).database.reading() as tx:
        return view_of(tx, visitor, order_id)


def _form(
    request: Request, visitor: Visitor, order_id: int, draft: Draft, read: _Read | None = None
) -> Response:
    view, _ = _asked(request, visitor, order_id)
    lines = [wording.line_of(line) for line in view.lines if line.requested]
    if not lines:
        return order_page(request, visitor, order_id, status=409, fault=_NOTHING_ASKED)
    return render(
        request, "request_part.html.j2", visitor, status=422 if read else 200,
        order=view.summary, buyer=names_of(application_of(request).settings)(view.summary.key.buyer),
        lines=lines, draft=draft, fault=read.fault if read else "", faults=read.lines if read else {},
        reasons=REASONS, note_chars_max=NOTE_CHARS_MAX,
    )  # fmt: skip


def _foreseen(request: Request, visitor: Visitor, order_id: int, body: shapes.Approve) -> Entry:
    """What the ledger would decide just now."""
    application = application_of(request)
    with application.database.reading() as tx:
        acting = acting_of(application, visitor, visitor.mark(tx, order_id), Role.SELLER)
        loaded = load_order(tx, order_id)
        assert loaded is not None
        speaker = acting.speaks(application.clock.now())
        command = meanings.answer_request(body, Consent.AGREED, speaker, loaded.order)
        return ledger.foresee(tx, order_id, command)


def _preview(request: Request, visitor: Visitor, order_id: int, *, changed: bool = False) -> Response:
    """What would be done just now, and a form that does just that."""
    draft = _draft(request)
    read = _read(draft)
    view, etag = _asked(request, visitor, order_id)
    if read.body is None or not any(line.requested for line in view.lines):
        return _form(request, visitor, order_id, draft, read)
    decision = _foreseen(request, visitor, order_id, read.body).decision
    moved = {fact.kind: {u.line_id: u.quantity for u in fact.units} for fact in decision.facts}
    cut, kept = moved.get(EventKind.LINES_CANCELLED, {}), moved.get(EventKind.REQUEST_REFUSED, {})
    rows = [
        (wording.line_of(line), cut.get(line.id, ZERO), kept.get(line.id, ZERO))
        for line in view.lines
        if line.requested
    ]
    return render(
        request, "request_preview.html.j2", visitor, status=409 if changed else 200,
        order=view.summary, buyer=names_of(application_of(request).settings)(view.summary.key.buyer),
        draft=draft, changed=changed, rows=rows, refusals=[one.message for one in decision.refusals],
        units=_total(rows, 1), stays=_total(rows, 2), etag=etag, key=drafts.new_key(),
        told=_told(request, view.summary.key.buyer, is_kept=any(kept for _, _, kept in rows)),
    )  # fmt: skip


def _told(request: Request, buyer: str, *, is_kept: bool) -> list[tuple[str, str]]:
    """How the buyer is told, and of what; nothing when it is no partner any more."""
    application = application_of(request)
    partner = application.settings.directory.get(buyer)
    if partner is None:
        return []
    with application.database.reading() as tx:
        cut, kept = (
            wording.ways(ways_to(tx, application.settings, partner, topic))
            for topic in (MailTopic.CANCELLATIONS, MailTopic.REFUSALS)
        )
    if not is_kept:
        return [(cut, "of what is cancelled")]
    if cut == kept:
        return [(cut, "of what is cancelled, and of what is refused")]
    return [(cut, "of what is cancelled"), (kept, "of what is refused")]


def _total(rows: list[tuple[wording.Line, Decimal, Decimal]], place: int) -> str:
    return total([(row[1] if place == 1 else row[2], row[0].unit) for row in rows])


def _agree(request: Request, visitor: Visitor, order_id: int) -> Response:
    """Do what was shown, if the order is still as it was; else show what it would be now."""
    draft = _draft(request)
    read = _read(draft)
    body = read.body
    _asked(request, visitor, order_id)
    if body is None:
        return _form(request, visitor, order_id, draft, read)
    try:
        return decided(
            request, visitor, order_id, Role.SELLER, body.model_dump_json(),
            lambda who, order: (meanings.answer_request(body, Consent.AGREED, who, order), None),
        )  # fmt: skip
    except OrderChanged:
        return _preview(request, visitor, order_id, changed=True)
