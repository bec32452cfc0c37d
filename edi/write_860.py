"""Write 860: a buyer's purchase order change, told to its seller."""

from datetime import datetime

from edi.documents import PurchaseOrderChange
from edi.set_body import SetBody
from edi.write_envelope import ControlNumbers, Route, utc, write_set
from edi.write_lines import add_changed_lines, add_dates, add_parties, add_references


def write(document: PurchaseOrderChange, route: Route, *, numbers: ControlNumbers, at: datetime) -> bytes:
    """The interchange, ISA to IEA, with the 860. A missing order date (BCH06) is the day of writing.

    UnwritableError for what cannot be said in the route's release, such as an order number that is too long.
    """
    body = SetBody("860", route.form)
    body.add(
        "BCH",
        document.purpose,
        document.order_type,
        document.po_number,
        document.release,
        document.change_number,
        document.ordered_on or utc(at).date(),
        "",
        "",
        document.seller_order_number,
        "",
        document.changed_on,
    )
    add_references(body, document.references)
    add_dates(body, document.dates)
    add_parties(body, document.parties)
    add_changed_lines(body, document.lines)
    return write_set(route, body.segments(), functional_id="PC", set_type="860", numbers=numbers, at=at)
