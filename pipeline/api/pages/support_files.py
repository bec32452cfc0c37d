"""Support files: what was received, what became of it, what is wrong in it, and reading it again."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from pipeline import outlines, staff
from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_parts import (
    PAGE_ROWS,
    VERDICTS,
    Before,
    RowId,
    Search,
    message_row,
    named_for,
    nothing_done,
    page_of,
    partners_of,
    signature,
)
from pipeline.api.pages.visitors import Operator, Visitor, not_there
from pipeline.api.state import application_of
from pipeline.report import FileReport
from storage import interchanges, lookups, receipts
from storage.interchanges import SetReceipt
from storage.lookups import FilesWanted, MessagesWanted
from storage.receipts import ReceivedFile
from storage.states import FileStatus

ANSWERS_MAX = 200


_SAID = {
    "replayed": "It was read again; this is what became of it.",
    "retried": "It is read again with the next round. Load this page in a minute to see what became of it.",
}


def make_router() -> APIRouter:
    """The list, a file, its bytes, and reading it again."""
    router = APIRouter(prefix="/support/files")

    @router.get("")
    def files(
        request: Request, visitor: Operator, partner: Search = "", name: Search = "", number: Search = "",
        po: Search = "", verdict: Search = "", before: Before = None,
    ) -> Response:  # fmt: skip
        search = {
            "partner": partner, "name": name.strip(), "number": number.strip(), "po": po.strip(),
            "verdict": verdict if verdict in lookups.VERDICTS else "",
        }  # fmt: skip
        return _list(request, visitor, search, before)

    @router.get("/{file_id}")
    def file(request: Request, visitor: Operator, file_id: RowId, said: Search = "") -> Response:
        return _file(request, visitor, file_id, said)

    @router.get("/{file_id}/raw")
    def raw(request: Request, visitor: Operator, file_id: RowId) -> Response:
        del visitor
        with application_of(request).database.reading() as tx:
            found = _there(tx, file_id)
            content = receipts.content_of(tx, file_id)
        if found.pruned_at:
            raise not_there()
        headers = {
            "Content-Disposition": f'attachment; filename="file-{file_id}.edi"',
            "Cache-Control": "no-store",
        }
        return Response(content, media_type="application/octet-stream", headers=headers)

    @router.post("/{file_id}/try")
    def attempt(request: Request, visitor: Operator, file_id: RowId) -> Response:
        with nothing_done():
            report = staff.replay(application_of(request), file_id, signature(visitor), apply=False)
        with application_of(request).database.reading() as tx:
            found = _there(tx, file_id)
        return render(
            request, "support/replay.html.j2", visitor, file=_row(request, found, {}), report=_report(report),
            changes=any(one.moved for one in report.all_sets),
        )  # fmt: skip

    @router.post("/{file_id}/replay")
    def replay(request: Request, visitor: Operator, file_id: RowId) -> Response:
        with nothing_done():
            report = staff.replay(application_of(request), file_id, signature(visitor), apply=True)
        return RedirectResponse(f"/support/files/{report.file_id}?said=replayed", 303)

    @router.post("/{file_id}/retry")
    def retry(request: Request, visitor: Operator, file_id: RowId) -> Response:
        with nothing_done():
            staff.retry(application_of(request), file_id, signature(visitor))
        return RedirectResponse(f"/support/files/{file_id}?said=retried", 303)

    return router


def _there(tx: Connection, file_id: int) -> ReceivedFile:
    found = receipts.get_file(tx, file_id)
    if found is None:
        raise not_there()
    return found


def _list(request: Request, visitor: Visitor, search: dict[str, str], before: int | None) -> Response:
    application = application_of(request)
    wanted = FilesWanted(
        partner=search["partner"], name=search["name"], control_number=search["number"],
        po_number=search["po"], verdict=search["verdict"],
    )  # fmt: skip
    with application.database.reading() as tx:
        found = lookups.list_files(tx, wanted, before_id=before, limit=PAGE_ROWS + 1)
        verdicts = lookups.verdicts_of(tx, found)
    page = page_of(found, search, before)
    page["rows"] = [_row(request, file, verdicts[file.id]) for file in found[:PAGE_ROWS]]
    return render(
        request, "support/files.html.j2", visitor, listed=page, search=search,
        partners=partners_of(application.settings),
        verdicts_known=[(word, VERDICTS[word]) for word in lookups.VERDICTS],
    )  # fmt: skip


def _row(request: Request, file: ReceivedFile, verdicts: dict[str, int]) -> dict[str, object]:
    return {
        "id": file.id, "name": file.name, "partner": named_for(request)(file.partner) or "Nobody",
        "size": file.size, "received_at": file.received_at, "error": file.error,
        "is_replayed": file.mailbox == receipts.REPLAYED, "sha256": file.sha256, "moved_to": file.moved_to,
        "ingested_at": file.ingested_at, "pruned_at": file.pruned_at, "attempts": file.attempts,
        "is_read": file.status is FileStatus.DONE, "is_given_up": file.status is FileStatus.FAILED,
        "verdicts": [(word, VERDICTS.get(word, word), count) for word, count in verdicts.items()],
    }  # fmt: skip


def _file(request: Request, visitor: Visitor, file_id: int, said: str) -> Response:
    with application_of(request).database.reading() as tx:
        file = _there(tx, file_id)
        verdicts = lookups.verdicts_of(tx, [file])[file_id]
        envelopes = interchanges.interchanges_of_file(tx, file_id)
        sets = interchanges.sets_of_file(tx, file_id)
        answers = lookups.list_lines(tx, MessagesWanted(files=[file_id]), limit=ANSWERS_MAX)
        content = receipts.content_of(tx, file_id) if file.status is FileStatus.DONE else b""
    known = {(one.interchange_ordinal, one.ordinal): one.findings for one in sets}
    by_place = {(one.interchange_ordinal, one.ordinal): _set(one) for one in sets}
    # What was given up may be what no reader comes to an end with: its bytes can be fetched, no more.
    page = outlines.page_of(content, known)
    return render(
        request, "support/file.html.j2", visitor, file=_row(request, file, verdicts), page=page,
        envelopes=[
            {"ordinal": one.ordinal, "number": one.control_number, "sender": one.sender,
             "receiver": one.receiver, "usage": one.usage, "outcome": one.outcome.value,
             "outcome_words": VERDICTS[one.outcome.value], "findings": one.findings,
             "sets": [_set(found) for found in sets if found.interchange_ordinal == one.ordinal]}
            for one in envelopes
        ],
        set_at=by_place, answers=[message_row(request, one) for one in answers],
        said=_SAID.get(said, ""),
    )  # fmt: skip


def _set(one: SetReceipt) -> dict[str, object]:
    outcome = one.outcome.value if one.outcome else "new"
    return {
        "id": one.id, "type": one.type, "number": one.control_number, "outcome": outcome,
        "outcome_words": VERDICTS[outcome], "po_number": one.po_number, "order_id": one.order_id,
        "refusals": [refusal.get("message", "") for refusal in one.refusals],
        "faults": len(one.findings),
    }  # fmt: skip


def _report(report: FileReport) -> dict[str, object]:
    """What a trial came to, set by set."""
    return {
        "outcome": report.outcome.value, "outcome_words": VERDICTS[report.outcome.value],
        "error": report.error, "findings": [finding.to_json() for finding in report.findings],
        "interchanges": [
            {"number": one.control_number, "sender": one.sender, "outcome": one.outcome.value,
             "outcome_words": VERDICTS[one.outcome.value],
             "findings": [finding.to_json() for finding in one.findings]}
            for one in report.interchanges
        ],
        "sets": [
            {"type": one.type, "number": one.control_number, "order": one.order,
             "outcome": one.outcome.value, "outcome_words": VERDICTS[one.outcome.value],
             "moved": [(units.how, units.quantity, units.line) for units in one.moved],
             "said": [*(refusal.message for refusal in one.refusals), *filter(None, [one.question]),
                      *one.notes, *(finding.in_full for finding in one.findings)]}
            for one in report.all_sets
        ],
    }  # fmt: skip
