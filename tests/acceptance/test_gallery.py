"""The gallery of errors: every code has its entry, every answer is valid X12, and the page is what they give.

UPDATE_GOLDEN=1 writes the page anew; read the difference before you keep it.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from edi.advice_codes import advice_code
from edi.envelope import read
from edi.findings import FindingCode
from edi.guide import check
from pipeline.answering.advice import SITUATIONS
from storage.invariants import audit
from storage.messages import OutboxMessage
from storage.outcomes import Outcome
from storage.refusals import Refusal
from tests.acceptance.gallery.findings import FindingEntry, finding_entries, histories
from tests.acceptance.gallery.hub import HISTORIES, SAMPLES, Hub
from tests.acceptance.gallery.page import page
from tests.acceptance.gallery.refusals import (
    QuestionEntry,
    RefusalEntry,
    question_entries,
    refusal_entries,
)

#: By answer what it repeats although X12 does not allow it.
ECHOED = {
    "997 R for group PB420 of interchange 000000420": {"PB420": "AK102"},
    "997 R for group 422 of interchange 000000422": {"1": "AK202"},
}

PAGE = SAMPLES.parent / "docs" / "errors.md"


@dataclass(frozen=True, slots=True)
class Gallery:
    """Everything shown, and the hub that it was shown by."""

    hub: Hub
    findings: tuple[FindingEntry, ...]
    refusals: tuple[RefusalEntry, ...]
    questions: tuple[QuestionEntry, ...]

    @property
    def answers(self) -> list[OutboxMessage]:
        told = [entry.told for entry in self.findings] + [entry.told for entry in self.questions]
        told += [one for entry in self.refusals for one in (entry.told, entry.newer)]
        return [answer for one in told for answer in one.answers]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    hub = Hub(tmp_path_factory.mktemp("gallery"))
    return Gallery(hub, finding_entries(hub), refusal_entries(hub), question_entries(hub))


def test_the_page_is_what_the_samples_give(gallery: Gallery) -> None:
    now = page(gallery.findings, gallery.refusals, gallery.questions)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        PAGE.write_text(now, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == now, "run once with UPDATE_GOLDEN=1, then read the difference"


def test_every_finding_code_has_an_entry(gallery: Gallery) -> None:
    assert [entry.code for entry in gallery.findings] == list(FindingCode)
    assert histories().keys() <= {code.slug for code in FindingCode}


def test_every_refusal_has_an_entry(gallery: Gallery) -> None:
    assert [entry.refusal for entry in gallery.refusals] == list(Refusal)


def test_every_history_is_shown_once(gallery: Gallery) -> None:
    shown = [entry.history.folder for entry in gallery.refusals]
    shown += [entry.history.folder for entry in gallery.questions]
    assert sorted([*shown, *histories().values()]) == list(HISTORIES)


def test_a_history_is_named_for_the_refusal_it_ends_in(gallery: Gallery) -> None:
    for entry in gallery.refusals:
        assert entry.history.slug == entry.refusal.name.lower()
        assert entry.told.refusals == entry.newer.refusals == (entry.refusal.name,)
        before = {report.outcome for report in entry.told.reports[:-1]}
        assert before <= {Outcome.APPLIED}, entry.history.slug


def test_a_refusal_is_advised_under_its_code(gallery: Gallery) -> None:
    for entry in gallery.refusals:
        codes = (advice_code(SITUATIONS[entry.refusal], release) for release in ("004010", "005010"))
        assert entry.codes == tuple(codes), entry.history.slug
        assert len(entry.told.segments("OTI", "TED")) == 2


def test_a_question_is_held(gallery: Gallery) -> None:
    for entry in gallery.questions:
        assert [one.outcome for one in entry.told.last.all_sets] == [Outcome.HELD], entry.history.slug
        assert entry.told.segments("TED") == []


def test_a_code_is_in_the_answer_that_is_shown(gallery: Gallery) -> None:
    """Where the fault is not the interchange's own, and its sender is answered."""
    for entry in gallery.findings:
        code = entry.code
        if entry.answer and code.answer and code is not FindingCode.LIMIT:
            found = [line for line in entry.answer if line.startswith(code.answer)]
            assert any(code.x12 in line.split("*")[1:] for line in found), entry.code.slug


def test_every_answer_passes_our_own_guide(gallery: Gallery) -> None:
    """But for control numbers, which AK1 and AK2 repeat so that their sender knows them again."""
    assert {answer.set_type for answer in gallery.answers} == {"TA1", "997", "824"}
    for answer in gallery.answers:
        (interchange,) = read(answer.payload).interchanges
        assert interchange.findings == ()
        for group in interchange.groups:
            assert group.findings == ()
            found = [finding for one in group.sets for finding in check(one, group.release)]
            places = {finding.value: f"{finding.segment}0{finding.element}" for finding in found}
            assert places == ECHOED.get(answer.subject, {}), answer.subject


def test_the_ledger_of_all_histories_is_sound(gallery: Gallery) -> None:
    with gallery.hub.database.reading() as tx:
        assert audit(tx) == ()


def test_every_link_of_the_page_leads_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = [_anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    assert len(headings) == len(set(headings))
    for target in re.findall(r"\]\(([^)]+)\)", text):
        place, _, anchor = target.partition("#")
        path = PAGE.parent / place if place else PAGE
        assert path.is_file(), target
        if anchor:
            assert anchor in _anchors(path), target


def _anchors(path: Path) -> set[str]:
    return set(map(_anchor, re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)))


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
