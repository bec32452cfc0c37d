"""A file that makes us fail, in whatever way, is tried three times and left aside; its neighbours go on."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline import deadline, waiting
from pipeline.deadline import TimeIsUp, processor_seconds_max, seconds_for
from pipeline.ingest import ingest
from pipeline.report import FileReport
from pipeline.settings import Settings, load
from pipeline.waiting import files_of_unknown, ingest_waiting
from storage import order_lists, receipts
from storage.database import Database
from storage.receipts import ATTEMPTS_MAX, ReceivedFile
from storage.states import FileStatus
from tests.processes import in_process
from tests.unit.pipeline.ledger_files import file_of, order, write_settings

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATASTROPHE = re.compile(r"(a|aa)+b")


@pytest.fixture
def settings(tmp_path: Path, both_systems: None) -> Settings:
    return load(write_settings(tmp_path), {})


def keep(database: Database, name: str, content: bytes, partner: str = "acme") -> int:
    with database.writing() as tx:
        kept = receipts.keep(tx, partner=partner, mailbox=partner, name=name.encode(), content=content, at=AT)
    return kept.id


def keep_with_neighbours(database: Database, name: str) -> int:
    """A poison file that comes first by its ISA, and two sound ones of two partners behind it."""
    poison = keep(
        database, name, file_of("850", order("PO-P", 1), number=1, sender="acme", receiver="globex")
    )
    for number, sender in ((2, "acme"), (3, "bolt")):
        content = file_of("850", order(f"PO-{number}", 5), number=number, sender=sender, receiver="globex")
        keep(database, f"{number}.edi", content, sender)
    return poison


def file_of_id(database: Database, file_id: int) -> ReceivedFile:
    with database.reading() as tx:
        found = receipts.get_file(tx, file_id)
    assert found is not None
    return found


def orders(database: Database) -> set[str]:
    with database.reading() as tx:
        return {found.key.po_number for found in order_lists.list_orders(tx)}


def poisoned(how: Callable[[], object]) -> Callable[..., FileReport]:
    """The straight line, but that reading the file called poison ends in this way, after all its writes."""

    def line(
        tx: Any, settings: Settings, received: ReceivedFile, at: datetime, *, mailbox_of: str
    ) -> FileReport:
        report = ingest(tx, settings, received, at, mailbox_of=mailbox_of)
        if received.name == "poison":
            how()
        return report

    return line


@pytest.mark.parametrize(
    "how", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(7)], ids=["kill", "exit"]
)
def test_a_file_that_ends_the_process_is_left_aside_after_three_runs(
    settings: Settings, how: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(settings.database.url)
    poison = keep_with_neighbours(database, "poison")
    database.close()
    monkeypatch.setattr(waiting, "ingest", poisoned(how))

    def run() -> None:
        ingest_waiting(settings, Database(settings.database.url), lambda: AT)

    ends = [in_process(run) for _ in range(ATTEMPTS_MAX + 1)]
    assert [end != 0 for end in ends] == [True] * ATTEMPTS_MAX + [False]
    after = Database(settings.database.url)
    found = file_of_id(after, poison)
    assert (found.status, found.attempts) == (FileStatus.FAILED, ATTEMPTS_MAX)
    assert orders(after) == {"PO-2", "PO-3"}  # and nothing of the poison's own
    assert ingest_waiting(settings, after, lambda: AT) == ([], [])


def use_memory() -> None:
    raise MemoryError


def spin() -> None:
    while True:
        pass


def match() -> None:
    CATASTROPHE.fullmatch("a" * 60)


def fail() -> None:
    raise RuntimeError("a bug\n" + "x" * 100_000)


# An exception that comes up in a callback of the garbage collector is lost there; that is why it comes again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("how", "said"),
    [
        (fail, "RuntimeError: a bug"),
        (use_memory, "MemoryError"),
        (spin, "TimeIsUp: it took more than"),
        (match, "TimeIsUp: it took more than"),
    ],
    ids=["raises", "memory", "spins", "regular expression"],
)
def test_a_file_that_fails_is_tried_three_times_and_its_neighbours_go_on_at_once(
    settings: Settings, how: Callable[[], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(settings.database.url)
    poison = keep_with_neighbours(database, "poison")
    monkeypatch.setattr(waiting, "ingest", poisoned(how))
    monkeypatch.setattr(waiting, "seconds_for", lambda _: 0.4)
    reports, failed = ingest_waiting(settings, database, lambda: AT)
    assert [report.name for report in reports] == ["2.edi", "3.edi"]
    assert said in failed[0]
    assert orders(database) == {"PO-2", "PO-3"}
    states = [file_of_id(database, poison).status]
    for _ in range(ATTEMPTS_MAX - 1):
        assert ingest_waiting(settings, database, lambda: AT)[0] == []
        states.append(file_of_id(database, poison).status)
    assert states == [FileStatus.NEW, FileStatus.NEW, FileStatus.FAILED]
    assert said in file_of_id(database, poison).error
    assert len(file_of_id(database, poison).error) <= receipts.ERROR_CHARS_MAX
    assert ingest_waiting(settings, database, lambda: AT) == ([], [])
    assert orders(database) == {"PO-2", "PO-3"}


def test_a_file_that_needs_more_memory_than_there_is_does_not_stop_its_neighbours(settings: Settings) -> None:
    database = Database(settings.database.url)
    lines = [f"PO1*{number}*5*EA*1**VN*W{number}" for number in range(8_000)]
    large = ["BEG*00*SA*PO-1**20260301", *lines]
    poison = keep(database, "poison", file_of("850", large, number=1, sender="acme", receiver="globex"))
    content = file_of("850", order("PO-2", 5), number=2, sender="bolt", receiver="globex")
    keep(database, "2.edi", content, "bolt")
    database.close()
    runs = [sys.executable, "-m", "tests.security.small_memory", str(settings.path), str(ATTEMPTS_MAX + 1)]
    subprocess.run(runs, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    after = Database(settings.database.url)
    assert file_of_id(after, poison).status is FileStatus.FAILED
    assert orders(after) == {"PO-2"}


def test_what_was_committed_stays_read_whatever_comes_after(settings: Settings) -> None:
    database = Database(settings.database.url)
    file_id = keep(
        database, "1.edi", file_of("850", order("PO-1", 5), number=1, sender="acme", receiver="globex")
    )
    ingest_waiting(settings, database, lambda: AT)
    with database.writing() as tx:
        assert receipts.record_failure(tx, file_id, error="too late") is FileStatus.DONE
    assert file_of_id(database, file_id).error == ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_time_is_measured_in_the_processors_and_taken_off_again() -> None:
    before = signal.getsignal(signal.SIGPROF)
    with processor_seconds_max(0.2):
        time.sleep(0.6)  # costs nothing
    began = time.process_time()
    with pytest.raises(TimeIsUp, match="of processor time"), processor_seconds_max(0.2):
        spin()
    assert time.process_time() - began < 20
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGPROF) in (before, signal.SIG_IGN)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_handler_of_errors_swallows_the_end_of_time() -> None:
    def stubborn() -> None:
        while True:
            try:
                spin()
            except Exception:
                continue

    with pytest.raises(TimeIsUp), processor_seconds_max(0.2):
        stubborn()


def test_outside_the_main_thread_there_is_no_limit_and_no_failure() -> None:
    seen: list[str] = []

    def work() -> None:
        with processor_seconds_max(0.0001):
            seen.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["done"]


def test_time_grows_with_the_size_and_not_without_end() -> None:
    assert seconds_for(0) == deadline.FILE_SECONDS_MIN
    assert seconds_for(1_000_000) == deadline.FILE_SECONDS_MIN + deadline.FILE_SECONDS_PER_MEGABYTE
    assert seconds_for(256 * 1024 * 1024) == deadline.FILE_SECONDS_MAX


def test_a_partner_that_left_the_settings_keeps_its_files_until_it_comes_back(settings: Settings) -> None:
    database = Database(settings.database.url)
    for number in (1, 2):
        content = file_of("850", order(f"PO-{number}", 5), number=number, sender="bolt", receiver="globex")
        keep(database, f"{number}.edi", content, "bolt")
    keep(database, "3.edi", file_of("850", order("PO-3", 5), number=3, sender="acme", receiver="globex"))
    text = settings.path.read_text()
    start = text.index('[[partner]]\nid = "bolt"')
    without = settings.path.with_name("without.toml")
    without.write_text(text[:start] + text[text.index("[[partner]]", start + 5) :])
    removed = load(without, {})
    for _ in range(ATTEMPTS_MAX + 1):
        ingest_waiting(removed, database, lambda: AT)
    assert orders(database) == {"PO-3"}
    ((partner, error),) = files_of_unknown(removed, database)
    assert partner == "bolt"
    assert str(error).startswith("2 of its files wait and are not read")
    assert files_of_unknown(settings, database) == []
    reports, failed = ingest_waiting(settings, database, lambda: AT)
    assert ([report.name for report in reports], failed) == (["1.edi", "2.edi"], [])
    assert orders(database) == {"PO-1", "PO-2", "PO-3"}
