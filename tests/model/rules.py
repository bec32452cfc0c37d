"""The rules of a walk: how often each is chosen, and the values of its arguments, from which chance chooses.

What is sensible stands in a list more often than what is not, and what is not often enough.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from storage.commands import (
    Answer,
    Backorder,
    Change,
    CloseRest,
    Consent,
    Objection,
    PartShipped,
    QuantityReading,
    ShortAccept,
    Submission,
    Verdict,
)
from tests.model.book import BUYER, SELLER, STRANGER
from tests.model.steps import (
    ASKING,
    acknowledge,
    add_line,
    again,
    answer,
    ask,
    cancel_lines,
    cancel_order,
    change_lines,
    clock,
    lapse,
    nothing,
    object_to,
    place,
    restate,
    ship,
    ship_two_orders,
    twisted,
    withdraw,
)

AMOUNTS = (
    "1", "1", "2", "3", "open", "open", "open-1", "open+1", "current", "current-1", "current-2", "current+1",
    "current+3", "ordered", "fulfilled", "fulfilled-1", "declined", "cancelled", "requested", "requested+1",
    "0", "-1", "1.5",
)  # fmt: skip
LINES = ("1", "1", "2", "2", "3", "4")
HOW = ("number", "number", "number", "item", "both", "both", "crossed", "unknown")
PARTIES = (BUYER, BUYER, BUYER, SELLER, SELLER, STRANGER)
ORDERED = (("5",), ("10", "4"), ("3", "8", "3"), ("9", "9"), ("1", "2", "3"), ("20",), (), ("0", "2"),
           ("1.5",), ("4", "-1"))  # fmt: skip
PAIRS = tuple((line, amount) for line in ("1", "2", "3") for amount in AMOUNTS)


def _optional(values: Sequence[Any], share: int = 1) -> tuple[Any, ...]:
    """These values, and as often none of them as `share` says."""
    return (*values, *[None] * (len(values) * share))


_POS = ("A", "A", "B", "B", "C", "C", "D")
_ANSWERS = (
    (),
    *(
        split
        for first in (*AMOUNTS, None, None)
        for split in (
            ((Answer.ACCEPTED, first),),
            ((Answer.REJECTED, first),),
            ((Answer.QUANTITY_CHANGED, first),),
            ((Answer.BACKORDERED, first),),
            ((Answer.ON_HOLD, first),),
            ((Answer.ACCEPTED, first), (Answer.REJECTED, "1")),
            ((Answer.ACCEPTED, "current-2"), (Answer.REJECTED, first)),
            ((Answer.ACCEPTED, "0"), (Answer.REJECTED, first)),
            ((Answer.ACCEPTED, "1"), (Answer.BACKORDERED, first)),
            ((Answer.QUANTITY_CHANGED, first), (Answer.BACKORDERED, "1")),
            ((Answer.ACCEPTED, "1"), (Answer.BACKORDERED, "1"), (Answer.REJECTED, first)),
            ((Answer.REJECTED, first), (Answer.REJECTED, "1")),
        )
        if split[0] != (Answer.QUANTITY_CHANGED, None) or len(split) == 1
    ),
)
_RESTATED = (
    "current",
    "current",
    "current",
    "current-1",
    "open",
    "fulfilled",
    "current+2",
    "ordered",
    "0",
    "1",
    None,
)

Rule = tuple[Callable[..., Submission | None], int, Mapping[str, Sequence[Any]]]
RULES: Mapping[str, Rule] = {
    "place": (
        place,
        5,
        {
            "po": _POS,
            "by": (BUYER,) * 9 + (SELLER, STRANGER),
            "quantities": ORDERED,
            "content": ("x", "x", "x", "y"),
            "repeat": (False,) * 5 + (True,),
        },
    ),
    "cancel_order": (
        cancel_order,
        2,
        {
            "po": _POS,
            "by": PARTIES,
            "hand": (False, False, True),
            "part_shipped": (PartShipped.REST, PartShipped.REST, PartShipped.REFUSE),
        },
    ),
    "cancel_lines": (
        cancel_lines,
        7,
        {
            "po": _POS,
            "by": PARTIES,
            "hand": (False, False, True),
            "how": HOW,
            "line": LINES,
            "amount": (*AMOUNTS, None, None, None),
            "total": (False, False, True),
            "more": _optional(PAIRS, 3),
        },
    ),
    "ask": (
        ask,
        4,
        {
            "po": ASKING,
            "hand": (False, True),
            "line": ("1", "2", "3"),
            "amount": ("1", "2", "open", "open-1", "requested"),
        },
    ),
    "change_lines": (
        change_lines,
        12,
        {
            "po": _POS,
            "by": PARTIES,
            "how": HOW,
            "line": LINES,
            "change": (
                Change.CANCEL,
                Change.DECREASE,
                Change.DECREASE,
                Change.INCREASE,
                Change.INCREASE,
                Change.SET,
                Change.SET,
                Change.CONFIRM,
                Change.NOTE,
            ),
            "amount": AMOUNTS,
            "second": _optional(AMOUNTS, 3),
            "reading": (QuantityReading.NEW_TOTAL,) * 4
            + (QuantityReading.DELTA, QuantityReading.DELTA, QuantityReading.OLD_NEW),
            "more": _optional(PAIRS, 3),
            "sequence": (None, None, None, 0, 1, 1, 2, -1),
            "part_shipped": (PartShipped.REST, PartShipped.REST, PartShipped.REFUSE),
        },
    ),
    "add_line": (
        add_line,
        3,
        {
            "po": _POS,
            "by": PARTIES,
            "line": ("1", "2", "3", "4", "5", "6"),
            "amount": ("1", "3", "6", "12", "0", "-1", "1.5"),
        },
    ),
    "restate": (
        restate,
        4,
        {
            "po": _POS,
            "by": (BUYER,) * 6 + (SELLER, STRANGER),
            "words": tuple(
                {"1": one, "2": two, "3": three, "4": four}
                for one in _RESTATED
                for two in _RESTATED
                for three in ("current", "open", None)
                for four in (None, None, "3")
            ),
            "part_shipped": (PartShipped.REST, PartShipped.REST, PartShipped.REFUSE),
        },
    ),
    "acknowledge": (
        acknowledge,
        10,
        {
            "po": _POS,
            "by": (SELLER,) * 9 + (BUYER, STRANGER),
            "how": HOW,
            "verdict": (Verdict.LINES,) * 14 + tuple(Verdict),
            "line": LINES,
            "answers": _ANSWERS,
            "of": (None,) * 8 + ("ordered", "current", "open", "current-1", "1", "2", "3", "declined"),
            "part": _optional(
                tuple(
                    (word, kind, figure)
                    for word in ("rest", "rest", "1")
                    for kind in (Answer.ACCEPTED, Answer.REJECTED, Answer.BACKORDERED)
                    for figure in (None, None, "1")
                )
            ),
            "more": _optional(PAIRS, 4),
            "short_accept": (ShortAccept.HOLD, ShortAccept.HOLD, ShortAccept.CANCEL),
            "backorder": (Backorder.KEEP, Backorder.KEEP, Backorder.CANCEL),
            "certain": (False,) * 5 + (True,),
        },
    ),
    "ship": (
        ship,
        11,
        {
            "po": _POS,
            "by": (SELLER,) * 9 + (BUYER, STRANGER),
            "how": HOW,
            "line": LINES,
            "amount": AMOUNTS,
            "more": _optional(PAIRS, 2),
            "again": _optional(("1", "2", "0")),
            "over_percent": (None, None, 0, 25, 100),
            "close_rest": (CloseRest.NEVER,) * 6 + (CloseRest.LINES, CloseRest.ORDER),
        },
    ),
    "ship_two_orders": (
        ship_two_orders,
        2,
        {
            "po": _POS,
            "other": _POS,
            "line": ("1", "2"),
            "amount": ("1", "open", "open+1"),
            "more": ("1", "2", "open"),
        },
    ),
    "withdraw": (
        withdraw,
        4,
        {
            "po": _POS,
            "by": (SELLER,) * 9 + (BUYER, STRANGER),
            "back": (1, 1, 1, 2, 3, 9),
            "line": ("1", "2", "3"),
            "amount": ("all", "all", "all", "left", "1", "0", "fulfilled", "fulfilled+1"),
            "same_file": (False, False, True),
        },
    ),
    "answer": (
        answer,
        6,
        {
            "po": ("C", "C", "D", "A"),
            "by": (SELLER,) * 7 + (BUYER, STRANGER),
            "consent": tuple(Consent),
            "line": _optional(("1", "2", "3")),
            "line_consent": tuple(Consent),
            "amount": (None, None, "1", "requested", "requested-1", "requested+1", "0"),
            "certain": (True, True, False),
        },
    ),
    "lapse": (
        lapse,
        3,
        {
            "po": ("C", "C", "C", "D", "A"),
            "by": (SELLER,) * 8 + (BUYER, STRANGER),
            "hand": (True,) * 7 + (False,),
            "hours": (0, 7, 7, 31, 31),
        },
    ),
    "object_to": (object_to, 1, {"po": _POS, "by": PARTIES, "objection": tuple(Objection)}),
    "again": (again, 6, {"back": tuple(range(1, 21))}),
    "twisted": (twisted, 2, {"back": tuple(range(1, 21))}),
    "clock": (clock, 1, {"hours": (1, -1, 24, -24, 8766)}),
    "commit": (nothing, 4, {}),
    "crash": (nothing, 1, {}),
}
