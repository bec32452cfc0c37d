"""The command that works for a hub on many machines: worker."""

from functools import partial
from typing import Annotated

import typer

from pipeline import screen
from pipeline.cli.options import AsJson, Config, err
from pipeline.cli.rounds import log_round, show_round
from pipeline.errors import OperatorError
from pipeline.poll import PollReport
from pipeline.wiring import open_application

EVERY_SECONDS_MAX = 3600

app = typer.Typer()


@app.command()
def worker(
    config: Config = None,
    as_json: AsJson = False,
    every: Annotated[
        int,
        typer.Option(help="Seconds between two looks into a mailbox.", min=1, max=EVERY_SECONDS_MAX),
    ] = 60,
    mailboxes: Annotated[int, typer.Option(help="Servers talked to at once.", min=1, max=64)] = 4,
) -> None:
    """On PostgreSQL: do what poll does, together with any number of workers, until stopped."""
    try:
        from pipeline.work import schema
        from pipeline.work.jobs import Pace
        from pipeline.work.worker import THREADS, Worker
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"{error.name}, which workers need, is missing: install countermand[postgres]."
        ) from error
    application = open_application(config, threads=mailboxes + THREADS)
    database = application.database
    if database.dialect != "postgresql":
        raise OperatorError(
            f"Workers need PostgreSQL, and the database is {database.place}. On SQLite one process does it"
            " all: countermand poll --every 60. docs/scaling.md says when to change."
        )
    with database.reading() as tx:
        schema.check(tx)
    with database.one_of_many() as hold:
        tasks = application.tasks(hold, partial(report, as_json=as_json))
        Worker(database, tasks, hold, Pace(every_seconds=every, mailboxes_at_once=mailboxes)).run(say)


def report(done: PollReport, *, as_json: bool = False) -> None:
    """What a task did, as `poll --every` says it; nothing where there is nothing to say.

    As JSON, a document in a line of its own for each task that found something.
    """
    if done.files or done.expired or done.problems or done.failed or done.deliveries.attempts:
        log_round(done, 0.0)
        show_round(done, as_json=as_json, in_one_line=True)


def say(sentence: str) -> None:
    """A sentence for who watches."""
    err.print(f"countermand: {screen.printable(sentence)}", soft_wrap=True)
