"""Poll: one round over all mailboxes: receive, ingest, expire, deliver."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from edi import limits
from edi.unfinished import breaks_off
from pipeline import logbook
from pipeline.clock import Clock
from pipeline.deadline import TimeIsUp, processor_seconds_max, seconds_for
from pipeline.deliver import DeliveryReport, deliver
from pipeline.errors import CountermandError, OperatorError
from pipeline.ingest import ingest
from pipeline.mail import SmtpSettings
from pipeline.notices import Problem
from pipeline.notifications import Unusable
from pipeline.ports import Door, Folder, Mailbox, RemoteFile
from pipeline.receive import FileProblem, Inbox, Limits, ReceiveReport, receive_all
from pipeline.report import FileReport, SetReport
from pipeline.sets import Readings, UnreadableNow, decide_again
from pipeline.settings import Settings
from pipeline.shelf import SUFFIX_LENGTH, DatabaseShelf
from pipeline.sightings import Sightings
from pipeline.telling import tell_support
from storage import held, parked, receipts, restoration
from storage.commands import Source
from storage.database import Database, DatabaseUnavailable, Guard, TooMuch
from storage.outcomes import Outcome
from storage.receipts import ReceivedFile
from storage.rules import TOO_LATE
from storage.states import Left

FILES_PER_ROUND = 10_000
EXPIRED_PER_ROUND_MAX = 1_000  # some seconds
_BEGINNING_BYTES = 64 * 1024  # of a file, searched for the time its first ISA says


#: Told to support by e-mail too: the partner has to do something, and nobody reads what cron prints.
_TOLD = frozenset({Left.EMPTY, Left.TOO_LARGE, Left.BROKEN, Left.UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """What one round did. `problems` are mailboxes and files that could not be served, in sentences."""

    files: tuple[FileReport, ...]
    expired: tuple[SetReport, ...]  # sets that had waited: too long, or beyond what their order lets go
    received: tuple[ReceiveReport, ...]  # one or more of each mailbox
    deliveries: DeliveryReport
    failed: tuple[str, ...]  # bugs, by file
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
        with ExitStack() as stack:
            mailboxes = {
                partner.id: stack.enter_context(self.open_mailbox(partner.id))
                for partner in self.settings.partners
                if partner.mailbox is not None
            }

            def mailbox_of(partner_id: str) -> Mailbox:
                return mailboxes.get(partner_id) or self.open_mailbox(partner_id)

            inboxes = self._inboxes(mailboxes)
            passes = receive_all(inboxes, shelf, self.sightings, self.clock, self.bounds, wait=wait)
            for reports in passes:
                logbook.files_taken(reports)
                self._tell(reports)
                done, bugs = ingest_waiting(self.settings, self.database, self.clock.now)
                unmoved += _reject(mailboxes, reports, done)
                if expired is None:
                    expired = expire_waiting(self.settings, self.database, self.clock.now())
                received += reports
                down = {one.partner_id for one in received if one.paused or one.failure}
                deliveries.append(deliver(self.database, self.mail(), mailbox_of, self.clock, leave=down))
                files += done
                failed += bugs
        self._guard.leave_mark()
        return PollReport(
            files=tuple(files),
            expired=expired or (),
            received=tuple(received),
            deliveries=_joined(deliveries),
            failed=tuple(failed),
            unmoved=tuple(unmoved),
        )

    def _inboxes(self, mailboxes: Mapping[str, Mailbox]) -> list[Inbox]:
        return [
            Inbox(
                partner_id=partner.id,
                mailbox=mailboxes[partner.id],
                door=self.door(partner.id),
                settle_seconds=partner.mailbox.settle_seconds,
                incomplete_seconds=partner.mailbox.incomplete_seconds,
            )
            for partner in self.settings.partners
            if partner.mailbox is not None
        ]

    def _tell(self, reports: Sequence[ReceiveReport]) -> None:
        """Support is told of files that a partner has to do something about."""
        problems = [problem for report in reports for problem in report.problems]
        told = [problem for problem in problems if problem.left.reason in _TOLD]
        if not told:
            return
        at = self.clock.now()
        with self.database.writing() as tx:
            for problem in told:
                tell_support(tx, self.settings, _unusable(problem, at), at)


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


def _joined(reports: Sequence[DeliveryReport]) -> DeliveryReport:
    return DeliveryReport(
        attempts=tuple(attempt for report in reports for attempt in report.attempts),
        uncertain=tuple(message for report in reports for message in report.uncertain),
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


#: What is around the work of a transaction; `restoration.doubting` is the other one.
_Around = Callable[[Connection], AbstractContextManager[None]]


def _plainly(_: Connection) -> AbstractContextManager[None]:
    return nullcontext()


def ingest_waiting(
    settings: Settings, database: Database, now: Callable[[], datetime], around: _Around = _plainly
) -> tuple[list[FileReport], list[str]]:
    """Read every kept file that was not read yet; a file that makes us fail does not stop the others."""
    with database.reading() as tx:
        known = [partner.id for partner in settings.partners]
        waiting = receipts.unprocessed(tx, FILES_PER_ROUND, partners=known)
        keys = {file.id: _sent_at(receipts.beginning_of(tx, file.id, _BEGINNING_BYTES)) for file in waiting}
    reports: list[FileReport] = []
    failed: list[str] = []
    for file in sorted(waiting, key=lambda f: (keys[f.id], f.name, f.id)):
        begun, given_up = database.run(partial(_begin, file=file))
        if given_up:
            failed.append(f"{file.name} of {file.partner} was given up after several attempts.")
            logbook.file_failed(file.id, file.partner, failed[-1])
        if not begun:
            continue  # given up, or read by another process since we looked

        def read(tx: Connection, file: ReceivedFile = file) -> FileReport | None:
            # The time is taken off before the commit: what was committed was read.
            with around(tx), processor_seconds_max(seconds_for(file.size)):
                if not receipts.claim(tx, file.id):
                    return None
                return ingest(tx, settings, file, now(), mailbox_of=file.partner)

        try:
            report = database.run(read)
        except (CountermandError, DatabaseUnavailable, OSError) as error:
            if isinstance(error, DatabaseUnavailable) and not isinstance(error, TooMuch):
                _forgive(database, file)
            raise
        except (Exception, TimeIsUp) as error:
            failed.append(_record(database, file, error))
            logbook.file_failed(file.id, file.partner, failed[-1])
        else:
            if report is not None:
                reports.append(report)
                logbook.file_read(report)
    return reports, failed


def files_of_unknown(settings: Settings, database: Database) -> list[tuple[str, CountermandError]]:
    """Partners that left the settings while files of theirs wait: nobody reads those, and nothing is lost."""
    with database.reading() as tx:
        unread = receipts.unread_by_partner(tx)
    return [
        (
            partner,
            OperatorError(
                f"{count} of its files wait and are not read, for {settings.path} does not have this partner."
                " Put it back, and they are read in the next round."
            ),
        )
        for partner, count in sorted(unread.items())
        if settings.directory.get(partner) is None
    ]


def _begin(tx: Connection, file: ReceivedFile) -> tuple[bool, bool]:
    """Count the attempt: whether it may be made, and whether there were too many."""
    begun = bool(receipts.begin(tx, [file.id]))
    return begun, not begun and receipts.has_failed(tx, file.id)


def _forgive(database: Database, file: ReceivedFile) -> None:
    """What was in our way was not the file: the attempt does not count, if that can still be written."""
    with suppress(DatabaseUnavailable), database.writing() as tx:
        receipts.forgive(tx, file.id)


def _record(database: Database, file: ReceivedFile, error: BaseException) -> str:
    """Our own mistake over one file: it is counted and said, and the neighbours go on."""
    said = f"{type(error).__name__}: {error}"[: receipts.ERROR_CHARS_MAX]
    with database.writing() as tx:
        status = receipts.record_failure(tx, file.id, error=said)
    return f"{file.name} of {file.partner} made the program fail ({said}); it is {status.value} now."


def _sent_at(content: bytes) -> tuple[bytes, bytes, bytes]:
    """ISA09, ISA10 and ISA13 of the first interchange: files are read in the order they were written."""
    start = content.find(b"ISA")
    elements = (
        content[start : start + 200].split(content[start + 3 : start + 4] or b"*") if start >= 0 else []
    )
    return (elements[9], elements[10], elements[13]) if len(elements) > 13 else (b"", b"", b"")


def expire_waiting(
    settings: Settings, database: Database, at: datetime, around: _Around = _plainly
) -> tuple[SetReport, ...]:
    """Sets whose order or answer did not come in time are refused, and their sender is told.

    Sets whose order is there, but let go of only the first of them, are decided in their turn.
    """

    def expire(tx: Connection) -> list[SetReport]:
        with around(tx):
            return _expire(tx, settings, at)

    expired = database.run(expire)
    for report in expired:
        logbook.set_expired(report)
    return tuple(expired)


def _expire(tx: Connection, settings: Settings, at: datetime) -> list[SetReport]:
    expired: list[SetReport] = []
    readings = Readings()
    questions = {question.set_id: question.id for question in held.expired(tx, at) if question.set_id}
    late = {waiting.set_id for waiting in parked.expired(tx, at)} | questions.keys()
    for set_id in sorted(late.union(parked.ready(tx, EXPIRED_PER_ROUND_MAX))):
        if len(expired) == EXPIRED_PER_ROUND_MAX:
            break  # the next round goes on; nobody else can write meanwhile
        with suppress(UnreadableNow), tx.begin_nested():
            if set_id in late:
                parked.mark_expired(tx, set_id)
            if set_id in questions:
                held.mark_expired(tx, questions[set_id], at)
            answer = TOO_LATE if set_id in late else ""
            expired.append(decide_again(tx, settings, set_id, at, answer, readings=readings))
    return expired
