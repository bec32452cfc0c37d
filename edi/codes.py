"""Codes: X12's own code values, with our words for people, and the short lists that steer the readers.

The words are for e-mail and reports. Meanings of 353, 587, 668 and 670 are the dictionary's (spec 1.8-1.11).
Lists that are only shown, never followed, are in `edi.code_words`.
"""

from collections.abc import Mapping
from enum import Enum, unique
from types import MappingProxyType

from edi.code_words import WORDS

#: GS01 (479) to the transaction sets (ST01, 143) that may stand in such a group (spec 1.1).
SETS_OF_GROUP = MappingProxyType(
    {
        "PO": ("850",),
        "PR": ("855",),
        "SH": ("856",),
        "PC": ("860",),
        "CA": ("865",),
        "RS": ("870",),
        "AG": ("824",),
        "FA": ("997", "999"),
    }
)

#: Releases (first six characters of GS08) that the guide has maps for.
RELEASES = ("004010", "005010")


class _Worded(Enum):
    """A code with its words: the value is the X12 code; `words` is ours."""

    words: str

    def __new__(cls, value: str, words: str) -> "_Worded":
        member = object.__new__(cls)
        member._value_ = value
        member.words = words
        return member


@unique
class Purpose(_Worded):
    """Transaction set purpose, element 353: BEG01, BAK01, BSN01, BCH01, BCA01."""

    ORIGINAL = "00", "original"
    CANCELLATION = "01", "cancellation"
    ADD = "02", "addition"
    DELETE = "03", "deletion"
    CHANGE = "04", "change"
    REPLACE = "05", "replacement of an earlier one"
    CONFIRMATION = "06", "confirmation"
    DUPLICATE = "07", "duplicate of an earlier one"
    STATUS = "08", "status"
    RESPONSE = "11", "response"
    NOT_PROCESSED = "12", "not processed"
    REQUEST = "13", "request"
    ADVANCE_NOTIFICATION = "14", "advance notice"
    RESUBMISSION = "15", "sent again"
    PROPOSED = "16", "proposal"
    CANCEL_TO_BE_REISSUED = "17", "cancellation, a new one will follow"
    REISSUE = "18", "issued anew"
    SELLER_CHANGE = "19", "change begun by the seller"
    FINAL_TRANSMISSION = "20", "final transmission"
    ON_HOLD = "21", "on hold"
    INFORMATION_COPY = "22", "copy for information"
    DRAFT = "24", "draft"
    INCREMENTAL = "25", "increment"
    REJECTION = "44", "rejection"
    CORRECTED = "CO", "correction"
    SIMULATION = "77", "exercise"
    MUTUALLY_DEFINED = "ZZ", "as agreed between the partners"


@unique
class AcknowledgmentType(_Worded):
    """Acknowledgment type, element 587: BAK02, BCA02, and BEG07 as the kind wanted."""

    DETAIL_AND_CHANGE = "AC", "acknowledged with detail and change"
    DETAIL_NO_CHANGE = "AD", "acknowledged with detail, no change"
    EXCEPTION_DETAIL = "AE", "acknowledged with exception detail only"
    HOLD = "AH", "acknowledged, on hold"
    NO_DETAIL = "AK", "acknowledged without detail or change"
    REPLENISHMENT = "AP", "acknowledged as product replenishment"
    ACCEPTED = "AT", "accepted"
    NOT_NEEDED = "NA", "no acknowledgment needed"
    REJECT_WITH_DETAIL = "RD", "rejected with detail"
    REJECT_EXCEPTION_DETAIL = "RF", "rejected with exception detail only"
    REJECTED = "RJ", "rejected"
    REJECTED_NOT_AS_AGREED = "RN", "rejected: not as agreed"
    REJECTED_COUNTER_OFFER = "RO", "rejected with a counter offer"
    REJECTED_VIOLATES_PRACTICE = "RV", "rejected: against the industry's practice"
    MUTUALLY_DEFINED = "ZZ", "as agreed between the partners"


@unique
class StatusClass(Enum):
    """What a line item status says about units (spec 1.10)."""

    ACCEPT = "accept"  #: the units will be delivered
    MIXED = "mixed"  #: BP: part shipped, the rest backordered; partners differ on which part is named
    OPEN = "open"  #: backordered: the units stay open
    REDUCE = "reduce"  #: IQ: the quantity is the new accepted one
    CANCEL = "cancel"  #: the units will not be delivered
    HOLD = "hold"  #: the units stay open and wait


