"""Support waiting: questions that wait for a person, with what each answer would do, and parked documents."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from pipeline import staff
from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_parts import (
    ANSWERS,
    PAGE_ROWS,
    VERDICTS,
    RowId,
    Search,
    named_for,
    nothing_done,
    signature,
)
from pipeline.api.pages.visitors import Operator, PageError, Visitor, field, not_there
from pipeline.api.state import application_of
from pipeline.notes import NOTE_CHARS_MAX
from pipeline.screen import age_words
from pipeline.views import receipts_of
from storage import held, interchanges, parked
from storage.held import Held
from storage.interchanges import SetReceipt
from storage.states import HeldStatus

SETTLED_MAX = 20


def make_router() -> APIRouter:
    """The list, a question, and its answer."""
    router = APIRouter(prefix="/support/waiting")

    @router.get("")
    def waiting(request: Request, visitor: Operator, after: int = 0, parked_after: int = 0) -> Response:
        return _list(request, visitor, max(after, 0), max(parked_after, 0))

    @router.get("/{held_id}")
    def question(request: Request, visitor: Operator, held_id: RowId, said: Search = "") -> Response:
        return _question(request, visitor, held_id, said)

    @router.post("/{held_id}/look")
    def confirm(request: Request, visitor: Operator, held_id: RowId) -> Response:
        choice, note = field(request, "choice"), field(request, "note", NOTE_CHARS_MAX)
        with application_of(request).database.reading() as tx:
            found = held.get_held(tx, held_id)
        if found is None:
            raise not_there()
        effect = next((one.effect for one in found.choices if one.name == choice), None)
        if effect is None or found.status is not HeldStatus.OPEN:
            said = "Choose one of the answers first." if found.status is HeldStatus.OPEN else "It is settled."
            raise PageError(409, "Nothing was done", said)
        return render(
            request, "support/answer.html.j2", visitor, question=_held(request, found, None), choice=choice,
            effect=effect, note=note,
        )  # fmt: skip

    @router.post("/{held_id}/answer")
    def answer(request: Request, visitor: Operator, held_id: RowId) -> Response:
        choice, note = field(request, "choice"), field(request, "note", NOTE_CHARS_MAX)
        with nothing_done():
            staff.release(application_of(request), held_id, choice, signature(visitor), note)
        return RedirectResponse(f"/support/waiting/{held_id}?said=answered", 303)

    return router


def _list(request: Request, visitor: Visitor, after: int, parked_after: int) -> Response:
    application = application_of(request)
    with application.database.reading() as tx:
        questions = held.list_held(tx, after_id=after, limit=PAGE_ROWS + 1)
        documents = parked.list_parked(tx, after_id=parked_after, limit=PAGE_ROWS + 1)
        settled = held.settled(tx, limit=SETTLED_MAX)
        behind = receipts_of(tx, [*questions, *settled], documents)
    now, named = application.clock.now(), named_for(request)
    return render(
        request, "support/waiting.html.j2", visitor,
        questions=[_held(request, one, behind.get(one.set_id or 0)) for one in questions[:PAGE_ROWS]],
        more=questions[PAGE_ROWS - 1].id if len(questions) > PAGE_ROWS else 0,
        parked=[
            {"partner": named(one.partner), "po_number": one.po_number, "release": one.release,
             "buyer": named(one.buyer), "seller": named(one.seller), "since": one.since,
             "age": age_words(now - one.since), "until": one.expires_at,
             "document": _document(behind.get(one.set_id))}
            for one in documents[:PAGE_ROWS]
        ],
        more_parked=documents[PAGE_ROWS - 1].id if len(documents) > PAGE_ROWS else 0,
        settled=[_held(request, one, behind.get(one.set_id or 0)) for one in settled],
        is_first_page=not after and not parked_after,
    )  # fmt: skip


def _question(request: Request, visitor: Visitor, held_id: int, said: str) -> Response:
    with application_of(request).database.reading() as tx:
        found = held.get_held(tx, held_id)
        behind = interchanges.get_set(tx, found.set_id) if found and found.set_id else None
        waits = held.open_of(tx, [behind.id]).get(behind.id) if behind else None
    if found is None:
        raise not_there()
    next_one = waits if waits and waits.id != found.id else None
    return render(
        request, "support/question.html.j2", visitor, question=_held(request, found, behind),
        is_answered=said == "answered", next_one=next_one,
        is_again=bool(next_one and next_one.is_again(found)),
    )  # fmt: skip


def _held(request: Request, one: Held, receipt: SetReceipt | None) -> dict[str, Any]:
    now = application_of(request).clock.now()
    return {
        "id": one.id, "po_number": one.po_number, "partner": named_for(request)(one.partner),
        "statement": one.statement, "choices": one.choices, "at": one.at, "age": age_words(one.age(now)),
        "expires_at": one.expires_at, "is_open": one.status is HeldStatus.OPEN,
        "status_words": ANSWERS[one.status], "answer": one.answer, "answered_by": one.answered_by,
        "answered_at": one.answered_at, "note": one.note, "document": _document(receipt),
    }  # fmt: skip


def _document(receipt: SetReceipt | None) -> dict[str, Any] | None:
    """The set behind it, and what has become of it."""
    if receipt is None:
        return None
    outcome = receipt.outcome.value if receipt.outcome else "new"
    return {
        "type": receipt.type, "number": receipt.control_number, "file_id": receipt.file_id,
        "file": receipt.file_name, "interchange": receipt.interchange_control_number,
        "set_id": receipt.id, "outcome": outcome, "outcome_words": VERDICTS[outcome],
        "order_id": receipt.order_id,
        "refusals": [refusal.get("message", "") for refusal in receipt.refusals],
    }  # fmt: skip
