"""Advice codes: what an 824 says is wrong (TED01, element 647) in each situation, by release."""

from enum import Enum, unique

from edi.releases import map_release


@unique
class Situation(Enum):
    """Why a transaction was not done, with its code in 004010 and in 005010 (spec 1.7).

    The telling ones came after 004010; a 004010 partner would refuse the 824 for them.
    """

    code_4010: str
    code_5010: str

    def __new__(cls, name: str, code_4010: str, code_5010: str) -> "Situation":
        member = object.__new__(cls)
        member._value_ = name
        member.code_4010, member.code_5010 = code_4010, code_5010
        return member

    ORDER_UNKNOWN = "order unknown", "POI", "POI"
    ORDER_CANCELLED = "order cancelled", "012", "141"
    ORDER_COMPLETE = "order complete", "012", "138"
    DUPLICATE_ORDER = "duplicate order with other content", "006", "111"
    DUPLICATE_SHIPMENT = "duplicate shipment with other content", "006", "119"
    LINE_UNKNOWN = "line unknown", "Q", "133"
    QUANTITY_OUT_OF_RANGE = "quantity out of range", "008", "008"
    QUANTITY_NEGATIVE = "quantity negative", "008", "109"
    QUANTITY_ZERO = "quantity zero", "008", "131"
    UNIT_MISMATCH = "unit does not match", "H", "H"
    PURPOSE_NOT_ALLOWED = "purpose not allowed", "T", "T"
    ACTION_NOT_ALLOWED = "action code not allowed", "V", "V"
    LOCATION_NOT_ON_ORDER = "location not on the order", "MA", "108"
    NOT_AUTHORISED = "not authorised", "NAU", "NAU"
    CONTRADICTORY = "contradictory", "012", "012"
    OTHER = "another reason", "024", "024"


def advice_code(situation: Situation, release: str) -> str:
    """TED01 (647) for a situation in a release (first six characters of GS08), by the map that reads it."""
    return situation.code_5010 if map_release(release) == "005010" else situation.code_4010