@unique
class LineItemStatus(_Worded):
    """Line item status, element 668: ACK01 and SN108."""

    ACCEPTED_FORWARDED = "AA", "accepted: forwarded to another supplier location"
    ACCEPTED_AND_SHIPPED = "AC", "accepted and shipped"
    ACCEPTED_AND_RELEASED = "AR", "accepted and released for shipment"
    PARTIAL_SHIPMENT = "BP", "accepted: part shipped, the balance backordered"
    DATE_RESCHEDULED = "DR", "accepted: date rescheduled"
    ACCEPTED = "IA", "accepted"
    BACKORDERED = "IB", "backordered"
    CHANGES_MADE = "IC", "accepted: changes made"
    DELETED = "ID", "deleted"
    PRICE_PENDING = "IE", "accepted: price pending"
    HOLD_DESCRIPTION = "IF", "on hold: incomplete description"
    HOLD = "IH", "on hold"
    PRICE_CHANGED = "IP", "accepted: price changed"
    QUANTITY_CHANGED = "IQ", "accepted: quantity changed"
    REJECTED = "IR", "rejected"
    SUBSTITUTION = "IS", "accepted: substitution made"
    HOLD_WAIVER = "IW", "on hold: waiver required"
    REJECTED_NOT_CONTRACT = "R1", "rejected: not a contract item"
    REJECTED_ITEM_NUMBER = "R2", "rejected: invalid item number"
    REJECTED_UNIT = "R3", "rejected: invalid unit of issue"
    REJECTED_NOT_AVAILABLE = "R4", "rejected: contract item not available"
    REJECTED_JUST_IN_TIME = "R5", "rejected: order it again as just in time"
    REJECTED_EXTENDED_DELIVERY = "R6", "rejected: order it again with extended delivery"
    REJECTED_DROP_SHIPMENT = "R7", "rejected: order it again as a drop shipment"
    REJECTED_SURGE = "R8", "rejected: order it again as a surge order"
    REJECTED_DISCONTINUED = "R9", "rejected: discontinued"
    SCHEDULE_PENDING = "SP", "accepted: schedule date pending"


_CLASSES = {
    StatusClass.ACCEPT: "AA AC AR DR IA IC IE IP IS SP",
    StatusClass.MIXED: "BP",
    StatusClass.OPEN: "IB",
    StatusClass.REDUCE: "IQ",
    StatusClass.CANCEL: "ID IR R1 R2 R3 R4 R5 R6 R7 R8 R9",
    StatusClass.HOLD: "IF IH IW",
}

#: 668 code to its class; a code that is not here is unknown and must not be guessed at.
STATUS_CLASS = MappingProxyType({code: kind for kind, codes in _CLASSES.items() for code in codes.split(" ")})


@unique
class ChangeClass(Enum):
    """What a change or response type says about a line (spec 1.11)."""

    DELETE = "delete"  #: all that is open of the line is cancelled, whatever POC03 says
    DECREASE = "decrease"  #: fewer units
    INCREASE = "increase"  #: more units
    QUANTITY_CHANGE = "quantity_change"  #: QC: the amounts stand in the composite of POC04
    CANCEL_ORDER = "cancel_order"  #: the whole order, said at a line
    ADD = "add"  #: a line the order did not have
    SET = "set"  #: POC03 is the quantity wanted, more or fewer
    NOTE = "note"  #: price, dates or terms; never units
    CONFIRM = "confirm"  #: nothing changes
    REFUSE = "refuse"  #: the other side's change is refused
    REPLACE = "replace"  #: one line for another; which is for a person to say
    TRANSFER = "transfer"  #: a line goes elsewhere; where is for a person to say
    IGNORE = "ignore"  #: announcements and packing: nothing about the order


@unique
class ChangeType(_Worded):
    """Change or response type, element 670 (POC02). AA and QC came after 004010."""

    PACKING = "AA", "packing"
    ADD = "AI", "item added"
    CHANGES = "CA", "item changed"
    DATE_TERMS = "CB", "date terms changed"
    TERMS = "CC", "terms changed"
    ITEM_ALLOWANCE = "CE", "allowance or charge of the item changed"
    CANCEL_ORDER = "CF", "whole order cancelled"
    TOTAL_ALLOWANCE = "CG", "allowance or charge of the order changed"
    CONFIRMATION_CHANGED = "CH", "confirmation of an announcement changed"
    REVISION_CHANGED = "CI", "confirmation of a revised announcement changed"
    DATES = "CT", "dates changed"
    DELETE = "DI", "item deleted"
    MULTIPLE = "MU", "price, quantity and schedule changed"
    NO_CHANGE = "NC", "no change"
    REVISION_CONFIRMED = "OA", "revised announcement confirmed"
    ANNOUNCEMENT_CONFIRMED = "OC", "announcement confirmed"
    PRICE = "PC", "price changed"
    PRICE_AND_QUANTITY = "PQ", "price and quantity changed"
    PRICE_AND_SCHEDULE = "PR", "price and schedule changed"
    QUANTITY_CHANGE = "QC", "quantity changed"
    QUANTITY_DECREASE = "QD", "quantity decreased"
    QUANTITY_INCREASE = "QI", "quantity increased"
    REPLACE_MODE = "RA", "mode of shipment replaced"
    REPLACE_DATES = "RB", "all dates replaced"
    REJECT_CHANGE = "RC", "change refused"
    REPLACEMENT = "RE", "item replaced"
    MODIFIED_REPLACEMENT = "RM", "item replaced by a modified one"
    RESCHEDULE_AND_QUANTITY = "RQ", "schedule and quantity changed"
    RESCHEDULE = "RS", "rescheduled"
    REPLACE_ALL = "RZ", "all values replaced"
    TRANSFER = "TI", "item transferred"


