"""For support: what arrived and cannot be used, and what a partner did not take, as notices. Pure."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.actors import source_words
from pipeline.notices.contexts import FINDINGS_MAX, AnswerRejected, DocumentRejected, Notice, Problem
from pipeline.telling.notifications import Addressees, notice_of
from storage.commands import Source
from storage.outcomes import Outcome, Question

_BECAME = {
    Outcome.FAULTY: "could not be read",
    Outcome.HELD: "is held",
    Outcome.REFUSED: "was refused",
    Outcome.PARKED: "waited in vain for its order",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Something that arrived and could not be used as it came; what the hub's support must know of it."""

    origin: str  # what it is, for the dedupe key: "set:12" or "file:7"
    at: datetime
    source: Source
    partner: str  # "" when nobody can tell
    outcome: Outcome  # FAULTY, HELD, REFUSED or PARKED (waited too long)
    quarantined: bool = False  # kept apart and not answered, because it may not be the partner's own
    problems: tuple[Problem, ...] = ()
    po_number: str = ""
    question: Question | None = None
    held: str = ""  # the id to answer under


def document_rejected_notices(unusable: Unusable, addressees: Addressees) -> tuple[Notice, ...]:
    """The hub's support is told of what could not be used, and of what waits for an answer."""
    source, question = unusable.source, unusable.question
    contact = addressees.partners.get(unusable.partner)
    what = "the file"
    if source.set:
        what = f"the {source.type or 'document'} (set {source.set})"
    elif source.interchange:
        what = f"interchange {source.interchange}"
    context = DocumentRejected(
        hub=addressees.hub, support=addressees.support, at=unusable.at,
        source=source_words(source, addressees.hub, contact.name if contact else unusable.partner),
        file=source.file, partner=contact.name if contact else unusable.partner, what=what,
        became="was quarantined" if unusable.quarantined else _BECAME[unusable.outcome],
        quarantined=unusable.quarantined,
        po_number=unusable.po_number, problems=unusable.problems[:FINDINGS_MAX],
        problems_left_out=max(0, len(unusable.problems) - FINDINGS_MAX), held=unusable.held,
        question=question.statement if question else "",
        choices=tuple((choice.name, choice.effect) for choice in question.choices) if question else (),
    )  # fmt: skip
    return (notice_of(context, addressees.support, unusable.origin),)


def answer_rejected_notices(unusable: Unusable, addressees: Addressees) -> tuple[Notice, ...]:
    """The hub's support is told that a partner did not take documents of ours; the problems say which."""
    contact = addressees.partners.get(unusable.partner)
    context = AnswerRejected(
        hub=addressees.hub, support=addressees.support, at=unusable.at,
        source=source_words(unusable.source, addressees.hub, ""),
        partner=contact.name if contact else unusable.partner,
        problems=unusable.problems[:FINDINGS_MAX],
        problems_left_out=max(0, len(unusable.problems) - FINDINGS_MAX),
        was_read=unusable.source.type == "824",
    )  # fmt: skip
    return (notice_of(context, addressees.support, unusable.origin),)
