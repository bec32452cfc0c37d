"""What was kept and waits: files to be read, and sets whose order, answer or turn came or comes too late."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from pipeline import logbook
from pipeline.deadline import TimeIsUp, processor_seconds_max, seconds_for
from pipeline.errors import CountermandError, OperatorError
from pipeline.ingest import ingest
from pipeline.report import FileReport, SetReport
from pipeline.sets import Readings, UnreadableNow, decide_again
from pipeline.settings import Settings
from pipeline.shares import shares
from storage import due, held, parked, receipts
from storage.database import Database, DatabaseUnavailable, TooMuch
from storage.outcomes import Given
from storage.receipts import ReceivedFile
from storage.rules_answers import TOO_LATE

FILES_PER_ROUND = 10_000
COMMIT_FILES_MAX = 100  # they share the milliseconds of waiting for the disk
COMMIT_BYTES_MAX = 1024 * 1024  # others wait for the ledger no longer than that takes to read
EXPIRED_PER_ROUND_MAX = 1_000  # some seconds
_BEGINNING_BYTES = 64 * 1024  # of a file, searched for the time its first ISA says

#: What is around the work of a transaction; `restoration.doubting` is the other one.
_Around = Callable[[Connection], AbstractContextManager[None]]


def _plainly(_: Connection) -> AbstractContextManager[None]:
    return nullcontext()


def ingest_waiting(
    settings: Settings,
    database: Database,
    now: Callable[[], datetime],
    around: _Around = _plainly,
    *,
    partners: Collection[str] | None = None,
    files_max: int = FILES_PER_ROUND,
) -> tuple[list[FileReport], list[str]]:
    """Read every kept file that was not read yet; a file that makes us fail does not stop the others.

    Of all partners, or of these, and no more files than that.
    """
    with database.reading() as tx:
        known = [partner.id for partner in settings.partners if partners is None or partner.id in partners]
        waiting = receipts.unprocessed(tx, files_max, partners=known)
        keys = {file.id: _sent_at(receipts.beginning_of(tx, file.id, _BEGINNING_BYTES)) for file in waiting}
    work = _Work(settings, database, now, around)
    in_order = sorted(waiting, key=lambda f: (keys[f.id], f.name, f.id))
    for batch in shares(in_order, _room, COMMIT_FILES_MAX, COMMIT_BYTES_MAX):
        work.read(batch)
    return work.reports, work.failed


def _room(file: ReceivedFile) -> int:
    """One that was begun before may be what ended us, so it goes alone."""
    return COMMIT_BYTES_MAX if file.attempts else file.size


@dataclass(slots=True)
class _Work:
    """Reads kept files, many in one commit, and keeps the reports."""

    settings: Settings
    database: Database
    now: Callable[[], datetime]
    around: _Around
    reports: list[FileReport] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def read(self, batch: Sequence[ReceivedFile]) -> None:
        """Read them all or, when one of them fails, each alone: what it did is undone and nobody else's."""
        begun = self._begin(batch)
        if len(begun) > 1 and self._together(begun):
            return
        for file in begun:
            self._alone(file, begun)

    def _together(self, files: Sequence[ReceivedFile]) -> bool:
        """Whether all of them were read; else nothing was done."""
        try:
            self._commit(files)
        except TooMuch:
            return False
        except DatabaseUnavailable:
            _forgive(self.database, files)
            raise
        except (CountermandError, OSError):
            raise
        except (Exception, TimeIsUp):
            return False
        return True

    def _alone(self, file: ReceivedFile, begun: Sequence[ReceivedFile]) -> None:
        try:
            self._commit([file])
        except DatabaseUnavailable as error:
            mine = isinstance(error, TooMuch)
            _forgive(self.database, [one for one in begun if not (mine and one is file)])
            raise
        except (CountermandError, OSError):
            raise
        except (Exception, TimeIsUp) as error:
            self._fail(file, _record(self.database, file, error))

    def _begin(self, batch: Sequence[ReceivedFile]) -> list[ReceivedFile]:
        """Count the attempts, before anything is read; the files of which one may be made."""
        ids = [file.id for file in batch]
        begun, given_up = self.database.run(partial(_begin, ids=ids))
        for file in batch:
            if file.id in given_up:
                self._fail(
                    file,
                    f"{file.name} of {file.partner} was given up after several tries; see: countermand retry",
                )
        return [file for file in batch if file.id in begun]

    def _commit(self, files: Sequence[ReceivedFile]) -> None:
        reports = self.database.run(partial(self._ingest, files))
        self.reports += reports
        for report in reports:
            logbook.file_read(report)

    def _ingest(self, files: Sequence[ReceivedFile], tx: Connection) -> list[FileReport]:
        reports = []
        for file in files:
            # The time is taken off before the commit: what was committed was read.
            with self.around(tx), processor_seconds_max(seconds_for(file.size)):
                if receipts.claim(tx, file.id):  # else another process read it since we looked
                    at = self.now()
                    reports.append(ingest(tx, self.settings, file, at, mailbox_of=file.partner))
                    if reports[-1].is_unusable:
                        due.file_unusable(tx, file.partner, file.id)
        return reports

    def _fail(self, file: ReceivedFile, said: str) -> None:
        self.failed.append(said)
        logbook.file_failed(file.id, file.partner, said)


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


def _begin(tx: Connection, ids: Sequence[int]) -> tuple[set[int], set[int]]:
    """Count an attempt at each: those that may be tried, and those of which there were too many."""
    begun = set(receipts.begin(tx, ids))
    return begun, {file_id for file_id in ids if file_id not in begun and receipts.has_failed(tx, file_id)}


def _forgive(database: Database, files: Iterable[ReceivedFile]) -> None:
    """What was in our way was not these files: the attempt does not count, if that can still be written."""
    with suppress(DatabaseUnavailable), database.writing() as tx:
        for file in files:
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
    questions = {question.set_id: question for question in held.expired(tx, at) if question.set_id}
    late = {waiting.set_id for waiting in parked.expired(tx, at)} | questions.keys()
    for set_id in sorted(late.union(parked.ready(tx, EXPIRED_PER_ROUND_MAX))):
        if len(expired) == EXPIRED_PER_ROUND_MAX:
            break  # the next round goes on; nobody else can write meanwhile
        with suppress(UnreadableNow), tx.begin_nested():
            waits = parked.claim(tx, set_id)
            if waits and set_id in late:
                parked.mark_expired(tx, set_id)
            if set_id in questions and held.mark_expired(tx, questions[set_id].id, at):
                waits = True
            if not waits:
                continue  # another process, or a person, decided it since we looked
            late_of = questions[set_id].question if set_id in questions else None
            answer = Given(choice=TOO_LATE, question=late_of) if set_id in late else None
            expired.append(decide_again(tx, settings, set_id, at, answer, readings=readings))
    return expired
