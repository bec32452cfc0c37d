"""Support file: the page of one received file: what became of it, why, what it moved, and what followed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Connection

from pipeline import outlines
from pipeline.amounts import amounts
from pipeline.api.pages.rendering import render
from pipeline.api.pages.support_parts import VERDICTS, message_row, named_for
from pipeline.api.pages.visitors import Visitor, not_there
from pipeline.api.state import application_of
from pipeline.report import MOVES_OF
from storage import held, interchanges, lookups, receipts
from storage.held import Held
from storage.interchanges import InterchangeReceipt, SetReceipt
from storage.lookups import MessageLine, MessagesWanted, Moved
from storage.outcomes import Outcome
from storage.receipts import ReceivedFile
from storage.states import Fate, FileStatus, Kind

ANSWERS_MAX = 200
EARLIER_SETS_MAX = 20  # named of a file that came before; its own page has them all
_SAID = {
    "replayed": "It was read again; this is what became of it.",
    "retried": "It is read again with the next round. Load this page in a minute to see what became of it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the ledger knows of the sets of a file."""

    questions: Mapping[int, Held]
    moved: Mapping[int, Sequence[Moved]]


def there(tx: Connection, file_id: int) -> ReceivedFile:
    """A received file; a PageError 404."""
    found = receipts.get_file(tx, file_id)
    if found is None:
        raise not_there()
    return found


def file_row(request: Request, file: ReceivedFile, verdicts: dict[str, int]) -> dict[str, object]:
    """A file as lists show it."""
    return {
        "id": file.id, "name": file.name, "partner": named_for(request)(file.partner) or "Nobody",
        "size": file.size, "received_at": file.received_at, "error": file.error,
        "is_replayed": file.mailbox == receipts.REPLAYED, "sha256": file.sha256, "moved_to": file.moved_to,
        "ingested_at": file.ingested_at, "pruned_at": file.pruned_at, "attempts": file.attempts,
        "is_read": file.status is FileStatus.DONE, "is_given_up": file.status is FileStatus.FAILED,
        "verdicts": [(word, VERDICTS.get(word, word), count) for word, count in verdicts.items()],
    }  # fmt: skip


def file_page(request: Request, visitor: Visitor, file_id: int, said: str) -> Response:
    """All that is known of a file."""
    with application_of(request).database.reading() as tx:
        file = there(tx, file_id)
        verdicts = lookups.verdicts_of(tx, [file])[file_id]
        envelopes = [(one, _earlier(tx, one)) for one in interchanges.interchanges_of_file(tx, file_id)]
        sets = interchanges.sets_of_file(tx, file_id)
        answers = {kind: _followed(tx, file_id, kind) for kind in Kind}
        waits = held.open_of(tx, [one.id for one in sets if one.outcome is Outcome.HELD])
        known = _Known(questions=waits, moved=lookups.moved_by(tx, file_id))
        content = receipts.content_of(tx, file_id) if file.status is FileStatus.DONE else b""
    findings = {(one.interchange_ordinal, one.ordinal): one.findings for one in sets}
    # What was given up may be what no reader comes to an end with: its bytes can be fetched, no more.
    page = outlines.page_of(content, findings)
    written = sorted((*answers[Kind.ACKNOWLEDGMENT], *answers[Kind.EMAIL]), key=lambda one: -one.id)
    return render(
        request, "support/file.html.j2", visitor, file=file_row(request, file, verdicts), page=page,
        envelopes=[
            {**_envelope(one), "earlier": earlier,
             "sets": [_set(found, known) for found in sets if found.interchange_id == one.id]}
            for one, earlier in envelopes
        ],
        set_at={(one.interchange_ordinal, one.ordinal): _set(one, known) for one in sets},
        answers=[message_row(request, one) for one in written],
        posted=[message_row(request, one) for one in answers[Kind.WEBHOOK]],
        said=_SAID.get(said, ""),
    )  # fmt: skip


def _followed(tx: Connection, file_id: int, kind: Kind) -> tuple[MessageLine, ...]:
    return lookups.list_lines(tx, MessagesWanted(files=[file_id], kind=kind), limit=ANSWERS_MAX)


def _earlier(tx: Connection, one: InterchangeReceipt) -> dict[str, object] | None:
    """The interchange that came before a duplicate, or before other content under its number."""
    first = interchanges.earlier_of(tx, one) if one.outcome in (Fate.DUPLICATE, Fate.CONFLICT) else None
    if first is None:
        return None
    file = receipts.get_file(tx, first.file_id)
    assert file is not None
    sets = [found for found in interchanges.sets_of_file(tx, file.id) if found.interchange_id == first.id]
    return {
        "file_id": file.id, "name": file.name, "received_at": file.received_at,
        "sets": [_set(found, _Known(questions={}, moved={})) for found in sets[:EARLIER_SETS_MAX]],
        "more": max(0, len(sets) - EARLIER_SETS_MAX),
    }  # fmt: skip


def _envelope(one: InterchangeReceipt) -> dict[str, object]:
    return {
        "ordinal": one.ordinal, "number": one.control_number, "sender": one.sender,
        "receiver": one.receiver, "usage": one.usage, "outcome": one.outcome.value,
        "outcome_words": VERDICTS[one.outcome.value], "findings": one.findings,
    }  # fmt: skip


def _set(one: SetReceipt, known: _Known) -> dict[str, object]:
    outcome, question = one.outcome.value if one.outcome else "new", known.questions.get(one.id)
    return {
        "id": one.id, "type": one.type, "number": one.control_number, "outcome": outcome,
        "outcome_words": VERDICTS[outcome], "po_number": one.po_number, "order_id": one.order_id,
        "refusals": [refusal.get("message", "") for refusal in one.refusals],
        "faults": len(one.findings),
        "question": question.statement if question else "", "held": question.id if question else 0,
        "moved": [_moved(moved) for moved in known.moved.get(one.id, ())],
    }  # fmt: skip


def _moved(moved: Moved) -> str:
    lines = "1 line" if moved.lines == 1 else f"{moved.lines} lines"
    return f"{MOVES_OF[moved.kind].capitalize()} {amounts([(moved.quantity, moved.unit)])} on {lines}"
