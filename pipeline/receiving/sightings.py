"""What was seen in mailboxes and when, by our own clock: decides that a file is settled.

Lives as long as the process. Losing it costs a wait and a second look, never a file.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.ports import RemoteFile

UNFINISHED_ENDINGS = (b".tmp", b".part", b".filepart")


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


class Sightings:
    """The memory of earlier looks."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[bytes, tuple[RemoteFile, float]]] = {}

    def look(
        self, partner_id: str, files: Iterable[RemoteFile], *, now_seconds: float, settle_seconds: float
    ) -> Settling:
        """Compare a listing with the earlier ones by our own clock; the server's time is never compared.

        Settled is a file with content whose length and time are the same as at a look at least
        `settle_seconds` ago. What is no longer listed is forgotten.
        """
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
        return Settling(settled=tuple(settled), unsettled=tuple(unsettled), owed_seconds=owed_seconds)

    def changed(self, partner_id: str, file: RemoteFile) -> None:
        """A settled file turned out to be still changing: it has to settle again."""
        self._seen.get(partner_id, {}).pop(file.name, None)
