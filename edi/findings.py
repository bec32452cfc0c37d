"""Findings: what is wrong in what we were sent, where, and the X12 code that says so.

A finding is a value. Nothing in `edi` raises for a partner's mistake; readers return findings.
"""

from dataclasses import dataclass
from enum import Enum, unique


@unique
class Level(Enum):
    """How much a finding weighs for the transaction set it stands in."""

    ERROR = "error"  #: the set (or what encloses it) is not used
    WARNING = "warning"  #: the set is used; the sender should know
    NOTE = "note"  #: worth showing to a person; nothing is answered


@unique
class FindingCode(Enum):
    """The closed list. Value: (name, level, acknowledging segment, X12 code there, what to do).

    Acknowledging segment: TA1 (element I18), AK9 (716), AK5 (718), AK3 (720), AK4 (723), or "" for none.
    """

    # The file and the interchange (TA105, element I18)
    NO_INTERCHANGE = ("no_interchange", Level.ERROR, "", "", "Send plain X12 that starts with ISA.")
    TEXT_OUTSIDE = (
        "text_outside_interchange",
        Level.WARNING,
        "",
        "",
        "Remove what stands outside ISA to IEA.",
    )
    ISA_MALFORMED = ("isa_malformed", Level.ERROR, "TA1", "022", "Pad every ISA element to its fixed width.")
    ISA_PADDING = (
        "isa_padding",
        Level.WARNING,
        "",
        "",
        "Pad every ISA element to its fixed width; not every reader is as patient.",
    )
    DELIMITERS = ("delimiters_ambiguous", Level.ERROR, "TA1", "022", "Use four different delimiters.")
    ISA_CONTROL_NUMBER = ("isa_control_number", Level.ERROR, "TA1", "018", "Give ISA13 nine digits.")
    ISA_VERSION = (
        "isa_version",
        Level.ERROR,
        "TA1",
        "017",
        "Send a version of five digits in ISA12, such as 00401 or 00501.",
    )
    IEA_MISSING = ("iea_missing", Level.ERROR, "TA1", "023", "Send the file again, whole, up to its IEA.")
    IEA_CONTROL_NUMBER = ("iea_control_number", Level.ERROR, "TA1", "001", "Repeat ISA13 in IEA02.")
    IEA_COUNT = ("iea_count", Level.ERROR, "TA1", "021", "Count the functional groups in IEA01.")
    GROUP_STRUCTURE = (
        "group_structure",
        Level.ERROR,
        "TA1",
        "024",
        "Open each group with GS and close it with GE.",
    )
    SENDER_UNKNOWN = (
        "sender_unknown",
        Level.ERROR,
        "TA1",
        "006",
        "Send from the addresses agreed with the hub.",
    )
    SENDER_FOREIGN = (
        "sender_foreign",
        Level.ERROR,
        "",
        "",
        "Send it under your own addresses, through your own mailbox.",
    )
    RECEIVER_UNKNOWN = (
        "receiver_unknown",
        Level.ERROR,
        "TA1",
        "009",
        "Address the hub or one of its partners.",
    )
    USAGE_MISMATCH = ("usage_mismatch", Level.WARNING, "", "", "Send P in ISA15 for business, T for a test.")
    INTERCHANGE_CONFLICT = (
        "interchange_conflict", Level.ERROR, "TA1", "025", "Use a new ISA13 for new content.",
    )  # fmt: skip
    LIMIT = (
        "limit_exceeded",
        Level.ERROR,
        "TA1",
        "022",
        "Look for lost segment terminators, or split the file into smaller ones.",
    )

    # The functional group (AK905, element 716)
    GROUP_UNSUPPORTED = (
        "group_unsupported",
        Level.ERROR,
        "AK9",
        "1",
        "Send PO, PR, SH, PC, CA, RS, AG or FA in GS01.",
    )
    VERSION_UNSUPPORTED = (
        "version_unsupported",
        Level.ERROR,
        "AK9",
        "2",
        "Use version 004010 or 005010 in GS08.",
    )
    RELEASE_NEIGHBOUR = (
        "release_neighbour",
        Level.WARNING,
        "",
        "",
        "Use version 004010 or 005010 in GS08 where you can.",
    )
    GE_MISSING = ("ge_missing", Level.ERROR, "AK9", "3", "Close the group with GE.")
    GE_CONTROL_NUMBER = ("ge_control_number", Level.ERROR, "AK9", "4", "Repeat GS06 in GE02.")
    GE_COUNT = ("ge_count", Level.ERROR, "AK9", "5", "Count the transaction sets in GE01.")
    GS_CONTROL_NUMBER = ("gs_control_number", Level.ERROR, "AK9", "6", "Give GS06 one to nine digits.")
    GROUP_NOT_UNIQUE = (
        "group_not_unique",
        Level.ERROR,
        "AK9",
        "19",
        "Give each group of a kind (GS01) in the interchange its own GS06.",
    )

    # The transaction set (AK502, element 718); 5 "segments in error" is derived by the writer
    SET_UNSUPPORTED = (
        "set_unsupported",
        Level.ERROR,
        "AK5",
        "1",
        "Send 850, 855, 856, 860, 865, 870, 824, 997, or in 005010 999.",
    )
    SE_MISSING = ("se_missing", Level.ERROR, "AK5", "2", "Close the set with SE.")
    SE_CONTROL_NUMBER = ("se_control_number", Level.ERROR, "AK5", "3", "Repeat ST02 in SE02.")
    SE_COUNT = ("se_count", Level.ERROR, "AK5", "4", "Count all segments, ST and SE too, in SE01.")
    SET_NOT_IN_GROUP = (
        "set_not_in_group",
        Level.ERROR,
        "AK5",
        "6",
        "Send each set in a group of its own kind: 850 in PO, 855 in PR, 856 in SH.",
    )
    ST_CONTROL_NUMBER = ("st_control_number", Level.ERROR, "AK5", "7", "Give ST02 four to nine characters.")
    SET_NOT_UNIQUE = ("set_not_unique", Level.ERROR, "AK5", "23", "Give each set of the group its own ST02.")

    # Segments (AK304, element 720); 8 "has element errors" is derived by the writer
    SEGMENT_UNRECOGNISED = ("segment_unrecognised", Level.ERROR, "AK3", "1", "Remove or correct the segment.")
    SEGMENT_UNEXPECTED = ("segment_unexpected", Level.ERROR, "AK3", "2", "Move or remove the segment.")
    SEGMENT_MISSING = ("segment_missing", Level.ERROR, "AK3", "3", "Add the mandatory segment.")
    LOOP_OVER_MAX = (
        "loop_over_max",
        Level.ERROR,
        "AK3",
        "4",
        "Repeat the loop no more than the standard allows.",
    )
    SEGMENT_OVER_MAX = (
        "segment_over_max",
        Level.ERROR,
        "AK3",
        "5",
        "Repeat the segment no more than allowed.",
    )
    SEGMENT_NOT_IN_SET = ("segment_not_in_set", Level.ERROR, "AK3", "6", "Remove the segment from this set.")
    SEGMENT_ORDER = ("segment_order", Level.ERROR, "AK3", "7", "Put the segment where the standard has it.")

    # Elements (AK403, element 723)
    ELEMENT_MISSING = ("element_missing", Level.ERROR, "AK4", "1", "Fill the mandatory element.")
    ELEMENT_CONDITION = (
        "element_condition",
        Level.ERROR,
        "AK4",
        "2",
        "Send all of the elements that belong together, or none.",
    )
    TOO_MANY_ELEMENTS = ("too_many_elements", Level.ERROR, "AK4", "3", "Remove the surplus elements.")
    ELEMENT_SHORT = ("element_too_short", Level.ERROR, "AK4", "4", "Send the full value.")
    ELEMENT_LONG = ("element_too_long", Level.ERROR, "AK4", "5", "Shorten the value.")
    ELEMENT_CHARACTER = (
        "element_character",
        Level.ERROR,
        "AK4",
        "6",
        "Use only characters this type allows.",
    )
    CODE_INVALID = ("code_invalid", Level.ERROR, "AK4", "7", "Use a code of the standard's list.")
    DATE_INVALID = ("date_invalid", Level.ERROR, "AK4", "8", "Send a date of the calendar as CCYYMMDD.")
    TIME_INVALID = ("time_invalid", Level.ERROR, "AK4", "9", "Send a time of day as HHMM or HHMMSS.")
    ELEMENT_EXCLUDED = ("element_excluded", Level.ERROR, "AK4", "10", "Send only one of the elements.")
    ELEMENT_NOT_USED = ("element_not_used", Level.ERROR, "AK4", "10", "Leave the element empty.")
    COUNT_WRONG = ("count_wrong", Level.ERROR, "AK4", "7", "Send the set again, whole, with the right count.")
    HIERARCHY = ("hierarchy_broken", Level.ERROR, "AK4", "7", "Point HL02 at an earlier HL01 of the set.")

    # Meaning; the functional acknowledgment says nothing about these
    TRAILING_EMPTY = ("trailing_empty_elements", Level.NOTE, "", "", "Leave trailing separators out.")
    HASH_TOTAL = ("hash_total", Level.WARNING, "", "", "Check CTT02 against the quantities.")

    def __init__(self, slug: str, level: Level, answer: str, x12: str, remedy: str) -> None:
        self.slug, self.level, self.answer, self.x12, self.remedy = slug, level, answer, x12, remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong, with its place. Positions count from 1; ST is segment 1 of its set (X12 719)."""

    code: FindingCode
    message: str  # one sentence in the words of the field, without the remedy
    segment: str = ""  # tag, e.g. "ACK"
    position: int = 0  # of the segment in its set; 0 when the finding is about an envelope
    element: str = ""  # "3", or "5-1" for a component
    value: str = ""  # what was sent, unshortened
    loop: str = ""  # map loop id, e.g. "PO1" (X12 447)
    reference: str = ""  # data element number, e.g. "668" (X12 725)
    interchange: str = ""  # ISA13
    group: str = ""  # GS06
    set: str = ""  # ST02
    offset: int = 0  # of the segment's first byte in the file
    guide: str = ""  # whose guide asked for it; empty: the standard

    @property
    def level(self) -> Level:
        return self.code.level

    @property
    def is_error(self) -> bool:
        return self.code.level is Level.ERROR

    def at(self, *, interchange: str = "", group: str = "", set: str = "") -> "Finding":
        """The same finding with its envelope's control numbers filled in where they were empty."""
        return Finding(
            code=self.code,
            message=self.message,
            segment=self.segment,
            position=self.position,
            element=self.element,
            value=self.value,
            loop=self.loop,
            reference=self.reference,
            interchange=self.interchange or interchange,
            group=self.group or group,
            set=self.set or set,
            offset=self.offset,
            guide=self.guide,
        )
