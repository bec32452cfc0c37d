"""`poll --every` outlives what passes, and ends at what only a person can mend."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.cli.movement import _poll
from pipeline.clock import SystemClock
from pipeline.errors import OperatorError
from pipeline.poll import Poller, PollReport
from pipeline.settings import load
from pipeline.wiring import Application
from storage.database import Database, DatabaseUnavailable, NotTheSame, TryAgain
from tests.unit.pipeline.ledger_files import write_settings


class Enough(Exception):
    """Nobody waits any longer."""


@dataclass
class Clock(SystemClock):
    """Waits for so many rounds."""

    waits: int
    waited: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        if len(self.waited) == self.waits:
            raise Enough


Polling = Callable[..., None]


@pytest.fixture
def polling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Polling:
    """Polls whose rounds raise what they are told; None is a good round."""

    def poll(*rounds: Exception | None, every: float = 7, metrics_file: Path | None = None) -> None:
        left = iter(rounds)

        def one(self: Poller, *, wait: bool) -> PollReport:
            problem = next(left)
            if problem is not None:
                raise problem
            return PollReport()

        monkeypatch.setattr(Poller, "round", one)
        settings = load(write_settings(tmp_path), {})
        application = Application(
            settings=settings, database=Database(settings.database.url), clock=Clock(len(rounds))
        )
        with application.database.only_process() as hold:
            _poll(application, every, metrics_file, hold, as_json=False)

    return poll


def test_what_passes_is_said_and_the_next_round_comes(
    polling: Polling, capsys: pytest.CaptureFixture[str]
) -> None:
    passing = [TryAgain("locked"), None, DatabaseUnavailable("the disk is full"), OperatorError("no key")]
    with pytest.raises(Enough):
        polling(*passing, None)
    said = capsys.readouterr().err
    assert [word in said for word in ("locked", "the disk is full", "no key")] == [True] * 3


def test_metrics_that_cannot_be_written_stop_no_round(
    polling: Polling, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").mkdir()
    place = tmp_path / "there" / "page.prom"

    with pytest.raises(Enough):
        polling(None, None, every=7, metrics_file=place)
    assert place.exists()
    place.unlink()
    place.mkdir()
    with pytest.raises(OperatorError, match="cannot be written"):
        polling(None, None, metrics_file=place)  # at the start it is a mistake in the command
    assert [*place.parent.iterdir()] == [place]  # and nothing half written is left


@pytest.mark.parametrize(
    "problem", [DatabaseUnavailable("is not a SQLite database"), OperatorError("no such template")]
)
def test_a_mistake_at_the_start_ends_it(polling: Polling, problem: Exception) -> None:
    with pytest.raises(type(problem)):
        polling(problem, None)


def test_another_database_ends_it_at_any_time(polling: Polling) -> None:
    with pytest.raises(NotTheSame):
        polling(None, NotTheSame("took the place of"), None)


@pytest.mark.parametrize("problem", [TryAgain("locked"), OperatorError("no key")])
def test_a_single_round_ends_with_its_problem(polling: Polling, problem: Exception) -> None:
    with pytest.raises(type(problem)):
        polling(problem, every=0)