_CHANGES = {
    ChangeClass.DELETE: "DI",
    ChangeClass.DECREASE: "QD",
    ChangeClass.INCREASE: "QI",
    ChangeClass.QUANTITY_CHANGE: "QC",
    ChangeClass.CANCEL_ORDER: "CF",
    ChangeClass.ADD: "AI",
    ChangeClass.SET: "CA MU PQ RQ RZ",
    ChangeClass.NOTE: "CB CC CE CG CT PC PR RA RB RS",
    ChangeClass.CONFIRM: "NC",
    ChangeClass.REFUSE: "RC",
    ChangeClass.REPLACE: "RE RM",
    ChangeClass.TRANSFER: "TI",
    ChangeClass.IGNORE: "AA CH CI OA OC",
}

#: 670 code to its class; a code that is not here is unknown and must not be guessed at.
CHANGE_CLASS = MappingProxyType({code: kind for kind, codes in _CHANGES.items() for code in codes.split(" ")})


@unique
class ReportClass(Enum):
    """What an order status says about units (spec 1.6)."""

    CANCEL_ITEM = "cancel_item"  #: the item's units will not be delivered
    CANCEL_ORDER = "cancel_order"  #: the whole order will not be delivered
    UNCLEAR = "unclear"  #: no more may come; a person has to ask


#: 368 code (ISR01) to its class; every other code says nothing is cancelled.
REPORT_CLASS = MappingProxyType(
    {
        "IC": ReportClass.CANCEL_ITEM,
        "CU": ReportClass.CANCEL_ITEM,
        "DE": ReportClass.CANCEL_ORDER,
        "CP": ReportClass.UNCLEAR,
        "DI": ReportClass.UNCLEAR,
    }
)


@unique
class OrderType(_Worded):
    """Purchase order type, element 92 (BEG02): those that matter (spec 1.2)."""

    BLANKET_ESTIMATED = "BE", "blanket order, estimated quantities"
    BLANKET_FIRM = "BK", "blanket order, firm quantities"
    CONFIRMATION = "CF", "confirmation"
    CONSIGNED = "CN", "consigned order"
    CHANGE = "CP", "change to a purchase order"
    DROP_SHIP = "DS", "drop shipment"
    INFORMATION_COPY = "IN", "copy for information"
    PURCHASE_ORDER = "KN", "purchase order"
    NEW = "NE", "new order"
    REORDER = "RE", "reorder"
    RELEASE = "RL", "release or delivery order"
    STAND_ALONE = "SA", "stand-alone order"
    SAMPLE = "SP", "sample"


#: Order types whose BEG04 names an order of its own; elsewhere BEG04 is a revision number (spec 6).
RELEASE_ORDER_TYPES = frozenset({"RL", "BK", "BE"})


@unique
class Entity(_Worded):
    """Entity identifier, element 98 (N101): those that matter."""

    BUYER = "BY", "buyer"
    SELLER = "SE", "seller"
    SUPPLIER = "SU", "supplier"
    VENDOR = "VN", "vendor"
    SHIP_TO = "ST", "ship to"
    SHIP_FROM = "SF", "ship from"
    BILL_TO = "BT", "bill to"
    REMIT_TO = "RI", "remit to"
    MARK_FOR = "Z7", "mark for"


#: Product id qualifiers (235) that can tie a line, by family: a match counts only inside one family (spec 4).
STRONG_QUALIFIERS = MappingProxyType(
    {
        "UP": "gtin", "EN": "gtin", "UK": "gtin", "UA": "gtin", "UI": "gtin",
        "IN": "buyer", "CB": "buyer", "BP": "buyer", "PI": "buyer", "SK": "buyer",
        "VN": "vendor", "VP": "vendor", "VA": "vendor", "VC": "vendor", "MG": "vendor",
    }
)  # fmt: skip

#: Qualifiers that describe (size, colour, lot ...) and must never tie a line.
WEAK_QUALIFIERS = frozenset({"IZ", "BO", "VE", "SZ", "LT", "ZZ", "CH", "PU"})

_ENUMS: dict[str, type[_Worded]] = {
    "353": Purpose,
    "587": AcknowledgmentType,
    "668": LineItemStatus,
    "670": ChangeType,
    "92": OrderType,
    "98": Entity,
}

_WORDS: dict[str, Mapping[str, str]] = {
    **{element: {str(code.value): code.words for code in codes} for element, codes in _ENUMS.items()},
    **WORDS,
}


def meanings(element: str) -> dict[str, str]:
    """All our words for the codes of an element, by code; none when we have none."""
    return dict(_WORDS.get(element, {}))


def words(element: str, code: str) -> str:
    """Our words for a code of an element; the code itself when we have none."""
    return _WORDS.get(element, {}).get(code, code)
