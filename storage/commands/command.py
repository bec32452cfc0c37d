"""What every command carries: who says it and where, which order and which lines are meant, and why."""

from dataclasses import dataclass
from datetime import datetime

from storage.orders import ItemId
from storage.outcomes import Given


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a command came from. All empty but `actor` for what a person entered."""

    actor: str = ""  # "staff", a user's address, or "" for a document
    file: str = ""  # the received file's name, as shown to people
    interchange: str = ""
    group: str = ""
    set: str = ""
    type: str = ""  # e.g. "850"; "" for a command entered by hand

    @property
    def identity(self) -> str:
        """The interchange this came in, by its file; "" for what a person entered."""
        return f"{self.file}|{self.interchange}" if self.file else ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code of the channel that said it and in words."""

    code: str = ""
    text: str = ""


NO_REASON = Reason()


@dataclass(frozen=True, slots=True, kw_only=True)
class Locator:
    """Which order is meant. A party left "" is not known to the sender; the other must be given.

    `exact`: the release is part of the order's name; else a document may mean the order without one.
    """

    buyer: str = ""
    seller: str = ""
    po_number: str
    release: str = ""
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReference:
    """How a document points at a line: the assigned number, item ids, or both."""

    number: str = ""
    ids: tuple[ItemId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command carries. `by` is the partner the statement comes from."""

    order: Locator
    by: str
    at: datetime  # aware, UTC
    source: Source
    reason: Reason = NO_REASON
    note: str = ""
    answers: tuple[Given, ...] = ()  # a person's, to what was held, first to last
    answer_by: datetime | None = None  # what it only asks for lapses then, unless the seller has answered


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKey:
    """The business identity of a document: the first three name it, the hash says whether it is the same."""

    partner: str
    kind: str
    key: str
    content_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One document's commands (one per order it speaks of): applied together or not at all."""

    commands: tuple[Command, ...]
    document: DocumentKey | None = None  # None for what a person entered
