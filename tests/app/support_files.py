"""Documents and messages for tests of the pages for support: one of every kind, hostile ones among them."""

from tests.api.site import Site
from tests.unit.edi.build import group, interchange, transaction_set
from tests.unit.pipeline.ledger_files import ITEM, acknowledgment, cancellation, file_of, order, shipment

#: What a partner may write into any text; none of it may act on a page.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><h1>x",
    "javascript:alert(1)",
)


def fill(site: Site) -> None:
    """Orders, a part shipment, a refused cancellation, a held question, a parked document, a faulty file."""
    house = site.house
    house.drop(
        file_of("850", order("PO-1", 60, 40), number=101, sender="acme", receiver="globex"),
        partner="acme",
        name="orders-101.edi",
    )
    house.drop(
        file_of("856", shipment("S-1", "PO-1", 10), number=201, sender="globex", receiver="acme"),
        partner="globex",
        name="ship-201.edi",
    )
    house.drop(
        file_of("850", order("PO-2", 5), number=102, sender="acme", receiver="globex"),
        partner="acme",
        name="orders-102.edi",
    )
    house.drop(
        file_of("856", shipment("S-2", "PO-2", 5), number=202, sender="globex", receiver="acme"),
        partner="globex",
        name="ship-202.edi",
    )
    house.drop(
        file_of("850", cancellation("PO-2"), number=103, sender="acme", receiver="globex"),
        partner="acme",
        name="cancel-103.edi",
    )
    house.drop(
        file_of("856", shipment("S-9", "PO-9", 2), number=203, sender="globex", receiver="acme"),
        partner="globex",
        name="ship-203.edi",
    )
    house.drop(
        file_of(
            "850",
            ["BEG*00*SA*PO-7**20260399", f"PO1*1*x*EA*1**{ITEM}", "CTT*1"],
            number=104,
            sender="acme",
            receiver="globex",
        ),
        partner="acme",
        name="faulty-104.edi",
    )
    house.drop(b"no X12 at all", partner="acme", name="note.txt")
