"""Drafts: what somebody filled in to cancel, carried from page to page, and what it means. Pure."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import ValidationError

from pipeline.api import shapes
from pipeline.reasons import CancelReason, named_reason

WHOLE, LINES = "whole", "lines"
REASONS = tuple((reason.value, reason.meaning.words) for reason in CancelReason)
_KEY = re.compile(r"app-[0-9a-f]{32}")
NO_QUANTITY = "Write a quantity such as 12 or 12.5."


def new_key() -> str:
    """Under which one form is acted on once, however often it is sent."""
    return f"app-{secrets.token_hex(16)}"


def is_key(text: str) -> bool:
    """Whether it looks like a form's key."""
    return _KEY.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the form says: everything that is open, or units of lines; why, and a note."""

    what: str = WHOLE
    quantities: Mapping[str, str] = field(default_factory=dict)  # by line, as it was typed
    reason: str = ""
    note: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it is about all that is open."""
        return self.what == WHOLE

    @property
    def reason_words(self) -> str:
        """The reason as people read it."""
        named = named_reason(self.reason)
        return named.meaning.words if named else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A draft as the body of the API's own request; or what is wrong with it, in all and by line."""

    body: shapes.CancelOrder | None = None
    fault: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)


def read(draft: Draft) -> Read:
    """What a draft means. Whether it can be done is for the ledger."""
    if draft.what not in (WHOLE, LINES):
        return Read(fault="Choose whether to cancel everything that is open, or some units.")
    if draft.is_whole and draft.quantities:
        return Read(fault="Everything was chosen, and quantities of lines were entered too. Choose again.")
    if not draft.is_whole and not draft.quantities:
        return Read(fault="Enter how many units to cancel, on one line at least.")
    cuts: list[shapes.NamedCut] = []
    faults: dict[str, str] = {}
    for line, typed in draft.quantities.items():
        try:
            cut = shapes.NamedCut.model_validate({"line": line, "quantity": typed})
        except ValidationError:
            faults[line] = NO_QUANTITY
        else:
            if cut.quantity == Decimal(0):
                faults[line] = "Nothing would be cancelled. Leave it empty, or write how many."
            cuts.append(cut)
    if faults:
        return Read(fault="Some quantities cannot be read.", lines=faults)
    said = {"lines": cuts or None, "unfulfilled_only": draft.is_whole, "note": draft.note}
    try:
        return Read(body=shapes.CancelOrder.model_validate({**said, "reason": draft.reason or None}))
    except ValidationError as error:
        place = str(error.errors()[0]["loc"][0]) if error.errors()[0]["loc"] else "form"
        return Read(fault=f"The {place} cannot be used as it is.")
