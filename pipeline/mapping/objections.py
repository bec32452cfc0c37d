"""Objections: documents understood but not usable by rule: held with a question or refused, never guessed."""

from dataclasses import dataclass

from edi.codes import words
from pipeline.mapping.origin import Origin, statement
from pipeline.partners import Role
from storage.commands import Locator, Object, Objection, Submission
from storage.outcomes import Choice

STATEMENTS_MAX = 5  # in one question; the choices are about all of them


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something in a document that only a person can tell."""

    statement: str
    choices: tuple[Choice, ...] = ()


def cancel_all(po_number: str) -> Choice:
    """The choice to take an unclear document for a cancellation of the whole order."""
    return Choice("cancel", f"cancel everything open on PO {po_number}")


def held(origin: Origin, order: Locator, statement: str, *choices: Choice) -> Submission:
    """A question for a person; "ignore" is offered with every question."""
    return _objection(origin, order, Objection.NEEDS_A_PERSON, statement, choices)


def held_doubts(origin: Origin, order: Locator, doubts: list[Doubt], *more: Choice) -> Submission:
    """All the doubts in one question; each choice is offered once."""
    choices = {choice.name: choice for doubt in doubts for choice in doubt.choices}
    statements = list(dict.fromkeys(doubt.statement for doubt in doubts))
    said = " ".join(statements[:STATEMENTS_MAX])
    if len(statements) > STATEMENTS_MAX:
        said += f" The same is to be asked {len(statements) - STATEMENTS_MAX} more times."
    return held(origin, order, said, *choices.values(), *more)


def refused_purpose(origin: Origin, order: Locator, kind: str, purpose: str, why: str) -> Submission:
    """A purpose (353) that is known and not taken on this kind of document."""
    said = f"Purpose {purpose} ({words('353', purpose)}) is not taken on an {kind}: {why}"
    return _objection(origin, order, Objection.PURPOSE_NOT_ALLOWED, said, ())


def wrong_party(origin: Origin, po_number: str) -> Submission:
    """A seller's document from a buyer, or the other way round: refused, whatever it says (event 34)."""
    buys = origin.sender.role is Role.BUYER
    order = Locator(
        buyer=origin.sender.id if buys else "", seller="" if buys else origin.sender.id, po_number=po_number
    )
    side, other = ("buyer", "seller") if buys else ("seller", "buyer")
    said = f"An {origin.source.type} is the {other}'s to send, and {origin.sender.name} is a {side}."
    return _objection(origin, order, Objection.WRONG_PARTY, said, ())


def _objection(
    origin: Origin, order: Locator, objection: Objection, said: str, choices: tuple[Choice, ...]
) -> Submission:
    command = Object(**statement(origin, order), objection=objection, statement=said, choices=choices)
    return Submission(commands=(command,))
