"""Support cancelling: an order cancelled for one of its parties, by whom support names, as it was seen."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from pipeline import staff
from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_parts import RowId, Search, names_of, nothing_done, signature
from pipeline.api.pages.visitors import Operator, PageError, Visitor, application_of, field, not_there
from pipeline.api.pages.wording import line_of
from pipeline.api.preview import preview
from pipeline.entering import Speaker
from pipeline.errors import OperatorError
from pipeline.partners import Partner
from pipeline.reasons import CancelReason
from pipeline.report import Json
from pipeline.staff import Cancellation
from pipeline.wiring import Application
from storage import queries
from storage.outcomes import Outcome
from storage.queries import Mark, OrderView

NOTE_CHARS_MAX = 500
_FIELDS = ("party", "line", "quantity", "reason", "note")


def make_router() -> APIRouter:
    """What is asked for, what would come of it, and doing it."""
    router = APIRouter(prefix="/orders")

    @router.get("/{order_id}/cancel")
    def look(
        request: Request, visitor: Operator, order_id: RowId, party: Search = "", line: Search = "",
        quantity: Search = "", reason: Search = "", note: Search = "",
    ) -> Response:  # fmt: skip
        said = {"party": party, "line": line, "quantity": quantity.strip(), "reason": reason, "note": note}
        return _look(request, visitor, order_id, said)

    @router.post("/{order_id}/cancel")
    def cancel(request: Request, visitor: Operator, order_id: RowId) -> Response:
        application = application_of(request)
        said = {name: field(request, name, NOTE_CHARS_MAX) for name in _FIELDS}
        with application.database.reading() as tx:
            view, mark = _there(tx, order_id)
        wanted = _wanted(view, said, seen=field(request, "seen", 100) or "nothing", actor=signature(visitor))
        _partner(application, mark, wanted.by)
        with nothing_done():
            report = staff.cancel(application, wanted)
        if report.outcome is not Outcome.APPLIED:
            why = [*(refusal.message for refusal in report.refusals), *filter(None, [report.question])]
            raise PageError(409, "Nothing was cancelled", " ".join(why or report.notes))
        return RedirectResponse(f"/orders/{order_id}", 303)

    return router


def _there(tx: Connection, order_id: int) -> tuple[OrderView, Mark]:
    view, mark = queries.get_order(tx, order_id), queries.mark_of(tx, order_id)
    if view is None or mark is None:
        raise not_there()
    return view, mark


def _partner(application: Application, mark: Mark, id: str) -> Partner:
    """The party that is spoken for."""
    partner = application.settings.directory.get(id)
    if partner is None or id not in (mark.key.buyer, mark.key.seller):
        raise PageError(422, "Nothing was done", "Say for which of the two parties you cancel.")
    return partner


def _wanted(view: OrderView, said: dict[str, str], *, seen: str, actor: str) -> Cancellation:
    return Cancellation(
        po_number=view.summary.key.po_number, by=said["party"], order_id=view.summary.id, seen=seen,
        actor=actor, line=said["line"], quantity=said["quantity"], reason=said["reason"], note=said["note"],
    )  # fmt: skip


def _look(request: Request, visitor: Visitor, order_id: int, said: dict[str, str]) -> Response:
    application, named = application_of(request), names_of(request)
    foreseen: Json | None = None
    fault = ""
    with application.database.reading() as tx:
        view, mark = _there(tx, order_id)
        if said["party"]:
            partner = _partner(application, mark, said["party"])
            wanted = _wanted(view, said, seen=mark.hash, actor=signature(visitor))
            speaker = Speaker(partner=partner, actor=wanted.actor, at=application.clock.now())
            fault = _fault(view, wanted)
            if not fault:
                command = staff.said(application.settings, speaker, wanted, view)
                foreseen = preview(tx, application.settings, speaker, order_id, command)
    key = view.summary.key
    return render(
        request, "support/cancel.html.j2", visitor, order_id=order_id, po_number=key.po_number,
        release=key.release,
        parties=[(id, named(id), role) for id, role in ((key.buyer, "buyer"), (key.seller, "seller"))],
        lines=[line_of(line) for line in view.lines], asked=any(line.requested for line in view.lines),
        reasons=[(reason.value, reason.meaning.words) for reason in CancelReason],
        said=said, fault=fault, foreseen=foreseen, seen=mark.hash, party=named(said["party"]),
    )  # fmt: skip


def _fault(view: OrderView, wanted: Cancellation) -> str:
    """What of the form cannot be meant, as a sentence."""
    if wanted.quantity and not wanted.line:
        return "A quantity is of a line: choose the line, too."
    if wanted.line and wanted.line not in {line.line for line in view.lines}:
        return "The order has no such line."
    try:
        staff.check_figures(wanted)
    except OperatorError:
        return "A quantity is a number such as 60 or 12.5."
    return ""
