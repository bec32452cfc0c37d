"""Quantities: exact decimals within the ledger's bounds, and how they are written for people."""

from decimal import Decimal

from storage.orders import LineState

DECIMALS_MAX = 6  # scale of the counters: 1 unit is stored as 1,000,000
WHOLE_DIGITS_MAX = 12  # 10^12 units at that scale is 10^18, below the 9.2 * 10^18 of a signed 64-bit counter


def fits(quantity: Decimal) -> bool:
    """Whether the counters can hold this quantity exactly."""
    if not quantity.is_finite():
        return False
    return quantity.copy_abs() < 10**WHOLE_DIGITS_MAX and _decimals(quantity) <= DECIMALS_MAX


def is_whole(quantity: Decimal) -> bool:
    """Whether there is nothing after the decimal point but zeros."""
    return quantity == quantity.to_integral_value()


def _decimals(quantity: Decimal) -> int:
    """Digits after the point, without trailing zeros.

    Counted, because normalize() and abs() first round to the 28 digits of the decimal context.
    """
    _, digits, exponent = quantity.as_tuple()
    if not quantity or not isinstance(exponent, int):
        return 0
    trailing = next(at for at, digit in enumerate(reversed(digits)) if digit)
    return -(exponent + trailing)


def plain(quantity: Decimal) -> str:
    """Plain decimal text without exponent or trailing zeros: 60, 12.5, 0."""
    text = format(quantity, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def amount(quantity: Decimal, unit: str) -> str:
    """A quantity in words: 1 unit, 40 units, 2 CA."""
    word = ("unit" if quantity == 1 else "units") if unit in ("", "EA") else unit
    return f"{plain(quantity)} {word}"


def amount_are(quantity: Decimal, unit: str) -> str:
    """A quantity in words and its verb: 1 unit is, 40 units are, 2 CA are."""
    return f"{amount(quantity, unit)} {'is' if quantity == 1 else 'are'}"


def are(quantity: Decimal) -> str:
    """A quantity and its verb: 1 is, 40 are."""
    return f"{plain(quantity)} {'is' if quantity == 1 else 'are'}"


def in_line_unit(line: LineState, quantity: Decimal, unit: str) -> Decimal | None:
    """The quantity in the line's own unit; None when the units differ and no pack of the order ties them."""
    if not unit or not line.unit or unit == line.unit:
        return quantity
    if unit == line.pack_unit and line.pack_size:
        return quantity * line.pack_size
    return None
