"""What a law is, and what is said where it does not hold."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

ROWS_MAX = 100  # of one breach; the first ones tell the story, and the report must end


@dataclass(frozen=True, slots=True)
class Invariant:
    """A law in one sentence, and how the rows that break it are found."""

    name: str
    promise: str  # of docs/promises.md: G1 to G10
    sentence: str
    query: str = ""  # for the rows that break it; plain SQL for every database; "" when a walk finds them


@dataclass(frozen=True, slots=True)
class Breach:
    """A law that does not hold, and the rows where it does not (the first ROWS_MAX)."""

    invariant: str
    promise: str
    sentence: str
    rows: tuple[Mapping[str, object], ...]


Found = tuple[str, Mapping[str, object]]  # the name of a law, and a row that breaks it
Walk = Callable[[Connection], Iterator[Found]]  # one way through rows that checks several laws
