"""What was kept and waits: files to be read, and sets whose order, answer or turn came or comes too late."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
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
from storage import held, parked, receipts
from storage.database import Database, DatabaseUnavailable, TooMuch
from storage.receipts import ReceivedFile
from storage.rules import TOO_LATE

FILES_PER_ROUND = 10_000
EXPIRED_PER_ROUND_MAX = 1_000  # some seconds
_BEGINNING_BYTES = 64 * 1024  # of a file, searched for the time its first ISA says

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
