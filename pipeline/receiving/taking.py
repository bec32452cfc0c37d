"""Take batches of one mailbox's files: fetch, keep, move, and remember what stays and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pipeline.clock import Clock
from pipeline.errors import (
    CountermandError,
    FileChanged,
    FileLeft,
    FileTooLarge,
    MailboxPaused,
    TransportError,
)
from pipeline.ports import Door, Folder, Mailbox, Move, RemoteFile, printable
from pipeline.receiving.batches import TRIES_MAX, Batch, is_awaited
from pipeline.receiving.leftovers import Leftovers
from pipeline.receiving.sightings import Sightings, is_unfinished
from storage.mailboxes import LeftFile
from storage.states import Left

EMPTY_TOLD = timedelta(minutes=10)  # many writers make the file first and fill it later
PROBLEMS_MAX = 20  # told of one mailbox in one look; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the shelf answers for bytes that are durable now."""

    file_id: int
    suffix: str  #: of the content's own, for its name where another file has that already
    known: bool = False  #: the same bytes had been kept before


class Shelf(Protocol):
    """Our own side: where bytes are kept, and what is remembered of the ones that stay outside."""

    def keep(self, partner_id: str, files: Sequence[tuple[bytes, bytes]]) -> list[Kept]:
        """Make the bytes of all these files durable, given by name and content, or of none.

        Raises a CountermandError or an OSError when it cannot.
        """
        ...

    def kept(self, file_id: int) -> Kept:
        """What was kept earlier."""
        ...

    def moved(self, moves: Sequence[tuple[int, bytes]]) -> None:
        """By file id, the names files have in the processed folder; b"" if not known."""
        ...

    def unmoved(self, partner_id: str) -> Sequence[tuple[int, bytes]]:
        """Ids and names of the kept files that were not seen to be moved."""
        ...

    def breaks_off(self, content: bytes) -> bool:
        """Whether the writer of this content cannot have finished it."""
        ...

    def left(self, partner_id: str) -> Sequence[LeftFile]:
        """What was left in a mailbox."""
        ...

    def remember(self, partner_id: str, gone: Collection[bytes], now: Sequence[LeftFile]) -> None:
        """Forget some names and remember what is left now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """A partner's mailbox, its door, and how long its files must have been left alone."""

    partner_id: str
    mailbox: Mailbox
    door: Door
    settle_seconds: float
    incomplete_seconds: float = 3600  #: how long a file without an end is waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one round."""

    file_bytes_max: int
    poll_files_max: int = 10_000  # per mailbox and round; about 15 MB of listing, a minute of work
    pass_files_max: int = 1_000  # per mailbox before it is the next one's turn; some seconds of work
    pass_seconds_max: float = 30  # the same for servers that are slow; a batch that is under way may finish
    round_seconds_max: float = 120  # then the next round looks anew: others may have left files meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenFile:
    """A file whose bytes are kept."""

    name: bytes
    size: int
    file_id: int
    known: bool
    moved_to: bytes | None  #: None: it could not be moved, and the report's problems say why


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Something is wrong with one file, and it is time to say so."""

    left: LeftFile
    error: CountermandError


class Taking:
    """The work on one mailbox's files after a look."""

    def __init__(
        self,
        inbox: Inbox,
        shelf: Shelf,
        sightings: Sightings,
        left: Leftovers,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._partner_id = inbox.partner_id
        self._inbox = inbox
        self._shelf = shelf
        self._sightings = sightings
        self._left = left
        self._clock = clock
        self._limits = limits
        self._taken: list[TakenFile] = []
        self._problems: list[FileProblem] = []

    def leave(self, listing: Sequence[RemoteFile]) -> None:
        """Remember what is never taken; what writers hide from us is none of our business."""
        now = self._clock.now()
        listed = {file.name for file in listing}
        self._left.keep_only(listed)
        # Kept files that are gone: we died after moving them, or the partner took them away. The same bytes
        # under the same name are a new file from now on.
        unmoved = self._shelf.unmoved(self._partner_id)
        self._shelf.moved([(file_id, b"") for file_id, name in unmoved if name not in listed])
        for file in listing:
            named = file.name != b"" and b"/" not in file.name and b"\0" not in file.name
            if named and is_unfinished(file.name):
                continue
            if not file.regular:
                what = "not an ordinary file" if named else "not a file name"
                self._tell(self._left.note(file, Left.NOT_A_FILE, now), FileLeft(self._said(file, what)))
            elif not file.size:
                empty = self._left.note(file, Left.EMPTY, now)
                if now - empty.since >= EMPTY_TOLD:
                    self._tell(empty, FileLeft(self._said(file, "still empty, and its writer may be stuck")))

    def take(self, batch: Batch) -> None:
        """Fetch, keep and move one batch."""
        done: list[tuple[RemoteFile, Kept]] = []
        fresh: list[RemoteFile] = []
        whole: list[tuple[RemoteFile, bytes]] = []
        for file in batch.files:
            known = self._left.of(file)
            if known is not None and known.reason is Left.UNMOVED and known.file_id is not None:
                done.append((file, self._shelf.kept(known.file_id)))
            else:
                fresh.append(file)
        failure: CountermandError | None = None
        for file, content in zip(fresh, self._fetched(fresh), strict=True):
            if isinstance(content, CountermandError):
                self._not_fetched(file, content)
            elif not self._waits_for_its_end(file, content):
                whole.append((file, content))
        try:
            done += self._keep(whole)
        except CountermandError as error:
            failure = error  # what was kept before is moved first
        self._move(done)
        if failure is not None:
            raise failure

    def _fetched(self, files: Sequence[RemoteFile]) -> list[bytes | CountermandError]:
        if not files:
            return []
        try:
            return self._inbox.mailbox.fetch_many(files, file_bytes_max=self._limits.file_bytes_max)
        except TransportError as error:
            if not isinstance(error, MailboxPaused):
                self._suspect(files)
            raise

    def _suspect(self, files: Sequence[RemoteFile]) -> None:
        """The connection broke over these: one of them may be what breaks it."""
        now = self._clock.now()
        for file in files:
            suspect = self._left.note(file, Left.BROKEN, now, tried=True)
            if suspect.tries >= TRIES_MAX:
                said = f"the connection broke over it {suspect.tries} times; it is tried once an hour now"
                self._tell(suspect, FileLeft(self._said(file, said)))

    def _not_fetched(self, file: RemoteFile, error: CountermandError) -> None:
        now = self._clock.now()
        if isinstance(error, FileChanged):
            # Changed while we read, or went away: no news. The same again and again is.
            self._sightings.changed(self._partner_id, file)
            broken = self._left.note(file, Left.BROKEN, now, tried=True)
            if broken.tries >= TRIES_MAX:
                said = (
                    f"{broken.tries} times what was read is not what the server lists ({file.size} bytes);"
                    " it is tried once an hour now"
                )
                self._tell(broken, FileLeft(self._said(file, said)))
            return
        reason = Left.TOO_LARGE if isinstance(error, FileTooLarge) else Left.UNREADABLE
        self._tell(self._left.note(file, reason, now), error)

    def _waits_for_its_end(self, file: RemoteFile, content: bytes) -> bool:
        """A file that breaks off is left to its writer, as long as was agreed; then it is taken as it is."""
        if not self._shelf.breaks_off(content):
            return False
        now = self._clock.now()
        incomplete = self._left.note(file, Left.INCOMPLETE, now)
        return is_awaited(incomplete, now, self._inbox.incomplete_seconds)

    def _keep(self, whole: Sequence[tuple[RemoteFile, bytes]]) -> list[tuple[RemoteFile, Kept]]:
        if not whole:
            return []
        try:
            kept = self._shelf.keep(self._partner_id, [(file.name, content) for file, content in whole])
        except OSError as error:
            (first, _), *others = whole
            more = f" and {len(others)} more files" if others else ""
            raise TransportError(
                f"{printable(first.name)}{more} of {self._partner_id} cannot be kept here"
                f" ({error.strerror or error}); what is there stays there. Is our own disk full?"
            ) from error
        return [(file, one) for (file, _), one in zip(whole, kept, strict=True)]

    def _move(self, done: Sequence[tuple[RemoteFile, Kept]]) -> None:
        if not done:
            return
        moves = [Move(file=file, folder=Folder.PROCESSED, suffix=kept.suffix) for file, kept in done]
        try:
            targets = self._inbox.mailbox.move_many(moves)
        except CountermandError:
            for file, kept in done:
                self._not_moved(file, kept)
            raise
        moved: list[tuple[int, bytes]] = []
        for (file, kept), target in zip(done, targets, strict=True):
            if isinstance(target, FileChanged):
                self._left.forget(file)
                self._sightings.changed(self._partner_id, file)
            elif isinstance(target, CountermandError):
                self._tell(self._not_moved(file, kept), target)
            else:
                self._left.forget(file)
                moved.append((kept.file_id, target))
                self._taken.append(_taken(file, kept, target))
        self._shelf.moved(moved)

    def _not_moved(self, file: RemoteFile, kept: Kept) -> LeftFile:
        known = self._left.of(file)
        if known is None or known.file_id is None:  # else it was reported as taken already
            self._taken.append(_taken(file, kept, None))
        return self._left.note(file, Left.UNMOVED, self._clock.now(), file_id=kept.file_id)

    def _tell(self, left: LeftFile, error: CountermandError) -> None:
        """Once, as long as the file stays the same and stays for the same reason."""
        if not left.told:
            self._problems.append(FileProblem(self._left.told(left), error))

    def _said(self, file: RemoteFile, what: str) -> str:
        return f"{printable(file.name)} is {what}; it was left alone"

    def remember(self) -> None:
        """Make durable what is known of the files that stay."""
        gone, now = self._left.changes()
        if gone or now:
            self._shelf.remember(self._partner_id, gone, now)

    def report(self) -> tuple[tuple[TakenFile, ...], tuple[FileProblem, ...]]:
        """What was taken, and what is to be said, since this was asked last."""
        taken, problems = tuple(self._taken), self._problems
        if len(problems) > PROBLEMS_MAX:
            more = len(problems) - PROBLEMS_MAX + 1
            last = problems[PROBLEMS_MAX - 1]
            said = FileLeft(f"{more} more files were left alone; see: countermand doctor")
            problems = [*problems[: PROBLEMS_MAX - 1], FileProblem(last.left, said)]
        self._taken, self._problems = [], []
        return taken, tuple(problems)


def _taken(file: RemoteFile, kept: Kept, moved_to: bytes | None) -> TakenFile:
    return TakenFile(
        name=file.name, size=file.size, file_id=kept.file_id, known=kept.known, moved_to=moved_to
    )
