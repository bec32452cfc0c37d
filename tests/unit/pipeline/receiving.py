"""A world for tests of receiving: partners with mailboxes in folders, a shelf, doors and a clock."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.receiving.receive import Inbox, Limits, ReceiveReport, receive_all
from pipeline.receiving.sightings import Sightings
from tests.contract.folder_mailbox import FolderMailbox
from tests.contract.memory_shelf import MemoryShelf, OpenDoor


@dataclass(slots=True)
class FakeClock:
    """Time goes on only by sleeping; `asleep` says what happens meanwhile."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)
    asleep: list[object] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic_seconds(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        for what in self.asleep:
            assert callable(what)
            what()


class World:
    """Partners with mailboxes in folders, one keeper, one clock, one memory."""

    def __init__(self, root: Path, settle_seconds: float = 0) -> None:
        self.root = root
        self.settle_seconds = settle_seconds
        self.clock = FakeClock()
        self.shelf = MemoryShelf()
        self.doors: dict[str, OpenDoor] = {}
        self.sightings = Sightings()
        self.limits = Limits(file_bytes_max=1000)
        self.mailboxes: dict[str, FolderMailbox] = {}

    def partner(self, partner_id: str) -> FolderMailbox:
        for folder in ("pickup", "processed", "rejected", "delivery"):
            (self.root / partner_id / folder).mkdir(parents=True)
        self.mailboxes[partner_id] = FolderMailbox(self.root / partner_id)
        return self.mailboxes[partner_id]

    def put(self, name: str, content: bytes, partner_id: str = "acme", modified: int = 1_700_000_000) -> Path:
        path = self.root / partner_id / "pickup" / name
        path.write_bytes(content)
        os.utime(path, (modified, modified))
        return path

    def names(self, folder: str, partner_id: str = "acme") -> list[str]:
        return sorted(os.listdir(self.root / partner_id / folder))

    def receive(self, partner_id: str = "acme") -> ReceiveReport:
        """One round over one mailbox that needs one pass."""
        (reports,) = self.passes(partner_id, wait=False)
        return reports[0]

    def receive_all(self, *, wait: bool) -> dict[str, ReceiveReport]:
        (reports,) = self.passes(*self.mailboxes, wait=wait)
        return {report.partner_id: report for report in reports}

    def passes(self, *partners: str, wait: bool) -> Iterator[tuple[ReceiveReport, ...]]:
        inboxes = [
            Inbox(
                partner_id=name,
                mailbox=self.mailboxes[name],
                door=self.doors.setdefault(name, OpenDoor()),
                settle_seconds=self.settle_seconds,
            )
            for name in partners
        ]
        return receive_all(inboxes, self.shelf, self.sightings, self.clock, self.limits, wait=wait)

    def restarted(self) -> None:
        """Another process: what was seen is forgotten, what is on the shelf is not."""
        self.sightings = Sightings()
