"""Wiring: settings become the parts of a running program. Nothing is opened before it is needed."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pipeline.clock import Clock, SystemClock
from pipeline.doors import RememberingDoor
from pipeline.errors import CountermandError, OperatorError
from pipeline.guides import check_guides
from pipeline.mail import SmtpSettings, check_templates
from pipeline.mailbox import SftpMailbox
from pipeline.partners import MailboxSettings
from pipeline.poll import Poller, PollReport
from pipeline.ports import Folder, Mailbox
from pipeline.post_events import Poster
from pipeline.receiving.sightings import Sightings
from pipeline.restore import Restorer
from pipeline.settings import Settings, find_settings, load
from pipeline.work import queue, schema
from pipeline.work.tasks import Rights, Tasks
from storage.database import Database
from storage.mailboxes import left_files

LEFT_NAMED_MAX = 10  # files, in one line of the doctor's


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One installation, ready to work."""

    settings: Settings
    database: Database
    clock: Clock

    def smtp(self) -> SmtpSettings:
        """The mail server with its password looked up; an OperatorError when it cannot be."""
        mail = self.settings.mail
        try:
            return SmtpSettings(
                host=mail.host,
                port=mail.port,
                security=mail.security,
                username=mail.username,
                password=mail.password.reveal() if mail.password and mail.username else "",
                sender=mail.sender,
            )
        except ValueError as error:
            raise OperatorError(f"{self.settings.path}: mail.security: {error}") from error

    def open_mailbox(self, partner_id: str) -> Mailbox:
        """A partner's mailbox; it connects when it is first used, if its door says that it may."""
        return SftpMailbox(self._mailbox_settings(partner_id), self.door(partner_id))

    def open_folder(self, partner_id: str, folder: Folder) -> Mailbox:
        """One folder of a partner's, to list and read what lies in it; nothing can be moved out of it."""
        own = self._mailbox_settings(partner_id)
        swapped = {
            Folder.PICKUP: own,
            Folder.PROCESSED: replace(own, pickup=own.processed, processed=own.pickup, rejected=own.pickup),
            Folder.REJECTED: replace(own, pickup=own.rejected, processed=own.pickup, rejected=own.pickup),
        }
        return SftpMailbox(swapped[folder], self.door(partner_id, by_hand=True))

    def open_delivery(self, partner_id: str) -> Mailbox:
        """The folder a partner's answers are left in, to list it."""
        own = self._mailbox_settings(partner_id)
        return SftpMailbox(replace(own, pickup=own.delivery), self.door(partner_id, by_hand=True))

    def restorer(self, since: datetime | None, without: Collection[str]) -> Restorer:
        """What `countermand restored` runs."""
        self.prove()
        return Restorer(
            settings=self.settings,
            database=self.database,
            clock=self.clock,
            open_folder=self.open_folder,
            since=since,
            without=without,
        )

    def door(self, partner_id: str, *, by_hand: bool = False) -> RememberingDoor:
        """What is remembered of a partner's mailbox; one that is tried by hand is never paused."""
        return RememberingDoor(
            partner_id=partner_id,
            settings=self._mailbox_settings(partner_id),
            database=self.database,
            clock=self.clock,
            by_hand=by_hand,
        )

    def examine_mailbox(self, partner_id: str) -> str:
        """Look into a mailbox by hand, and say what is to be seen; where that works, it is tried again."""
        door = self.door(partner_id, by_hand=True)
        with SftpMailbox(self._mailbox_settings(partner_id), door) as mailbox:
            try:
                waiting = [file for file in mailbox.listing() if file.regular]
            except CountermandError as error:
                door.failed(error)
                raise
            strict = "strict key exchange" if mailbox.is_strict() else "key exchange not strict (Terrapin)"
        door.served()
        found = f"connected, host key as pinned, {strict}, {len(waiting)} files in the pickup folder"
        return found + self._left_in(partner_id)

    def _left_in(self, partner_id: str) -> str:
        """What stays in a mailbox, the longest first, and why."""
        with self.database.reading() as tx:
            files = left_files(tx, partner_id)
        named = [
            f"{file.name} ({file.reason.value} since {file.since:%Y-%m-%d %H:%M} UTC)"
            for file in files[:LEFT_NAMED_MAX]
        ]
        if len(files) > LEFT_NAMED_MAX:
            named.append(f"{len(files) - LEFT_NAMED_MAX} more")
        return f"; left there: {', '.join(named)}" if named else ""

    def _mailbox_settings(self, partner_id: str) -> MailboxSettings:
        partner = self.settings.directory.get(partner_id)
        if partner is None or partner.mailbox is None:
            raise OperatorError(f'Partner "{partner_id}" has no mailbox in {self.settings.path}.')
        return partner.mailbox

    def prove(self) -> None:
        """Templates and guides are as they must be; said before anything is received or entered."""
        check_templates()
        check_guides(self.settings)

    def poller(self) -> Poller:
        """What `countermand poll` runs; templates and guides are proven before anything is received."""
        self.prove()
        doors: dict[str, RememberingDoor] = {}

        def door(partner_id: str) -> RememberingDoor:
            # One and the same for all who use a mailbox, so that what they see of one failure counts once.
            return doors.setdefault(partner_id, self.door(partner_id))

        def open_mailbox(partner_id: str) -> Mailbox:
            return SftpMailbox(self._mailbox_settings(partner_id), door(partner_id))

        return Poller(
            settings=self.settings,
            database=self.database,
            clock=self.clock,
            mail=self.smtp,
            open_mailbox=open_mailbox,
            door=door,
            sightings=Sightings(),
        )

    def tasks(self, rights: Rights, report: Callable[[PollReport], None]) -> Tasks:
        """What `countermand worker` does; templates and guides are proven before anything is received."""
        self.prove()
        return Tasks(
            settings=self.settings,
            database=self.database,
            clock=self.clock,
            mail=self.smtp,
            open_mailbox=lambda partner_id, door: SftpMailbox(self._mailbox_settings(partner_id), door),
            door=self.door,
            rights=rights,
            queue=queue.JobQueue(),
            report=report,
        )

    def poster(self) -> Poster:
        """What posts events to partners' endpoints."""
        return Poster(database=self.database, settings=self.settings.webhooks, clock=self.clock)

    def upgrade_queue(self) -> str | None:
        """Bring the queue's tables up to date; their version, or None where there is no queue."""
        return schema.upgrade(self.database)


def open_application(option: Path | None, *, threads: int = 1) -> Application:
    """From --config, COUNTERMAND_CONFIG or ./countermand.toml; for so many threads at once."""
    settings = load(find_settings(option, os.environ), os.environ)
    database = Database(settings.database.url, threads=threads)
    queue.attach(database)
    return Application(settings=settings, database=database, clock=SystemClock())
