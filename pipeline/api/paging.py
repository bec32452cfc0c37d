"""Paging: the numbers of orders as lists pass them on, and read back whatever comes."""

import base64
import binascii

from pipeline.api.problems import ApiProblem

ID_MAX = 2**53 - 1  # what every JSON library can carry
CURSOR_CHARS_MAX = 24


def cursor_of(order_id: int) -> str:
    """The page after this order."""
    return base64.urlsafe_b64encode(str(order_id).encode()).decode().rstrip("=")


def id_of(cursor: str) -> int:
    """The order before the page; an ApiProblem 422 for what no list gave."""
    try:
        said = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        order_id = int(said) if said.isdigit() else 0
    except (ValueError, binascii.Error):
        order_id = 0
    if not 1 <= order_id <= ID_MAX:
        raise ApiProblem(422, "no-such-page", "The cursor is none that a list gave.")
    return order_id
