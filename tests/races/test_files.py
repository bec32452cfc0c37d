"""Whole files read by several processes at once: replays beside a poll, and a reader that slept too long."""

import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from pipeline import sets, waiting
from pipeline.replay import Source, replay
from pipeline.report import FileReport
from pipeline.settings import Settings, load
from storage import receipts
from storage.database import Database
from storage.invariants import audit
from storage.models import table
from storage.outcomes import Outcome
from storage.queries import find_orders, get_order
from storage.states import Fate
from tests.races.history import read_histories
from tests.unit.pipeline.ledger_files import ITEM, cancellation, file_of, order, shipment, write_settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROCESSES, REPLAYS = 5, 10
RAISERS, RAISES = 2, 5
STEPS_SECONDS_MAX = 60.0


def files() -> list[tuple[str, bytes]]:
    """An order, a ship notice of a part of it, and the cancellation of the rest."""
    said = [
        ("850", order("PO-1", 100, 50)),
        ("856", shipment("S-1", "PO-1", 40)),
        ("850", cancellation("PO-1")),
    ]
    return [
        (
            f"{number}.edi",
            file_of(
                kind, document, number=number,
                sender="globex" if kind == "856" else "acme", receiver="acme" if kind == "856" else "globex",
            ),
        )
        for number, (kind, document) in enumerate(said, start=1)
    ]  # fmt: skip


def hub(folder: Path, url: str, policy: str = "") -> tuple[Settings, Database]:
    path = write_settings(folder, policy=policy)
    path.write_text(path.read_text().replace('"sqlite:///ledger.db"', json.dumps(url)))
    settings = load(path, {})
    return settings, Database(settings.database.url)


def replaying(folder: str, url: str, number: int) -> None:
    """A person's replay: the same three files, again and again, under names of this process's own."""
    settings, database = hub(Path(folder) / str(number), url)
    for _ in range(REPLAYS):
        replay([Source(name, content) for name, content in files()], settings, database, lambda: NOW)
    database.close()


def polling(folder: str, url: str, number: int) -> None:
    """What `poll` does once it has fetched a file: keep it, and read what waits."""
    settings, database = hub(Path(folder) / str(number), url)
    for name, content in files():
        with database.writing() as tx:
            partner = "globex" if name == "2.edi" else "acme"
            receipts.keep(tx, partner=partner, mailbox=partner, name=name.encode(), content=content, at=NOW)
        _, failed = waiting.ingest_waiting(settings, database, lambda: NOW)
        assert failed == []
    database.close()


