"""Origin: where a document came from, and what all its commands say alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from pipeline.partners import Directory, Partner
from pipeline.policy import Policy
from storage.commands import DocumentKey, Locator, Source, Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a document came from. `resolution` is a person's answer, when it was held before."""

    sender: Partner
    receiver: Partner | None  # None: the hub itself
    source: Source
    at: datetime
    content_hash: str
    directory: Directory
    issued_at: datetime | None = None  # ISA09 and ISA10
    resolution: str = ""

    @property
    def policy(self) -> Policy:
        """The sender's: it says how the sender's documents are read."""
        return self.sender.policy

    def answered(self, choice: str) -> bool:
        return choice in self.resolution.split(",")

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
    resolution: str


def statement(origin: Origin, order: Locator) -> Statement:
    return Statement(
        order=order,
        by=origin.sender.id,
        at=origin.at,
        source=origin.source,
        resolution=origin.resolution,
    )


def order_parts(order: Locator) -> tuple[str, ...]:
    """The order in a document's identity: one number with two partners, or of two releases, is two orders."""
    return (order.buyer, order.seller, order.po_number, order.release)
