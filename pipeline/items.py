"""Items: the product ids, units and packs of a document's line in the ledger's words. Pure."""

from decimal import Decimal

from edi.codes import STRONG_QUALIFIERS
from edi.documents import OrderLine, ProductId
from storage.commands import LineReference, NewLine
from storage.lines import GLOBAL_SCHEME
from storage.orders import ItemId

#: Units that are counted in whole units; weights, lengths and volumes are not among them (element 355).
DISCRETE_UNITS = frozenset(
    (
        "AS",
        "BG",
        "BO",
        "BX",
        "CA",
        "CS",
        "CT",
        "DZ",
        "EA",
        "JR",
        "KT",
        "PC",
        "PK",
        "PR",
        "RL",
        "SE",
        "ST",
        "UN",
    )
)

#: Ids that partners send where they have none.
FILLER_LENGTH_MIN = 6


def new_line(line: OrderLine) -> NewLine:
    """PO1 with its SDQ split and PO4 pack; a pack ties cases to eaches, it never multiplies (section 4)."""
    per_case = line.pack.units * (line.pack.inner or 1) if line.unit == "EA" else 0
    return NewLine(
        number=line.number,
        ids=_item_ids(line.ids),
        quantity=line.quantity,
        unit=line.unit,
        discrete=line.unit in DISCRETE_UNITS,
        location_quantities=tuple(store.quantity for store in line.stores),
        pack_unit="CA" if per_case else "",
        pack_size=Decimal(per_case),
        description=line.description,
    )


def line_reference(number: str, ids: tuple[ProductId, ...]) -> LineReference:
    """How a document points at a line."""
    return LineReference(number=number, ids=_item_ids(ids))


def _item_ids(ids: tuple[ProductId, ...]) -> tuple[ItemId, ...]:
    return tuple(ItemId(pid.qualifier, pid.id, _scheme(pid)) for pid in ids)


def _scheme(pid: ProductId) -> str:
    """Global numbers tie across their qualifiers; a party's own number only under the same one."""
    family = STRONG_QUALIFIERS.get(pid.qualifier, "")
    filler = len(pid.id) >= FILLER_LENGTH_MIN and len(set(pid.id)) == 1
    if not family or filler:
        return ""
    return GLOBAL_SCHEME if family == "gtin" else pid.qualifier
