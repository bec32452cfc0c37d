"""The shelf: received bytes go into the database, and so does what is remembered of what stays outside."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.clock import Clock
from pipeline.ports import printable
from pipeline.receiving.taking import Kept
from storage import mailboxes, receipts
from storage.database import Database
from storage.mailboxes import LeftFile
from storage.receipts import ReceivedFile

SUFFIX_LENGTH = 8  # of the content's SHA-256 in hexadecimal: tells apart files of one name


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseShelf:
    """The Shelf port over the database."""

    database: Database
    clock: Clock
    is_cut_off: Callable[[bytes], bool]
    still_ours: Callable[[Connection], None] = lambda tx: None  #: raises when the mailbox is another's by now

    def keep(self, partner_id: str, files: Sequence[tuple[bytes, bytes]]) -> list[Kept]:
        """Commit the bytes; only after that may the remote files be moved."""

        def keep(tx: Connection) -> list[ReceivedFile]:
            at = self.clock.now()
            kept = [
                receipts.keep(tx, partner=partner_id, mailbox=partner_id, name=name, content=content, at=at)
                for name, content in files
            ]
            self.still_ours(tx)  # at last: who takes over waits for the names that `keep` has locked
            return kept

        return list(map(_kept, self.database.run(keep)))

    def kept(self, file_id: int) -> Kept:
        """What was kept earlier."""
        with self.database.reading() as tx:
            file = receipts.get_file(tx, file_id)
        assert file is not None  # what is left unmoved refers to it
        return _kept(file)

    def moved(self, moves: Sequence[tuple[int, bytes]]) -> None:
        """Write down where the partner's own copies are now."""
        if not moves:
            return
        at = self.clock.now()

        def mark(tx: Connection) -> None:
            for file_id, target in moves:
                receipts.mark_moved(tx, file_id, to=printable(target), at=at)
            self.still_ours(tx)

        self.database.run(mark)

    def unmoved(self, partner_id: str) -> Sequence[tuple[int, bytes]]:
        """Ids and names of the kept files that were not seen to be moved."""
        with self.database.reading() as tx:
            return [(file.id, file.name_bytes) for file in receipts.unmoved(tx, partner_id)]

    def breaks_off(self, content: bytes) -> bool:
        """Whether the writer of this content cannot have finished it."""
        return self.is_cut_off(content)

    def left(self, partner_id: str) -> Sequence[LeftFile]:
        """What was left in a mailbox."""
        with self.database.reading() as tx:
            return mailboxes.left_files(tx, partner_id)

    def remember(self, partner_id: str, gone: Collection[bytes], now: Sequence[LeftFile]) -> None:
        """Forget some names and remember what is left now."""
        with self.database.writing() as tx:
            mailboxes.remember_left(tx, partner_id, gone, now)
            self.still_ours(tx)


def _kept(file: ReceivedFile) -> Kept:
    return Kept(file_id=file.id, suffix=file.sha256[:SUFFIX_LENGTH], known=file.attempts > 0)
