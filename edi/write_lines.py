"""Write lines: what 824, 855, 860 and 865 share, from the heading's parties to the totals."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import date
from decimal import Decimal
from itertools import groupby

from edi.documents import (
    ChangedLine,
    Component,
    LineAcknowledgment,
    Pack,
    Party,
    ProductId,
    ScheduledQuantity,
    StoreQuantity,
)
from edi.set_body import SetBody, Value, fits, wrap

_MUTUALLY_DEFINED = "ZZ"  # in lists 66 and 355: a unit or qualifier that has to be there but is not known
_HEAD_IDS_MAX = 10  # pairs (235, 234) in PO1, POC and ACK
_LIN_IDS_MAX = 15
_SDQ_STORES_MAX = 10
_DESCRIPTION_CHARS_MAX = 80  # PID05, element 352
_PARTY_ID_CHARS_MIN = 2  # N104, element 67
_LEFT_CHARS_MAX = 9  # POC04, element 671
_TOTAL_CHARS_MAX = 10  # CTT02, element 347


def add_parties(body: SetBody, parties: Iterable[Party]) -> None:
    """N1; an id of one character is a name; without both (R0203) a party is left out."""
    for party in parties:
        name, id = body.words(party.name), body.text(party.id)
        if len(id) < _PARTY_ID_CHARS_MIN:
            name, id = name or id, ""
        qualifier = (party.qualifier or _MUTUALLY_DEFINED) if id else ""
        if name or id:
            body.add("N1", party.entity, name, qualifier, id)


def add_references(body: SetBody, references: Iterable[tuple[str, str]]) -> None:
    """REF; one without a value is left out."""
    for qualifier, value in references:
        if body.text(value):
            body.add("REF", qualifier, value)


def add_dates(body: SetBody, dates: Iterable[tuple[str, date]]) -> None:
    """DTM."""
    for qualifier, on in dates:
        body.add("DTM", qualifier, on)


def head_ids(body: SetBody, ids: Sequence[ProductId]) -> list[Value]:
    """The pairs a PO1, POC or ACK has room for; `add_more_ids` writes the others."""
    return _flat(_named(body, ids)[:_HEAD_IDS_MAX])


def add_more_ids(body: SetBody, ids: Sequence[ProductId]) -> None:
    """LIN with the product ids beyond those of the line's head."""
    rest = _named(body, ids)[_HEAD_IDS_MAX:]
    for start in range(0, len(rest), _LIN_IDS_MAX):
        body.add("LIN", "", *_flat(rest[start : start + _LIN_IDS_MAX]))


def add_description(body: SetBody, text: str) -> None:
    """PID05 (352), free-form; a long text takes several PIDs."""
    for part in wrap(body.words(text), [_DESCRIPTION_CHARS_MAX]):
        body.add("PID", "F", "", "", "", part)


def add_pack(body: SetBody, pack: Pack) -> None:
    """PO401 (356) and PO414 (810)."""
    if pack.units or pack.inner:
        body.add("PO4", pack.units or None, *[""] * 12, pack.inner or None)


def add_stores(body: SetBody, stores: Sequence[StoreQuantity], unit: str) -> None:
    """SDQ, ten locations each; a store without a unit has the line's."""
    for own_unit, group in groupby(stores, lambda store: store.unit or unit or _MUTUALLY_DEFINED):
        some = list(group)
        for start in range(0, len(some), _SDQ_STORES_MAX):
            values: list[Value] = []
            for store in some[start : start + _SDQ_STORES_MAX]:
                values += [store.location, store.quantity]
            body.add("SDQ", own_unit, "", *values)


def add_schedule(body: SetBody, schedule: Iterable[ScheduledQuantity], unit: str) -> None:
    """SCH."""
    for part in schedule:
        own_unit = part.unit or unit or _MUTUALLY_DEFINED
        body.add("SCH", part.quantity, own_unit, "", "", part.date_qualifier, part.on)


def add_components(body: SetBody, components: Iterable[Component]) -> None:
    """SLN; quantity and unit go together (P0405)."""
    for part in components:
        unit = _unit_of(part.quantity, part.unit)
        ids = _flat(_named(body, part.ids))
        body.add("SLN", part.number, "", part.relationship, part.quantity, unit, "", "", "", *ids)


def add_acknowledgments(body: SetBody, acknowledgments: Iterable[LineAcknowledgment], unit: str) -> None:
    """ACK; quantity and unit go together (P0203), and the date's meaning goes with a date (C0405)."""
    for one in acknowledgments:
        own_unit = _unit_of(one.quantity, one.unit or unit)
        qualifier = one.date_qualifier if one.on else ""
        ids = _flat(_named(body, one.ids))
        body.add("ACK", one.status, one.quantity, own_unit, qualifier, one.on, "", *ids)


def add_changed_lines(body: SetBody, lines: Sequence[ChangedLine]) -> None:
    """POC loops of an 860 or 865 with their details in the order of the standard, and the CTT after them."""
    for line in lines:
        _add_changed_line(body, line)
    add_totals(body, [line.quantity for line in lines])


def _add_changed_line(body: SetBody, line: ChangedLine) -> None:
    unit = line.unit or _unit_of(line.quantity, "")  # C0305
    # POC04 is optional beside POC03, but shorter: what it has no room for is left out.
    left: Value = line.left_to_receive if fits(line.left_to_receive, _LEFT_CHARS_MAX) else None
    if line.quantities is not None:
        left = astuple(line.quantities)
    head = line.number, line.change, line.quantity, left, unit, line.price
    body.add("POC", *head, "", *head_ids(body, line.ids))
    add_more_ids(body, line.ids)
    add_description(body, line.description)
    add_pack(body, line.pack)
    add_stores(body, line.stores, line.unit)
    add_acknowledgments(body, line.acknowledgments, line.unit)
    add_schedule(body, line.schedule, line.unit)
    add_components(body, line.components)


def add_totals(body: SetBody, quantities: Iterable[Decimal | None]) -> None:
    """CTT01 counts the lines, CTT02 adds up their quantities; a sum too long for it is not written."""
    known = list(quantities)
    total = sum((quantity for quantity in known if quantity is not None), Decimal(0))
    body.add("CTT", len(known), total if fits(total, _TOTAL_CHARS_MAX) else None)


def _unit_of(quantity: Decimal | None, unit: str) -> str:
    return "" if quantity is None else unit or _MUTUALLY_DEFINED


def _named(body: SetBody, ids: Iterable[ProductId]) -> list[ProductId]:
    return [one for one in ids if body.text(one.id)]


def _flat(ids: Iterable[ProductId]) -> list[Value]:
    return [value for one in ids for value in (one.qualifier, one.id)]
