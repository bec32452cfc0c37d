"""Every story of samples/stories, through the command line into a real database, and then once more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo import story as stories
from pipeline.demo.command import Countermand
from pipeline.demo.story import Story
from pipeline.demo.world import settings_text

FOLDER = Path(__file__).resolve().parents[2] / "samples" / "stories"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/story.toml"))


def told(story: Story, countermand: Countermand) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Replay the story's files one after the other; the sets of each."""
    for step in story.steps:
        answer = countermand.ask("replay", str(step.file), "--apply", "--as", step.partner)
        sets = stories.sets_of(answer.value)
        settled = all(one["outcome"] in ("applied", "duplicate", "parked", "ignored") for one in sets)
        assert answer.code == (0 if settled else 1), step.file.name
        yield step.file.name, sets


def orders(countermand: Countermand) -> list[dict[str, Any]]:
    """Every order with its lines, as expected.json writes them."""
    found = countermand.ask("orders").value["orders"]
    names = sorted((one["po_number"], one["buyer"], one["seller"]) for one in found)
    asked = [
        countermand.ask("order", po_number, "--buyer", buyer, "--seller", seller)
        for po_number, buyer, seller in names
    ]
    return [stories.order_of(answer.value) for answer in asked]


def emails(countermand: Countermand) -> list[dict[str, str]]:
    """Every e-mail owed, oldest first."""
    return stories.emails_of(countermand.ask("outbox").value["messages"])


def held(countermand: Countermand) -> list[str]:
    """The orders of the questions that wait for a person."""
    return [one["po_number"] for one in countermand.ask("held").value["held"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_story_ends_as_expected_and_replaying_it_changes_nothing(
    name: str, tmp_path: Path, database_url: str
) -> None:
    config = tmp_path / "countermand.toml"
    story = stories.load(FOLDER / name)
    config.write_text(settings_text(policies=story.policies, url=database_url), encoding="utf-8")
    countermand = Countermand(config)

    seen: dict[str, Any] = {"files": dict(told(story, countermand))}
    seen |= {"orders": orders(countermand), "emails": emails(countermand), "held": held(countermand)}
    assert stories.differences(story.expected, seen) == ()
    assert countermand.ask("audit").code == 0

    for file, sets in told(story, countermand):
        assert {one["outcome"] for one in sets} <= {"duplicate", "refused", "held", "parked", "faulty"}, file
    assert orders(countermand) == seen["orders"]
    assert held(countermand) == seen["held"]
    assert countermand.ask("audit").code == 0
    assert stories.differences(seen, {"emails": emails(countermand)}) == ()


def test_there_are_stories() -> None:
    assert len(NAMES) >= 4
