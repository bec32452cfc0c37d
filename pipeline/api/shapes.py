"""Shapes: what the API takes. Anything else is refused at once; what it means is for the ledger."""

import re
from decimal import Decimal
from enum import Enum, unique
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from pipeline.api.moments import Day
from pipeline.api.patterns import CHOICE, CODE, PAIR
from pipeline.api.said import NoNulls
from pipeline.notes import NOTE_CHARS_MAX, plain_text
from pipeline.reasons import CancelReason
from storage.quantities import DECIMALS_MAX, WHOLE_DIGITS_MAX

LINES_MAX = 10_000  # of one request
WHOLE_MAX = 10**WHOLE_DIGITS_MAX - 1

_QUANTITY = rf"^[0-9]{{1,{WHOLE_DIGITS_MAX}}}(\.[0-9]{{1,{DECIMALS_MAX}}})?$"
_QUANTITY_READ = re.compile(_QUANTITY[:-1] + r"\Z", re.ASCII)


def _read_quantity(value: Any) -> Decimal:
    """A text of digits, or a whole number; a fraction as a number would have been rounded already."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= WHOLE_MAX:
        return Decimal(value)
    if isinstance(value, str) and _QUANTITY_READ.match(value):
        return Decimal(value)
    raise ValueError('Use a quantity such as "12", "12.5" or 12.')


def _each_once(lines: tuple[Any, ...]) -> tuple[Any, ...]:
    """Whether a line said again is a slip or means more cannot be told, and it cannot be undone.

    Lines without a name are many.
    """
    names = [one.line for one in lines if one.line is not None]
    if len(set(names)) < len(names):
        raise ValueError("Name each line once.")
    return lines


Quantity = Annotated[
    Decimal,
    BeforeValidator(_read_quantity),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _QUANTITY},
                {"type": "integer", "minimum": 0, "maximum": WHOLE_MAX},
            ],
            "examples": ["12", "12.5", 12],
        }
    ),
]
Note = Annotated[str, Field(max_length=NOTE_CHARS_MAX), AfterValidator(plain_text)]
Description = Annotated[str, Field(max_length=80), AfterValidator(plain_text)]
LineName = Annotated[str, Field(min_length=1, max_length=40)]
EachOnce = AfterValidator(_each_once)


def _code(chars_max: int) -> Any:
    return Field(min_length=1, max_length=chars_max, pattern=CODE)


class _Said(BaseModel):
    """The base of all bodies: what is not known is refused, for it would be left out without a word."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _without_null(schema: dict[str, Any]) -> None:
    """What may be left out and is never null."""
    for said in schema.get("properties", {}).values():
        kinds = [kind for kind in said.get("anyOf", ()) if kind != {"type": "null"}]
        if kinds and len(kinds) < len(said["anyOf"]):
            del said["anyOf"]
            said |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
            if said.get("default", "") is None:
                del said["default"]


class _NullFree(_Said, NoNulls):
    """The base of what cancels, or agrees to it."""

    model_config = ConfigDict(json_schema_extra=_without_null)


class Cut(_NullFree):
    """Units of a line to be cancelled: `quantity`, or all but `new_quantity`, or all that are open."""

    quantity: Quantity | None = None
    new_quantity: Quantity | None = Field(
        default=None,
        description="What the line's quantity is to be: ordered, less what is cancelled. Where a buyer only"
        " asks, it replaces what was asked for before.",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> "Cut":
        if self.quantity is not None and self.new_quantity is not None:
            raise ValueError("Give quantity or new_quantity, not both.")
        return self


class NamedCut(Cut):
    """The same, of the line with this name."""

    line: LineName = Field(description="The line's name, as the order shows it.")


class CancelLine(Cut):
    """Cancel units of one line."""

    reason: CancelReason | None = None
    note: Note = Field(default="", description="A sentence for the other party.")


class CancelOrder(_NullFree):
    """Cancel the order as far as it is open, or units of `lines`: all of them or none."""

    lines: Annotated[tuple[NamedCut, ...], Field(min_length=1, max_length=LINES_MAX), EachOnce] | None = None
    unfulfilled_only: bool = Field(
        default=False,
        description="Where part of the order is fulfilled: cancel the open rest, instead of being refused.",
    )
    reason: CancelReason | None = None
    note: Note = Field(default="", description="A sentence for the other party.")

    @model_validator(mode="after")
    def _lines_or_rest(self) -> "CancelOrder":
        if self.lines is not None and self.unfulfilled_only:
            raise ValueError("unfulfilled_only is about the whole order; leave it out where lines are named.")
        return self


class Placed(_Said):
    """A line of a new order."""

    line: Annotated[str, _code(20)] | None = Field(default=None, description="Its number; else one is made.")
    ids: dict[Annotated[str, Field(pattern=PAIR)], Annotated[str, _code(48)]] = Field(
        default={}, max_length=10, description="Product ids by qualifier (X12 element 235): UP, VN, BP ..."
    )
    quantity: Quantity
    unit: Annotated[str, Field(pattern=PAIR)] = Field(
        default="EA", description="Unit of measure (X12 element 355)."
    )
    description: Description = ""


class Place(_Said):
    """A new order."""

    po_number: Annotated[str, _code(22)]
    release: Annotated[str, _code(30)] | None = None
    seller: Annotated[str, _code(80)] | None = Field(
        default=None, description="The seller; left out, the one agreed with the hub."
    )
    ordered_on: Day | None = None
    lines: Annotated[tuple[Placed, ...], Field(max_length=LINES_MAX), EachOnce]


@unique
class Decision(Enum):
    """The seller's answer to an order as a whole."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ON_HOLD = "on_hold"


class AcknowledgedLine(_Said):
    """What the seller says of the units of one line; together they should be all of it."""

    line: LineName
    accepted: Quantity | None = None
    rejected: Quantity | None = None
    backordered: Quantity | None = None
    on_hold: Quantity | None = None
    reason: CancelReason | None = None


class Acknowledge(_Said):
    """The seller's answer to an order. What is rejected is cancelled, and stays so."""

    decision: Decision = Decision.ACCEPTED
    lines: tuple[AcknowledgedLine, ...] = Field(default=(), max_length=LINES_MAX)
    reason: CancelReason | None = None
    note: Note = ""
    answer: Annotated[str, Field(pattern=CHOICE)] | None = Field(
        default=None, description="Which of the choices is meant, where the same was asked back before."
    )


class ShippedLine(_Said):
    """Units of one line that left."""

    line: LineName
    quantity: Quantity


class Fulfil(_Said):
    """A shipment that left. The same number with the same content again changes nothing."""

    shipment_id: Annotated[str, _code(30)]
    lines: tuple[ShippedLine, ...] = Field(min_length=1, max_length=LINES_MAX)
    note: Note = ""

    @model_validator(mode="after")
    def _some_units(self) -> "Fulfil":
        if not any(line.quantity for line in self.lines):
            raise ValueError("No units left; a shipment of none would use its number up.")
        return self


class Answer(_NullFree):
    """The seller's answer to what its buyer asked to cancel."""

    reason: CancelReason | None = None
    note: Note = ""


class AgreedLine(_NullFree):
    """Units of a line whose cancellation the seller agrees to; without a quantity all that were asked for."""

    line: LineName
    quantity: Quantity | None = None


class Approve(Answer):
    """The seller agrees: to all that was asked, or to `lines` and to no more."""

    lines: Annotated[tuple[AgreedLine, ...], Field(min_length=1, max_length=LINES_MAX), EachOnce] | None = (
        None
    )
