"""List, settle, fetch, keep, move: takes the files of every mailbox, and lets no mailbox stop another.

A file is moved on the partner's server only after keep() has returned, and keep() returns only when
the bytes are durable. If we die in between, the file is still there and keep() recognises it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.clock import Clock
from pipeline.errors import CountermandError, MailboxPaused
from pipeline.ports import RemoteFile
from pipeline.receiving.batches import Batch, in_batches
from pipeline.receiving.leftovers import Leftovers
from pipeline.receiving.sightings import Sightings
from pipeline.receiving.taking import FileProblem, Inbox, Kept, Limits, Shelf, TakenFile, Taking
from pipeline.side_by_side import side_by_side

__all__ = [
    "FileProblem",
    "Inbox",
    "Kept",
    "Limits",
    "ReceiveReport",
    "Shelf",
    "TakenFile",
    "receive_all",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveReport:
    """What one pass found in one mailbox."""

    partner_id: str
    taken: tuple[TakenFile, ...] = ()
    problems: tuple[FileProblem, ...] = ()  #: with single files, each told once; the others went on
    failure: CountermandError | None = None  #: of the mailbox; what is in `taken` is kept all the same
    paused: MailboxPaused | None = None  #: not tried at all, because it failed not long ago
    remind: bool = False  #: of the pause: a person is to be told (again)
    unsettled: int = 0
    owed_seconds: float = 0.0  #: after this time the unsettled files may be settled
    left: int = 0  #: settled files that a later pass or round takes


def receive_all(
    inboxes: Sequence[Inbox],
    shelf: Shelf,
    sightings: Sightings,
    clock: Clock,
    limits: Limits,
    *,
    wait: bool,
) -> Iterator[tuple[ReceiveReport, ...]]:
    """One round over all mailboxes, side by side, each whatever became of the others, in passes.

    Of each mailbox a pass takes at most `pass_files_max` files, so that one partner's hundred thousand do
    not make another wait for all of them; what was taken can be read between passes. What a pass reports of
    files that stay counts as told when the next one is asked for. With `wait`, for a
    single run: if files are not settled yet, wait once, as long as the last of them needs, and look again.
    Without it, the sightings stay with the caller for the next round. Raises only for bugs and when our own
    database does not answer.
    """
    rounds = [_Round(inbox, shelf, sightings, clock, limits) for inbox in inboxes]
    try:
        side_by_side([one.look for one in rounds])
        owed_seconds = max((one.owed_seconds for one in rounds), default=0.0)
        if wait and owed_seconds:
            for one in rounds:
                one.close()  # an idle connection is one more thing that can break until the next look
            clock.sleep(owed_seconds + 0.001)  # so that rounding does not leave a file a moment short
            side_by_side([one.look for one in rounds if one.unsettled])
        started_seconds = clock.monotonic_seconds()
        waiting = rounds
        while True:
            # At least once, also without any mailbox: what was kept before is read, what is owed is sent.
            yield tuple(side_by_side([one.take for one in waiting]))
            # Only now: if we die before the caller has told of a file, the next process has to do it.
            for one in waiting:
                one.remember()
            waiting = [one for one in rounds if one.is_waiting]
            if clock.monotonic_seconds() - started_seconds > limits.round_seconds_max:
                for one in waiting:
                    one.end()
                waiting = []
            if not waiting:
                return
    finally:
        for one in rounds:
            one.close()


class _Round:
    """One mailbox's round as it goes on."""

    def __init__(
        self, inbox: Inbox, shelf: Shelf, sightings: Sightings, clock: Clock, limits: Limits
    ) -> None:
        self._inbox = inbox
        self._shelf = shelf
        self._sightings = sightings
        self._clock = clock
        self._limits = limits
        self._taking: Taking | None = None
        self._batches: list[Batch] = []
        self._failure: CountermandError | None = None
        self._paused: MailboxPaused | None = None
        self._beyond = 0
        self._is_open = False
        self.unsettled = 0
        self.owed_seconds = 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether there is more to take."""
        return bool(self._batches)

    def look(self) -> None:
        """List the folder, and plan what is to be taken."""
        self.unsettled, self.owed_seconds, self._batches = 0, 0.0, []
        self._is_open = True
        try:
            listing = self._inbox.mailbox.listing()
        except MailboxPaused as pause:
            self._paused = pause
        except CountermandError as error:
            self._failed(error)
        else:
            self._plan(listing)

    def _plan(self, listing: Sequence[RemoteFile]) -> None:
        partner_id, now = self._inbox.partner_id, self._clock.now()
        look = self._sightings.look(
            partner_id,
            listing,
            now_seconds=self._clock.monotonic_seconds(),
            settle_seconds=self._inbox.settle_seconds,
        )
        self.unsettled, self.owed_seconds = len(look.unsettled), look.owed_seconds
        left = Leftovers(partner_id, self._shelf.left(partner_id))
        self._taking = Taking(self._inbox, self._shelf, self._sightings, left, self._clock, self._limits)
        self._taking.leave(listing)
        settled = look.settled[: self._limits.poll_files_max]
        self._beyond = len(look.settled) - len(settled)
        self._batches = in_batches(settled, left, now, self._inbox.incomplete_seconds)

    def take(self) -> ReceiveReport:
        """Take one pass's share, and say what came of it and of the look before it."""
        taking = self._taking
        size, started_seconds = 0, self._clock.monotonic_seconds()
        try:
            while taking is not None and self._batches and self._has_turn(size, started_seconds):
                batch = self._batches.pop(0)
                size += len(batch.files)
                taking.take(batch)
        except CountermandError as error:
            self._failed(error)
        if not self._batches:
            self.end()
        return self._report()

    def _has_turn(self, files: int, started_seconds: float) -> bool:
        """Whether this pass may take one more batch of this mailbox; the first it always may."""
        seconds = self._clock.monotonic_seconds() - started_seconds
        return not files or (files < self._limits.pass_files_max and seconds < self._limits.pass_seconds_max)

    def end(self) -> None:
        """This mailbox's round is over; what it has not come to is the next one's."""
        self._batches = []
        if self._taking is not None and self._failure is None and self._paused is None:
            self._inbox.door.served()
        self.close()

    def remember(self) -> None:
        """Make durable what is known of the files that stay, and that they were told of."""
        if self._taking is not None:
            self._taking.remember()

    def _failed(self, error: CountermandError) -> None:
        self._failure = error
        self._batches = []
        self._inbox.door.failed(error)

    def _report(self) -> ReceiveReport:
        taken, problems = self._taking.report() if self._taking is not None else ((), ())
        report = ReceiveReport(
            partner_id=self._inbox.partner_id,
            taken=taken,
            problems=problems,
            failure=self._failure,
            paused=self._paused,
            remind=self._paused is not None and self._inbox.door.remind(),
            unsettled=self.unsettled,
            owed_seconds=self.owed_seconds,
            left=self._beyond + sum(len(batch.files) for batch in self._batches),
        )
        self._failure = self._paused = None  # said
        return report

    def close(self) -> None:
        """End the connection until the next look."""
        if self._is_open:
            self._inbox.mailbox.close()
        self._is_open = False
