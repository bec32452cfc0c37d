"""Sheet: lists as CSV (RFC 4180, UTF-8, a header row) in which no cell of a partner's is a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.visible import visible

ORDER_COLUMNS = ("po_number", "release", "buyer", "seller", "status", "placed_at")
HELD_COLUMNS = (
    "waits_for", "id", "po_number", "partner", "type", "file", "statement", "choices", "since", "expires_at",
)  # fmt: skip
MESSAGE_COLUMNS = (
    "id", "kind", "set_type", "to", "subject", "status", "error", "order", "identity", "created_at",
    "sent_at", "resend_of", "verdict", "verdict_note",
)  # fmt: skip

# What makes a spreadsheet compute, open or fetch: the signs, also in the full-width forms that some take for
# them, and behind white space, which some drop before they look.
_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_WHITE = frozenset("\t\r\n")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """The rows' values under these columns, each a line; a column that a row has not is empty."""
    return "".join(csv_lines(columns, rows))


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """The same line by line, for what is too long to be held."""
    yield _line(columns)
    for row in rows:
        yield _line([cell(row.get(column)) for column in columns])


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(cells)  # quotes where it must, ends the line with CR LF
    return out.getvalue()


def cell(value: object) -> str:
    """One value: our own numbers as numbers; texts on one line, those that could compute as text (')."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    computes = text[:1] in _WHITE or text.lstrip()[:1] in _SIGNS
    return ("'" if computes else "") + visible(text)
