"""Objecting: a document that no rule can apply as it stands."""

from dataclasses import dataclass
from enum import Enum, unique

from storage.commands.command import Command
from storage.outcomes import Choice, Question


@unique
class Objection(Enum):
    """A document understood but not usable as it stands, whatever the order says."""

    WRONG_PARTY = "wrong_party"  #: this side of an order does not send such documents
    PURPOSE_NOT_ALLOWED = "purpose_not_allowed"  #: known, but this hub or partner does not take it
    NEEDS_A_PERSON = "needs_a_person"  #: unknown or ambiguous; held with a question


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Command):
    """A document whose purpose cannot be applied by rule. Held or refused, never guessed."""

    objection: Objection
    statement: str  # one sentence: what was said and why it needs a person
    choices: tuple[Choice, ...] = ()  # beside "ignore"; whoever maps the document acts on the answer

    @property
    def question(self) -> Question:
        """What a person is asked."""
        return Question(self.statement, (*self.choices, Choice("ignore", "change nothing")))
