"""Answers: what the API gives, as its description has it, and how it is made of what the ledger says."""

from collections.abc import Iterator
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from pipeline.api.problems import ApiProblem
from pipeline.report import MOVES, Json, SetReport, refusal_json, with_result
from pipeline.views import order_json
from storage import queries
from storage.ledger import Result
from storage.outcomes import Outcome, Question
from storage.quantities import plain
from storage.queries import LinesAt, Mark
from storage.refusals import RefusedLine

HASH_CHARS = 16  # of an event's hash, in an ETag; its number stands before it


class LineOut(BaseModel):
    """A line: ordered = fulfilled + cancelled + open. Quantities are plain decimals."""

    line: str
    ids: dict[str, str]
    unit: str
    description: str
    ordered: str
    fulfilled: str
    cancelled: str
    requested: str = Field(description="Of what is open: what the buyer asked to cancel.")
    open: str


class MovedOut(BaseModel):
    """Units of a line."""

    line: str
    quantity: str


class EventUnits(MovedOut):
    """Units that an event moved."""

    reason: str


class EventOut(BaseModel):
    """Something that happened to the order, and the document or person that said so."""

    at: str
    kind: str
    by: str
    actor: str = Field(
        description="Your own person or key; `staff` of the hub; `partner`: somebody of the other party;"
        " `deadline`: nobody, a time was over. Empty for a document."
    )
    reason: str
    reason_text: str
    note: str
    notes: list[str]
    reference: str
    answer_by: str | None = Field(description="Of a request to cancel: when it lapses; null: never.")
    source: dict[str, str]
    lines: list[EventUnits]


class SummaryOut(BaseModel):
    """An order as lists show it."""

    id: int
    po_number: str
    release: str
    buyer: str
    seller: str
    status: str
    placed_at: str
    answer_by: str | None = Field(
        description="When the first request to cancel that waits lapses; null: none waits, or for ever."
    )


class TotalsOut(BaseModel):
    """The quantities of the lines that are counted in one unit of measure, added up."""

    unit: str
    ordered: str
    fulfilled: str
    cancelled: str
    requested: str = Field(description="Of what is open: what the buyer asked to cancel.")
    open: str


class RowOut(SummaryOut):
    """An order in a list, with its quantities."""

    totals: list[TotalsOut]


class OrderOut(SummaryOut):
    """An order as it stands."""

    lines: list[LineOut]
    events: list[EventOut]


class RefusalOut(BaseModel):
    """Why something cannot be, and the figures."""

    code: str
    number: int
    line: str | None
    message: str
    asked: str | None
    ordered: str | None
    fulfilled: str | None
    cancelled: str | None
    requested: str | None = Field(description="Of what is open: what the buyer asked to cancel.")
    open: str | None


class DoneOut(BaseModel):
    """What a request did: nothing, when the outcome is `duplicate`, for it was so already."""

    outcome: str
    placed: list[MovedOut]
    cancelled: list[MovedOut]
    requested: list[MovedOut] = Field(description="Asked for: the seller has to answer.")
    withdrawn: list[MovedOut] = Field(description="Asked for before, and no longer.")
    kept: list[MovedOut] = Field(description="Asked for, and the seller does not agree.")
    fulfilled: list[MovedOut]
    not_done: list[RefusalOut] = Field(description="What of the order could not be cancelled, and why.")
    notes: list[str]


class ChangedOut(OrderOut):
    """An order as it stands after a request, and what the request did."""

    done: DoneOut


class PageOut(BaseModel):
    """Orders, newest first; `next` is the cursor of the next page, null on the last."""

    orders: list[RowOut]
    next: str | None


class ChoiceOut(BaseModel):
    """One answer to what was asked back."""

    name: str
    effect: str


class FaultOut(BaseModel):
    """Where a request is not as described, and what to do."""

    place: str
    message: str


