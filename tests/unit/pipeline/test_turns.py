"""Changes take turns, and nobody waits for one that does something else than compute."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.api.turns import OVERTAKEN_MAX, Turns

LONG_SECONDS = 30


def one_after_the_other(turns: Turns, number: int) -> list[str]:
    """What so many said who came at the same time and each begins, goes on and ends."""
    said: list[str] = []
    together = threading.Barrier(number)

    def change(name: int) -> None:
        together.wait(LONG_SECONDS)
        with turns.turn():
            said.append(f"begin {name}")
            time.sleep(0.005)
            said.append(f"end {name}")

    with ThreadPoolExecutor(number) as pool:
        for done in [pool.submit(change, name) for name in range(number)]:
            done.result(LONG_SECONDS)
    return said


def test_one_begins_when_the_one_before_has_ended() -> None:
    said = one_after_the_other(Turns(LONG_SECONDS), 8)
    assert [word.split()[0] for word in said] == ["begin", "end"] * 8
    assert said[::2] == [word.replace("end", "begin") for word in said[1::2]]


def test_who_waits_for_something_else_is_overtaken() -> None:
    turns, overtaken = Turns(0.01), threading.Event()

    def quick() -> None:
        with turns.turn():
            overtaken.set()

    with turns.turn():
        started(quick)
        assert overtaken.wait(LONG_SECONDS)


def test_who_was_overtaken_does_not_end_the_other_s_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(0.01)
    first, second = turns.turn(), turns.turn()
    first.__enter__()
    second.__enter__()  # after a hundredth of a second
    monkeypatch.setattr(turns, "_until", time.monotonic() + LONG_SECONDS)
    first.__exit__(None, None, None)
    third = started(lambda: turns.turn().__enter__())
    third.join(0.1)
    assert third.is_alive()
    second.__exit__(None, None, None)
    third.join(LONG_SECONDS)
    assert not third.is_alive()


def test_there_are_no_turns_while_changes_wait_for_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(0.001)
    at_work = [turns.turn() for _ in range(OVERTAKEN_MAX + 1)]
    for one in at_work:  # each but the first overtakes the one before
        one.__enter__()
    assert turns._free_until > time.monotonic()
    monkeypatch.setattr(turns, "_until", time.monotonic() + LONG_SECONDS)
    monkeypatch.setattr(turns, "_free_until", time.monotonic() + LONG_SECONDS)
    for _ in range(3):
        free = started(lambda: turns.turn().__enter__())
        free.join(LONG_SECONDS / 2)
        assert not free.is_alive()


def test_a_change_that_is_done_in_time_ends_the_row_of_those_that_were_not() -> None:
    turns = Turns(0.001)
    for _ in range(2):
        at_work = [turns.turn() for _ in range(OVERTAKEN_MAX)]
        for one in at_work:
            one.__enter__()
        at_work[-1].__exit__(None, None, None)
    assert turns._free_until == 0


def test_a_change_that_fails_ends_its_turn() -> None:
    turns = Turns(LONG_SECONDS)
    with pytest.raises(ValueError, match="refused"), turns.turn():
        raise ValueError("refused")
    with turns.turn():
        pass


def started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
