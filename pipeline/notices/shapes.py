"""What e-mails show of an order: parties, lines and sums as plain shapes, and the parts of their examples."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from storage.orders import ZERO

LINES_MAX = 50  # shown in one message: webmails cut HTML off at 102 kB, and a line takes 1.1 kB
FINDINGS_MAX = 20  # shown in one message; `countermand check FILE` names them all


@dataclass(frozen=True, slots=True)
class Party:
    """Who, as people call it, and on which side of the order: buyer or seller."""

    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """A line of the order with its counters; `quantity` is what was cancelled now, or asked for."""

    line: str
    unit: str
    quantity: Decimal | None  # None: not said
    ordered: Decimal
    fulfilled: Decimal
    cancelled: Decimal
    open: Decimal
    items: tuple[str, ...] = ()  # in words: "Buyer item 12345"
    description: str = ""
    why: str = ""  # the reason, where the lines do not share one; or why it was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sum over lines of one unit of measure; units of different measure are never added up."""

    unit: str
    quantity: Decimal = ZERO
    ordered: Decimal = ZERO
    fulfilled: Decimal = ZERO
    cancelled: Decimal = ZERO
    open: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding in words, with its place and what to do about it."""

    place: str
    message: str
    remedy: str
    code: str = ""


def totals_of(lines: tuple[NoticeLine, ...]) -> tuple[Total, ...]:
    """The sums per unit of measure, in the order the units first appear."""
    sums: dict[str, Total] = {}
    for line in lines:
        total = sums.get(line.unit, Total(unit=line.unit))
        sums[line.unit] = Total(
            unit=line.unit,
            quantity=total.quantity + (line.quantity or ZERO),
            ordered=total.ordered + line.ordered,
            fulfilled=total.fulfilled + line.fulfilled,
            cancelled=total.cancelled + line.cancelled,
            open=total.open + line.open,
        )
    return tuple(sums.values())


CHAIR = ("Oak dining chair, natural oil finish", "30114", "0614141000012")
BENCH = ("Oak bench 140 cm, natural oil finish", "30120", "0614141000029")
AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
COMMON: dict[str, Any] = {
    "hub": "Example Hub",
    "support": "edi-support@example.com",
    "by": Party("Acme Stores", "buyer"),
    "other": Party("Bolt Supply", "seller"),
    "po_number": "4500012",
    "release": "",
    "order_link": "https://orders.hub.example/orders/12",
    "source": "X12 850, interchange 000000123, group 7, set 0001, file acme-0815.edi",
    "at": AT,
}


def example_line(
    line: str, article: tuple[str, str, str], ordered: int, *,
    cut: int | None = None, fulfilled: int = 0, asked: int | None = None, why: str = "",
) -> NoticeLine:  # fmt: skip
    """A line of an example: `cut` is cancelled now (everything when None), `asked` what was asked in vain."""
    cancelled = ordered if cut is None else cut
    description, item, upc = article
    return NoticeLine(
        line=line, description=description, items=(f"Buyer item {item}", f"UPC {upc}"), unit="EA", why=why,
        quantity=Decimal(asked) if asked is not None else Decimal(cancelled) if cancelled else None,
        ordered=Decimal(ordered), fulfilled=Decimal(fulfilled), cancelled=Decimal(cancelled),
        open=Decimal(ordered - fulfilled - cancelled),
    )  # fmt: skip
