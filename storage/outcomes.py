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
