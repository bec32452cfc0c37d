"""Support files: what was received, what became of it, what is wrong in it, and reading it again."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from pipeline import staff
from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_file import file_page, file_row, there
from pipeline.api.pages.support_parts import (
    PAGE_ROWS,
    VERDICTS,
    Before,
    RowId,
    Search,
    nothing_done,
    page_of,
    partners_of,
    signature,
)
from pipeline.api.pages.visitors import Operator, Visitor, field, not_there
from pipeline.api.state import application_of
from pipeline.report import FileReport
from storage import lookups, receipts
from storage.lookups import FilesWanted


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
        return file_page(request, visitor, file_id, said)

    @router.get("/{file_id}/raw")
    def raw(request: Request, visitor: Operator, file_id: RowId) -> Response:
        del visitor
        with application_of(request).database.reading() as tx:
            found = there(tx, file_id)
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
        return _trial(request, visitor, file_id, report)

    @router.post("/{file_id}/replay")
    def replay(request: Request, visitor: Operator, file_id: RowId) -> Response:
        try:
            with nothing_done():
                report = staff.replay(
                    application_of(request), file_id, signature(visitor), apply=True,
                    shown=field(request, "shown", 100),
                )  # fmt: skip
        except staff.Changed as changed:
            return _trial(request, visitor, file_id, changed.report, is_changed=True)
        return RedirectResponse(f"/support/files/{report.file_id}?said=replayed", 303)

    @router.post("/{file_id}/retry")
    def retry(request: Request, visitor: Operator, file_id: RowId) -> Response:
        with nothing_done():
            staff.retry(application_of(request), file_id, signature(visitor))
        return RedirectResponse(f"/support/files/{file_id}?said=retried", 303)

    return router


def _trial(
    request: Request, visitor: Visitor, file_id: int, report: FileReport, *, is_changed: bool = False
) -> Response:
    """What a replay would do, and a form that does just that."""
    with application_of(request).database.reading() as tx:
        found = there(tx, file_id)
    return render(
        request, "support/replay.html.j2", visitor, status=409 if is_changed else 200,
        file=file_row(request, found, {}), report=_report(report), shown=report.mark, is_changed=is_changed,
        changes=any(one.moved for one in report.all_sets),
    )  # fmt: skip


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
    page["rows"] = [file_row(request, file, verdicts[file.id]) for file in found[:PAGE_ROWS]]
    return render(
        request, "support/files.html.j2", visitor, listed=page, search=search,
        partners=partners_of(application.settings),
        verdicts_known=[(word, VERDICTS[word]) for word in lookups.VERDICTS],
    )  # fmt: skip


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
