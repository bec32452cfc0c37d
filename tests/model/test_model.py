"""The ledger does what a model written from the specification says, on SQLite and on PostgreSQL alike."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.model.many import Walked, interleaved, run
from tests.model.rules import ORDERED, RULES
from tests.model.steps import POS
from tests.model.systems import Postgresql, Sqlite, System
from tests.model.walk import Disagreement, Session, placed, shortened, steps, walk
from tests.postgres import PostgresServer

STEPS = 5_000  # on each system, of each seed: 30,000 in all; more by hand, python -m tests.model


def _on_sqlite(folder: str, seed: str) -> Walked:
    return run(Sqlite(Path(folder)), seed, STEPS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_walks_end_the_same_on_both_systems(
    tmp_path: Path, postgres_server: PostgresServer, seed: str
) -> None:
    """Every step has the outcome and the figures of the model, and every answer is the same on both."""
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        sqlite = pool.submit(_on_sqlite, str(tmp_path), seed)
        postgresql = run(Postgresql(postgres_server), seed, STEPS)
        walked = [sqlite.result(), postgresql]
    assert all(one.steps >= STEPS for one in walked)
    assert list(interleaved(walked)) == []
    # Chance led everywhere: every rule was accepted, and every outcome came about.
    accepted = {name for name, outcome in walked[0].outcomes if outcome == "applied"}
    assert accepted >= RULES.keys() - {"again", "twisted", "object_to", "clock", "commit", "crash"}
    assert {outcome for _, outcome in walked[0].outcomes} == {
        "applied", "duplicate", "refused", "held", "parked",
    }  # fmt: skip


def _machine(system: System, counted: Counter[str]) -> type[RuleBasedStateMachine]:
    """The same rules as a state machine, so that Hypothesis looks for trouble and shortens what it finds."""

    class Ledger(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.url = system.new()
            self.taken = Session(system.opened(self.url), "H")

        @initialize(quantities=st.sampled_from(ORDERED[:6]))
        def begin(self, quantities: tuple[str, ...]) -> None:
            for po in POS[:3]:
                self.taken.do(placed(po, quantities))

        def teardown(self) -> None:
            with suppress(Disagreement):
                self.taken.check()
            self.taken.close()
            system.drop(self.url)

    for name, (_, _, arguments) in RULES.items():
        values = {argument: st.sampled_from(tuple(each)) for argument, each in arguments.items()}
        made: Any = rule  # its types know no rule that is made
        setattr(Ledger, name, made(**values)(_step(name, counted)))
    return Ledger


def _step(name: str, counted: Counter[str]) -> Callable[..., None]:
    def step(self: Any, **arguments: Any) -> None:
        counted[name] += 1
        self.taken.do((name, arguments))

    step.__name__ = name
    return step


def test_hypothesis_finds_no_disagreement(tmp_path: Path) -> None:
    counted = Counter[str]()
    run_state_machine_as_test(
        _machine(Sqlite(tmp_path), counted),
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert counted.keys() == RULES.keys()


def test_a_wrong_model_is_found_and_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison sees one unit too many, and says in few steps how it comes about."""
    from tests.model.orders import Line

    real = Line.fulfil

    def fulfil(self: Line, units: Any) -> None:
        real(self, units)
        self.fulfilled += units == 2

    monkeypatch.setattr(Line, "fulfil", fulfil)
    system = Sqlite(tmp_path)

    def fails(taken: Any) -> bool:
        session = Session(system.opened(system.new()), "W")
        try:
            walk(session, taken)
        except Disagreement:
            return True
        return False

    with pytest.raises(Disagreement, match="must have"):
        run(system, "wrong", 5_000)
    taken = next(one for number in range(20) if fails(one := steps(f"wrong.{number}", 250)))
    assert len(shortened(fails, taken)) <= 3