def together(folder: Path, url: str, *works: Callable[[str, str, int], None]) -> None:
    """Let each of these run in a process of its own, all at once; each must end well."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.races.test_files"])
    processes = []
    for number, work in enumerate(works):
        (folder / str(number)).mkdir(exist_ok=True)
        processes.append(context.Process(target=work, args=(str(folder), url, number)))
        processes[-1].start()
    for process in processes:
        process.join(STEPS_SECONDS_MAX)
    assert [process.exitcode for process in processes] == [0] * len(works)


def test_fifty_replays_beside_a_poll_have_one_effect(database_url: str, tmp_path: Path) -> None:
    together(tmp_path, database_url, *[replaying] * PROCESSES, polling, polling)
    assert _events_of(database_url) == ["order_placed", "lines_fulfilled", "order_cancelled"]
    database = Database(database_url)
    with database.reading() as tx:
        sets, interchanges = table("transaction_set"), table("interchange")
        outcomes = Counter(tx.execute(select(sets.c.outcome)).scalars())
        assert outcomes == {Outcome.APPLIED.value: 3}
        fates = Counter(tx.execute(select(interchanges.c.outcome)).scalars())
        # The audit trail has every request; the polls may have met files of each other.
        assert fates[Fate.ACCEPTED.value] == 3
        assert fates[Fate.DUPLICATE.value] >= PROCESSES * REPLAYS * 3 - 3
        assert fates.total() == fates[Fate.ACCEPTED.value] + fates[Fate.DUPLICATE.value]
    database.close()


def _events_of(url: str) -> list[str]:
    """What happened to the order, when the history and the audit are in order."""
    database = Database(url)
    with database.reading() as tx:
        for history in read_histories(tx):
            history.check()
        assert audit(tx) == ()
        (summary,) = find_orders(tx, "PO-1")
        view = get_order(tx, summary.id)
    database.close()
    assert view is not None
    return [event.kind.value for event in view.events]


def sleeping_before_it_reads(folder: str, url: str, number: int) -> None:
    """A poll that is stopped after it began with a file, before it reads it."""
    real, begun = Database.writing, []

    def writing(database: Database) -> AbstractContextManager[Connection]:
        begun.append(database)
        if len(begun) == 2:  # the first counts the attempt
            os.kill(os.getpid(), signal.SIGSTOP)
        return real(database)

    Database.writing = writing  # type: ignore[method-assign,assignment]
    settings, database = hub(Path(folder) / str(number), url)
    assert waiting.ingest_waiting(settings, database, lambda: NOW) == ([], [])
    database.close()


def sleeping_while_it_reads(folder: str, url: str, number: int) -> None:
    """A poll that is stopped in the middle of its transaction."""
    real = vars(waiting)["ingest"]

    def ingest(*arguments: Any, **named: Any) -> FileReport:
        report: FileReport = real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGSTOP)
        return report

    vars(waiting)["ingest"] = ingest
    settings, database = hub(Path(folder) / str(number), url)
    reports, failed = waiting.ingest_waiting(settings, database, lambda: NOW)
    assert (len(reports), failed) == (1, [])
    database.close()


def reading(folder: str, url: str, number: int) -> None:
    settings, database = hub(Path(folder) / str(number), url)
    _, failed = waiting.ingest_waiting(settings, database, lambda: NOW)
    assert failed == []
    database.close()


def _kept(url: str, folder: Path) -> None:
    folder.mkdir()
    _, database = hub(folder, url)
    (name, content), *_ = files()
    with database.writing() as tx:
        receipts.keep(tx, partner="acme", mailbox="acme", name=name.encode(), content=content, at=NOW)
    database.close()


def _stopped(process: BaseProcess) -> None:
    """Wait until the process has stopped itself."""
    deadline = time.monotonic() + STEPS_SECONDS_MAX
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline, "it does not stop"
        time.sleep(0.01)


@pytest.mark.parametrize("sleeper", [sleeping_before_it_reads, sleeping_while_it_reads])
def test_a_poll_that_was_stopped_finds_the_work_done(
    database_url: str, tmp_path: Path, sleeper: Callable[[str, str, int], None]
) -> None:
    _kept(database_url, tmp_path / "kept")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.races.test_files"])
    for number in (0, 1):
        (tmp_path / str(number)).mkdir()
    one = context.Process(target=sleeper, args=(str(tmp_path), database_url, 0))
    one.start()
    _stopped(one)
    two = context.Process(target=reading, args=(str(tmp_path), database_url, 1))
    two.start()
    if sleeper is sleeping_before_it_reads:
        two.join(STEPS_SECONDS_MAX)  # the other does the work, before the sleeper wakes
    else:
        time.sleep(0.3)  # the other waits for what the sleeper holds
    assert one.pid is not None
    os.kill(one.pid, signal.SIGCONT)
    for process in (one, two):
        process.join(STEPS_SECONDS_MAX)
    assert [one.exitcode, two.exitcode] == [0, 0]
    assert _events_of(database_url) == ["order_placed"]


def _raised(first: str, second: str, units: int) -> list[list[str]]:
    """Changes of two orders, in this order, by an amount that no other file has."""
    return [
        [f"BCH*04*SA*{po}***20260301*****20260302", f"POC*1*QI*{units}**EA*1**{ITEM}", "CTT*1"]
        for po in (first, second)
    ]


def raising(folder: str, url: str, number: int) -> None:
    """Files that change two orders, in the opposite order in every second process."""
    real = vars(sets)["decide_set"]

    def slowly(*arguments: Any, **named: Any) -> Any:
        decided = real(*arguments, **named)
        time.sleep(0.02)  # with the first order locked, on the way to the second
        return decided

    vars(sets)["decide_set"] = slowly
    settings, database = hub(Path(folder) / str(number), url, 'poc_quantity = "delta"')
    pos = ("PO-1", "PO-2") if number % 2 else ("PO-2", "PO-1")
    for turn in range(RAISES):
        units = 1 + number + turn * RAISERS
        content = file_of("860", *_raised(*pos, units), number=100 + units, sender="acme", receiver="globex")
        reports = replay([Source(f"{units}.edi", content)], settings, database, lambda: NOW)
        outcomes = [one.outcome for one in reports[0].interchanges[0].sets]
        assert outcomes == [Outcome.APPLIED, Outcome.APPLIED], reports
    database.close()


def test_files_that_name_orders_in_opposite_order_are_both_read(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "start").mkdir()
    settings, database = hub(tmp_path / "start", database_url)
    orders = [order("PO-1", 100), order("PO-2", 100)]
    replay(
        [Source("o.edi", file_of("850", *orders, number=1, sender="acme", receiver="globex"))],
        settings, database, lambda: NOW,
    )  # fmt: skip
    together(tmp_path, database_url, *[raising] * RAISERS)
    with database.reading() as tx:
        for po in ("PO-1", "PO-2"):
            (summary,) = find_orders(tx, po)
            view = get_order(tx, summary.id)
            assert view is not None
            assert view.lines[0].ordered == 100 + sum(range(1, 1 + RAISERS * RAISES))
        for history in read_histories(tx):
            history.check()
        assert audit(tx) == ()
    database.close()
