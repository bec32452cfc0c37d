"""Poll: one round over all mailboxes: receive, ingest, expire, deliver."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from edi import limits
from edi.unfinished import breaks_off
from pipeline import logbook
from pipeline.clock import Clock
from pipeline.deliver import DeliveryReport, deliver, joined, opened_once
from pipeline.errors import CountermandError, OperatorError
from pipeline.lapsing import lapse_requests
from pipeline.mail import SmtpSettings
from pipeline.notices.contexts import Problem
from pipeline.partners import MailboxSettings
from pipeline.ports import Door, Folder, Mailbox, RemoteFile
from pipeline.post_events import Poster
from pipeline.receiving.receive import FileProblem, Inbox, Limits, ReceiveReport, receive_all
from pipeline.receiving.shelf import SUFFIX_LENGTH, DatabaseShelf
from pipeline.receiving.sightings import Sightings
from pipeline.report import FileReport, SetReport
from pipeline.settings import Settings
from pipeline.telling.digests import gather
from pipeline.telling.for_support import Unusable
from pipeline.telling.owing import tell_support
from pipeline.waiting import expire_waiting, files_of_unknown, ingest_waiting
from storage import restoration
from storage.commands import Source
from storage.database import Database, Guard
from storage.outcomes import Outcome
from storage.states import Left

#: Told to support by e-mail too: the partner has to do something, and nobody reads what cron prints.
_TOLD = frozenset({Left.EMPTY, Left.TOO_LARGE, Left.BROKEN, Left.UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """What one round did. `problems` are mailboxes and files that could not be served, in sentences."""

    files: tuple[FileReport, ...] = ()
    # Sets that had waited: too long, or beyond what their order lets go; and requests that lapsed.
    expired: tuple[SetReport, ...] = ()
    received: tuple[ReceiveReport, ...] = ()  # one or more of each mailbox
    deliveries: DeliveryReport = DeliveryReport()  # noqa: RUF009 - frozen
    failed: tuple[str, ...] = ()  # bugs, by file
    unmoved: tuple[tuple[str, CountermandError], ...] = ()  # files not moved to rejected, or of nobody known

    @property
    def problems(self) -> tuple[tuple[str, CountermandError], ...]:
        """The partner and what went wrong at its mailbox, each said once."""
        said: list[tuple[str, CountermandError]] = []
        for report in self.received:
            errors = [problem.error for problem in report.problems]
            errors += filter(None, [report.failure, report.paused if report.remind else None])
            said += [(report.partner_id, error) for error in errors]
        return (*said, *self.unmoved)

    @property
    def is_any_paused(self) -> bool:
        """Whether a mailbox was not tried, because it failed not long ago."""
        return any(report.paused is not None for report in self.received)


@dataclass(slots=True, kw_only=True)
class Poller:
    """One process that polls; the sightings live as long as it does."""

    settings: Settings
    database: Database
    clock: Clock
    mail: Callable[[], SmtpSettings]
    open_mailbox: Callable[[str], Mailbox]
    door: Callable[[str], Door]
    sightings: Sightings
    bounds: Limits = Limits(file_bytes_max=limits.file_bytes_max)  # noqa: RUF009 - frozen
    _guard: Guard | None = None

    def round(self, *, wait: bool) -> PollReport:
        """Receive from every mailbox, read what was kept, and deliver what is owed, pass by pass."""
        self._guard = self._guard or Guard(self.database)
        may_work(self.database, self._guard)
        received: list[ReceiveReport] = []
        files: list[FileReport] = []
        failed: list[str] = []
        unmoved = files_of_unknown(self.settings, self.database)
        deliveries: list[DeliveryReport] = []
        shelf = DatabaseShelf(database=self.database, clock=self.clock, is_cut_off=breaks_off)
        expired: tuple[SetReport, ...] | None = None
        poster = Poster(database=self.database, settings=self.settings.webhooks, clock=self.clock)
        with opened_once(self.open_mailbox) as mailbox_of:
            mailboxes = {
                partner.id: mailbox_of(partner.id)
                for partner in self.settings.partners
                if partner.mailbox is not None
            }
            inboxes = self._inboxes(mailboxes)
            passes = receive_all(inboxes, shelf, self.sightings, self.clock, self.bounds, wait=wait)
            for reports in passes:
                logbook.files_taken(reports)
                tell_of_left(self.settings, self.database, self.clock, reports)
                done, bugs = ingest_waiting(self.settings, self.database, self.clock.now)
                unmoved += _reject(mailboxes, reports, done)
                if expired is None:
                    expired = expire_waiting(self.settings, self.database, self.clock.now())
                    expired += lapse_requests(self.settings, self.database, self.clock.now())
                received += reports
                down = {one.partner_id for one in received if one.paused or one.failure}
                gather(self.settings, self.database, self.clock)
                deliveries.append(deliver(self.database, self.mail, mailbox_of, self.clock, leave=down))
                deliveries.append(poster.round())
                files += done
                failed += bugs
        self._guard.leave_mark()
        return PollReport(
            files=tuple(files),
            expired=expired or (),
            received=tuple(received),
            deliveries=joined(deliveries),
            failed=tuple(failed),
            unmoved=tuple(unmoved),
        )

    def _inboxes(self, mailboxes: Mapping[str, Mailbox]) -> list[Inbox]:
        return [
            inbox_of(partner.id, partner.mailbox, mailboxes[partner.id], self.door(partner.id))
            for partner in self.settings.partners
            if partner.mailbox is not None
        ]


def inbox_of(partner_id: str, settings: MailboxSettings, mailbox: Mailbox, door: Door) -> Inbox:
    """A mailbox as files are received from it."""
    return Inbox(
        partner_id=partner_id,
        mailbox=mailbox,
        door=door,
        settle_seconds=settings.settle_seconds,
        incomplete_seconds=settings.incomplete_seconds,
    )


def tell_of_left(
    settings: Settings, database: Database, clock: Clock, reports: Sequence[ReceiveReport]
) -> None:
    """Support is told of files that a partner has to do something about."""
    problems = [problem for report in reports for problem in report.problems]
    told = [problem for problem in problems if problem.left.reason in _TOLD]
    if not told:
        return
    at = clock.now()
    with database.writing() as tx:
        for problem in told:
            tell_support(tx, settings, _unusable(problem, at), at)


def may_work(database: Database, guard: Guard) -> None:
    """Raise when this is not the database it was, or a backup was put back and not made good."""
    guard.check()
    with database.reading() as tx:
        open_since = restoration.under_way(tx)
    if open_since is not None:
        raise OperatorError(
            f"A backup was put back, and what came after it is not complete (since"
            f" {open_since.begun_at:%Y-%m-%d %H:%M} UTC); nothing is sent before. Run: countermand restored"
        )


def _unusable(problem: FileProblem, at: datetime) -> Unusable:
    left = problem.left
    said = Problem(
        place=left.name,
        message=str(problem.error),
        remedy="Ask the partner to look at the file, and to leave it again or take it away.",
    )
    return Unusable(
        origin=f"left:{left.partner}:{left.name}:{left.size}:{left.modified}:{left.reason.value}",
        at=at,
        source=Source(file=left.name),
        partner=left.partner,
        outcome=Outcome.FAULTY,
        problems=(said,),
    )


def _reject(
    mailboxes: Mapping[str, Mailbox], received: Sequence[ReceiveReport], files: Sequence[FileReport]
) -> tuple[tuple[str, CountermandError], ...]:
    """Files nothing of which could be used go on from processed to rejected."""
    unusable = {file.file_id: file.sha256[:SUFFIX_LENGTH] for file in files if file.is_unusable}
    unmoved = []
    for report in received:
        for taken in report.taken:
            if taken.file_id not in unusable or not taken.moved_to:
                continue
            file = RemoteFile(name=taken.moved_to, size=taken.size, modified=None, regular=True)
            try:
                mailboxes[report.partner_id].move(
                    file, Folder.REJECTED, unusable[taken.file_id], source=Folder.PROCESSED
                )
            except CountermandError as error:
                unmoved.append((report.partner_id, error))
    return tuple(unmoved)
