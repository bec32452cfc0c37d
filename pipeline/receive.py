"""List, settle, fetch, keep, move: takes the files of every mailbox, and lets no mailbox stop another.

A file is moved on the partner's server only after keep() has returned, and keep() returns only when
the bytes are durable. If we die in between, the file is still there and keep() recognises it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.clock import Clock
from pipeline.errors import CountermandError, FileChanged, TransportError
from pipeline.ports import Folder, Mailbox, Move, RemoteFile, printable
from pipeline.sightings import Sightings, is_unfinished

BATCH_FILES_MAX = 256  # enough to hide the round trips; few enough to move soon after keeping
BATCH_BYTES_MAX = 16 * 1024 * 1024  # held in memory at once, or one file of any allowed size
SUFFIX_LENGTH = 8  # of the content's SHA-256 in hexadecimal: tells apart files of one name


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the keeper answers for bytes that are durable now."""

    file_id: int
    known: bool = False  #: the same bytes had been kept before
    moved: Callable[[bytes], None]  #: to be told the name in the processed folder, b"" if not known


class Keep(Protocol):
    """Makes a file's bytes durable. Raises a CountermandError or an OSError when it cannot."""

    def __call__(self, partner_id: str, name: bytes, content: bytes) -> Kept: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """A partner's mailbox and how long its files must have been left alone."""

    partner_id: str
    mailbox: Mailbox
    settle_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one round."""

    file_bytes_max: int
    poll_files_max: int = 10_000  # per mailbox and round; about 15 MB of listing, minutes of work


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenFile:
    """A file whose bytes are kept."""

    name: bytes
    size: int
    file_id: int
    known: bool
    moved_to: bytes | None  #: None: it could not be moved, and the report's problems say why


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """Something in the pickup folder that is never taken."""

    name: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveReport:
    """What one round found in one mailbox."""

    partner_id: str
    taken: tuple[TakenFile, ...] = ()
    skipped: tuple[SkippedFile, ...] = ()  #: each is named once as long as it stays the same
    problems: tuple[CountermandError, ...] = ()  #: with single files; the others went on
    failure: CountermandError | None = None  #: of the mailbox; what is in `taken` is kept all the same
    unsettled: int = 0
    owed_seconds: float = 0.0  #: after this time the unsettled files may be settled
    left: int = 0  #: settled files beyond poll_files_max; the next round takes them
    paused_seconds: float = 0.0  #: not tried at all, because it failed not long ago


@dataclass(slots=True)
class _Round:
    """One mailbox's round as it goes on."""

    inbox: Inbox
    keep: Keep
    sightings: Sightings[tuple[Kept, str]]
    limits: Limits
    taken: list[TakenFile] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)
    problems: list[CountermandError] = field(default_factory=list)

    def take(self, files: Sequence[RemoteFile]) -> None:
        """Fetch, keep and move one batch."""
        partner_id, mailbox = self.inbox.partner_id, self.inbox.mailbox
        waiting = [(file, self.sightings.kept(partner_id, file)) for file in files]
        done = [(file, kept) for file, kept in waiting if kept is not None]
        fresh = [file for file, kept in waiting if kept is None]
        contents = mailbox.fetch_many(fresh, file_bytes_max=self.limits.file_bytes_max) if fresh else []
        failure: CountermandError | None = None
        for file, content in zip(fresh, contents, strict=True):
            if isinstance(content, CountermandError):
                self._note(file, content)
                continue
            try:
                kept = _keep(self.keep, partner_id, file.name, content)
            except CountermandError as error:
                failure = error  # what was kept before it is moved first
                break
            done.append((file, (kept, hashlib.sha256(content).hexdigest()[:SUFFIX_LENGTH])))
        self._move(done)
        if failure is not None:
            raise failure

    def _move(self, done: Sequence[tuple[RemoteFile, tuple[Kept, str]]]) -> None:
        if not done:
            return
        partner_id = self.inbox.partner_id
        moves = [Move(file=file, folder=Folder.PROCESSED, suffix=suffix) for file, (_, suffix) in done]
        try:
            targets = self.inbox.mailbox.move_many(moves)
        except CountermandError:
            for file, kept in done:
                self._not_moved(file, kept)
            raise
        for (file, kept), target in zip(done, targets, strict=True):
            if isinstance(target, CountermandError):
                self._note(file, target)
                self._not_moved(file, kept)
            else:
                self.sightings.moved(partner_id, file)
                self.taken.append(_taken(file, kept[0], target))
                kept[0].moved(target)

    def _not_moved(self, file: RemoteFile, kept: tuple[Kept, str]) -> None:
        if self.sightings.kept(self.inbox.partner_id, file) is None:  # else it was reported already
            self.taken.append(_taken(file, kept[0], None))
        self.sightings.keep(self.inbox.partner_id, file, kept)

    def _note(self, file: RemoteFile, error: CountermandError) -> None:
        if isinstance(error, FileChanged):
            self.sightings.changed(self.inbox.partner_id, file)
            self.problems.append(error)
        elif self.sightings.is_news(self.inbox.partner_id, file):
            self.problems.append(error)

    def skip(self, files: Sequence[RemoteFile]) -> None:
        """Name what is never taken, once; what writers hide from us is none of our business."""
        for file in files:
            reason = _reason(file)
            if reason and self.sightings.is_news(self.inbox.partner_id, file):
                self.skipped.append(SkippedFile(name=file.name, reason=reason))


