"""Support search: one box for order numbers, control numbers and file names; what was found by kind."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_parts import VERDICTS, Search, message_row, named_for
from pipeline.api.pages.visitors import Operator
from pipeline.api.pages.wording import STATUSES
from pipeline.api.state import application_of
from storage import held, lookups, order_lists, parked
from storage.lookups import FilesWanted, MessageLine, MessagesWanted
from storage.order_lists import Wanted
from storage.receipts import ReceivedFile

SHOWN_MAX = 20  # of each kind


def make_router() -> APIRouter:
    """The page of results."""
    router = APIRouter()

    @router.get("/support/search")
    def search(request: Request, visitor: Operator, q: Search = "") -> Response:
        return _search(request, visitor, q.strip())

    return router


def _search(request: Request, visitor: Operator, sought: str) -> Response:
    application, named = application_of(request), named_for(request)
    if not sought:
        return render(request, "support/search.html.j2", visitor, sought="", groups={}, is_empty=True)
    partners = [partner.id for partner in application.settings.partners]
    with application.database.reading() as tx:
        orders = order_lists.page_of_orders(tx, Wanted(po_number=sought), limit=SHOWN_MAX + 1)
        files: dict[int, ReceivedFile] = {}
        for wanted in (
            FilesWanted(name=sought), FilesWanted(control_number=sought), FilesWanted(po_number=sought)
        ):  # fmt: skip
            files |= {file.id: file for file in lookups.list_files(tx, wanted, limit=SHOWN_MAX + 1)}
        messages: dict[int, MessageLine] = {}
        for about in (
            MessagesWanted(po_number=sought), MessagesWanted(control_number=sought, partners=partners)
        ):  # fmt: skip
            messages |= {one.id: one for one in lookups.list_lines(tx, about, limit=SHOWN_MAX + 1)}
        questions = held.held_for(tx, sought)
        waiting = parked.list_parked(tx, po_number=sought, limit=SHOWN_MAX)
        newest = sorted(files.values(), key=lambda file: -file.id)[: SHOWN_MAX + 1]
        verdicts = lookups.verdicts_of(tx, newest)
    lines = sorted(messages.values(), key=lambda one: -one.id)
    groups = {
        "orders": [
            {"id": order.id, "po_number": order.key.po_number, "release": order.key.release,
             "buyer": named(order.key.buyer), "seller": named(order.key.seller),
             "status": order.status.value, "status_words": STATUSES[order.status], "at": order.placed_at}
            for order in orders[:SHOWN_MAX]
        ],
        "files": [
            {"id": file.id, "name": file.name, "partner": named(file.partner), "at": file.received_at,
             "verdicts": [(word, VERDICTS[word], count) for word, count in verdicts[file.id].items()]}
            for file in newest[:SHOWN_MAX]
        ],
        "messages": [message_row(request, one) for one in lines[:SHOWN_MAX]],
        "held": questions[:SHOWN_MAX],
        "parked": waiting,
    }  # fmt: skip
    more = {
        "orders": len(orders) > SHOWN_MAX,
        "files": len(newest) > SHOWN_MAX,
        "messages": len(lines) > SHOWN_MAX,
    }
    return render(
        request, "support/search.html.j2", visitor, sought=sought, groups=groups, more=more,
        is_empty=not any(groups.values()),
    )  # fmt: skip
