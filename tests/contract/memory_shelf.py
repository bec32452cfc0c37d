"""The Shelf and Door ports in memory: what tests of receiving work with."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from pipeline.errors import CountermandError
from pipeline.receiving.receive import Kept
from storage.mailboxes import LeftFile


@dataclass(slots=True)
class MemoryShelf:
    """Keeps bytes in a list; fails from `fail_at` on. What ends in "..." counts as broken off."""

    contents: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    targets: list[tuple[bytes, bytes]] = field(default_factory=list)
    files: dict[tuple[str, bytes], LeftFile] = field(default_factory=dict)
    failure: Exception | None = None
    fail_at: int = 0

    def keep(self, partner_id: str, files: Sequence[tuple[bytes, bytes]]) -> list[Kept]:
        if self.failure is not None and len(self.contents) + len(files) > self.fail_at:
            raise self.failure
        return [self._keep(partner_id, name, content) for name, content in files]

    def _keep(self, partner_id: str, name: bytes, content: bytes) -> Kept:
        known = any(content == earlier for _, _, earlier in self.contents)
        self.contents.append((partner_id, name, content))
        return Kept(file_id=len(self.contents), suffix="0badcafe", known=known)

    def kept(self, file_id: int) -> Kept:
        return Kept(file_id=file_id, suffix="0badcafe", known=True)

    def moved(self, moves: Sequence[tuple[int, bytes]]) -> None:
        self.targets += [(self.contents[file_id - 1][1], target) for file_id, target in moves]

    def unmoved(self, partner_id: str) -> Sequence[tuple[int, bytes]]:
        moved = [name for name, _ in self.targets]
        kept = enumerate(self.contents, start=1)
        return [(id, name) for id, (partner, name, _) in kept if partner == partner_id and name not in moved]

    def breaks_off(self, content: bytes) -> bool:
        return content.endswith(b"...")

    def left(self, partner_id: str) -> Sequence[LeftFile]:
        return [left for (partner, _), left in self.files.items() if partner == partner_id]

    def remember(self, partner_id: str, gone: Collection[bytes], now: Sequence[LeftFile]) -> None:
        for name in gone:
            self.files.pop((partner_id, name), None)
        self.files |= {(partner_id, left.name_bytes): left for left in now}


@dataclass(slots=True)
class OpenDoor:
    """Lets everybody in, and remembers what it was told."""

    told: list[str] = field(default_factory=list)

    def check(self) -> None:
        self.told.append("asked")

    def entered(self) -> None:
        self.told.append("entered")

    def failed(self, error: CountermandError) -> None:
        self.told.append(f"failed: {error}")

    def served(self) -> None:
        self.told.append("served")

    def remind(self) -> bool:
        return False
