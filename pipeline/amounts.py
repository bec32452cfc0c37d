"""Amounts: quantities for people, each in its unit of measure, in words. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from storage.quantities import plain


def amounts(quantities: Iterable[tuple[Decimal, str]]) -> str:
    """Quantities for people, each in its unit of measure: "60 units", "1 case and 12.5 pounds"."""
    said = []
    for quantity, unit in quantities:
        one, many = _UNITS.get(unit, (unit or "unit", unit or "units"))
        said.append(f"{plain(quantity)} {one if quantity == 1 else many}")
    return " and ".join(filter(None, (", ".join(said[:-1]), *said[-1:])))


def total(quantities: Iterable[tuple[Decimal | str, str]]) -> str:
    """Quantities added up by unit of measure, in words; "" when there is nothing."""
    sums: dict[str, Decimal] = {}
    for quantity, unit in quantities:
        sums[unit] = sums.get(unit, Decimal(0)) + Decimal(quantity)
    return amounts((quantity, unit) for unit, quantity in sums.items() if quantity)


# X12 element 355, the codes met in orders; any other is shown as it is
_UNITS = {
    "EA": ("unit", "units"), "UN": ("unit", "units"), "PC": ("piece", "pieces"), "CA": ("case", "cases"),
    "CT": ("carton", "cartons"), "BX": ("box", "boxes"), "PK": ("pack", "packs"), "PR": ("pair", "pairs"),
    "ST": ("set", "sets"), "RL": ("roll", "rolls"), "PL": ("pallet", "pallets"), "BG": ("bag", "bags"),
    "DZ": ("dozen", "dozen"), "LB": ("pound", "pounds"), "KG": ("kg", "kg"), "FT": ("foot", "feet"),
    "YD": ("yard", "yards"), "MR": ("meter", "meters"), "GA": ("gallon", "gallons"),
    "LT": ("liter", "liters"),
}  # fmt: skip
