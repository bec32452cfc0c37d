"""Replies: what partners say about documents we sent them (997, 999, 824), matched to the outbox."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from edi.codes import words
from edi.documents import ApplicationAdvice, Reply
from pipeline.notices.contexts import Problem
from storage import messages, outbox
from storage.messages import OutboxMessage
from storage.outcomes import Outcome

#: Verdicts of AK501/AK901 (717, 715) and OTI01 (110) that say our document was not taken.
REJECTED = frozenset({"R", "M", "W", "X", "TR", "GR", "IR", "BR"})
_PART = frozenset({"P", "TP", "GP", "IP"})
_WITH_ERRORS = frozenset({"E", "TE", "GE", "IE", "BE", "TC", "IC"})

_UNREADABLE = "Look at the message with countermand outbox; correct the cause, and resend it."
_REFUSED = "Look at the message with countermand outbox, and settle with the partner what it refuses."


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a reply said about our documents: sentences for the report, and what support must look at."""

    outcome: Outcome
    notes: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """One statement about one document of ours."""

    group_control_number: str
    type: str
    verdict: str
    faults: tuple[str, ...]


def take_reply(
    tx: Connection,
    document: Reply,
    partner: str,
    set_id: int,
    at: datetime,
) -> Taken:
    """Record what a partner says about what we sent it; a document we do not know is only noted."""
    remedy = _REFUSED if isinstance(document, ApplicationAdvice) else _UNREADABLE
    return _take(tx, _statements(document), partner, set_id, at, remedy)


def _take(
    tx: Connection, statements: Iterable[_Said], partner: str, set_id: int | None, at: datetime, remedy: str
) -> Taken:
    notes, problems, known = [], [], False
    for said in statements:
        message = messages.sent_set(tx, partner, said.group_control_number)
        if message is not None and said.type not in ("", message.set_type):
            message = None  # another document's number
        if message is not None:
            known = True
            note = "; ".join(said.faults)
            verdict = verdict_words(said.verdict)
            outbox.mark_answered(tx, message.id, verdict=verdict, note=note, at=at, set_id=set_id)
        sentence = _sentence(said, message)
        notes.append(f"{_named(said, message)}: {sentence}")
        if said.verdict in REJECTED | _PART:
            problems.append(Problem(place=_named(said, message), message=sentence, remedy=remedy))
    outcome = Outcome.APPLIED if known else Outcome.IGNORED
    return Taken(outcome=outcome, notes=tuple(notes), problems=tuple(problems))


def take_ta1(tx: Connection, segment: Sequence[str], partner: str, at: datetime) -> Taken:
    """Record what a TA1 says of an interchange of ours; `segment` are its elements, the tag first (TA101-05).

    Our interchange and its one group have the same number.
    """
    _, number, _, _, verdict, note, *_ = (*segment, *[""] * 6)
    explained = words("I18", note)
    fault = f"{note} {explained}" if explained != note else note
    said = _Said(group_control_number=number, type="", verdict=verdict, faults=tuple(filter(None, [fault])))
    return _take(tx, (said,), partner, None, at, _UNREADABLE)


def verdict_words(verdict: str) -> str:
    """accepted, accepted_with_errors, partly_accepted or rejected."""
    if verdict in REJECTED:
        return "rejected"
    if verdict in _PART:
        return "partly_accepted"
    return "accepted_with_errors" if verdict in _WITH_ERRORS else "accepted"


def _statements(document: Reply) -> Iterable[_Said]:
    """We send one set in a group, so that a group's control number names a document."""
    if isinstance(document, ApplicationAdvice):
        for one in document.transactions:
            faults = tuple(f"{error.code} {error.text}".strip() for error in one.errors)
            yield _Said(
                group_control_number=one.group_control_number,
                type=one.set_type,
                verdict=one.verdict,
                faults=faults,
            )
        return
    number = document.group_control_number
    if not document.sets:
        yield _Said(group_control_number=number, type="", verdict=document.verdict, faults=document.faults)
    for answered in document.sets:
        yield _Said(
            group_control_number=number,
            type=answered.type,
            verdict=answered.verdict,
            faults=(*answered.faults, *document.faults),
        )


def _sentence(said: _Said, message: OutboxMessage | None) -> str:
    verdict = verdict_words(said.verdict).replace("_", " ")
    because = f": {'; '.join(said.faults)}" if said.faults else ""
    unknown = "" if message is not None else " Nothing we sent this partner has that number."
    return f"{verdict} ({said.verdict}){because}.{unknown}"


def _named(said: _Said, message: OutboxMessage | None) -> str:
    kind = message.set_type if message is not None else said.type
    number = f", group {said.group_control_number}" if said.group_control_number else ""
    return f"Our {kind or 'document'}{number}"
