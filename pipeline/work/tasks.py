"""Tasks: everything a worker does. Each is decided by rows, and may run twice, or beside another of its kind.

A task that finds another at the same work, or nothing to do, ends quietly; what it leaves undone is found
again by its rows. A task stops with a sentence when a backup was put back, or the database was changed.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from edi import limits
from edi.unfinished import breaks_off
from pipeline import logbook
from pipeline.clock import Clock
from pipeline.deliver import MESSAGES_MAX, DeliveryReport, deliver_mail, deliver_to
from pipeline.errors import CountermandError, FileChanged, MailboxPaused
from pipeline.lapsing import lapse_requests
from pipeline.mail import SmtpSettings
from pipeline.partners import Partner
from pipeline.poll import PollReport, inbox_of, may_work, tell_of_left
from pipeline.ports import Door, Folder, Mailbox, RemoteFile, printable
from pipeline.post_events import EACH_MAX, Poster
from pipeline.receiving.receive import Limits, receive_all
from pipeline.receiving.shelf import SUFFIX_LENGTH, DatabaseShelf
from pipeline.receiving.sightings import Sightings
from pipeline.settings import Settings
from pipeline.telling.digests import gather
from pipeline.waiting import expire_waiting, files_of_unknown, ingest_waiting
from storage import due, receipts
from storage.database import Database, Guard
from storage.due import Due, Waiting, Work

FILES_MAX = 1_000  # read in one task: some seconds, then others have their turn


class Right(Protocol):
    """That nobody else is at the same work."""

    def check(self, tx: Connection) -> None:
        """Raise when it was lost: what the transaction did must not be committed."""
        ...


class Rights(Protocol):
    """Gives the right to be the only one at something."""

    def alone(self, name: str) -> AbstractContextManager[Right | None]:
        """None when somebody else has it."""
        ...


class WorkQueue(Protocol):
    """Where work is put down, in the very transaction that makes it due: undone with it, or not at all."""

    def put(self, tx: Connection, due: frozenset[Due]) -> None:
        """Put work down; doing it comes after the commit. Twice the same does no harm."""
        ...


@dataclass(slots=True, kw_only=True)
class Tasks:
    """The work of one process, for threads that do different things at once."""

    settings: Settings
    database: Database
    clock: Clock
    mail: Callable[[], SmtpSettings]
    open_mailbox: Callable[[str, Door], Mailbox]
    door: Callable[[str], Door]
    rights: Rights
    queue: WorkQueue
    report: Callable[[PollReport], None]
    bounds: Limits = Limits(file_bytes_max=limits.file_bytes_max)  # noqa: RUF009 - frozen
    sightings: Sightings = field(default_factory=Sightings)
    _guard: Guard | None = None

    def do(self, what: Due) -> None:
        """Do one thing that is due."""
        match what.work:
            case Work.POLL:
                self.poll_mailbox(what.partner)
            case Work.READ:
                self.read_files(what.partner)
            case Work.REJECT:
                self.reject_file(what.partner, what.file_id)
            case Work.DELIVER:
                self.deliver_to(what.partner)
            case Work.MAIL:
                self.send_mail()
            case Work.WEBHOOKS:
                self.post_events(what.partner)

    def poll_mailbox(self, partner_id: str) -> None:
        """Look into one partner's mailbox, keep what is settled and move it away."""
        partner = self._with_mailbox(partner_id)
        with self.rights.alone(f"mailbox {partner_id}") as right:
            if partner is None or partner.mailbox is None or right is None:
                return
            self._begin()
            door = self.door(partner_id)
            shelf = DatabaseShelf(
                database=self.database, clock=self.clock, is_cut_off=breaks_off, still_ours=right.check
            )
            with self.open_mailbox(partner_id, door) as mailbox:
                inbox, left = inbox_of(partner_id, partner.mailbox, mailbox, door), 0
                passes = receive_all([inbox], shelf, self.sightings, self.clock, self.bounds, wait=True)
                for reports in passes:
                    logbook.files_taken(reports)
                    tell_of_left(self.settings, self.database, self.clock, reports)
                    self.report(PollReport(received=reports))
                    left = sum(one.left for one in reports)
            if left:
                self._go_on(Due(Work.POLL, partner_id))

    def read_files(self, partner_id: str) -> None:
        """Read what was kept of one partner's files, in the order they were written."""
        with self.rights.alone(f"files of {partner_id}") as right:
            if self._partner(partner_id) is None or right is None:
                return
            self._begin()
            done, failed = ingest_waiting(
                self.settings, self.database, self.clock.now, partners=[partner_id], files_max=FILES_MAX
            )
            self.report(PollReport(files=tuple(done), failed=tuple(failed)))
            if len(done) + len(failed) >= FILES_MAX:
                self._go_on(Due(Work.READ, partner_id))

    def reject_file(self, partner_id: str, file_id: int) -> None:
        """Move a file nothing of which could be used on from processed to rejected.

        The right to the mailbox is waited for by the queue: whoever keeps the file has moved it by then. If
        it could not be moved, the next look into the mailbox does that, and it stays in processed.
        """
        with self.database.reading() as tx:
            file = receipts.get_file(tx, file_id)
        if file is None or not file.moved_to or self._with_mailbox(partner_id) is None:
            return
        with self.rights.alone(f"mailbox {partner_id}") as right:
            if right is None:
                return
            self._begin()
            plain = file.moved_to == printable(file.name_bytes)
            name = file.name_bytes if plain else file.moved_to.encode()
            lying = RemoteFile(name=name, size=file.size, modified=None, regular=True)
            try:
                with self.open_mailbox(partner_id, self.door(partner_id)) as mailbox:
                    mailbox.move(lying, Folder.REJECTED, file.sha256[:SUFFIX_LENGTH], source=Folder.PROCESSED)
            except (FileChanged, MailboxPaused):
                return
            except CountermandError as error:
                self.report(PollReport(unmoved=((partner_id, error),)))

    def deliver_to(self, partner_id: str) -> None:
        """Leave the documents that are due in one partner's mailbox."""
        with self.rights.alone(f"delivery to {partner_id}") as right:
            if self._with_mailbox(partner_id) is None or right is None:
                return
            self._begin()
            door = self.door(partner_id)
            try:
                door.check()
            except MailboxPaused:
                return  # nothing counts as tried; it is due again when the pause is over
            report = deliver_to(self.database, lambda id: self.open_mailbox(id, door), partner_id, self.clock)
            self._delivered(report, Due(Work.DELIVER, partner_id))

    def send_mail(self) -> None:
        """Send the e-mails that are due."""
        with self.rights.alone("mail") as right:
            if right is None:
                return
            self._begin()
            gather(self.settings, self.database, self.clock)
            report = deliver_mail(self.database, self.mail, self.clock)
            self._delivered(report, Due(Work.MAIL))

    def post_events(self, partner_id: str) -> None:
        """Post the events that are due to one partner's endpoints."""
        with self.rights.alone(f"webhooks of {partner_id}") as right:
            if self._partner(partner_id) is None or right is None:
                return
            self._begin()
            poster = Poster(database=self.database, settings=self.settings.webhooks, clock=self.clock)
            report = poster.round(partner_id)
            self.report(PollReport(deliveries=report))
            if len(report.attempts) >= EACH_MAX:
                self._go_on(Due(Work.WEBHOOKS, partner_id))

    def expire(self) -> None:
        """Decide what waited too long for its order or its answer, and let requests lapse."""
        with self.rights.alone("what waits") as right:
            if right is None:
                return
            self._begin()
            expired = expire_waiting(self.settings, self.database, self.clock.now())
            expired += lapse_requests(self.settings, self.database, self.clock.now())
            self.report(PollReport(expired=expired))

    def waiting(self) -> Waiting:
        """What the rows say is to be done now."""
        with self.database.reading() as tx:
            return due.waiting(tx, self.clock.now(), partners=[one.id for one in self.settings.partners])

    def reconcile(self, under_way: frozenset[Due]) -> frozenset[Due]:
        """Put down what is due by its rows and has no job: a lost job is not a lost document. What it was."""
        self._begin()
        unmoved = files_of_unknown(self.settings, self.database)
        self.report(PollReport(unmoved=tuple(unmoved)))
        missing = frozenset(one for one in self.waiting().due - under_way if self._can(one))
        if missing:
            with self.database.writing() as tx:
                self.queue.put(tx, missing)
        return missing

    def _can(self, what: Due) -> bool:
        """Whether doing it could have an effect: a document for who has no mailbox waits for the settings."""
        return what.work is not Work.DELIVER or self._with_mailbox(what.partner) is not None

    def prove(self) -> None:
        """Raise NotTheSame when another database, or an older ledger, took the place of the one we knew."""
        self._own_guard().check()

    def _begin(self) -> None:
        """Raise when nothing may be done now."""
        may_work(self.database, self._own_guard())

    def _own_guard(self) -> Guard:
        self._guard = self._guard or Guard(self.database)
        return self._guard

    def _delivered(self, report: DeliveryReport, more: Due) -> None:
        self.report(PollReport(deliveries=report))
        if len(report.attempts) >= MESSAGES_MAX:
            self._go_on(more)

    def _go_on(self, more: Due) -> None:
        with self.database.writing() as tx:
            self.queue.put(tx, frozenset({more}))

    def _partner(self, partner_id: str) -> Partner | None:
        """None for one that these settings do not have: another worker's may."""
        return self.settings.directory.get(partner_id)

    def _with_mailbox(self, partner_id: str) -> Partner | None:
        partner = self._partner(partner_id)
        return partner if partner is not None and partner.mailbox is not None else None