class ProblemOut(BaseModel):
    """Every answer that is no success (RFC 9457). `type` keeps its meaning; a refusal names its figures."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str | None = None
    line: str | None = None
    asked: str | None = None
    ordered: str | None = None
    fulfilled: str | None = None
    cancelled: str | None = None
    requested: str | None = None
    open: str | None = None
    refusals: list[RefusalOut] | None = None
    choices: list[ChoiceOut] | None = None
    faults: list[FaultOut] | None = Field(default=None, description="Of `invalid`: what is wrong, and where.")
    scope: str | None = Field(default=None, description="Of `scope-missing`: what the key would need.")


_FIGURES = ("line", "asked", "ordered", "fulfilled", "cancelled", "requested", "open")
_SHOWN = ("placed", "cancelled", "requested", "withdrawn", "kept", "fulfilled")


def etag_of(order_id: int, mark: Mark) -> str:
    """Another one for whatever happened to the order."""
    return f'"{order_id}-{mark.sequence}-{mark.hash[:HASH_CHARS]}"'


def order_of(tx: Connection, order_id: int, reader: str, *, lines: LinesAt | None = None) -> tuple[Json, str]:
    """The order as it stands and as this party may know it, and its ETag; it is known to be there."""
    view = queries.get_order(tx, order_id, lines=lines)
    assert view is not None
    return {"id": order_id, **order_json(view, reader)}, etag_of(order_id, view.mark)


def left_by(result: Result) -> LinesAt | None:
    """The lines as the last event of the only command left them; None where nothing happened."""
    entry = result.entries[0]
    return (entry.events[-1].sequence, entry.after.lines) if entry.events and entry.after else None


def done_of(result: Result) -> Json:
    """What the ledger did."""
    report = with_result(SetReport(type="", control_number="", outcome=result.outcome), result)
    moved: dict[str, list[Json]] = {how: [] for how in MOVES}
    for units in report.moved:
        moved[units.how].append({"line": units.line, "quantity": units.quantity})
    return {
        "outcome": result.outcome.value,
        **{how: moved[how] for how in _SHOWN},
        "not_done": [refusal_json(refusal) for refusal in report.refusals],
        "notes": list(report.notes),
    }


def no_of(result: Result) -> ApiProblem | None:
    """The ledger's no, or what it asks back; None when it said yes."""
    decisions = [entry.decision for entry in result.entries]
    if result.outcome is Outcome.REFUSED:
        return refusal_problem(tuple(r for decision in decisions for r in decision.refusals))
    question = next((decision.question for decision in decisions if decision.question), None)
    if question is None:
        return None
    choices = [{"name": choice.name, "effect": choice.effect} for choice in question.choices]
    title = "This can be read in more than one way, and nothing was done: say which is meant, in `answer`."
    detail = " ".join((*_no_choices(result, question), question.statement))
    return ApiProblem(409, "which-is-meant", title, detail, choices=choices)


def _no_choices(result: Result, question: Question) -> Iterator[str]:
    """The answers that were given beside the request and that nobody asked for."""
    names = [choice.name for choice in question.choices]
    for given in result.entries[0].command.answers:
        if given.choice not in names:
            yield f"`{given.choice}` is none of the choices: {', '.join(names)}."


def refusal_problem(refusals: tuple[RefusedLine, ...]) -> ApiProblem:
    """A refusal as a problem: the gravest names the type, and all are listed."""
    first = min(refusals, key=lambda one: one.refusal.number)
    figures = {name: getattr(first, name) for name in _FIGURES}
    said = {name: plain(value) if isinstance(value, Decimal) else value for name, value in figures.items()}
    title = f"{first.refusal.sentence[:1].upper()}{first.refusal.sentence[1:]}."
    problem = ApiProblem(409, type_name(first), title, first.message)
    problem.members = {name: value for name, value in said.items() if value not in (None, "")}
    problem.members["refusals"] = [refusal_json(refusal) for refusal in refusals]
    return problem


def type_name(refused: RefusedLine) -> str:
    """The last part of a refusal's type."""
    return refused.refusal.name.lower().replace("_", "-")
