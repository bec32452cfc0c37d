"""Doctor: tries what a round of `poll` needs, changes nothing, and ends every failure with what to do."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from pipeline.errors import CountermandError, OperatorError
from pipeline.guides import check_guides
from pipeline.mail import SmtpSession, check_templates
from pipeline.partners import Partner
from pipeline.ports import Folder
from pipeline.settings import Settings
from pipeline.telling.company_mail import company_mail
from pipeline.wiring import Application
from storage import due
from storage.database import Database, DatabaseUnavailable, Guard
from storage.gauges import Gauges, backlog
from storage.states import FileStatus, MailTopic, Status

FREE_BYTES_MIN = 500 * 1024 * 1024  # five of the largest files, and room for the database's own log
HELD_MAX = timedelta(days=1)
UNSENT_MAX = timedelta(hours=4)  # the longest pause between two attempts
SERVED_MAX = timedelta(hours=1)
WORK_MAX = timedelta(minutes=5)  # cron's poll comes every minute, workers take seconds
CLOCKS_APART_MAX = timedelta(seconds=5)
PYTHON_MIN = (3, 11, 10)  # before, the standard library let an encoded word end a header; we guard against it
# Where locks and shared memory are not what SQLite takes them for.
_REMOTE = ("nfs", "cifs", "smb", "fuse", "9p", "afs", "ceph", "gluster")


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was tried."""

    what: str
    ok: bool
    detail: str


def examine(application: Application) -> list[Examined]:
    """Everything, one line each."""
    settings, database = application.settings, application.database
    lying = waiting(application)  # first: a look into a mailbox by hand counts as one
    found = [
        _try("program", _program),
        _try("settings", partial(_settings, application)),
        _try("secrets", partial(_secrets, settings)),
        _try("templates", lambda: f"{len(check_templates())} rendered"),
        _try("guides", lambda: f"{check_guides(settings)} loaded"),
        _try("database", partial(_database, database)),
    ]
    if database.path is not None:
        found.append(_try("disk", partial(_disk, database.path)))
    elif found[-1].ok:
        found.append(_try("clock", partial(_clock, application)))
    for partner in settings.partners:
        if not partner.notify and not _is_anybody_told(application, partner):
            said = "notify is empty, so nobody there is told; give it an address"
            found.append(Examined(f"partner {partner.id}", False, said))
        if partner.mailbox is not None:
            found.append(_try(f"mailbox {partner.id}", partial(application.examine_mailbox, partner.id)))
            if found[-1].ok:
                found.append(_try(f"folders {partner.id}", partial(_folders, application, partner)))
    found.append(_try("mail", lambda: _mail(application)))
    return [*found, *lying]


def _is_anybody_told(application: Application, partner: Partner) -> bool:
    """Whether people who sign in chose to be told of everything, between them."""
    try:
        with application.database.reading() as tx:
            company = company_mail(tx, application.settings, partner.id)
    except DatabaseUnavailable:  # which is said in its own line
        return False
    return company is not None and all(company.chosen(topic) for topic in MailTopic)


def _try(what: str, attempt: Callable[[], str]) -> Examined:
    try:
        return Examined(what, True, attempt())
    except (CountermandError, DatabaseUnavailable) as error:
        return Examined(what, False, str(error))


def _program() -> str:
    said = f"Python {sys.version.split()[0]}"
    return said if sys.version_info[:3] >= PYTHON_MIN else f"{said}; 3.11.10 or later is safer, update it"


def _settings(application: Application) -> str:
    path = application.settings.path
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        raise OperatorError(f"{path} can be changed by others (mode {mode:04o}); run: chmod go-w {path}")
    return f"{path}, {len(application.settings.partners)} partners"


