"""A world to crash in: a database, two mailboxes, a mail server, and processes that are made to be killed."""

import gc
import os
import pickle
import shutil
import signal
import socket
import ssl
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import func, select, update

from edi import limits
from pipeline import cli, side_by_side, wiring
from pipeline.cli import movement, options
from pipeline.mailbox import session
from pipeline.partners import MailboxSettings
from storage.database import AlreadyRunning, Database
from storage.models import table
from tests.crash.checking import Expected, Resting, Scene, check, picture
from tests.crash.points import Passages, Wire, names_by_line, watch
from tests.crash.servers import MailLog, Server, mail_server, sftp_server
from tests.crash.stores import SqliteStore, Store
from tests.crash.workload import FOLDERS, HUGE, PARTNERS, START, Dropped, dropped, fill, settings_text
from tests.integration.sftp_server import OpenSshServer

RUN_SECONDS_MAX = 60
LOCK_SECONDS_MAX = 20
_FILES, _OUTBOX = table("received_file"), table("outbox")
_MAILBOX = table("mailbox")
_UNREAD = select(func.count()).where(_FILES.c.status == "new")
_UNSENT = select(func.count()).where(_OUTBOX.c.status.in_(("new", "sending", "committing")))
_NEXT = select(func.min(_OUTBOX.c.due_at)).where(_OUTBOX.c.status == "new")
_TRUST = ssl.create_default_context()
ROUNDS_MAX = 12
ENDED, UNLISTED = 0, 71


