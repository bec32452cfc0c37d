"""Quantities: exact decimals within the ledger's bounds, and how they are written for people."""

from decimal import Decimal

from storage.orders import LineState

DECIMALS_MAX = 6  # scale of the counters: 1 unit is stored as 1,000,000
WHOLE_DIGITS_MAX = 12  # 10^12 units at that scale is 10^18, below the 9.2 * 10^18 of a signed 64-bit counter


def fits(quantity: Decimal) -> bool:
    """Whether the counters can hold this quantity exactly."""
    return (
        quantity.is_finite() and abs(quantity) < 10**WHOLE_DIGITS_MAX and -_exponent(quantity) <= DECIMALS_MAX
    )


def is_whole(quantity: Decimal) -> bool:
    """Whether there is nothing after the decimal point but zeros."""
    return quantity == quantity.to_integral_value()


def _exponent(quantity: Decimal) -> int:
    exponent = quantity.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def plain(quantity: Decimal) -> str:
    """Plain decimal text without exponent or trailing zeros: 60, 12.5, 0."""
    text = format(quantity, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def in_line_unit(line: LineState, quantity: Decimal, unit: str) -> Decimal | None:
    """The quantity in the line's own unit; None when the units differ and no pack of the order ties them."""
    if not unit or not line.unit or unit == line.unit:
        return quantity
    if unit == line.pack_unit and line.pack_size:
        return quantity * line.pack_size
    return None
