"""Origin: where a document came from, and what all its commands say alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from pipeline.partners import Directory, Partner
from pipeline.policy import Policy
from storage.commands import DocumentKey, Locator, Source, Submission
from storage.outcomes import Given


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a document came from. `answers` are persons', when it was held before.

    `order_hash` is of an 850 as if it were an original: a copy (BEG01=07) and what it copies have the same.
    """

    sender: Partner
    receiver: Partner | None  # None: the hub itself
    source: Source
    at: datetime
    content_hash: str
    order_hash: str = ""
    directory: Directory
    issued_at: datetime | None = None  # ISA09 and ISA10
    answers: tuple[Given, ...] = ()

    @property
    def policy(self) -> Policy:
        """The sender's: it says how the sender's documents are read."""
        return self.sender.policy

    def answered(self, choice: str) -> bool:
        """Whether a person chose it, of a question that the document raises by its words alone."""
        return any(given.choice == choice for given in self.answers)

    def key(self, kind: str, *parts: str) -> DocumentKey:
        """The document's business identity (spec 2.6): the sender, the kind, and what names it."""
        return DocumentKey(
            partner=self.sender.id, kind=kind, key="|".join(parts), content_hash=self.content_hash
        )

    def change_key(self, kind: str, order: Locator, number: str, named: str) -> DocumentKey:
        """A change is named by its number; without one by `named` and its content."""
        content = () if number else (named, self.content_hash)
        return self.key(kind, *order_parts(order), number, *content)


@dataclass(frozen=True, slots=True)
class WithoutEffect:
    """A document that by its own word changes nothing here, and why."""

    reason: str


Mapped = Submission | WithoutEffect


class Statement(TypedDict):
    """What every command of one document about one order has."""

    order: Locator
    by: str
    at: datetime
    source: Source
    answers: tuple[Given, ...]


def statement(origin: Origin, order: Locator) -> Statement:
    return Statement(
        order=order,
        by=origin.sender.id,
        at=origin.at,
        source=origin.source,
        answers=origin.answers,
    )


def order_parts(order: Locator) -> tuple[str, ...]:
    """The order in a document's identity: one number with two partners, or of two releases, is two orders."""
    return (order.buyer, order.seller, order.po_number, order.release)
