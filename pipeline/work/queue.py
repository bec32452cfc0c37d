"""The queue: jobs are put down in the very transaction that makes them due, and are gone when it is undone.

There is no queueing lock on them. One would make a job that is waiting stand for ours although it may begin
before we commit and see nothing of it, and would stop one transaction at the commit of another. A job too
many finds nothing to do. The lock keeps jobs for one thing from being run at once.

Where many transactions make the same thing due, one job a second stands for all of them: who finds it still
waiting holds its row until the commit, so that no worker begins it before.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Connection, bindparam, column, select, table, text

from storage.database import Database, DatabaseUnavailable, Prepared
from storage.due import Due, Work

if TYPE_CHECKING:
    from procrastinate.jobs import Job
    from procrastinate.manager import JobManager

READING, NETWORK, UPKEEP = "reading", "network", "upkeep"
TOGETHER_SECONDS = 1.0  # so long a job of ours stands for more of the same; then workers can be sure of it

# Shared, for any number may hold it; a worker takes a job by a lock that waits for nobody, and passes it by.
_JOBS = table("procrastinate_jobs", column("id", BigInteger))
_HOLD = Prepared(
    select(_JOBS.c.id)
    .where(_JOBS.c.id == bindparam("job_id"), text("status = 'todo'"))
    .with_for_update(read=True, skip_locked=True),
    "job_id",
)
_THERE = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of work is put down: its task, its queue, and what two jobs must not do at once."""

    task: str
    queue: str
    lock: str


KINDS = {
    Work.POLL: Kind("poll_mailbox", NETWORK, "mailbox:{partner}"),
    Work.REJECT: Kind("reject_file", NETWORK, "mailbox:{partner}"),
    Work.READ: Kind("read_files", READING, "files:{partner}"),
    Work.DELIVER: Kind("deliver_to", NETWORK, "delivery:{partner}"),
    Work.MAIL: Kind("send_mail", NETWORK, "mail"),
    Work.WEBHOOKS: Kind("post_events", NETWORK, "webhooks:{partner}"),
}


def lock_of(due: Due) -> str:
    """What two jobs must have in common not to be run at once."""
    return KINDS[due.work].lock.format(partner=due.partner)


def arguments_of(due: Due) -> dict[str, Any]:
    """What the task is called with: ids, never contents."""
    partner = {"partner": due.partner} if due.partner else {}
    return {**partner, "file_id": due.file_id} if due.file_id else partner


@dataclass(slots=True)
class JobQueue:
    """The WorkQueue port over procrastinate's tables, on the connection of whoever puts something down.

    It may be used by several threads, each with a connection of its own.
    """

    now: Callable[[], float] = time.monotonic
    _last: dict[Due, tuple[int, float]] = field(default_factory=dict)  # the last job for it, and since when

    def put(self, tx: Connection, due: frozenset[Due]) -> None:
        """Put jobs down in the caller's transaction, or hold those that stand for them until it commits."""
        from procrastinate.exceptions import ConnectorException

        new = sorted(
            (one for one in due if not self._is_held(tx, one)), key=lambda one: (lock_of(one), one.file_id)
        )
        if not new:
            return
        try:
            jobs = _jobs_of().batch_defer_jobs(
                list(map(_job, new)), connection=tx.connection.driver_connection
            )
        except ConnectorException as error:
            raise DatabaseUnavailable(
                f"Jobs could not be put into the queue: {error.__cause__ or error}. Nothing was written."
            ) from error
        for one, job in zip(new, jobs, strict=True):
            if not one.file_id and job.id is not None:
                self._last[one] = job.id, self.now()

    def _is_held(self, tx: Connection, due: Due) -> bool:
        """Whether a job stands for it that waits, and cannot begin before this transaction ends."""
        job_id, since = self._last.get(due, (0, 0.0))
        return bool(job_id) and self.now() < since + TOGETHER_SECONDS and _HOLD.one(tx, job_id) is not None


def attach(database: Database) -> None:
    """From now on what this database's transactions make due is put into its queue, where it has one."""
    if database.dialect != "postgresql":
        return
    there, queue = False, JobQueue()

    def put_down(tx: Connection, noted: frozenset[Any]) -> None:
        nonlocal there
        there = there or is_there(tx)
        if there:
            queue.put(tx, noted)

    database.before_commit = put_down


def is_there(tx: Connection) -> bool:
    """Whether `db upgrade` has made the queue."""
    return bool(tx.execute(_THERE).scalar_one())


def _job(due: Due) -> "Job":
    from procrastinate.jobs import Job

    kind = KINDS[due.work]
    return Job(
        queue=kind.queue,
        task_name=kind.task,
        lock=lock_of(due),
        queueing_lock=None,
        task_kwargs=arguments_of(due),
    )


@cache
def _jobs_of() -> "JobManager":
    """Puts jobs down on other people's connections; it never opens one of its own."""
    from procrastinate import SyncPsycopgConnector
    from procrastinate.manager import JobManager

    return JobManager(SyncPsycopgConnector())
