"""Many walks over one database system: seed by seed, with the shortest failing walk when one fails."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf

from tests.model.steps import Step
from tests.model.systems import System
from tests.model.walk import Disagreement, Session, shortened, steps, walk

STEPS_OF_A_WALK = 250
WALKS_OF_A_LEDGER = 20  # so that every audit is over more than one walk, and no ledger grows without end


@dataclass(slots=True)
class Walked:
    """What the walks of one system came to."""

    steps: int = 0
    submissions: int = 0
    digests: dict[str, str] = field(default_factory=dict)  # by seed: the same on every system
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)  # where the walks go on all the same


def run(
    system: System,
    seed: str,
    count: int,
    *,
    go_on: bool = False,
    until: float = inf,
    told: Callable[[Walked], None] = lambda _: None,
) -> Walked:
    """So many steps, or as many as can be made before the monotonic clock says `until`.

    Raises Disagreement with the steps that lead to it, unless the walks are to go on all the same.
    """
    walked = Walked()
    walks = -(-count // STEPS_OF_A_WALK)
    for first in range(0, walks, WALKS_OF_A_LEDGER):
        if time.monotonic() > until:
            break
        url = system.new()
        for number in range(first, min(first + WALKS_OF_A_LEDGER, walks)):
            name = f"{seed}.{number}"
            taken = steps(name, STEPS_OF_A_WALK)
            session = Session(system.opened(url), f"W{number}")
            try:
                walked.digests[name] = walk(session, taken)
            except Disagreement as error:
                _abandon(session)
                if go_on:
                    walked.disagreements.append(f"seed {name}: {error}")
                    told(walked)
                    continue
                raise Disagreement(_shortest(system, name, taken, error)) from error
            walked.steps += len(taken)
            walked.outcomes.update(session.outcomes)
            walked.submissions += sum(session.outcomes.values())
        system.drop(url)
        told(walked)
    return walked


def _abandon(session: Session) -> None:
    with suppress(Exception):
        session.tx.invalidate()
        session.database.close()


def _shortest(system: System, seed: str, taken: Sequence[Step], error: Disagreement) -> str:
    urls: list[str] = []
    said = [str(error)]

    def fails(shorter: Sequence[Step]) -> bool:
        urls.append(system.new())
        session = Session(system.opened(urls[-1]), "W")
        try:
            walk(session, shorter)
        except Disagreement as still:
            said.append(str(still))
            return True
        finally:
            _abandon(session)
            system.drop(urls[-1])
        return False

    kept = shortened(fails, taken)
    return "\n".join((f"seed {seed} on {system.name}: {said[-1]}", "after", *map(str, kept)))


def both(walked: Sequence[Walked]) -> list[str]:
    """The seeds that were walked to the end on every system."""
    return [seed for seed in walked[0].digests if all(seed in one.digests for one in walked)]


def interleaved(walked: Sequence[Walked]) -> Iterator[str]:
    """The seeds whose answers are not the same on every system."""
    for seed in both(walked):
        if len({one.digests[seed] for one in walked}) > 1:
            yield seed
