"""Support export: orders, what waits and the outbox as CSV, in which no cell of a partner's is a formula."""

from collections.abc import Callable, Iterator, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from pipeline import sheet
from pipeline.api.pages.visitors import Operator
from pipeline.api.state import application_of
from pipeline.report import Json
from pipeline.views import held_json, line_json, parked_json, receipts_of, summary_json, waiting_rows
from pipeline.wiring import Application
from storage import held, lookups, order_lists, parked
from storage.lookups import MessagesWanted

ROWS_MAX = 100_000  # of one file; as many as the commands give
_TOGETHER = 1_000  # rows that are asked for at once: no transaction lasts as long as somebody's download


def make_router() -> APIRouter:
    """The downloads."""
    router = APIRouter(prefix="/support/export")

    @router.get("/orders.csv")
    def orders(request: Request, visitor: Operator) -> Response:
        del visitor
        return _download("orders", sheet.ORDER_COLUMNS, _orders(application_of(request)))

    @router.get("/waiting.csv")
    def waiting(request: Request, visitor: Operator) -> Response:
        del visitor
        return _download("waiting", sheet.HELD_COLUMNS, _waiting(application_of(request)))

    @router.get("/outbox.csv")
    def outbox(request: Request, visitor: Operator) -> Response:
        del visitor
        return _download("outbox", sheet.MESSAGE_COLUMNS, _messages(application_of(request)))

    return router


def _download(name: str, columns: Sequence[str], rows: Iterator[Json]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    lines = sheet.csv_lines(columns, rows)
    return StreamingResponse(_gathered(lines), media_type="text/csv; charset=utf-8", headers=headers)


def _gathered(lines: Iterator[str]) -> Iterator[str]:
    """Many short lines in few pieces."""
    piece: list[str] = []
    for line in lines:
        piece.append(line)
        if len(piece) == _TOGETHER:
            yield "".join(piece)
            piece = []
    yield "".join(piece)


def _pages(page: Callable[[int | None], Sequence[tuple[int, Json]]]) -> Iterator[Json]:
    """Rows with their ids, page by page, up to ROWS_MAX."""
    last: int | None = None
    for _ in range(ROWS_MAX // _TOGETHER):
        found = page(last)
        yield from (row for _, row in found)
        if len(found) < _TOGETHER:
            return
        last = found[-1][0]


def _orders(application: Application) -> Iterator[Json]:
    def page(last: int | None) -> list[tuple[int, Json]]:
        with application.database.reading() as tx:
            found = order_lists.list_orders(tx, before_id=last, limit=_TOGETHER)
        return [(order.id, summary_json(order)) for order in found]

    return _pages(page)


def _messages(application: Application) -> Iterator[Json]:
    def page(last: int | None) -> list[tuple[int, Json]]:
        with application.database.reading() as tx:
            found = lookups.list_lines(tx, MessagesWanted(), before_id=last, limit=_TOGETHER)
        return [(line.id, line_json(line)) for line in found]

    return _pages(page)


def _waiting(application: Application) -> Iterator[Json]:
    with application.database.reading() as tx:
        questions = held.list_held(tx, limit=ROWS_MAX)
        documents = parked.list_parked(tx, limit=ROWS_MAX)
        behind = receipts_of(tx, questions, documents)
    return waiting_rows(
        [held_json(one, behind.get(one.set_id or 0)) for one in questions],
        [parked_json(one, behind.get(one.set_id)) for one in documents],
    )
