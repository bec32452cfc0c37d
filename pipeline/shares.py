"""Shares: a long row is done a share at a time, so that a share's count and size are bounded."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def shares(items: Iterable[T], size: Callable[[T], int], items_max: int, bytes_max: int) -> Iterator[list[T]]:
    """The items in order, so many and so many bytes at once; one that is larger is alone."""
    share: list[T] = []
    total = 0
    for item in items:
        more = size(item)
        if share and (len(share) == items_max or total + more > bytes_max):
            yield share
            share, total = [], 0
        share.append(item)
        total += more
    if share:
        yield share
