"""Entries about refusals and questions: the history that leads to each, and the 824 it gets."""

import re
from dataclasses import dataclass

from edi.envelope import read
from storage.refusals import Refusal
from tests.acceptance.gallery.hub import HISTORIES, SAMPLES, History, Hub, Told, history

ADVICE = ("OTI", "TED", "NTE")
_REMEDIES = SAMPLES.parent / "docs" / "refusals.md"
_QUESTIONS = 90  # the number of histories that end in a question


@dataclass(frozen=True, slots=True)
class RefusalEntry:
    """One refusal, shown."""

    refusal: Refusal
    history: History
    told: Told
    newer: Told  # the same document in release 005010
    remedy: str

    @property
    def codes(self) -> tuple[str, str]:
        """TED01 in 004010 and in 005010."""
        old, new = (one.segments("TED")[0].split("*")[1] for one in (self.told, self.newer))
        return old, new


@dataclass(frozen=True, slots=True)
class QuestionEntry:
    """One question for a person, shown."""

    history: History
    told: Told


def refusal_entries(hub: Hub) -> tuple[RefusalEntry, ...]:
    """One entry for each refusal that a history ends in, in the order of the numbers."""
    numbered = {one.number: one for one in map(history, HISTORIES)}
    remedies = _remedies()
    shown = (refusal for refusal in Refusal if refusal.number in numbered)
    return tuple(_entry(hub, refusal, numbered[refusal.number], remedies) for refusal in shown)


def question_entries(hub: Hub) -> tuple[QuestionEntry, ...]:
    """The questions that histories end in."""
    asked = (one for one in map(history, HISTORIES) if one.number == _QUESTIONS)
    return tuple(QuestionEntry(one, hub.tell(one)) for one in asked)


def said(one: History) -> tuple[str, ...]:
    """The last document between its ST and SE, as it was sent."""
    (interchange,) = read(one.files[-1].read_bytes()).interchanges
    return interchange.groups[0].sets[0].segments[1:-1]


def _entry(hub: Hub, refusal: Refusal, one: History, remedies: dict[str, str]) -> RefusalEntry:
    return RefusalEntry(refusal, one, hub.tell(one), hub.tell_in_005010(one), remedies[refusal.name])


def _remedies() -> dict[str, str]:
    """What to do, by refusal: the paragraph after the example."""
    page = _REMEDIES.read_text(encoding="utf-8")
    found = re.findall(r"^### \d+\. (\w+)\n\n.+\n\n> .+\n\n(.+)$", page, re.MULTILINE)
    return dict(found)
