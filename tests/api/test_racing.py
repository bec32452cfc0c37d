"""The API cancels while X12 ships the same line: every unit goes one way, and every word is told once."""

from concurrent.futures import ThreadPoolExecutor

from tests.api.site import BUYER, SELLER, Site
from tests.unit.pipeline.ledger_files import shipment

UNITS = 60
CUTS_EACH = 15  # neither side alone can take all units, so that both get some
SHIPMENTS = 20


def test_every_unit_is_cancelled_or_fulfilled_and_none_twice(site: Site) -> None:
    order_id = site.place("PO-1", UNITS)
    parties = [("acme", BUYER), ("globex", SELLER), ("acme", BUYER)]
    clients = [(site.client(partner), side) for partner, side in parties]

    def cut(which: int) -> int:
        client, side = clients[which]
        answers = [
            client.post(f"{side}/{order_id}/lines/1/cancel", json={"quantity": 1}) for _ in range(CUTS_EACH)
        ]
        assert {answer.status_code for answer in answers} <= {200, 409}
        return sum(answer.status_code == 200 for answer in answers)

    with ThreadPoolExecutor(len(clients)) as pool:
        cutting = [pool.submit(cut, which) for which in range(len(clients))]
        reports = [site.house.seller("856", shipment(f"S-{n}", "PO-1", 2)) for n in range(SHIPMENTS)]
        cancelled = sum(one.result() for one in cutting)
    shipped = 2 * sum(report.outcome.value == "applied" for report in reports)
    (line,) = site.client("acme").get(f"{BUYER}/{order_id}").json()["lines"]
    assert (line["cancelled"], line["fulfilled"]) == (str(cancelled), str(shipped))
    assert cancelled + shipped + int(line["open"]) == UNITS
    assert cancelled
    assert shipped
    about_cuts = [mail for mail in site.mails() if "Cancelled in part" in mail.subject]
    assert len(about_cuts) == cancelled
    assert site.breaches() == ()
