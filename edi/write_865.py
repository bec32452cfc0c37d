"""Write 865: a seller's answer to a purchase order change, or its own change, told to its buyer."""

from datetime import datetime

from edi.documents import ChangeAcknowledgment
from edi.set_body import SetBody
from edi.write_envelope import ControlNumbers, Route, utc, write_set
from edi.write_lines import add_changed_lines, add_parties


def write(document: ChangeAcknowledgment, route: Route, *, numbers: ControlNumbers, at: datetime) -> bytes:
    """The interchange, ISA to IEA, with the 865. A missing order date (BCA06) is the day of writing.

    UnwritableError for what cannot be said in the route's release, such as an order number that is too long.
    """
    body = SetBody("865", route.form)
    body.add(
        "BCA",
        document.purpose,
        document.type,
        document.po_number,
        document.release,
        document.change_number,
        document.ordered_on or utc(at).date(),
        "",
        "",
        document.seller_order_number,
        document.acknowledged_on,
        document.changed_on,
    )
    add_parties(body, document.parties)
    add_changed_lines(body, document.lines)
    return write_set(route, body.segments(), functional_id="CA", set_type="865", numbers=numbers, at=at)
