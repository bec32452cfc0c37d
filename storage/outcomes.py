"""What became of a document, and the question it leaves: words that reports and exit codes share."""

from dataclasses import dataclass
from enum import Enum, unique


@unique
class Outcome(Enum):
    """Of a transaction set, or of anything else that asked the ledger for something."""

    APPLIED = "applied"  #: accepted; events were written, or there was nothing to change
    DUPLICATE = "duplicate"  #: said before; nothing changed
    REFUSED = "refused"  #: understood and not allowed; nothing changed
    HELD = "held"  #: waits for a person; nothing changed
    PARKED = "parked"  #: waits for its order; nothing changed
    FAULTY = "faulty"  #: could not be read
    IGNORED = "ignored"  #: read, and by its own word without effect (a test, an information copy)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer a person can give to a question, and what it would do."""

    name: str
    effect: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is held: what was said, why it is not clear, and the choices."""

    statement: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A person's answer: the name of a choice, and the question about which order it was given to.

    `question` None: the answer came beside the statement, to whatever that raises.
    """

    choice: str
    question: Question | None = None
    po_number: str = ""  # "": of any order the document is about

    def fits(self, asked: Question) -> bool:
        """Whether it answers this question, alone or among others that were asked in one."""
        effects = {choice.name: choice.effect for choice in asked.choices}
        if self.question is None or self.choice not in effects:
            return self.choice in effects
        whole = {choice.name: choice.effect for choice in self.question.choices}
        return asked.statement in self.question.statement and effects[self.choice] in whole[self.choice]
