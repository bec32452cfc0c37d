"""Items: the product ids, units and packs of a document's line in the ledger's words (spec 4). Pure."""

from decimal import Decimal

from edi.codes import STRONG_QUALIFIERS
from edi.documents import ChangedLine, OrderLine, ProductId
from pipeline.policy import Policy
from storage.commands import LineReference, NewLine
from storage.item_ids import GLOBAL_SCHEME
from storage.orders import ItemId

#: Units that are counted in whole units; weights, lengths and volumes are not among them (element 355).
DISCRETE_UNITS = frozenset(
    (
        "AS", "BG", "BO", "BX", "CA", "CS", "CT", "DZ", "EA",
        "JR", "KT", "PC", "PK", "PR", "RL", "SE", "ST", "UN",
    )
)  # fmt: skip

#: Qualifiers of whole GTINs, check digit included, which are one number however long they are written. A case
#: (UK with an indicator) is another number than what is in it. UA and UI lack the check digit: cut so, two
#: different items can be the same digits, so that they tie under their own qualifier only.
GTIN_QUALIFIERS = frozenset({"UP", "EN", "UK"})

#: Ids that partners send where they have none; so is any of one character only, from this length on.
FILLERS = frozenset({"N/A", "NA", "NONE", "TBD", "UNKNOWN"})
FILLER_LENGTH_MIN = 6

EACH, CASE = "EA", "CA"


def new_line(line: OrderLine | ChangedLine, policy: Policy) -> NewLine:
    """A line as it should be, with its SDQ split and PO4 pack. Sublines (SLN) are information, not units.

    A pack ties cases to eaches: a PO401 on a line in EA never multiplies the line.
    """
    unit = policy.unit_aliases.of(line.unit)
    per_case = units_per_case(line, policy)
    return NewLine(
        number=line.number,
        ids=_item_ids(line.ids, policy),
        quantity=line.quantity,
        unit=unit,
        discrete=unit in DISCRETE_UNITS,
        location_quantities=location_quantities(line, policy),
        pack_unit=CASE if per_case else "",
        pack_size=Decimal(per_case),
        description=line.description,
    )


def units_per_case(line: OrderLine | ChangedLine, policy: Policy) -> int:
    """PO401 by PO414 of a line in eaches; 0 when the line names no pack, or is in another unit."""
    in_eaches = policy.unit_aliases.of(line.unit) == EACH
    return line.pack.units * (line.pack.inner or 1) if in_eaches else 0


def location_quantities(line: OrderLine | ChangedLine, policy: Policy) -> tuple[Decimal, ...]:
    """SDQ: the split by store, cases counted in eaches where the line is in eaches and names its pack."""
    per_case = units_per_case(line, policy)
    return tuple(
        store.quantity * per_case
        if per_case and policy.unit_aliases.of(store.unit) == CASE
        else store.quantity
        for store in line.stores
    )


def line_reference(number: str, ids: tuple[ProductId, ...], policy: Policy) -> LineReference:
    """How a document points at a line."""
    return LineReference(number=number, ids=_item_ids(ids, policy))


def _item_ids(ids: tuple[ProductId, ...], policy: Policy) -> tuple[ItemId, ...]:
    return tuple(item_id(policy.qualifier_aliases.of(pid.qualifier), pid.id) for pid in ids)


def item_id(qualifier: str, id: str) -> ItemId:
    """Whole GTINs tie across their qualifiers; any other number only under the same one."""
    if qualifier not in STRONG_QUALIFIERS or _is_filler(id):
        return ItemId(qualifier, id)
    return ItemId(qualifier, id, GLOBAL_SCHEME if qualifier in GTIN_QUALIFIERS else qualifier)


def _is_filler(id: str) -> bool:
    """Whether it stands where there was no id: zeros, one character only, or a word for none."""
    same = id == id[:1] * len(id)
    return (same and (len(id) >= FILLER_LENGTH_MIN or id[:1] in ("", "0"))) or id.upper() in FILLERS
