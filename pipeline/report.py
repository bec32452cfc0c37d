"""Reports: what became of each file, interchange and set, as values and as the JSON of the contract."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.notices.contexts import Problem
from storage.events import EventKind
from storage.ledger import Result
from storage.outcomes import Outcome
from storage.quantities import plain
from storage.refusals import RefusedLine
from storage.states import Fate

Json = dict[str, object]

#: What a set can do to units, in the order reports name it.
MOVES = ("placed", "added", "cancelled", "requested", "kept", "withdrawn", "fulfilled", "reopened")

#: From what a person must look at first to what needs nobody; a file is as grave as its gravest set.
GRAVITY = (
    Outcome.FAULTY,
    Outcome.REFUSED,
    Outcome.HELD,
    Outcome.PARKED,
    Outcome.APPLIED,
    Outcome.DUPLICATE,
    Outcome.IGNORED,
)

#: Outcomes that make a run end with exit code 1.
NEEDS_ATTENTION = frozenset({Outcome.FAULTY, Outcome.REFUSED, Outcome.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFault:
    """A finding as reports show it; `place` is for people."""

    code: str
    level: str
    segment: str
    position: int
    element: str
    value: str
    message: str
    remedy: str
    place: str

    def to_json(self) -> Json:
        names = ("code", "level", "segment", "position", "element", "value", "message", "remedy")
        return {name: getattr(self, name) for name in names}

    @property
    def in_full(self) -> str:
        """What is wrong and what to do, as two sentences."""
        return f"{self.message[:1].upper()}{self.message[1:].removesuffix('.')}. {self.remedy}"

    def to_problem(self) -> Problem:
        return Problem(place=self.place, message=self.message, remedy=self.remedy, code=self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedUnits:
    """Units of one line of one order that a set placed, cancelled or fulfilled; quantity in plain decimal."""

    how: str
    order: str
    line: str
    quantity: str

    def to_json(self, order: str) -> Json:
        """Line and quantity; the PO beside them when it is not `order`, which the set is reported under."""
        other = {} if self.order == order else {"order": self.order}
        return {**other, "line": self.line, "quantity": self.quantity}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReport:
    """What became of one transaction set."""

    type: str
    control_number: str
    outcome: Outcome
    set_id: int = 0
    file_id: int = 0  # of a set that had waited: the file it came in
    order: str = ""
    findings: tuple[FoundFault, ...] = ()
    refusals: tuple[RefusedLine, ...] = ()
    question: str = ""
    held_id: int = 0
    notes: tuple[str, ...] = ()
    moved: tuple[MovedUnits, ...] = ()

    @property
    def cancelled(self) -> tuple[tuple[str, str], ...]:
        """(line, quantity) of what was cancelled."""
        return self._moved("cancelled")

    @property
    def fulfilled(self) -> tuple[tuple[str, str], ...]:
        """(line, quantity) of what was fulfilled."""
        return self._moved("fulfilled")

    @property
    def placed(self) -> tuple[tuple[str, str], ...]:
        """(line, quantity) of what was ordered."""
        return self._moved("placed")

    def _moved(self, how: str) -> tuple[tuple[str, str], ...]:
        return tuple((units.line, units.quantity) for units in self.moved if units.how == how)

    def to_json(self) -> Json:
        moved = {
            how: [units.to_json(self.order) for units in self.moved if units.how == how] for how in MOVES
        }
        first = self.refusals[0] if self.refusals else None
        return {
            "type": self.type,
            "control_number": self.control_number,
            "outcome": self.outcome.value,
            "refusal": first.refusal.name if first and self.outcome is Outcome.REFUSED else None,
            "refusals": [refusal_json(refusal) for refusal in self.refusals],
            "findings": [finding.to_json() for finding in self.findings],
            "order": self.order or None,
            "question": self.question or None,
            "held": self.held_id or None,
            "notes": list(self.notes),
            **moved,
        }


def refusal_json(refusal: RefusedLine) -> Json:
    """One refusal with its figures; figures that do not apply are null."""
    figures = ("asked", "ordered", "fulfilled", "cancelled", "requested", "open")
    said = {name: getattr(refusal, name) for name in figures}
    return {
        "code": refusal.refusal.name,
        "number": refusal.refusal.number,
        "line": refusal.line or None,
        "message": refusal.message,
        **{name: None if value is None else plain(value) for name, value in said.items()},
    }


def with_result(report: SetReport, result: Result) -> SetReport:
    """The report with what the ledger did and said."""
    moved = tuple(
        MovedUnits(
            how=MOVES_OF[event.kind],
            order=entry.command.order.po_number,
            line=unit.line,
            quantity=plain(unit.quantity),
        )
        for entry in result.entries
        for event in entry.events
        if event.kind in MOVES_OF
        for unit in event.units
    )
    decisions = [entry.decision for entry in result.entries]
    return replace(
        report,
        outcome=result.outcome,
        refusals=tuple(refusal for decision in decisions for refusal in decision.refusals),
        question=" ".join(d.question.statement for d in decisions if d.question),
        notes=tuple(note for decision in decisions for note in decision.notes),
        moved=moved,
    )


#: What each event does to units, in a word.
MOVES_OF = {
    EventKind.ORDER_PLACED: "placed",
    EventKind.ORDER_CANCELLED: "cancelled",
    EventKind.LINES_CANCELLED: "cancelled",
    EventKind.LINES_FULFILLED: "fulfilled",
    EventKind.LINES_ADDED: "added",
    EventKind.UNITS_ADDED: "added",
    EventKind.CANCELLATION_REQUESTED: "requested",
    EventKind.REQUEST_REFUSED: "kept",
    EventKind.REQUEST_WITHDRAWN: "withdrawn",
    EventKind.REQUEST_LAPSED: "lapsed",
    EventKind.SHIPMENT_WITHDRAWN: "reopened",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeReport:
    """What became of one interchange."""

    sender: str
    receiver: str
    control_number: str
    outcome: Fate
    findings: tuple[FoundFault, ...] = ()
    sets: tuple[SetReport, ...] = ()

    def to_json(self) -> Json:
        return {
            "sender": self.sender,
            "receiver": self.receiver,
            "control_number": self.control_number,
            "outcome": self.outcome.value,
            "findings": [finding.to_json() for finding in self.findings],
            "sets": [report.to_json() for report in self.sets],
        }


_SET_ASIDE = (Fate.FAULTY, Fate.CONFLICT, Fate.QUARANTINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of one file. `released` are earlier sets that waited for an order this file placed."""

    name: str
    sha256: str
    partner: str
    interchanges: tuple[InterchangeReport, ...] = ()
    findings: tuple[FoundFault, ...] = ()
    released: tuple[SetReport, ...] = ()
    error: str = ""
    file_id: int = 0

    @property
    def is_unusable(self) -> bool:
        """Whether nothing in the file could be used: no interchange, or none that was taken in."""
        return all(interchange.outcome in _SET_ASIDE for interchange in self.interchanges)

    @property
    def outcome(self) -> Outcome:
        """The gravest outcome of anything in the file."""
        outcomes = {report.outcome for report in self.all_sets}
        for interchange in self.interchanges:
            if interchange.outcome in _SET_ASIDE:
                outcomes.add(Outcome.FAULTY)
            elif interchange.outcome is Fate.DUPLICATE:
                outcomes.add(Outcome.DUPLICATE)
        if self.error or not self.interchanges:
            outcomes.add(Outcome.FAULTY)
        return next((outcome for outcome in GRAVITY if outcome in outcomes), Outcome.IGNORED)

    @property
    def all_sets(self) -> tuple[SetReport, ...]:
        return tuple(s for interchange in self.interchanges for s in interchange.sets) + self.released

    @property
    def mark(self) -> str:
        """Of all that it says the file does: the numbers under which questions are held are no part of it."""
        sets = [{**report.to_json(), "held": None} for report in self.all_sets]
        fates = [interchange.outcome.value for interchange in self.interchanges]
        said = json.dumps([self.outcome.value, self.error, fates, sets])
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()

    def to_json(self) -> Json:
        return {
            "name": self.name,
            "sha256": self.sha256,
            "partner": self.partner or None,
            "outcome": self.outcome.value,
            "findings": [finding.to_json() for finding in self.findings],
            "error": self.error or None,
            "interchanges": [report.to_json() for report in self.interchanges],
            "released": [report.to_json() for report in self.released],
        }


def files_json(files: Sequence[FileReport]) -> Json:
    """The JSON of `poll` and `replay`."""
    return {"files": [report.to_json() for report in files], "summary": summary(files)}


def summary(files: Sequence[FileReport]) -> Json:
    """How many sets came to which end."""
    sets = [report for file in files for report in file.all_sets]
    counted = ("applied", "duplicate", "refused", "held", "parked", "faulty", "ignored")
    return {
        "files": len(files),
        "sets": len(sets),
        **{name: sum(report.outcome.value == name for report in sets) for name in counted},
    }


def needs_attention(files: Iterable[FileReport]) -> bool:
    """Whether a partner's document was refused, held or faulty: exit code 1."""
    return any(file.outcome in NEEDS_ATTENTION for file in files)
