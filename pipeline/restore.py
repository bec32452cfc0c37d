"""Restore: after a backup was put back, read again what arrived after it was made. A straight line.

The partners' processed and rejected folders hold what was taken in the lost time. What the ledger does not
know is kept and read, in the order it was written; whatever that makes us owe is uncertain, never sent.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from edi import limits
from pipeline.clock import Clock
from pipeline.errors import CountermandError, OperatorError
from pipeline.ports import Folder, Mailbox, RemoteFile, printable
from pipeline.receiving.batches import BATCH_BYTES_MAX, BATCH_FILES_MAX
from pipeline.receiving.sightings import is_candidate
from pipeline.report import FileReport, SetReport
from pipeline.settings import Settings
from pipeline.telling.digests import gather_all
from pipeline.waiting import expire_waiting, ingest_waiting
from storage import mailboxes, receipts, restoration
from storage.database import Database
from storage.states import Left

NUMBERS_SKIPPED = (
    10_000  # of each partner's 999,999,999; more than a hub sends one partner between two backups
)
NUMBERS_SKIPPED_MAX = 1_000_000
CLOCK_APART = timedelta(
    days=2
)  # how wrong a partner's clock may be; only files known by name are left unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one folder held."""

    partner_id: str
    folder: Folder
    listed: int = 0
    fetched: int = 0
    kept: int = 0
    error: CountermandError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What was found again; `ended`: all of it, and sending goes on."""

    found: tuple[Found, ...]
    files: tuple[FileReport, ...]
    expired: tuple[SetReport, ...]
    failed: tuple[str, ...]
    doubtful: tuple[int, ...]  # messages a person must look at
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Restorer:
    """One run of `countermand restored`; to be run again when it could not end."""

    settings: Settings
    database: Database
    clock: Clock
    open_folder: Callable[[str, Folder], Mailbox]
    since: datetime | None  # when the backup was made; None: every file is looked at
    without: Collection[str]  # partners whose folders are not read

    def run(self, numbers_skipped: int) -> RestoreReport:
        """Set aside, read again, and end when nothing is missing."""
        partners = [partner.id for partner in self.settings.partners if partner.mailbox is not None]
        unknown = sorted(set(self.without) - set(partners))
        if unknown:
            raise OperatorError(f"No partner with a mailbox is called {', '.join(unknown)}.")
        counters = [f"interchange:{partner.id}" for partner in self.settings.partners]
        with self.database.writing() as tx:
            gather_all(tx, self.settings, self.clock.now())  # what waits may have been told since the backup
            restoration.begin(tx, self.clock.now(), counters=counters, numbers_skipped=numbers_skipped)
        found = [
            self._look(partner_id, folder)
            for partner_id in partners
            if partner_id not in self.without
            for folder in self._folders(partner_id)
        ]
        files, failed = self._read()
        expired = expire_waiting(self.settings, self.database, self.clock.now(), self._doubting)
        ended = not any(one.error for one in found)
        with self.database.writing() as tx:
            if ended:
                restoration.end(tx, self.clock.now())
            doubtful = restoration.doubtful(tx)
        return RestoreReport(
            found=tuple(found),
            files=tuple(files),
            expired=expired,
            failed=tuple(failed),
            doubtful=doubtful,
            ended=ended,
        )

    @contextmanager
    def _doubting(self, tx: Connection) -> Iterator[None]:
        """What is owed inside, also in digests, is uncertain: it may have gone out in the lost time."""
        with restoration.doubting(tx):
            yield
            gather_all(tx, self.settings, self.clock.now())

    def _folders(self, partner_id: str) -> tuple[Folder, ...]:
        """Where files that we took lie: in the pickup folder too, where the server let us move nothing."""
        with self.database.reading() as tx:
            unmoved = any(left.reason is Left.UNMOVED for left in mailboxes.left_files(tx, partner_id))
        return (Folder.PROCESSED, Folder.REJECTED, *((Folder.PICKUP,) if unmoved else ()))

    def _look(self, partner_id: str, folder: Folder) -> Found:
        """Keep what the ledger does not know of one folder."""
        with self.database.reading() as tx:
            names, hashes = receipts.known(tx, partner_id)
        listed = fetched = kept = 0
        try:
            with self.open_folder(partner_id, folder) as mailbox:
                files = [file for file in mailbox.listing() if is_candidate(file)]
                listed = len(files)
                wanted = [file for file in files if not self._is_known(file, names)]
                for batch in _batches(wanted):
                    contents = mailbox.fetch_many(batch, file_bytes_max=limits.file_bytes_max)
                    for file, content in zip(batch, contents, strict=True):
                        if isinstance(content, CountermandError):
                            raise content
                        fetched += 1
                        kept += self._keep(partner_id, file, content, hashes)
        except CountermandError as error:
            return Found(
                partner_id=partner_id, folder=folder, listed=listed, fetched=fetched, kept=kept, error=error
            )
        return Found(partner_id=partner_id, folder=folder, listed=listed, fetched=fetched, kept=kept)

    def _is_known(self, file: RemoteFile, names: Collection[tuple[str, int]]) -> bool:
        """By name and size, which other content may have too: so only if it is older than the backup."""
        if self.since is None or file.modified is None:
            return False
        old = file.modified < (self.since - CLOCK_APART).timestamp()
        return old and (printable(file.name), file.size) in names

    def _keep(self, partner_id: str, file: RemoteFile, content: bytes, hashes: set[str]) -> bool:
        """True when the content is new to the ledger."""
        digest = receipts.sha256_of(content)
        if digest in hashes:
            return False
        hashes.add(digest)
        at = self.clock.now()
        with self.database.writing() as tx:
            new = receipts.keep(
                tx, partner=partner_id, mailbox=partner_id, name=file.name, content=content, at=at
            )
            receipts.mark_moved(tx, new.id, to=printable(file.name), at=at)
        return True

    def _read(self) -> tuple[list[FileReport], list[str]]:
        """Every file that is not read yet; also those the backup had not read."""
        files: list[FileReport] = []
        failed: list[str] = []
        while True:
            done, bugs = ingest_waiting(self.settings, self.database, self.clock.now, self._doubting)
            files += done
            failed += bugs
            if not done:
                return files, failed


def _batches(files: Sequence[RemoteFile]) -> list[list[RemoteFile]]:
    batches: list[list[RemoteFile]] = []
    size = BATCH_BYTES_MAX
    for file in files:
        if size + file.size > BATCH_BYTES_MAX or len(batches[-1]) == BATCH_FILES_MAX:
            batches.append([])
            size = 0
        batches[-1].append(file)
        size += file.size
    return batches
