"""Support parts: what the pages for support have in common: their words, their pages of a list, and a no."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Path, Query, Request

from pipeline.api.pages.ordering import names_of
from pipeline.api.pages.visitors import PageError, Visitor
from pipeline.api.pages.wording import Named
from pipeline.api.paging import ID_MAX
from pipeline.api.state import application_of
from pipeline.errors import CountermandError
from pipeline.settings import Settings
from storage.held import NotAChoice
from storage.lookups import MessageLine
from storage.messages import OutboxMessage, StaleMessage
from storage.states import Fate, FileStatus, HeldStatus, Kind, Left, Status

PAGE_ROWS = 50

RowId = Annotated[int, Path(ge=1, le=ID_MAX)]
Search = Annotated[str, Query(max_length=300)]
Before = Annotated[int | None, Query(ge=1, le=ID_MAX)]  # the last row of the page before

_Row = TypeVar("_Row")

#: What became of a file, an interchange or a set.
VERDICTS = {
    "new": "Not read yet", "failed": "Given up", "applied": "Applied", "duplicate": "Duplicate",
    "refused": "Refused", "held": "Held", "parked": "Parked", "faulty": "Faulty", "ignored": "Ignored",
    Fate.CONFLICT.value: "Number used twice", Fate.QUARANTINED.value: "Quarantined",
    Fate.ACCEPTED.value: "Accepted", Fate.OPEN.value: "Being read", FileStatus.DONE.value: "Read",
}  # fmt: skip
STATUSES = {
    Status.NEW: "To be sent", Status.SENDING: "Being sent", Status.COMMITTING: "Being handed over",
    Status.SENT: "Sent", Status.UNCERTAIN: "Uncertain", Status.FAILED: "Failed", Status.REFUSED: "Refused",
}  # fmt: skip
KINDS = {Kind.EMAIL: "E-mail", Kind.ACKNOWLEDGMENT: "X12 document", Kind.WEBHOOK: "Webhook"}
LEFT = {
    Left.NOT_A_FILE: "No plain file", Left.EMPTY: "Empty", Left.TOO_LARGE: "Too large",
    Left.INCOMPLETE: "Its last interchange has no end", Left.UNREADABLE: "Cannot be read",
    Left.BROKEN: "Breaks while it is fetched", Left.UNMOVED: "Kept, and cannot be moved",
}  # fmt: skip
ANSWERS = {
    HeldStatus.OPEN: "Waits", HeldStatus.ANSWERED: "Answered", HeldStatus.EXPIRED: "Not answered in time",
}  # fmt: skip


def partners_of(settings: Settings) -> list[tuple[str, str]]:
    """Id and name of every partner, for a list to choose from."""
    return [(partner.id, partner.name) for partner in settings.partners]


def named_for(request: Request) -> Named:
    """What gives a partner's name by its id."""
    return names_of(application_of(request).settings)


def page_of(found: Sequence[_Row], search: dict[str, str], before: int | None) -> dict[str, object]:
    """The rows of a page, of which one more was asked for than fits, and the addresses around it."""
    rows = found[:PAGE_ROWS]
    last: Any = rows[-1] if rows else None
    kept = {name: value for name, value in search.items() if value}
    more = urlencode({**kept, "before": last.id}) if len(found) > PAGE_ROWS else ""
    return {"rows": rows, "more": more, "searched": urlencode(kept), "is_first_page": before is None}


def message_row(request: Request, message: MessageLine | OutboxMessage) -> dict[str, object]:
    """A message as lists show it."""
    return {
        "id": message.id,
        "what": message.set_type or KINDS.get(message.kind, message.kind.value),
        "kind": message.kind.value,
        "partner": named_for(request)(message.partner),
        "to": message.to,
        "subject": message.subject or message.identity,
        "status": message.status.value,
        "status_words": STATUSES[message.status],
        "error": message.error,
        "verdict": message.verdict,
        "order": getattr(message, "order", ""),
        "created_at": message.created_at,
    }


@contextmanager
def nothing_done() -> Iterator[None]:
    """What says no to an action becomes a page with its sentence."""
    try:
        yield
    except (CountermandError, NotAChoice, StaleMessage) as error:
        raise PageError(409, "Nothing was done", str(error)) from error


def signature(visitor: Visitor) -> str:
    """Who did it, as the ledger's events keep it."""
    return visitor.user.email
