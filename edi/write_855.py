"""Write 855: a seller's answer to a purchase order, told to its buyer."""

from datetime import datetime

from edi.documents import AcknowledgedLine, PurchaseOrderAcknowledgment
from edi.set_body import SetBody, UnwritableError
from edi.write_envelope import ControlNumbers, Route, utc, write_set
from edi.write_lines import add_acknowledgments, add_more_ids, add_pack, add_parties, add_totals, head_ids


def write(
    document: PurchaseOrderAcknowledgment, route: Route, *, numbers: ControlNumbers, at: datetime
) -> bytes:
    """The interchange, ISA to IEA, with the 855. A missing order date (BAK04) is the day of writing.

    UnwritableError for what cannot be said in the route's release, such as an order number that is too long,
    and for ACKs of sublines, since the document does not say of which.
    """
    body = SetBody("855", route.form)
    body.add(
        "BAK",
        document.purpose,
        document.type,
        document.po_number,
        document.ordered_on or utc(at).date(),
        document.release,
        "",
        "",
        document.seller_order_number,
        document.acknowledged_on,
    )
    add_parties(body, document.parties)
    for line in document.lines:
        _add_line(body, line)
    add_totals(body, [line.quantity for line in document.lines])
    return write_set(route, body.segments(), functional_id="PR", set_type="855", numbers=numbers, at=at)


def _add_line(body: SetBody, line: AcknowledgedLine) -> None:
    if line.component_acknowledgments:
        raise UnwritableError(f'line "{line.number}" has ACKs of sublines (SLN), but not the sublines')
    unit = line.unit if line.quantity is not None else ""  # C0302
    body.add("PO1", line.number, line.quantity, unit, line.price, "", *head_ids(body, line.ids))
    add_more_ids(body, line.ids)
    add_pack(body, line.pack)
    add_acknowledgments(body, line.acknowledgments, line.unit)
