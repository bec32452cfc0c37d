"""A worker: a process that does jobs until it is told to stop; any number of them, on any machines.

The main thread reads files, one at a time, because Python tells only that one when its time is up. Mailboxes
and mail wait for others' servers in threads. The event loop has a thread of its own, so that a worker's heart
beats while it works; when it does not, others take the jobs over.
"""

import asyncio
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout

from pipeline import journal
from pipeline.work.jobs import Pace, make_app
from pipeline.work.queue import NETWORK, READING, UPKEEP
from pipeline.work.tasks import Tasks
from storage.database import AlreadyRunning, Database, DatabaseUnavailable, Holding, NotTheSame

PAUSE_SECONDS = 2.0  # before a worker that lost its database tries again
ENDING_SECONDS = 20.0  # for what was begun, when something went wrong; without limit when told to stop
RENEW_SECONDS = 10.0  # well within the lease of its rights
UPKEEP_AT_ONCE = 3
THREADS = 2 + UPKEEP_AT_ONCE  # beside those for mailboxes: the main one, and one that says that we live

_NO_SUCH_WORKER = "23503"  # what a job refers to is gone: others have struck us off the list
_Work = Callable[[], None]


class Worker:
    """One process at work."""

    def __init__(self, database: Database, tasks: Tasks, hold: Holding, pace: Pace) -> None:
        self._database = database
        self._tasks = tasks
        self._hold = hold
        self._pace = pace
        self._waiting: queue.SimpleQueue[tuple[Future[None], _Work] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._failed: Exception | None = None

    def run(self, say: Callable[[str], None]) -> None:
        """Work until told to stop, with what is begun done to its end. Raises AlreadyRunning when the hub's
        lock was lost to somebody who must be alone, and NotTheSame when a backup was put back under us; a
        database that is gone for a while is waited for.
        """
        with self._signals():
            while not self._stopping.is_set():
                self._failed = None
                thread = threading.Thread(target=self._serve, name="jobs")
                thread.start()
                while (one := self._waiting.get()) is not None:
                    _do(*one)
                thread.join()
                gone = isinstance(self._failed, DatabaseUnavailable)
                if self._failed is not None and (not gone or isinstance(self._failed, NotTheSame)):
                    raise self._failed
                if self._failed is not None:
                    say(f"{self._failed} Trying again in {PAUSE_SECONDS:.0f} seconds.")
                    self._stopping.wait(PAUSE_SECONDS)

    def stop(self) -> None:
        """Take no more jobs, and end when those begun are done."""
        self._stopping.set()
        loop, stopped = self._loop, self._stopped
        if loop is not None and stopped is not None:
            with suppress(RuntimeError):  # it has just ended by itself
                loop.call_soon_threadsafe(stopped.set)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The first SIGTERM or SIGINT stops; the second ends at once, which is safe as well."""
        before: dict[int, Any] = {}

        def told(number: int, _: FrameType | None) -> None:
            signal.signal(number, signal.SIG_DFL)
            self.stop()

        for one in (signal.SIGTERM, signal.SIGINT):
            before[one] = signal.signal(one, told)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _serve(self) -> None:
        """The thread of the event loop; what ended it is in `_failed`, and the main thread is let go."""
        try:
            asyncio.run(self._jobs())
        except Exception as error:
            self._failed = _sentence(error, self._database.place)
        finally:
            self._loop = self._stopped = None
            self._waiting.put(None)

    async def _jobs(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(_log)
        if self._stopping.is_set():
            return
        threads = self._pace.mailboxes_at_once + UPKEEP_AT_ONCE
        self._loop.set_default_executor(ThreadPoolExecutor(threads, "work"))
        connector = PsycopgConnector(
            kwargs=self._database.driver_arguments(), min_size=1, max_size=UPKEEP_AT_ONCE + 1
        )
        app = make_app(connector, self._tasks, self, self._pace)
        async with app.open_async():
            running = [
                asyncio.create_task(_run_queue(app, READING, 1, self._pace)),
                asyncio.create_task(_run_queue(app, NETWORK, self._pace.mailboxes_at_once, self._pace)),
                asyncio.create_task(_run_queue(app, UPKEEP, UPKEEP_AT_ONCE, self._pace)),
                asyncio.create_task(self._renew()),
            ]
            told = asyncio.create_task(self._stopped.wait())
            await asyncio.wait([*running, told], return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            ended = await _ended(running, None if self._stopping.is_set() else ENDING_SECONDS)
        failures = [one for one in ended if isinstance(one, Exception)]
        if failures:
            ours = (one for one in failures if isinstance(one, (AlreadyRunning, NotTheSame)))
            raise next(ours, failures[0])
        if not self._stopping.is_set():
            raise DatabaseUnavailable(f"The queue in {self._database.place} could not be worked on.")

    async def _renew(self) -> None:
        """Say again and again that we live, or what we hold is given to others; and end with the database
        we knew: in a copy that was put back we are on no list, and what was sent since is owed again.
        """
        while True:
            await asyncio.to_thread(self._hold.renew)
            await asyncio.to_thread(self._tasks.prove)
            await asyncio.sleep(RENEW_SECONDS)

    async def in_main_thread(self, work: _Work) -> None:
        """Runner's: the main thread does one thing after another."""
        future: Future[None] = Future()
        self._waiting.put((future, work))
        await asyncio.wrap_future(future)

    async def in_thread(self, work: _Work) -> None:
        """Runner's."""
        await asyncio.to_thread(work)


async def _ended(running: list[asyncio.Task[None]], seconds: float | None) -> list[BaseException | None]:
    """What each of them ended with, after it was told to. Being cancelled, procrastinate does what was begun
    and ends; told again, it ends at once. It can miss the first word when it comes while it begins itself.
    """
    for task in running:
        task.cancel()
    _, late = await asyncio.wait(running, timeout=seconds)
    for task in late:
        task.cancel()
    return await asyncio.gather(*running, return_exceptions=True)


async def _run_queue(app: App, name: str, at_once: int, pace: Pace) -> None:
    await app.run_worker_async(
        queues=[name], name=name, concurrency=at_once, install_signal_handlers=False,
        update_heartbeat_interval=pace.heartbeat_seconds, stalled_worker_timeout=pace.stalled_seconds,
        fetch_job_polling_interval=pace.fetch_seconds, delete_jobs="successful",
    )  # fmt: skip


def _do(future: "Future[None]", work: _Work) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        work()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(None)


def _log(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A job that ended when others had taken it over: they thought us dead, and it is theirs now."""
    error = context.get("exception")
    said = str((error.__cause__ or error) if error is not None else context.get("message"))
    journal.event("job_lost", journal.WARNING, error=said)


def _sentence(error: Exception, place: str) -> Exception:
    """procrastinate's own trouble with the database as ours."""
    if not isinstance(error, (ConnectorException, PoolTimeout)):
        return error
    if getattr(error.__cause__, "sqlstate", "") == _NO_SUCH_WORKER:
        return DatabaseUnavailable("This worker was silent for so long that it was taken for dead.")
    journal.event("queue_lost", journal.ERROR, error=str(error.__cause__ or error))
    return DatabaseUnavailable(f"The database {place} does not answer the queue.")
