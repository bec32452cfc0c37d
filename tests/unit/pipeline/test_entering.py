"""What is entered without a document follows the agreement with the order's buyer, whoever says it."""

from pathlib import Path

import pytest

from pipeline import staff
from pipeline.clock import SystemClock
from pipeline.settings import load
from pipeline.wiring import Application
from storage.database import Database
from tests.unit.pipeline.house import House
from tests.unit.pipeline.ledger_files import PARTIES, order, settings_text, shipment, write_settings

ALL_OR_NOTHING = 'cancel_part_shipped = "refuse"'


def agreed_with(folder: Path, partner: str) -> Application:
    """An installation where one partner agreed to all or nothing, and the others to the rest."""
    path = write_settings(folder)
    url = load(path, {}).database.url
    before, mark, after = settings_text(url=url).partition(f'id = "{partner}"')
    path.write_text(
        before + mark + after.replace("[partner.policy]\n", f"[partner.policy]\n{ALL_OR_NOTHING}\n", 1)
    )
    settings = load(path, {})
    return Application(settings=settings, database=Database(settings.database.url), clock=SystemClock())


@pytest.mark.parametrize(("partner", "outcome"), [("acme", "refused"), ("globex", "applied")])
@pytest.mark.parametrize("by", ["acme", "globex"])
def test_what_a_whole_cancellation_does_to_a_part_shipped_order_is_the_buyers_agreement(
    tmp_path: Path, both_systems: None, partner: str, by: str, outcome: str
) -> None:
    assert partner in PARTIES
    application = agreed_with(tmp_path, partner)
    house = House(application.settings, application.database)
    house.buyer(order("PO-1", 10))
    house.seller("856", shipment("S-1", "PO-1", 4))
    report = staff.cancel(application, staff.Cancellation(po_number="PO-1", by=by))
    assert report.outcome.value == outcome
    assert house.line("PO-1") == (("10", "4", "0", "6") if outcome == "refused" else ("10", "4", "6", "0"))
    application.database.close()