class StoppedClock:
    """Always the same moment, until somebody sleeps."""

    def __init__(self, time: datetime = START) -> None:
        self.time = time
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.time

    def monotonic_seconds(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.time += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    signal: int  # 0: by itself
    code: int
    seconds: float
    said: Mapping[str, Any]  # what it left in its report

    @property
    def killed(self) -> bool:
        return self.signal == signal.SIGKILL

    @property
    def found(self) -> Resting:
        """What the checker found at the end of `settle`; the mail server's own doubts are not counted."""
        found = dict(self.said["found"])
        return Resting(**found | {"breaches": tuple(found["breaches"])})


class _Channel:
    """An SFTP channel without SSH around it, watched."""

    def __init__(self, link: socket.socket, passing: Passages) -> None:
        self._link = link
        self._wire = Wire(passing)

    def invoke_subsystem(self, name: str) -> None:
        assert name == "sftp"

    def settimeout(self, seconds: float | None) -> None:
        self._link.settimeout(seconds)

    def sendall(self, data: bytes) -> None:
        self._wire.sendall(self._link.sendall, data)

    def recv(self, size: int) -> bytes:
        return self._wire.received(self._link.recv(size))


class _Transport:
    """The part of a paramiko transport that a mailbox session uses."""

    def __init__(self, settings: MailboxSettings, passing: Passages) -> None:
        self.sock = socket.create_connection((settings.host, settings.port), settings.timeout_seconds)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._passing = passing

    def open_session(self, timeout: float | None = None) -> _Channel:
        return _Channel(self.sock, self._passing)

    def close(self) -> None:
        self.sock.close()

    def is_alive(self) -> bool:
        return False


@dataclass(slots=True)
class World:
    """Everything a run needs; `reset` makes it what it was."""

    root: Path
    aside: Path  #: for what is not part of the world: it may be another disk
    store: Store
    database: Database  #: without a connection in this process; what it has compiled, every process inherits
    sftp: Server
    mail: Server
    log: MailLog
    ssh: OpenSshServer | None = None
    files: tuple[Dropped, ...] = field(default_factory=dropped)
    expected: Expected | None = None
    in_child: Callable[[], None] = lambda: None  #: done in every process before it begins

    @property
    def config(self) -> Path:
        return self.root / "countermand.toml"

    @property
    def home(self) -> Path:
        return self.root / "home"

    def reset(self) -> None:
        """Everything as it was before anything happened."""
        self.store.reset()
        self.log.clear()
        for partner in PARTNERS:
            for folder in FOLDERS:
                place = self.home / partner / folder
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir(parents=True)
                self._own(place.parent)
                self._own(place)
        shutil.rmtree(self.home / "acme" / "rejected")  # it is made when it is first needed
        for file in self.files:
            path = self.home / file.partner / "pickup" / os.fsdecode(file.name)
            path.write_bytes(file.content)
            self._own(path)
        huge = self.home / "globex" / "pickup" / os.fsdecode(HUGE)
        huge.touch()
        os.truncate(huge, limits.file_bytes_max + 1)
        self._own(huge)

    def warm_up(self) -> None:
        """Do everything once in this process, so that the processes forked from it need not."""
        self.reset()
        with (
            patch.object(session, "connect", lambda settings: _Transport(settings, Passages())),
            patch.object(wiring, "Database", lambda url, threads: self.database),
        ):
            application = wiring.open_application(self.config)
            poller = replace(application.poller(), clock=StoppedClock())
            if self.ssh is None:
                with self.database.only_process():
                    poller.round(wait=False)
                with self.database.reading() as tx:
                    check(self._scene(tx), Expected(picture(self._scene(tx)), 0, 0))
        self.database.close()
        with redirect_stdout(StringIO()):
            cli.run(["--version"])  # puts the commands together
        names_by_line()

    def _own(self, path: Path) -> None:
        if self.ssh is not None:
            self.ssh.own(path)

    def poll(self, passing: Passages) -> Ended:
        """One `countermand poll` in a process of its own."""
        return self.wait(self.start_poll(passing))

    def start_poll(self, passing: Passages, wait_for: int | None = None) -> int:
        """Begin one `countermand poll`; its process id. It waits until `wait_for` can be read from."""

        def work(_: dict[str, Any]) -> int:
            if wait_for is not None:
                os.read(wait_for, 1)
            return self.poll_here(passing, StoppedClock())

        return self.start(work, passing)

    def settle(self, passing: Passages | None = None) -> Ended:
        """Poll until nothing is left to do, as the next processes would."""
        passing = passing or Passages()
        return self.run(lambda said: self._settle(passing, said), passing)

    def start(self, work: Callable[[dict[str, Any]], int], passing: Passages) -> int:
        """Begin work in a new process; its id. What it puts into the dictionary reaches `wait`."""
        report_path = self.aside / "report"
        report_path.unlink(missing_ok=True)
        sys.stdout.flush()
        gc.freeze()  # what is here now is not looked through by the processes forked from it
        pid = os.fork()
        if pid:
            return pid
        code = 70
        try:
            self._become_a_process()
            ssl.create_default_context = lambda **_: _TRUST  # reading all authorities costs 50 ms
            self.in_child()
            watch(passing)
            self._speak_plainly(passing)
            said: dict[str, Any] = {}
            code = work(said)
            said |= {"passed": dict(passing.counts), "last": passing.last}
            written = report_path.with_suffix(".new")  # a kill may come while it is written
            written.write_bytes(pickle.dumps(said))
            written.rename(report_path)
        except BaseException:
            traceback.print_exc()
            code = UNLISTED
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def run(self, work: Callable[[dict[str, Any]], int], passing: Passages) -> Ended:
        """Do work in a new process, and wait for its end."""
        return self.wait(self.start(work, passing))

    def wait(self, pid: int) -> Ended:
        """Until the process has ended, and how."""
        began = time.monotonic()
        _, status = os.waitpid(pid, 0)
        return self.ended(status, time.monotonic() - began)

    def ended(self, status: int, seconds: float) -> Ended:
        """What a status of waitpid and the report of the process say."""
        report_path = self.aside / "report"
        said = pickle.loads(report_path.read_bytes()) if report_path.exists() else {}
        signaled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return Ended(signaled, os.waitstatus_to_exitcode(status) if not signaled else -1, seconds, said)

    def _become_a_process(self) -> None:
        # One after another, or the n-th passage of a point, or call of a thread, would be another each time.
        vars(side_by_side).update(AT_ONCE_MAX=1)
        for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.alarm(RUN_SECONDS_MAX)
        output = os.open(self.aside / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for handle in (1, 2):
            os.dup2(output, handle)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)

    def _speak_plainly(self, passing: Passages) -> None:
        if self.ssh is None:
            vars(session).update(connect=lambda settings: _Transport(settings, passing))

    def poll_here(self, passing: Passages, clock: StoppedClock) -> int:
        """What a process made by `start_poll` does; its exit code."""
        vars(wiring).update(
            check_templates=tuple,  # done once for all of them, in the process they are forked from
            Database=lambda url, threads: self.database,
            SystemClock=lambda: clock,
        )
        for module in (options, movement, cli):
            for console in ("out", "err"):
                if hasattr(module, console):
                    getattr(module, console).file = sys.stderr
        return cli.run(["poll", "--json", "--config", str(self.config)])

    def _settle(self, passing: Passages, said: dict[str, Any]) -> int:
        clock, database = StoppedClock(), self.database
        _wait_for_the_last(database)
        before = self._unsettled(database)
        for _ in range(ROUNDS_MAX):
            with (
                database.writing() as tx
            ):  # as `doctor` does for a person: a mailbox that failed is tried again
                tx.execute(update(_MAILBOX).values(resume_at=None))
            self.poll_here(passing, clock)
            after = self._unsettled(database)
            if not any(after):
                break
            if after == before or not any(after[:2]):
                clock.sleep(self._seconds_until_due(database, clock.now()))
            before = after
        with database.reading() as tx:
            said["found"] = asdict(check(self._scene(tx), self.expected))
            if self.expected is None:
                said["picture"] = picture(self._scene(tx))
        return ENDED

    def _unsettled(self, database: Database) -> tuple[int, int, int]:
        """Files in the mailboxes, files not read, messages not sent."""
        lying = (
            sum(len(os.listdir(self.home / partner / "pickup")) for partner in PARTNERS) - 1
        )  # the huge one
        with database.reading() as tx:
            unread = tx.execute(_UNREAD).scalar_one()
            unsent = tx.execute(_UNSENT).scalar_one()
        return lying, unread, unsent

    def _seconds_until_due(self, database: Database, now: datetime) -> float:
        with database.reading() as tx:
            due = tx.execute(_NEXT).scalar_one()
        return max((due - now).total_seconds(), 0.0) + 1 if due else 1800.0

    def look(self) -> Resting:
        """What the checker finds now."""
        database = Database(self.store.url)
        try:
            with database.reading() as tx:
                return check(self._scene(tx), self.expected)
        finally:
            database.close()

    def learn(self) -> dict[str, int]:
        """Run undisturbed, remember what that ends with, and say how often each point is passed."""
        self.reset()
        first = self.poll(Passages())
        assert (first.signal, first.code) != (0, UNLISTED), self.output()
        ended = self.settle()
        assert (ended.signal, ended.code) == (0, ENDED), self.output()
        assert ended.found.breaches == (), ended.found.breaches
        self.expected = Expected(ended.said["picture"], ended.found.uncertain, ended.found.delivered)
        return dict(first.said["passed"])

    def _scene(self, tx: Any) -> Scene:
        return Scene(tx, self.home, self.log, self.files)

    def output(self) -> str:
        """What the processes printed."""
        path = self.aside / "output.txt"
        return path.read_text(errors="replace") if path.exists() else ""


def _wait_for_the_last(database: Database) -> None:
    """A process that was killed gives the right to work free, if not in the same moment."""
    deadline = time.monotonic() + LOCK_SECONDS_MAX
    while True:
        try:
            with database.only_process():
                return
        except AlreadyRunning:
            assert time.monotonic() < deadline, "a killed process goes on holding the lock"
            time.sleep(0.01)


def fast_folder() -> str | None:
    """Where files cost nothing: a killed process loses nothing that the system has, whatever it is on."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@contextmanager
def world(
    sftp_program: Path,
    *,
    store: Callable[[Path], Store] = SqliteStore,
    ssh: OpenSshServer | None = None,
    under: str | None = None,
) -> Iterator[World]:
    """Make one, in a folder of its own under the one given; it is gone afterwards."""
    aside = tempfile.TemporaryDirectory(prefix="countermand-crash-", dir=fast_folder())
    inside = tempfile.TemporaryDirectory(prefix="countermand-crash-", dir=under or fast_folder())
    with aside as other, inside as folder:
        root = Path(folder)
        root.chmod(0o755)
        log = MailLog(Path(other) / "mail.log")
        sftp, mail = sftp_server(sftp_program), mail_server(log)
        kept = store(root)
        try:
            made = World(root, Path(other), kept, Database(kept.url), sftp, mail, log, ssh)
            port, key_file, host_key = sftp.port, "none", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHk="
            if ssh is not None:
                port, key_file, host_key = ssh.port, str(ssh.root / "user_key"), ssh.host_key
            made.config.write_text(
                settings_text(
                    root,
                    url=made.store.url,
                    mail_port=mail.port,
                    port=port,
                    key_file=key_file,
                    host_key=host_key,
                )
            )
            if not kept.is_filled:
                fill(made.config, made.database)
                made.database.close()
                kept.remember()
            made.warm_up()
            yield made
        finally:
            sftp.close()
            mail.close()
