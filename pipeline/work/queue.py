"""The queue: jobs are put down in the very transaction that makes them due, and are gone when it is undone.

There is no queueing lock on them. One would make a job that is waiting stand for ours although it may begin
before we commit and see nothing of it, and would stop one transaction at the commit of another. A job too
many finds nothing to do. The lock keeps jobs for one thing from being run at once.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from storage.database import Database, DatabaseUnavailable
from storage.due import Due, Work

if TYPE_CHECKING:
    from procrastinate.jobs import Job
    from procrastinate.manager import JobManager

READING, NETWORK, UPKEEP = "reading", "network", "upkeep"
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


class JobQueue:
    """The WorkQueue port over procrastinate's tables, on the connection of whoever puts something down."""

    def put(self, tx: Connection, due: frozenset[Due]) -> None:
        """Put jobs down in the caller's transaction."""
        from procrastinate.exceptions import ConnectorException

        jobs = [_job(one) for one in sorted(due, key=lambda one: (lock_of(one), one.file_id))]
        try:
            _jobs_of().batch_defer_jobs(jobs, connection=tx.connection.driver_connection)
        except ConnectorException as error:
            raise DatabaseUnavailable(
                f"Jobs could not be put into the queue: {error.__cause__ or error}. Nothing was written."
            ) from error


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
