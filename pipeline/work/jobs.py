"""Jobs: the tasks as procrastinate runs them, when by themselves, and what becomes of a dead worker's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from traceback import format_tb
from typing import Any, Protocol

from procrastinate import App
from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status

from pipeline import journal
from pipeline.errors import CountermandError, OperatorError
from pipeline.poll import PollReport
from pipeline.work.queue import KINDS, READING, UPKEEP, lock_of
from pipeline.work.tasks import Tasks
from storage.database import DatabaseUnavailable
from storage.due import Due, Work

KEPT_HOURS = 7 * 24  # jobs that failed, for a person to look at; those that went well go at once
EVERY_MINUTE, DAILY = "* * * * *", "17 3 * * *"
PERIODIC_SECONDS_MAX = 300.0  # what was due longer ago, when no worker ran, is not made up for


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often things are done by themselves, and when a worker counts as dead."""

    every_seconds: int = 60  # a look into each mailbox
    heartbeat_seconds: float = 10
    stalled_seconds: float = 30  # without a heartbeat, its jobs are given to others
    sweep_cron: str = "* * * * * */10"
    reconcile_cron: str = EVERY_MINUTE
    fetch_seconds: float = 2  # a look for jobs when none was announced, for one may have become free
    mailboxes_at_once: int = 4  # and mail: what waits for others' servers


class Runner(Protocol):
    """Runs work outside the event loop, so that the heart goes on beating."""

    async def in_main_thread(self, work: Callable[[], None]) -> None:
        """One at a time: reading takes the processor, and only there can it be told that its time is up."""
        ...

    async def in_thread(self, work: Callable[[], None]) -> None:
        """Many at once: what waits for others' servers."""
        ...


def make_app(connector: BaseAsyncConnector, tasks: Tasks, runner: Runner, pace: Pace) -> App:
    """The application: which task is which work, and when the periodic ones are put down."""
    app = App(connector=connector, periodic_defaults={"max_delay": PERIODIC_SECONDS_MAX})
    _add_work(app, tasks, runner)
    _add_polls(app, tasks, pace)
    _add_upkeep(app, tasks, runner, pace)
    return app


def _add_work(app: App, tasks: Tasks, runner: Runner) -> None:
    async def poll_mailbox(partner: str, timestamp: int = 0) -> None:
        await runner.in_thread(lambda: _run(tasks, tasks.poll_mailbox, partner))

    async def read_files(partner: str) -> None:
        await runner.in_main_thread(lambda: _run(tasks, tasks.read_files, partner))

    async def reject_file(partner: str, file_id: int) -> None:
        await runner.in_thread(lambda: _run(tasks, tasks.reject_file, partner, file_id))

    async def deliver_to(partner: str) -> None:
        await runner.in_thread(lambda: _run(tasks, tasks.deliver_to, partner))

    async def send_mail() -> None:
        await runner.in_thread(lambda: _run(tasks, tasks.send_mail))

    async def post_events(partner: str) -> None:
        await runner.in_thread(lambda: _run(tasks, tasks.post_events, partner))

    for task in (poll_mailbox, read_files, reject_file, deliver_to, send_mail, post_events):
        (kind,) = {kind for kind in KINDS.values() if kind.task == task.__name__}
        app.task(name=kind.task, queue=kind.queue)(task)


def _add_polls(app: App, tasks: Tasks, pace: Pace) -> None:
    """Each mailbox has its own clock; a look that still waits for its turn is not put down twice."""
    poll = app.tasks[KINDS[Work.POLL].task]
    for partner in tasks.settings.partners:
        if partner.mailbox is not None:
            lock = lock_of(Due(Work.POLL, partner.id))
            app.periodic(
                cron=_cron(pace.every_seconds), periodic_id=partner.id, lock=lock, queueing_lock=lock,
                task_kwargs={"partner": partner.id},
            )(poll)  # fmt: skip


def _add_upkeep(app: App, tasks: Tasks, runner: Runner, pace: Pace) -> None:
    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="expire", queue=READING, lock="expire", queueing_lock="expire")
    async def expire(timestamp: int) -> None:
        await runner.in_main_thread(lambda: _run(tasks, tasks.expire))

    @app.periodic(cron=pace.reconcile_cron)
    @app.task(name="reconcile", queue=UPKEEP, queueing_lock="reconcile")
    async def reconcile(timestamp: int) -> None:
        under_way = await _under_way(app, tasks)
        await runner.in_thread(lambda: _run(tasks, tasks.reconcile, under_way))

    # Without a lock: a sweeper that died would keep every other one from sweeping it up.
    @app.periodic(cron=pace.sweep_cron)
    @app.task(name="sweep", queue=UPKEEP)
    async def sweep(timestamp: int) -> None:
        await _sweep(app, pace)

    @app.periodic(cron=DAILY)
    @app.task(name="remove_old_jobs", queue=UPKEEP, queueing_lock="remove_old_jobs")
    async def remove_old_jobs(timestamp: int) -> None:
        await app.job_manager.delete_old_jobs(
            nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )


async def _under_way(app: App, tasks: Tasks) -> frozenset[Due]:
    """What has a job that waits or is being done."""
    locks: set[str] = set()
    for status in (Status.TODO, Status.DOING):
        rows: Iterable[dict[str, Any]] = await app.job_manager.list_locks_async(status=status.value)
        locks |= {row["name"] for row in rows}
    possible = [Due(Work.MAIL)]
    for partner in tasks.settings.partners:
        possible += [Due(work, partner.id) for work in (Work.READ, Work.DELIVER, Work.WEBHOOKS)]
    return frozenset(one for one in possible if lock_of(one) in locks)


async def _sweep(app: App, pace: Pace) -> None:
    """The jobs of workers whose heart stopped are for others."""
    stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=pace.stalled_seconds)
    for job in stalled:
        journal.event("job_stalled", journal.WARNING, task=job.task_name, lock=job.lock or "")
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            # The next look into this mailbox waits already, for this one to be out of its way.
            await _drop(app, job.id)
        except ConnectorException as error:
            journal.event("job_not_swept", task=job.task_name, error=str(error.__cause__ or error))
    await app.job_manager.prune_stalled_workers(pace.stalled_seconds)


async def _drop(app: App, job_id: int | None) -> None:
    assert job_id is not None  # it comes from the database
    try:
        await app.job_manager.finish_job_by_id_async(job_id, Status.FAILED, delete_job=True)
    except ConnectorException as error:
        journal.event("job_not_swept", error=str(error.__cause__ or error))  # another swept it


def _run(tasks: Tasks, task: Callable[..., Any], *arguments: Any) -> None:
    """Do it; what others have to mend is said, and tried again when the rows are looked at next.

    A mistake of ours is said too and goes on to the queue, which keeps the job as failed.
    """
    whose = str(arguments[0]) if arguments and isinstance(arguments[0], str) else "hub"
    try:
        task(*arguments)
    except CountermandError as error:
        tasks.report(PollReport(unmoved=((whose, error),)))
    except DatabaseUnavailable as error:
        tasks.report(PollReport(unmoved=((whose, OperatorError(str(error))),)))
    except Exception as error:
        said = f"{task.__name__} for {whose} made the program fail ({type(error).__name__}: {error})."
        journal.event("bug", journal.ERROR, error=said, trace="".join(format_tb(error.__traceback__)[-5:]))
        tasks.report(PollReport(failed=(said,)))
        raise


def _cron(seconds: int) -> str:
    """As croniter reads it, where a sixth field is the seconds."""
    return f"* * * * * */{seconds}" if seconds < 60 else f"*/{seconds // 60} * * * *"
