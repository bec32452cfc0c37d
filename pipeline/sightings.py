"""What was seen in mailboxes and when: decides that a file is settled, and says nothing twice.

Lives as long as the process. Losing it costs a wait and a second look, never a file.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline.ports import RemoteFile

K = TypeVar("K")
V = TypeVar("V")

UNFINISHED_ENDINGS = (b".tmp", b".part", b".filepart")
_PAUSE_SECONDS_FIRST = 30.0
_PAUSE_SECONDS_MAX = 1800.0  # a wrong password is tried 50 times a day at most


def is_candidate(file: RemoteFile) -> bool:
    """By name, type and size: something a partner may have finished writing."""
    return file.regular and file.size > 0 and not is_unfinished(file.name)


def is_unfinished(name: bytes) -> bool:
    """A name writers use while they write, or hide."""
    return name.startswith(b".") or name.lower().endswith(UNFINISHED_ENDINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """The candidates of one look, and how long the unsettled ones must still be left alone."""

    settled: tuple[RemoteFile, ...]
    unsettled: tuple[RemoteFile, ...]
    owed_seconds: float


class Sightings(Generic[K]):
    """The memory of earlier looks; K is whatever the caller has kept of a file it could not move."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[bytes, tuple[RemoteFile, float]]] = {}
        self._told: dict[str, dict[bytes, RemoteFile]] = {}
        self._kept: dict[str, dict[bytes, tuple[RemoteFile, K]]] = {}
        self._failures: dict[str, tuple[int, float]] = {}

    def look(
        self, partner_id: str, files: Iterable[RemoteFile], *, now_seconds: float, settle_seconds: float
    ) -> Settling:
        """Compare a listing with the earlier ones by our own clock; the server's time is never compared.

        Settled is a file with content whose length and time are the same as at a look at least
        `settle_seconds` ago. What is no longer listed is forgotten.
        """
        files = tuple(files)
        before = self._seen.get(partner_id, {})
        after: dict[bytes, tuple[RemoteFile, float]] = {}
        settled, unsettled, owed_seconds = [], [], 0.0
        for file in files:
            if not is_candidate(file):
                continue
            earlier, since = before.get(file.name, (None, now_seconds))
            after[file.name] = (file, since if earlier == file else now_seconds)
            owed = settle_seconds - (now_seconds - after[file.name][1])
            if owed <= 0:
                settled.append(file)
            else:
                unsettled.append(file)
                owed_seconds = max(owed_seconds, owed)
        self._seen[partner_id] = after
        listed = {file.name for file in files}
        self._told[partner_id] = _only(listed, self._told.get(partner_id, {}))
        self._kept[partner_id] = _only(listed, self._kept.get(partner_id, {}))
        return Settling(settled=tuple(settled), unsettled=tuple(unsettled), owed_seconds=owed_seconds)

    def changed(self, partner_id: str, file: RemoteFile) -> None:
        """A settled file turned out to be still changing: it has to settle again."""
        self._seen.get(partner_id, {}).pop(file.name, None)

    def is_news(self, partner_id: str, file: RemoteFile) -> bool:
        """True the first time only, for a file as it is now."""
        told = self._told.setdefault(partner_id, {})
        news = told.get(file.name) != file
        told[file.name] = file
        return news

    def keep(self, partner_id: str, file: RemoteFile, kept: K) -> None:
        """Remember that a file was kept and could not be moved, so that it is not fetched again."""
        self._kept.setdefault(partner_id, {})[file.name] = (file, kept)

    def kept(self, partner_id: str, file: RemoteFile) -> K | None:
        """What was kept of exactly this file earlier."""
        earlier, kept = self._kept.get(partner_id, {}).get(file.name, (None, None))
        return kept if earlier == file else None

    def moved(self, partner_id: str, file: RemoteFile) -> None:
        """A kept file is out of the way at last."""
        self._kept.get(partner_id, {}).pop(file.name, None)

    def failed(self, partner_id: str, *, now_seconds: float) -> None:
        """A mailbox could not be used: leave it alone for a while, longer each time."""
        count = self._failures.get(partner_id, (0, 0.0))[0] + 1
        pause = min(_PAUSE_SECONDS_FIRST * 2 ** min(count - 1, 10), _PAUSE_SECONDS_MAX)
        self._failures[partner_id] = (count, now_seconds + pause)

    def succeeded(self, partner_id: str) -> None:
        """A mailbox works (again)."""
        self._failures.pop(partner_id, None)

    def pause_seconds(self, partner_id: str, *, now_seconds: float) -> float:
        """How long a mailbox is still to be left alone; 0 when it may be tried."""
        return max(self._failures.get(partner_id, (0, now_seconds))[1] - now_seconds, 0.0)


def _only(listed: set[bytes], memory: dict[bytes, V]) -> dict[bytes, V]:
    return {name: value for name, value in memory.items() if name in listed}