def _secrets(settings: Settings) -> str:
    """Passwords in files are ours alone to read. Of key files each mailbox makes sure before it uses one."""
    boxes = [partner.mailbox for partner in settings.partners if partner.mailbox is not None]
    passwords = [*(box.password for box in boxes), settings.mail.password]
    files = sorted({password.path for password in passwords if password and password.path})
    seen = [str(path) for path in files if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if seen:
        raise OperatorError(f"others may read {', '.join(seen)}; run: chmod 600 {' '.join(seen)}")
    return f"{len(files)} passwords in files, for this user's eyes only"


def _clock(application: Application) -> str:
    """One hub, one time: what is due is decided by each machine's clock."""
    before = application.clock.now()
    with application.database.reading() as tx:
        theirs: datetime = tx.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    apart = max(before - theirs, theirs - application.clock.now())
    if apart > CLOCKS_APART_MAX:
        raise OperatorError(
            f"this machine's clock and the database's are {apart.total_seconds():.0f} seconds apart;"
            " keep both in time (chrony, systemd-timesyncd)"
        )
    return "this machine's and the database's agree"


def _database(database: Database) -> str:
    """Reached, of this schema, not older than it was; the laws are `countermand audit`'s."""
    Guard(database).check()
    said = f"{database.place}, schema {database.current()}; for its laws: countermand audit"
    if database.path is None:
        crew = database.crew()
        at_work = "poll" if crew.alone else f"{crew.workers} workers" if crew.workers else "nobody"
        return f"{said}; at work just now: {at_work}"
    with database.reading() as tx:
        mode = str(tx.exec_driver_sql("PRAGMA journal_mode").scalar_one())
        level = int(tx.exec_driver_sql("PRAGMA synchronous").scalar_one())
    if (mode, level) != ("wal", 2):
        raise OperatorError(
            f"{database.place}: journal_mode is {mode} and synchronous {level}, not wal and 2: a power cut"
            " could lose commits; move the database to a local disk"
        )
    return said


def _disk(path: Path) -> str:
    """Local, writable, and with room."""
    folder = path.resolve().parent
    kind = _kind_of_file_system(folder, Path("/proc/mounts"))
    if kind.startswith(_REMOTE):
        raise OperatorError(
            f"{folder} is on {kind}, where SQLite's locks cannot be trusted; move the database to a"
            " local disk"
        )
    blocked = [str(place) for place in (folder, path) if not os.access(place, os.W_OK)]
    if blocked:
        raise OperatorError(f"{', '.join(blocked)} cannot be written; give this user the right to")
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES_MIN:
        raise OperatorError(
            f"{free // 1024 // 1024} MB are free in {folder}; make room, or: countermand prune"
        )
    return f"{free // 1024 // 1024} MB free in {folder}, {kind or 'unknown file system'}"


def _kind_of_file_system(folder: Path, mounts: Path) -> str:
    """By the longest mount point above the folder; "" where the system does not say."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        _, point, name, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, name
    return kind


def _folders(application: Application, partner: Partner) -> str:
    """The folders we put files into can be listed; that they can be written only a delivery shows."""
    counts = []
    for folder in (Folder.PROCESSED, Folder.REJECTED):
        with application.open_folder(partner.id, folder) as mailbox:
            counts.append(f"{len(mailbox.listing())} in {folder.value}")
    with application.open_delivery(partner.id) as mailbox:
        counts.append(f"{len(mailbox.listing())} in delivery, not taken by the partner yet")
    return ", ".join(counts)


def _mail(application: Application) -> str:
    settings = application.smtp()
    with SmtpSession(settings) as session:
        session.connect()
    return f"{settings.host}:{settings.port} answers, {settings.security.value}"


def waiting(application: Application) -> list[Examined]:
    """What lies too long, as the alarms of the runbook see it."""
    try:
        with application.database.reading() as tx:
            found = backlog(tx)
    except DatabaseUnavailable:
        return []  # said above
    return overdue(application, found) or [Examined("waiting", True, "nothing lies too long")]


def overdue(application: Application, found: Gauges) -> list[Examined]:
    """What of a backlog lies too long; nothing when nothing does."""
    now = application.clock.now()
    said = [*_too_old(found, now), *_unserved(application, found, now), *_idle(application, now)]
    return [Examined(what, False, detail) for what, detail in said]


def _idle(application: Application, now: datetime) -> Iterable[tuple[str, str]]:
    """On a server: work that is due, and nobody does it."""
    database = application.database
    if database.path is not None:
        return
    with database.reading() as tx:
        found = due.waiting(tx, now, partners=[one.id for one in application.settings.partners])
    if found.since is None or now - found.since <= WORK_MAX:
        return
    crew = database.crew()
    said = f"{found.files} files and {found.messages} messages wait since {found.since:%Y-%m-%d %H:%M} UTC"
    if crew.workers:
        yield "workers", f"{said}, and {crew.workers} workers are at work: too few, or one of them hangs"
    elif not crew.alone:
        yield "workers", f"{said}, and nobody is at work; run: countermand worker (or countermand poll)"


def _too_old(found: Gauges, now: datetime) -> Iterable[tuple[str, str]]:
    failed = found.files.get(FileStatus.FAILED.value, 0)
    uncertain = sum(
        count for (_, status), count in found.messages.items() if status == Status.UNCERTAIN.value
    )
    if found.restoring:
        yield "restoration", "a backup was put back and not made good; run: countermand restored"
    if failed:
        yield (
            "files",
            f"{failed} were given up after three tries; see the runbook, and: countermand retry",
        )
    if found.held_since and now - found.held_since > HELD_MAX:
        yield "held", f"a question waits since {found.held_since:%Y-%m-%d %H:%M} UTC; run: countermand held"
    if found.unsent_since and now - found.unsent_since > UNSENT_MAX:
        since = f"{found.unsent_since:%Y-%m-%d %H:%M} UTC"
        yield "outbox", f"a message waits since {since}; run: countermand outbox --status new"
    if uncertain:
        said = f"{uncertain} messages may or may not have gone out"
        yield "outbox", f"{said}; run: countermand outbox --status uncertain"


def _unserved(application: Application, found: Gauges, now: datetime) -> Iterable[tuple[str, str]]:
    partners = {partner.id for partner in application.settings.partners if partner.mailbox is not None}
    for state in found.mailboxes:
        if state.partner not in partners or state.served_at is None or now - state.served_at <= SERVED_MAX:
            continue
        why = f"; last: {state.error}" if state.error else "; does cron run countermand poll, or a worker?"
        yield f"poll {state.partner}", f"last good look on {state.served_at:%Y-%m-%d %H:%M} UTC{why}"
