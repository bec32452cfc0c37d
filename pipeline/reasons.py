"""Reasons: the closed list of why units are cancelled, in words and in X12, for people, API and app alike.

A document brings the code of its own list; what is entered or comes over HTTP takes its reason from here.
"""

from dataclasses import dataclass
from enum import Enum, unique

from storage.commands import Reason


@dataclass(frozen=True, slots=True)
class Meaning:
    """In words; as a line's status in an 855 or 865 (668, ACK01); as an item's state in an 870 (368, ISR01).

    ACK01 has no code for most reasons: a seller's line is rejected (IR), what a buyer drops is deleted (ID).
    """

    words: str
    acknowledged: str
    reported: str = "IC"  # item cancelled


@unique
class CancelReason(Enum):
    """Why units are cancelled."""

    OUT_OF_STOCK = "out_of_stock"
    DISCONTINUED = "discontinued"
    NOT_AGREED = "not_agreed"
    WRONG_ITEM = "wrong_item"
    WRONG_UNIT = "wrong_unit"
    WRONG_PRICE = "wrong_price"
    TOO_LATE = "too_late"
    CANNOT_SHIP_THERE = "cannot_ship_there"
    CREDIT = "credit"
    ORDERED_TWICE = "ordered_twice"
    ORDERED_BY_MISTAKE = "ordered_by_mistake"
    NO_LONGER_WANTED = "no_longer_wanted"
    OTHER = "other"

    @property
    def meaning(self) -> Meaning:
        """In words and in X12."""
        return _MEANINGS[self]

    @property
    def reason(self) -> Reason:
        """As the ledger keeps it."""
        return Reason(self.value, self.meaning.words)


_REJECTED, _DELETED = "IR", "ID"
_MEANINGS = {
    CancelReason.OUT_OF_STOCK: Meaning("Out of stock", "R4", "DS"),
    CancelReason.DISCONTINUED: Meaning("Item discontinued", "R4", "DI"),
    CancelReason.NOT_AGREED: Meaning("Item is not in the agreement", "R1"),
    CancelReason.WRONG_ITEM: Meaning("Item number is wrong", "R2"),
    CancelReason.WRONG_UNIT: Meaning("Unit of measure is wrong", "R3"),
    CancelReason.WRONG_PRICE: Meaning("Price is wrong", _REJECTED),
    CancelReason.TOO_LATE: Meaning("Cannot be delivered in time", _REJECTED),
    CancelReason.CANNOT_SHIP_THERE: Meaning("Cannot be delivered to this address", _REJECTED),
    CancelReason.CREDIT: Meaning("Credit or payment", _REJECTED),
    CancelReason.ORDERED_TWICE: Meaning("Ordered twice", _DELETED),
    CancelReason.ORDERED_BY_MISTAKE: Meaning("Ordered by mistake", _DELETED),
    CancelReason.NO_LONGER_WANTED: Meaning("No longer wanted", _DELETED),
    CancelReason.OTHER: Meaning("Another reason", _REJECTED),
}


def reason_said(code: str) -> Reason:
    """What a person typed: one of the list, or a code of X12 as it is; "" is none."""
    named = named_reason(code)
    return named.reason if named else Reason(code)


def named_reason(code: str) -> CancelReason | None:
    """The reason of the list with this name; None for a document's own code."""
    try:
        return CancelReason(code)
    except ValueError:
        return None


def reason_words(reason: Reason) -> str:
    """The reason in words with the code in brackets."""
    if named_reason(reason.code):
        return reason.text  # of our own list, whose names are for machines
    if not reason.text:
        return f"Code {reason.code}" if reason.code else ""
    return f"{reason.text} [{reason.code}]" if reason.code else reason.text
