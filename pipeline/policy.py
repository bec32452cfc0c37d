"""Policy: what was agreed with one partner, each switch with its default, the reading that can do least harm.

Shapes only. `pipeline.policy_settings` reads them; docs/policies.md shows what each changes on a document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, unique
from types import MappingProxyType

from storage.commands import (
    Backorder,
    BuyerCancel,
    CloseRest,
    OverShip,
    PartShipped,
    QuantityReading,
    ShortAccept,
)

#: The purposes (353) that are read by rule, by set: what an override may turn another one into (spec 1.8).
PURPOSES_READ: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "850": ("00", "01", "04", "05", "06", "07", "17", "18", "22"),
        "855": ("00", "01", "04", "05", "06", "07", "22"),
        "856": ("00", "01", "04", "05", "07", "22"),
        "860": ("00", "01", "04", "05", "06", "07", "17", "22"),
        "865": ("00", "01", "04", "05", "06", "07", "11", "22"),
    }
)


@unique
class RefusalAnswer(Enum):
    """Which X12 document carries the ledger's no."""

    ADVICE = "824"  #: application advice
    CHANGE_ACKNOWLEDGMENT = "865"  #: purchase order change acknowledgment
    NONE = "none"  #: no document; a person at the partner is written to


@unique
class Acknowledge(Enum):
    """Whether functional groups are answered."""

    FUNCTIONAL = "997"  #: one 997 per functional group
    NONE = "none"  #: nothing; only where the partner cannot take one


@unique
class AsnWithdraw(Enum):
    """What a ship notice that withdraws or replaces an earlier one does (BSN01 01, 04, 05; spec 2.5)."""

    REFUSE = "refuse"  #: nothing; what was shipped stays shipped
    REOPEN = "reopen"  #: its units are open again, never cancelled


@unique
class ShortIsa(Enum):
    """What becomes of an ISA that lost its padding (spec 3)."""

    REJECT = "reject"  #: answered by a TA1, and not used
    READ = "read"  #: read by counting its separators


@unique
class Tell(Enum):
    """How a partner is told that the other side cancelled."""

    EMAIL = "email"  #: by e-mail
    EDI = "edi"  #: by an 860 to a seller, by an 865 or 855 to a buyer
    BOTH = "both"  #: by both


@unique
class ChangeAnswer(Enum):
    """What answers a buyer's 860 in the seller's name."""

    NONE = "none"  #: nothing; the seller answers itself
    CHANGE_ACKNOWLEDGMENT = "865"  #: an 865 with what the ledger decided


@unique
class OrderAnswer(Enum):
    """What answers a buyer's 850 in the seller's name."""

    NONE = "none"  #: nothing; the seller answers itself
    ACKNOWLEDGMENT = "855"  #: an 855 with what the ledger decided


@unique
class Release(Enum):
    """The X12 release of documents that we begin; an answer is written in the release of what it answers."""

    R004010 = "004010"
    R005010 = "005010"


@dataclass(frozen=True, slots=True)
class Aliases:
    """A partner's own codes, each with the one used here; a code that is not among them stays as it is."""

    pairs: tuple[tuple[str, str], ...] = ()

    def of(self, code: str) -> str:
        return next((ours for theirs, ours in self.pairs if theirs == code), code) if self.pairs else code


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What was agreed with one partner.

    A document is read by its sender's policy, and the partner who is written to is written to by its own.
    Whether a cancellation is effective, and what it does to a part-shipped order, is the buyer's policy.
    """

    # Reading a buyer's documents

    buyer_cancel: BuyerCancel = BuyerCancel.EFFECTIVE
    """Whether this buyer's cancellation stands by itself, or is a request until the seller agrees."""

    request_deadline_hours: int = 0
    """How long the seller has to answer a request; then it lapses, and the units stay open. 0: for ever."""

    cancel_part_shipped: PartShipped = PartShipped.REST
    """What cancelling a whole order does once part of it is fulfilled: cancel the open rest, or nothing."""

    poc_quantity: QuantityReading = QuantityReading.NEW_TOTAL
    """What POC03 and POC04 of this partner's 860 or 865 mean (spec 2.3); what cannot be true is refused."""

    zero_is_cancel: bool = False
    """Whether an 850 whose every PO102 is 0 cancels the order; else it is an order like any other."""

    # Reading a seller's documents

    short_accept: ShortAccept = ShortAccept.HOLD
    """What accepting less than was ordered, the rest not mentioned, does: ask a person or cancel the rest."""

    fill_or_kill: bool = False
    """Whether what this seller calls backordered is cancelled; else it stays open."""

    ship_and_close: CloseRest = CloseRest.NEVER
    """What a shipment cancels of what it leaves open: nothing, the rest of its lines, or of the order."""

    over_ship: OverShip = OverShip.REFUSE
    """What shipping more than is open does: refuse the notice, or fulfil what is open and flag the excess."""

    over_ship_percent: int = 0
    """How much of a line's quantity may be shipped in excess where it is flagged, in per cent (0 to 100)."""

    asn_withdraw: AsnWithdraw = AsnWithdraw.REFUSE
    """What withdrawing or replacing an earlier ship notice does: nothing, or its units are open again."""

    # Reading anything this partner sends

    purposes: tuple[tuple[str, Aliases], ...] = ()
    """By set, purposes (353) of this partner that mean another one, such as 850: 03 means 01. None."""

    unit_aliases: Aliases = Aliases()
    """Units of measure (355) of this partner that are another one, such as PC for EA. None."""

    qualifier_aliases: Aliases = Aliases()
    """Product id qualifiers (235) of this partner that are another one, such as VP for VN. None."""

    short_isa: ShortIsa = ShortIsa.REJECT
    """Whether an ISA that lost its padding is rejected, or read by counting its separators."""

    isa13_reset_days: int = 0
    """After how many days an interchange control number may come again with other content; 0: never."""

    # Waiting

    park_hours: int = 24
    """How long a document waits for its order before its sender is told that there is none."""

    hold_hours: int = 0
    """How long a document waits for a person before its sender is told no; 0: until a person answers."""

    # Answering and telling this partner

    acknowledge: Acknowledge = Acknowledge.FUNCTIONAL
    """Whether a 997 is left in the partner's delivery folder for every functional group it sends."""

    answer_refusal: RefusalAnswer = RefusalAnswer.ADVICE
    """What answers a document of this partner that the ledger refused: an 824, to a buyer an 865, or none."""

    answer_change: ChangeAnswer = ChangeAnswer.NONE
    """Whether this buyer's 860 is answered in the seller's name, by an 865; by default the seller answers."""

    answer_order: OrderAnswer = OrderAnswer.NONE
    """Whether this buyer's 850 is answered in the seller's name, by an 855; by default the seller answers."""

    tell: Tell = Tell.EMAIL
    """How this partner is told that the other side cancelled: by e-mail, by X12 document, or by both."""

    release: Release = Release.R004010
    """The X12 release of what we send this partner, where it is no answer to something it sent."""

    @property
    def backorder(self) -> Backorder:
        """What becomes of units that this seller calls backordered."""
        return Backorder.CANCEL if self.fill_or_kill else Backorder.KEEP

    def answer_by(self, at: datetime) -> datetime | None:
        """When a request made at `at` lapses; None: never."""
        hours = self.request_deadline_hours
        return at + timedelta(hours=hours) if hours else None

    def purpose(self, set_type: str, code: str) -> str:
        """The purpose that this partner's purpose code on such a set means."""
        return next((aliases.of(code) for set_, aliases in self.purposes if set_ == set_type), code)