def receive(
    inbox: Inbox, keep: Keep, sightings: Sightings[tuple[Kept, str]], clock: Clock, limits: Limits
) -> ReceiveReport:
    """One look into one mailbox: take what is settled, and report; raises only for bugs."""
    partner_id = inbox.partner_id
    paused = sightings.pause_seconds(partner_id, now_seconds=clock.monotonic_seconds())
    if paused:
        return ReceiveReport(partner_id=partner_id, paused_seconds=paused)
    work = _Round(inbox, keep, sightings, limits)
    unsettled, owed_seconds, left = 0, 0.0, 0
    failure: CountermandError | None = None
    try:
        listing = inbox.mailbox.listing()
        look = sightings.look(
            partner_id, listing, now_seconds=clock.monotonic_seconds(), settle_seconds=inbox.settle_seconds
        )
        unsettled, owed_seconds = len(look.unsettled), look.owed_seconds
        left = max(len(look.settled) - limits.poll_files_max, 0)
        work.skip(listing)
        for batch in _batches(look.settled[: limits.poll_files_max]):
            work.take(batch)
    except CountermandError as error:
        failure = error
        sightings.failed(partner_id, now_seconds=clock.monotonic_seconds())
    else:
        sightings.succeeded(partner_id)
    finally:
        inbox.mailbox.close()  # an idle connection is one more thing that can break until the next look
    return ReceiveReport(
        partner_id=partner_id,
        taken=tuple(work.taken),
        skipped=tuple(work.skipped),
        problems=tuple(work.problems),
        failure=failure,
        unsettled=unsettled,
        owed_seconds=owed_seconds,
        left=left,
    )


def receive_all(
    inboxes: Sequence[Inbox],
    keep: Keep,
    sightings: Sightings[tuple[Kept, str]],
    clock: Clock,
    limits: Limits,
    *,
    wait: bool,
) -> tuple[ReceiveReport, ...]:
    """One round over all mailboxes, each whatever became of the others.

    With `wait`, for a single run: if files are not settled yet, wait once, as long as the last of them
    needs, and look again. Without it, the sightings stay with the caller for the next round.
    """
    reports = [receive(inbox, keep, sightings, clock, limits) for inbox in inboxes]
    owed_seconds = max((report.owed_seconds for report in reports if not report.failure), default=0.0)
    if wait and owed_seconds:
        clock.sleep(owed_seconds + 0.001)  # so that rounding does not leave a file a moment short
        for place, inbox in enumerate(inboxes):
            if reports[place].unsettled and not reports[place].failure:
                reports[place] = _joined(reports[place], receive(inbox, keep, sightings, clock, limits))
    return tuple(reports)


def _joined(first: ReceiveReport, second: ReceiveReport) -> ReceiveReport:
    return ReceiveReport(
        partner_id=first.partner_id,
        taken=first.taken + second.taken,
        skipped=first.skipped + second.skipped,
        problems=first.problems + second.problems,
        failure=second.failure,
        unsettled=second.unsettled,
        owed_seconds=second.owed_seconds,
        left=second.left,
    )


def _keep(keep: Keep, partner_id: str, name: bytes, content: bytes) -> Kept:
    try:
        return keep(partner_id, name, content)
    except OSError as error:
        raise TransportError(
            f"{printable(name)} of {partner_id} cannot be kept here ({error.strerror or error}); it stays"
            " where it is. Is our own disk full?"
        ) from error


def _taken(file: RemoteFile, kept: Kept, moved_to: bytes | None) -> TakenFile:
    return TakenFile(
        name=file.name, size=file.size, file_id=kept.file_id, known=kept.known, moved_to=moved_to
    )


def _reason(file: RemoteFile) -> str:
    if is_unfinished(file.name):
        return ""
    if not file.regular:
        return "not an ordinary file" if b"/" not in file.name and file.name else "not a file name"
    return "" if file.size else "empty"


def _batches(files: Sequence[RemoteFile]) -> Iterator[list[RemoteFile]]:
    batch: list[RemoteFile] = []
    size = 0
    for file in files:
        if batch and (len(batch) == BATCH_FILES_MAX or size + file.size > BATCH_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch
