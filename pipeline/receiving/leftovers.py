"""What stays in a pickup folder, and why: nothing is fetched twice for nothing, and nothing is said twice.

Remembered as long as the file stays exactly as it was listed: by name, size, time and type.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from pipeline.ports import RemoteFile
from storage.mailboxes import LeftFile
from storage.states import Left


class Leftovers:
    """The memory of one mailbox; what has changed in it is asked for by whoever makes it durable."""

    def __init__(self, partner_id: str, files: Iterable[LeftFile]) -> None:
        self._partner_id = partner_id
        self._files = {file.name_bytes: file for file in files}
        self._changed: set[bytes] = set()

    def of(self, file: RemoteFile) -> LeftFile | None:
        """What is remembered of exactly this file."""
        left = self._files.get(file.name)
        same = left is not None and (left.size, left.modified, left.regular) == (
            file.size,
            file.modified,
            file.regular,
        )
        return left if same else None

    def note(
        self,
        file: RemoteFile,
        reason: Left,
        now: datetime,
        *,
        tried: bool = False,
        file_id: int | None = None,
    ) -> LeftFile:
        """It stays, for this reason."""
        before = self.of(file)
        if before is None or before.reason is not reason:
            tries = before.tries if before is not None else 0
            before = LeftFile(
                partner=self._partner_id,
                name_bytes=file.name,
                size=file.size,
                modified=file.modified,
                regular=file.regular,
                reason=reason,
                since=now,
                tried_at=now,
                tries=tries,
                file_id=file_id,
            )
            self._set(before)
        if tried:
            before = replace(before, tries=before.tries + 1, tried_at=now)
            self._set(before)
        return before

    def told(self, left: LeftFile) -> LeftFile:
        """A person has been told."""
        told = replace(left, told=True)
        self._set(told)
        return told

    def forget(self, file: RemoteFile) -> None:
        """It does not stay after all."""
        if self._files.pop(file.name, None) is not None:
            self._changed.add(file.name)

    def keep_only(self, listed: Collection[bytes]) -> None:
        """Forget what is not listed any more."""
        gone = self._files.keys() - listed
        self._changed |= gone
        for name in gone:
            del self._files[name]

    def changes(self) -> tuple[list[bytes], list[LeftFile]]:
        """The names that are gone, and what is new or different, since this was asked last."""
        gone = sorted(self._changed - self._files.keys())
        now = [self._files[name] for name in sorted(self._changed & self._files.keys())]
        self._changed.clear()
        return gone, now

    def _set(self, left: LeftFile) -> None:
        self._files[left.name_bytes] = left
        self._changed.add(left.name_bytes)
