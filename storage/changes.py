"""A change as a whole: which lines it names, what it adds, whether it is late, and the facts it comes to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from storage.acknowledgments import reason_of
from storage.change_figures import said
from storage.commands import (
    NO_REASON,
    Answer,
    CancelOrder,
    Change,
    ChangeOrder,
    LineChange,
    LineReference,
    NewLine,
    QuantityReading,
    Reason,
)
from storage.events import EventKind, Fact, Marks, PlacedLine, Units
from storage.evolve import counted
from storage.lines import LineIndex, identifiable, name_lines
from storage.orders import LineState, OrderState
from storage.outcomes import Choice, Question
from storage.refusals import Refusal, RefusedLine, refuse_line, unfound_line

NAMED_MAX = 5  # lines or changes in one sentence

#: A line of the order that a restated order does not have any more.
LEFT_OUT = LineChange(line=LineReference(), change=Change.CANCEL)

#: The facts of a change in the order they are written; what is taken away comes before what is added.
_KINDS = (
    EventKind.REQUEST_WITHDRAWN,
    EventKind.REQUEST_REFUSED,
    EventKind.LINES_CANCELLED,
    EventKind.CANCELLATION_REQUESTED,
    EventKind.UNITS_ADDED,
)


@dataclass(slots=True, kw_only=True)
class LineOutcome:
    """What a change does to one line: `line` is the line after it, `moves` what is to be written."""

    line: LineState
    moves: list[tuple[EventKind, Units]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kept: RefusedLine | None = None  # what had left and cannot be cancelled
    refusal: RefusedLine | None = None
    question: Question | None = None

    def move(self, units: Mapping[EventKind, Decimal], reason: Reason) -> None:
        """Count the units of one more change of the line."""
        for kind in _KINDS:
            if quantity := units.get(kind):
                self.line = counted(self.line, Fact(kind=kind), quantity)
                name = self.line.line
                self.moves.append(
                    (kind, Units(line_id=self.line.id, line=name, quantity=quantity, reason=reason))
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedChanges:
    """The changes by line id, the lines that are new, and what names no line."""

    by_line: dict[int, tuple[LineChange, ...]]
    added: tuple[PlacedLine, ...]
    refusals: tuple[RefusedLine, ...]


def name_changes(lines: tuple[LineState, ...], command: ChangeOrder) -> NamedChanges:
    """Which line each change is about; in a restated order a line nobody knows is a new one (section 2.2)."""
    index = LineIndex(lines, by_name=not command.source.type)
    by_line: dict[int, list[LineChange]] = {}
    added: list[NewLine] = []
    refusals: list[RefusedLine] = []
    numbers: set[str] = set()
    for change in command.lines:
        number = change.line.number
        found = index.find(change.line)
        if change.change is Change.ADD:
            # an item may stand on several lines; a number may not
            taken = bool(index.numbered(number)) or number in numbers
            another = found in (Refusal.LINE_UNKNOWN, Refusal.LINE_CONTRADICTED)  # e.g. in size
            if taken if number else not another:
                refusals.append(unfound_line(Refusal.LINE_EXISTS, number, change.quantity))
            else:
                added.append(_new_line(change))
                numbers.add(number)
        elif isinstance(found, LineState):
            by_line.setdefault(found.id, []).append(change)
        elif found is Refusal.LINE_UNKNOWN and command.restates and identifiable(change.line):
            added.append(_new_line(change))
        else:
            refusals.append(unfound_line(found, number, change.quantity))
    return NamedChanges(
        by_line={line_id: tuple(changes) for line_id, changes in by_line.items()},
        added=name_lines(tuple(added), lines),
        refusals=tuple(refusals),
    )


def facts_of(
    outcomes: Iterable[LineOutcome], added: tuple[PlacedLine, ...], marks: Marks, *, declined: bool
) -> tuple[Fact, ...]:
    """What is to be written of a change, the first fact marked; `declined`: it is the seller who cancels."""
    moves = [move for outcome in outcomes for move in outcome.moves]
    notes = tuple(note for outcome in outcomes for note in outcome.notes)
    facts = [
        Fact(kind=kind, units=units, declined=declined and kind is EventKind.LINES_CANCELLED)
        for kind in _KINDS
        if (units := tuple(unit for moved, unit in moves if moved is kind))
    ]
    if added:
        facts.append(Fact(kind=EventKind.LINES_ADDED, placed=added))
    if notes and not facts:
        facts.append(Fact(kind=EventKind.NOTED))
    return (replace(facts[0], notes=notes, marks=marks), *facts[1:]) if facts else ()


def reason_for(change: LineChange, command: ChangeOrder) -> Reason:
    """Why units of a line are moved: the status that rejects them, else the type of the change; where that
    moves nothing itself (section 1.11: NC, PC, RS), the status that did, else what the command says."""
    rejecting = tuple(answer for answer in change.answers if answer.answer is Answer.REJECTED)
    own = NO_REASON if change.change in (Change.CONFIRM, Change.NOTE) else change.reason
    said = (reason_of(rejecting), own, reason_of(change.answers), command.reason)
    return next((reason for reason in said if reason.code or reason.text), NO_REASON)


def said_backwards(changes: tuple[LineChange, ...]) -> tuple[LineChange, ...]:
    """The changes of one line in reverse, each once: what they come to must not depend on their order."""
    if any(change.reading is QuantityReading.DELTA for change in changes):
        return changes[::-1]
    return tuple(dict.fromkeys(reversed(changes)))


def contradictory(line: LineState, changes: tuple[LineChange, ...]) -> LineOutcome:
    """Changes of one line that come to something else in another order (section 6)."""
    words = _few([said(change) for change in changes], " and ")
    return LineOutcome(line=line, refusal=refuse_line(Refusal.CONTRADICTORY, line, None, said=words))


def lateness(order: OrderState, command: ChangeOrder | CancelOrder) -> str:
    """How a change is older than one that was applied, in words; "" when it is not (section 2.7)."""
    applied = _sequence_applied(order, command)
    if _is_older(command.sequence, applied):
        return f"change {command.sequence} came after change {applied}"
    if isinstance(command, CancelOrder):
        return ""
    issued, before = command.issued_at, order.restated_at
    if command.restates and command.by == order.key.buyer and issued and before and issued < before:
        return f"the order restated at {issued:%Y-%m-%d %H:%M} came after the one of {before:%Y-%m-%d %H:%M}"
    return ""


def about_left_out(order: OrderState, command: ChangeOrder, named: NamedChanges) -> Question | None:
    """What to ask before lines that a restated order leaves out are cancelled; None: nothing."""
    missing = [line for line in order.lines if line.open and line.id not in named.by_line]
    if not command.restates or not missing or (named.by_line and command.by == order.key.buyer):
        return None
    po = order.key.po_number
    if not command.lines:
        statement = f"PO {po} is restated without lines: is everything open cancelled?"
    elif not named.by_line:
        statement = f"PO {po} is restated with none of its lines: are they all replaced?"
    else:
        names = _few([line.line for line in missing], ", ")
        statement = f"The seller restates PO {po} without lines {names}: are they declined?"
    cancel = Choice("cancel", f"cancel what is open of the lines left out of PO {po}")
    return Question(statement, (cancel, Choice("ignore", "change nothing")))


def same_sequence(order: OrderState, command: CancelOrder) -> bool:
    """Whether a cancellation has the number of a change that was applied: then it says something else now."""
    applied = _sequence_applied(order, command)
    return bool(command.sequence and applied) and not (
        _is_older(command.sequence, applied) or _is_older(applied, command.sequence)
    )


def marks_of(order: OrderState, command: ChangeOrder | CancelOrder) -> Marks:
    """What the order remembers of the change, so that an older one is known when it comes late."""
    sequence = command.sequence or None
    if command.by == order.key.seller:
        return Marks(seller_change_sequence=sequence)
    if isinstance(command, CancelOrder):
        return Marks(change_sequence=sequence)
    restated_at = command.issued_at if command.restates else None
    if _restates_order(command):
        return Marks(revision=sequence, restated_at=restated_at)
    return Marks(change_sequence=sequence, restated_at=restated_at)


def _new_line(change: LineChange) -> NewLine:
    """The line as it is to be; where the document gave no more than a change, what that says."""
    new = change.new
    if new is None:
        return NewLine(
            number=change.line.number, ids=change.line.ids, quantity=change.quantity, unit=change.unit
        )
    return new if new.quantity is not None else replace(new, quantity=change.quantity)


def _sequence_applied(order: OrderState, command: ChangeOrder | CancelOrder) -> str:
    """The sequence of the last change of this kind by this side (BEG04, BCH05 or BCA05)."""
    if command.by == order.key.seller:
        return order.seller_change_sequence
    restates = isinstance(command, ChangeOrder) and _restates_order(command)
    return order.revision if restates else order.change_sequence


def _restates_order(command: ChangeOrder) -> bool:
    """Whether the change is an order sent again, which counts its revisions apart from change orders."""
    return command.restates and command.source.type == "850"


def _is_older(sequence: str, applied: str) -> bool:
    """As numbers where both are, else as text."""
    if not sequence or not applied:
        return False
    if all(text.isascii() and text.isdigit() for text in (sequence, applied)):
        sequence, applied = sequence.lstrip("0"), applied.lstrip("0")
        return (len(sequence), sequence) < (len(applied), applied)
    return sequence < applied


def _few(words: list[str], between: str) -> str:
    """A list a person can read."""
    more = [f"{len(words) - NAMED_MAX} more"] if len(words) > NAMED_MAX else []
    return between.join(words[:NAMED_MAX] + more)
