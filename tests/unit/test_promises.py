"""docs/promises.md names every law under its promise, and tests that exist."""

import re
from pathlib import Path

import pytest

from storage.invariants import INVARIANTS, Invariant

ROOT = Path(__file__).resolve().parents[2]
PROMISES = [f"G{number}" for number in range(1, 11)]


def chapters() -> dict[str, str]:
    """The text of each promise, by its number."""
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8").partition("## What is not promised")[0]
    _, *parts = re.split(r"^## (G\d+): ", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_promise_has_a_chapter_and_a_law() -> None:
    assert list(chapters()) == PROMISES
    assert {invariant.promise for invariant in INVARIANTS} == set(PROMISES)


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: invariant.name)
def test_every_law_stands_under_its_promise(invariant: Invariant) -> None:

    assert f"`{invariant.name}`" in chapters()[invariant.promise]


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_names_tests_that_exist(promise: str) -> None:
    named = re.findall(r"\btests/[\w/]+\.py\b", chapters()[promise])
    assert named, "no test attacks it"
    assert [path for path in named if not (ROOT / path).is_file()] == []
