"""Batches: which settled files are fetched together, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.ports import RemoteFile
from pipeline.receiving.leftovers import Leftovers
from pipeline.shares import shares
from storage.mailboxes import LeftFile
from storage.states import Left

BATCH_FILES_MAX = 256  # enough to hide the round trips; few enough to move soon after keeping
BATCH_BYTES_MAX = 16 * 1024 * 1024  # held in memory at once, or one file of any allowed size
#: Files over which a connection broke go in ever smaller batches, until it is known which one it was.
BATCH_FILES_AFTER_TRIES = (BATCH_FILES_MAX, 16, 1)
TRIES_MAX = len(BATCH_FILES_AFTER_TRIES)
BROKEN_AGAIN = timedelta(hours=1)  # then one more try: it may have been the network after all


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that are fetched together."""

    files: tuple[RemoteFile, ...]


def in_batches(
    files: Sequence[RemoteFile], left: Leftovers, now: datetime, incomplete_seconds: float
) -> list[Batch]:
    """What is to be taken, the unsuspected first, so that a file that breaks the connection stops nobody."""
    groups: list[list[RemoteFile]] = [[] for _ in range(TRIES_MAX + 1)]
    for file in files:
        known = left.of(file)
        if known is not None and is_awaited(known, now, incomplete_seconds):
            continue
        tries = known.tries if known is not None and known.reason is Left.BROKEN else 0
        if tries >= TRIES_MAX and known is not None and abs(now - known.tried_at) < BROKEN_AGAIN:
            continue
        groups[min(tries, TRIES_MAX)].append(file)
    batches: list[Batch] = []
    for group, files_max in zip(groups, (*BATCH_FILES_AFTER_TRIES, 1), strict=True):
        cut = shares(group, lambda file: file.size, files_max, BATCH_BYTES_MAX)
        batches += [Batch(tuple(share)) for share in cut]
    return batches


def is_awaited(left: LeftFile, now: datetime, incomplete_seconds: float) -> bool:
    """Whether the writer of a file that breaks off still has time to go on."""
    return left.reason is Left.INCOMPLETE and now - left.since < timedelta(seconds=incomplete_seconds)
