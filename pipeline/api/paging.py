"""Paging: the places between orders, as lists pass them on, and read back whatever comes."""

import base64
from datetime import UTC, datetime

from pipeline.api.problems import ApiProblem
from storage.queries import OrderSummary

ID_MAX = 2**53 - 1  # what every JSON library can carry
CURSOR_CHARS_MAX = 100


def cursor_of(last: OrderSummary) -> str:
    """The place behind an order, for the next page; opaque to callers."""
    said = f"{last.placed_at.astimezone(UTC).isoformat()}|{last.id}"
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[datetime, int]:
    """When the order before the page was placed, and its id; an ApiProblem 422 for what no list gave."""
    try:
        said = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        placed_at, _, order_id = said.partition("|")
        place = datetime.fromisoformat(placed_at).astimezone(UTC), int(order_id)
    except (ValueError, OverflowError) as error:  # binascii's and the codec's are among them
        raise ApiProblem(422, "no-such-page", "The cursor is none that a list gave.") from error
    if not 1 <= place[1] <= ID_MAX:
        raise ApiProblem(422, "no-such-page", "The cursor is none that a list gave.")
    return place
